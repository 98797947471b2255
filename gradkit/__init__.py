"""Automatic differentiation for NumPy and CuPy, with PyTorch's semantics and names.

Examples in docstrings go without their imports: ``import gradkit``, ``import numpy as np``, ``import gradkit.numpy as gnp``,
``from gradkit import data, nn, optim`` and ``from gradkit.nn import functional as F``.
"""

import importlib as _importlib
from math import e as e, inf as inf, nan as nan, pi as pi
from typing import Any as _Any

from numpy import dtype as dtype

from gradkit import autograd as autograd, func as func, interop as interop, methods as methods, numpy as numpy, random as random
from gradkit.autograd import (
    enable_grad as enable_grad,
    inference_mode as inference_mode,
    is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled,
    is_anomaly_enabled as is_anomaly_enabled,
    is_grad_enabled as is_grad_enabled,
    is_inference_mode_enabled as is_inference_mode_enabled,
    no_grad as no_grad,
    set_grad_enabled as set_grad_enabled,
)
from gradkit.autograd.functional import jacobian as jacobian, jvp as jvp, vjp as vjp
from gradkit.autograd.walk import backward as backward
from gradkit.creation import *
from gradkit.engine.device import (
    Size as Size,
    device as device,
    get_default_device as get_default_device,
    set_default_device as set_default_device,
)
from gradkit.engine.dtypes import *
from gradkit.engine.dtypes import brain_float as _brain_float
from gradkit.engine.operands import tensor_xp as _rows
from gradkit.engine.primitive import REGISTRY as _REGISTRY
from gradkit.engine.printing import get_printoptions as get_printoptions, set_printoptions as set_printoptions
from gradkit.engine.tensor import Tensor as Tensor
from gradkit.func.vmap import vmap as vmap
from gradkit.history import detach as detach
from gradkit.interop import from_dlpack as from_dlpack
from gradkit.ops.activation import *
from gradkit.ops.arithmetic import *
from gradkit.ops.arranging import *
from gradkit.ops.choosing import *
from gradkit.ops.classification import *
from gradkit.ops.comparison import *
from gradkit.ops.complex import *
from gradkit.ops.contraction import *
from gradkit.ops.convolution import *
from gradkit.ops.counting import *
from gradkit.ops.distance import *
from gradkit.ops.dropout import *
from gradkit.ops.functions import *
from gradkit.ops.gathering import *
from gradkit.ops.indexing import *
from gradkit.ops.inquiry import *
from gradkit.ops.joining import *
from gradkit.ops.linear_algebra import *
from gradkit.ops.neural import *
from gradkit.ops.normalization import *
from gradkit.ops.placing import *
from gradkit.ops.pooling import *
from gradkit.ops.quantiles import *
from gradkit.ops.reducing import *
from gradkit.ops.replacing import *
from gradkit.ops.scanning import *
from gradkit.ops.shaping import *
from gradkit.ops.sorting import *
from gradkit.ops.windows import *
from gradkit.random import *
from gradkit.version import __version__ as __version__

newaxis = None
_LATER = ("cuda", "data", "examples", "fft", "linalg", "nn", "optim", "serialization", "special", "threads", "utils")
_LATER_NAMES = {
    "return_types": "ops",
    **dict.fromkeys(("load", "save"), "serialization"),
    **dict.fromkeys(("get_num_threads", "set_num_threads"), "threads"),
    **dict.fromkeys(("rrelu", "celu_", "rrelu_", "selu_", "threshold_"), "nn.functional"),
    **dict.fromkeys(("finfo", "iinfo"), "numeric_limits"),
    **dict.fromkeys(("are_deterministic_algorithms_enabled", "get_float32_matmul_precision"), "determinism"),
    **dict.fromkeys(("set_float32_matmul_precision", "use_deterministic_algorithms"), "determinism"),
    **dict.fromkeys(("BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor"), "tensor_types"),
    **dict.fromkeys(("HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "set_default_tensor_type"), "tensor_types"),
}


def __getattr__(name: str) -> _Any:
    """The packages that wait for their first use; and rows that no operation has given a signature of its own."""
    if name in _LATER:
        return _importlib.import_module(f"gradkit.{name}")
    if name in _LATER_NAMES:
        return getattr(_importlib.import_module(f"gradkit.{_LATER_NAMES[name]}"), name)
    if name in _REGISTRY:
        return getattr(_rows, name)
    if name.endswith("_") and name[:-1] in globals() and hasattr(Tensor, name):
        return getattr(Tensor, name)  # gradkit.relu_(x) is x.relu_()
    if name == "bfloat16":
        return _brain_float()
    raise AttributeError(f"module 'gradkit' has no attribute {name!r}")
