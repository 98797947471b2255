"""Every row of the registry against independent witnesses: no primitive is named here.

(a) numeric difference at order 1, both modes; (b) the adjoint identity; (c) numeric difference of the gradient; (d) the
second-order compositions agree; (e) vmap equals a loop; (f) what a rule does not ask for is not kept; (g) entries
outside the declared structure are exactly zero; (i) PyTorch agrees on values, gradients, dtypes and edge points.
"""

import itertools
import zlib

import numpy as np
import pytest

import gradkit
from gradkit.autograd import gradcheck, gradgradcheck
from gradkit.backend.protocol import backend_of
from gradkit.engine.bind import bind
from gradkit.engine.device import moved
from gradkit.engine.primitive import REGISTRY
from gradkit.engine.tensor import Tensor, wrap as wrapped
from gradkit.func import jvp, vjp, vmap

CASES = [(name, i) for name in sorted(REGISTRY) for i in range(len(REGISTRY[name].samples))]
SMOOTH = [case for case in CASES if REGISTRY[case[0]].step is not None]
#: Decompositions whose vectors a device's library may turn round, and does for a stack as it does not for one.
TURNED = {"linalg_eig", "linalg_eigh", "linalg_qr", "linalg_svd"}
EDGES = [(name, i) for name in sorted(REGISTRY) for i in range(len(REGISTRY[name].edges))]


def wrap(raw):
    """A tensor of a raw array, on the device under test."""
    return wrapped(moved(raw, gradkit.get_default_device()))


def beside(tensor, raw):
    """A tensor of a raw array, on the device of another tensor."""
    return wrapped(moved(raw, tensor.device))


def ids(case):
    return f"{case[0]}-{case[1]}"


def operands_of(prim, i, dtype=np.float64):
    """The raw operands of a sample: drawn from the domain for a shape, as they stand for a list."""
    *shapes, params = prim.samples[i]
    rng = np.random.default_rng(zlib.crc32(f"{prim.name}{i}".encode()))
    domains = prim.domain or ((-2.0, 2.0),) * len(shapes)
    raws = []
    for shape, (low, high) in zip(shapes, itertools.chain(domains, itertools.repeat(domains[-1]))):
        raws.append(rng.uniform(low, high, shape).astype(dtype) if isinstance(shape, tuple) else fixed(shape, dtype))
    return raws, params


def fixed(values, dtype):
    """A sample given as it stands: floating and complex ones in the precision under test."""
    array = np.array(values)
    if array.dtype.kind == "c":
        return array.astype(np.result_type(dtype, np.complex64))
    return array.astype(dtype) if array.dtype.kind == "f" else array


def normal_like(rng, array):
    """Normal numbers of the shape and dtype of an array or tensor."""
    values = rng.normal(size=tuple(array.shape))
    return (values + 1j * rng.normal(size=values.shape) if array.dtype.kind == "c" else values).astype(array.dtype)


def inner(a, b):
    """The real inner product, for which vjp and jvp are adjoint: complex numbers count as pairs of reals."""
    return float(np.sum((np.conj(a.array) * b.array).real))


def free(prim, raws):
    """Which operands the row differentiates: those that get a tangent in forward mode, of a floating dtype."""
    floating = [k for k, r in enumerate(raws) if r.dtype.kind in "fc"]
    return [k for k in floating if depends(prim, raws, k)]


def depends(prim, raws, k):
    if prim.family == "elementwise":
        return prim.rules[k] is not None
    return True


def outputs(y):
    return tuple([one for one in (y if isinstance(y, list | tuple) else (y,)) if one.dtype.kind in "fc"])


def function_of(prim, i):
    """The primitive as a function of its differentiable operands, and these."""
    raws, params = operands_of(prim, i)
    if "source" in params and gradkit.get_default_device() != params["source"]:
        pytest.skip("the sample says which device its operands are on")
    places = free(prim, raws)

    def function(*xs):
        operands = [wrap(r) for r in raws]
        for k, x in zip(places, xs):
            operands[k] = x
        return outputs(bind(prim, operands, params))

    return function, [raws[k] for k in places]


def leaves(raws):
    return tuple([gradkit.tensor(r, requires_grad=True) for r in raws])


@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_first_derivatives_match_differences(case):
    function, raws = function_of(REGISTRY[case[0]], case[1])
    assert gradcheck(function, leaves(raws), check_forward_ad=True, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_vjp_is_adjoint_of_jvp(case):
    function, raws = function_of(REGISTRY[case[0]], case[1])
    rng = np.random.default_rng(7)
    xs = tuple([wrap(r) for r in raws])
    ts = tuple([wrap(normal_like(rng, r)) for r in raws])
    ys, moved = jvp(function, xs, ts)
    cts = tuple([beside(y, normal_like(rng, y)) for y in ys])
    pulled = vjp(function, *xs)[1](cts)
    left = sum([inner(ct, m) for ct, m in zip(cts, moved)])
    right = sum([inner(g, t) for g, t in zip(pulled, ts)])
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_second_derivatives_match_differences(case):
    function, raws = function_of(REGISTRY[case[0]], case[1])
    assert gradgradcheck(function, leaves(raws), check_fwd_over_rev=True, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_second_order_compositions_agree(case):
    function, raws = function_of(REGISTRY[case[0]], case[1])
    rng = np.random.default_rng(11)
    xs = tuple([wrap(r) for r in raws])
    us, vs = [tuple([wrap(normal_like(rng, r)) for r in raws]) for _ in range(2)]
    weights = [beside(y, normal_like(rng, y)) for y in function(*xs)]

    def real(z):
        return gradkit.real(z) if z.is_complex() else z

    def loss(*xs):
        return sum([real(w * y * y).sum() for w, y in zip(weights, function(*xs))])

    def gradient(*xs):
        return vjp(loss, *xs)[1](wrap(np.array(1.0)))

    def dot(gs, ds):
        return sum([real(gradkit.conj(g) * d if g.is_complex() else g * d).sum() for g, d in zip(gs, ds)])

    forward_reverse = dot(jvp(gradient, xs, us)[1], vs)
    reverse_reverse = dot(vjp(lambda *xs: dot(gradient(*xs), us), *xs)[1](wrap(np.array(1.0))), vs)
    forward_forward = jvp(lambda *xs: jvp(loss, xs, us)[1], xs, vs)[1]
    reverse_forward = dot(vjp(lambda *xs: jvp(loss, xs, us)[1], *xs)[1](wrap(np.array(1.0))), vs)
    values = [v.item() for v in (forward_reverse, reverse_reverse, forward_forward, reverse_forward)]
    np.testing.assert_allclose(values, values[0], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_vmap_equals_loop(case):
    prim = REGISTRY[case[0]]
    raws, params = operands_of(prim, case[1])
    if not raws:
        pytest.skip("no operands")
    batched = [np.stack([r, r[::-1] if r.ndim and prim.family != "general" else r, r * r.dtype.type(1)]) for r in raws]
    for mapped in range(1, 2 ** len(raws)):
        dims = tuple([0 if mapped >> k & 1 else None for k in range(len(raws))])
        operands = [wrap(b if d == 0 else r) for b, r, d in zip(batched, raws, dims)]
        together = vmap(lambda *xs: tuple(everything(bind(prim, xs, params))), dims)(*operands)
        for n in range(3):
            one = [wrap(b[n] if d == 0 else r) for b, r, d in zip(batched, raws, dims)]
            for got, want in zip(together, everything(bind(prim, one, params))):
                got, want = got.array[n], want.array
                if prim.name in TURNED and backend_of(want).name == "cuda":
                    got, want = np.abs(got), np.abs(want)
                np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def everything(y):
    return y if isinstance(y, list | tuple) else [y]


@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_rules_read_only_what_is_kept(case):
    prim = REGISTRY[case[0]]
    raws, params = operands_of(prim, case[1])
    for k in free(prim, raws):
        operands = [wrap(r.copy()) for r in raws]
        operands[k].requires_grad_()
        ys = everything(bind(prim, operands, params))
        y = next(y for y in ys if y.requires_grad)
        want = gradient(y, operands[k], retain_graph=True).array.copy()
        node = y.grad_fn.parents[0] if y.grad_fn.picks else y.grad_fn
        held = {id(s) for s in flat(node.saved)}
        for one in (*operands, *ys):
            owner, xp = one.array, backend_of(one.array).xp
            if id(owner) in held or not is_array(owner) or owner.dtype.kind not in "fc" or owner.base is not None:
                continue
            if getattr(owner.flags, "writeable", True) and not any([xp.shares_memory(owner, s) for s in flat(node.saved)]):
                owner[...] = np.nan
        np.testing.assert_array_equal(gradient(y, operands[k]).array, want)


def gradient(y, x, **how):
    return gradkit.autograd.grad(y, x, gradkit.ones_like(y), materialize_grads=True, **how)[0]


def flat(saved):
    for s in saved:
        if isinstance(s, tuple | list):
            yield from flat(s)
        elif is_array(s):
            yield s


def is_array(s):
    """Whether it is an array with memory of its own, of any backend: NumPy's scalars have none."""
    return hasattr(s, "base") and not isinstance(s, np.generic)


@pytest.mark.parametrize("case", SMOOTH, ids=ids)
def test_jacobian_is_zero_outside_structure(case):
    prim = REGISTRY[case[0]]
    if prim.structure == "dense":
        pytest.skip("a dense Jacobian has no zero pattern to check")
    function, raws = function_of(prim, case[1])
    _, params = operands_of(prim, case[1])
    rng = np.random.default_rng(3)
    for k, raw in enumerate(raws):
        columns = []
        for place in np.ndindex(raw.shape):
            t = np.zeros_like(raw)
            t[place] = rng.uniform(1, 2)
            ts = tuple([wrap(t if j == k else np.zeros_like(r)) for j, r in enumerate(raws)])
            columns.append(jvp(function, tuple([wrap(r) for r in raws]), ts)[1][0].array)
        jacobian = np.stack(columns, -1).reshape(*columns[0].shape, *raw.shape)
        allowed = pattern(prim, params, columns[0].shape, raw.shape, jacobian)
        assert not np.any(jacobian[~allowed]), f"operand {k}"


def pattern(prim, params, out, shape, jacobian):
    """Where the declared structure allows entries, as a mask of shape (*out, *shape)."""
    allowed = np.zeros((*out, *shape), bool)
    if prim.structure == "moves":
        rows = np.asarray(jacobian != 0).reshape(*out, -1)
        many = rows.sum(-1) > 1
        allowed.reshape(*out, -1)[...] = rows & ~many[..., None]
        return allowed
    for place in np.ndindex(out):
        for source in np.ndindex(shape):
            allowed[(*place, *source)] = related(prim.structure, params, place, source, out, shape)
    return allowed


def related(structure, params, place, source, out, shape):
    if structure == "diagonal":
        tail = place[len(place) - len(source) :]
        return all([n == 1 or p == s for p, s, n in zip(tail, source, shape)])
    if structure == "block":
        lead = max(len(shape) - 2, 0)
        return all(
            [n == 1 or p == s for p, s, n in zip(place[: len(out) - 2][-lead:] if lead else (), source[:lead], shape)]
        )
    axes = params["axis"]
    axes = [a % len(shape) for a in (axes if isinstance(axes, tuple) else (axes,))]
    if len(out) == len(shape):
        return all([i in axes or p == s for i, (p, s) in enumerate(zip(place, source))])
    return list(place) == [s for i, s in enumerate(source) if i not in axes]


# -- PyTorch
def peer_of(prim, torch):
    peer = prim.peer
    if callable(peer):
        return lambda *operands, **params: peer(torch, *operands, **params)
    function = getattr(torch, peer or prim.name, None) or getattr(torch.nn.functional, peer or prim.name, None)
    if function is None:
        return None
    return lambda *operands, **params: function(*operands, *params.values())


def same(got, want, context="", **tolerance):
    want = want.resolve_conj().numpy(force=True) if hasattr(want, "detach") else want
    got = got.array if isinstance(got, Tensor) else got
    assert tuple(got.shape) == tuple(want.shape), context
    np.testing.assert_allclose(got, want, err_msg=context, **tolerance)


@pytest.mark.parametrize("case", CASES, ids=ids)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pytorch_agrees(case, dtype, torch):
    prim = REGISTRY[case[0]]
    peer = peer_of(prim, torch)
    if peer is None:
        pytest.skip("PyTorch has no such operation")
    raws, params = operands_of(prim, case[1], np.dtype(dtype))
    places = free(prim, raws) if prim.step else []
    mine = [gradkit.tensor(r, requires_grad=k in places) for k, r in enumerate(raws)]
    theirs = [torch.tensor(r, requires_grad=k in places) for k, r in enumerate(raws)]
    want = peer(*theirs, **params)
    if want is None:
        pytest.skip("PyTorch has no such operation")
    want = everything(want)
    got = everything(bind(prim, mine, params))
    close = {"rtol": 2e-5, "atol": 2e-5} if dtype == "float32" else {"rtol": 1e-11, "atol": 1e-11}
    for g, w in zip(got, want):
        assert g.dtype.name == str(w.dtype).removeprefix("torch.")
        same(g, w, "value", **close)
    for g, w in zip(got, want):
        if not w.requires_grad:
            assert not g.requires_grad
            continue
        ct = normal_like(np.random.default_rng(5), g)
        mine_g = gradkit.autograd.grad(
            g, [mine[k] for k in places], beside(g, ct), retain_graph=True, allow_unused=True
        )
        theirs_g = torch.autograd.grad(
            w, [theirs[k] for k in places], torch.tensor(ct), retain_graph=True, allow_unused=True
        )
        for k, a, b in zip(places, mine_g, theirs_g):
            if a is None or b is None:
                assert (a is None or not np.any(a.array)) and (b is None or not b.any())
                continue
            assert a.dtype == mine[k].dtype
            same(a, b, f"gradient of operand {k}", **close)


@pytest.mark.parametrize("case", EDGES, ids=ids)
@np.errstate(all="ignore")
def test_pytorch_agrees_at_edges(case, torch):
    """Values, gradients and second derivatives at the points where a convention decides. Where PyTorch's derivative is
    NaN at a point where ours exists, ours need only be a number."""
    prim = REGISTRY[case[0]]
    peer = peer_of(prim, torch)
    if peer is None:
        pytest.skip("PyTorch has no such operation")
    edge = prim.edges[case[1]]
    values = edge if isinstance(edge, tuple) and prim.arity != 1 else (edge,)  # of one operand a tuple is an array
    wanted = [k for k in range(len(values)) if prim.family != "elementwise" or prim.rules[k] is not None]
    samples = prim.samples if prim.family == "elementwise" else prim.samples[:1]
    for params in [sample[-1] for sample in samples]:
        mine = [gradkit.tensor(v, dtype=gradkit.float64, requires_grad=k in wanted) for k, v in enumerate(values)]
        theirs = [torch.tensor(v, dtype=torch.float64, requires_grad=m.requires_grad) for v, m in zip(values, mine)]
        got, want = bind(prim, mine, params), peer(*theirs, **params)
        same(got, want, f"value {params}", rtol=1e-12, atol=1e-16)
        if not want.requires_grad:
            continue
        ours, witness = [[xs[k] for k in wanted] for xs in (mine, theirs)]
        first = gradkit.autograd.grad(got.sum(), ours, create_graph=True)
        theirs_first = torch.autograd.grad(want.sum(), witness, create_graph=True)
        for k, a, b in zip(wanted, first, theirs_first):
            better(a, b, 1, f"gradient of operand {k} {params}")
            if not b.requires_grad or not a.requires_grad or prim.edge_order < 2:
                continue
            second = gradkit.autograd.grad(a.sum(), ours, retain_graph=True, materialize_grads=True)
            theirs_second = torch.autograd.grad(b.sum(), witness, retain_graph=True, materialize_grads=True)
            for j, c, d in zip(wanted, second, theirs_second):
                better(c, d, 2, f"second derivative {k},{j} {params}")


def better(got, want, order, context):
    """PyTorch's derivative, or a number where PyTorch has none; at order 2 an infinity may be NaN and the reverse."""
    got, want = np.array(got.array), want.numpy(force=True)
    free = np.isnan(want) & ~np.isnan(got)
    if order == 2:
        free |= ~np.isfinite(want) & ~np.isfinite(got)
    np.testing.assert_allclose(np.where(free, 0, got), np.where(free, 0, want), rtol=1e-7, err_msg=context)
