"""Complex numbers against PyTorch: values, and gradients by its convention."""

import numpy as np
import pytest

import gradkit
from gradkit.autograd import grad
from gradkit.func import jvp, vmap

Z = np.array([0.4 + 0.7j, -1.2 + 0.3j, 0.8 - 0.5j, -0.3 - 0.9j])
V = np.array([0.3 - 0.6j, 1.1 + 0.2j, -0.4 + 0.9j, 0.7 + 0.5j])
R = np.array([0.5, -1.3, 2.1, 0.7])
HOLOMORPHIC = [
    "acos", "acosh", "asin", "asinh", "atan", "atanh", "cos", "cosh", "exp", "exp2", "expm1", "log", "log10",
    "log1p", "log2", "neg", "reciprocal", "rsqrt", "sigmoid", "sin", "sinc", "sinh", "sqrt", "square", "tan",
    "tanh",
]  # fmt: skip
CALLS = {
    **{name: lambda m, z, w, name=name: getattr(m, name)(z) * w for name in HOLOMORPHIC},
    "abs": lambda _m, z, w: abs(z) * w,
    "angle": lambda m, z, w: m.angle(z) * w,
    "sgn": lambda m, z, w: m.sgn(z) * w,
    "real": lambda _m, z, w: z.real * w,
    "imag": lambda m, z, w: m.imag(z) * w,
    "conj": lambda m, z, w: m.conj(z) * z * w,
    "conj_physical": lambda m, z, w: m.conj_physical(z) * w,
    "mul": lambda _m, z, w: z * w,
    "div": lambda _m, z, w: z / w,
    "sub": lambda _m, z, w: z - 2j * w,
    "add alpha": lambda m, z, w: m.add(z, w, alpha=1 - 2j),
    "pow": lambda _m, z, w: z**w,
    "pow 2": lambda _m, z, w: z**2 * w,
    "pow 0.5": lambda _m, z, w: z**0.5 + w,
    "pow 1j": lambda _m, z, w: z ** (1 + 1j) + w,
    "number pow": lambda _m, z, w: 2.0**z + w,
    "float_power": lambda m, z, w: m.float_power(z, 3) * w,
    "lerp": lambda m, z, w: m.lerp(z, w, 0.3),
    "addcmul": lambda m, z, w: m.addcmul(z, z, w, value=2),
    "addcdiv": lambda m, z, w: m.addcdiv(z, z, w, value=2),
    "where": lambda m, z, w: m.where(z.real > 0, z * w, w),
    "masked_fill": lambda _m, z, w: (z * w).masked_fill(z.real > 0, 1j),
    "view_as_real": lambda m, z, w: m.view_as_complex(m.view_as_real(z) * 2) * w,
    "parts": lambda m, z, w: m.complex(z.imag, w.real) * z,
    "polar": lambda m, z, w: m.polar(abs(z.real), w.imag) * z,
    "logcumsumexp": lambda m, z, w: m.logcumsumexp(4 * z, 0) * w,
    "abs of product": lambda _m, z, w: (z * w).abs() * w.angle(),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_value_gradient_and_second_derivative(call, torch):
    results = []
    for module in (gradkit, torch):
        z, w = [module.tensor(raw, requires_grad=True) for raw in (Z, V)]
        y = call(module, z, w)
        loss = (y * y.conj()).real.sum() + y.real.sum() - 2 * y.imag.sum() if y.is_complex() else (y**2).sum()
        first = module.autograd.grad(loss, (z, w), create_graph=True, allow_unused=True)
        known = [g for g in first if g is not None]
        second = module.autograd.grad(sum((g * g.conj()).real.sum() for g in known), (z, w), allow_unused=True)
        results.append([y, *first, *second])
    for got, want in zip(*results, strict=True):
        assert (got is None) == (want is None)
        if got is not None:
            want = want.detach().resolve_conj().numpy()
            np.testing.assert_allclose(got.detach().numpy(), want, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["abs", "angle", "sgn", "real", "imag", "conj", "exp", "view_as_real"])
def test_forward_mode_is_the_real_derivative(name):
    """The tangent of a complex function is what a small step along the tangent does to it."""
    step = 1e-7
    f = getattr(gradkit, name)
    z, t = gradkit.tensor(Z), gradkit.tensor(V)
    _, moved = jvp(f, (z,), (t,))
    difference = (f(gradkit.tensor(Z + step * V)).numpy() - f(gradkit.tensor(Z - step * V)).numpy()) / (2 * step)
    np.testing.assert_allclose(moved.numpy(), difference, atol=1e-7)


@pytest.mark.parametrize("name", ["abs", "angle", "sgn", "real", "imag", "conj", "view_as_real"])
def test_batched_equals_one_by_one(name):
    f = getattr(gradkit, name)
    batch = gradkit.tensor(np.stack([Z, V, Z * V]))
    np.testing.assert_array_equal(vmap(f)(batch).numpy(), f(batch).numpy())


@pytest.mark.parametrize("name", ["abs", "angle", "sgn"])
def test_derivative_at_the_origin_is_zero(name, torch):
    results = []
    for module in (gradkit, torch):
        z = module.tensor([0j, 3 + 4j], requires_grad=True)
        y = getattr(module, name)(z)
        results.append(module.autograd.grad(y.real.sum() if y.is_complex() else y.sum(), z)[0].numpy())
    np.testing.assert_allclose(*results, rtol=1e-6)


def test_a_real_operand_gets_a_real_gradient(torch):
    results = []
    for module in (gradkit, torch):
        x, z = module.tensor(R, requires_grad=True), module.tensor(Z, requires_grad=True)
        results.append(module.autograd.grad((x * z).abs().sum(), (x, z)))
    for got, want in zip(*results, strict=True):
        assert got.dtype.name == str(want.dtype).removeprefix("torch.")
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-12)


def test_complex_numbers_made_of_real_leaves_conjugate(torch):
    """The first complex value may appear in the middle of a graph."""
    results = []
    for module in (gradkit, torch):
        x = module.tensor(R.reshape(2, 2), requires_grad=True)
        z = module.view_as_complex(x)
        results.append(module.autograd.grad((z * z * (1 + 2j)).real.sum(), x)[0].numpy())
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_nan_to_num_replaces_in_both_parts():
    z = gradkit.tensor([complex(np.nan, 2), complex(3, np.inf)], requires_grad=True)
    y = gradkit.nan_to_num(z, nan=7, posinf=9)
    assert y.tolist() == [7 + 2j, 3 + 9j]
    assert grad((y * (2 - 1j)).real.sum(), z)[0].tolist() == [1j, 2 + 0j]


def test_parts_are_views():
    z = gradkit.tensor(Z)
    z.real.mul_(0)
    gradkit.view_as_real(z).mul_(2)
    np.testing.assert_array_equal(z.numpy(), 2j * Z.imag)
    x = gradkit.ones(3, 2)
    gradkit.view_as_complex(x).mul_(1j)
    assert x.tolist() == [[-1.0, 1.0]] * 3


def test_writing_through_a_part_rewrites_history(torch):
    results = []
    for module in (gradkit, torch):
        z = module.tensor(Z, requires_grad=True)
        y = z * 1
        y.real.mul_(3)
        results.append(module.autograd.grad((y * y.conj()).real.sum(), z)[0].numpy())
    np.testing.assert_allclose(*results, rtol=1e-12)


def test_real_tensors_are_their_own_real_part():
    x = gradkit.ones(2)
    assert gradkit.real(x) is x and gradkit.conj(x) is x and gradkit.resolve_conj(x) is x
    assert not gradkit.is_conj(x) and not gradkit.is_complex(x) and gradkit.is_floating_point(x)


ERRORS = {
    "imag of a real tensor": lambda m: m.imag(m.ones(2)),
    "view_as_real of a real tensor": lambda m: m.view_as_real(m.ones(2)),
    "view_as_complex of three": lambda m: m.view_as_complex(m.ones(3)),
    "view_as_complex of integers": lambda m: m.view_as_complex(m.tensor([1, 2])),
    "complex of two dtypes": lambda m: m.complex(m.ones(2), m.ones(2, dtype=m.float64)),
    "complex of integers": lambda m: m.complex(m.tensor([1]), m.tensor([2])),
    "polar of two dtypes": lambda m: m.polar(m.ones(2), m.ones(2, dtype=m.float64)),
    "gradient of a complex result": lambda m: m.tensor(1j, requires_grad=True).exp().backward(),
}


@pytest.mark.parametrize("call", ERRORS.values(), ids=ERRORS)
def test_refused_as_in_pytorch(call, torch):
    for module in (torch, gradkit):
        with pytest.raises(RuntimeError):
            call(module)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtypes_of_parts(dtype):
    x = gradkit.tensor(R.astype(dtype))
    z = gradkit.complex(x, x)
    assert z.dtype.itemsize == 2 * x.dtype.itemsize
    assert abs(z).dtype == gradkit.angle(z).dtype == gradkit.view_as_real(z).dtype == x.dtype
    assert grad(abs(gradkit.complex(x, x.requires_grad_())).sum(), x)[0].dtype == x.dtype


def test_what_polar_was_given_may_be_written_afterwards(alike):
    def slopes(lib):
        r, angle = lib.tensor([0.5, 2.0], requires_grad=True), lib.tensor([0.3, -1.0], requires_grad=True)
        a, b = r.clone(), angle.clone()
        z = lib.polar(a, b)
        a.neg_()
        b.mul_(2)
        return lib.autograd.grad((z.real * z.imag).sum(), (r, angle))

    alike(slopes)
