"""Places under vmap, and what gradkit has beyond PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.func import vmap

# -- under vmap
MAPPED = {
    "first axis": lambda x, i: x[i],
    "second axis": lambda x, i: x[:, i],
    "last axis": lambda x, i: x[..., i],
    "two axes": lambda x, i: x[i, i],
    "two axes apart": lambda x, i: x[i, :, i],
    "slice between": lambda x, i: x[1:, None, i],
    "number": lambda x, i: x[i[0]],
    "number of a later axis": lambda x, i: x[:, i[1]],
    "number and array": lambda x, i: x[i[0], :, i],
    "index_select": lambda x, i: x.index_select(1, i),
    "take": lambda x, i: x.take(i * 3),
    "gather": lambda x, i: x.gather(2, i.expand(3, 3, 2)),
    "index_add": lambda x, i: x.index_add(1, i * 0, x[:, :2]),
    "index_copy": lambda x, i: x.index_copy(1, i, x[:, :2] * 2),
    "index_fill": lambda x, i: x.index_fill(2, i, x.sum()),
    "index_put": lambda x, i: x.index_put((i, i), x[0, 0], accumulate=True),
    "put": lambda x, i: x.put(i, x[0, 0, :2]),
    "scatter": lambda x, i: x.scatter(2, i.expand(3, 3, 2), x[..., :2] * 3),
    "scatter_add": lambda x, i: x.scatter_add(2, i.expand(3, 3, 2) * 0, x[..., :2]),
    "scatter_reduce": lambda x, i: x.scatter_reduce(2, i.expand(3, 3, 2) * 0, x[..., :2], "amax"),
    "masked_scatter": lambda x, i: x.masked_scatter(x > 0, x.ravel()),
    "mask of equal counts": lambda x, i: x[x.argsort(-1) < 2],
    "setitem": lambda x, i: assigned(x, (slice(None), i), x[0, 0] * 2),
    "setitem of a number": lambda x, i: assigned(x, (i, i), 7.0),
    "setitem of a view": lambda x, i: assigned(x, (0, ..., 1), x[1, :, 2]),
}  # fmt: skip


def assigned(x, key, value):
    y = x.clone()
    y[key] = value
    return y


BOTH, FIRST, SECOND = (0, 0), (0, None), (None, 0)
# A batched value cannot be written into a tensor that all samples share.
CASES = [
    (n, dims) for n in MAPPED for dims in (BOTH, FIRST, SECOND) if not (dims == SECOND and n.startswith("setitem"))
]


@pytest.mark.parametrize(("name", "dims"), CASES)
def test_vmap_equals_loop(name, dims):
    f, rng = MAPPED[name], np.random.default_rng(1)
    x = gradkit.tensor(rng.normal(size=(4, 3, 3, 3)) if dims[0] == 0 else rng.normal(size=(3, 3, 3)))
    i = gradkit.tensor(np.array([[0, 2], [1, 0], [2, 1], [1, 2]])[: 4 if dims[1] == 0 else 1])
    i = i if dims[1] == 0 else i[0]

    def energy(x, i):
        y = f(x, i)
        return (y * y * y).sum()

    want = [
        (f(a, b), gradient(energy, a, b))
        for a, b in zip(x if dims[0] == 0 else [x] * 4, i if dims[1] == 0 else [i] * 4)
    ]
    for got, one in ((vmap(f, dims)(x, i), 0), (vmap(lambda x, i: gradient(energy, x, i), dims)(x, i), 1)):
        np.testing.assert_allclose(got.numpy(), np.stack([w[one].numpy() for w in want]), rtol=1e-12)


def gradient(f, x, i):
    return gradkit.func.grad(lambda x: f(x, i))(x)


def test_number_of_set_places_must_agree_under_vmap():
    with pytest.raises(RuntimeError, match="vmap"):
        vmap(lambda x: x[x > 0])(gradkit.tensor([[1.0, -1.0], [1.0, 2.0]]))


# -- where gradkit goes further
def test_last_of_several_writes_has_the_gradient():
    x, v = gradkit.zeros(3, requires_grad=True), gradkit.tensor([1.0, 2.0, 3.0], requires_grad=True)
    for y in (
        x.index_put((gradkit.tensor([0, 2, 0]),), v),
        x.scatter(0, gradkit.tensor([0, 2, 0]), v),
        x.put(gradkit.tensor([0, 2, 0]), v),
    ):
        np.testing.assert_array_equal(y.detach().numpy(), [3, 0, 2])
        got = gradkit.autograd.grad((y * gradkit.tensor([1.0, 10.0, 100.0])).sum(), (x, v))
        np.testing.assert_array_equal(got[0].numpy(), [0, 10, 0])
        np.testing.assert_array_equal(got[1].numpy(), [0, 100, 1])


def test_scatter_add_takes_a_part_of_its_source():
    src = gradkit.ones(2, 3, requires_grad=True)
    gradkit.zeros(2, 2).scatter_add(1, gradkit.tensor([[0, 1]]), src).sum().backward()
    np.testing.assert_array_equal(src.grad.numpy(), [[1, 1, 0], [0, 0, 0]])


def test_negative_step_reverses():
    x = gradkit.arange(4.0, requires_grad=True)
    y = x[::-1]
    np.testing.assert_array_equal(y.detach().numpy(), [3, 2, 1, 0])
    (y * gradkit.arange(4.0)).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), [3, 2, 1, 0])


def test_arrays_and_lists_are_assigned():
    x = gradkit.zeros(2, 2)
    x[0] = np.array([1.0, 2.0])
    x[1] = [3, 4]
    x[0, 0] = np.float64(9)
    assert x.tolist() == [[9, 2], [3, 4]]


def test_nested_lists_are_an_index_array_in_a_tuple_and_the_key_of_their_items_alone():
    assert gradkit.arange(3)[[[0, 1], [2, 0]],].tolist() == [[0, 1], [2, 0]]
    x = gradkit.zeros(3, 3)
    x[[[0, 1], [2, 0]]] = 1
    assert x.tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]
    with pytest.raises(IndexError, match="too many"):
        gradkit.arange(3)[[[0, 1], [2, 0]]]


def test_values_of_another_dtype_are_cast():
    x = gradkit.zeros(3)
    x[gradkit.tensor([0, 2])] = gradkit.ones(2, dtype=gradkit.float64)
    assert x.tolist() == [1, 0, 1]


def test_writing_back_what_was_written_records_nothing():
    x = gradkit.ones(3, requires_grad=True) * 1
    x[0] += 1
    assert x.grad_fn.name() == "CopySlices"
    assert x.grad_fn.next_functions[0][0].name() == "MulBackward0"


@pytest.mark.parametrize("shape", [(1, 2), (1, 1, 2), (1, 1), ()], ids=str)
@pytest.mark.parametrize("key", [[1, 0], np.array([True, True]), slice(None)], ids=str)
def test_axes_of_extent_1_in_front_of_a_written_value_get_their_gradient(key, shape):
    value = gradkit.ones(shape, requires_grad=True)
    x = gradkit.zeros(2)
    x[key] = 3 * value
    (x * x).sum().backward()
    assert value.grad.shape == shape
    assert value.grad.sum() == 36.0


def test_index_put_of_a_value_with_more_axes_than_the_places_raises():
    with pytest.raises(RuntimeError, match=r"shape mismatch: value tensor of shape \[1, 2\] cannot be broadcast"):
        gradkit.zeros(2).index_put((gradkit.tensor([1, 0]),), gradkit.ones(1, 2))


# -- in which order results lie

IN_ROWS = {
    "cat": lambda lib, x: lib.cat([x, x], 1),
    "stack": lambda lib, x: lib.stack([x, x], 1),
    "roll": lambda lib, x: x.roll(1, -2),
    "tril": lambda lib, x: x.tril(),
    "cummax": lambda lib, x: x.cummax(1).values,
    "logcumsumexp": lambda lib, x: x.logcumsumexp(1),
}


@pytest.mark.parametrize("name", IN_ROWS)
def test_what_is_arranged_of_permuted_operands_may_be_viewed(name, alike):
    def arranged(lib):
        y = IN_ROWS[name](lib, lib.arange(60.0).reshape(3, 5, 4).permute(1, 0, 2))
        return y.view(-1).shape, y.stride()

    alike(arranged)
