"""What PyTorch keeps in `torch.utils`: `checkpoint` and `data`."""

from gradkit.utils import checkpoint, data

__all__ = ["checkpoint", "data"]
