"""Every row on a device: the names it calls are there, it gives the CPU's values, and the host neither copies nor waits."""

import ast
from pathlib import Path

import numpy as np
import pytest

import gradkit
from gradkit.backend.numpy import NUMPY
from gradkit.backend.protocol import backend_named
from gradkit.engine.primitive import REGISTRY
from gradkit.engine.versions import owner
from tests.test_primitives import CASES, TURNED, everything, free, ids, operands_of

PACKAGE = Path(gradkit.__file__).parent

LIBRARY = "the library says only on the host whether it has failed, as in PyTorch"
SORT = "CuPy's sort waits for its own scratch memory"
SIZE = "how many places a mask has is the size of an array"
NORM = "by the norm it is decided how often to square"
#: Rows whose forward or rule waits for the device or copies from it, and why they have to.
WAITS = {
    "cofactor": LIBRARY, "cofactor_along": LIBRARY, "linalg_cholesky": LIBRARY, "linalg_det": LIBRARY, "linalg_eig": LIBRARY,
    "linalg_eigh": LIBRARY, "linalg_eigvalsh": LIBRARY, "linalg_inv": LIBRARY, "linalg_inv_ex": LIBRARY,
    "linalg_pinv": LIBRARY, "linalg_slogdet": LIBRARY, "linalg_solve": LIBRARY, "linalg_svd": LIBRARY, "linalg_svdvals": LIBRARY,
    "kth": SORT, "median_all": SORT, "median_index": SORT, "mode_index": SORT, "sort_order": SORT, "top_order": SORT,
    "mask_put": SIZE, "masked_put": SIZE, "masked_select": SIZE, "matrix_exp": NORM,
    "to_device": "it copies: that is what it is for",
}  # fmt: skip


@pytest.fixture(autouse=True)
def on_a_gpu(device):
    if device != "cuda":
        pytest.skip("needs --device cuda")


def names_of_the_namespace():
    """Every ``xp.name``, ``xp.linalg.name`` and so on that rows, families and operations write."""
    files = [PACKAGE / "families.py", *(PACKAGE / "primitives").glob("*.py"), *(PACKAGE / "ops").glob("*.py")]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            text = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
            if text.startswith("xp.") and text.replace(".", "").isidentifier():
                yield text.removeprefix("xp.")


@pytest.mark.parametrize("name", sorted(set(names_of_the_namespace())))
def test_a_name_that_rows_call_is_there(name):
    found = backend_named("cuda").xp
    for part in name.split("."):
        found = getattr(found, part)


def test_a_function_that_numpy_needs_help_with_is_there():
    ours = backend_named("cuda").xp
    missing = [name for name in vars(NUMPY.xp) if not hasattr(ours, name) and not name.startswith("fused_")]
    assert not missing


def computed(case):
    """The values and gradients of a case by device: on the CPU, and on the GPU under a context."""
    prim = REGISTRY[case[0]]
    raws, params = operands_of(prim, case[1], np.dtype("float32"))
    places = free(prim, raws) if prim.step else []

    def on(device):
        xs = [gradkit.tensor(r, requires_grad=k in places, device=device) for k, r in enumerate(raws)]
        ys = everything(gradkit.engine.bind.bind(prim, xs, params))
        wanted = [y for y in ys if y.requires_grad]
        # Such cotangents reach vectors of a decomposition alike whichever way round they are.
        cts = [y.detach() * gradkit.linspace(0.5, 2, y.numel(), device=y.device).reshape(y.shape) for y in wanted]
        gs = gradkit.autograd.grad(wanted, [xs[k] for k in places], cts, allow_unused=True) if wanted else []
        return ys, [g for g in gs if g is not None]

    return on


@pytest.mark.parametrize("case", CASES, ids=ids)
def test_a_row_gives_the_values_of_the_cpu(case):
    on = computed(case)
    for got, want in zip(on("cuda"), on("cpu")):
        for one, other in zip(got, want, strict=True):
            assert one.dtype == other.dtype and one.shape == other.shape
            one, other = one.numpy(force=True), other.numpy(force=True)
            if case[0] in TURNED:
                one, other = np.abs(one), np.abs(other)
            np.testing.assert_allclose(one, other, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("case", [case for case in CASES if REGISTRY[case[0]].view], ids=ids)
def test_a_view_knows_whose_memory_it_has(case):
    prim = REGISTRY[case[0]]
    (x,), params = operands_of(prim, case[1], np.dtype("float32"))
    x = gradkit.tensor(x, device="cuda").array
    y = prim.on(backend_named("cuda"))(x, **params)
    assert y.data.mem is not x.data.mem or owner(y) is owner(x)


@pytest.mark.parametrize("case", [case for case in CASES if case[0] not in WAITS], ids=ids)
def test_a_row_neither_copies_nor_waits(case):
    hostcuda = pytest.importorskip("hostcuda", reason="only hostcuda can count and refuse copies")
    on = computed(case)
    on("cuda")
    with hostcuda.forbid("dtoh", "sync"):
        on("cuda")


@pytest.mark.parametrize("name", WAITS)
def test_what_waits_is_a_row(name):
    assert name in REGISTRY
