"""Interpolation against PyTorch."""

import numpy as np
import pytest

import gradkit
from gradkit.nn import functional as F

TARGETS = [
    {"size": (7, 9)}, {"size": (3, 2)}, {"size": 1}, {"size": (5, 6)}, {"scale_factor": 2}, {"scale_factor": (1.5, 0.7)},
    {"scale_factor": (1.5, 0.7), "recompute_scale_factor": True},
]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS, ids=str)
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
def test_images(mode, target, matches, rng):
    x = rng.normal(size=(2, 3, 5, 6))
    matches("interpolate", x, mode=mode, orders=1, **target)
    if mode in ("bilinear", "bicubic"):
        matches("interpolate", x, mode=mode, align_corners=True, orders=1, **target)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "linear", "area"])
def test_lines(mode, matches, rng):
    matches("interpolate", rng.normal(size=(2, 3, 5)), 8, mode=mode, orders=1)


@pytest.mark.parametrize("mode", ["nearest", "trilinear", "area"])
def test_volumes(mode, matches, rng):
    matches("interpolate", rng.normal(size=(2, 3, 4, 5, 3)), scale_factor=2, mode=mode, orders=1)


IMAGE = np.ones((2, 3, 4, 4))


@pytest.mark.parametrize(
    ("input", "params"),
    [
        (IMAGE, {"size": 8, "scale_factor": 2}),
        (IMAGE, {}),
        (np.ones((3, 4)), {"scale_factor": 2}),
        (IMAGE, {"scale_factor": 2, "mode": "sharp"}),
        (IMAGE, {"scale_factor": 2, "mode": "linear"}),
        (IMAGE, {"scale_factor": 2, "align_corners": True}),
        (IMAGE, {"size": (2, 3, 4)}),
        (IMAGE, {"size": 8, "recompute_scale_factor": True}),
    ],
)
def test_errors(input, params, refuses):
    refuses("interpolate", input, **params)


def test_antialias_is_refused():
    with pytest.raises(NotImplementedError, match="antialias"):
        F.interpolate(gradkit.ones(1, 1, 4, 4), size=2, mode="bilinear", antialias=True)
