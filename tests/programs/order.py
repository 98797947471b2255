"""PyTorch with every new result in row-major order: which order it chooses by itself, no documentation says."""

from typing import Any

#: What PyTorch 2.13 gets wrong of operands that lie in another order or share memory, from which operand on it then gets
#: copies of them: on the CPU, backward of batch_norm reads a strided weight as if it lay in one piece, and a write in place
#: reads what it has just written, if it lies where PyTorch does not look for an overlap.
MISREAD = {"batch_norm": 0, "__setitem__": 1}


def RowMajor(torch: Any) -> Any:
    """A mode in which a result that shares no memory with an operand is contiguous, so that `reshape` shows it."""
    from torch.overrides import TorchFunctionMode
    from torch.utils._pytree import tree_leaves, tree_map_only

    class Mode(TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            name = func.__name__
            first = MISREAD.get(name, 1 if name.endswith("_") and not name.endswith("__") else None)
            if first is not None:
                rest, kwargs = tree_map_only(torch.Tensor, copied, (args[first:], kwargs))
                args = (*args[:first], *rest)
            y = func(*args, **(kwargs or {}))
            known = {memory(x) for x in tree_leaves((args, kwargs)) if torch.is_tensor(x)}
            return tree_map_only(torch.Tensor, lambda t: t if memory(t) in known else t.contiguous(), y)

    def copied(x: Any) -> Any:
        return x.clone(memory_format=torch.contiguous_format)

    def memory(x: Any) -> int:
        return x.untyped_storage().data_ptr()

    return Mode()
