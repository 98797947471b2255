"""Moving between devices: linear, and the way back is its transpose."""

from typing import Any

from gradkit.engine.device import CPU, device, moved
from gradkit.families import linear


def _places(x, target, source=None, non_blocking: bool = False) -> dict[str, Any]:
    return {"target": device(target), "source": source or x.device, "non_blocking": non_blocking}


to_device = linear(
    "to_device", lambda _xp, x, target, source, non_blocking: moved(x, target, non_blocking),
    [lambda xp, d, _y, _x, target, source, non_blocking: xp.to_device(d, target=source, source=target, non_blocking=False)],
    [((3, 4), {"target": CPU, "source": CPU, "non_blocking": False})], tidy=_places,
    batching=lambda _sizes, **params: params, structure="diagonal", title="ToCopyBackward0",
    peer=lambda torch, x, target, source, non_blocking: x.to("cpu", copy=True),
)
