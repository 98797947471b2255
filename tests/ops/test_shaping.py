"""Shapes, rearranging, joining, splitting and padding against PyTorch: values, views, gradients, errors."""

import ast

import numpy as np
import pytest

import gradkit

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
GIVEN = {
    "x": X, "a": X[0], "v": X[0, 0], "s": np.float32(3), "one": X[:1, :, :1], "empty": np.zeros((0, 3), np.float32),
    "n": np.arange(6).reshape(2, 3), "i": np.array([0, 2, 1]), "k": np.array([2, 0, 1]), "half": np.float16([1, 2]),
}  # fmt: skip

RESHAPED = """
x.view(6, 4)
x.view((2, -1))
x.view(size=(24,))
x.view_as(m.zeros(4, 6))
x.reshape(4, 6)
x.reshape((-1, 2))
x.reshape(shape=(24,))
x.reshape_as(m.zeros(4, 6))
s.reshape(())
s.reshape(1, 1)
s.view(-1)
empty.reshape(-1, 3)
empty.view(3, 0, 5)
m.reshape(x.transpose(0, 1), (6, 4))
x.transpose(0, 2).reshape(24)
x.flatten()
x.flatten(1)
x.flatten(0, 1)
x.flatten(-2, -1)
s.flatten()
m.ravel(x)
x.unflatten(1, (3, 1))
x.unflatten(-1, (2, -1))
x.squeeze()
one.squeeze()
one.squeeze(0)
one.squeeze(axis=1)
one.squeeze((0, -1))
s.squeeze(0)
x.unsqueeze(0)
x.unsqueeze(-1)
m.unsqueeze(x, axis=2)
s.unsqueeze(0)
m.atleast_1d(s)
m.atleast_2d(v)
m.atleast_2d(s)
m.atleast_3d(v)
m.atleast_3d(a)
m.atleast_1d(s, v)
m.atleast_3d([s, a])
"""
EXPANDED = """
one.expand(2, 3, 4)
one.expand(-1, -1, 5)
one.expand(7, 1, 3, 2)
v.expand(3, -1)
v.expand((2, 3, 4))
s.expand(2, 2)
s.expand(())
one.expand_as(x)
m.broadcast_to(v, (2, 4))
v.broadcast_to((3, 4))
m.broadcast_tensors(one, v)
m.broadcast_tensors(s, a)
x.transpose(0, 1)[:, :1].expand(3, 5, 4)
v.repeat(2)
v.repeat(3, 2)
a.repeat(2, 1)
a.repeat((1, 2))
a.repeat(0, 1)
s.repeat(3)
m.tile(a, (2,))
a.tile(2, 1, 2)
x.repeat_interleave(2)
m.repeat_interleave(x, 2, dim=1)
x.repeat_interleave(3, -1)
m.repeat_interleave(a, i, dim=0)
m.repeat_interleave(a, i[:1] + 2, 1)
m.repeat_interleave(a, m.tensor(2), 1)
m.repeat_interleave(i)
s.repeat_interleave(2)
"""
ORDERED = """
x.permute(2, 0, 1)
x.permute((1, -1, 0))
x.permute(dims=(2, 1, 0))
m.permute(x, (0, 2, 1))
s.permute(())
x.transpose(0, 2)
x.transpose(-1, -2)
m.swapaxes(x, 0, 1)
x.swapdims(0, 1)
a.t()
v.t()
m.t(s)
a.T
x.mT
x.mH
a.H
x.adjoint()
x.movedim(0, 2)
x.movedim((0, 1), (-1, 0))
m.moveaxis(x, -1, 0)
x.flip(0)
x.flip(0, -1)
m.flip(x, (1,))
x.flip([2])
m.fliplr(x)
x.flipud()
x.roll(1)
x.roll(2, 0)
m.roll(x, (1, -2), (0, 2))
m.roll(x, -5, -1)
s.roll(1)
x.rot90()
x.rot90(2)
m.rot90(x, -1, (1, 2))
x.rot90(k=4, dims=[0, 2])
"""
JOINED = """
m.cat([x, x])
m.cat((x, x[:1]), 0)
m.cat([x, x[..., :1], x], dim=-1)
m.cat([m.zeros(0), x])
m.cat([m.zeros(0), m.zeros(0)])
m.cat([m.zeros(0, dtype=m.float64), v])
m.cat([n, v.long().expand(2, 4)], 1)
m.cat([half, v])
m.cat([n[0], v])
m.concat([v, v])
m.concatenate([v, v], dim=0)
m.stack([v, v * 2])
m.stack([v, v], 1)
m.stack([s, s, s])
m.stack([half, m.ones(2)])
m.hstack([v, v])
m.hstack([s, v])
m.hstack([a, a])
m.vstack([v, v, a])
m.vstack([s, s])
m.dstack([v, v])
m.dstack([a, a])
m.column_stack([v, v])
m.column_stack([a, m.ones(3), a])
m.meshgrid(v, s, indexing="ij")
m.meshgrid([v, v[:2]], indexing="xy")
m.meshgrid(v, v[:2], v[:3], indexing="xy")
m.cartesian_prod(v, v[:2])
m.cartesian_prod(v)
m.block_diag(a, v, s)
"""
SPLIT = """
x.split(2, 1)
m.split(x, 3, dim=-1)
x.split([1, 3], dim=2)
empty.split(2)
x.split_with_sizes((1, 2), 1)
x.chunk(2)
x.chunk(3, -1)
m.chunk(x, 5, 2)
empty.chunk(3)
x.tensor_split(3, 2)
x.tensor_split((1, 5), 2)
x.tensor_split((2, 1), 2)
m.tensor_split(x, m.tensor([1, 2]), dim=2)
x.hsplit(3)
v.hsplit([1, 3])
x.vsplit(2)
x.dsplit(2)
x.unbind()
x.unbind(axis=-1)
empty.unbind()
x.narrow(1, 1, 2)
x.narrow(0, -1, 1)
m.narrow(x, 2, 4, 0)
x.narrow(2, m.tensor(1), 2)
x.select(0, 1)
m.select(x, -1, -2)
x.unfold(2, 2, 1)
x.unfold(-1, 3, 1)
x.unfold(1, 1, 2)
v.unfold(0, 4, 5)
s.unfold(0, 1, 1)
list(x)
"""
DIAGONALS = """
a.diagonal()
x.diagonal(1, 1, 2)
x.diagonal(-1, 0, 2)
m.diagonal(x, offset=1, dim1=2, dim2=0)
x.diagonal(9)
v.diag()
v.diag(-2)
a.diag(1)
m.diag_embed(a)
a.diag_embed(1)
m.diag_embed(a, -1, 0, 2)
v.diag_embed(0, -1, -2)
m.diagflat(a, 1)
s.diagflat()
x.tril()
a.tril(1)
x.triu(-1)
m.triu(a, diagonal=2)
m.tril_indices(3, 4)
m.tril_indices(3, 4, -1)
m.triu_indices(3, 4, 1)
m.triu_indices(4, 3, offset=-2, dtype=m.int32)
a.clone().tril_(-1)
a.clone().triu_()
"""
PADDED = """
F.pad(x, (1, 2))
F.pad(x, (1, 0, 0, 2), value=7.5)
F.pad(x, (-1, 1, 2, -1, 0, 1))
F.pad(n, (1, 1), value=2.5)
F.pad(x, (0, 0))
F.pad(x, (-2, -2))
F.pad(x, (2, 1), "reflect")
F.pad(x, (1, 2, 2, 0), mode="reflect")
F.pad(x, (0, 3), "reflect")
F.pad(x, (2, 1), "replicate")
F.pad(x, (1, 2, 2, 0), "replicate")
F.pad(x, (2, 1), "circular")
F.pad(x, (4, 4), "circular")
F.pad(x, (1, 2, 3, 0), "circular")
F.pad(x, (-1, 1), "reflect")
F.pad(x, (-1, 1), "replicate")
F.pad(x, (-1, 1), "circular")
F.pad(x, (1, -2), "circular")
"""
LAYOUT = """
x.stride()
x.stride(-1)
x.transpose(0, 2).stride()
one.expand(5, 3, 2).stride()
x.is_contiguous()
x.mT.is_contiguous()
x.mT.contiguous()
x.mT.contiguous().stride()
x.mT.clone().stride()
x.mT.clone()
x.clone().detach().is_contiguous()
x.contiguous() is x
v.flatten() is v
x.view(m.int32)
x.reshape(24)._base is x
x.mT.reshape(24)._base is x
x.permute(2, 1, 0)[1].view(3, 2)._base is x
x.mT.flatten()._base is None
"""
WRONG = """
x.view(5)
x.view(-1, -1)
x.view(-2, 12)
x.transpose(0, 1).view(24)
x.reshape(5, 5)
x.reshape(-1, 5)
x.reshape(-2, 12)
x.reshape(12, -2)
x.reshape(4, 6.0)
x.reshape()
empty.reshape(-1, 0)
x.flatten(2, 1)
x.flatten(3)
x.unflatten(1, (2, 2))
x.unflatten(1, ())
x.unflatten(3, (3,))
x.squeeze(3)
x.unsqueeze(4)
x.expand(2, 3)
x.expand(4, 3, 4)
x.expand(-1, 5, 2, 3, 4)
m.broadcast_to(x, (3,))
m.broadcast_tensors(m.ones(2), m.ones(3))
x.expand_as(v)
x.repeat(2)
x.repeat(-1, 1, 1)
x.repeat_interleave(-1)
x.repeat_interleave(m.tensor([1, -1]), 0)
x.repeat_interleave(m.tensor([1, 2, 3]), 0)
x.repeat_interleave(2.0, 0)
x.permute(0, 1)
x.permute(0, 0, 1)
x.permute(0, 1, 3)
x.transpose(0, 3)
x.t()
v.mT
v.H
x.H
v.adjoint()
x.movedim((0, 1), (2,))
x.movedim((0, 0), (1, 2))
x.movedim(0, 3)
x.flip(0, 0)
x.flip(3)
x.flip()
v.fliplr()
s.flipud()
x.roll((1, 2), 0)
x.roll(1, 5)
x.roll((), ())
x.rot90(1, (0, 0))
x.rot90(1, (0, 1, 2))
v.rot90()
m.cat([])
m.cat(x)
m.cat([x, 1])
m.cat([x, a])
m.cat([x, x[:, :1]])
m.cat([s, s])
m.cat([x, x], 3)
m.stack([])
m.stack([x, a])
m.stack([x, x], 4)
m.hstack([])
m.vstack([])
m.meshgrid(a, indexing="ij")
m.meshgrid(v, indexing="zz")
m.cartesian_prod(a)
x.split(-1)
x.split(0)
x.split([1, 1], 1)
x.split([-1, 4], 1)
s.split(1)
x.chunk(0)
s.chunk(2)
x.tensor_split(0)
s.tensor_split(1)
x.hsplit(2)
x.vsplit(3)
v.vsplit(1)
a.dsplit(1)
x.unbind(3)
s.unbind()
x.narrow(0, 1, 2)
x.narrow(0, 3, 1)
x.narrow(0, 0, -1)
s.narrow(0, 0, 1)
x.select(0, 2)
x.select(3, 0)
s.select(0, 0)
x.unfold(1, 4, 1)
x.unfold(1, 2, 0)
x.unfold(3, 1, 1)
x.diagonal(0, 1, 1)
v.diagonal()
x.diag()
m.diag_embed(v, 0, 0, 0)
v.tril()
F.pad(x, (1,))
F.pad(x, (1,) * 8)
F.pad(x, (4, 0), "reflect")
F.pad(x, (5, 0), "circular")
F.pad(x, (-3, -3))
F.pad(x, (1, 1), "mirror")
F.pad(x, (1, 1), "reflect", 2.0)
"""


def cases(*tables):
    return [line for table in tables for line in table.strip().splitlines()]


def uses_x_alone(expression):
    names = {node.id for node in ast.walk(ast.parse(expression)) if isinstance(node, ast.Name)}
    return "x" in names <= {"x", "m", "F"} and "zeros(0" not in expression


@pytest.mark.parametrize("expression", cases(RESHAPED, EXPANDED, ORDERED, JOINED, SPLIT, DIAGONALS, PADDED, LAYOUT))
def test_agrees_with_pytorch(expression, agrees):
    agrees(expression, **GIVEN)


OF_X = [one for one in cases(RESHAPED, EXPANDED, ORDERED, JOINED, SPLIT, DIAGONALS, PADDED) if uses_x_alone(one)]


@pytest.mark.parametrize("expression", OF_X)
def test_vmap_equals_loop(expression):
    def f(x):
        y = eval(expression, {"m": gradkit, "F": gradkit.nn.functional, "x": x})
        return tuple(y) if isinstance(y, list | tuple) else (y,)

    batch = gradkit.tensor(np.stack([X, X[::-1] * 2, -X]))
    want = [f(x) for x in batch]
    for k, got in enumerate(gradkit.func.vmap(f)(batch)):
        np.testing.assert_array_equal(got.numpy(), np.stack([one[k].numpy() for one in want]))


@pytest.mark.parametrize("expression", cases(WRONG))
def test_raises_as_pytorch(expression, raises_alike):
    raises_alike(expression, **GIVEN)


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
