"""Cross-entropy as one row: what most training steps end in."""


from gradkit.families import elementwise, general
from gradkit.primitives.fusible import fusible
from gradkit.primitives.normalization import log_softmax_forward


def beside_classes(xp, v, axis: int):
    """An array over all axes of the logits but that of the classes, with an axis of extent 1 for them."""
    shape = tuple(v.shape)
    at = len(shape) + axis + 1
    return xp.reshape(v, (*shape[:at], 1, *shape[at:]))


def over_losses(xp, v, rank: int):
    """The sum over all losses of one sample; there are ``rank - 1`` axes of them."""
    return xp.sum(v, axis=tuple(range(1 - rank, 0))) if rank > 1 else v


def counts(target, ignore_index: int | None):
    return target != (-1 if ignore_index is None else ignore_index)


@fusible
def cross_entropy_forward(xp, x, target, *, axis: int, rank: int, ignore_index: int | None, reduction: str):
    counted = xp.astype(counts(target, ignore_index), dtype=x.dtype)
    index = beside_classes(xp, xp.where(counted == 1, target, 0), axis)
    log_p = xp.take_along_axis(log_softmax_forward(xp, x, axis=axis), index, axis=axis)
    losses = xp.where(counted == 1, -xp.reshape(log_p, target.shape), 0)
    if reduction == "none":
        return losses
    total = over_losses(xp, losses, rank)
    return total / over_losses(xp, counted, rank) if reduction == "mean" else total


@fusible
def cross_entropy_vjp(xp, d, x, target, *, axis: int, rank: int, ignore_index: int | None, reduction: str):
    counted = counts(target, ignore_index)
    if reduction == "mean":
        d = d / xp.maximum(over_losses(xp, xp.astype(counted, dtype=x.dtype), rank), 1)  # where nothing counts the gradient is 0
    if reduction != "none":
        d = xp.reshape(d, (*d.shape, *(1,) * (rank - 1)))
    classes = xp.reshape(xp.arange(x.shape[axis]), (-1, *(1,) * (-1 - axis)))
    one_hot = xp.astype(classes == beside_classes(xp, target, axis), dtype=x.dtype)
    d = xp.masked(counted, d)  # of what is ignored, be it infinite there
    return beside_classes(xp, d, axis) * (xp.softmax(x, axis=axis) - one_hot)


def cross_entropy_jvp(xp, ts, y, x, target, **params):
    slope = cross_entropy_vjp(xp, xp.ones_like(y), x, target, **params)
    moved = xp.masked(counts(target, params["ignore_index"]), xp.sum(slope * ts[0], axis=params["axis"]))
    return moved if params["reduction"] == "none" else over_losses(xp, moved, params["rank"])


def peer(torch, x, target, axis: int, rank: int, ignore_index: int | None, reduction: str):
    ignored = {} if ignore_index is None else {"ignore_index": ignore_index}
    return torch.nn.functional.cross_entropy(x, target, **ignored, reduction=reduction)


# Softmax and logarithm cancel: the derivative is softmax(x) - one_hot(target). Only the logits are kept, which are the
# output of the layer before and alive anyway. `ignore_index` is None where no target has it.
cross_entropy = general(
    "cross_entropy", cross_entropy_forward,
    lambda xp, d, _y, x, target, **params: [cross_entropy_vjp(xp, d, x, target, **params), None],
    cross_entropy_jvp,
    [
        ((4, 3), [2, 0, 1, 2], {"axis": -1, "rank": 2, "ignore_index": None, "reduction": "mean"}),
        ((4, 3), [2, 0, 1, 2], {"axis": -1, "rank": 2, "ignore_index": 2, "reduction": "mean"}),
        ((4, 3), [2, 0, 1, 2], {"axis": -1, "rank": 2, "ignore_index": 2, "reduction": "none"}),
        ((2, 3, 2), [[2, 0], [1, 2]], {"axis": -2, "rank": 3, "ignore_index": 0, "reduction": "sum"}),
    ],
    arity=2, promote="none", lends=True, title="NllLossBackward0", peer=peer,
)


# -- two classes
def bernoulli_losses(xp, x, t):
    """The logarithms are cut off at -100; their operands are kept from where they would be infinite."""
    certain = xp.astype(x == 1, x.dtype)
    log_x = xp.maximum(xp.log(xp.maximum(x, 1e-45)), -100)
    log_rest = xp.log1p(certain - x) - 100 * certain
    return -(t * log_x + (1 - t) * log_rest)


def probability_slope(xp, d, _y, x, t):
    return d * (x - t) / xp.maximum(x * (1 - x), 1e-12)


binary_cross_entropy = elementwise(
    "binary_cross_entropy", bernoulli_losses,
    [probability_slope, lambda xp, d, _y, x, _t: d * (xp.log1p(-x) - xp.log(x))],
    domain=[(0.1, 0.9), (0, 1)], edges=[(0.0, 0.0), (1.0, 1.0), (0.0, 1.0), (1.0, 0.0)],
    edge_order=1,  # the second derivatives there are made by the 1e-12 in the first: neither PyTorch's nor ours exists
    peer=lambda torch, x, t: torch.nn.functional.binary_cross_entropy(*torch.broadcast_tensors(x, t), reduction="none"),
)
binary_cross_entropy_with_logits = elementwise(
    "binary_cross_entropy_with_logits",
    lambda xp, x, t: (1 - t) * x + xp.maximum(-x, 0) + xp.log1p(xp.exp(-xp.abs(x))),
    [lambda xp, d, _y, x, t: d * (xp.sigmoid(x) - t), lambda _xp, d, _y, x, _t: -(d * x)],
    domain=[(-3, 3), (0, 1)], edges=[(0.0, 0.0), (0.0, 1.0), (1e4, 0.0), (-1e4, 1.0), (1e4, 1.0)],
    peer=lambda torch, x, t: torch.nn.functional.binary_cross_entropy_with_logits(
        *torch.broadcast_tensors(x, t), reduction="none"
    ),
)
