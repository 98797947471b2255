"""What a Tensor is and becomes: constructors, conversions, copies, pickles, properties, errors, as PyTorch has them."""

import copy
import pickle

import numpy as np
import pytest

import gradkit

DATA = [
    1, 1.5, True, 2 + 1j, [1, 2], [1.0, 2], [True, False], [[1.0], [2.0]], [], [[], []], (1, (2)), [1 + 1j, 2.0],
    np.arange(3), np.float64(2.5), np.arange(3, dtype=np.float32), [np.float64(1.0), np.float64(2.0)],
]  # fmt: skip


@pytest.mark.parametrize("data", DATA, ids=repr)
def test_tensor_has_pytorch_values_and_dtype(data, torch):
    ours, theirs = gradkit.tensor(data), torch.tensor(data)
    assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
    assert tuple(ours.shape) == tuple(theirs.shape)
    assert ours.tolist() == theirs.tolist()


MAKERS = [
    ("zeros", (2, 3), {}), ("ones", (3,), {"dtype": "int64"}), ("full", ((2,), 7), {}), ("full", ((2,), 7.5), {}),
    ("arange", (5,), {}), ("arange", (1, 2, 0.25), {}), ("arange", (5, 1, -2), {}), ("linspace", (0, 1, 5), {}),
    ("eye", (3,), {}), ("eye", (2, 4), {"dtype": "float64"}), ("arange", (0.0, 1.0, 0.1), {}), ("full", ((2,), True), {}),
]  # fmt: skip


@pytest.mark.parametrize("maker", MAKERS, ids=repr)
def test_makers_agree_with_pytorch(maker, torch):
    name, args, kwargs = maker
    ours = getattr(gradkit, name)(*args, **{k: getattr(gradkit, v) for k, v in kwargs.items()})
    theirs = getattr(torch, name)(*args, **{k: getattr(torch, v) for k, v in kwargs.items()})
    assert ours.dtype.name == str(theirs.dtype).removeprefix("torch.")
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-6)


BAD = [
    (lambda g: g.tensor([[1, 2], [3]]), ValueError), (lambda g: g.tensor("text"), TypeError),
    (lambda g: g.zeros(-1), RuntimeError), (lambda g: g.zeros(1.5), TypeError), (lambda g: g.arange(1, 5, 0), RuntimeError),
    (lambda g: g.arange(5, 1), RuntimeError), (lambda g: g.ones(2).item(), RuntimeError), (lambda g: bool(g.ones(2)), RuntimeError),
    (lambda g: len(g.tensor(1.0)), TypeError), (lambda g: list(g.tensor(1.0)), TypeError),
    (lambda g: g.ones(2).size(2), IndexError), (lambda g: g.ones(2, requires_grad=True).numpy(), RuntimeError),
    (lambda g: g.tensor([1, 2], requires_grad=True), RuntimeError), (lambda g: g.ones(2) + g.ones(3), RuntimeError),
    (lambda g: g.device("gpu"), RuntimeError), (lambda g: g.ones(2).requires_grad_().mul(2).requires_grad_(False), RuntimeError),
    (lambda g: [1, 2][g.tensor(1.0)], TypeError), (lambda g: setattr(g.ones(2), "grad", g.ones(3)), RuntimeError),
    (lambda g: setattr(g.ones(2), "grad", 1.0), TypeError), (lambda g: g.ones(2, 3).t().view(-1, 2, 1, 7), RuntimeError),
    (lambda g: g.exp("x"), TypeError), (lambda g: g.exp([1.0]), TypeError), (lambda g: g.ones(2).retain_grad(), RuntimeError),
    (lambda g: g.ones(2).register_hook(print), RuntimeError), (lambda g: g.from_numpy([1.0]), TypeError),
    (lambda g: copy.deepcopy(g.ones(2, requires_grad=True) * 2), RuntimeError), (lambda g: g.ones(2, 3) @ g.ones(2, 3), RuntimeError),
    (lambda g: g.device("cuda:0", 1), RuntimeError), (lambda g: g.device("cuda", -1), RuntimeError), (lambda g: g.device(-1), RuntimeError),
    (lambda g: g.device("cuda:01"), RuntimeError), (lambda g: g.device("cuda:"), RuntimeError),
    (lambda g: g.device("cuda", 1.0), TypeError), (lambda g: g.device("cuda", True), TypeError),
    (lambda g: g.device(None), TypeError), (lambda g: g.device("cuda:\u00b2"), RuntimeError),
    (lambda g: g.ones(2).to("nowhere"), RuntimeError), (lambda g: g.rand(), TypeError), (lambda g: g.rand(2, -1), RuntimeError),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_input_raises_pytorch_error_type(number, torch):
    call, kind = BAD[number]
    with pytest.raises(kind):
        call(torch)
    with pytest.raises(kind) as raised:
        call(gradkit)
    assert len(str(raised.value)) > 10


def test_error_names_operation_operand_and_remedy():
    with pytest.raises(TypeError, match=r"exp\(\): argument 1 must be Tensor, not ndarray; wrap it with gradkit.tensor"):
        gradkit.exp(np.ones(2))


def test_arithmetic_promotes_as_pytorch(torch):
    kinds = ["bool", "uint8", "int32", "int64", "float16", "float32", "float64", "complex64"]
    for a in kinds:
        for b in kinds:
            if {a, b} == {"float16", "complex64"}:
                continue  # PyTorch's complex32 has no dtype in NumPy
            for shape in ((), (2,)):
                ours = gradkit.ones(2, dtype=getattr(gradkit, a)) * gradkit.ones(shape, dtype=getattr(gradkit, b))
                theirs = torch.ones(2, dtype=getattr(torch, a)) * torch.ones(shape, dtype=getattr(torch, b))
                assert ours.dtype.name == str(theirs.dtype).removeprefix("torch."), (a, b, shape)
        for number in (True, 2, 2.5, *((1j,) if a != "float16" else ())):
            ours = gradkit.ones(2, dtype=getattr(gradkit, a)) * number
            theirs = torch.ones(2, dtype=getattr(torch, a)) * number
            assert ours.dtype.name == str(theirs.dtype).removeprefix("torch."), (a, number)


def test_gradient_keeps_its_operand_dtype_through_promotion():
    x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    w = gradkit.tensor(3.0, dtype=gradkit.float64, requires_grad=True)
    big = gradkit.tensor([1.0, 2.0], dtype=gradkit.float64, requires_grad=True)
    (x * w).sum().backward()
    (x * big).sum().backward()
    assert x.grad.dtype == gradkit.float32 and w.grad.dtype == gradkit.float64 and big.grad.dtype == gradkit.float64
    assert x.grad.tolist() == [4.0, 5.0] and w.grad.item() == 3.0


def test_constants_keep_sign_of_zero_and_type():
    x = gradkit.tensor([1.0])
    assert np.signbit((x * -0.0).array).all() and not np.signbit((x * 0.0).array).any()
    assert (gradkit.tensor([True]) * 1).dtype == gradkit.int64
    assert (gradkit.tensor([True]) * True).dtype == gradkit.bool


# -- sharing
def test_detach_shares_memory_and_version():
    x = gradkit.ones(2, requires_grad=True) * 1
    d = x.detach()
    assert d.data_ptr() == x.data_ptr() and not d.requires_grad and d.is_leaf
    d.add_(1)
    assert x.tolist() == [2.0, 2.0] and x._version == d._version == 1


def test_detach_of_a_zero_dimensional_result_shares_memory():
    x = gradkit.tensor([1.0, 2.0], requires_grad=True).sum()
    x.detach().add_(1)
    assert x.item() == 4.0


def test_from_numpy_and_numpy_share_memory():
    a = np.zeros(2, np.float32)
    t = gradkit.from_numpy(a)
    t.add_(1)
    assert a.tolist() == [1.0, 1.0] and np.shares_memory(t.numpy(), a)
    assert not np.shares_memory(gradkit.tensor(a).numpy(), a)


def test_writing_through_detach_is_seen_by_backward():
    x = gradkit.ones(2, requires_grad=True)
    y = x.exp()
    z = y * y
    y.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.sum().backward()


# -- copies
def test_pickle_gives_a_leaf():
    x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    for t in (x, x * 2, x.detach()):
        back = pickle.loads(pickle.dumps(t))
        assert back.tolist() == t.tolist() and back.is_leaf and back.requires_grad == t.requires_grad
        assert back.dtype == t.dtype and not np.shares_memory(back.array, t.array)


def test_copies_keep_what_views_share_and_what_users_hang_on(torch):
    def told(lib):
        x = lib.arange(6.0).reshape(2, 3)
        x.label = [1]
        parts = [x, x[1], x.t(), x[:, ::2]]
        copies = copy.deepcopy(parts)
        copies[0].mul_(10)
        copies[0].label.append(2)
        strides = [part.stride() for part in copies]
        return [part.tolist() for part in (*parts, *copies)], strides, x.label, copies[0].label, pickle.loads(pickle.dumps(x)).label

    assert told(gradkit) == told(torch)


def test_a_copy_has_no_grad_where_pytorch_gives_it_none(torch):
    for lib in (gradkit, torch):
        x = lib.ones(2, requires_grad=True)
        x.sum().backward()
        assert copy.copy(x).grad is None
        assert copy.deepcopy(x).grad.tolist() == [1, 1]


def test_deepcopy_copies_values_and_grad():
    x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    (x * x).sum().backward()
    y = copy.deepcopy(x)
    assert y.grad.tolist() == [2.0, 4.0] and y.grad is not x.grad and y.data_ptr() != x.data_ptr()
    pair = copy.deepcopy([x, x])
    assert pair[0] is pair[1]


def test_copy_shares_memory_and_is_a_leaf():
    x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    y = copy.copy(x)
    assert y.data_ptr() == x.data_ptr() and y.requires_grad and y.is_leaf


def test_clone_is_recorded():
    x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    y = x.clone()
    assert y.data_ptr() != x.data_ptr() and y.requires_grad and not y.is_leaf


# -- conversions
def test_conversions():
    x = gradkit.tensor([1.7, -2.3])
    assert x.int().tolist() == [1, -2] and x.int().dtype == gradkit.int32
    assert x.double().dtype == gradkit.float64 and x.float() is x and x.half().dtype == gradkit.float16
    assert x.long().dtype == gradkit.int64 and x.bool().tolist() == [True, True]
    assert x.to(gradkit.float64).dtype == gradkit.float64 and x.to(x.device) is x and x.to(gradkit.ones(1)) is x
    assert x.to(x.int()).dtype == gradkit.int32 and x.type().endswith(".FloatTensor")
    assert x.type(gradkit.float64).type().endswith(".DoubleTensor") and x.type_as(x.double()).dtype == gradkit.float64
    assert float(gradkit.tensor(1.5)) == 1.5 and int(gradkit.tensor(3)) == 3 and [7, 8][gradkit.tensor(1)] == 8
    assert complex(gradkit.tensor(1j)) == 1j and bool(gradkit.tensor(0)) is False
    assert f"{gradkit.tensor(1.23456):.2f}" == "1.23" and 2.0 in gradkit.tensor([1.0, 2.0])


def test_conversion_is_recorded():
    x = gradkit.tensor([1.0, 2.0], requires_grad=True)
    x.double().sum().backward()
    assert x.grad.dtype == gradkit.float32


def test_new_tensors_take_the_dtype():
    x = gradkit.ones(2, dtype=gradkit.float64)
    for t in (x.new_zeros(2), x.new_ones((2, 3)), x.new_full((1,), 2), x.new_tensor([1]), x.new_empty(1)):
        assert t.dtype == gradkit.float64


def test_dim_and_axis_keepdim_and_keepdims_are_both_accepted():
    x = gradkit.rand(2, 3)
    for f in (gradkit.sum, gradkit.mean, gradkit.amax, gradkit.logsumexp, gradkit.var):
        assert gradkit.equal(f(x, dim=1, keepdim=True), f(x, axis=1, keepdims=True))


# -- on the tape
def test_requires_grad_is_seen_and_set():
    x = gradkit.ones(2)
    assert x.is_leaf and x.grad_fn is None and not x.requires_grad
    x.requires_grad = True
    y = x * 2
    assert not y.is_leaf and y.grad_fn.name() == "MulBackward0" and y.grad_fn.next_functions[0][0].name() == "AccumulateGrad"
    x.requires_grad_(False)
    assert not x.requires_grad and y.requires_grad


def test_detach_in_place():
    y = gradkit.ones(2, requires_grad=True) * 2
    assert y.detach_() is y and y.is_leaf and not y.requires_grad


def test_data_shares_and_does_not_record():
    x = gradkit.ones(2, requires_grad=True)
    x.data.mul_(3)
    assert x.tolist() == [3.0, 3.0] and not x.data.requires_grad
    x.data = gradkit.zeros(3)
    x.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]


def test_repr_says_what_pytorch_says(torch):
    for make in (
        lambda g: g.ones(2, requires_grad=True),
        lambda g: g.ones(2, requires_grad=True) * 2,
        lambda g: g.ones(2, 2, dtype=g.float64),
        lambda g: g.tensor(1.5),
        lambda g: g.zeros(0, 3),
        lambda g: g.arange(2000),
    ):
        assert repr(make(gradkit)).replace(", device='cuda:0'", "") == repr(make(torch)).replace("torch.", "gradkit.")


def test_copies_of_views_share_memory_dtypes_and_versions():
    x = gradkit.tensor([[1 + 2j, 3 + 4j, 5j], [6, 7j, 8 + 1j]])
    parts = copy.deepcopy([x, x.real, x.imag[1:, ::2], x.T[1:], x[0]])
    parts[0].mul_(2)
    assert [part.tolist() for part in parts] == [part.tolist() for part in (x * 2, x.real * 2, x.imag[1:, ::2] * 2, x.T[1:] * 2, x[0] * 2)]
    column, rows = copy.deepcopy((parts[3], parts[0]))
    scale = gradkit.ones(2, 2, dtype=gradkit.complex64, requires_grad=True)
    y = (scale * column).sum().abs()
    rows.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()
