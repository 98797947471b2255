"""Embedding and EmbeddingBag: tables of vectors, looked up by integers."""

from collections.abc import Callable
from typing import Any, ClassVar, Self

from gradkit import creation
from gradkit.engine.tensor import Tensor
from gradkit.nn import functional as F, init
from gradkit.nn.module import Module
from gradkit.nn.parameter import Parameter

__all__ = ["Embedding", "EmbeddingBag"]


class _Table(Module):
    weight: Parameter
    usual: ClassVar[dict[str, Any]] = {"padding_idx": None, "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False}

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None, max_norm: float | None,
        norm_type: float, scale_grad_by_freq: bool, sparse: bool, weight: Tensor | None, freeze: bool,
        place: dict[str, Any],
    ) -> None:
        super().__init__()
        if sparse:
            raise NotImplementedError(f"{type(self).__name__} has no sparse gradients; leave out sparse=True")
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise AssertionError(f"padding_idx must be within num_embeddings, got {padding_idx} for {num_embeddings}")
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if weight is None:
            self.weight = Parameter(creation.empty((num_embeddings, embedding_dim), **place), requires_grad=not freeze)
            self.reset_parameters()
            return
        if weight.shape != (num_embeddings, embedding_dim):
            raise AssertionError(
                f"Shape of weight {tuple(weight.shape)} does not match num_embeddings and embedding_dim "
                f"{(num_embeddings, embedding_dim)}"
            )
        self.weight = Parameter(weight, requires_grad=not freeze)

    @classmethod
    def from_pretrained(cls, embeddings: Tensor, freeze: bool = True, **options: Any) -> Self:
        """A layer around a table (num_embeddings, embedding_dim) of one's own, not trained if ``freeze``.

        The options are those of the class. AssertionError for a Tensor that has not two dimensions.

        >>> nn.Embedding.from_pretrained(gradkit.eye(2))(gradkit.tensor([1]))
        tensor([[0., 1.]])
        """
        if embeddings.ndim != 2:
            raise AssertionError(f"Embeddings parameter is expected to be 2-dimensional, got shape {tuple(embeddings.shape)}")
        rows, columns = embeddings.shape
        made: Callable[..., Self] = cls
        return made(rows, columns, _weight=embeddings, _freeze=freeze, **options)

    def reset_parameters(self) -> None:
        init.normal_(self.weight)
        if self.padding_idx is not None:
            init.zeros_(self.weight.detach()[self.padding_idx])

    def extra_repr(self) -> str:
        shown = [f"{name}={getattr(self, name)!r}" for name, value in self.usual.items() if getattr(self, name) != value]
        return ", ".join([f"{self.num_embeddings}, {self.embedding_dim}", *shown])


class Embedding(_Table):
    """A table of vectors that is looked up by integers: (*) to (*, embedding_dim).

    ``weight`` (num_embeddings, embedding_dim) starts normal, its row ``padding_idx`` zero; that row gets no gradient.
    With ``max_norm`` rows that are looked up are first cut down, in place, to this ``norm_type``-norm;
    ``scale_grad_by_freq`` divides a row's gradient by how often it was looked up. AssertionError for a
    ``padding_idx`` outside the table, IndexError for an index outside it, NotImplementedError for ``sparse`` gradients.

    >>> nn.Embedding(10, 3)(gradkit.tensor([[1, 2, 4, 5]])).shape
    gradkit.Size([1, 4, 3])
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, max_norm: float | None = None,
        norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False, _weight: Tensor | None = None,
        _freeze: bool = False, device: Any = None, dtype: Any = None,
    ) -> None:
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight, _freeze,
            {"device": device, "dtype": dtype},
        )

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)


class EmbeddingBag(_Table):
    """The "sum", "mean" or "max" of bags of rows of a table: (B, L), or (N,) with ``offsets`` (B,), to (B, embedding_dim).

    ``offsets`` says where each bag starts, and with ``include_last_offset`` where the last ends; ``per_sample_weights``
    weigh the rows of a "sum". Rows ``padding_idx`` do not count. The rest as `Embedding`.

    >>> nn.EmbeddingBag(10, 3, mode="sum")(gradkit.tensor([1, 2, 4]), gradkit.tensor([0, 2])).shape
    gradkit.Size([2, 3])
    """

    usual: ClassVar[dict[str, Any]] = {
        "max_norm": None, "norm_type": 2.0, "scale_grad_by_freq": False, "mode": None, "padding_idx": None,
    }

    def __init__(
        self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
        scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, _weight: Tensor | None = None,
        include_last_offset: bool = False, padding_idx: int | None = None, device: Any = None, dtype: Any = None, *,
        _freeze: bool = False,
    ) -> None:
        super().__init__(
            num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse, _weight, _freeze,
            {"device": device, "dtype": dtype},
        )
        self.mode = mode
        self.include_last_offset = include_last_offset

    def forward(self, input: Tensor, offsets: Tensor | None = None, per_sample_weights: Tensor | None = None) -> Tensor:
        return F.embedding_bag(
            input, self.weight, offsets, max_norm=self.max_norm, norm_type=self.norm_type,
            scale_grad_by_freq=self.scale_grad_by_freq, mode=self.mode, per_sample_weights=per_sample_weights,
            include_last_offset=self.include_last_offset, padding_idx=self.padding_idx,
        )
