"""Module, the base class of every layer and model: what calling one does, its hooks, its modes and its printing."""

from collections.abc import Callable
from typing import Any, Self

from gradkit.engine.node import Handle
from gradkit.nn.backward_hooks import BackwardHooks
from gradkit.nn.conversion import Conversion
from gradkit.nn.persistence import Persistence

__all__ = ["Module"]

# A registered hook: the function, whether it wants keyword arguments, whether it also runs after an exception.
_Hook = tuple[Callable[..., Any], bool, bool]


class Module(Conversion, Persistence):
    """Base class of layers and models: assign parameters, buffers and submodules in ``__init__``, write ``forward``.

    Assigning an ``nn.Parameter`` or another Module to an attribute registers it, so that ``parameters()``, ``to()``,
    ``state_dict()`` and printing find it. ``super().__init__()`` comes first. Calling the module runs ``forward`` and
    the hooks.

    >>> class Scale(nn.Module):
    ...     def __init__(self, factor):
    ...         super().__init__()
    ...         self.factor = nn.Parameter(gradkit.tensor(factor))
    ...
    ...     def forward(self, input):
    ...         return self.factor * input
    >>> net = Scale(2.0)
    >>> net(gradkit.tensor([1.0, 2.0])).tolist()
    [2.0, 4.0]
    >>> [name for name, _ in net.named_parameters()]
    ['factor']
    """

    _forward_hooks: dict[int, _Hook]
    _forward_pre_hooks: dict[int, _Hook]
    _backward_hooks: dict[int, Callable[..., Any]]
    _backward_pre_hooks: dict[int, Callable[..., Any]]

    def __init__(self) -> None:
        super().__init__()
        self.__dict__.update(_forward_hooks={}, _forward_pre_hooks={}, _backward_hooks={}, _backward_pre_hooks={})

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; every subclass writes its own. NotImplementedError here.

        >>> nn.Module()(1)
        Traceback (most recent call last):
        NotImplementedError: Module [Module] is missing the required "forward" function
        """
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # -- calling
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks):
            return self.forward(*args, **kwargs)
        return self._call_with_hooks(args, kwargs)

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        pending = dict(self._forward_hooks)
        output = None
        try:
            args, kwargs = self._run_pre_hooks(args, kwargs)
            backward = BackwardHooks(self) if self._backward_hooks or self._backward_pre_hooks else None
            args = backward.inputs(args) if backward else args
            output = self.forward(*args, **kwargs)
            for key, (hook, with_kwargs, _) in self._forward_hooks.copy().items():
                pending.pop(key)
                result = hook(self, args, kwargs, output) if with_kwargs else hook(self, args, output)
                output = output if result is None else result
            output = backward.outputs(output) if backward else output
        except BaseException:
            for hook, with_kwargs, always in pending.values():
                if always:
                    _run_after_failure(hook, (self, args, kwargs, output) if with_kwargs else (self, args, output))
            raise
        return output

    def _run_pre_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        for hook, with_kwargs, _ in self._forward_pre_hooks.copy().values():
            result = hook(self, args, kwargs) if with_kwargs else hook(self, args)
            if result is None:
                continue
            if not with_kwargs:
                args = result if isinstance(result, tuple) else (result,)
            elif isinstance(result, tuple) and len(result) == 2:
                args, kwargs = result
            else:
                raise RuntimeError(
                    "a forward pre-hook registered with with_kwargs=True must return None or a tuple "
                    f"(new_args, new_kwargs), not {result!r}"
                )
        return args, kwargs

    def register_forward_pre_hook(self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False) -> Handle:
        """Run ``hook(module, args)`` before each ``forward``; what it returns, if not None, becomes the arguments.

        With ``with_kwargs`` it is called as ``hook(module, args, kwargs)`` and returns None or both.

        >>> layer = nn.Identity()
        >>> handle = layer.register_forward_pre_hook(lambda module, args: (args[0] * 10,))
        >>> layer(2)
        20
        """
        return _add_hook(self._forward_pre_hooks, (hook, with_kwargs, False), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> Handle:
        """Run ``hook(module, args, output)`` after each ``forward``; what it returns, if not None, becomes the output.

        With ``with_kwargs`` it is called as ``hook(module, args, kwargs, output)``; with ``always_call`` also when
        ``forward`` raised (the output is then None).

        >>> layer, seen = nn.Identity(), []
        >>> handle = layer.register_forward_hook(lambda module, args, output: seen.append(output))
        >>> layer(2), seen
        (2, [2])
        """
        return _add_hook(self._forward_hooks, (hook, with_kwargs, always_call), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Run ``hook(module, grad_input, grad_output)`` when the gradients of the inputs are there.

        Both are tuples, with None for what is no tensor or has no gradient; keyword arguments are not among the inputs.
        What it returns, if not None, replaces `grad_input`. Inputs and outputs must not be written in place then.

        >>> layer, seen = nn.Linear(1, 1), []
        >>> handle = layer.register_full_backward_hook(lambda module, grad_input, grad_output: seen.append(grad_output))
        >>> layer(gradkit.ones(1, 1)).sum().backward()
        >>> seen
        [(tensor([[1.]]),)]
        """
        return _add_hook(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """Run ``hook(module, grad_output)`` before gradients go through the module; what it returns replaces them."""
        return _add_hook(self._backward_pre_hooks, hook, prepend)

    # -- modes
    def train(self, mode: bool = True) -> Self:
        """Set training mode here and below: Dropout drops, BatchNorm uses and updates batch statistics.

        ValueError for a ``mode`` that is not a bool.

        >>> nn.Sequential(nn.Dropout()).train(False)[0].training
        False
        """
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {mode!r}")
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set evaluation mode here and below; the same as ``train(False)``.

        >>> nn.Dropout().eval()(gradkit.ones(2))
        tensor([1., 1.])
        """
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Set ``requires_grad`` of every parameter: ``False`` freezes the module.

        >>> nn.Linear(2, 3).requires_grad_(False).weight.requires_grad
        False
        """
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero if ``set_to_none`` is False.

        >>> layer = nn.Linear(1, 1)
        >>> layer.weight.sum().backward()
        >>> layer.zero_grad()
        >>> layer.weight.grad is None
        True
        """
        for param in self.parameters():
            if param.grad is None:
                continue
            if set_to_none:
                param.grad = None
            else:
                param.grad.detach_().zero_()

    # -- printing
    def extra_repr(self) -> str:
        """What stands between the parentheses when the module prints; layers override it.

        >>> nn.Linear(2, 3, bias=False).extra_repr()
        'in_features=2, out_features=3, bias=False'
        """
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        extra = self.extra_repr().splitlines()
        children = [f"({name}): {_indent(repr(module))}" for name, module in self._modules.items()]
        if not children and len(extra) <= 1:
            return f"{self._get_name()}({''.join(extra)})"
        return "\n  ".join([f"{self._get_name()}(", *extra, *children]) + "\n)"


def _add_hook(hooks: dict[int, Any], hook: Any, prepend: bool) -> Handle:
    before = dict(hooks)
    handle = Handle(hooks, hook)
    if prepend:  # the others leave and come back behind it
        for key, other in before.items():
            del hooks[key]
            hooks[key] = other
    return handle


def _indent(text: str) -> str:
    return text.replace("\n", "\n  ")


def _run_after_failure(hook: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        hook(*arguments)
    except Exception as error:
        import warnings

        warnings.warn(f"a forward hook registered with always_call=True raised: {error!r}", stacklevel=2)
