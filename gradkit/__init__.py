"""Automatic differentiation for NumPy and CuPy, with PyTorch's semantics and names.

Examples in docstrings go without their imports: ``import gradkit``, ``import numpy as np``, ``import gradkit.numpy as gnp``,
``from gradkit import data, nn, optim`` and ``from gradkit.nn import functional as F``.
"""

import importlib as _importlib
from math import e as e
from math import inf as inf
from math import nan as nan
from math import pi as pi
from typing import Any as _Any

from numpy import dtype as dtype

from gradkit import autograd as autograd
from gradkit import func as func
from gradkit import interop as interop
from gradkit import methods as methods
from gradkit import numpy as numpy
from gradkit import random as random
from gradkit.autograd import (
    enable_grad as enable_grad,
)
from gradkit.autograd import (
    inference_mode as inference_mode,
)
from gradkit.autograd import (
    is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled,
)
from gradkit.autograd import (
    is_anomaly_enabled as is_anomaly_enabled,
)
from gradkit.autograd import (
    is_grad_enabled as is_grad_enabled,
)
from gradkit.autograd import (
    is_inference_mode_enabled as is_inference_mode_enabled,
)
from gradkit.autograd import (
    no_grad as no_grad,
)
from gradkit.autograd import (
    set_grad_enabled as set_grad_enabled,
)
from gradkit.autograd.functional import jacobian as jacobian
from gradkit.autograd.functional import jvp as jvp
from gradkit.autograd.functional import vjp as vjp
from gradkit.autograd.walk import backward as backward
from gradkit.creation import (
    arange as arange,
)
from gradkit.creation import (
    as_tensor as as_tensor,
)
from gradkit.creation import (
    asarray as asarray,
)
from gradkit.creation import (
    empty as empty,
)
from gradkit.creation import (
    empty_like as empty_like,
)
from gradkit.creation import (
    eye as eye,
)
from gradkit.creation import (
    from_numpy as from_numpy,
)
from gradkit.creation import (
    frombuffer as frombuffer,
)
from gradkit.creation import (
    full as full,
)
from gradkit.creation import (
    full_like as full_like,
)
from gradkit.creation import (
    linspace as linspace,
)
from gradkit.creation import (
    logspace as logspace,
)
from gradkit.creation import (
    ones as ones,
)
from gradkit.creation import (
    ones_like as ones_like,
)
from gradkit.creation import (
    scalar_tensor as scalar_tensor,
)
from gradkit.creation import (
    tensor as tensor,
)
from gradkit.creation import (
    zeros as zeros,
)
from gradkit.creation import (
    zeros_like as zeros_like,
)
from gradkit.engine.device import Size as Size
from gradkit.engine.device import device as device
from gradkit.engine.device import get_default_device as get_default_device
from gradkit.engine.device import set_default_device as set_default_device
from gradkit.engine.dtypes import (
    bool as bool,
)
from gradkit.engine.dtypes import (
    cdouble as cdouble,
)
from gradkit.engine.dtypes import (
    cfloat as cfloat,
)
from gradkit.engine.dtypes import (
    complex64 as complex64,
)
from gradkit.engine.dtypes import (
    complex128 as complex128,
)
from gradkit.engine.dtypes import (
    double as double,
)
from gradkit.engine.dtypes import (
    float as float,
)
from gradkit.engine.dtypes import (
    float16 as float16,
)
from gradkit.engine.dtypes import (
    float32 as float32,
)
from gradkit.engine.dtypes import (
    float64 as float64,
)
from gradkit.engine.dtypes import (
    get_default_dtype as get_default_dtype,
)
from gradkit.engine.dtypes import (
    half as half,
)
from gradkit.engine.dtypes import (
    int as int,
)
from gradkit.engine.dtypes import (
    int8 as int8,
)
from gradkit.engine.dtypes import (
    int16 as int16,
)
from gradkit.engine.dtypes import (
    int32 as int32,
)
from gradkit.engine.dtypes import (
    int64 as int64,
)
from gradkit.engine.dtypes import (
    long as long,
)
from gradkit.engine.dtypes import (
    promote_types as promote_types,
)
from gradkit.engine.dtypes import (
    set_default_dtype as set_default_dtype,
)
from gradkit.engine.dtypes import (
    short as short,
)
from gradkit.engine.dtypes import (
    uint8 as uint8,
)
from gradkit.engine.dtypes import (
    uint16 as uint16,
)
from gradkit.engine.dtypes import (
    uint32 as uint32,
)
from gradkit.engine.dtypes import (
    uint64 as uint64,
)
from gradkit.engine.operands import tensor_xp as _rows
from gradkit.engine.primitive import REGISTRY as _REGISTRY
from gradkit.engine.printing import get_printoptions as get_printoptions
from gradkit.engine.printing import set_printoptions as set_printoptions
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
)
from gradkit.random import (
    bernoulli as bernoulli,
)
from gradkit.random import (
    default_generator as default_generator,
)
from gradkit.random import (
    get_rng_state as get_rng_state,
)
from gradkit.random import (
    initial_seed as initial_seed,
)
from gradkit.random import (
    manual_seed as manual_seed,
)
from gradkit.random import (
    multinomial as multinomial,
)
from gradkit.random import (
    normal as normal,
)
from gradkit.random import (
    rand as rand,
)
from gradkit.random import (
    rand_like as rand_like,
)
from gradkit.random import (
    randint as randint,
)
from gradkit.random import (
    randint_like as randint_like,
)
from gradkit.random import (
    randn as randn,
)
from gradkit.random import (
    randn_like as randn_like,
)
from gradkit.random import (
    randperm as randperm,
)
from gradkit.random import (
    seed as seed,
)
from gradkit.random import (
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
}  # fmt: skip


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
