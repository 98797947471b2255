"""Layers, losses and containers under PyTorch's names: what a training script needs of `torch.nn`."""

from gradkit.nn import functional as functional, init as init, utils as utils
from gradkit.nn.activation import *
from gradkit.nn.attention import *
from gradkit.nn.container import *
from gradkit.nn.conv import *
from gradkit.nn.dropout import *
from gradkit.nn.embedding import *
from gradkit.nn.geometry import *
from gradkit.nn.group_normalization import *
from gradkit.nn.linear import *
from gradkit.nn.loss import *
from gradkit.nn.margin import *
from gradkit.nn.module import *
from gradkit.nn.normalization import *
from gradkit.nn.padding import *
from gradkit.nn.parameter import *
from gradkit.nn.parameter_container import *
from gradkit.nn.pooling import *
from gradkit.nn.rectifiers import *
from gradkit.nn.recurrent import *
from gradkit.nn.sequence import *
from gradkit.nn.transformer import *
