"""The streams of random numbers of GPUs."""

from collections.abc import Iterable
from typing import Any

from gradkit.cuda.devices import backend, device_count, index_of, is_available
from gradkit.engine.tensor import Tensor, wrap


def manual_seed(seed: int) -> None:
    """Start the stream of the current GPU anew from `seed`; nothing happens where there is no GPU.

    >>> gradkit.cuda.manual_seed(0)
    """
    if is_available():
        backend().generator().manual_seed(seed)


def manual_seed_all(seed: int) -> None:
    """Start the streams of all GPUs anew from `seed`; nothing happens where there is none.

    >>> gradkit.cuda.manual_seed_all(0)
    """
    if is_available():
        backend().seed_all(seed)


def initial_seed() -> int:
    """The seed that the stream of the current GPU started from.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.manual_seed(7)
    ...     assert gradkit.cuda.initial_seed() == 7
    """
    return int(backend().generator().initial_seed())


def get_rng_state(device: Any = "cuda") -> Tensor:
    """Where the stream of a GPU stands, as a uint8 tensor on the CPU for `set_rng_state`.

    >>> if gradkit.cuda.is_available():
    ...     state = gradkit.cuda.get_rng_state()
    """
    return wrap(backend().generator(index_of(device)).get_state())


def set_rng_state(new_state: Tensor, device: Any = "cuda") -> None:
    """Go on from a state that `get_rng_state` gave.

    >>> if gradkit.cuda.is_available():
    ...     gradkit.cuda.set_rng_state(gradkit.cuda.get_rng_state())
    """
    backend().generator(index_of(device)).set_state(new_state.numpy())


def get_rng_state_all() -> list[Tensor]:
    """`get_rng_state` of every GPU; an empty list where there is none.

    >>> len(gradkit.cuda.get_rng_state_all()) == gradkit.cuda.device_count()
    True
    """
    return [get_rng_state(index) for index in range(device_count())]


def set_rng_state_all(new_states: Iterable[Tensor]) -> None:
    """`set_rng_state` of every GPU, from what `get_rng_state_all` gave.

    >>> gradkit.cuda.set_rng_state_all(gradkit.cuda.get_rng_state_all())
    """
    for index, state in enumerate(new_states):
        set_rng_state(state, index)
