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
from gradkit.creation import (
    arange as arange,
    as_tensor as as_tensor,
    asarray as asarray,
    empty as empty,
    empty_like as empty_like,
    eye as eye,
    from_numpy as from_numpy,
    frombuffer as frombuffer,
    full as full,
    full_like as full_like,
    linspace as linspace,
    logspace as logspace,
    ones as ones,
    ones_like as ones_like,
    scalar_tensor as scalar_tensor,
    tensor as tensor,
    zeros as zeros,
    zeros_like as zeros_like,
)
from gradkit.engine.device import (
    Size as Size,
    device as device,
    get_default_device as get_default_device,
    set_default_device as set_default_device,
)
from gradkit.engine.dtypes import (
    bool as bool,
    cdouble as cdouble,
    cfloat as cfloat,
    complex64 as complex64,
    complex128 as complex128,
    double as double,
    float as float,
    float16 as float16,
    float32 as float32,
    float64 as float64,
    get_default_dtype as get_default_dtype,
    half as half,
    int as int,
    int8 as int8,
    int16 as int16,
    int32 as int32,
    int64 as int64,
    long as long,
    promote_types as promote_types,
    set_default_dtype as set_default_dtype,
    short as short,
    uint8 as uint8,
    uint16 as uint16,
    uint32 as uint32,
    uint64 as uint64,
)
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
from gradkit.random import (
    Generator as Generator,
    bernoulli as bernoulli,
    default_generator as default_generator,
    get_rng_state as get_rng_state,
    initial_seed as initial_seed,
    manual_seed as manual_seed,
    multinomial as multinomial,
    normal as normal,
    rand as rand,
    rand_like as rand_like,
    randint as randint,
    randint_like as randint_like,
    randn as randn,
    randn_like as randn_like,
    randperm as randperm,
    seed as seed,
    set_rng_state as set_rng_state,
)
from gradkit.version import __version__ as __version__

newaxis = None
_LATER = ("cuda", "data", "examples", "fft", "linalg", "nn", "optim", "serialization", "special", "threads", "utils")
_LATER_NAMES = {
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
        from ml_dtypes import bfloat16

        return dtype(bfloat16)
    raise AttributeError(f"module 'gradkit' has no attribute {name!r}")
