"""Printed tensors are PyTorch's, character for character."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gradkit.engine import printing
from gradkit.engine.printing import format_scalar, get_printoptions, set_printoptions, tensor_repr

FLOATS = ["float16", "float32", "float64"]
COMPLEX = ["complex64", "complex128"]
WHOLE = ["bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64"]
SHAPES = [(), (1,), (2,), (7,), (30,), (100,), (1000,), (1001,), (2500,), (2, 3), (1, 1), (5, 20), (3, 40), (40, 30)]
SHAPES += [(2, 600), (300, 6), (6, 7, 30), (2, 2, 2), (1, 3, 4), (7, 2, 80), (2, 1, 2, 3), (8, 7, 6, 5), (3, 2, 1, 200)]
FEW_ELEMENTS = [shape for shape in SHAPES if math.prod(shape) <= 200] + [(2, 3, 30), (9, 9)]
EMPTY = [(0,), (0, 3), (3, 0), (2, 0, 4), (0, 0)]
CASES_PER_DTYPE = 150


@pytest.fixture(autouse=True)
def same_options_afterwards() -> Iterator[None]:
    before = get_printoptions()
    yield
    set_printoptions(**before)


@pytest.fixture
def peer(torch: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """torch, its options put back afterwards; ours names dtypes as it does, since a name's length moves line breaks."""
    monkeypatch.setattr(printing, "dtype_name", lambda dtype: f"torch.{dtype.name}")
    before = torch._tensor_str.get_printoptions()
    yield torch
    torch.set_printoptions(**before)


def one_of(rng: np.random.Generator, choices: Any) -> Any:
    return choices[rng.integers(len(choices))]


def reals(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """float64 values of one of the sorts that are printed differently."""
    normal = rng.standard_normal(shape)
    return one_of(
        rng,
        [
            lambda: normal,
            lambda: np.abs(normal),
            lambda: normal * 10.0 ** rng.integers(-30, 31),
            lambda: normal * 10.0 ** rng.integers(-30, 31, shape),
            lambda: normal * 10.0 ** rng.integers(-4, 4, shape),
            lambda: 1e-4 * (1 + rng.integers(-2, 3, shape) * 1e-7),
            lambda: 1e8 + rng.integers(-2, 3, shape),
            lambda: 10.0 ** rng.integers(0, 4, shape),
            lambda: np.rint(normal * 10.0 ** rng.integers(0, 10)),
            lambda: np.rint(normal),
            lambda: np.rint(normal * 4) / 8,
            lambda: normal * 0,
        ],
    )()


def floats(rng: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Any:
    with np.errstate(over="ignore", under="ignore"):
        values = np.array(reals(rng, shape)).astype(dtype)
    special = np.array([math.nan, math.inf, -math.inf, 0.0, -0.0])
    share = one_of(rng, [0, 0, 0.1, 0.5, 1])
    allowed = special[rng.random(5) < 0.6]
    if share and allowed.size:
        values = np.where(rng.random(shape) < share, rng.choice(allowed, shape), values)
    return np.asarray(values, dtype)


def generated(rng: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> Any:
    if dtype in FLOATS:
        return floats(rng, dtype, shape)
    if dtype in COMPLEX:
        values = np.empty(shape, dtype)
        part = values.real.dtype.name
        values.real, values.imag = floats(rng, part, shape), floats(rng, part, shape)
        return values
    if dtype == "bool":
        return rng.random(shape) < one_of(rng, [0, 0.5, 1])
    limits = np.iinfo(dtype)
    low, high = one_of(rng, [(limits.min, limits.max), (0, 9), (max(limits.min, -99), 99)])
    return rng.integers(low, high, shape, dtype, endpoint=True)


def torch_tensor(torch: Any, array: Any) -> Any:
    return torch.from_numpy(np.array(array))


def recorded(torch: Any, rng: np.random.Generator, tensor: Any) -> Any:
    """`tensor` as a leaf that requires grad, or as the result of an operation that left its values alone."""
    tensor = tensor.requires_grad_()
    operation = one_of(
        rng,
        [
            lambda t: t,
            torch.clone,
            lambda t: t.view(t.shape),
            lambda t: t.expand(t.shape),
            lambda t: torch.stack([t])[0],
            lambda t: torch.cat([t.reshape(-1)]).reshape(t.shape),
            lambda t: torch.masked_fill(t, torch.zeros(t.shape, dtype=torch.bool), 0),
        ],
    )
    return operation(tensor)


def suffixes(tensor: Any) -> dict[str, Any]:
    name = type(tensor.grad_fn).__name__ if tensor.grad_fn is not None else None
    return {"requires_grad": tensor.requires_grad, "grad_fn": name}


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX + WHOLE)
def test_prints_as_torch_does(peer: Any, dtype: str) -> None:
    rng = np.random.default_rng(20260901)
    for _ in range(CASES_PER_DTYPE):
        array = generated(rng, dtype, one_of(rng, SHAPES))
        assert tensor_repr(array) == repr(torch_tensor(peer, array))


@pytest.mark.parametrize("dtype", FLOATS + COMPLEX)
def test_requires_grad_and_grad_fn_print_as_in_torch(peer: Any, dtype: str) -> None:
    rng = np.random.default_rng(20260902)
    for _ in range(CASES_PER_DTYPE):
        array = generated(rng, dtype, one_of(rng, SHAPES + EMPTY))
        tensor = recorded(peer, rng, torch_tensor(peer, array))
        assert tensor_repr(array, **suffixes(tensor)) == repr(tensor)


def test_suffix_moves_to_a_new_line_where_torch_moves_it(peer: Any) -> None:
    leaf = peer.ones(1, requires_grad=True)
    for length in range(1, 40):
        array = np.ones(length, "float64")
        tensor = leaf.double().expand(length)
        assert tensor_repr(array, **suffixes(tensor)) == repr(tensor)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "int64", "bool"])
def test_changed_options_print_as_in_torch(peer: Any, dtype: str) -> None:
    rng = np.random.default_rng(20260903)
    for _ in range(2 * CASES_PER_DTYPE):
        options = {
            "precision": one_of(rng, [None, 0, 1, 2, 6, 10]),
            "threshold": one_of(rng, [None, 0, 5, 100, math.inf]),
            "edgeitems": one_of(rng, [None, 0, 1, 2, 5]),
            "linewidth": one_of(rng, [None, 1, 20, 40, 120, 1000]),
            "profile": one_of(rng, [None, None, "default", "short", "full", "unheard of"]),
            "sci_mode": one_of(rng, [None, True, False]),
        }
        set_printoptions(**options)
        peer.set_printoptions(**options)
        array = generated(rng, dtype, one_of(rng, FEW_ELEMENTS + EMPTY))
        assert (tensor_repr(array), options) == (repr(torch_tensor(peer, array)), options)
        assert get_printoptions() == peer._tensor_str.get_printoptions()


@pytest.mark.parametrize("shape", EMPTY)
@pytest.mark.parametrize("dtype", FLOATS + COMPLEX + WHOLE)
def test_empty_tensor_prints_as_in_torch(peer: Any, dtype: str, shape: tuple[int, ...]) -> None:
    array = np.empty(shape, dtype)
    assert tensor_repr(array) == repr(torch_tensor(peer, array))


@pytest.mark.parametrize("default", FLOATS)
@pytest.mark.parametrize("dtype", FLOATS + COMPLEX + ["bool", "int32", "int64"])
def test_dtype_is_named_where_torch_names_it(peer: Any, dtype: str, default: str) -> None:
    before = peer.get_default_dtype()
    peer.set_default_dtype(getattr(peer, default))
    try:
        for shape in [(), (2,), (0,)]:
            array = np.ones(shape, dtype)
            assert tensor_repr(array, default_dtype=np.dtype(default)) == repr(torch_tensor(peer, array))
    finally:
        peer.set_default_dtype(before)


@pytest.mark.parametrize("dtype", [*FLOATS, *COMPLEX, "bool", "uint8", "int32", "int64"])
def test_numpy_scalar_prints_as_a_tensor_of_no_axes(peer: Any, dtype: str) -> None:
    rng = np.random.default_rng(20260904)
    for _ in range(20):
        array = generated(rng, dtype, ())
        assert tensor_repr(np.asarray(array)[()]) == repr(torch_tensor(peer, array))


def test_memory_order_does_not_show(peer: Any) -> None:
    array = np.random.default_rng(0).standard_normal((4, 6, 300)).astype("float32")
    for view in [array.T, array[::-1, :, ::2], np.asfortranarray(array), array.astype(">f4")]:
        assert tensor_repr(view) == repr(torch_tensor(peer, view.astype("float32")))


@pytest.mark.filterwarnings("ignore:`torch.jit.script:DeprecationWarning")
@pytest.mark.parametrize("shape", [(), (3,), (2, 2), (30,)])
def test_tangent_prints_as_in_torch(peer: Any, shape: tuple[int, ...]) -> None:
    primal, tangent = peer.ones(shape), peer.full(shape, 0.5)
    with peer.autograd.forward_ad.dual_level():
        expected = repr(peer.autograd.forward_ad.make_dual(primal, tangent))
    assert tensor_repr(primal.numpy(), tangent=tangent) == expected


def test_subclass_and_parameter_print_as_in_torch(peer: Any) -> None:
    values = peer.arange(30.0).reshape(2, 15) / 7
    parameter = peer.nn.Parameter(values)
    subclass = values.as_subclass(type("Velocity", (peer.Tensor,), {}))
    line = "Parameter containing:"
    assert tensor_repr(values.numpy(), requires_grad=True, class_line=line) == repr(parameter)
    assert tensor_repr(values.numpy(), prefix="Velocity(") == repr(subclass)


def test_summary_reads_only_what_it_shows() -> None:
    million_squared = np.broadcast_to(np.float32(1.5), (10**6, 10**6))
    row = "[1.5000, 1.5000, 1.5000,  ..., 1.5000, 1.5000, 1.5000]"
    rows = ",\n        ".join([row, row, row, "...", row, row, row])
    assert tensor_repr(million_squared) == f"tensor([{rows}])"


def test_signalling_nan_prints_under_any_error_state() -> None:
    signalling = np.array([0x7F800001], "uint32").view("float32")
    with np.errstate(all="raise"):
        assert tensor_repr(signalling) == "tensor([nan])"


def test_printing_leaves_no_floating_point_error_behind() -> None:
    with np.errstate(all="raise"):
        assert tensor_repr(np.float32([1e-45, 3e38])) == "tensor([1.4013e-45, 3.0000e+38])"
        assert tensor_repr(np.array([5e-324, 1.7e308])).startswith("tensor([4.9407e-324, 1.7000e+308]")


LITERAL = [
    (
        np.float32([[1.29252, 2.21141, 2.56204, 1.14251], [2.54623, 1.81049, 2.38552, 1.76423]]),
        {},
        "tensor([[1.2925, 2.2114, 2.5620, 1.1425],\n        [2.5462, 1.8105, 2.3855, 1.7642]])",
    ),
    (np.float32(14 / 3), {"grad_fn": "MeanBackward0"}, "tensor(4.6667, grad_fn=<MeanBackward0>)"),
    (
        np.ones((2, 2), "float32"),
        {"requires_grad": True},
        "tensor([[1., 1.],\n        [1., 1.]], requires_grad=True)",
    ),
    (
        np.full((2, 2), 27, "float32"),
        {"requires_grad": True, "grad_fn": "MulBackward0"},
        "tensor([[27., 27.],\n        [27., 27.]], grad_fn=<MulBackward0>)",
    ),
    (np.empty((0, 3), "float32"), {}, "tensor([], size=(0, 3))"),
    (np.empty((0,), "float32"), {}, "tensor([])"),
    (np.empty((0,), "int64"), {}, "tensor([], dtype=gradkit.int64)"),
    (np.float32([math.nan, 1, -math.inf]), {}, "tensor([nan, 1., -inf])"),
    (np.float32([1e-5, 1, -1000]), {}, "tensor([ 1.0000e-05,  1.0000e+00, -1.0000e+03])"),
    (np.array([True, False]), {}, "tensor([ True, False])"),
    (np.complex64([1 + 2j, 0.5 - 1j]), {}, "tensor([1.0000+2.j, 0.5000-1.j])"),
    (np.arange(3, dtype="int32"), {}, "tensor([0, 1, 2], dtype=gradkit.int32)"),
    (np.arange(1001), {}, "tensor([   0,    1,    2,  ...,  998,  999, 1000])"),
    (
        np.arange(8).reshape(2, 2, 2),
        {},
        "tensor([[[0, 1],\n         [2, 3]],\n\n        [[4, 5],\n         [6, 7]]])",
    ),
    (
        np.array([0.25]),
        {"device": "cuda:0", "requires_grad": True},
        "tensor([0.2500], device='cuda:0', dtype=gradkit.float64, requires_grad=True)",
    ),
    (
        np.empty((5, 0, 3), "float32"),
        {"shape": (0, 3), "tangent": 1.5},
        "tensor([], size=(0, 3), tangent=1.5)",
    ),
    (np.empty((5, 0), "float32"), {"shape": (0,)}, "tensor([])"),
    (
        np.linspace(0, 1, 11, dtype="float32"),
        {"requires_grad": True},
        "tensor([0.0000, 0.1000, 0.2000, 0.3000, 0.4000, 0.5000, 0.6000, 0.7000, 0.8000,\n"
        "        0.9000, 1.0000], requires_grad=True)",
    ),
    (
        np.linspace(0, 1, 9, dtype="float32"),
        {"requires_grad": True},
        "tensor([0.0000, 0.1250, 0.2500, 0.3750, 0.5000, 0.6250, 0.7500, 0.8750, 1.0000],\n       requires_grad=True)",
    ),
]


@pytest.mark.parametrize(("array", "about", "expected"), LITERAL)
def test_prints_as_written_down(array: Any, about: dict[str, Any], expected: str) -> None:
    assert tensor_repr(array, **about) == expected


def test_options_hold_until_they_are_set_again() -> None:
    set_printoptions(precision=2, sci_mode=True)
    assert tensor_repr(np.float32(1.12345)) == "tensor(1.12e+00)"
    set_printoptions(linewidth=100)
    assert get_printoptions() == {
        "precision": 2,
        "threshold": 1000,
        "edgeitems": 3,
        "linewidth": 100,
        "sci_mode": None,
    }
    assert tensor_repr(np.float32(1.12345)) == "tensor(1.12)"
    set_printoptions(profile="default")
    assert tensor_repr(np.float32(1.12345)) == "tensor(1.1235)"


@pytest.mark.parametrize("spec", ["", ".3f", "10.2e", "+g", "d", "x", ">8", "s", "%", ","])
@pytest.mark.parametrize("value", [np.float32(2.7), np.float16(-0.1), np.int64(41), np.True_, np.complex64(1 - 2j)])
def test_scalar_formats_as_in_torch(torch: Any, value: Any, spec: str) -> None:
    def answer(attempt: Any) -> Any:
        try:
            return attempt()
        except (TypeError, ValueError) as refusal:
            return type(refusal), str(refusal)

    tensor = torch_tensor(torch, value)
    assert answer(lambda: format_scalar(value, spec)) == answer(lambda: format(tensor, spec))
    assert answer(lambda: format_scalar(np.array(value), spec)) == answer(lambda: format(tensor, spec))


def test_tensor_with_axes_formats_by_str_alone() -> None:
    array = np.ones((1,))
    assert format_scalar(array, "") == str(array)
    with pytest.raises(TypeError, match=r"unsupported format string passed to numpy\.ndarray\.__format__"):
        format_scalar(array, ".3f")
