"""MultiheadAttention."""

import math
from typing import Any

from gradkit import creation
from gradkit.engine.dtypes import bool_
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.linear import Linear
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter
from gradkit.ops.arithmetic import where
from gradkit.ops.joining import cat
from gradkit.ops.linear_algebra import matmul

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Module):
    """Attention of several heads: query (L, N, E), key (S, N, kdim), value (S, N, vdim) to (L, N, E) and its weights.

    ``batch_first`` puts N in front; without N there is one sequence. ``E`` is ``embed_dim``, which ``num_heads`` divides;
    ``kdim`` and ``vdim`` are E if None. ``forward(query, key, value, key_padding_mask=None, need_weights=True,
    attn_mask=None, average_attn_weights=True, is_causal=False)``: a mask is boolean, true where a key must not be
    seen, or numbers to add; ``key_padding_mask`` is (N, S), ``attn_mask`` (L, S) or (N * num_heads, L, S). The weights are
    (N, L, S), or (N, num_heads, L, S) if not averaged, or None. ``is_causal`` only hints at what ``attn_mask`` is, which
    has to be given.

    ``in_proj_weight`` (3 E, E), or ``q_proj_weight``, ``k_proj_weight``, ``v_proj_weight`` where the widths differ, starts
    by Xavier's rule, the biases at 0. ValueError for sizes that are not positive, AssertionError for heads that do
    not divide E and inputs that do not fit. Vaswani et al., "Attention is all you need" (2017).

    >>> attention = nn.MultiheadAttention(embed_dim=8, num_heads=2, batch_first=True)
    >>> x = gradkit.randn(4, 5, 8)
    >>> output, weights = attention(x, x, x)
    >>> output.shape, weights.shape
    (gradkit.Size([4, 5, 8]), gradkit.Size([4, 5, 5]))
    """

    in_proj_weight: Parameter | None
    q_proj_weight: Parameter | None
    k_proj_weight: Parameter | None
    v_proj_weight: Parameter | None
    in_proj_bias: Parameter | None
    bias_k: Parameter | None
    bias_v: Parameter | None

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(f"embed_dim and num_heads must be greater than 0, got {embed_dim} and {num_heads} instead")
        if embed_dim % num_heads:
            raise AssertionError(f"embed_dim must be divisible by num_heads, got {embed_dim} and {num_heads}")
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads
        self.add_zero_attn = add_zero_attn
        place = {"device": device, "dtype": dtype}

        def matrix(columns: int, rows: int = embed_dim) -> Parameter:
            return Parameter(creation.empty((rows, columns), **place))

        alike = self.kdim == self.vdim == embed_dim
        self.in_proj_weight = matrix(embed_dim, 3 * embed_dim) if alike else None
        self.q_proj_weight = None if alike else matrix(embed_dim)
        self.k_proj_weight = None if alike else matrix(self.kdim)
        self.v_proj_weight = None if alike else matrix(self.vdim)
        self.in_proj_bias = Parameter(creation.empty(3 * embed_dim, **place)) if bias else None
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, **place)
        self.bias_k = Parameter(creation.empty((1, 1, embed_dim), **place)) if add_bias_kv else None
        self.bias_v = Parameter(creation.empty((1, 1, embed_dim), **place)) if add_bias_kv else None
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        for bias in (self.in_proj_bias, self.out_proj.bias):
            if bias is not None:
                init.zeros_(bias)
        for row in (self.bias_k, self.bias_v):
            if row is not None:
                init.xavier_normal_(row)

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
        need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        self._check(query, key, value, key_padding_mask)
        if is_causal and attn_mask is None:
            raise RuntimeError("Need attn_mask if specifying the is_causal hint.")
        batched = query.ndim == 3
        q, k, v = self._projected(query, key, value, batched)  # each (N, heads, length, head_dim)
        mask = self._mask(q, k, key_padding_mask, attn_mask)
        chance = self.dropout if self.training else 0.0
        weights = None
        if need_weights:
            scores = matmul(q * (1 / math.sqrt(self.head_dim)), k.transpose(-2, -1))
            weights = F.softmax(scores if mask is None else scores + mask, -1)
            weights = F.dropout(weights, chance) if chance else weights
            y = matmul(weights, v)
        else:
            y = F.scaled_dot_product_attention(q, k, v, mask, chance)
        count, _, length, _ = y.shape
        y = self.out_proj(y.transpose(1, 2).reshape(count, length, self.embed_dim))
        if weights is not None and average_attn_weights:
            weights = weights.mean(dim=1)
        if not batched:
            return y.squeeze(0), None if weights is None else weights.squeeze(0)
        return y if self.batch_first else y.transpose(0, 1), weights

    def _check(self, query: Tensor, key: Tensor, value: Tensor, padding: Tensor | None) -> None:
        if query.ndim not in (2, 3) or not query.ndim == key.ndim == value.ndim:
            raise AssertionError(
                "query should be unbatched 2D or batched 3D tensor, key and value likewise, but received "
                f"{query.ndim}-D query, {key.ndim}-D key and {value.ndim}-D value"
            )
        for name, x, width in (("query", query, self.embed_dim), ("key", key, self.kdim), ("value", value, self.vdim)):
            if x.shape[-1] != width:
                raise AssertionError(f"was expecting embedding dimension of {width} in {name}, but got {x.shape[-1]}")
        if padding is not None and padding.ndim != query.ndim - 1:
            raise AssertionError(
                f"For {query.ndim}-D query, expected `key_padding_mask` to be None or {query.ndim - 1}-D but found "
                f"{padding.ndim}-D tensor instead"
            )

    def _projected(self, query: Tensor, key: Tensor, value: Tensor, batched: bool) -> list[Tensor]:
        alike = query is key is value
        inputs = [x if batched and self.batch_first else x.transpose(0, 1) if batched else x.unsqueeze(0) for x in (query, key, value)]
        if self.in_proj_weight is not None and alike:
            projected = list(F.linear(inputs[0], self.in_proj_weight, self.in_proj_bias).chunk(3, dim=-1))
        else:
            matrices: tuple[Any, ...] = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
            if self.in_proj_weight is not None:
                matrices = self.in_proj_weight.chunk(3)
            biases: tuple[Any, ...] = (None, None, None) if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
            projected = [F.linear(x, m, b) for x, m, b in zip(inputs, matrices, biases, strict=True)]
        for i, row in ((1, self.bias_k), (2, self.bias_v)):
            if row is not None:
                projected[i] = cat([projected[i], row.expand(projected[i].shape[0], 1, self.embed_dim)], 1)
        if self.add_zero_attn:
            for i in (1, 2):
                projected[i] = cat([projected[i], projected[i].new_zeros(projected[i].shape[0], 1, self.embed_dim)], 1)
        return [x.unflatten(-1, (self.num_heads, self.head_dim)).transpose(1, 2) for x in projected]

    def _mask(self, q: Tensor, k: Tensor, padding: Tensor | None, mask: Tensor | None) -> Tensor | None:
        """Both masks as numbers to add to the scores (N, heads, L, S)."""
        count, heads, length, _ = q.shape
        keys = k.shape[-2]
        known = keys - (self.bias_k is not None) - self.add_zero_attn
        total = None
        if mask is not None:
            if tuple(mask.shape) not in ((length, known), (count * heads, length, known)):
                raise RuntimeError(
                    f"The shape of the {mask.ndim}D attn_mask is {tuple(mask.shape)}, but should be {(length, known)} or "
                    f"{(count * heads, length, known)}"
                )
            total = _added(mask, q)
            if mask.ndim == 3:
                total = total.reshape(count, heads, length, known)
        if padding is not None:
            if padding.shape[-1] != known or padding.numel() != count * known:
                raise AssertionError(f"key_padding_mask should be of shape {(count, known)}, got {tuple(padding.shape)}")
            hidden = _added(padding, q).reshape(count, 1, 1, known)
            total = hidden if total is None else total + hidden
        if total is not None and keys != known:
            total = F.pad(total, (0, keys - known))
        return total


def _added(mask: Tensor, like: Tensor) -> Tensor:
    """A mask as numbers: -inf where a boolean one is true."""
    if mask.dtype != bool_:
        return mask.to(like.dtype)
    return where(mask, -math.inf, creation.zeros((), dtype=like.dtype, device=like.device))
