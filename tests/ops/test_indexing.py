"""Keys, places and masks against PyTorch: reading, writing, gradients, errors; what NumPy's users get beyond it."""

import numpy as np
import pytest

import gradkit

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
GIVEN = {
    "x": X, "a": X[0] + 1, "v": X[0, 0] + 1, "s": np.float32(3), "w": np.float32([[5, 6], [7, 8]]),
    "n": np.arange(6).reshape(2, 3), "i": np.array([0, 2, 1]), "j": np.array([1, 0]), "k": np.array([[0, 1], [1, 0]]),
    "b": np.array([True, False, True]), "mask": X % 3 == 0, "z": np.array(1), "long": np.float32([3, 1, 2, 3, 1, 0]),
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
x.index_fill(axis=1, index=i[:2], value=7)
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
a.gather(axis=1, index=k[:0])
s.gather(0, z - 1)
s.gather(0, i * 0)
v.gather(0, z)
s.scatter(0, z - 1, s * 2)
s.scatter(0, i[:1] * 0, 4)
v.scatter(0, z, s)
s.scatter_add(0, i[:2] * 0, v[:2])
s.index_add(0, z - 1, s)
s.index_fill(0, z - 1, 7)
s.index_copy(0, i[:1] * 0, s * 3)
m.scatter_reduce(s, 0, i[:2] * 0, v[:2], "prod")
m.scatter_reduce(v, 0, z, s, "amax")
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
m.scatter_reduce(s, 0, z * 0, s * 2, "amax")
m.scatter_reduce(s, 0, z * 0, s * 2, "prod", include_self=False)
m.scatter_reduce(a, 1, k * 0, w, "prod", include_self=False)
m.scatter_reduce(a, 1, k, w, "mean", include_self=False)
m.scatter_reduce(a, 0, k, w * 0.01, "amax", include_self=False)
m.scatter_reduce(a, 0, k * 0, w, "amin", include_self=False)
m.scatter_reduce(n, 1, k, n[:, :2], "amax", include_self=False)
m.scatter_reduce(n, 1, k * 0, n[:, :2] + 4, "mean")
"""
WRITTEN = """
x: y[0] = 1
s: y.scatter_add_(0, i[:2] * 0, v[:2])
s: y.scatter_(0, z - 1, 4)
s: y.index_add_(0, i[:1] * 0, s)
s: y.index_fill_(0, z - 1, 7)
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


@pytest.mark.parametrize("write", [
    lambda x, i: x.index_fill(0, i, 2.0),
    lambda x, i: x.index_copy(0, i, gradkit.ones(1, 3)),
    lambda x, i: x.index_add(0, i, gradkit.ones(1, 3)),
    lambda x, i: x.index_put((i, i), gradkit.ones(1)),
    lambda x, i: x.index_put((i, i), gradkit.ones(1), accumulate=True),
    lambda x, i: x.put(i, gradkit.ones(1)),
])  # fmt: skip
def test_an_axis_without_places_is_not_written(write):
    """On a device too, which would write beside the array: it is the shapes that tell."""
    with pytest.raises(IndexError, match="out of bounds"):
        write(gradkit.zeros(0, 3), gradkit.tensor([0]))


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
