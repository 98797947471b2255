"""Saving a module's parameters and buffers by name, and loading them again."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

from gradkit.autograd import no_grad
from gradkit.engine.tensor import Tensor
from gradkit.nn.parameter import Parameter
from gradkit.nn.registration import Registration


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` could not match up: names the module has and the dictionary lacks, and the reverse.

    >>> nn.Linear(2, 3).load_state_dict({}, strict=False)
    _IncompatibleKeys(missing_keys=['weight', 'bias'], unexpected_keys=[])
    """

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"


class Persistence(Registration):
    """The part of :class:`gradkit.nn.Module` that reads and writes state dictionaries.

    A module with state that is not a Tensor overrides ``get_extra_state`` and ``set_extra_state``; it is then kept
    under the key ``_extra_state``.
    """

    def get_extra_state(self) -> Any:
        """Override with `set_extra_state` to keep more in the state dictionary than parameters and buffers.

        >>> class Named(nn.Module):
        ...     def get_extra_state(self):
        ...         return "a name"
        ...
        ...     def set_extra_state(self, state):
        ...         self.name = state
        >>> Named().state_dict()
        OrderedDict([('_extra_state', 'a name')])
        """
        raise NotImplementedError(f"{type(self).__name__} has extra state to load but no get_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """Override to take back what `get_extra_state` returned.

        >>> nn.Identity().set_extra_state(1)
        Traceback (most recent call last):
        NotImplementedError: Identity has extra state to load but no set_extra_state()
        """
        raise NotImplementedError(f"{type(self).__name__} has extra state to load but no set_extra_state()")

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """Parameters and persistent buffers by dotted name, here and below.

        The values are detached but share memory with the module: clone them to keep a copy. ``keep_vars`` gives the
        parameters themselves.

        >>> list(nn.Sequential(nn.Linear(2, 3)).state_dict())
        ['0.weight', '0.bias']
        """
        destination = OrderedDict() if destination is None else destination
        for name, tensor in self._saved_tensors():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if type(self).get_extra_state is not Persistence.get_extra_state:
            destination[prefix + "_extra_state"] = self.get_extra_state()
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        return destination

    def _saved_tensors(self) -> list[tuple[str, Tensor]]:
        """What this module itself, without those below, saves."""
        buffers = [(n, b) for n, b in self._buffers.items() if n not in self._non_persistent_buffers_set]
        return [(name, tensor) for name, tensor in (*self._parameters.items(), *buffers) if tensor is not None]

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Copy the values of a `state_dict` into this module's parameters and buffers.

        ``assign`` puts the given Tensors in place of the module's own instead of copying. Returns the names that did
        not match. TypeError for what is not a mapping, RuntimeError for values that are not Tensors or have
        another shape and, if ``strict``, for names that do not match; everything wrong is listed in one
        message, and nothing was loaded then.

        >>> trained, fresh = nn.Linear(2, 3), nn.Linear(2, 3)
        >>> fresh.load_state_dict(trained.state_dict())
        <All keys matched successfully>
        >>> bool((fresh.weight == trained.weight).all())
        True
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}")
        own = [
            (f"{path}.{name}" if path else name, module, name, tensor)
            for path, module in self.named_modules(remove_duplicate=False)
            for name, tensor in module._loadable()
        ]
        known = {key for key, *_ in own}
        missing = [key for key, *_ in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in known]
        found = [entry for entry in own if entry[0] in state_dict]
        problems = [text for key, _, _, tensor in found if (text := _mismatch(key, tensor, state_dict[key]))]
        if strict and unexpected:
            problems.insert(0, "Unexpected key(s) in state_dict: " + _quoted(unexpected))
        if strict and missing:
            problems.insert(0, "Missing key(s) in state_dict: " + _quoted(missing))
        if problems:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(problems))
        for key, module, name, tensor in found:
            module._load(name, tensor, state_dict[key], assign)
        return IncompatibleKeys(missing, unexpected)

    def _loadable(self) -> list[tuple[str, Tensor | None]]:
        """The names under which this module itself saves something, with the Tensors that stand there now."""
        entries: list[tuple[str, Tensor | None]] = [*self._saved_tensors()]
        if type(self).set_extra_state is not Persistence.set_extra_state:
            entries.append(("_extra_state", None))
        return entries

    def _load(self, name: str, tensor: Tensor | None, value: Any, assign: bool) -> None:
        if tensor is None:
            self.set_extra_state(value)
        elif assign:
            new_parameter = isinstance(tensor, Parameter) and not isinstance(value, Parameter)
            setattr(self, name, Parameter(value, tensor.requires_grad) if new_parameter else value)
        else:
            with no_grad():
                tensor.copy_(value)


def _mismatch(key: str, tensor: Tensor | None, given: Any) -> str | None:
    if tensor is None:
        return None
    if not isinstance(given, Tensor):
        return f'"{key}" is of {type(given)}, but a Tensor was expected; gradkit.from_numpy(array) makes one'
    if given.shape != tensor.shape:
        return (
            f"size mismatch for {key}: the state_dict has a Tensor of shape {given.shape}, the module one of shape {tensor.shape}"
        )
    return None


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
