"""Sequential, ModuleList and ModuleDict: modules that hold modules."""

import operator
from collections.abc import Iterable, Iterator, KeysView, Mapping
from itertools import groupby
from typing import Any, Self

from gradkit.nn.module import Module

__all__ = ["ModuleDict", "ModuleList", "Sequential"]


class _Numbered(Module):
    """What Sequential and ModuleList share: children named "0", "1", ... in order, reached by number."""

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._of(list(self._modules.items())[index])
        return self._modules[self._key(index)]

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: Any) -> None:
        keys = list(self._modules)
        gone = keys[index] if isinstance(index, slice) else [self._key(index)]
        self._renumber([module for key, module in self._modules.items() if key not in gone])

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def _of(self, named: list[tuple[str, Any]]) -> Self:
        made = type(self).__new__(type(self))
        Module.__init__(made)
        made._renumber([module for _, module in named])
        return made

    def _key(self, index: int) -> str:
        """The name of the child at a place, which may count from the end."""
        place = operator.index(index)
        if not -len(self) <= place < len(self):
            raise IndexError(f"index {place} is out of range: the {type(self).__name__} holds {len(self)} modules")
        return list(self._modules)[place]

    def _renumber(self, modules: list[Any]) -> None:
        self._modules.clear()
        for number, module in enumerate(modules):
            self.add_module(str(number), module)

    def append(self, module: Module) -> Self:
        """Add a module at the end; returns the container.

        >>> nn.ModuleList().append(nn.ReLU())
        ModuleList(
          (0): ReLU()
        )
        """
        number = len(self)
        while str(number) in self._modules:  # a part of a Sequential has kept its numbers
            number += 1
        self.add_module(str(number), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add several modules at the end; returns the container. TypeError for what cannot be iterated.

        >>> len(nn.Sequential(nn.ReLU()).extend([nn.Tanh(), nn.ReLU()]))
        3
        """
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before the one at ``index``, as a list does; returns the container.

        >>> nn.ModuleList([nn.ReLU()]).insert(0, nn.Tanh())[0]
        Tanh()
        """
        if not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        modules = list(self)
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, key: int | slice) -> Any:
        """Take out the module at a place and return it. IndexError if there is none.

        >>> nn.ModuleList([nn.ReLU(), nn.Tanh()]).pop(-1)
        Tanh()
        """
        module = self[key]
        del self[key]
        return module

    def __add__(self, other: Iterable[Module]) -> Self:
        joined = self._of(list(self._modules.items()))
        return joined.extend(other)

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)


class Sequential(_Numbered):
    """Modules called one after the other, each on what the last one returned.

    Given as arguments they are named "0", "1", ...; given as one dict they keep its names. TypeError for an
    argument that is not a Module.

    >>> net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
    >>> net(gradkit.randn(5, 4)).shape
    gradkit.Size([5, 2])
    >>> net[1]
    ReLU()
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], Mapping):
            named = list(args[0].items())
        else:
            named = [(str(number), module) for number, module in enumerate(args)]
        for name, module in named:
            self.add_module(name, module)

    def _of(self, named: list[tuple[str, Any]]) -> Self:
        made = type(self).__new__(type(self))
        Module.__init__(made)
        for name, module in named:  # a part of a Sequential keeps its names
            made.add_module(name, module)
        return made

    def __delitem__(self, index: Any) -> None:
        keys = list(self._modules)
        for key in keys[index] if isinstance(index, slice) else [self._key(index)]:
            del self._modules[key]
        if all(key.isdigit() for key in keys):
            self._renumber(list(self))

    def forward(self, input: Any) -> Any:
        for module in self:
            input = module(input)
        return input


class ModuleList(_Numbered):
    """A list of modules; a module's own ``forward`` decides what to do with them.

    >>> nn.ModuleList([nn.Linear(2, 2) for _ in range(3)])
    ModuleList(
      (0-2): 3 x Linear(in_features=2, out_features=2, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def __repr__(self) -> str:
        if not self._modules:
            return f"{self._get_name()}()"
        lines = [f"{self._get_name()}("]
        start = 0
        for text, run in groupby(repr(module) for module in self):
            count = len(list(run))
            name = f"({start})" if count == 1 else f"({start}-{start + count - 1})"
            times = "" if count == 1 else f"{count} x "
            lines.append(f"{name}: {times}" + text.replace("\n", "\n  "))
            start += count
        return "\n  ".join(lines) + "\n)"


class Named(Module):
    """What ModuleDict and ParameterDict share: what is asked of a dictionary, in terms of its items."""

    def _names(self) -> dict[str, Any]:
        raise NotImplementedError

    def __len__(self) -> int:
        return len(self._names())

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __contains__(self, key: str) -> bool:
        return key in self._names()

    def __getitem__(self, key: str) -> Any:
        raise NotImplementedError

    def __setitem__(self, key: str, value: Any) -> None:
        raise NotImplementedError

    def __delitem__(self, key: str) -> None:
        raise NotImplementedError

    def clear(self) -> None:
        """Take out everything.

        >>> heads = nn.ModuleDict({"a": nn.ReLU()})
        >>> heads.clear()
        >>> len(heads)
        0
        """
        for key in list(self):
            del self[key]

    def pop(self, key: str) -> Any:
        """Take out one value and return it. If there is none, KeyError or, as in PyTorch, AttributeError of a ParameterDict.

        >>> nn.ModuleDict({"a": nn.ReLU()}).pop("a")
        ReLU()
        """
        value = self[key]
        del self[key]
        return value

    def keys(self) -> KeysView[str]:
        """The names.

        >>> list(nn.ModuleDict({"a": nn.ReLU()}).keys())
        ['a']
        """
        return self._names().keys()

    def values(self) -> Iterable[Any]:
        """The values.

        >>> list(nn.ModuleDict({"a": nn.ReLU()}).values())
        [ReLU()]
        """
        return [self[key] for key in self]

    def items(self) -> Iterable[tuple[str, Any]]:
        """Pairs (name, value).

        >>> list(nn.ModuleDict({"a": nn.ReLU()}).items())
        [('a', ReLU())]
        """
        return [(key, self[key]) for key in self]

    def update(self, values: Any) -> None:
        """Add values, or replace those of the same name, from a mapping or pairs.

        >>> heads = nn.ModuleDict({"a": nn.ReLU()})
        >>> heads.update([("b", nn.Tanh())])
        >>> list(heads)
        ['a', 'b']
        """
        for key, value in values.items() if isinstance(values, Mapping | Named) else values:
            self[key] = value


class ModuleDict(Named):
    """A dictionary of modules, in the order they were added. KeyError for a name that is taken or has a dot.

    >>> heads = nn.ModuleDict({"small": nn.Linear(2, 1), "large": nn.Linear(2, 9)})
    >>> heads["small"]
    Linear(in_features=2, out_features=1, bias=True)
    >>> list(heads)
    ['small', 'large']
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def _names(self) -> dict[str, Any]:
        return self._modules

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]
