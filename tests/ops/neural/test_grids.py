"""affine_grid, grid_sample and ctc_loss against torch: values and gradients."""

import numpy as np
import pytest

import gradkit

F = gradkit.nn.functional


def same(found, expected, atol=2e-5):
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-4, atol=atol)


@pytest.mark.filterwarnings("ignore:Since version 1.3.0, affine_grid")  # torch's, of one pixel
@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("size", [(2, 1, 4, 5), (2, 3, 1, 6), (2, 1, 2, 3, 4)], ids=str)
def test_affine_grid_is_torchs(size, align_corners, torch):
    axes = len(size) - 2
    theta = torch.randn(2, axes, axes + 1)
    leaves = [library.tensor(theta.numpy(), requires_grad=True) for library in (gradkit, torch)]
    grids = [
        library.nn.functional.affine_grid(leaf, size, align_corners)
        for library, leaf in zip((gradkit, torch), leaves, strict=True)
    ]
    same(*grids)
    for grid in grids:
        (grid * grid).sum().backward()
    same(leaves[0].grad, leaves[1].grad, 1e-4)


@pytest.mark.parametrize("align_corners", [True, False])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
@pytest.mark.parametrize("axes", [2, 3])
def test_grid_sample_is_torchs(axes, mode, padding_mode, align_corners, torch):
    torch.manual_seed(0)
    x, grid = torch.randn((2, 3, 4, 5, 3)[: axes + 2]), torch.randn((*(2, 6, 4, 2)[: axes + 1], axes)) * 1.5
    results = []
    for library in (gradkit, torch):
        a, g = library.tensor(x.numpy(), requires_grad=True), library.tensor(grid.numpy(), requires_grad=True)
        y = library.nn.functional.grid_sample(a, g, mode, padding_mode, align_corners)
        (y * y).sum().backward()
        results.append((y, a.grad, library.zeros(1) if mode == "nearest" else g.grad))
    for found, expected in zip(*results, strict=True):
        same(found, expected, 1e-4)


LOSSES = {
    "padded": ([[1, 2, 2], [3, 1, 0]], [8, 6], [3, 2]),
    "joined": ([1, 2, 2, 3, 1], [8, 6], [3, 2]),
    "empty target": ([[1, 2], [0, 0]], [8, 5], [2, 0]),
    "too long": ([[1, 1, 1], [1, 2, 0]], [3, 8], [3, 2]),
}


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_ctc_loss_is_torchs(name, reduction, torch):
    targets, lengths, sizes = LOSSES[name]
    torch.manual_seed(0)
    x = torch.randn(8, 2, 4)
    results = []
    for library in (gradkit, torch):
        leaf = library.tensor(x.numpy(), requires_grad=True)
        loss = library.nn.CTCLoss(reduction=reduction, zero_infinity=True)
        y = loss(leaf.log_softmax(2), library.tensor(targets), library.tensor(lengths), library.tensor(sizes))
        y.sum().backward()
        results.append((y, leaf.grad))
    for found, expected in zip(*results, strict=True):
        same(found, expected)
    if name == "too long":
        plain = F.ctc_loss(gradkit.tensor(x.numpy()).log_softmax(2), gradkit.tensor(targets), lengths, sizes, reduction="none")
        assert plain[0] == float("inf") and plain[1] < 100


def test_ctc_loss_of_one_sequence(torch):
    x = torch.randn(5, 4).log_softmax(1)
    found = F.ctc_loss(gradkit.tensor(x.numpy()), gradkit.tensor([1, 2]), 5, 2, reduction="none")
    same(found, torch.nn.functional.ctc_loss(x, torch.tensor([1, 2]), torch.tensor(5), torch.tensor(2), reduction="none"))


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda lib, F: F.grid_sample(lib.zeros(1, 1, 2, 2), lib.zeros(1, 2, 2, 2), "cubic", align_corners=True), ValueError),
        (lambda lib, F: F.grid_sample(lib.zeros(1, 1, 2, 2), lib.zeros(1, 2, 2, 2), padding_mode="wrap"), ValueError),
        (lambda lib, F: F.grid_sample(lib.zeros(1, 1, 2, 2), lib.zeros(2, 2, 2, 2), align_corners=True), RuntimeError),
        (lambda lib, F: F.affine_grid(lib.zeros(1, 2, 2), (1, 1, 2, 2), True), (ValueError, RuntimeError)),
        (lambda lib, F: F.affine_grid(lib.zeros(1, 2, 3).long(), (1, 1, 2, 2), True), ValueError),
        (lambda lib, F: F.ctc_loss(lib.zeros(2, 1, 2), lib.tensor([[1]]), [3], [1]), RuntimeError),
        (lambda lib, F: F.ctc_loss(lib.zeros(2, 1, 2), lib.tensor([[1]]), [2, 2], [1]), RuntimeError),
        (lambda lib, F: F.ctc_loss(lib.zeros(2, 1, 2), lib.tensor([[1]]), [2], [1], blank=2), RuntimeError),
    ],
)
def test_misuse_raises_as_in_torch(act, error, torch):
    for library in (gradkit, torch):
        with pytest.raises(error):
            act(library, library.nn.functional)


def test_corners_left_open_warn():
    with pytest.warns(UserWarning, match="align_corners"):
        F.grid_sample(gradkit.zeros(1, 1, 2, 2), gradkit.zeros(1, 1, 1, 2))
