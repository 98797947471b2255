"""What PyTorch keeps in `torch.utils`: `data`."""

from gradkit.utils import data

__all__ = ["data"]
