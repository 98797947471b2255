"""Attention."""

import math

from gradkit.backend.protocol import beside
from gradkit.engine.dtypes import bool_, float32
from gradkit.engine.tensor import Tensor, wrap
from gradkit.ops.dropout import dropout
from gradkit.ops.normalization import softmax
from gradkit.ops.reducing import sum as total
from gradkit.primitives.linalg import matmul
from gradkit.primitives.piecewise import where
from gradkit.primitives.shape import extents, permute, reshape

__all__: list[str] = []


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False,
) -> Tensor:
    """``softmax(query @ key.T * scale + attn_mask) @ value``, with dropout of the weights.

    `query` (..., L, E), `key` (..., S, E), `value` (..., S, Ev); the result is (..., L, Ev). `scale` is 1 / sqrt(E) if None.
    `attn_mask` broadcasts to (..., L, S): booleans, true where a key may be seen, or numbers to add. `is_causal` lets query
    i see the keys up to i. A query that may see no key gets 0. With `enable_gqa` the third axis from the end counts
    heads, and several heads of `query` share one of `key` and `value`. `dropout_p` applies whenever it is not 0. Half precision
    and bfloat16 are computed in float32.

    RuntimeError for less than two axes, different dtypes, shapes that do not fit, a mask beside `is_causal`.
    Vaswani et al., "Attention is all you need" (2017).

    >>> q = gradkit.zeros(1, 2); k = gradkit.zeros(2, 2)
    >>> F.scaled_dot_product_attention(q, k, gradkit.tensor([[1.0], [3.0]]))
    tensor([[2.]])
    """
    _check(query, key, value, attn_mask, is_causal)
    if enable_gqa:
        query, key, value = _grouped(query, key, value)
    dtype = query.dtype
    if dtype.itemsize < 4:
        query, key, value = query.float(), key.float(), value.float()
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    scores = matmul(query * scale, _transposed(key))
    if is_causal:
        attn_mask = _causal(query, query.shape[-2], key.shape[-2])
    weights = softmax(scores, -1) if attn_mask is None else _masked(scores, attn_mask)
    if dropout_p:
        weights = dropout(weights, dropout_p)
    y = matmul(weights, value).to(dtype)
    return reshape(y, (*y.shape[:-4], -1, *y.shape[-2:])) if enable_gqa else y


def _check(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, is_causal: bool) -> None:
    q, k, v = [extents(x) for x in (query, key, value)]
    if min(len(q), len(k), len(v)) < 2:
        raise RuntimeError(
            "Expected query, key, and value to all be at least 2 dimensional, but got query.dim: "
            f"{len(q)} key.dim: {len(k)} and value.dim: {len(v)} instead."
        )
    if not query.dtype == key.dtype == value.dtype:
        raise RuntimeError(
            "Expected query, key, and value to have the same dtype, but got query.dtype: "
            f"{query.dtype.name} key.dtype: {key.dtype.name} and value.dtype: {value.dtype.name} instead."
        )
    if q[-1] != k[-1] or k[-2] != v[-2]:
        raise RuntimeError(f"query {q} and key {k} must agree in the last axis, key and value {v} in the last but one")
    if mask is None:
        return
    if is_causal:
        raise RuntimeError("Explicit attn_mask should not be set when is_causal=True")
    if mask.dtype not in (bool_, float32, query.dtype):
        raise RuntimeError(
            "Expected attn_mask dtype to be bool or float32 or to match query dtype, but got attn_mask.dtype: "
            f"{mask.dtype.name} and query.dtype: {query.dtype.name} instead."
        )


def _transposed(key: Tensor) -> Tensor:
    return permute(key, (*range(key.ndim - 2), -1, -2))


def _causal(query: Tensor, queries: int, keys: int) -> Tensor:
    return wrap(beside(query.array, "tri", queries, keys, dtype=bool))


def _masked(scores: Tensor, mask: Tensor) -> Tensor:
    """The weights under a mask. Where all is masked the softmax would be nan: its operand is guarded, and the weights 0."""
    seen = mask if mask.dtype == bool_ else mask != -math.inf
    blind = total(seen, dim=-1, keepdim=True) == 0
    scores = where(seen | blind, scores, -math.inf) if seen is mask else scores + where(blind, 0.0, mask.to(scores.dtype))
    return softmax(scores, -1) * (blind == 0).to(scores.dtype)


def _grouped(query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Heads of `query` split by the heads of `key` and `value` that they share, which get an axis of extent 1."""
    heads, shared = query.shape[-3], key.shape[-3]
    if heads % shared or value.shape[-3] != shared:
        raise RuntimeError(f"{heads} heads of query cannot share {shared} of key and {value.shape[-3]} of value")
    q = reshape(query, (*query.shape[:-3], shared, heads // shared, *query.shape[-2:]))
    return q, key.unsqueeze(-3), value.unsqueeze(-3)
