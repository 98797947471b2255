"""Embedding."""

from typing import Any, Self

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F
from gradkit.nn import init
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter


class Embedding(Module):
    """A table of vectors that is looked up by integers: (*) to (*, embedding_dim).

    ``weight`` (num_embeddings, embedding_dim) starts normal, its row ``padding_idx`` zero; that row gets no gradient.
    Raises AssertionError for a ``padding_idx`` outside the table, IndexError for an index outside it.

    >>> import gradkit
    >>> from gradkit import nn
    >>> nn.Embedding(10, 3)(gradkit.tensor([[1, 2, 4, 5]])).shape
    gradkit.Size([1, 4, 3])
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        *,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise AssertionError(f"padding_idx must be within num_embeddings, got {padding_idx} for {num_embeddings}")
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = Parameter(creation.empty((num_embeddings, embedding_dim), device=device, dtype=dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, padding_idx: int | None = None) -> Self:
        """An Embedding around a table (num_embeddings, embedding_dim) of one's own, not trained if ``freeze``.

        Raises ValueError for a Tensor that has not two dimensions.

        >>> import gradkit
        >>> from gradkit import nn
        >>> nn.Embedding.from_pretrained(gradkit.eye(2))(gradkit.tensor([1]))
        tensor([[0., 1.]])
        """
        if embeddings.ndim != 2:
            raise ValueError(f"embeddings must be two-dimensional, got shape {tuple(embeddings.shape)}")
        rows, columns = embeddings.shape
        made = cls(rows, columns, padding_idx)
        made.weight = Parameter(embeddings, requires_grad=not freeze)
        return made

    def reset_parameters(self) -> None:
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
