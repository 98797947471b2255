"""What a module holds: its parameters, buffers and submodules, by name, and the walk through the tree of modules."""

from collections.abc import Callable, Iterator
from typing import Any, Self

from gradkit.engine.tensor import Tensor
from gradkit.nn.parameter import Buffer, Parameter

_TABLES = ("_parameters", "_buffers", "_modules")


class Registration:
    """The part of :class:`gradkit.nn.Module` that notices assignments and lists what was assigned."""

    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]

    def __init__(self) -> None:
        # Straight into the dictionary: __setattr__ below looks these tables up.
        self.__dict__.update(training=True, _parameters={}, _buffers={}, _non_persistent_buffers_set=set(), _modules={})

    # -- attributes
    def __getattr__(self, name: str) -> Any:
        # Called only when the ordinary look-up found nothing.
        for table in _TABLES:
            entries = self.__dict__.get(table)
            if entries is not None and name in entries:
                return entries[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            self._make_way("_parameters", "parameters", name)
            self.register_parameter(name, value)
        elif isinstance(value, Registration):
            self._make_way("_modules", "module", name)
            self._modules[name] = value
        elif isinstance(value, Buffer):
            self._make_way("_buffers", "buffer", name)
            self.register_buffer(name, value, value.persistent)
        elif not self._replace(name, value):
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        for table in _TABLES:
            if name in self.__dict__.get(table, ()):
                del self.__dict__[table][name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[:1].isdigit())

    def _make_way(self, table: str, kind: str, name: str) -> None:
        """Before a parameter or a module goes into its table, take the name out of wherever it was."""
        if table not in self.__dict__:
            raise AttributeError(
                f"cannot assign {kind} before Module.__init__() call: {type(self).__name__}.__init__ must call "
                f"super().__init__() before it sets '{name}'"
            )
        for other in (self.__dict__, *(self.__dict__[t] for t in _TABLES if t != table)):
            other.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def _replace(self, name: str, value: Any) -> bool:
        """Assign to a registered name something that is neither Parameter nor Module. False: the name is not ours."""
        table = next((t for t in _TABLES if name in self.__dict__.get(t, ())), None)
        if table is None:
            return False
        if value is not None and not (table == "_buffers" and isinstance(value, Tensor)):
            kind, wanted = {
                "_parameters": ("parameter", "nn.Parameter or None; wrap a Tensor as nn.Parameter(tensor)"),
                "_buffers": ("buffer", "Tensor or None"),
                "_modules": ("child module", "nn.Module or None"),
            }[table]
            raise TypeError(f"cannot assign '{type(value).__name__}' as {kind} '{name}' (expected {wanted})")
        self.__dict__[table][name] = value
        return True

    # -- registration
    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under ``name``; ``None`` reserves the name (a layer without bias does so).

        TypeError for a value that is not a Parameter, KeyError for a name that is taken, empty or has a dot,
        ValueError for a Parameter that is the result of an operation.

        >>> layer = nn.Module()
        >>> layer.register_parameter("bias", None)
        >>> layer.bias is None, list(layer.parameters())
        (True, [])
        """
        self._check_name("parameter", "_parameters", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' "
                "(nn.Parameter or None required); wrap a Tensor as nn.Parameter(tensor)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(f"cannot assign a non-leaf Tensor to parameter '{name}': compute it in forward() instead")
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a Tensor that is state but no parameter, such as a running mean.

        It moves with ``to()`` and stands in ``state_dict()`` unless ``persistent=False``. TypeError for a value
        that is not a Tensor, KeyError for a name that is taken, empty or has a dot.

        >>> layer = nn.Module()
        >>> layer.register_buffer("mean", gradkit.zeros(2))
        >>> layer.state_dict()["mean"]
        tensor([0., 0.])
        """
        self._check_name("buffer", "_buffers", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (Tensor or None required)")
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: "Registration | None") -> None:
        """Add a submodule under ``name``, as ``self.name = module`` does; also called ``register_module``.

        TypeError for a value that is not a Module, KeyError for a name that is taken, empty or has a dot.

        >>> net = nn.Module()
        >>> net.add_module("head", nn.Linear(2, 1))
        >>> net.head
        Linear(in_features=2, out_features=1, bias=True)
        """
        if module is not None and not isinstance(module, Registration):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._check_name("module", "_modules", name)
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, kind: str, table: str, name: str) -> None:
        if table not in self.__dict__:
            raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string, got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f"{kind} name can't be empty")
        if hasattr(self, name) and name not in self.__dict__[table]:
            raise KeyError(f"attribute '{name}' already exists")

    # -- look-up by dotted name
    def get_submodule(self, target: str) -> Any:
        """The submodule at a dotted path; the empty path is the module itself. AttributeError if there is none.

        >>> net = nn.Sequential(nn.Sequential(nn.ReLU()))
        >>> net.get_submodule("0.0")
        ReLU()
        """
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}` (looking up {target!r})")
            module = getattr(module, name)
            if not isinstance(module, Registration):
                raise AttributeError(f"`{name}` is not an nn.Module (looking up {target!r})")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path. AttributeError if there is none.

        >>> nn.Sequential(nn.Linear(2, 3)).get_parameter("0.bias").shape
        gradkit.Size([3])
        """
        found: Parameter = self._get_entry("_parameters", "parameter", target)
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path. AttributeError if there is none.

        >>> nn.BatchNorm1d(2).get_buffer("running_mean")
        tensor([0., 0.])
        """
        found: Tensor = self._get_entry("_buffers", "buffer", target)
        return found

    def _get_entry(self, table: str, kind: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        entries = self.get_submodule(path).__dict__[table]
        if name not in entries:
            raise AttributeError(f"`{target}` is not a {kind} of {type(self).__name__}")
        return entries[name]

    # -- walking the tree
    def named_modules(
        self, memo: set[Any] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """Pairs (dotted name, module): this module first, then all below it, depth first.

        A module that occurs twice is given once unless ``remove_duplicate=False``.

        >>> [name for name, _ in nn.Sequential(nn.ReLU(), nn.Sequential(nn.Tanh())).named_modules()]
        ['', '0', '1', '1.0']
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Any]:
        """This module and all below it, each once.

        >>> sum(isinstance(m, nn.ReLU) for m in nn.Sequential(nn.ReLU(), nn.ReLU()).modules())
        2
        """
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Any]]:
        """Pairs (name, module) of the modules directly below this one, each once.

        >>> [name for name, _ in nn.ModuleDict({"a": nn.ReLU()}).named_children()]
        ['a']
        """
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Any]:
        """The modules directly below this one, each once.

        >>> list(nn.Sequential(nn.ReLU()).children())
        [ReLU()]
        """
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Pairs (dotted name, parameter) of this module and, if ``recurse``, of all below it.

        A parameter shared by two layers is given once unless ``remove_duplicate=False``.

        >>> [name for name, _ in nn.Sequential(nn.Linear(2, 3)).named_parameters()]
        ['0.weight', '0.bias']
        """
        return self._named_entries("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters, each once, in the order of `named_parameters`; what an optimiser is given.

        >>> sum(p.numel() for p in nn.Linear(2, 3).parameters())
        9
        """
        return (param for _, param in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Pairs (dotted name, buffer) of this module and, if ``recurse``, of all below it.

        >>> [name for name, _ in nn.BatchNorm1d(2).named_buffers()]
        ['running_mean', 'running_var', 'num_batches_tracked']
        """
        return self._named_entries("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers, each once, in the order of `named_buffers`.

        >>> len(list(nn.BatchNorm1d(2).buffers()))
        3
        """
        return (buffer for _, buffer in self.named_buffers(recurse=recurse))

    def _named_entries(self, table: str, prefix: str, recurse: bool, remove_duplicate: bool) -> Iterator[tuple[str, Any]]:
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        seen: set[int] = set()
        for path, module in modules:
            for name, value in module.__dict__[table].items():
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield f"{path}.{name}" if path else name, value

    def apply(self, fn: Callable[[Any], object]) -> Self:
        """Call ``fn`` on every module below and then on this one; what an initialiser of one's own is applied with.

        >>> _ = nn.Sequential(nn.ReLU(), nn.Tanh()).apply(print)
        ReLU()
        Tanh()
        Sequential(
          (0): ReLU()
          (1): Tanh()
        )
        """
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self
