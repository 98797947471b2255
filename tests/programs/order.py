"""PyTorch with every new result in row-major order: which order it chooses by itself, no documentation says."""

from typing import Any

#: What PyTorch 2.13 differentiates wrongly of operands in another order (its CPU backward reads a strided weight as if it lay
#: in one piece): they get operands in row-major order too.
MISREAD = {"batch_norm"}


def RowMajor(torch: Any) -> Any:
    """A mode in which a result that shares no memory with an operand is contiguous, so that `reshape` shows it."""
    from torch.overrides import TorchFunctionMode
    from torch.utils._pytree import tree_leaves, tree_map_only

    class Mode(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if func.__name__ in MISREAD:
                args, kwargs = tree_map_only(torch.Tensor, lambda t: t.contiguous(), (args, kwargs))
            y = func(*args, **(kwargs or {}))
            known = {memory(x) for x in tree_leaves((args, kwargs)) if torch.is_tensor(x)}
            return tree_map_only(torch.Tensor, lambda t: t if memory(t) in known else t.contiguous(), y)

    def memory(x: Any) -> int:
        return x.untyped_storage().data_ptr()

    return Mode()
