"""Losses with margins, and of distributions, against torch: values and gradients, for every reduction."""

import numpy as np
import pytest

import gradkit

WEIGHTS = [0.2, 1.0, 3.0, 0.5, 0.1]


def signs(torch, *shape):
    return torch.randint(2, shape) * 2.0 - 1


def labels(torch, *shape):
    return torch.tensor([[3, 0, -1, 1, 2], [-1, 1, 2, 3, 4], [0, 1, 2, 3, 4], [4, -1, -1, -1, -1]])


# The loss; the shapes of its inputs, which are differentiated; and its targets, which are not.
LOSSES = {
    "KLDivLoss": (lambda nn, t, **more: nn.KLDivLoss(**more), [(4, 5), (4, 5)], None),
    "KLDivLoss of logarithms": (lambda nn, t, **more: nn.KLDivLoss(log_target=True, **more), [(4, 5), (4, 5)], None),
    "PoissonNLLLoss": (lambda nn, t, **more: nn.PoissonNLLLoss(**more), [(4, 5)], lambda torch: torch.rand(4, 5) * 3),
    "PoissonNLLLoss full": (
        lambda nn, t, **more: nn.PoissonNLLLoss(False, True, **more), [(4, 5)], lambda torch: torch.rand(4, 5) * 3,
    ),
    "GaussianNLLLoss": (lambda nn, t, **more: nn.GaussianNLLLoss(full=True, **more), [(4, 5), (4, 5), (4, 5)], None),
    "SoftMarginLoss": (lambda nn, t, **more: nn.SoftMarginLoss(**more), [(4, 5)], lambda torch: signs(torch, 4, 5)),
    "MultiLabelSoftMarginLoss": (
        lambda nn, t, **more: nn.MultiLabelSoftMarginLoss(t(WEIGHTS), **more), [(4, 5)], lambda torch: torch.rand(4, 5),
    ),
    "HingeEmbeddingLoss": (lambda nn, t, **more: nn.HingeEmbeddingLoss(0.7, **more), [(4, 5)], lambda torch: signs(torch, 4, 5)),
    "MarginRankingLoss": (lambda nn, t, **more: nn.MarginRankingLoss(0.3, **more), [(6,), (6,)], lambda torch: signs(torch, 6)),
    "CosineEmbeddingLoss": (
        lambda nn, t, **more: nn.CosineEmbeddingLoss(0.1, **more), [(4, 5), (4, 5)], lambda torch: signs(torch, 4),
    ),
    "TripletMarginLoss": (lambda nn, t, **more: nn.TripletMarginLoss(0.7, 3.0, swap=True, **more), [(4, 5)] * 3, None),
    "TripletMarginWithDistanceLoss": (
        lambda nn, t, **more: nn.TripletMarginWithDistanceLoss(
            distance_function=lambda a, b: (a - b).abs().sum(-1), swap=True, **more
        ), [(4, 5)] * 3, None,
    ),
    "TripletMarginWithDistanceLoss plain": (lambda nn, t, **more: nn.TripletMarginWithDistanceLoss(**more), [(4, 5)] * 3, None),
    "MultiMarginLoss": (lambda nn, t, **more: nn.MultiMarginLoss(**more), [(4, 5)], lambda torch: torch.tensor([0, 4, 2, 1])),
    "MultiMarginLoss squared": (
        lambda nn, t, **more: nn.MultiMarginLoss(2, 0.5, t(WEIGHTS), **more), [(4, 5)], lambda torch: torch.tensor([0, 4, 2, 1]),
    ),
    "MultiMarginLoss of one": (lambda nn, t, **more: nn.MultiMarginLoss(**more), [(5,)], lambda torch: torch.tensor(3)),
    "MultiLabelMarginLoss": (lambda nn, t, **more: nn.MultiLabelMarginLoss(**more), [(4, 5)], labels),
}  # fmt: skip


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", LOSSES)
def test_loss_is_torchs(name, reduction, torch):
    make, shapes, target = LOSSES[name]
    if reduction == "mean" and name.startswith("KLDiv"):
        reduction = "batchmean"  # of "mean" torch warns that it is not the mathematical one
    torch.manual_seed(0)
    values = [torch.rand(shape) if "NLL" in name or "KL" in name else torch.randn(shape) for shape in shapes]
    fixed = [] if target is None else [target(torch)]
    results = []
    for library in (gradkit, torch):
        inputs = [library.tensor(x.numpy(), requires_grad=True) for x in values]
        loss = make(library.nn, library.tensor, reduction=reduction)
        y = loss(*inputs, *[library.tensor(x.numpy()) for x in fixed])
        y.sum().backward()
        results.append([y.detach().numpy(), *[x.grad.numpy() for x in inputs]])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda lib: lib.nn.functional.multi_margin_loss(lib.zeros(2, 3), lib.tensor([0])), RuntimeError),
        (lambda lib: lib.nn.functional.multi_margin_loss(lib.zeros(2, 3), lib.tensor([0, 1]), p=3), ValueError),
        (lambda lib: lib.nn.functional.multi_margin_loss(lib.zeros(1, 3), lib.tensor([0]), weight=lib.ones(2)), RuntimeError),
        (lambda lib: lib.nn.functional.multilabel_margin_loss(lib.zeros(2, 3), lib.zeros(2, 2).long()), RuntimeError),
        (lambda lib: lib.nn.functional.triplet_margin_with_distance_loss(*[lib.zeros(2)] * 3, margin=-1), ValueError),
        (lambda lib: lib.pdist(lib.zeros(3)), RuntimeError),
        (lambda lib: lib.pdist(lib.zeros(3, 2), -1.0), RuntimeError),
    ],
)
def test_misuse_raises_as_in_torch(act, error, torch):
    for library in (gradkit, torch):
        with pytest.raises(error):
            act(library)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
def test_distances_of_pairs_are_torchs(p, torch):
    x = torch.randn(5, 3)
    x[1] = x[0]
    grads = []
    for library in (gradkit, torch):
        t = library.tensor(x.numpy(), requires_grad=True)
        y = library.pdist(t, p)
        y.sum().backward()
        grads.append((y.detach().numpy(), t.grad.numpy()))
    for found, expected in zip(*grads, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
