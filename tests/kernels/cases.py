"""The rows that have an elementwise kernel, and what their rules give: walked off the registry."""

from itertools import product

import numpy as np

import gradkit  # noqa: F401  (the rows enter the registry as they are imported)
from gradkit.backend.kernels.catalogue import ELEMENTWISE
from gradkit.backend.numpy import NUMPY
from gradkit.engine.primitive import REGISTRY
from tests.kernels.formats import FORMATS

ROWS = {prim.name: prim for prim in REGISTRY.values() if prim.fused in ELEMENTWISE}
MORE_PARAMS = {"pow_scalar": [{"exponent": p} for p in (3, -2, 1.5, 4, -3, 16, -16, 17, 0.25)]}
SPECIAL = [-np.inf, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 2.0, np.inf, np.nan]
MORE_EDGES = {"pow": [*product(SPECIAL, SPECIAL)]}


def params_of(prim):
    given = [sample[-1] for sample in prim.samples] + MORE_PARAMS.get(prim.name, [])
    served = [p for p in given if ELEMENTWISE[prim.fused].arguments(**p) is not None]
    return [p for i, p in enumerate(served) if p not in served[:i]]


CASES = [(name, i, form) for name, prim in ROWS.items() for i in range(len(params_of(prim))) for form in FORMATS]


def points(prim, form):
    """Operands drawn from the domain, then the edges; for half and bfloat16, numbers that these have."""
    rng = np.random.default_rng(3)
    drawn = [rng.uniform(low, high, 400) for low, high in prim.domain]
    edges = [edge if isinstance(edge, tuple) else (edge,) * len(prim.domain) for edge in (*prim.edges, *MORE_EDGES.get(prim.name, ()))]
    columns = zip(*edges) if edges else [()] * len(drawn)
    return [form.rounded(np.concatenate([x, column])) for x, column in zip(drawn, columns)]


def by_rule(prim, params, form):
    """A cotangent, what is saved, and what the row's rules make of them."""
    operands = points(prim, form)
    with np.errstate(all="ignore"):
        y = form.rounded(prim.run(*operands, **params))
        ct = form.rounded(np.random.default_rng(4).normal(size=y.shape))
        saved = [y, *operands]
        return ct, saved, [rule(NUMPY.xp, ct, *saved, **params) for rule in prim.rules]


def tolerance(form, params):
    """Computed in float, half and bfloat16 differ by their last rounding; a power that is multiplied out is off by half
    an ulp for each factor, in the rule (which multiplies a few out) and in the kernel."""
    ulps = 2 if form.eps > 1e-4 else 8 + abs(params.get("exponent", 0))
    return {"rtol": ulps * form.eps, "atol": ulps * form.eps / 4}
