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
 __and__ = __add__
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
 __float__ = __complex__
 __floordiv__ = __add__
 __ge__ = __add__
 __getitem__ = indexing.__getitem__
 __gt__ = __add__
 __iadd__ = __add__
 __iand__ = __add__
 __ifloordiv__ = __add__
 __ilshift__ = __add__
 __imod__ = __add__
 __imul__ = __add__
 __index__ = conversion.as_index
 __int__ = __complex__
 __invert__ = comparison.inverted
 __ior__ = __add__
 __ipow__ = __add__
 __irshift__ = __add__
 __isub__ = __add__
 __iter__ = conversion.elements
 __itruediv__ = __add__
 __ixor__ = __add__
 __le__ = __add__
 __len__ = conversion.length
 __lshift__ = __add__
 __lt__ = __add__
 __matmul__ = __add__
 __mod__ = __add__
 __mul__ = __add__
 __ne__ = __eq__
 def __neg__(self) -> Tensor: ...
 __or__ = __add__
 __pos__ = arithmetic.positive
 __pow__ = __add__
 __radd__ = __add__
 __rand__ = __add__
 def __rdivmod__(self, other: Any) -> Any: ...
 __rfloordiv__ = __add__
 __rlshift__ = __add__
 __rmatmul__ = __add__
 __rmod__ = __add__
 __rmul__ = __add__
 __ror__ = __add__
 __rpow__ = __add__
 __rrshift__ = __add__
 __rshift__ = __add__
 __rsub__ = __add__
 __rtruediv__ = __add__
 __rxor__ = __add__
 __setitem__ = indexing.__setitem__
 __sub__ = __add__
 __truediv__ = __add__
 __xor__ = __add__
 @property
 def _base(self) -> Tensor | None: ...
 def _is_view(self) -> bool_: ...
 @property
 def _version(self) -> int_: ...
 abs = __abs__
 abs_ = __abs__
 absolute = __abs__
 absolute_ = __abs__
 acos = __neg__
 acos_ = acos
 acosh = __neg__
 acosh_ = acosh
 add = arithmetic.add
 add_ = arithmetic.add_
 addbmm = linear_algebra.addbmm
 addbmm_ = addbmm
 addcdiv = arithmetic.addcdiv
 addcdiv_ = addcdiv
 addcmul = arithmetic.addcmul
 addcmul_ = addcmul
 addmm = linear_algebra.addmm
 addmm_ = addmm
 addmv = linear_algebra.addmv
 addmv_ = addmv
 addr = linear_algebra.addr
 addr_ = addr
 adjoint = shaping.adjoint
 all = reducing.all
 allclose = comparison.allclose
 amax = reducing.amax
 amin = reducing.amin
 aminmax = reducing.aminmax
 angle = complex.angle
 any = reducing.any
 arccos = acos
 arccos_ = acos
 arccosh = acosh
 arccosh_ = acosh
 arcsin = __neg__
 arcsin_ = arcsin
 arcsinh = __neg__
 arcsinh_ = arcsinh
 arctan = __neg__
 def arctan2(self, other: Any) -> Tensor: ...
 arctan2_ = arctan2
 arctan_ = arctan
 arctanh = __neg__
 arctanh_ = arctanh
 argmax = reducing.argmax
 argmin = reducing.argmin
 def argsort(self, dim: int_ = ..., descending: bool_ = ..., stable: bool_ = ...) -> Tensor: ...
 argwhere = indexing.argwhere
 as_strided = replacing.as_strided
 asin = arcsin
 asin_ = arcsin
 asinh = arcsinh
 asinh_ = arcsinh
 atan = arctan
 atan2 = arctan2
 atan2_ = arctan2
 atan_ = arctan
 atanh = arctanh
 atanh_ = arctanh
 backward = history.backward
 baddbmm = linear_algebra.baddbmm
 baddbmm_ = baddbmm
 def bernoulli(self, p: float_ | None = ..., *, generator: Generator | None = ...) -> Tensor: ...
 def bernoulli_(self, *args: Any, generator: Generator | None = ..., **kwargs: Any) -> Tensor: ...
 bfloat16 = moving.bfloat16
 def bincount(self, weights: Tensor | None = ..., minlength: int_ = ...) -> Tensor: ...
 bitwise_and = arctan2
 bitwise_and_ = bitwise_and
 bitwise_left_shift = arctan2
 bitwise_left_shift_ = bitwise_left_shift
 def bitwise_not(self, **params: Any) -> Tensor: ...
 bitwise_not_ = bitwise_not
 bitwise_or = arctan2
 bitwise_or_ = bitwise_or
 bitwise_right_shift = arctan2
 bitwise_right_shift_ = bitwise_right_shift
 bitwise_xor = arctan2
 bitwise_xor_ = bitwise_xor
 bmm = products.bmm
 bool = __neg__
 broadcast_to = shaping.broadcast_to
 byte = __neg__
 cdouble = __neg__
 ceil = __neg__
 ceil_ = ceil
 cfloat = __neg__
 char = __neg__
 cholesky = linear_algebra.cholesky
 cholesky_inverse = solving.cholesky_inverse
 cholesky_solve = solving.cholesky_solve
 def chunk(self, chunks: int_, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 clamp = arithmetic.clamp
 clamp_ = clamp
 clamp_max = arithmetic.clamp_max
 clamp_max_ = clamp_max
 clamp_min = arithmetic.clamp_min
 clamp_min_ = clamp_min
 clip = clamp
 clip_ = clamp
 clone = bitwise_not
 conj = complex.conj
 conj_physical = conj
 conj_physical_ = conj
 contiguous = layout.contiguous
 copy_ = writing.copy_
 copysign = arctan2
 copysign_ = copysign
 corrcoef = statistics.corrcoef
 cos = __neg__
 cos_ = cos
 cosh = __neg__
 cosh_ = cosh
 count_nonzero = reducing.count_nonzero
 cov = statistics.cov
 cpu = moving.cpu
 cross = products.cross
 cuda = moving.cuda
 cummax = scanning.cummax
 cummin = scanning.cummin
 cumprod = scanning.cumprod
 cumprod_ = cumprod
 cumsum = scanning.cumsum
 cumsum_ = cumsum
 data: Tensor
 data_ptr = conversion.data_ptr
 deg2rad = functions.deg2rad
 deg2rad_ = deg2rad
 det = __neg__
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
 digamma = __neg__
 digamma_ = digamma
 def dim(self) -> int_: ...
 dist = norms.dist
 div = arithmetic.div
 div_ = div
 divide = div
 divide_ = div
 dot = products.dot
 double = __neg__
 def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]: ...
 @property
 def dtype(self) -> np.dtype[Any]: ...
 element_size = dim
 eq = arctan2
 eq_ = eq
 equal = comparison.equal
 erf = __neg__
 erf_ = erf
 erfc = __neg__
 erfc_ = erfc
 erfinv = __neg__
 erfinv_ = erfinv
 exp = __neg__
 exp2 = __neg__
 exp2_ = exp2
 exp_ = exp
 expand = shaping.expand
 expand_as = shaping.expand_as
 expm1 = __neg__
 expm1_ = expm1
 exponential_ = bernoulli_
 fill_ = writing.fill_
 fill_diagonal_ = writing.fill_diagonal_
 fix = __neg__
 fix_ = fix
 flatten = shaping.flatten
 flip = arranging.flip
 fliplr = arranging.fliplr
 flipud = arranging.flipud
 float = __neg__
 float_power = arithmetic.float_power
 float_power_ = float_power
 floor = __neg__
 floor_ = floor
 floor_divide = arctan2
 floor_divide_ = floor_divide
 fmax = arctan2
 fmin = arctan2
 fmod = arctan2
 fmod_ = fmod
 frac = __neg__
 frac_ = frac
 frexp = __complex__
 def gather(self, dim: int_, index: Tensor, *, sparse_grad: bool_ = ...) -> Tensor: ...
 gcd = arctan2
 gcd_ = gcd
 ge = arctan2
 ge_ = ge
 ger = products.outer
 get_device = inquiry.get_device
 grad: Tensor | None
 @property
 def grad_fn(self) -> Any: ...
 greater = arctan2
 greater_ = greater
 greater_equal = ge
 greater_equal_ = ge
 gt = greater
 gt_ = greater
 half = __neg__
 hardshrink = activation.hardshrink
 heaviside = arctan2
 heaviside_ = heaviside
 def histc(self, bins: int_ = ..., min: float_ = ..., max: float_ = ...) -> Tensor: ...
 def histogram(self, bins: Any, *, range: Any = ..., weight: Tensor | None = ..., density: bool_ = ...) -> Any: ...
 hsplit = dsplit
 hypot = arctan2
 hypot_ = hypot
 i0 = __neg__
 i0_ = i0
 @property
 def imag(self) -> Tensor: ...
 def index_add(self, dim: int_, index: Tensor, source: Tensor, *, alpha: Any = ...) -> Any: ...
 def index_add_(self, *args: Any, **kwargs: Any) -> Tensor: ...
 def index_copy(self, dim: int_, index: Tensor, source: Tensor) -> Any: ...
 index_copy_ = index_add_
 def index_fill(self, dim: int_, index: Tensor, value: Any) -> Any: ...
 index_fill_ = index_add_
 def index_put(self, indices: Any, values: Tensor, accumulate: bool_ = ...) -> Any: ...
 index_put_ = index_add_
 def index_select(self, dim: int_, index: Tensor) -> Tensor: ...
 inner = contraction.inner
 int = __neg__
 inverse = solving.inverse
 is_complex = _is_view
 is_conj = complex.is_conj
 is_contiguous = layout.is_contiguous
 @property
 def is_cpu(self) -> bool_: ...
 @property
 def is_cuda(self) -> bool_: ...
 is_floating_point = _is_view
 is_inference = _is_view
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
 isfinite = bitwise_not
 isinf = bitwise_not
 isnan = bitwise_not
 isneginf = bitwise_not
 isposinf = bitwise_not
 isreal = complex.isreal
 item = conversion.item
 @property
 def itemsize(self) -> int_: ...
 kron = products.kron
 def kthvalue(self, k: int_, dim: int_ = ..., keepdim: bool_ = ...) -> Any: ...
 lcm = arctan2
 lcm_ = lcm
 ldexp = functions.ldexp
 ldexp_ = ldexp
 le = arctan2
 le_ = le
 lerp = arithmetic.lerp
 lerp_ = lerp
 less = arctan2
 less_ = less
 less_equal = le
 less_equal_ = le
 lgamma = __neg__
 lgamma_ = lgamma
 log = __neg__
 log10 = __neg__
 log10_ = log10
 log1p = __neg__
 log1p_ = log1p
 log2 = __neg__
 log2_ = log2
 log_ = log
 log_softmax = normalization.log_softmax
 logaddexp = arctan2
 logaddexp2 = arctan2
 logcumsumexp = scanning.logcumsumexp
 logdet = solving.logdet
 logical_and = arctan2
 logical_and_ = logical_and
 logical_not = bitwise_not
 logical_not_ = logical_not
 logical_or = arctan2
 logical_or_ = logical_or
 logical_xor = arctan2
 logical_xor_ = logical_xor
 logit = functions.logit
 logit_ = logit
 logsumexp = reducing.logsumexp
 long = __neg__
 lt = less
 lt_ = less
 @property
 def mH(self) -> Tensor: ...
 @property
 def mT(self) -> Tensor: ...
 masked_fill = arithmetic.masked_fill
 masked_fill_ = masked_fill
 masked_scatter = placing.masked_scatter
 masked_scatter_ = masked_scatter
 masked_select = placing.masked_select
 matmul = products.matmul
 matrix_exp = solving.matrix_exp
 def matrix_power(self, n: int_) -> Tensor: ...
 max = reducing.max
 maximum = arctan2
 mean = reducing.mean
 def median(self, dim: int_ | None = ..., keepdim: bool_ = ...) -> Any: ...
 min = reducing.min
 minimum = arctan2
 mm = products.mm
 def mode(self, dim: int_ = ..., keepdim: bool_ = ...) -> Any: ...
 moveaxis = shaping.movedim
 movedim = moveaxis
 msort = sorting.msort
 mul = arctan2
 mul_ = mul
 def multinomial(self, num_samples: int_, replacement: bool_ = ..., *, generator: Generator | None = ...) -> Tensor: ...
 multiply = mul
 multiply_ = mul
 mv = products.mv
 mvlgamma = functions.mvlgamma
 mvlgamma_ = mvlgamma
 nan_to_num = arithmetic.nan_to_num
 nan_to_num_ = nan_to_num
 nanmean = reducing.nanmean
 nanmedian = median
 nanquantile = quantiles.nanquantile
 nansum = reducing.nansum
 def narrow(self, dim: int_, start: Any, length: int_) -> Tensor: ...
 narrow_copy = replacing.narrow_copy
 @property
 def nbytes(self) -> int_: ...
 @property
 def ndim(self) -> int_: ...
 ndimension = dim
 ne = arctan2
 ne_ = ne
 neg = __neg__
 neg_ = __neg__
 negative = __neg__
 negative_ = __neg__
 nelement = dim
 def new_empty(self, *sizes: Any, size: Any = ..., dtype: Any = ..., device: Any = ..., requires_grad: bool_ = ...) -> Tensor: ...
 new_full = moving.new_full
 new_ones = new_empty
 new_tensor = moving.new_tensor
 new_zeros = new_empty
 def nonzero(self, *, as_tuple: bool_ = ...) -> Any: ...
 norm = norms.norm
 normal_ = bernoulli_
 not_equal = ne
 not_equal_ = ne
 numel = nelement
 numpy = conversion.numpy
 outer = ger
 @property
 def output_nr(self) -> int_: ...
 permute = shaping.permute
 pin_memory = moving.pin_memory
 pinverse = solving.pinverse
 polygamma = functions.polygamma
 polygamma_ = polygamma
 positive = __pos__
 pow = arithmetic.pow
 pow_ = pow
 prelu = activation.prelu
 prod = reducing.prod
 put = placing.put
 put_ = placing.put_
 qr = linear_algebra.qr
 quantile = quantiles.quantile
 rad2deg = functions.rad2deg
 rad2deg_ = rad2deg
 random_ = bernoulli_
 ravel = shaping.ravel
 @property
 def real(self) -> Tensor: ...
 reciprocal = __neg__
 reciprocal_ = reciprocal
 record_stream = moving.record_stream
 register_hook = history.register_hook
 register_post_accumulate_grad_hook = history.register_post_accumulate_grad_hook
 relu = activation.relu
 relu_ = relu
 remainder = arctan2
 remainder_ = remainder
 renorm = replacing.renorm
 renorm_ = renorm
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
 round_ = round
 rsqrt = __neg__
 rsqrt_ = rsqrt
 def scatter(self, dim: int_, index: Tensor, src: Any = ..., *, value: Any = ..., reduce: str | None = ...) -> Tensor: ...
 scatter_ = scatter
 def scatter_add(self, dim: int_, index: Tensor, src: Tensor) -> Any: ...
 scatter_add_ = index_add_
 def scatter_reduce(self, dim: int_, index: Tensor, src: Tensor, reduce: str, *, include_self: bool_ = ...) -> Tensor: ...
 scatter_reduce_ = scatter_reduce
 def select(self, dim: int_, index: int_) -> Tensor: ...
 select_scatter = replacing.select_scatter
 sgn = arithmetic.sgn
 sgn_ = sgn
 @property
 def shape(self) -> Size: ...
 short = __neg__
 sigmoid = __neg__
 sigmoid_ = sigmoid
 sign = functions.sign
 sign_ = sign
 signbit = bitwise_not
 sin = __neg__
 sin_ = sin
 sinc = __neg__
 sinc_ = sinc
 sinh = __neg__
 sinh_ = sinh
 def size(self, dim: int_ | None = ...) -> Any: ...
 slice_scatter = replacing.slice_scatter
 slogdet = __complex__
 softmax = normalization.softmax
 def sort(self, dim: int_ = ..., descending: bool_ = ..., stable: bool_ | None = ...) -> Any: ...
 def split(self, split_size_or_sections: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 def split_with_sizes(self, split_sizes: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 sqrt = __neg__
 sqrt_ = sqrt
 square = __neg__
 square_ = square
 squeeze = shaping.squeeze
 squeeze_ = index_add_
 std = statistics.std
 storage_offset = layout.storage_offset
 stride = layout.stride
 sub = arithmetic.sub
 sub_ = arithmetic.sub_
 subtract = sub
 subtract_ = sub
 sum = reducing.sum
 svd = linear_algebra.svd
 swapaxes = shaping.transpose
 swapaxes_ = index_add_
 swapdims = swapaxes
 swapdims_ = swapaxes_
 t = shaping.t
 t_ = index_add_
 take = placing.take
 def take_along_dim(self, indices: Tensor, dim: int_ | None = ...) -> Tensor: ...
 tan = __neg__
 tan_ = tan
 tanh = __neg__
 tanh_ = tanh
 def tensor_split(self, indices_or_sections: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 tile = arranging.tile
 to = moving.to
 def to_device(self, device: Any, *, stream: Any = ...) -> Tensor: ...
 tolist = conversion.tolist
 def topk(self, k: int_, dim: int_ = ..., largest: bool_ = ..., sorted: bool_ = ...) -> Any: ...
 trace = products.trace
 transpose = swapaxes
 transpose_ = index_add_
 def tril(self, diagonal: int_ = ...) -> Tensor: ...
 tril_ = tril
 triu = tril
 triu_ = triu
 true_divide = arithmetic.true_divide
 true_divide_ = true_divide
 trunc = fix
 trunc_ = fix
 type = moving.type
 type_as = moving.type_as
 def unbind(self, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 unflatten = shaping.unflatten
 unfold = arranging.unfold
 uniform_ = bernoulli_
 def unique(self, sorted: bool_ = ..., return_inverse: bool_ = ..., return_counts: bool_ = ..., dim: int_ | None = ...) -> Any: ...
 def unique_consecutive(self, return_inverse: bool_ = ..., return_counts: bool_ = ..., dim: int_ | None = ...) -> Any: ...
 unsafe_chunk = chunk
 unsafe_split = split
 unsqueeze = shaping.unsqueeze
 unsqueeze_ = index_add_
 var = statistics.var
 vdot = products.vdot
 view = shaping.view
 view_as = shaping.view_as
 vsplit = dsplit
 where = arithmetic.where
 xlogy = arctan2
 xlogy_ = xlogy
 zero_ = writing.zero_
def _bounds(ndim: int) -> str: ...
def kept_alike(t: Tensor, x: Tensor) -> Tensor: ...
def leaf_node(t: Tensor) -> Any: ...
def wrap(array: Any, node: Any = ..., tangents: Any = ..., batch: tuple[int, ...] = ...) -> Tensor: ...
