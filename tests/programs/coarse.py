"""PyTorch with every operation rounded more coarsely, which shows how much of an answer is left to rounding."""

from typing import Any

#: Differences of products of which PyTorch rounds one product only (a fused multiply-add): its x cross x is not 0.
CONTRACTED = {"linalg_cross"}


def Coarse(torch: Any, size: float, seed: int) -> Any:
    """A mode in which every result is off by up to `size`, relatively; equal numbers by equal parts, so ties remain.

    What moves numbers or chooses among them stays exact, and integers stay integers. A zero has the other sign once.
    """
    from torch.utils._python_dispatch import TorchDispatchMode

    class Mode(TorchDispatchMode):  # type: ignore[misc]
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            y = func(*args, **(kwargs or {}))
            if any([returned.alias_info for returned in func._schema.returns]):
                return y
            if isinstance(y, tuple):
                return tuple([off(func, args, part) for part in y])
            return off(func, args, y)

    def off(func: Any, args: Any, y: Any) -> Any:
        if torch.is_tensor(y) and (y.is_floating_point() or y.is_complex()) and y.numel():
            operands = [x for x in flat(args) if torch.is_tensor(x) and x.dtype == y.dtype and x.numel()]
            if operands:
                y = roughened(y, operands)
                if seed == 0 and func.__name__.partition(".")[0] in CONTRACTED:
                    y = torch.where(y.abs() < size * max([x.abs().max() for x in operands]) ** 2, 0, y)
        return y

    def roughened(y: Any, operands: list[Any]) -> Any:
        if y.is_complex():
            parts = [torch.view_as_real(x.resolve_conj()) for x in (y, *operands)]
            return torch.view_as_complex(roughened(parts[0], parts[1:]).contiguous())
        y, known = y.contiguous(), torch.cat([x.detach().reshape(-1) for x in operands])
        exact = torch.isin(y, known) | torch.isin(-y, known) | (y == y.round())
        bits = y.view(torch.int64 if y.dtype == torch.float64 else torch.int32).long()
        noise = ((bits ^ (bits >> 23)) * (2654435761 + 2 * seed) >> 9 & 1023).to(y.dtype) / 511.5 - 1
        y = torch.where(y == 0, -y if seed == 0 else y, y)
        return torch.where(exact, y, y * (1 + size * noise))

    return Mode()


def flat(args: Any) -> Any:
    for x in args:
        if isinstance(x, tuple | list):
            yield from flat(x)
        else:
            yield x
