"""vmap: a function of one sample as a function of a batch of them, all at once."""

import functools
from collections.abc import Callable
from typing import Any

from gradkit.engine import batching, modes
from gradkit.engine.tensor import Tensor
from gradkit.func import tree
from gradkit.ops import joining, shaping


def vmap(
    func: Callable[..., Any],
    in_dims: Any = 0,
    out_dims: Any = 0,
    randomness: str = "error",
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that maps `func` over an axis of its arguments, without a loop.

    `in_dims` says which axis of each argument counts samples (None: all samples share it), as an int for all or nested
    like the arguments; `out_dims` where that axis stands in the results. `chunk_size` samples are done at a time.
    `randomness` is "error", "different" or "same": what random operations inside may do.

    Raises ValueError if nothing is mapped or extents differ.

    >>> import gradkit
    >>> from gradkit.func import vmap
    >>> vmap(gradkit.dot)(gradkit.ones(3, 2), gradkit.ones(3, 2))
    tensor([2., 2., 2.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        kind = tree.Kind()
        leaves, spec = tree.flatten(args)
        leaves = [kind.taken(leaf) for leaf in leaves]
        dims = tree.broadcast(
            in_dims if isinstance(in_dims, int) or in_dims is None else tuple(in_dims), spec, "in_dims"
        )
        named, named_spec = tree.flatten(kwargs)
        leaves, dims = (
            leaves + [kind.taken(leaf) for leaf in named],
            dims + [0 if isinstance(x, Tensor) else None for x in named],
        )
        size = _size(leaves, dims)
        fronted = [_to_front(x, d) for x, d in zip(leaves, dims)]

        def run(part: list[Any], n: int) -> tuple[list[Any], Any]:
            return _run(func, part, dims, n, len(args) and spec, named_spec, randomness)

        if chunk_size is None or chunk_size >= size:
            outs, out_spec = run(fronted, size)
        else:
            outs, out_spec = _chunked(run, fronted, dims, size, chunk_size)
        places = tree.broadcast(out_dims if isinstance(out_dims, int) else tuple(out_dims), out_spec, "out_dims")
        return tree.unflatten([kind.given(_placed(y, d)) for y, d in zip(outs, places)], out_spec)

    return mapped


def _run(func: Any, leaves: Any, dims: Any, size: int, spec: Any, named_spec: Any, randomness: str) -> Any:
    level = modes.new_level()
    n_args = tree.count(spec) if spec != 0 else 0
    with modes.mode(lift=1, batches=(*modes.local.batches, (level, size)), randomness=randomness):
        inside = [x if d is None else batching.enter(x, level) for x, d in zip(leaves, dims)]
        args = tree.unflatten(inside[:n_args], spec) if n_args or spec else ()
        kwargs = tree.unflatten(inside[n_args:], named_spec)
        y = func(*args, **kwargs)
        outs, out_spec = tree.flatten(y)
        for one in outs:
            if not isinstance(one, Tensor):
                raise ValueError(
                    f"vmap({getattr(func, '__name__', 'func')}): expected the function to return Tensors, got "
                    f"{type(one).__name__}"
                )
        return [batching.leave(one, level, size) for one in outs], out_spec


def _size(leaves: Any, dims: Any) -> int:
    sizes = {}
    for i, (x, d) in enumerate(zip(leaves, dims)):
        if d is None:
            continue
        if not isinstance(x, Tensor):
            raise ValueError(f"vmap: in_dims says {d} for argument leaf {i}, which is {type(x).__name__}, not a Tensor")
        if not -x.ndim <= d < x.ndim:
            raise ValueError(f"vmap: in_dims says {d} for a Tensor of {x.ndim} axes, shape {tuple(x.shape)} (leaf {i})")
        sizes[i] = x.shape[d]
    if not sizes:
        raise ValueError("vmap: at least one argument must be mapped: in_dims has no axis for any Tensor")
    if len(set(sizes.values())) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{list(sizes.values())}"
        )
    return next(iter(sizes.values()))


def _to_front(x: Any, dim: Any) -> Any:
    return x if dim is None or dim == 0 else shaping.movedim(x, dim, 0)


def _placed(y: Tensor, dim: Any) -> Tensor:
    return y if dim == 0 else shaping.movedim(y, 0, dim)


def _chunked(run: Any, leaves: Any, dims: Any, size: int, chunk: int) -> tuple[list[Any], Any]:
    parts = []
    for start in range(0, size, chunk):
        stop = min(start + chunk, size)
        part = [x if d is None else x[start:stop] for x, d in zip(leaves, dims)]
        outs, spec = run(part, stop - start)
        parts.append(outs)
    return [joining.cat(pieces) for pieces in zip(*parts)], spec
