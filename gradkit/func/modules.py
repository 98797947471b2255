"""Modules as functions of their parameters: what grad, vmap and the other transforms can differentiate and map over."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from gradkit.engine.tensor import Tensor, wrap
from gradkit.func.tree import lifted
from gradkit.ops import joining

_TABLES = ("_parameters", "_buffers")


def functional_call(
    module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:
    """``module(*args, **kwargs)`` with other Tensors in the places of its parameters and buffers.

    `parameter_and_buffer_dicts` maps names, as `named_parameters` and `named_buffers` give them, to Tensors or arrays;
    or is a tuple or list of such dictionaries. What is not named stays the module's own. `args` is a tuple, or the only
    argument. With `tie_weights` what is given for a parameter that has several names counts for all of them. With
    `strict` every name must be given and no other.

    ValueError for a name in two dictionaries, for tied names with different values and for what is no dictionary;
    RuntimeError for names that `strict` refuses; AttributeError for a name that the module does not have. After an error
    the module has its own parameters again.

    >>> layer, x = nn.Linear(2, 1, bias=False), gradkit.tensor([[1.0, 2.0]])
    >>> gradkit.func.functional_call(layer, {"weight": gradkit.tensor([[3.0, 4.0]])}, (x,))
    tensor([[11.]])
    >>> loss = lambda params: gradkit.func.functional_call(layer, params, (x,)).sum()
    >>> gradkit.func.grad(loss)(dict(layer.named_parameters()))
    {'weight': tensor([[1., 2.]])}
    """
    given = _merged(parameter_and_buffer_dicts)
    places = _places(module)
    _check_names(module, given, places, tie_weights, strict)
    if tie_weights:
        given = _tied(given, places)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _swapped(given, places):
        return module(*args, **(kwargs or {}))


def _merged(dicts: Any) -> dict[str, Any]:
    if isinstance(dicts, Mapping):
        return dict(dicts)
    if not isinstance(dicts, Sequence) or not all([isinstance(one, Mapping) for one in dicts]):
        raise ValueError(
            "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, but got "
            f"{type(dicts).__name__}: give dict(module.named_parameters()), say"
        )
    merged: dict[str, Any] = {}
    for one in dicts:
        for name, value in one.items():
            if name in merged:
                raise ValueError(f"{name} appeared in multiple dictionaries; behavior of functional call is ambiguous")
            merged[name] = value
    return merged


def _places(module: Any, prefix: str = "") -> dict[str, tuple[dict[str, Any], str]]:
    """For every name of a parameter or buffer the table that it stands in, and its name there."""
    found = {f"{prefix}{name}": (vars(module)[t], name) for t in _TABLES for name in vars(module)[t]}
    for name, child in module._modules.items():
        if child is not None:
            found.update(_places(child, f"{prefix}{name}."))
    return found


def _check_names(module: Any, given: Any, places: Any, tie_weights: bool, strict: bool) -> None:
    unexpected = [name for name in given if name not in places]
    if strict:
        known = set(_tied(given, places) if tie_weights else given)
        missing = [name for name, (table, key) in places.items() if name not in known and table[key] is not None]
        if unexpected or missing:
            raise RuntimeError(
                f"Error(s) in loading state for {type(module).__name__}: unexpected key(s) {unexpected}, missing key(s) "
                f"{missing}; strict=True wants every name of named_parameters() and named_buffers() and no other"
            )
    if unexpected:
        names = ", ".join(places) or "none"
        raise AttributeError(f"{type(module).__name__} has no parameter or buffer {unexpected[0]!r}; it has {names}")


def _tied(given: dict[str, Any], places: Any) -> dict[str, Any]:
    """What is given, under all names of the same Tensor."""
    names: dict[int, list[str]] = {}
    for name, (table, key) in places.items():
        if table[key] is not None:
            names.setdefault(id(table[key]), []).append(name)
    whole = dict(given)
    for alike in names.values():
        values = {id(given[name]): given[name] for name in alike if name in given}
        if len(values) > 1:
            raise ValueError(f"functional_call: the names {alike} are tied, but got different values for them")
        for value in values.values():
            whole.update(dict.fromkeys(alike, value))
    return whole


@contextmanager
def _swapped(given: dict[str, Any], places: Any) -> Iterator[None]:
    before = [(places[name], places[name][0][places[name][1]]) for name in given]
    try:
        for name, value in given.items():
            table, key = places[name]
            table[key] = value if value is None else lifted(value)
        yield
    finally:
        for (table, key), value in before:
            table[key] = value


def replace_all_batch_norm_modules_(root: Any) -> Any:
    """Take running statistics away from the normalisations in a module, which vmap cannot write; returns the module.

    >>> net = gradkit.func.replace_all_batch_norm_modules_(nn.Sequential(nn.BatchNorm1d(2)))
    >>> gradkit.vmap(net)(gradkit.ones(3, 4, 2)).shape
    gradkit.Size([3, 4, 2])
    """
    for module in root.modules():
        if hasattr(module, "track_running_stats"):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of alike modules, each stacked along a new first axis: an ensemble for vmap.

    Returns two dictionaries. The stacked parameters are leaves that require grad if those of the modules do.
    RuntimeError for no models, models of different classes or modes, and parameters of which only some require grad.

    >>> models = [nn.Linear(2, 3) for _ in range(4)]
    >>> params, buffers = gradkit.func.stack_module_state(models)
    >>> call = lambda params, x: gradkit.func.functional_call(models[0], params, (x,))
    >>> gradkit.func.vmap(call, in_dims=(0, None))(params, gradkit.ones(5, 2)).shape
    gradkit.Size([4, 5, 3])
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if len({m.training for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if len({type(m) for m in models}) > 1:
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")
    every = [dict(m.named_parameters()) for m in models]
    params = {name: _stacked(name, [one[name] for one in every]) for name in every[0]}
    every = [dict(m.named_buffers()) for m in models]
    return params, {name: _stacked(name, [one[name] for one in every]) for name in every[0]}


def _stacked(name: str, tensors: list[Tensor]) -> Tensor:
    wanted = {t.requires_grad for t in tensors}
    if len(wanted) > 1:
        raise RuntimeError(f"stack_module_state: Expected {name} to require grad in all models or in none")
    stacked = joining.stack([wrap(t.array) for t in tensors])
    return stacked.requires_grad_() if wanted == {True} else stacked
