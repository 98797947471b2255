"""Automatic differentiation for NumPy and CuPy, with PyTorch's semantics and names."""

import importlib as _importlib
from typing import Any as _Any

from gradkit import autograd, func, interop, methods, random
from gradkit import numpy as numpy
from gradkit.autograd import (
    enable_grad,
    inference_mode,
    is_anomaly_enabled,
    is_grad_enabled,
    no_grad,
    set_grad_enabled,
)  # fmt: skip
from gradkit.autograd.functional import jacobian, jvp, vjp
from gradkit.autograd.walk import backward
from gradkit.creation import (
    arange,
    as_tensor,
    asarray,
    empty,
    empty_like,
    eye,
    from_numpy,
    full,
    full_like,
    linspace,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)  # fmt: skip
from gradkit.engine.device import Size, device
from gradkit.engine.dtypes import (
    bool,
    cdouble,
    cfloat,
    complex64,
    complex128,
    double,
    float,
    float16,
    float32,
    float64,
    get_default_dtype,
    half,
    int,
    int8,
    int16,
    int32,
    int64,
    long,
    promote_types,
    set_default_dtype,
    short,
    uint8,
    uint16,
    uint32,
    uint64,
)  # fmt: skip
from gradkit.engine.printing import get_printoptions, set_printoptions
from gradkit.engine.tape import tensor_xp as _rows
from gradkit.engine.tensor import Tensor
from gradkit.func.vmap import vmap
from gradkit.history import detach
from gradkit.interop import from_dlpack
from gradkit.ops.activation import *
from gradkit.ops.arithmetic import *
from gradkit.ops.arranging import *
from gradkit.ops.classification import *
from gradkit.ops.comparison import *
from gradkit.ops.complex import *
from gradkit.ops.contraction import *
from gradkit.ops.convolution import *
from gradkit.ops.distance import *
from gradkit.ops.dropout import *
from gradkit.ops.functions import *
from gradkit.ops.gathering import *
from gradkit.ops.indexing import *
from gradkit.ops.joining import *
from gradkit.ops.linear_algebra import *
from gradkit.ops.neural import *
from gradkit.ops.normalization import *
from gradkit.ops.placing import *
from gradkit.ops.pooling import *
from gradkit.ops.reducing import *
from gradkit.ops.scanning import *
from gradkit.ops.shaping import *
from gradkit.ops.sorting import *
from gradkit.random import (
    Generator,
    bernoulli,
    default_generator,
    get_rng_state,
    initial_seed,
    manual_seed,
    multinomial,
    normal,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
    randperm,
    seed,
    set_rng_state,
)  # fmt: skip
from gradkit.version import __version__

_LATER = ("data", "examples", "linalg", "nn", "optim")  # imported at their first use


def __getattr__(name: str) -> _Any:
    """The packages that wait for their first use; and rows that no operation has given a signature of its own."""
    if name in _LATER:
        return _importlib.import_module(f"gradkit.{name}")
    if not name.startswith("_") and hasattr(_rows, name):
        return getattr(_rows, name)
    raise AttributeError(f"module 'gradkit' has no attribute {name!r}")
