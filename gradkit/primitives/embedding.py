"""Looking up rows of a table."""

from typing import Any

from gradkit.families import general
from gradkit.primitives.indexing import one_more_lead


def looked_up(xp, table, index, *, lead: int, padding: int | None):
    """A table for each place of the `lead` batch axes, which `index` has too."""
    return xp.index(table, index, lead=lead) if lead else xp.take(table, index, axis=0)


def without_padding(xp, rows, index, padding: int | None):
    """The rows that are looked up, those of the padding 0."""
    if padding is None:
        return rows
    kept = xp.astype(index != padding, dtype=rows.dtype)
    return rows * xp.reshape(kept, (*kept.shape, 1))


def table_ct(xp, d, _y, table_shape, index, *, lead: int, padding: int | None) -> list[Any]:
    return [xp.unindex(without_padding(xp, d, index, padding), index, shape=tuple(table_shape), lead=lead), None]


def table_tangent(xp, ts, _y, _table, index, *, lead: int, padding: int | None):
    if ts[0] is None:
        return None
    return without_padding(xp, xp.index(ts[0], index, lead=lead), index, padding)


# The row `padding` of the table is taken for a constant: neither cotangents nor tangents pass it. A numeric difference
# would see it move, so that the samples have none.
embedding = general(
    "embedding", looked_up, table_ct, table_tangent,
    [((4, 3), [[2, 0], [2, 1]], {"lead": 0, "padding": None}), ((4, 3), [2, 0, 2], {"lead": 0, "padding": None})],
    arity=2, promote="none", batching=one_more_lead, structure="moves",
    peer=lambda torch, table, index, lead, padding: torch.nn.functional.embedding(index, table, padding),
)
