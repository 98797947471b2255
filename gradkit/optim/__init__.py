"""Optimisers and learning-rate schedules under PyTorch's names: what a training script needs of `torch.optim`."""

from gradkit.optim import lr_scheduler
from gradkit.optim.adagrad import Adagrad
from gradkit.optim.adam import Adam, AdamW
from gradkit.optim.optimizer import Optimizer
from gradkit.optim.rmsprop import RMSprop
from gradkit.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
