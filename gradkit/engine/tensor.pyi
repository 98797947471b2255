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
 @property
 def T(self) -> Tensor: ...
 __abs__ = arithmetic.abs
 def __add__(self, other: Any, /) -> Tensor: ...
 __array__ = conversion.as_array
 def __array_namespace__(self, *, api_version: str | None = ...) -> Any: ...
 __bool__ = conversion.as_bool
 def __complex__(self) -> Any: ...
 __contains__ = conversion.contains
 @property
 def __cuda_array_interface__(self) -> Any: ...
 __divmod__ = arithmetic._quotient_and_remainder
 def __dlpack__(self, **keywords: Any) -> Any: ...
 def __dlpack_device__(self) -> tuple[int_, int_]: ...
 def __eq__(self, other: object, /) -> Tensor: ...  # type: ignore[override]
 __getitem__ = indexing.__getitem__
 __index__ = conversion.as_index
 __invert__ = comparison.inverted
 __iter__ = conversion.elements
 __len__ = conversion.length
 def __neg__(self) -> Tensor: ...
 __pos__ = arithmetic.positive
 def __rdivmod__(self, other: Any) -> Any: ...
 __setitem__ = indexing.__setitem__
 @property
 def _base(self) -> Tensor | None: ...
 def _is_view(self) -> bool_: ...
 @property
 def _version(self) -> int_: ...
 add = arithmetic.add
 add_ = arithmetic.add_
 addbmm = linear_algebra.addbmm
 addcdiv = arithmetic.addcdiv
 addcmul = arithmetic.addcmul
 addmm = linear_algebra.addmm
 addmv = linear_algebra.addmv
 addr = linear_algebra.addr
 adjoint = shaping.adjoint
 all = reducing.all
 allclose = comparison.allclose
 amax = reducing.amax
 amin = reducing.amin
 aminmax = reducing.aminmax
 angle = complex.angle
 any = reducing.any
 def arctan2(self, other: Any) -> Tensor: ...
 argmax = reducing.argmax
 argmin = reducing.argmin
 def argsort(self, dim: int_ = ..., descending: bool_ = ..., stable: bool_ = ...) -> Tensor: ...
 argwhere = indexing.argwhere
 as_strided = replacing.as_strided
 backward = history.backward
 baddbmm = linear_algebra.baddbmm
 def bernoulli(self, p: float_ | None = ..., *, generator: Generator | None = ...) -> Tensor: ...
 def bernoulli_(self, *args: Any, generator: Generator | None = ..., **kwargs: Any) -> Tensor: ...
 bfloat16 = moving.bfloat16
 def bincount(self, weights: Tensor | None = ..., minlength: int_ = ...) -> Tensor: ...
 def bitwise_not(self, **params: Any) -> Tensor: ...
 bmm = products.bmm
 broadcast_to = shaping.broadcast_to
 cholesky = linear_algebra.cholesky
 cholesky_inverse = solving.cholesky_inverse
 cholesky_solve = solving.cholesky_solve
 def chunk(self, chunks: int_, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 clamp = arithmetic.clamp
 clamp_max = arithmetic.clamp_max
 clamp_min = arithmetic.clamp_min
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
 cumprod = scanning.cumprod
 cumsum = scanning.cumsum
 data: Tensor
 data_ptr = conversion.data_ptr
 deg2rad = functions.deg2rad
 detach = history.detach
 detach_ = history.detach_
 @property
 def device(self) -> Device: ...
 diag = arranging.diag
 diag_embed = arranging.diag_embed
 diagflat = arranging.diagflat
 diagonal = arranging.diagonal
 diagonal_scatter = replacing.diagonal_scatter
 diff = scanning.diff
 def dim(self) -> int_: ...
 dist = norms.dist
 div = arithmetic.div
 dot = products.dot
 def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]: ...
 @property
 def dtype(self) -> np.dtype[Any]: ...
 equal = comparison.equal
 expand = shaping.expand
 expand_as = shaping.expand_as
 fill_ = writing.fill_
 fill_diagonal_ = writing.fill_diagonal_
 flatten = shaping.flatten
 flip = arranging.flip
 fliplr = arranging.fliplr
 flipud = arranging.flipud
 float_power = arithmetic.float_power
 def gather(self, dim: int_, index: Tensor, *, sparse_grad: bool_ = ...) -> Tensor: ...
 ger = products.outer
 get_device = inquiry.get_device
 grad: Tensor | None
 @property
 def grad_fn(self) -> Any: ...
 hardshrink = activation.hardshrink
 def histc(self, bins: int_ = ..., min: float_ = ..., max: float_ = ...) -> Tensor: ...
 def histogram(self, bins: Any, *, range: Any = ..., weight: Tensor | None = ..., density: bool_ = ...) -> Any: ...
 @property
 def imag(self) -> Tensor: ...
 def index_add(self, dim: int_, index: Tensor, source: Tensor, *, alpha: Any = ...) -> Any: ...
 def index_add_(self, *args: Any, **kwargs: Any) -> Tensor: ...
 def index_copy(self, dim: int_, index: Tensor, source: Tensor) -> Any: ...
 def index_fill(self, dim: int_, index: Tensor, value: Any) -> Any: ...
 def index_put(self, indices: Any, values: Tensor, accumulate: bool_ = ...) -> Any: ...
 def index_select(self, dim: int_, index: Tensor) -> Tensor: ...
 inner = contraction.inner
 inverse = solving.inverse
 is_conj = complex.is_conj
 is_contiguous = layout.is_contiguous
 @property
 def is_cpu(self) -> bool_: ...
 @property
 def is_cuda(self) -> bool_: ...
 @property
 def is_leaf(self) -> bool_: ...
 @property
 def is_meta(self) -> bool_: ...
 @property
 def is_nested(self) -> bool_: ...
 is_nonzero = comparison.is_nonzero
 is_pinned = moving.is_pinned
 @property
 def is_quantized(self) -> bool_: ...
 is_same_size = inquiry.is_same_size
 is_signed = inquiry.is_signed
 @property
 def is_sparse(self) -> bool_: ...
 @property
 def is_sparse_csr(self) -> bool_: ...
 isclose = comparison.isclose
 isreal = complex.isreal
 item = conversion.item
 @property
 def itemsize(self) -> int_: ...
 kron = products.kron
 def kthvalue(self, k: int_, dim: int_ = ..., keepdim: bool_ = ...) -> Any: ...
 ldexp = functions.ldexp
 lerp = arithmetic.lerp
 log_softmax = normalization.log_softmax
 logcumsumexp = scanning.logcumsumexp
 logdet = solving.logdet
 logit = functions.logit
 logsumexp = reducing.logsumexp
 @property
 def mH(self) -> Tensor: ...
 @property
 def mT(self) -> Tensor: ...
 masked_fill = arithmetic.masked_fill
 masked_scatter = placing.masked_scatter
 masked_select = placing.masked_select
 matmul = products.matmul
 matrix_exp = solving.matrix_exp
 def matrix_power(self, n: int_) -> Tensor: ...
 max = reducing.max
 mean = reducing.mean
 def median(self, dim: int_ | None = ..., keepdim: bool_ = ...) -> Any: ...
 min = reducing.min
 mm = products.mm
 def mode(self, dim: int_ = ..., keepdim: bool_ = ...) -> Any: ...
 moveaxis = shaping.movedim
 msort = sorting.msort
 def multinomial(self, num_samples: int_, replacement: bool_ = ..., *, generator: Generator | None = ...) -> Tensor: ...
 mv = products.mv
 mvlgamma = functions.mvlgamma
 nan_to_num = arithmetic.nan_to_num
 nanmean = reducing.nanmean
 nanquantile = quantiles.nanquantile
 nansum = reducing.nansum
 def narrow(self, dim: int_, start: Any, length: int_) -> Tensor: ...
 narrow_copy = replacing.narrow_copy
 @property
 def nbytes(self) -> int_: ...
 @property
 def ndim(self) -> int_: ...
 def new_empty(self, *sizes: Any, size: Any = ..., dtype: Any = ..., device: Any = ..., requires_grad: bool_ = ...) -> Tensor: ...
 new_full = moving.new_full
 new_tensor = moving.new_tensor
 def nonzero(self, *, as_tuple: bool_ = ...) -> Any: ...
 norm = norms.norm
 numpy = conversion.numpy
 @property
 def output_nr(self) -> int_: ...
 permute = shaping.permute
 pin_memory = moving.pin_memory
 pinverse = solving.pinverse
 polygamma = functions.polygamma
 pow = arithmetic.pow
 prelu = activation.prelu
 prod = reducing.prod
 put = placing.put
 put_ = placing.put_
 qr = linear_algebra.qr
 quantile = quantiles.quantile
 rad2deg = functions.rad2deg
 ravel = shaping.ravel
 @property
 def real(self) -> Tensor: ...
 record_stream = moving.record_stream
 register_hook = history.register_hook
 register_post_accumulate_grad_hook = history.register_post_accumulate_grad_hook
 relu = activation.relu
 renorm = replacing.renorm
 repeat = arranging.repeat
 def repeat_interleave(self, repeats: Any = ..., dim: int_ | None = ..., *, output_size: int_ | None = ...) -> Tensor: ...
 requires_grad: bool_
 def requires_grad_(self, requires_grad: bool_ = ...) -> Tensor: ...
 reshape = shaping.reshape
 reshape_as = shaping.reshape_as
 resolve_conj = complex.resolve_conj
 retain_grad = history.retain_grad
 @property
 def retains_grad(self) -> bool_: ...
 roll = arranging.roll
 rot90 = arranging.rot90
 round = functions.round
 def scatter(self, dim: int_, index: Tensor, src: Any = ..., *, value: Any = ..., reduce: str | None = ...) -> Tensor: ...
 def scatter_add(self, dim: int_, index: Tensor, src: Tensor) -> Any: ...
 def scatter_reduce(self, dim: int_, index: Tensor, src: Tensor, reduce: str, *, include_self: bool_ = ...) -> Tensor: ...
 def select(self, dim: int_, index: int_) -> Tensor: ...
 select_scatter = replacing.select_scatter
 sgn = arithmetic.sgn
 @property
 def shape(self) -> Size: ...
 sign = functions.sign
 def size(self, dim: int_ | None = ...) -> Any: ...
 slice_scatter = replacing.slice_scatter
 softmax = normalization.softmax
 def sort(self, dim: int_ = ..., descending: bool_ = ..., stable: bool_ | None = ...) -> Any: ...
 def split(self, split_size_or_sections: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 def split_with_sizes(self, split_sizes: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 squeeze = shaping.squeeze
 std = statistics.std
 storage_offset = layout.storage_offset
 stride = layout.stride
 sub = arithmetic.sub
 sub_ = arithmetic.sub_
 sum = reducing.sum
 svd = linear_algebra.svd
 swapaxes = shaping.transpose
 t = shaping.t
 take = placing.take
 def take_along_dim(self, indices: Tensor, dim: int_ | None = ...) -> Tensor: ...
 def tensor_split(self, indices_or_sections: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 tile = arranging.tile
 to = moving.to
 def to_device(self, device: Any, *, stream: Any = ...) -> Tensor: ...
 tolist = conversion.tolist
 def topk(self, k: int_, dim: int_ = ..., largest: bool_ = ..., sorted: bool_ = ...) -> Any: ...
 trace = products.trace
 def tril(self, diagonal: int_ = ...) -> Tensor: ...
 true_divide = arithmetic.true_divide
 type = moving.type
 type_as = moving.type_as
 def unbind(self, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 unflatten = shaping.unflatten
 unfold = arranging.unfold
 def unique(self, sorted: bool_ = ..., return_inverse: bool_ = ..., return_counts: bool_ = ..., dim: int_ | None = ...) -> Any: ...
 def unique_consecutive(self, return_inverse: bool_ = ..., return_counts: bool_ = ..., dim: int_ | None = ...) -> Any: ...
 unsqueeze = shaping.unsqueeze
 var = statistics.var
 vdot = products.vdot
 view = shaping.view
 view_as = shaping.view_as
 where = arithmetic.where
 zero_ = writing.zero_
 __and__ = __floordiv__ = __ge__ = __gt__ = __iadd__ = __iand__ = __ifloordiv__ = __ilshift__ = __imod__ = __imul__ = __ior__ = __ipow__ = __irshift__ = __isub__ = __itruediv__ = __ixor__ = __le__ = __lshift__ = __lt__ = __matmul__ = __mod__ = __mul__ = __or__ = __pow__ = __radd__ = __rand__ = __rfloordiv__ = __rlshift__ = __rmatmul__ = __rmod__ = __rmul__ = __ror__ = __rpow__ = __rrshift__ = __rshift__ = __rsub__ = __rtruediv__ = __rxor__ = __sub__ = __truediv__ = __xor__ = __add__
 __float__ = __int__ = acos_ = acosh_ = arccos_ = arccosh_ = arcsin_ = arcsinh_ = arctan_ = arctanh_ = asin_ = asinh_ = atan_ = atanh_ = ceil_ = cos_ = cosh_ = digamma_ = erf_ = erfc_ = erfinv_ = exp2_ = exp_ = expm1_ = fix_ = floor_ = frac_ = frexp = i0_ = lgamma_ = log10_ = log1p_ = log2_ = log_ = neg_ = negative_ = reciprocal_ = rsqrt_ = sigmoid_ = sin_ = sinc_ = sinh_ = slogdet = sqrt_ = square_ = tan_ = tanh_ = trunc_ = __complex__
 __ne__ = __eq__
 abs = abs_ = absolute = absolute_ = acos = acosh = arccos = arccosh = arcsin = arcsinh = arctan = arctanh = asin = asinh = atan = atanh = bool = byte = cdouble = ceil = cfloat = char = conj_physical = conj_physical_ = cos = cosh = deg2rad_ = det = digamma = double = erf = erfc = erfinv = exp = exp2 = expm1 = fix = float = floor = frac = half = i0 = int = lgamma = log = log10 = log1p = log2 = long = neg = negative = positive = rad2deg_ = reciprocal = rsqrt = sgn_ = short = sigmoid = sign_ = sin = sinc = sinh = sqrt = square = tan = tanh = trunc = __neg__
 addbmm_ = baddbmm_ = addbmm
 addcdiv_ = addcmul_ = addcdiv
 addmm_ = addmm
 addmv_ = addmv
 addr_ = addr
 arctan2_ = atan2_ = bitwise_and_ = bitwise_left_shift_ = bitwise_or_ = bitwise_right_shift_ = bitwise_xor_ = copysign_ = eq_ = floor_divide_ = fmod_ = gcd_ = ge_ = greater_ = greater_equal_ = gt_ = heaviside_ = hypot_ = lcm_ = le_ = less_ = less_equal_ = logical_and_ = logical_or_ = logical_xor_ = lt_ = mul_ = multiply_ = ne_ = not_equal_ = remainder_ = xlogy_ = __rdivmod__
 atan2 = bitwise_and = bitwise_left_shift = bitwise_or = bitwise_right_shift = bitwise_xor = copysign = eq = floor_divide = fmax = fmin = fmod = gcd = ge = greater = greater_equal = gt = heaviside = hypot = lcm = ldexp_ = le = less = less_equal = logaddexp = logaddexp2 = logical_and = logical_or = logical_xor = lt = maximum = minimum = mul = multiply = ne = not_equal = remainder = true_divide_ = xlogy = arctan2
 bitwise_not_ = clone = isfinite = isinf = isnan = isneginf = isposinf = logical_not = logical_not_ = signbit = bitwise_not
 clamp_ = clip = clip_ = clamp
 clamp_max_ = clamp_max
 clamp_min_ = clamp_min
 cumprod_ = cumsum_ = cumprod
 div_ = divide = divide_ = div
 element_size = ndimension = nelement = numel = dim
 exponential_ = normal_ = random_ = uniform_ = bernoulli_
 float_power_ = pow_ = float_power
 hsplit = vsplit = dsplit
 index_copy_ = index_fill_ = index_put_ = scatter_add_ = squeeze_ = swapaxes_ = swapdims_ = t_ = transpose_ = unsqueeze_ = index_add_
 is_complex = is_floating_point = is_inference = _is_view
 lerp_ = lerp
 logit_ = logit
 masked_fill_ = masked_fill
 masked_scatter_ = masked_scatter
 movedim = moveaxis
 mvlgamma_ = mvlgamma
 nan_to_num_ = nan_to_num
 nanmedian = median
 new_ones = new_zeros = new_empty
 outer = ger
 polygamma_ = polygamma
 relu_ = relu
 renorm_ = renorm
 round_ = round
 scatter_ = scatter
 scatter_reduce_ = scatter_reduce
 subtract = subtract_ = sub
 swapdims = transpose = swapaxes
 tril_ = triu = triu_ = tril
 unsafe_chunk = chunk
 unsafe_split = split
def _bounds(ndim: int) -> str: ...
def kept_alike(t: Tensor, x: Tensor) -> Tensor: ...
def leaf_node(t: Tensor) -> Any: ...
def wrap(array: Any, node: Any = ..., tangents: Any = ..., batch: tuple[int, ...] = ...) -> Tensor: ...
