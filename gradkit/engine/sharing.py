"""Writing in place under a transform: what its function shares with the code around it, and memory that samples share."""

import weakref
from types import FunctionType
from typing import Any

from gradkit.engine import batching, modes
from gradkit.engine.device import on_device_of
from gradkit.engine.lines import user_line
from gradkit.engine.operands import tensor_xp
from gradkit.engine.tensor import Tensor, wrap
from gradkit.engine.versions import owner, tick
from gradkit.engine.views import batched, chain, shown, turn, views_of

local = modes.local


class Surroundings:
    """The tensors that a function finds in its closure, its defaults and its globals. Looked up when first asked for."""

    __slots__ = ("_begin", "_found", "_function", "leaves")

    def __init__(self, function: Any, leaves: Any = ()) -> None:
        self._function, self._found, self._begin = function, None, tick()
        self.leaves = frozenset([leaf.node for leaf in leaves])  # what it differentiates at, in reverse mode

    def __contains__(self, x: Tensor) -> bool:
        if x.tangents or (x.node and x.node.seq < self._begin):
            return False  # made inside, and put there since
        if self._found is None:
            self._found = {}
            self._look_into(self._function, set())
        return id(x) in self._found

    def _look_into(self, thing: Any, seen: set[int]) -> None:
        if isinstance(thing, Tensor):
            for one in (thing, *(thing._view or ())[1:2]):
                self._found[id(one)] = one
            return
        if type(thing) is not FunctionType or id(thing) in seen:
            return
        seen.add(id(thing))
        cells = [_content(cell) for cell in thing.__closure__ or ()]
        named = [thing.__globals__.get(name) for name in thing.__code__.co_names]
        for part in [*cells, *(thing.__defaults__ or ()), *[one for one in named if type(one) is not FunctionType]]:
            self._look_into(part, seen)


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not yet bound
        return None


def check_own(x: Tensor, name: str, *values: Any) -> None:
    """Raise RuntimeError if values of a transform are about to be written into a tensor that its function closes over."""
    if local.both_ways and not local.grad:
        local.both_ways.without((x, *values))
    if not any([v.node is not None or v.tangents or v.batch for v in values if isinstance(v, Tensor)]):
        return
    root = x._view[1] if x._view else x
    if any([x in around or root in around for around in local.functions]):
        raise RuntimeError(
            f"During a grad (vjp, jvp, jacrev, ...) transform, {name} in {user_line()} would mutate a captured Tensor of "
            f"shape {tuple(x.shape)}, {x.dtype.name}, which outlives the transform: make it an argument of the function, "
            "write to a clone() of it, or return the value (has_aux=True)"
        )


def batched_like(x: Tensor, y: Tensor) -> Tensor:
    """`y` with exactly the batch axes of `x`; a sample's value cannot be written into memory all samples share."""
    if not set(y.batch) <= set(x.batch):
        raise shared_by_samples(x)
    return y + tensor_xp.zeros_like(x)


def shared_by_samples(x: Tensor) -> RuntimeError:
    return RuntimeError(
        f"vmap: an in-place operation, in {user_line()}, writes a batched value into a tensor of shape {tuple(x.shape)} "
        "that is not batched; make the tensor inside the function from a batched one, e.g. x.new_zeros(...) or "
        "zeros_like(x), or use the operation that is not in place"
    )


def spread(x: Tensor, y: Tensor) -> None:
    """Give the root of `x` new memory with the batch axes of `y`, where all it lacks are those of a transform's own tangents.

    What nobody asked to be batched must not fail for it. Samples will be no more alike than those of `y`.
    """
    root = x._view[1] if x._view else x
    lacking, views = {*y.batch} - {*root.batch}, views_of(root)
    batch, sizes = tuple(sorted({*root.batch, *lacking})), dict(local.batches)
    alike = batching.alike(batch, (root, y))
    if root._aliased and not {*root._alike} <= {*alike}:
        raise shared_by_samples(x)
    if not lacking <= {*local.hidden, *y._alike}:
        return
    for t in (root, *views) if root._alike or alike else ():
        t._alike = alike
    if not lacking:
        return
    with modes.mode(grad=True):
        whole = batching.align(wrap(root.array, root.node, None, root.batch), batch)
        whole = batching.expand(whole, tuple([sizes[level] for level in batch]) + tuple(root.shape))
    before = root.array, root.batch
    turn(root, whole.node, root.tangents)
    with on_device_of(root.array):
        root.array, root.batch = whole.array.copy(), batch
    for t in views:
        t.array, t.batch = shown(root.array, batched(root, chain(t))), batch
        if owner(t.array) is not owner(root.array):
            raise shared_by_samples(x)
    if local.spread is not None:
        local.spread.append((weakref.ref(root), *before))


class units(modes.samples):
    """The scope of a level for unit tangents or cotangents, of which user code knows nothing.

    What was spread along it and outlives it is one value again. RuntimeError, and the value it had before, if samples differ:
    a `backward` wrote its cotangents.
    """

    def __init__(self, level: modes.Level, count: int, **state: Any) -> None:
        super().__init__(level, count, hidden=(*local.hidden, level), spread=[], **state)

    def __exit__(self, *exception: object) -> None:
        (*_, level), spread = local.hidden, local.spread or ()
        super().__exit__(*exception)
        differ = None
        for ref, *before in spread:
            root = ref()
            if root is None or level not in root.batch:
                continue
            if level not in root._alike:
                differ = root
                become(root, *before)
                continue
            at = root.batch.index(level)
            with on_device_of(root.array):
                one = root.array[(*[slice(None)] * at, 0)].copy()
            become(root, one, (*root.batch[:at], *root.batch[at + 1 :]))
            if root.batch != before[1] and local.spread is not None:
                local.spread.append((ref, *before))
        if differ is not None and exception[0] is None:
            raise shared_by_samples(differ)


def become(root: Tensor, array: Any, batch: tuple[int, ...]) -> None:
    """Give a root, and its views, another memory, without a history."""
    root.array, root.batch = array, batch
    for t in (root, *views_of(root)):
        t.node = t.tangents = None
        t.batch, t._alike = batch, tuple([level for level in t._alike if level in batch])
        t.array = shown(root.array, batched(root, chain(t)))
