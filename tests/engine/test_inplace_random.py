"""Views and writes in any order, drawn at random, against PyTorch."""

import numpy as np
import pytest

import gradkit

VIEWS = [
    lambda x: x[1:],
    lambda x: x[..., 0],
    lambda x: x.transpose(0, -1),
    lambda x: x.unsqueeze(0),
    lambda x: x.reshape(-1),
    lambda x: x[None],
    lambda x: x[::2],
    lambda x: x.flatten(),
    lambda x: x[-1],
    lambda x: x.squeeze(),
    lambda x: x.detach().clone(),
    lambda x: x.view(x.shape),
    lambda x: x.expand(2, *x.shape)[1],
    lambda x: x.narrow(0, 0, 1),
]
WRITES = [
    lambda x, w: x.add_(1),
    lambda x, w: x.mul_(2),
    lambda x, w: x.mul_(w),
    lambda x, w: x.add_(w),
    lambda x, w: x.zero_(),
    lambda x, w: x.fill_(w),
    lambda x, w: x.copy_(w),
    lambda x, w: x.__setitem__(..., w * 2),
    lambda x, w: x.__setitem__(0, 3),
    lambda x, w: x.__setitem__(slice(1, None), w),
    lambda x, w: x.sub_(x.sum().detach()),
    lambda x, w: x.__setitem__([0], w),
]


def random_program(lib, seed):
    """A base, views of it and of one another, writes to any of them in any order, and a sum over all at the end."""
    rng = np.random.default_rng(seed)
    a = lib.arange(1.0, 13.0).requires_grad_()
    w = lib.tensor(1.5, requires_grad=True)
    base = (a * 1).view(3, 4).clone() if rng.random() < 0.7 else lib.arange(12.0).view(3, 4).clone()
    alive = [base]
    for _ in range(8):
        x = alive[rng.integers(len(alive))]
        kind, which = rng.random(), rng.random()
        assert all([x.grad_fn is None or x.requires_grad for x in alive])  # PyTorch renews a view's history when asked
        if not x.ndim or not x.numel():
            continue
        if kind < 0.5:
            alive.append(VIEWS[int(which * len(VIEWS))](x))
        elif kind < 0.9:
            WRITES[int(which * len(WRITES))](x, w)
        else:
            with lib.no_grad():
                WRITES[int(which * len(WRITES))](x, w)
    total = sum([(x * (i + 1)).sum() for i, x in enumerate(alive)]) + (a * 0).sum() + w * 0
    total.backward()
    return [*alive, a.grad, w.grad, *[x._version for x in alive]]


@pytest.mark.parametrize("seed", range(400))
def test_random_program_shows_what_pytorch_shows(seed, torch, shows_alike):
    try:
        random_program(torch, seed)
    except RuntimeError:
        with pytest.raises(RuntimeError):
            random_program(gradkit, seed)
    else:
        shows_alike(lambda lib: random_program(lib, seed))
