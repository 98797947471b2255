"""Layers, losses and containers under PyTorch's names: what a training script needs of `torch.nn`."""

from gradkit.nn import functional, init, utils
from gradkit.nn.activation import (
    ELU,
    GELU,
    LeakyReLU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from gradkit.nn.container import ModuleDict, ModuleList, Sequential
from gradkit.nn.conv import Conv1d, Conv2d
from gradkit.nn.dropout import Dropout
from gradkit.nn.embedding import Embedding
from gradkit.nn.linear import Flatten, Identity, Linear, Unflatten
from gradkit.nn.loss import (
    BCELoss,
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
    SmoothL1Loss,
)
from gradkit.nn.module import Module
from gradkit.nn.normalization import BatchNorm1d, BatchNorm2d, LayerNorm
from gradkit.nn.parameter import Parameter
from gradkit.nn.pooling import AvgPool2d, MaxPool2d
from gradkit.nn.recurrent import GRUCell, LSTMCell, RNNCell

__all__ = [
    "ELU",
    "GELU",
    "AvgPool2d",
    "BCELoss",
    "BCEWithLogitsLoss",
    "BatchNorm1d",
    "BatchNorm2d",
    "Conv1d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "GRUCell",
    "HuberLoss",
    "Identity",
    "L1Loss",
    "LSTMCell",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ModuleDict",
    "ModuleList",
    "NLLLoss",
    "Parameter",
    "RNNCell",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "SmoothL1Loss",
    "Softmax",
    "Softplus",
    "Tanh",
    "Unflatten",
    "functional",
    "init",
    "utils",
]
