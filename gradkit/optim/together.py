"""Steps of many parameters in one launch, where their backend has a kernel for the method."""

from collections import defaultdict
from functools import cache
from typing import Any

from gradkit.backend.protocol import Backend, backend_of
from gradkit.engine import inplace
from gradkit.engine.device import device_of
from gradkit.engine.tensor import Tensor


def left_over(optimizer: Any, params: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
    """Change those parameters of a group that a kernel can; the others."""
    name = kernel_of(optimizer.__class__)
    if name is None:
        for param in params:
            check_places(param, optimizer.state[param])
        return params
    left: list[Tensor] = []
    jobs: defaultdict[Any, list[Any]] = defaultdict(list)
    for param in params:
        raw = param.array
        backend = backend_of(raw)
        kernel: Any = backend.kernel(name)
        if kernel is None:
            check_places(param, optimizer.state[param])
            left.append(param)
            continue
        grad: Any = param.grad
        arrays, numbers = optimizer.prepared(raw, optimizer.state[param], group)
        operands = [raw, grad.array, *arrays]
        alike = (raw.dtype, numbers) if kernel.serves(operands) else None
        if alike is None:
            check_places(param, optimizer.state[param])
        jobs[backend, backend.index_of(raw), alike].append((param, operands, numbers))
    for (backend, index, alike), found in jobs.items():
        with backend.on(index):
            change(optimizer, backend, name, found, together=alike is not None)
    return left


def check_places(param: Tensor, state: dict[str, Any]) -> None:
    """RuntimeError if an array of its state is on another device than a parameter, which has been moved since."""
    for name, value in state.items():
        raw = getattr(value, "array", value)
        if getattr(raw, "ndim", 0) and device_of(raw) != param.device:
            raise RuntimeError(
                f"an optimizer's {name!r} is on {device_of(raw)}, and its parameter of shape {tuple(param.shape)} on "
                f"{param.device}: move the parameters before they are given to the optimizer, or, after the move, write "
                "optimizer.load_state_dict(optimizer.state_dict())"
            )


def change(optimizer: Any, backend: Backend, name: str, found: list[Any], together: bool) -> None:
    """By the kernel, or one by one by the rule."""
    kernel: Any = backend.kernel(name)
    if not together or not kernel([operands for _, operands, _ in found], found[0][2]):
        for _, (param, grad, *arrays), numbers in found:
            optimizer.apply(param, grad, arrays, numbers)
    for param, _, _ in found:
        inplace.written(param, "an optimizer step")


@cache
def kernel_of(method: Any) -> str | None:
    """The kernel of the class that has the rule: a subclass with a rule of its own has none."""
    ruling = next(c for c in method.__mro__ if {"update", "prepared", "apply"} & vars(c).keys())
    found: str | None = vars(ruling).get("kernel")
    return found
