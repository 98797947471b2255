"""Steps of many parameters in one launch, where their backend has a kernel for the method."""

from collections import defaultdict
from functools import cache
from typing import Any

from gradkit.backend.protocol import Backend, backend_of
from gradkit.engine import inplace
from gradkit.engine.device import device_of
from gradkit.engine.tensor import Tensor
from gradkit.optim.pairs import paired


def left_over(optimizer: Any, params: list[Tensor], group: dict[str, Any]) -> list[Tensor]:
    """Change those parameters of a group that a kernel can, and those that are on one of several devices; the others."""
    name: Any = kernel_of(optimizer.__class__)
    left: list[Tensor] = []
    jobs: defaultdict[Any, list[Any]] = defaultdict(list)
    for param in params:
        raw = param.array
        backend = backend_of(raw)
        kernel: Any = backend.kernel(name) if name else None
        if kernel is None and not backend.several:
            left.append(param)
            continue
        param_grad: Any = param.grad
        grad, state = param_grad.array, optimizer.state[param]
        if raw.dtype.kind == "c":
            raw, grad, state = paired(raw, grad, state)
        if kernel is None:
            with backend.on(backend.index_of(raw)):
                optimizer.update(raw, grad, state, group)
            inplace.written(param, "an optimizer step")
            continue
        arrays, numbers = optimizer.prepared(raw, state, group)
        operands = [raw, grad, *arrays]
        alike = (raw.dtype, numbers) if kernel.serves(operands) else None
        jobs[backend, backend.index_of(raw), alike].append((param, operands, numbers))
    for (backend, index, alike), found in jobs.items():
        with backend.on(index):
            change(optimizer, backend, name, found, together=alike is not None)
    return left


def check_places(optimizer: Any) -> None:
    """RuntimeError if a gradient or an array of the state is on another device than its parameter, moved since."""
    for param in [param for group in optimizer.param_groups for param in group["params"] if param.grad is not None]:
        raw = param.array
        one_device = not backend_of(raw).several
        for name, value in {"grad": param.grad, **optimizer.state.get(param, {})}.items():
            other = getattr(value, "array", value)
            if (type(other) is type(raw) and one_device) or not getattr(other, "ndim", 0) or device_of(other) == param.device:
                continue
            remedy = "optimizer.zero_grad()" if name == "grad" else "optimizer.load_state_dict(optimizer.state_dict())"
            raise RuntimeError(
                f"an optimizer's {name!r} is on {device_of(other)}, and its parameter of shape {tuple(param.shape)} on "
                f"{param.device}: move the parameters before they are given to the optimizer, or, after the move, write {remedy}"
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
