"""Optimisers and learning-rate schedules under PyTorch's names: what a training script needs of `torch.optim`."""

from gradkit.optim import lr_scheduler
from gradkit.optim.adadelta import Adadelta
from gradkit.optim.adagrad import Adagrad
from gradkit.optim.adam import Adam, AdamW
from gradkit.optim.adamax import Adamax
from gradkit.optim.lbfgs import LBFGS
from gradkit.optim.nadam import NAdam, RAdam
from gradkit.optim.optimizer import Optimizer
from gradkit.optim.rmsprop import RMSprop
from gradkit.optim.rprop import Rprop
from gradkit.optim.sgd import SGD

__all__ = [
    "LBFGS", "SGD", "Adadelta", "Adagrad", "Adam", "AdamW", "Adamax", "NAdam", "Optimizer", "RAdam", "RMSprop", "Rprop",
    "lr_scheduler",
]
