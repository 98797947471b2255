"""vmap: a function of one sample as a function of a batch of them, all at once."""

import functools
from collections.abc import Callable
from typing import Any

from gradkit.engine import batching, modes
from gradkit.engine.tensor import Tensor
from gradkit.errors import type_of
from gradkit.func import chunks, tree
from gradkit.ops import shaping


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
    chunk_size: int | str | None = None,
) -> Callable[..., Any]:
    """A function that maps `func` over an axis of its arguments, without a loop.

    `in_dims` says which axis of each argument counts samples (None: all samples share it), as an int for all or nested
    like the arguments; `out_dims` where that axis stands in the results (None: the result is the same for all samples,
    and need not be a Tensor). Keyword arguments are shared by all samples. `chunk_size` samples are done at a
    time (None: all; "auto": as many as `set_memory_budget` allows). `randomness` is "error", "different" or "same":
    what random operations inside may do.

    ValueError if nothing is mapped, extents differ, `in_dims` or `out_dims` do not fit, or the function returns
    what is no Tensor; RuntimeError for another `randomness`, and where what the function does next depends on the data.

    >>> gradkit.func.vmap(gradkit.dot)(gradkit.ones(3, 2), gradkit.ones(3, 2))
    tensor([2., 2., 2.])
    """
    check_randomness(randomness)
    chunks.check(chunk_size, "vmap")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        if not args:
            raise ValueError("vmap: got no inputs, so there is nothing to map over")
        kind = tree.Kind()
        flat, spec = tree.flatten(args)
        leaves = [kind.taken(leaf) for leaf in flat]
        dims = tree.broadcast(_checked(in_dims), spec, "in_dims")
        size = _size(leaves, dims)
        fronted = [x if not d else shaping.movedim(x, d, 0) for x, d in zip(leaves, dims)]
        shape: dict[str, Any] = {}

        def call(inside: list[Any]) -> Any:
            return func(*tree.unflatten(inside, spec), **kwargs)

        def run(start: int, stop: int) -> list[Tensor]:
            whole = stop - start == size
            part = fronted if whole else [x if d is None else x[start:stop] for x, d in zip(fronted, dims)]
            return _run(call, part, dims, stop - start, randomness, out_dims, shape)

        mapped_over = [x for x, d in zip(fronted, dims) if d is not None]
        row_bytes = sum([x.array.nbytes for x in mapped_over]) // max(size, 1)
        if randomness == "same" and chunk_size is not None:
            run = chunks.repeating(run, mapped_over[0].device)
        outs = iter(chunks.in_chunks(run, size, chunk_size, mapped_over[0].device, row_bytes))
        ys = [shape["shared"][i] if d is None else _placed(next(outs), d) for i, d in enumerate(shape["places"])]
        return tree.unflatten([kind.given(y) for y in ys], shape["spec"])

    return mapped


def check_randomness(randomness: Any) -> None:
    """RuntimeError for what is not one of the three."""
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")


def _checked(in_dims: Any) -> Any:
    if type(in_dims) is int:
        return in_dims
    if isinstance(in_dims, tuple | list):
        return tuple(in_dims)
    raise ValueError(
        "vmap: expected in_dims to be an int or a tuple nested like the arguments, such as (0, None), got "
        f"{type(in_dims).__name__}: at least one argument must be mapped"
    )


def _run(call: Any, leaves: Any, dims: Any, size: int, randomness: str, out_dims: Any, shape: dict[str, Any]) -> Any:
    """The mapped outputs of `size` samples; `shape` learns how all outputs hang together, and what samples share."""
    level = modes.Level(modes.new_level())
    with modes.samples(level, size, randomness=randomness):
        ys, shape["spec"] = tree.flatten(call([x if d is None else batching.enter(x, level) for x, d in zip(leaves, dims)]))
        if shape["spec"] is None and isinstance(out_dims, tuple | list) and len(out_dims) == 1:
            (out_dims,) = out_dims
        places = shape["places"] = tree.broadcast(_tupled(out_dims), shape["spec"], "out_dims")
        shape["shared"] = {i: _shared(y, level) for i, (y, d) in enumerate(zip(ys, places)) if d is None}
        return [batching.leave(_sample(y), level, size) for y, d in zip(ys, places) if d is not None]


def _tupled(out_dims: Any) -> Any:
    return tuple(out_dims) if isinstance(out_dims, list) else out_dims


def _sample(y: Any) -> Tensor:
    if not isinstance(y, Tensor):
        raise ValueError(
            f"vmap: expected the function to return Tensors, got {type_of(y)}; write out_dims=None for an output "
            "that all samples share"
        )
    return y


def _shared(y: Any, level: int) -> Any:
    if isinstance(y, Tensor) and level in y._alike:
        return batching.single(y, (level,))
    if isinstance(y, Tensor) and level in y.batch:
        raise ValueError("vmap: an output differs between samples, so its out_dims cannot be None")
    return y


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
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {list(sizes.values())}"
        )
    return next(iter(sizes.values()))


def _placed(y: Tensor, dim: int) -> Tensor:
    return y if dim == 0 else shaping.movedim(y, 0, dim)
