"""Optimizer: parameter groups, state, and the loop over parameters around each method's update rule.

The rules run on raw arrays, in place, and see a large parameter block by block, so that the several passes a rule makes
over its operands stay in the cache.
"""

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

import numpy as np

from gradkit.autograd import enable_grad
from gradkit.backend.protocol import backends, beside
from gradkit.engine import dtypes, inplace
from gradkit.engine.tensor import Tensor, wrap
from gradkit.optim import together
from gradkit.optim.pairs import paired

#: Elements of a block: the four or five float32 blocks that a rule touches stay in a second-level cache of 1 MB.
BLOCK = 1 << 16


class Optimizer:
    """Base class of optimisers.

    ``params`` is an iterable of leaf Tensors, or of dicts that have them under "params" and options of their own beside
    them; ``defaults`` are the options of those that do not say otherwise. A method overrides ``update``, the rule for
    one parameter, or ``step`` as a whole.

    TypeError for params that are no iterable of Tensors or dicts (a set has no order and is refused too),
    ValueError for an empty list, for a Tensor that is the result of an operation and for one in two groups.

    >>> class SignDescent(optim.Optimizer):
    ...     def __init__(self, params, lr=0.1):
    ...         super().__init__(params, {"lr": lr})
    ...
    ...     @gradkit.no_grad()
    ...     def step(self):
    ...         for group in self.param_groups:
    ...             for param in group["params"]:
    ...                 param.sub_(group["lr"] * param.grad.sign())
    >>> w = gradkit.tensor([1.0, -1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> SignDescent([w]).step()
    >>> w
    tensor([ 0.9000, -0.9000], requires_grad=True)
    """

    def __init__(self, params: Iterable[Any], defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, "
                f"but got {type(params).__name__}; write [tensor]"
            )
        self.defaults = defaults
        self.state: defaultdict[Tensor, dict[str, Any]] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._steps = 0
        given = list(_ordered(params))
        if not given:
            raise ValueError("optimizer got an empty parameter list")
        for group in given if isinstance(given[0], dict) else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Take on more parameters: a dict with "params", and the options in which they differ from the defaults.

        TypeError for what is not a dict of Tensors, ValueError for a Tensor that is in another group already or
        is the result of an operation.

        >>> body, head = nn.Linear(2, 2), nn.Linear(2, 1)
        >>> optimizer = optim.SGD(body.parameters(), lr=0.1)
        >>> optimizer.add_param_group({"params": head.parameters(), "lr": 1.0})
        >>> [group["lr"] for group in optimizer.param_groups]
        [0.1, 1.0]
        """
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        params = [params] if isinstance(params, Tensor) else list(_ordered(params))
        for param in params:
            if not isinstance(param, Tensor):
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {type(param).__name__}")
            if not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor: it is computed anew in each forward pass")
        if len(set(map(id, params))) < len(params):
            warnings.warn("optimizer contains a parameter group with duplicate parameters", stacklevel=3)
        taken = {id(p) for group in self.param_groups for p in group["params"]}
        if not taken.isdisjoint(map(id, params)):
            raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append({**self.defaults, **param_group, "params": params})

    # -- stepping
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change every parameter that has a gradient. Returns what ``closure``, run first with grad enabled, returns.

        >>> w = gradkit.tensor([1.0], requires_grad=True)
        >>> (3 * w).sum().backward()
        >>> optim.SGD([w], lr=0.1).step()
        >>> w
        tensor([0.7000], requires_grad=True)
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        if len(backends) > 1:
            together.check_places(self)
        self._steps += 1
        for group in self.param_groups:
            params = [param for param in group["params"] if param.grad is not None]
            if len(backends) > 1:
                params = together.left_over(self, params, group)
            for param in params:
                raw, grad, state = memory(param), param.grad.array, self.state[param]
                if raw.dtype.kind == "c":
                    raw, grad, state = paired(raw, grad, state)
                self.update(raw, grad, state, group)
                written(param)
        return loss

    def update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The rule: change the raw array ``param`` in place, given its gradient, its state and its group's options.

        Of a complex parameter the rule sees real numbers, in all three: real and imaginary parts side by side in a last axis.

        >>> class Descent(optim.Optimizer):
        ...     def update(self, param, grad, state, group):
        ...         param -= group["lr"] * grad
        >>> w = gradkit.tensor([1.0], requires_grad=True)
        >>> w.sum().backward()
        >>> Descent([w], {"lr": 0.5}).step()
        >>> w
        tensor([0.5000], requires_grad=True)
        """
        raise NotImplementedError(f"{type(self).__name__} has neither update() nor a step() of its own")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero if ``set_to_none`` is False.

        >>> w = gradkit.tensor([1.0], requires_grad=True)
        >>> w.sum().backward()
        >>> optim.SGD([w]).zero_grad()
        >>> w.grad is None
        True
        """
        for param in chain.from_iterable(group["params"] for group in self.param_groups):
            if set_to_none or param.grad is None:
                param.grad = None
            else:
                param.grad.detach_().zero_()

    # -- saving
    def state_dict(self) -> dict[str, Any]:
        """State and options as a dict of "state", by parameter number, and "param_groups", with numbers as "params".

        >>> w = gradkit.tensor([1.0], requires_grad=True)
        >>> w.sum().backward()
        >>> optimizer = optim.SGD([w], momentum=0.9)
        >>> optimizer.step()
        >>> optimizer.state_dict()["state"]
        {0: {'momentum_buffer': tensor([1.])}}
        """
        numbers = {id(p): n for n, p in enumerate(self._distinct_params())}
        groups = [{**group, "params": [numbers[id(p)] for p in group["params"]]} for group in self.param_groups]
        for group in groups:
            group["params"] = group.pop("params")  # last, as in PyTorch
        state = {numbers[id(key)] if isinstance(key, Tensor) else key: value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned, for parameters in the same order; Tensors of state are copied.

        ValueError where the groups differ in number or in size.

        >>> layer = nn.Linear(1, 1)
        >>> saved = optim.SGD(layer.parameters(), lr=0.5).state_dict()
        >>> optimizer = optim.SGD(layer.parameters(), lr=0.1)
        >>> optimizer.load_state_dict(saved)
        >>> optimizer.param_groups[0]["lr"]
        0.5
        """
        groups = state_dict["param_groups"]
        if len(groups) != len(self.param_groups):
            raise ValueError(
                "loaded state dict has a different number of parameter groups: "
                f"{len(groups)}, the optimizer has {len(self.param_groups)}"
            )
        for number, (own, loaded) in enumerate(zip(self.param_groups, groups, strict=True)):
            if len(own["params"]) != len(loaded["params"]):
                raise ValueError(
                    "loaded state dict contains a parameter group that doesn't match the size of optimizer's group: "
                    f"group {number} has {len(loaded['params'])} parameters, not {len(own['params'])}"
                )
        numbers = chain.from_iterable(group["params"] for group in groups)
        params = dict(zip(numbers, chain.from_iterable(g["params"] for g in self.param_groups), strict=True))
        self.state = defaultdict(dict)
        for key, value in state_dict["state"].items():
            param = params.get(key)
            if param is None:
                self.state[key] = value
            else:
                self.state[param] = {name: _state_like(param, name, entry) for name, entry in value.items()}
        self.param_groups = [{**loaded, "params": own["params"]} for own, loaded in zip(self.param_groups, groups, strict=True)]

    def _distinct_params(self) -> list[Tensor]:
        params = chain.from_iterable(group["params"] for group in self.param_groups)
        return list({id(p): p for p in params}.values())

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for number, group in enumerate(self.param_groups):
            lines += [""] * (number > 0) + [f"Parameter Group {number}"]
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([*lines, ")"])


class WithKernel(Optimizer):
    """One whose rule is also a `kernel`: `prepared` gives the state's arrays and the kernel's numbers, `apply` does the step."""

    prepared: Callable[..., tuple[list[Any], tuple[Any, ...]]]
    apply: Callable[..., None]

    def update(self, param: Any, grad: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        self.apply(param, grad, *self.prepared(param, state, group))


# -- what update rules are written with
def blocks(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Arrays of one shape in blocks that fit the cache together; as they are if small, strided or on a GPU."""
    first = arrays[0]
    if first.size <= BLOCK or not all(type(a) is np.ndarray and a.flags.c_contiguous for a in arrays):
        yield arrays
        return
    flat = [a.reshape(-1) for a in arrays]
    for start in range(0, first.size, BLOCK):
        yield tuple([a[start : start + BLOCK] for a in flat])


def directed(grad: Any, param: Any, group: dict[str, Any]) -> Any:
    """The gradient that a rule follows: turned round to maximise, with weight decay unless that is decoupled."""
    if group["maximize"]:
        grad = -grad
    if group["weight_decay"] and not group.get("decoupled_weight_decay"):
        grad = grad + group["weight_decay"] * param
    return grad


def begun(param: Any, state: dict[str, Any], *names: str) -> tuple[int, list[Any]]:
    """The number of this step, counted in the state, and the arrays of these names there, which start as zeros."""
    if "step" not in state:
        state["step"] = step_tensor()
    arrays = []
    for name in names:
        if name not in state:
            state[name] = zeros_for(param)
        arrays.append(state[name].array)
    count = state["step"].array
    count += 1
    return int(count), arrays


def step_tensor() -> Tensor:
    """A count of steps: a 0-d float32 Tensor, as in PyTorch."""
    return wrap(np.zeros((), np.float32))


def zeros_for(param: Any) -> Tensor:
    """State of a parameter's shape and dtype, filled with zeros."""
    return wrap(beside(param, "zeros", param.shape, param.dtype))


def memory(param: Tensor) -> Any:
    """A parameter's raw array, writable: a 0-d result is a NumPy scalar until somebody writes it."""
    if isinstance(param.array, np.generic):
        param.array = np.asarray(param.array)
    return param.array


def written(param: Tensor) -> None:
    """Tell the tape that a parameter's memory was changed behind its back."""
    inplace.written(param, "an optimizer step")


def checked(given: dict[str, Any]) -> dict[str, Any]:
    """What a constructor was given, its locals(), as it stands in a group, each option checked by its name.

    ValueError for one that is out of range. What chooses between PyTorch's implementations (foreach, fused, capturable)
    changes nothing here, and is kept so that a state dict can go to and fro. NotImplementedError for ``differentiable``,
    which asks for a step that the tape records.
    """
    options = {name: value for name, value in given.items() if name not in ("self", "params", "__class__")}
    for name, value in options.items():
        if name in _NOT_NEGATIVE and not float(value) >= 0:  # nan too
            raise ValueError(f"Invalid {_NOT_NEGATIVE[name]}: {value}")
    for index, beta in enumerate(options.get("betas", ())):
        if not 0 <= beta < 1:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")
    if options["differentiable"]:
        raise NotImplementedError("differentiable=True: write the update with ordinary operations to differentiate it")
    return options


_NOT_NEGATIVE = {"lr": "learning rate", "eps": "epsilon value"} | {
    name: f"{name} value"
    for name in ("alpha", "initial_accumulator_value", "lr_decay", "momentum", "momentum_decay", "rho", "weight_decay")
}


def _ordered(params: Any) -> Any:
    if isinstance(params, set | frozenset):
        raise TypeError("optimizer parameters need to be organized in ordered collections, but got a set; write a list")
    return params


def _state_like(param: Tensor, name: str, entry: Any) -> Any:
    """A loaded entry of a parameter's state: a copy in the parameter's dtype and place; counts are the host's."""
    if not isinstance(entry, Tensor):
        return entry
    own = entry.detach().clone()
    if name in ("step", "mu_product"):
        return own.cpu()
    return own.to(device=param.device, dtype=param.dtype if dtypes.is_floating(param.dtype) else own.dtype)
