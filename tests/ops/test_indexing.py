"""Keys, places and masks against PyTorch: reading, writing, gradients, errors; what NumPy's users get beyond it."""

import numpy as np
import pytest

import gradkit
from gradkit.func import vmap

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
GIVEN = {
    "x": X, "a": X[0] + 1, "v": X[0, 0] + 1, "s": np.float32(3), "w": np.float32([[5, 6], [7, 8]]), "n": np.arange(6).reshape(2, 3),
    "i": np.array([0, 2, 1]), "j": np.array([1, 0]), "k": np.array([[0, 1], [1, 0]]), "b": np.array([True, False, True]),
    "mask": X % 3 == 0, "z": np.array(1), "long": np.float32([3, 1, 2, 3, 1, 0]),
}  # fmt: skip

READ = """
x[0]
x[-1]
x[0, 1]
x[0, 1, 2]
x[1:]
x[:, ::2]
x[..., 0]
x[..., 1:3]
x[...]
x[..., None]
x[..., ...]
x[()]
x[None]
x[None, 0, None]
x[:, None, 1]
x[5:9]
x[2:1]
x[-1:]
x[z]
x[:, z]
x[np.int64(1)]
x[np.array(1), 0]
x[1:m.tensor(2)]
s[...]
s[None]
s[()]
x[j]
x[k]
x[:, i]
x[:, :, i]
x[..., i]
x[:, i[:2]]
x[0, i]
x[0, :, i]
x[:, i, 0]
x[i[:1], :, i]
x[j, :, j]
x[j, j]
x[k, j]
x[j, ..., k]
x[j, 0]
x[:, z, i]
x[z, :, i]
x[None, :, i, None]
x[j, None, j]
x[-1 - j]
x[i[:0]]
x[:, i[:0]]
x[[0, 1]]
x[[0, 1], [1, 2]]
x[:, [2, 0]]
x[(0, 1),]
x[[]]
x[range(2)]
x[np.array([1, 0])]
x[i[:1].int()]
x[b[:2]]
x[:, b]
x[:, b, 0]
x[:, b, [1, 2]]
x[b[:2], :, i[:1]]
x[mask]
x[:, mask[0]]
x[mask[:, :, 0]]
x[mask[..., 0], 1]
x[[True, False]]
x[np.array([True, False])]
x[x > 5]
x[x > 99]
x[True]
x[False]
x[m.tensor(True)]
s[True]
s[m.tensor(False)]
x[True, :, i]
x[None, mask]
n[n > 2]
x[0][b]
"""
PLACED = """
m.index_select(x, 1, i)
x.index_select(-1, i[:1])
x.index_select(0, z)
s.index_select(0, z - 1)
x.index_add(1, i, x)
m.index_add(x, 1, i[:2] * 0, x[:, 1:], alpha=2)
a.index_add(0, z, v[None])
x.index_copy(1, i, x * 2)
x.index_fill(1, i[:2], 7)
x.index_fill(-1, z, s)
x.index_put((j, i[:2]), v)
m.index_put(a, (i,), v)
m.index_put(a, (i, i), v[:3], accumulate=True)
a.index_put((i * 0,), v, accumulate=True)
a.index_put((b,), v)
a.index_put((i.view(3, 1), m.tensor([1, 3])), v[:2])
a.put(k + m.tensor([[0], [2]]), w)
a.scatter_add(1, k[:1], w[:1])
a.scatter(0, m.tensor([[2, 0]]), w[:1])
m.take(x, k)
x.take(-i)
a.put(k, w, accumulate=True)
m.masked_select(x, mask)
x.masked_select(m.tensor([True, False, True, True]))
s.masked_select(m.tensor([True, False]))
x.masked_scatter(mask, x.ravel())
m.masked_scatter(x, mask[0], x[..., :4] * 2)
m.nonzero(x)
mask.nonzero()
m.nonzero(mask, as_tuple=True)
m.nonzero(s)
m.nonzero(s, as_tuple=True)
m.argwhere(mask)
m.where(mask)
m.gather(x, 1, i.view(1, 3, 1).expand(2, 3, 4))
m.gather(a, 0, k)
a.gather(-1, m.tensor([[3, 0, 3, 3, 1]]))
a.gather(1, k[:0])
s.gather(0, z - 1)
m.take_along_dim(a, i.view(3, 1), 1)
m.take_along_dim(a, m.argsort(a, 1, descending=True), 1)
x.take_along_dim(i[:2])
m.take_along_dim(x, z.view(1, 1, 1), 0)
m.scatter_add(a, 0, k, w)
a.scatter_add(1, k * 0, w)
m.scatter(a, 1, k, w)
a.scatter(1, k, 9.5)
m.scatter(a, 1, k, value=2)
m.scatter_reduce(a, 1, k * 0, w, "sum")
m.scatter_reduce(a, 1, k, w, "prod")
m.scatter_reduce(a, 1, k * 0, w, "prod")
m.scatter_reduce(a * 0, 1, k * 0, w, "prod")
m.scatter_reduce(a, 1, k * 0, w, "mean")
m.scatter_reduce(a, 0, k, w, "amax")
m.scatter_reduce(a, 1, k * 0, w, "amin")
m.scatter_reduce(v, 0, i * 0, v[:3] * 0 + 5, "amax")
m.scatter_reduce(v, 0, i * 0, v[:3] * 0 + 1, "amin")
m.scatter_reduce(a, 1, k * 0, w, "sum", include_self=False)
m.scatter_reduce(a, 1, k * 0, w, "prod", include_self=False)
m.scatter_reduce(a, 1, k, w, "mean", include_self=False)
m.scatter_reduce(a, 0, k, w * 0.01, "amax", include_self=False)
m.scatter_reduce(a, 0, k * 0, w, "amin", include_self=False)
m.scatter_reduce(n, 1, k, n[:, :2], "amax", include_self=False)
m.scatter_reduce(n, 1, k * 0, n[:, :2] + 4, "mean")
"""
WRITTEN = """
x: y[0] = 1
x: y[0, 1] = v
x: y[:, 1] = w[0, 0]
x: y[..., 0] = s
x: y[1:, ::2] = w[:, :1] * v
x: y[...] = a
x: y[:] = 3
x: y[()] = s
x: y[None, 0] = a
x: y[0] = a[None, None]
x: y[0, 0, 0] = w[:1, :1]
x: y[0] = m.ones(4, dtype=m.float64)
x: y[0] = m.tensor(3)
x: y[2:] = v
x: y[j] = a
x: y[:, i] = v
x: y[:, i] = 5
x: y[j, i[:2]] = v
x: y[..., i[:2]] = w[0]
x: y[0, i] = a
x: y[[1]] = a
x: y[j.view(2, 1), i] = s
a: y.put_(k + m.tensor([[0], [2]]), w)
x: y[mask] = 0
x: y[mask] = s
x: y[mask] = x[mask] * 2
x: y[:, b] = v
x: y[:, b] = x[:, b] * 2
x: y[b[:2], 0] = v
x: y[True] = s
x: y[x > 5] = w[0, :1]
x: y[x > 99] = s
x: y[:, z] = v
x: y[z, i] = a
x: y[0] += a
x: y[:, 1] *= v
x: y[j] += a
x: y[mask] *= s
x: y[0][1] = v
x: y[0][:, 1] = 9
n: y[0] = 7
n: y[0] = 2.7
n: y[:, i] = -1
n: y[n > 2] = 0
s: y[...] = w[0, 0]
s: y[True] = 5
x: y.masked_scatter_(mask, x.ravel() * 2)
a: y.scatter_reduce_(1, k * 0, w, "amax")
a: y.scatter_(1, k, w)
a: y.fill_diagonal_(7)
long.view(3, 2): y.fill_diagonal_(5, wrap=True)
a.expand(3, 3, 4)[..., :3]: y.fill_diagonal_(5)
"""
WRONG = """
x[5]
x[-3]
x[:, 5]
x[0, 0, 0, 0]
x[:, :, :, :]
x[::0]
x[1.0]
x[{}]
x[m.tensor([0.5])]
x[m.tensor([5])]
x[:, m.tensor([0, 5])]
x[:, b, i]
x[:, [0, 1], [0, 1, 2]]
x[b]
x[m.ones(2, 2, dtype=m.bool)]
s[0]
s[z]
x.__setitem__(5, 0)
x.__setitem__(0, 1)
x.clone().__setitem__(0, m.ones(5))
x.clone().__setitem__(0, None)
x.clone().__setitem__(0, "a")
x.clone().__setitem__((0, 0, 0), m.ones(2))
x.clone().__setitem__((slice(None), b), m.ones(3, 4))
x.clone().__setitem__(x > 3, m.ones(19))
x.clone().__setitem__(b, 0)
n.__setitem__(0, 1j)
n.__setitem__(0, float("nan"))
x.index_select(1, m.tensor([5]))
x.index_select(1, k)
x.index_select(1, v)
x.index_add(1, j, x)
x.index_add(1, i, x[..., :1])
x.index_add(1, i, x.double())
x.index_add(1, i + 1, x)
x.index_copy(1, j, x)
x.index_copy(1, i + 1, x)
x.index_fill(1, i, v)
x.index_fill(1, i + 1, 0)
x.index_put((j,), a.double())
x.index_put((j, j, j, j), s)
m.take(x, m.tensor([24]))
m.take(x, v)
a.put(i, w)
a.put(k + 20, w)
m.masked_select(x, x)
m.masked_select(x, b)
x.masked_scatter(mask, m.ones(2))
x.masked_scatter(x, x)
x.masked_scatter(mask, x.double())
x.gather(1, k)
a.gather(1, m.tensor([[4]]))
a.gather(0, m.zeros(1, 5, dtype=m.int64))
a.gather(0, w)
m.take_along_dim(x, k, 1)
a.scatter(1, k, w.double())
a.scatter(1, k + 5, w)
a.scatter(1, m.zeros(4, 1, dtype=m.int64), m.zeros(4, 1))
a.scatter(1, m.zeros(2, 4, dtype=m.int64), w)
a.scatter(1, k, w, reduce="mean")
a.scatter_add(1, k[0], w)
a.scatter_reduce(1, k, w, "most")
"""


def cases(table):
    return [line for line in table.splitlines() if line]


@pytest.mark.parametrize("expression", cases(READ + PLACED + WRITTEN))
def test_agrees_with_pytorch(expression, agrees):
    agrees(expression, **GIVEN)


@pytest.mark.parametrize("expression", cases(WRONG))
def test_raises_as_pytorch(expression, raises_alike):
    raises_alike(expression, **GIVEN)


def test_byte_mask_is_deprecated(torch):
    x, mask = np.arange(3.0), np.array([1, 0, 1], np.uint8)
    with pytest.warns(UserWarning, match="uint8"):
        got = gradkit.tensor(x)[gradkit.tensor(mask)]
    with pytest.warns(UserWarning, match="uint8"):
        want = torch.tensor(x)[torch.tensor(mask)]
    np.testing.assert_array_equal(got.numpy(), want.numpy())


# -- under vmap ----------------------------------------------------------------------------------------------------------
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


@pytest.mark.parametrize("name", MAPPED)
@pytest.mark.parametrize("dims", [(0, 0), (0, None), (None, 0)])
def test_vmap_equals_loop(name, dims):
    f, rng = MAPPED[name], np.random.default_rng(1)
    if dims[0] is None and name.startswith("setitem"):
        pytest.skip("a batched value cannot be written into a tensor all samples share")
    x = gradkit.tensor(rng.normal(size=(4, 3, 3, 3)) if dims[0] == 0 else rng.normal(size=(3, 3, 3)))
    i = gradkit.tensor(np.array([[0, 2], [1, 0], [2, 1], [1, 2]])[: 4 if dims[1] == 0 else 1])
    i = i if dims[1] == 0 else i[0]

    def energy(x, i):
        y = f(x, i)
        return (y * y * y).sum()

    want = [(f(a, b), gradient(energy, a, b)) for a, b in zip(x if dims[0] == 0 else [x] * 4, i if dims[1] == 0 else [i] * 4)]
    for got, one in ((vmap(f, dims)(x, i), 0), (vmap(lambda x, i: gradient(energy, x, i), dims)(x, i), 1)):
        np.testing.assert_allclose(got.numpy(), np.stack([w[one].numpy() for w in want]), rtol=1e-12)


def gradient(f, x, i):
    return gradkit.func.grad(lambda x: f(x, i))(x)


def test_number_of_set_places_must_agree_under_vmap():
    with pytest.raises(RuntimeError, match="vmap"):
        vmap(lambda x: x[x > 0])(gradkit.tensor([[1.0, -1.0], [1.0, 2.0]]))


# -- where gradkit goes further ----------------------------------------------------------------------------------------
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


def test_nested_lists_are_an_index_array():
    assert gradkit.arange(3)[[[0, 1], [2, 0]]].tolist() == [[0, 1], [2, 0]]


def test_values_of_another_dtype_are_cast():
    x = gradkit.zeros(3)
    x[gradkit.tensor([0, 2])] = gradkit.ones(2, dtype=gradkit.float64)
    assert x.tolist() == [1, 0, 1]


def test_writing_back_what_was_written_records_nothing():
    x = gradkit.ones(3, requires_grad=True) * 1
    x[0] += 1
    assert x.grad_fn.name() == "CopySlices"
    assert x.grad_fn.next_functions[0][0].name() == "MulBackward0"
