"""Datasets and loaders under PyTorch's names: what a training script needs of `torch.utils.data`."""

from gradkit.data.collate import default_collate
from gradkit.data.dataloader import DataLoader
from gradkit.data.dataset import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from gradkit.data.digits import load_digits
from gradkit.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler

__all__ = [
    "BatchSampler",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "Subset",
    "TensorDataset",
    "default_collate",
    "load_digits",
    "random_split",
]
