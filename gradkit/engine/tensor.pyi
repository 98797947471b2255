# Written by .ci/write_stub.py from the class as it stands after `import gradkit`: change that, not this.
from builtins import bool as bool_, complex as complex_, float as float_, int as int_
from collections.abc import Callable
from typing import Any

import numpy as np

from gradkit.backend.rng import Generator
from gradkit.engine.device import Size, device as Device
from gradkit.engine.node import Handle
from gradkit import conversion as _b, history as _j, moving as _k
from gradkit.ops import activation as _v, arithmetic as _a, arranging as _s, comparison as _d, complex as _h, contraction as _w, functions as _r, indexing as _c, inquiry as _u, layout as _n, linear_algebra as _e, normalization as _x, norms as _t, placing as _y, products as _l, quantiles as _A, reducing as _g, replacing as _i, scanning as _q, shaping as _f, solving as _m, sorting as _z, statistics as _p, writing as _o

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
 __abs__ = _a.abs
 __xor__ = __truediv__ = __sub__ = __rxor__ = __rtruediv__ = __rsub__ = __rshift__ = __rrshift__ = __rpow__ = __ror__ = __rmul__ = __rmod__ = __rmatmul__ = __rlshift__ = __rfloordiv__ = __rand__ = __radd__ = __pow__ = __or__ = __mul__ = __mod__ = __matmul__ = __lt__ = __lshift__ = __le__ = __ixor__ = __itruediv__ = __isub__ = __irshift__ = __ipow__ = __ior__ = __imul__ = __imod__ = __ilshift__ = __ifloordiv__ = __iand__ = __iadd__ = __gt__ = __ge__ = __floordiv__ = __and__ = __add__
 __array__ = _b.as_array
 __bool__ = _b.as_bool
 trunc_ = tanh_ = tan_ = square_ = sqrt_ = slogdet = sinh_ = sinc_ = sin_ = sigmoid_ = rsqrt_ = reciprocal_ = negative_ = neg_ = log_ = log2_ = log1p_ = log10_ = lgamma_ = i0_ = frexp = frac_ = floor_ = fix_ = expm1_ = exp_ = exp2_ = erfinv_ = erfc_ = erf_ = digamma_ = cosh_ = cos_ = ceil_ = atanh_ = atan_ = asinh_ = asin_ = arctanh_ = arctan_ = arcsinh_ = arcsin_ = arccosh_ = arccos_ = acosh_ = acos_ = __int__ = __float__ = __complex__
 __contains__ = _b.contains
 __divmod__ = _a._quotient_and_remainder
 __ne__ = __eq__
 __getitem__ = _c.__getitem__
 __index__ = _b.as_index
 __invert__ = _d.inverted
 __iter__ = _b.elements
 __len__ = _b.length
 trunc = tanh = tan = square = sqrt = sinh = sinc = sin = sign_ = sigmoid = short = sgn_ = rsqrt = reciprocal = rad2deg_ = positive = negative = neg = long = log2 = log1p = log10 = log = lgamma = int = i0 = half = frac = floor = float = fix = expm1 = exp2 = exp = erfinv = erfc = erf = double = digamma = det = deg2rad_ = cosh = cos = conj_physical_ = conj_physical = char = cfloat = ceil = cdouble = byte = bool = atanh = atan = asinh = asin = arctanh = arctan = arcsinh = arcsin = arccosh = arccos = acosh = acos = absolute_ = absolute = abs_ = abs = __neg__
 __pos__ = _a.positive
 xlogy_ = remainder_ = not_equal_ = ne_ = multiply_ = mul_ = lt_ = logical_xor_ = logical_or_ = logical_and_ = less_equal_ = less_ = le_ = lcm_ = hypot_ = heaviside_ = gt_ = greater_equal_ = greater_ = ge_ = gcd_ = fmod_ = floor_divide_ = eq_ = copysign_ = bitwise_xor_ = bitwise_right_shift_ = bitwise_or_ = bitwise_left_shift_ = bitwise_and_ = atan2_ = arctan2_ = __rdivmod__
 __setitem__ = _c.__setitem__
 is_inference = is_floating_point = is_complex = _is_view
 add = _a.add
 add_ = _a.add_
 baddbmm_ = addbmm_ = addbmm = _e.addbmm
 addcmul_ = addcdiv_ = addcdiv = _a.addcdiv
 addcmul = _a.addcmul
 addmm_ = addmm = _e.addmm
 addmv_ = addmv = _e.addmv
 addr_ = addr = _e.addr
 adjoint = _f.adjoint
 all = _g.all
 allclose = _d.allclose
 amax = _g.amax
 amin = _g.amin
 aminmax = _g.aminmax
 angle = _h.angle
 any = _g.any
 xlogy = true_divide_ = remainder = not_equal = ne = multiply = mul = minimum = maximum = lt = logical_xor = logical_or = logical_and = logaddexp2 = logaddexp = less_equal = less = le = ldexp_ = lcm = hypot = heaviside = gt = greater_equal = greater = ge = gcd = fmod = fmin = fmax = floor_divide = eq = copysign = bitwise_xor = bitwise_right_shift = bitwise_or = bitwise_left_shift = bitwise_and = atan2 = arctan2
 argmax = _g.argmax
 argmin = _g.argmin
 argwhere = _c.argwhere
 as_strided = _i.as_strided
 backward = _j.backward
 baddbmm = _e.baddbmm
 uniform_ = random_ = normal_ = exponential_ = bernoulli_
 bfloat16 = _k.bfloat16
 signbit = logical_not_ = logical_not = isposinf = isneginf = isnan = isinf = isfinite = clone = bitwise_not_ = bitwise_not
 bmm = _l.bmm
 broadcast_to = _f.broadcast_to
 cholesky = _e.cholesky
 cholesky_inverse = _m.cholesky_inverse
 cholesky_solve = _m.cholesky_solve
 unsafe_chunk = chunk
 clip_ = clip = clamp_ = clamp = _a.clamp
 clamp_max_ = clamp_max = _a.clamp_max
 clamp_min_ = clamp_min = _a.clamp_min
 conj = _h.conj
 contiguous = _n.contiguous
 copy_ = _o.copy_
 corrcoef = _p.corrcoef
 count_nonzero = _g.count_nonzero
 cov = _p.cov
 cpu = _k.cpu
 cross = _l.cross
 cuda = _k.cuda
 cummax = _q.cummax
 cummin = _q.cummin
 cumsum_ = cumprod_ = cumprod = _q.cumprod
 cumsum = _q.cumsum
 data_ptr = _b.data_ptr
 deg2rad = _r.deg2rad
 detach = _j.detach
 detach_ = _j.detach_
 diag = _s.diag
 diag_embed = _s.diag_embed
 diagflat = _s.diagflat
 diagonal = _s.diagonal
 diagonal_scatter = _i.diagonal_scatter
 diff = _q.diff
 numel = nelement = ndimension = element_size = dim
 dist = _t.dist
 divide_ = divide = div_ = div = _a.div
 dot = _l.dot
 vsplit = hsplit = dsplit
 equal = _d.equal
 expand = _f.expand
 expand_as = _f.expand_as
 fill_ = _o.fill_
 fill_diagonal_ = _o.fill_diagonal_
 flatten = _f.flatten
 flip = _s.flip
 fliplr = _s.fliplr
 flipud = _s.flipud
 pow_ = float_power_ = float_power = _a.float_power
 outer = ger = _l.outer
 get_device = _u.get_device
 hardshrink = _v.hardshrink
 unsqueeze_ = transpose_ = t_ = swapdims_ = swapaxes_ = squeeze_ = scatter_add_ = index_put_ = index_fill_ = index_copy_ = index_add_
 inner = _w.inner
 inverse = _m.inverse
 is_conj = _h.is_conj
 is_contiguous = _n.is_contiguous
 is_nonzero = _d.is_nonzero
 is_pinned = _k.is_pinned
 is_same_size = _u.is_same_size
 is_signed = _u.is_signed
 isclose = _d.isclose
 isreal = _h.isreal
 item = _b.item
 kron = _l.kron
 ldexp = _r.ldexp
 lerp_ = lerp = _a.lerp
 log_softmax = _x.log_softmax
 logcumsumexp = _q.logcumsumexp
 logdet = _m.logdet
 logit_ = logit = _r.logit
 logsumexp = _g.logsumexp
 masked_fill_ = masked_fill = _a.masked_fill
 masked_scatter_ = masked_scatter = _y.masked_scatter
 masked_select = _y.masked_select
 matmul = _l.matmul
 matrix_exp = _m.matrix_exp
 max = _g.max
 mean = _g.mean
 nanmedian = median
 min = _g.min
 mm = _l.mm
 movedim = moveaxis = _f.movedim
 msort = _z.msort
 mv = _l.mv
 mvlgamma_ = mvlgamma = _r.mvlgamma
 nan_to_num_ = nan_to_num = _a.nan_to_num
 nanmean = _g.nanmean
 nanquantile = _A.nanquantile
 nansum = _g.nansum
 narrow_copy = _i.narrow_copy
 new_zeros = new_ones = new_empty
 new_full = _k.new_full
 new_tensor = _k.new_tensor
 norm = _t.norm
 numpy = _b.numpy
 permute = _f.permute
 pin_memory = _k.pin_memory
 pinverse = _m.pinverse
 polygamma_ = polygamma = _r.polygamma
 pow = _a.pow
 prelu = _v.prelu
 prod = _g.prod
 put = _y.put
 put_ = _y.put_
 qr = _e.qr
 quantile = _A.quantile
 rad2deg = _r.rad2deg
 ravel = _f.ravel
 record_stream = _k.record_stream
 register_hook = _j.register_hook
 register_post_accumulate_grad_hook = _j.register_post_accumulate_grad_hook
 relu_ = relu = _v.relu
 renorm_ = renorm = _i.renorm
 repeat = _s.repeat
 reshape = _f.reshape
 reshape_as = _f.reshape_as
 resolve_conj = _h.resolve_conj
 retain_grad = _j.retain_grad
 roll = _s.roll
 rot90 = _s.rot90
 round_ = round = _r.round
 scatter_ = scatter
 scatter_reduce_ = scatter_reduce
 select_scatter = _i.select_scatter
 sgn = _a.sgn
 sign = _r.sign
 slice_scatter = _i.slice_scatter
 softmax = _x.softmax
 unsafe_split = split
 squeeze = _f.squeeze
 std = _p.std
 storage_offset = _n.storage_offset
 stride = _n.stride
 subtract_ = subtract = sub = _a.sub
 sub_ = _a.sub_
 sum = _g.sum
 svd = _e.svd
 transpose = swapdims = swapaxes = _f.transpose
 t = _f.t
 take = _y.take
 tile = _s.tile
 to = _k.to
 tolist = _b.tolist
 trace = _l.trace
 triu_ = triu = tril_ = tril
 true_divide = _a.true_divide
 type = _k.type
 type_as = _k.type_as
 unflatten = _f.unflatten
 unfold = _s.unfold
 unsqueeze = _f.unsqueeze
 var = _p.var
 vdot = _l.vdot
 view = _f.view
 view_as = _f.view_as
 where = _a.where
 zero_ = _o.zero_
def _bounds(ndim: int) -> str: ...
def kept_alike(t: Tensor, x: Tensor) -> Tensor: ...
def leaf_node(t: Tensor) -> Any: ...
def wrap(array: Any, node: Any = ..., tangents: Any = ..., batch: tuple[int, ...] = ...) -> Tensor: ...
