"""Fourier transforms against torch: values, gradients, dtypes, errors."""

import subprocess
import sys

import numpy as np
import pytest

import gradkit

REAL, HALF, COMPLEX = "real", "half", "complex"
CALLS = [
    ("fft", REAL, {}), ("fft", COMPLEX, {"n": 3}), ("fft", COMPLEX, {"n": 8, "dim": 1}), ("ifft", COMPLEX, {"norm": "ortho"}),
    ("ifft", REAL, {"dim": 0, "norm": "forward"}), ("rfft", REAL, {}), ("rfft", REAL, {"n": 7, "norm": "forward"}),
    ("rfft", REAL, {"dim": 0, "norm": "ortho"}), ("irfft", COMPLEX, {}), ("irfft", COMPLEX, {"n": 7, "norm": "ortho"}),
    ("irfft", REAL, {"n": 3, "dim": 1, "norm": "forward"}), ("hfft", COMPLEX, {}), ("hfft", COMPLEX, {"n": 5, "norm": "forward"}),
    ("ihfft", REAL, {}), ("ihfft", REAL, {"n": 7, "norm": "ortho"}), ("fft2", COMPLEX, {}), ("fft2", REAL, {"s": (2, 7)}),
    ("ifft2", COMPLEX, {"dim": (0, 2), "norm": "forward"}), ("rfft2", REAL, {}), ("rfft2", REAL, {"s": (4, 5), "norm": "ortho"}),
    ("irfft2", COMPLEX, {}), ("irfft2", COMPLEX, {"s": (2, 7)}), ("fftn", COMPLEX, {}), ("fftn", REAL, {"s": (2, -1)}),
    ("fftn", COMPLEX, {"dim": (1,)}), ("fftn", COMPLEX, {"dim": ()}), ("ifftn", COMPLEX, {"s": (3, 2), "dim": (0, 1)}),
    ("rfftn", REAL, {}), ("rfftn", REAL, {"dim": (2, 0), "norm": "forward"}), ("irfftn", COMPLEX, {}),
    ("irfftn", COMPLEX, {"s": (2, 3), "dim": (1, 0), "norm": "ortho"}), ("hfft2", COMPLEX, {"norm": "ortho"}),
    ("ihfft2", REAL, {}), ("hfftn", COMPLEX, {"s": (3, 5)}), ("ihfftn", REAL, {"norm": "forward"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind", "options"), CALLS, ids=lambda x: str(x))
def test_transform_is_torchs(name, kind, options, torch):
    torch.manual_seed(0)
    x = torch.randn(2, 3, 6, dtype=torch.complex64 if kind == COMPLEX else torch.float32)
    results = []
    for library in (gradkit, torch):
        t = library.tensor(x.numpy(), requires_grad=True)
        y = getattr(library.fft, name)(t, **options)
        weight = library.tensor(np.cos(np.arange(y.numel(), dtype=np.float32)).reshape(tuple(y.shape)))
        total = y * weight if not y.is_complex() else y.real * weight + y.imag * weight.flip(0)
        total.sum().backward()
        results.append((y.detach().resolve_conj().numpy(), t.grad.resolve_conj().numpy()))
    for found, expected in zip(*results, strict=True):
        assert found.dtype == expected.dtype and found.shape == expected.shape
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)


@pytest.mark.parametrize("name", ["fft", "ifft", "rfft", "irfft", "hfft", "ihfft"])
@pytest.mark.parametrize("dtype", ["bool", "int64", "float64"])
def test_dtype_is_torchs(name, dtype, torch):
    found = getattr(gradkit.fft, name)(gradkit.ones(4, dtype=getattr(gradkit, dtype)))
    expected = getattr(torch.fft, name)(torch.ones(4, dtype=getattr(torch, dtype)))
    assert str(expected.dtype) == f"torch.{found.dtype.name}"


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda lib: lib.fft.fft(lib.zeros(3), norm="x"), RuntimeError),
        (lambda lib: lib.fft.fft(lib.zeros(3), n=0), RuntimeError),
        (lambda lib: lib.fft.fft(lib.zeros(3), dim=1), IndexError),
        (lambda lib: lib.fft.fft(lib.zeros(3).half()), RuntimeError),
        (lambda lib: lib.fft.fft(lib.tensor(1.0)), IndexError),
        (lambda lib: lib.fft.fft(lib.zeros(0)), RuntimeError),
        (lambda lib: lib.fft.fft([1.0]), TypeError),
        (lambda lib: lib.fft.fft2(lib.zeros(2)), IndexError),
        (lambda lib: lib.fft.rfft(lib.zeros(3).to(lib.complex64)), RuntimeError),
        (lambda lib: lib.fft.irfft(lib.zeros(1)), RuntimeError),
        (lambda lib: lib.fft.rfftn(lib.zeros(3), dim=()), RuntimeError),
        (lambda lib: lib.fft.fftn(lib.zeros(3, 2), s=(1, 2, 3)), RuntimeError),
        (lambda lib: lib.fft.fftn(lib.zeros(3, 2), s=(2,), dim=(0, 1)), RuntimeError),
        (lambda lib: lib.fft.fftn(lib.zeros(3, 2), dim=(0, 0)), RuntimeError),
    ],
)
def test_misuse_raises_as_in_torch(act, error, torch):
    for library in (gradkit, torch):
        with pytest.raises(error):
            act(library)


@pytest.mark.parametrize("n", [0, 1, 4, 5])
def test_frequencies_and_shifts_are_torchs(n, torch):
    for call in (
        lambda lib: lib.fft.fftshift(lib.arange(n)),
        lambda lib: lib.fft.ifftshift(lib.arange(n)),
        lambda lib: lib.fft.fftshift(lib.arange(n * 6).reshape(2, n, 3), dim=(1, 2)),
        lambda lib: lib.fft.fftfreq(n, 0.5),
        lambda lib: lib.fft.rfftfreq(n, d=2.0, dtype=lib.float64),
    ):
        if n:
            found, expected = call(gradkit), call(torch)
            assert found.tolist() == expected.tolist() and f"torch.{found.dtype.name}" == str(expected.dtype)


def test_a_matrix_of_a_transform_by_jacobian():
    """The Jacobian of the transform is its matrix: from forward and from reverse mode."""
    matrix = np.fft.fft(np.eye(4))
    found = gradkit.func.jacfwd(lambda x: gradkit.view_as_real(gradkit.fft.fft(x)))(gradkit.zeros(4, dtype=gradkit.float64))
    np.testing.assert_allclose(found.numpy(), np.stack([matrix.real, matrix.imag], 1), atol=1e-12)
    again = gradkit.func.jacrev(lambda x: gradkit.view_as_real(gradkit.fft.fft(x)))(gradkit.zeros(4, dtype=gradkit.float64))
    np.testing.assert_allclose(again.numpy(), found.numpy(), atol=1e-12)


def test_samples_are_transformed_each_by_itself():
    x = gradkit.randn(3, 4, 5)
    found = gradkit.vmap(lambda x: gradkit.fft.rfft2(x))(x)
    np.testing.assert_allclose(found.numpy(), np.fft.rfft2(x.numpy()), rtol=1e-4, atol=1e-5)


def test_the_first_complex_numbers_of_a_program_are_conjugated():
    """In a fresh interpreter: nothing complex has been met before the real leaf is converted."""
    source = (
        "import gradkit\n"
        "x = gradkit.tensor([1.0, 2.0, 5.0], requires_grad=True)\n"
        "y = gradkit.fft.fft(x)\n"
        "(y.imag * gradkit.tensor([1.0, 2.0, 4.0])).sum().backward()\n"
        "print(x.grad)"
    )
    done = subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True)
    assert done.stdout == "tensor([ 0.0000,  1.7321, -1.7321])\n"
