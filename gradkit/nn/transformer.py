"""Transformer layers, and stacks of them; Vaswani et al., "Attention is all you need" (2017)."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from gradkit.creation import as_tensor
from gradkit.engine import dtypes
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.attention import MultiheadAttention
from gradkit.nn.container import ModuleList
from gradkit.nn.dropout import Dropout
from gradkit.nn.linear import Linear
from gradkit.nn.module import Module
from gradkit.nn.normalization import LayerNorm

__all__ = ["Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder", "TransformerEncoderLayer"]

Activation = str | Callable[[Tensor], Tensor]


class _Layer(Module):
    """What encoder and decoder layers share: attention, the feed-forward network, and a norm and dropout for each."""

    attentions: ClassVar[tuple[str, ...]]
    linear1: Linear
    linear2: Linear

    def __init__(
        self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
        activation: Activation = "relu", layer_norm_eps: float = 1e-5, batch_first: bool = False,
        norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        place = {"device": device, "dtype": dtype}
        for name in self.attentions:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, **place))
        self.linear1 = Linear(d_model, dim_feedforward, bias, **place)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, **place)
        self.norm_first = norm_first
        blocks = range(1, len(self.attentions) + 2)
        for number in blocks:
            setattr(self, f"norm{number}", LayerNorm(d_model, layer_norm_eps, bias=bias, **place))
        for number in blocks:
            setattr(self, f"dropout{number}", Dropout(dropout))
        self.activation = _function(activation)

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))

    def _attend(self, attention: MultiheadAttention, dropout: Dropout, x: Tensor, to: Tensor, *masks: Any) -> Tensor:
        mask, padding, is_causal = masks
        y = attention(x, to, to, key_padding_mask=padding, need_weights=False, attn_mask=mask, is_causal=is_causal)[0]
        return dropout(y)

    def _through(self, x: Tensor, block: Callable[[Tensor], Tensor], norm: LayerNorm) -> Tensor:
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))


def _function(activation: Activation) -> Callable[[Tensor], Tensor]:
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


class TransformerEncoderLayer(_Layer):
    """Attention to oneself and a feed-forward network, each with dropout, a way around it and a norm: (L, N, E) stays so.

    ``forward(src, src_mask=None, src_key_padding_mask=None, is_causal=False)``; masks as in `MultiheadAttention`.
    ``norm_first`` puts the norms before the blocks. ``activation`` is "relu", "gelu" or a function; RuntimeError for
    another word.

    >>> nn.TransformerEncoderLayer(d_model=8, nhead=2, dim_feedforward=16)(gradkit.randn(5, 3, 8)).shape
    gradkit.Size([5, 3, 8])
    """

    attentions = ("self_attn",)

    def forward(
        self, src: Tensor, src_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        masks = (src_mask, src_key_padding_mask, is_causal)
        x = self._through(src, lambda x: self._attend(self.self_attn, self.dropout1, x, x, *masks), self.norm1)
        return self._through(x, lambda x: self.dropout2(self._feed_forward(x)), self.norm2)


class TransformerDecoderLayer(_Layer):
    """`TransformerEncoderLayer` with attention to ``memory`` (S, N, E) in between: ``forward(tgt, memory, ...)``.

    The masks are ``tgt_mask``, ``memory_mask``, ``tgt_key_padding_mask``, ``memory_key_padding_mask``, the hints
    ``tgt_is_causal`` and ``memory_is_causal``.

    >>> layer = nn.TransformerDecoderLayer(d_model=8, nhead=2, dim_feedforward=16)
    >>> layer(gradkit.randn(4, 3, 8), gradkit.randn(5, 3, 8)).shape
    gradkit.Size([4, 3, 8])
    """

    attentions = ("self_attn", "multihead_attn")

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool = False, memory_is_causal: bool = False,
    ) -> Tensor:
        own = (tgt_mask, tgt_key_padding_mask, tgt_is_causal)
        other = (memory_mask, memory_key_padding_mask, memory_is_causal)
        x = self._through(tgt, lambda x: self._attend(self.self_attn, self.dropout1, x, x, *own), self.norm1)
        x = self._through(x, lambda x: self._attend(self.multihead_attn, self.dropout2, x, memory, *other), self.norm2)
        return self._through(x, lambda x: self.dropout3(self._feed_forward(x)), self.norm3)


class TransformerEncoder(Module):
    """``num_layers`` copies of an encoder layer, one after the other, and a norm if there is one.

    ``enable_nested_tensor`` and ``mask_check`` choose PyTorch's fast path and have no meaning here.

    >>> encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), num_layers=2)
    >>> encoder(gradkit.randn(5, 3, 8)).shape
    gradkit.Size([5, 3, 8])
    """

    def __init__(
        self, encoder_layer: Module, num_layers: int, norm: Module | None = None, enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None, is_causal: bool | None = None
    ) -> Tensor:
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """``num_layers`` copies of a decoder layer, one after the other, and a norm if there is one.

    >>> decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16), num_layers=2)
    >>> decoder(gradkit.randn(4, 3, 8), gradkit.randn(5, 3, 8)).shape
    gradkit.Size([4, 3, 8])
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        for layer in self.layers:
            tgt = layer(tgt, memory, *masks, bool(tgt_is_causal), memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder of ``src`` (S, N, E) and a decoder of ``tgt`` (L, N, E) that attends to what it gives: (L, N, E).

    Matrices start by Xavier's rule. RuntimeError for inputs whose N or E differ.

    >>> net = nn.Transformer(8, 2, num_encoder_layers=1, num_decoder_layers=1, dim_feedforward=16)
    >>> net(gradkit.randn(5, 3, 8), gradkit.randn(4, 3, 8)).shape
    gradkit.Size([4, 3, 8])
    """

    def __init__(
        self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
        dim_feedforward: int = 2048, dropout: float = 0.1, activation: Activation = "relu",
        custom_encoder: Module | None = None, custom_decoder: Module | None = None, layer_norm_eps: float = 1e-5,
        batch_first: bool = False, norm_first: bool = False, bias: bool = True, device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__()
        options = (dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias, device, dtype)

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias, device=device, dtype=dtype)

        if custom_encoder is None:
            layer: Module = TransformerEncoderLayer(d_model, nhead, *options)
            custom_encoder = TransformerEncoder(layer, num_encoder_layers, norm())
        if custom_decoder is None:
            layer = TransformerDecoderLayer(d_model, nhead, *options)
            custom_decoder = TransformerDecoder(layer, num_decoder_layers, norm())
        self.encoder = custom_encoder
        self.decoder = custom_decoder
        for param in self.parameters():
            if param.ndim > 1:
                init.xavier_uniform_(param)
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def forward(
        self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None, tgt_mask: Tensor | None = None,
        memory_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
        tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
        src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False,
    ) -> Tensor:
        at = 0 if self.batch_first else 1
        if src.ndim == 3 and src.shape[at] != tgt.shape[at]:
            raise RuntimeError("the batch number of src and tgt must be equal")
        if not src.shape[-1] == tgt.shape[-1] == self.d_model:
            raise RuntimeError("the feature number of src and tgt must be equal to d_model")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        masks = (tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask)
        return self.decoder(tgt, memory, *masks, tgt_is_causal, memory_is_causal)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Tensor:
        """A mask (sz, sz) that hides what comes later: 0 on and below the diagonal, -inf above.

        >>> nn.Transformer.generate_square_subsequent_mask(2)
        tensor([[0., -inf],
                [0., 0.]])
        """
        dtype = dtypes.get_default_dtype() if dtype is None else dtype
        return as_tensor(np.triu(np.full((sz, sz), -np.inf, dtype), 1), device=device)
