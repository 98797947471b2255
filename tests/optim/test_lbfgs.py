"""L-BFGS: on functions whose lowest point is known, and beside torch."""

import numpy as np
import pytest

import gradkit
from gradkit import optim


def minimised(library, start, function, steps, **options):
    w = library.tensor(start, dtype=library.float64, requires_grad=True)
    method = library.optim.LBFGS([w], **options)

    def closure():
        method.zero_grad()
        loss = function(w)
        loss.backward()
        return loss

    losses = [float(method.step(closure).detach()) for _ in range(steps)]
    return w.detach().numpy(), losses, method


def rosenbrock(w):
    return ((1 - w[:-1]) ** 2).sum() + 100 * ((w[1:] - w[:-1] ** 2) ** 2).sum()


def bowl(w):
    return ((w - 3) ** 2 * (w * 0 + 1).cumsum(0)).sum()


def test_steps_without_line_search_are_those_of_torch(torch):
    found, expected = [
        minimised(library, [1.0, -2.0, 0.5], bowl, 3, lr=0.3, max_iter=4, history_size=2) for library in (gradkit, torch)
    ]
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-9)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-9, atol=1e-15)


def squared_to(library, paired, **options):
    """Where minimisation over two complex numbers ends, or over the four real ones that they are pairs of."""
    start = library.tensor([1 + 2j, 0.5 - 1j], dtype=library.complex128)
    w = (library.view_as_real(start).clone() if paired else start).requires_grad_()
    method = library.optim.LBFGS([library.ones(2, requires_grad=True), w], lr=0.1, max_iter=4, **options)

    def closure():
        method.zero_grad()
        z = library.view_as_complex(w) if paired else w
        loss = ((z * z - (3 + 1j)).abs() ** 2).sum()
        loss.backward()
        return loss

    for _ in range(3):
        method.step(closure)
    return (library.view_as_complex(w) if paired else w).detach().numpy()


@pytest.mark.parametrize("options", [{}, {"line_search_fn": "strong_wolfe"}])
def test_complex_parameters_are_pairs_of_real_ones(options):
    np.testing.assert_allclose(squared_to(gradkit, False, **options), squared_to(gradkit, True, **options), rtol=1e-12)


def test_steps_of_complex_parameters_are_those_of_torch(torch):
    np.testing.assert_allclose(squared_to(gradkit, False), squared_to(torch, False), rtol=1e-9)


@pytest.mark.parametrize("start", [[-1.2, 1.0], [2.0, -1.0, 0.5, 3.0]])
def test_line_search_finds_the_valley(start, torch):
    found, losses, method = minimised(gradkit, start, rosenbrock, 6, line_search_fn="strong_wolfe", max_iter=25, tolerance_change=1e-14)
    np.testing.assert_allclose(found, np.ones(len(start)), rtol=1e-5)
    assert losses == sorted(losses, reverse=True)
    _, _, other = minimised(torch, start, rosenbrock, 6, line_search_fn="strong_wolfe", max_iter=25, tolerance_change=1e-14)
    calls, theirs = [next(iter(m.state.values()))["func_evals"] for m in (method, other)]
    assert calls <= 1.5 * theirs


def test_a_loss_that_leaves_the_numbers_is_stepped_back_from():
    with np.errstate(invalid="ignore"):
        found, _, _ = minimised(gradkit, [5.0], lambda w: (w - w.log()).sum(), 3, lr=20.0, line_search_fn="strong_wolfe")
    np.testing.assert_allclose(found, [1.0], rtol=1e-5)


def test_misuse_raises(torch):
    for library in (gradkit, torch):
        w = library.ones(1, requires_grad=True)
        with pytest.raises(ValueError, match="parameter groups"):
            library.optim.LBFGS([{"params": [w]}, {"params": [library.ones(1, requires_grad=True)]}])
        with pytest.raises(ValueError):
            library.optim.LBFGS([w], lr=-1)
    with pytest.raises(RuntimeError, match="closure"):
        optim.LBFGS([w := gradkit.ones(1, requires_grad=True)]).step()
    with pytest.raises(RuntimeError, match="strong_wolfe"):
        optim.LBFGS([w], line_search_fn="golden").step(lambda: (w * w).sum())
