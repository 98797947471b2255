"""Parameters as one vector and back."""

from collections.abc import Iterable

from gradkit.engine.tensor import Tensor
from gradkit.ops.joining import cat


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters, flattened and laid end to end; gradients flow through it.

    >>> nn.utils.parameters_to_vector(nn.Linear(2, 3).parameters()).shape
    gradkit.Size([9])
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Give each parameter its slice of ``vec``, in the order of `parameters_to_vector`; they then share its memory.

    TypeError if ``vec`` is no Tensor, RuntimeError if it is shorter than the parameters are together.

    >>> layer = nn.Linear(2, 1)
    >>> nn.utils.vector_to_parameters(gradkit.arange(3.0), layer.parameters())
    >>> layer.bias
    Parameter containing:
    tensor([2.], requires_grad=True)
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"expected a Tensor, but got {type(vec).__name__}")
    start = 0
    for param in parameters:
        stop = start + param.numel()
        if stop > vec.numel():
            raise RuntimeError(f"a vector of {vec.numel()} elements is too short for the parameters")
        param.data = vec[start:stop].reshape(param.shape).data
        start = stop
