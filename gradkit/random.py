"""Random tensors. On the CPU the stream of `manual_seed(s)` is PyTorch's, so that a notebook prints the same digits."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np

from gradkit import errors
from gradkit.backend.protocol import backends, beside
from gradkit.backend.rng import Generator, default_generator
from gradkit.creation import pinned, shape_from
from gradkit.engine import batching, dtypes, inplace, modes
from gradkit.engine.device import backend_for, device as Device, wanted
from gradkit.engine.naming import named
from gradkit.engine.operands import on_one_device
from gradkit.engine.tensor import Tensor, wrap

__all__ = [
    "Generator", "bernoulli", "default_generator", "fork_rng", "get_rng_state", "initial_seed", "manual_seed", "multinomial",
    "normal", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "randperm", "seed",
    "set_rng_state",
]


def manual_seed(seed: int) -> Generator:
    """Start the default streams, the CPU's and the GPUs', anew from `seed`, and return the CPU's generator.

    ValueError if `seed` is no number, or outside [-2**63, 2**64).

    >>> generator = gradkit.manual_seed(42)
    >>> gradkit.rand(2)
    tensor([0.8823, 0.9150])
    """
    seed = int(seed)
    generator = default_generator.manual_seed(seed)
    if "cuda" in backends:
        backends["cuda"].seed_all(seed)
    return generator


def seed() -> int:
    """Start the default stream anew from a seed of the operating system's, and return that seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default stream started from.

    >>> generator = gradkit.manual_seed(7)
    >>> gradkit.initial_seed()
    7
    """
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """The state of the default stream, as a uint8 tensor for `set_rng_state`."""
    return wrap(default_generator.get_state())


def set_rng_state(new_state: Tensor) -> None:
    """Go on from a state that `get_rng_state` gave.

    >>> state = gradkit.get_rng_state(); first = gradkit.rand(2)
    >>> gradkit.set_rng_state(state); gradkit.equal(first, gradkit.rand(2))
    True
    """
    default_generator.set_state(np.asarray(new_state.array))


def stream_for(generator: Generator | None, place: Any) -> Generator:
    """The generator to draw from on a device: the one given, or the device's own.

    RuntimeError for one of another device, and inside a vmap that allows no random numbers.
    """
    if modes.local.batches and modes.local.randomness == "error":
        raise RuntimeError(
            "vmap: called random operation while in randomness error mode. Please either use the 'same' or 'different' "
            "randomness flags on vmap or perform the randomness operation out of vmap"
        )
    kind = "cpu" if place is None else place.type
    if generator is None:
        return default_generator if kind == "cpu" else backend_for(place).generator(place.index)
    if not isinstance(generator, Generator):
        raise TypeError(f"argument 'generator' must be a gradkit.Generator, not {type(generator).__name__}")
    own = generator.device
    if own.type != kind:
        raise RuntimeError(
            f"Expected a '{kind}' device type for generator but found '{own.type}'; write gradkit.Generator('{kind}')"
        )
    if place is not None and None not in (own.index, place.index) and own.index != place.index:
        raise RuntimeError(f"the generator is on {own}, and the tensor to be on {place}; write gradkit.Generator('{place}')")
    return generator


def drawn(
    draw: Callable[[Generator, tuple[int, ...]], Any], shape: tuple[int, ...], generator: Generator | None = None,
    place: Any = None,
) -> Tensor:
    """A tensor of random numbers; inside a vmap with randomness "different", another draw for each sample."""
    stream = stream_for(generator, place)
    if modes.local.batches and modes.local.randomness == "different":
        levels, sizes = zip(*modes.local.batches)
        return wrap(draw(stream, (*sizes, *shape)), batch=tuple(levels))
    return wrap(draw(stream, shape))


def _by_sample(generator: Generator | None, *xs: Tensor) -> list[Any]:
    """Raw arrays that line up with what `drawn` draws: with an axis for each vmap if any of `xs` is mapped."""
    stream_for(generator, xs[0].device)
    if not any([x.batch for x in xs]):
        return [x.array for x in xs]
    if modes.local.randomness == "same":
        raise RuntimeError(
            "Vmap does not currently support same randomness with a batched tensor input: draw the numbers outside, or "
            'use randomness="different"'
        )
    levels, rank = [level for level, _ in modes.local.batches], max([x.ndim for x in xs])
    return [x.array.reshape(batching.aligned(x, levels, rank)) for x in xs]


def _made(
    draw: Callable[[Generator, tuple[int, ...]], Any], shape: Any, generator: Any, device: Any, requires_grad: bool,
    pin_memory: bool = False,
) -> Tensor:
    t = drawn(draw, shape, generator, wanted(device))
    if pin_memory:
        t = wrap(pinned(t.array), batch=t.batch)
    return t.requires_grad_() if requires_grad else t


def _floating(dtype: Any) -> Any:
    return dtypes.get_default_dtype() if dtype is None else dtypes.known(dtype)


def rand(
    *sizes: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers spread evenly over [0, 1), of the given size: ``rand(2, 3)`` or ``rand((2, 3))``.

    TypeError without a size, RuntimeError for a negative one.

    >>> generator = gradkit.manual_seed(0)
    >>> gradkit.rand(2)
    tensor([0.4963, 0.7682])
    """
    shape, kind = shape_from("rand", sizes, size), _floating(dtype)
    return _made(lambda g, s: g.uniform(s, kind), shape, generator, device, requires_grad, pin_memory)


def randn(
    *sizes: Any, size: Any = None, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False,
    pin_memory: bool = False,
) -> Tensor:
    """Numbers from the normal distribution with mean 0 and variance 1, of the given size.

    TypeError without a size, RuntimeError for a negative one.

    >>> generator = gradkit.manual_seed(0)
    >>> gradkit.randn(2)
    tensor([ 1.5410, -0.2934])
    """
    shape, kind = shape_from("randn", sizes, size), _floating(dtype)
    return _made(lambda g, s: g.normal(s, kind), shape, generator, device, requires_grad, pin_memory)


def randint(
    low: Any = 0, high: Any = None, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:
    """Integers from [low, high), int64 unless `dtype` says otherwise: ``randint([low,] high, size)``.

    RuntimeError unless low < high.

    >>> generator = gradkit.manual_seed(0)
    >>> gradkit.randint(10, (3,))
    tensor([4, 9, 3])
    """
    if size is None:
        low, high, size = 0, low, high
    if isinstance(size, int) or size is None:
        raise TypeError(f"randint(): argument 'size' must be tuple of ints, not {type(size).__name__}")
    shape, kind = shape_from("randint", (size,)), dtypes.known(np.int64 if dtype is None else dtype)
    return _made(lambda g, s: g.randint(low, high, s, kind), shape, generator, device, requires_grad)


def randperm(
    n: int, *, generator: Generator | None = None, dtype: Any = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """The numbers 0 to n - 1 in random order, int64 unless `dtype` says otherwise.

    >>> generator = gradkit.manual_seed(0)
    >>> gradkit.randperm(4)
    tensor([0, 1, 3, 2])
    """
    kind = dtypes.known(np.int64 if dtype is None else dtype)
    return _made(lambda g, s: _repeated(lambda: g.randperm(n, kind), s[:-1]), (n,), generator, device, requires_grad)


def _repeated(draw: Callable[[], Any], sizes: tuple[int, ...]) -> Any:
    if not sizes:
        return draw()
    found = [draw() for _ in range(math.prod(sizes))]
    return beside(found[0], "stack", found).reshape(*sizes, *found[0].shape)


def rand_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`rand` of the shape and dtype of `input`.

    >>> gradkit.rand_like(gradkit.zeros(2, 3)).shape
    gradkit.Size([2, 3])
    """
    place = input.device if device is None else device
    return rand(tuple(input.shape), dtype=dtype or input.dtype, device=place, requires_grad=requires_grad)


def randn_like(input: Tensor, *, dtype: Any = None, device: Any = None, requires_grad: bool = False) -> Tensor:
    """`randn` of the shape and dtype of `input`.

    >>> gradkit.randn_like(gradkit.zeros(2, 3)).shape
    gradkit.Size([2, 3])
    """
    place = input.device if device is None else device
    return randn(tuple(input.shape), dtype=dtype or input.dtype, device=place, requires_grad=requires_grad)


def randint_like(input: Tensor, low: int, high: int | None = None, *, dtype: Any = None, device: Any = None) -> Tensor:
    """`randint` of the shape and dtype of `input`.

    >>> gradkit.randint_like(gradkit.zeros(2), 5).dtype
    dtype('float32')
    """
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, tuple(input.shape), dtype=dtype or input.dtype, device=input.device if device is None else device)


def bernoulli(input: Tensor, p: float | None = None, *, generator: Generator | None = None) -> Tensor:
    """Ones with the probabilities in `input` (or all with probability `p`), else zeros; without a gradient.

    RuntimeError for a probability outside [0, 1].

    >>> gradkit.bernoulli(gradkit.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    probabilities = _by_sample(generator, input)[0] if p is None else p
    return drawn(lambda g, s: g.bernoulli(probabilities, s, input.dtype), tuple(input.shape), generator, input.device)


@on_one_device
def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Generator | None = None, dtype: Any = None,
    device: Any = None, requires_grad: bool = False,
) -> Tensor:
    """Normal numbers; `mean` and `std` are tensors that broadcast, or numbers with a `size`.

    RuntimeError for a negative `std`, TypeError if both are numbers and there is no `size`.

    >>> gradkit.normal(5.0, 0.0, (2,))
    tensor([5., 5.])
    """
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if not tensors:
        if size is None:
            raise TypeError("normal(): two numbers need a size; write e.g. normal(0.0, 1.0, (2, 3))")
        shape, kind = shape_from("normal", (size,)), _floating(dtype)
        return _made(lambda g, s: g.normal(s, kind, mean, std), shape, generator, device, requires_grad)
    if (isinstance(std, Tensor) and not std.is_cuda and np.any(std.array < 0)) or (not isinstance(std, Tensor) and std < 0):
        raise RuntimeError("normal expects all elements of std >= 0.0")
    try:
        shape = np.broadcast_shapes(*[tuple(x.shape) for x in tensors])
    except ValueError as reason:
        raise errors.unfit("normal", tensors, reason) from None
    raws = iter(_by_sample(generator, *tensors))
    mean, std = [next(raws) if isinstance(x, Tensor) else x for x in (mean, std)]
    kind = tensors[0].dtype
    place = tensors[0].device if device is None else device
    return _made(lambda g, s: (g.normal(s, kind) * std + mean).astype(kind), shape, generator, place, requires_grad)


@on_one_device
def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Generator | None = None) -> Tensor:
    """Indices drawn with the weights in `input`, int64: (num_samples,) from (n,), or (m, num_samples) from (m, n).

    RuntimeError for negative weights, and for more samples than weights without `replacement`.

    >>> gradkit.multinomial(gradkit.tensor([0.0, 1.0]), 2, replacement=True)
    tensor([1, 1])
    """
    (raw,) = _by_sample(generator, input)
    raw = np.asarray(raw) if isinstance(raw, np.generic) else raw

    def draw(g: Generator, shape: tuple[int, ...]) -> Any:
        if len(shape) <= max(input.ndim, 1):
            return g.multinomial(raw, num_samples, replacement)
        n = input.shape[-1]
        rows = beside(raw, "broadcast_to", raw, (*shape[:-1], n)).reshape(-1, n)
        return g.multinomial(rows, num_samples, replacement).reshape(shape)

    return drawn(draw, (*input.shape[:-1], num_samples), generator, input.device)


# -- in place
def _filler(name: str, draw: Callable[..., Any], doc: str) -> Callable[..., Tensor]:
    def fill(self: Tensor, *args: Any, generator: Generator | None = None, **kwargs: Any) -> Tensor:
        new = drawn(lambda g, s: draw(g, s, self.dtype, *args, **kwargs), tuple(self.shape), generator, self.device)
        return inplace.write(self, lambda _: new, name)

    return named(fill, name, doc)


def _between(g: Generator, shape: Any, dtype: Any, low: float = 0.0, high: float = 1.0, **bounds: float) -> Any:
    """PyTorch calls the bounds `from`, which is no name in Python, and `to`."""
    return g.uniform(shape, dtype, bounds.get("from", low), bounds.get("to", high))


def _any_integer(g: Generator, shape: Any, dtype: Any, start: int = 0, to: int | None = None) -> Any:
    low, high = (start, to) if to is not None else (0, start)
    if not high:
        high = min(np.iinfo(dtype).max, 2**62) if dtype.kind in "iu" else 2 ** (np.finfo(dtype).nmant + 1)
    return g.randint(low, high, shape, dtype)


def fork_rng(devices: Any = None, enabled: bool = True, device_type: str = "cuda") -> AbstractContextManager[None]:
    """A context that leaves the default streams where they were: what is drawn inside is not missed outside.

    The CPU's, and the GPUs': those in `devices`, indices or names, or all. With `enabled` False nothing is kept.
    RuntimeError for a device that there is none of; where no GPU is in use, none is asked for.

    >>> generator = gradkit.manual_seed(0)
    >>> with gradkit.random.fork_rng():
    ...     inside = gradkit.rand(1)
    >>> gradkit.equal(inside, gradkit.rand(1))
    True
    """
    return _forked(devices if device_type == "cuda" else ()) if enabled else nullcontext()


@contextmanager
def _forked(devices: Any) -> Iterator[None]:
    states = [(stream, stream.get_state()) for stream in _streams(devices)]
    try:
        yield
    finally:
        for stream, state in states:
            stream.set_state(state)
        for stream in _streams(devices)[len(states):]:  # of GPUs that were first used inside
            stream.manual_seed(initial_seed())


def _streams(devices: Any) -> list[Generator]:
    """The default streams of the CPU, and of these GPUs, or all, if any is in use."""
    if "cuda" not in backends:
        return [default_generator]
    cuda: Any = backends["cuda"]
    indices = range(cuda.count) if devices is None else [Device(place).index for place in devices]
    return [default_generator, *map(cuda.generator, indices)]


METHODS = {"bernoulli": bernoulli, "multinomial": multinomial}
FILLERS = {
    name: _filler(name, draw, f"Fill this tensor with {what}, in place; returns it.")
    for name, draw, what in (
        ("uniform_", _between, "numbers spread evenly over [0, 1), or the given bounds"),
        ("normal_", lambda g, s, d, mean=0.0, std=1.0: g.normal(s, d, mean, std), "normal numbers of a mean and std"),
        ("bernoulli_", lambda g, s, d, p=0.5: g.bernoulli(p.array if isinstance(p, Tensor) else p, s, d),
         "ones with probability p, else zeros"),
        ("exponential_", lambda g, s, d, lambd=1.0: g.exponential(s, d, lambd), "exponential numbers of a rate"),
        ("random_", _any_integer, "integers from [0, to) or [from, to)"),
    )
}
