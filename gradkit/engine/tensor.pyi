# Written by .ci/write_stub.py from the class as it stands after `import gradkit`: change that, not this.
from builtins import bool as bool_, complex as complex_, float as float_, int as int_
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.backend.rng import Generator
from gradkit.engine.device import Size, device as Device
from gradkit.engine.node import Handle
from gradkit import conversion, history, moving
from gradkit.ops import activation, arithmetic, arranging, comparison, complex, contraction, functions, indexing, inquiry, layout, linear_algebra, normalization, norms, placing, products, quantiles, reducing, replacing, scanning, shaping, solving, sorting, statistics, writing

_Dims = int | tuple[int, ...] | list[int] | None

class Tensor:
    array: Any
    node: Any
    tangents: Any
    batch: tuple[int_, ...]
    _alike: tuple[int_, ...]
    _aliased: bool_
    _view: Any
    _views: Any
    _room: int_
    name: str | None
    _grad: Any
    _retains: bool_
    _after_grad: Any
    _inference: Any
    _frozen: str | None
    @property
    def H(self) -> Tensor: ...
    T = H
    def __add__(self, other: Any, /) -> Tensor: ...
    def __array_namespace__(self, *, api_version: str | None = ...) -> Any: ...
    def __complex__(self) -> Any: ...
    @property
    def __cuda_array_interface__(self) -> Any: ...
    def __dlpack__(self, **keywords: Any) -> Any: ...
    def __dlpack_device__(self) -> tuple[int_, int_]: ...
    def __eq__(self, other: object, /) -> Tensor: ...  # type: ignore[override]
    def __neg__(self) -> Tensor: ...
    def __rdivmod__(self, other: Any) -> Any: ...
    @property
    def _base(self) -> Tensor | None: ...
    def _is_view(self) -> bool_: ...
    @property
    def _version(self) -> int_: ...
    def arctan2(self, other: Any) -> Tensor: ...
    def argsort(self, dim: int_ = ..., descending: bool_ = ..., stable: bool_ = ...) -> Tensor: ...
    def bernoulli(self, p: float_ | None = ..., *, generator: Generator | None = ...) -> Tensor: ...
    def bernoulli_(self, *args: Any, generator: Generator | None = ..., **kwargs: Any) -> Tensor: ...
    def bincount(self, weights: Tensor | None = ..., minlength: int_ = ...) -> Tensor: ...
    def bitwise_not(self, **params: Any) -> Tensor: ...
    def chunk(self, chunks: int_, dim: int_ = ...) -> tuple[Tensor, ...]: ...
    data: Tensor
    @property
    def device(self) -> Device: ...
    def dim(self) -> int_: ...
    def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]: ...
    @property
    def dtype(self) -> np.dtype[Any]: ...
    def gather(self, dim: int_, index: Tensor, *, sparse_grad: bool_ = ...) -> Tensor: ...
    grad: Tensor | None
    grad_fn = __cuda_array_interface__
    def histc(self, bins: int_ = ..., min: float_ = ..., max: float_ = ...) -> Tensor: ...
    def histogram(self, bins: Any, *, range: Any = ..., weight: Tensor | None = ..., density: bool_ = ...) -> Any: ...
    imag = H
    def index_add(self, dim: int_, index: Tensor, source: Tensor, *, alpha: Any = ...) -> Any: ...
    def index_add_(self, *args: Any, **kwargs: Any) -> Tensor: ...
    def index_copy(self, dim: int_, index: Tensor, source: Tensor) -> Any: ...
    def index_fill(self, dim: int_, index: Tensor, value: Any) -> Any: ...
    def index_put(self, indices: Any, values: Tensor, accumulate: bool_ = ...) -> Any: ...
    def index_select(self, dim: int_, index: Tensor) -> Tensor: ...
    @property
    def is_cpu(self) -> bool_: ...
    is_cuda = is_cpu
    is_leaf = is_cpu
    is_meta = is_cpu
    is_nested = is_cpu
    is_quantized = is_cpu
    is_sparse = is_cpu
    is_sparse_csr = is_cpu
    itemsize = _version
    def kthvalue(self, k: int_, dim: int_ = ..., keepdim: bool_ = ...) -> Any: ...
    mH = H
    mT = H
    def matrix_power(self, n: int_) -> Tensor: ...
    def median(self, dim: int_ | None = ..., keepdim: bool_ = ...) -> Any: ...
    def mode(self, dim: int_ = ..., keepdim: bool_ = ...) -> Any: ...
    def multinomial(self, num_samples: int_, replacement: bool_ = ..., *, generator: Generator | None = ...) -> Tensor: ...
    def narrow(self, dim: int_, start: Any, length: int_) -> Tensor: ...
    nbytes = _version
    ndim = _version
    def new_empty(self, *sizes: Any, size: Any = ..., dtype: Any = ..., device: Any = ..., requires_grad: bool_ = ...) -> Tensor: ...
    def nonzero(self, *, as_tuple: bool_ = ...) -> Any: ...
    output_nr = _version
    real = H
    def repeat_interleave(self, repeats: Any = ..., dim: int_ | None = ..., *, output_size: int_ | None = ...) -> Tensor: ...
    requires_grad: bool_
    def requires_grad_(self, requires_grad: bool_ = ...) -> Tensor: ...
    retains_grad = is_cpu
    def scatter(self, dim: int_, index: Tensor, src: Any = ..., *, value: Any = ..., reduce: str | None = ...) -> Tensor: ...
    def scatter_add(self, dim: int_, index: Tensor, src: Tensor) -> Any: ...
    def scatter_reduce(self, dim: int_, index: Tensor, src: Tensor, reduce: str, *, include_self: bool_ = ...) -> Tensor: ...
    def select(self, dim: int_, index: int_) -> Tensor: ...
    @property
    def shape(self) -> Size: ...
    def size(self, dim: int_ | None = ...) -> Any: ...
    def sort(self, dim: int_ = ..., descending: bool_ = ..., stable: bool_ | None = ...) -> Any: ...
    def split(self, split_size_or_sections: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
    def split_with_sizes(self, split_sizes: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
    def take_along_dim(self, indices: Tensor, dim: int_ | None = ...) -> Tensor: ...
    def tensor_split(self, indices_or_sections: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
    def to_device(self, device: Any, *, stream: Any = ...) -> Tensor: ...
    def topk(self, k: int_, dim: int_ = ..., largest: bool_ = ..., sorted: bool_ = ...) -> Any: ...
    def tril(self, diagonal: int_ = ...) -> Tensor: ...
    def unbind(self, dim: int_ = ...) -> tuple[Tensor, ...]: ...
    def unique(self, sorted: bool_ = ..., return_inverse: bool_ = ..., return_counts: bool_ = ..., dim: int_ | None = ...) -> Any: ...
    def unique_consecutive(self, return_inverse: bool_ = ..., return_counts: bool_ = ..., dim: int_ | None = ...) -> Any: ...
    __abs__ = arithmetic.abs
    __xor__ = __truediv__ = __sub__ = __rxor__ = __rtruediv__ = __rsub__ = __rshift__ = __rrshift__ = __rpow__ = __ror__ = __rmul__ = __rmod__ = __rmatmul__ = __rlshift__ = __rfloordiv__ = __rand__ = __radd__ = __pow__ = __or__ = __mul__ = __mod__ = __matmul__ = __lt__ = __lshift__ = __le__ = __ixor__ = __itruediv__ = __isub__ = __irshift__ = __ipow__ = __ior__ = __imul__ = __imod__ = __ilshift__ = __ifloordiv__ = __iand__ = __iadd__ = __gt__ = __ge__ = __floordiv__ = __and__ = __add__
    __array__ = conversion.as_array
    __bool__ = conversion.as_bool
    trunc_ = tanh_ = tan_ = square_ = sqrt_ = slogdet = sinh_ = sinc_ = sin_ = sigmoid_ = rsqrt_ = reciprocal_ = negative_ = neg_ = log_ = log2_ = log1p_ = log10_ = lgamma_ = i0_ = frexp = frac_ = floor_ = fix_ = expm1_ = exp_ = exp2_ = erfinv_ = erfc_ = erf_ = digamma_ = cosh_ = cos_ = ceil_ = atanh_ = atan_ = asinh_ = asin_ = arctanh_ = arctan_ = arcsinh_ = arcsin_ = arccosh_ = arccos_ = acosh_ = acos_ = __int__ = __float__ = __complex__
    __contains__ = conversion.contains
    __divmod__ = arithmetic._quotient_and_remainder
    __ne__ = __eq__
    __getitem__ = indexing.__getitem__
    __index__ = conversion.as_index
    __invert__ = comparison.inverted
    __iter__ = conversion.elements
    __len__ = conversion.length
    trunc = tanh = tan = square = sqrt = sinh = sinc = sin = sign_ = sigmoid = short = sgn_ = rsqrt = reciprocal = rad2deg_ = positive = negative = neg = long = log2 = log1p = log10 = log = lgamma = int = i0 = half = frac = floor = float = fix = expm1 = exp2 = exp = erfinv = erfc = erf = double = digamma = det = deg2rad_ = cosh = cos = conj_physical_ = conj_physical = char = cfloat = ceil = cdouble = byte = bool = atanh = atan = asinh = asin = arctanh = arctan = arcsinh = arcsin = arccosh = arccos = acosh = acos = absolute_ = absolute = abs_ = abs = __neg__
    __pos__ = arithmetic.positive
    xlogy_ = remainder_ = not_equal_ = ne_ = multiply_ = mul_ = lt_ = logical_xor_ = logical_or_ = logical_and_ = less_equal_ = less_ = le_ = lcm_ = hypot_ = heaviside_ = gt_ = greater_equal_ = greater_ = ge_ = gcd_ = fmod_ = floor_divide_ = eq_ = copysign_ = bitwise_xor_ = bitwise_right_shift_ = bitwise_or_ = bitwise_left_shift_ = bitwise_and_ = atan2_ = arctan2_ = __rdivmod__
    __setitem__ = indexing.__setitem__
    is_inference = is_floating_point = is_complex = _is_view
    add = arithmetic.add
    add_ = arithmetic.add_
    baddbmm_ = addbmm_ = addbmm = linear_algebra.addbmm
    addcmul_ = addcdiv_ = addcdiv = arithmetic.addcdiv
    addcmul = arithmetic.addcmul
    addmm_ = addmm = linear_algebra.addmm
    addmv_ = addmv = linear_algebra.addmv
    addr_ = addr = linear_algebra.addr
    adjoint = shaping.adjoint
    all = reducing.all
    allclose = comparison.allclose
    amax = reducing.amax
    amin = reducing.amin
    aminmax = reducing.aminmax
    angle = complex.angle
    any = reducing.any
    xlogy = true_divide_ = remainder = not_equal = ne = multiply = mul = minimum = maximum = lt = logical_xor = logical_or = logical_and = logaddexp2 = logaddexp = less_equal = less = le = ldexp_ = lcm = hypot = heaviside = gt = greater_equal = greater = ge = gcd = fmod = fmin = fmax = floor_divide = eq = copysign = bitwise_xor = bitwise_right_shift = bitwise_or = bitwise_left_shift = bitwise_and = atan2 = arctan2
    argmax = reducing.argmax
    argmin = reducing.argmin
    argwhere = indexing.argwhere
    as_strided = replacing.as_strided
    backward = history.backward
    baddbmm = linear_algebra.baddbmm
    uniform_ = random_ = normal_ = exponential_ = bernoulli_
    bfloat16 = moving.bfloat16
    signbit = logical_not_ = logical_not = isposinf = isneginf = isnan = isinf = isfinite = clone = bitwise_not_ = bitwise_not
    bmm = products.bmm
    broadcast_to = shaping.broadcast_to
    cholesky = linear_algebra.cholesky
    cholesky_inverse = solving.cholesky_inverse
    cholesky_solve = solving.cholesky_solve
    unsafe_chunk = chunk
    clip_ = clip = clamp_ = clamp = arithmetic.clamp
    clamp_max_ = clamp_max = arithmetic.clamp_max
    clamp_min_ = clamp_min = arithmetic.clamp_min
    conj = complex.conj
    contiguous = layout.contiguous
    copy_ = writing.copy_
    corrcoef = statistics.corrcoef
    count_nonzero = reducing.count_nonzero
    cov = statistics.cov
    cpu = moving.cpu
    cross = products.cross
    cuda = moving.cuda
    cummax = scanning.cummax
    cummin = scanning.cummin
    cumsum_ = cumprod_ = cumprod = scanning.cumprod
    cumsum = scanning.cumsum
    data_ptr = conversion.data_ptr
    deg2rad = functions.deg2rad
    detach = history.detach
    detach_ = history.detach_
    diag = arranging.diag
    diag_embed = arranging.diag_embed
    diagflat = arranging.diagflat
    diagonal = arranging.diagonal
    diagonal_scatter = replacing.diagonal_scatter
    diff = scanning.diff
    numel = nelement = ndimension = element_size = dim
    dist = norms.dist
    divide_ = divide = div_ = div = arithmetic.div
    dot = products.dot
    vsplit = hsplit = dsplit
    equal = comparison.equal
    expand = shaping.expand
    expand_as = shaping.expand_as
    fill_ = writing.fill_
    fill_diagonal_ = writing.fill_diagonal_
    flatten = shaping.flatten
    flip = arranging.flip
    fliplr = arranging.fliplr
    flipud = arranging.flipud
    pow_ = float_power_ = float_power = arithmetic.float_power
    outer = ger = products.outer
    get_device = inquiry.get_device
    hardshrink = activation.hardshrink
    unsqueeze_ = transpose_ = t_ = swapdims_ = swapaxes_ = squeeze_ = scatter_add_ = index_put_ = index_fill_ = index_copy_ = index_add_
    inner = contraction.inner
    inverse = solving.inverse
    is_conj = complex.is_conj
    is_contiguous = layout.is_contiguous
    is_nonzero = comparison.is_nonzero
    is_pinned = moving.is_pinned
    is_same_size = inquiry.is_same_size
    is_signed = inquiry.is_signed
    isclose = comparison.isclose
    isreal = complex.isreal
    item = conversion.item
    kron = products.kron
    ldexp = functions.ldexp
    lerp_ = lerp = arithmetic.lerp
    log_softmax = normalization.log_softmax
    logcumsumexp = scanning.logcumsumexp
    logdet = solving.logdet
    logit_ = logit = functions.logit
    logsumexp = reducing.logsumexp
    masked_fill_ = masked_fill = arithmetic.masked_fill
    masked_scatter_ = masked_scatter = placing.masked_scatter
    masked_select = placing.masked_select
    matmul = products.matmul
    matrix_exp = solving.matrix_exp
    max = reducing.max
    mean = reducing.mean
    nanmedian = median
    min = reducing.min
    mm = products.mm
    movedim = moveaxis = shaping.movedim
    msort = sorting.msort
    mv = products.mv
    mvlgamma_ = mvlgamma = functions.mvlgamma
    nan_to_num_ = nan_to_num = arithmetic.nan_to_num
    nanmean = reducing.nanmean
    nanquantile = quantiles.nanquantile
    nansum = reducing.nansum
    narrow_copy = replacing.narrow_copy
    new_zeros = new_ones = new_empty
    new_full = moving.new_full
    new_tensor = moving.new_tensor
    norm = norms.norm
    numpy = conversion.numpy
    permute = shaping.permute
    pin_memory = moving.pin_memory
    pinverse = solving.pinverse
    polygamma_ = polygamma = functions.polygamma
    pow = arithmetic.pow
    prelu = activation.prelu
    prod = reducing.prod
    put = placing.put
    put_ = placing.put_
    qr = linear_algebra.qr
    quantile = quantiles.quantile
    rad2deg = functions.rad2deg
    ravel = shaping.ravel
    record_stream = moving.record_stream
    register_hook = history.register_hook
    register_post_accumulate_grad_hook = history.register_post_accumulate_grad_hook
    relu_ = relu = activation.relu
    renorm_ = renorm = replacing.renorm
    repeat = arranging.repeat
    reshape = shaping.reshape
    reshape_as = shaping.reshape_as
    resolve_conj = complex.resolve_conj
    retain_grad = history.retain_grad
    roll = arranging.roll
    rot90 = arranging.rot90
    round_ = round = functions.round
    scatter_ = scatter
    scatter_reduce_ = scatter_reduce
    select_scatter = replacing.select_scatter
    sgn = arithmetic.sgn
    sign = functions.sign
    slice_scatter = replacing.slice_scatter
    softmax = normalization.softmax
    unsafe_split = split
    squeeze = shaping.squeeze
    std = statistics.std
    storage_offset = layout.storage_offset
    stride = layout.stride
    subtract_ = subtract = sub = arithmetic.sub
    sub_ = arithmetic.sub_
    sum = reducing.sum
    svd = linear_algebra.svd
    transpose = swapdims = swapaxes = shaping.transpose
    t = shaping.t
    take = placing.take
    tile = arranging.tile
    to = moving.to
    tolist = conversion.tolist
    trace = products.trace
    triu_ = triu = tril_ = tril
    true_divide = arithmetic.true_divide
    type = moving.type
    type_as = moving.type_as
    unflatten = shaping.unflatten
    unfold = arranging.unfold
    unsqueeze = shaping.unsqueeze
    var = statistics.var
    vdot = products.vdot
    view = shaping.view
    view_as = shaping.view_as
    where = arithmetic.where
    zero_ = writing.zero_
def _bounds(ndim: int) -> str: ...
def kept_alike(t: Tensor, x: Tensor) -> Tensor: ...
def leaf_node(t: Tensor) -> Any: ...
def wrap(array: Any, node: Any = ..., tangents: Any = ..., batch: tuple[int, ...] = ...) -> Tensor: ...
