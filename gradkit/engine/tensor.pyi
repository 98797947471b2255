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
 @property
 def T(self) -> Tensor: ...
 __abs__ = _a.abs
 def __add__(self, other: Any, /) -> Tensor: ...
 __array__ = _b.as_array
 def __array_namespace__(self, *, api_version: str | None = ...) -> Any: ...
 __bool__ = _b.as_bool
 def __complex__(self) -> Any: ...
 __contains__ = _b.contains
 @property
 def __cuda_array_interface__(self) -> Any: ...
 __divmod__ = _a._quotient_and_remainder
 def __dlpack__(self, **keywords: Any) -> Any: ...
 def __dlpack_device__(self) -> tuple[int_, int_]: ...
 def __eq__(self, other: object, /) -> Tensor: ...  # type: ignore[override]
 __getitem__ = _c.__getitem__
 __index__ = _b.as_index
 __invert__ = _d.inverted
 __iter__ = _b.elements
 __len__ = _b.length
 def __neg__(self) -> Tensor: ...
 __pos__ = _a.positive
 def __rdivmod__(self, other: Any) -> Any: ...
 __setitem__ = _c.__setitem__
 @property
 def _base(self) -> Tensor | None: ...
 def _is_view(self) -> bool_: ...
 @property
 def _version(self) -> int_: ...
 add = _a.add
 add_ = _a.add_
 addbmm = _e.addbmm
 addcdiv = _a.addcdiv
 addcmul = _a.addcmul
 addmm = _e.addmm
 addmv = _e.addmv
 addr = _e.addr
 adjoint = _f.adjoint
 all = _g.all
 allclose = _d.allclose
 amax = _g.amax
 amin = _g.amin
 aminmax = _g.aminmax
 angle = _h.angle
 any = _g.any
 def arctan2(self, other: Any) -> Tensor: ...
 argmax = _g.argmax
 argmin = _g.argmin
 def argsort(self, dim: int_ = ..., descending: bool_ = ..., stable: bool_ = ...) -> Tensor: ...
 argwhere = _c.argwhere
 as_strided = _i.as_strided
 backward = _j.backward
 baddbmm = _e.baddbmm
 def bernoulli(self, p: float_ | None = ..., *, generator: Generator | None = ...) -> Tensor: ...
 def bernoulli_(self, *args: Any, generator: Generator | None = ..., **kwargs: Any) -> Tensor: ...
 bfloat16 = _k.bfloat16
 def bincount(self, weights: Tensor | None = ..., minlength: int_ = ...) -> Tensor: ...
 def bitwise_not(self, **params: Any) -> Tensor: ...
 bmm = _l.bmm
 broadcast_to = _f.broadcast_to
 cholesky = _e.cholesky
 cholesky_inverse = _m.cholesky_inverse
 cholesky_solve = _m.cholesky_solve
 def chunk(self, chunks: int_, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 clamp = _a.clamp
 clamp_max = _a.clamp_max
 clamp_min = _a.clamp_min
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
 cumprod = _q.cumprod
 cumsum = _q.cumsum
 data: Tensor
 data_ptr = _b.data_ptr
 deg2rad = _r.deg2rad
 detach = _j.detach
 detach_ = _j.detach_
 @property
 def device(self) -> Device: ...
 diag = _s.diag
 diag_embed = _s.diag_embed
 diagflat = _s.diagflat
 diagonal = _s.diagonal
 diagonal_scatter = _i.diagonal_scatter
 diff = _q.diff
 def dim(self) -> int_: ...
 dist = _t.dist
 div = _a.div
 dot = _l.dot
 def dsplit(self, indices_or_sections: Any) -> tuple[Tensor, ...]: ...
 @property
 def dtype(self) -> np.dtype[Any]: ...
 equal = _d.equal
 expand = _f.expand
 expand_as = _f.expand_as
 fill_ = _o.fill_
 fill_diagonal_ = _o.fill_diagonal_
 flatten = _f.flatten
 flip = _s.flip
 fliplr = _s.fliplr
 flipud = _s.flipud
 float_power = _a.float_power
 def gather(self, dim: int_, index: Tensor, *, sparse_grad: bool_ = ...) -> Tensor: ...
 ger = _l.outer
 get_device = _u.get_device
 grad: Tensor | None
 @property
 def grad_fn(self) -> Any: ...
 hardshrink = _v.hardshrink
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
 inner = _w.inner
 inverse = _m.inverse
 is_conj = _h.is_conj
 is_contiguous = _n.is_contiguous
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
 is_nonzero = _d.is_nonzero
 is_pinned = _k.is_pinned
 @property
 def is_quantized(self) -> bool_: ...
 is_same_size = _u.is_same_size
 is_signed = _u.is_signed
 @property
 def is_sparse(self) -> bool_: ...
 @property
 def is_sparse_csr(self) -> bool_: ...
 isclose = _d.isclose
 isreal = _h.isreal
 item = _b.item
 @property
 def itemsize(self) -> int_: ...
 kron = _l.kron
 def kthvalue(self, k: int_, dim: int_ = ..., keepdim: bool_ = ...) -> Any: ...
 ldexp = _r.ldexp
 lerp = _a.lerp
 log_softmax = _x.log_softmax
 logcumsumexp = _q.logcumsumexp
 logdet = _m.logdet
 logit = _r.logit
 logsumexp = _g.logsumexp
 @property
 def mH(self) -> Tensor: ...
 @property
 def mT(self) -> Tensor: ...
 masked_fill = _a.masked_fill
 masked_scatter = _y.masked_scatter
 masked_select = _y.masked_select
 matmul = _l.matmul
 matrix_exp = _m.matrix_exp
 def matrix_power(self, n: int_) -> Tensor: ...
 max = _g.max
 mean = _g.mean
 def median(self, dim: int_ | None = ..., keepdim: bool_ = ...) -> Any: ...
 min = _g.min
 mm = _l.mm
 def mode(self, dim: int_ = ..., keepdim: bool_ = ...) -> Any: ...
 moveaxis = _f.movedim
 msort = _z.msort
 def multinomial(self, num_samples: int_, replacement: bool_ = ..., *, generator: Generator | None = ...) -> Tensor: ...
 mv = _l.mv
 mvlgamma = _r.mvlgamma
 nan_to_num = _a.nan_to_num
 nanmean = _g.nanmean
 nanquantile = _A.nanquantile
 nansum = _g.nansum
 def narrow(self, dim: int_, start: Any, length: int_) -> Tensor: ...
 narrow_copy = _i.narrow_copy
 @property
 def nbytes(self) -> int_: ...
 @property
 def ndim(self) -> int_: ...
 def new_empty(self, *sizes: Any, size: Any = ..., dtype: Any = ..., device: Any = ..., requires_grad: bool_ = ...) -> Tensor: ...
 new_full = _k.new_full
 new_tensor = _k.new_tensor
 def nonzero(self, *, as_tuple: bool_ = ...) -> Any: ...
 norm = _t.norm
 numpy = _b.numpy
 @property
 def output_nr(self) -> int_: ...
 permute = _f.permute
 pin_memory = _k.pin_memory
 pinverse = _m.pinverse
 polygamma = _r.polygamma
 pow = _a.pow
 prelu = _v.prelu
 prod = _g.prod
 put = _y.put
 put_ = _y.put_
 qr = _e.qr
 quantile = _A.quantile
 rad2deg = _r.rad2deg
 ravel = _f.ravel
 @property
 def real(self) -> Tensor: ...
 record_stream = _k.record_stream
 register_hook = _j.register_hook
 register_post_accumulate_grad_hook = _j.register_post_accumulate_grad_hook
 relu = _v.relu
 renorm = _i.renorm
 repeat = _s.repeat
 def repeat_interleave(self, repeats: Any = ..., dim: int_ | None = ..., *, output_size: int_ | None = ...) -> Tensor: ...
 requires_grad: bool_
 def requires_grad_(self, requires_grad: bool_ = ...) -> Tensor: ...
 reshape = _f.reshape
 reshape_as = _f.reshape_as
 resolve_conj = _h.resolve_conj
 retain_grad = _j.retain_grad
 @property
 def retains_grad(self) -> bool_: ...
 roll = _s.roll
 rot90 = _s.rot90
 round = _r.round
 def scatter(self, dim: int_, index: Tensor, src: Any = ..., *, value: Any = ..., reduce: str | None = ...) -> Tensor: ...
 def scatter_add(self, dim: int_, index: Tensor, src: Tensor) -> Any: ...
 def scatter_reduce(self, dim: int_, index: Tensor, src: Tensor, reduce: str, *, include_self: bool_ = ...) -> Tensor: ...
 def select(self, dim: int_, index: int_) -> Tensor: ...
 select_scatter = _i.select_scatter
 sgn = _a.sgn
 @property
 def shape(self) -> Size: ...
 sign = _r.sign
 def size(self, dim: int_ | None = ...) -> Any: ...
 slice_scatter = _i.slice_scatter
 softmax = _x.softmax
 def sort(self, dim: int_ = ..., descending: bool_ = ..., stable: bool_ | None = ...) -> Any: ...
 def split(self, split_size_or_sections: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 def split_with_sizes(self, split_sizes: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 squeeze = _f.squeeze
 std = _p.std
 storage_offset = _n.storage_offset
 stride = _n.stride
 sub = _a.sub
 sub_ = _a.sub_
 sum = _g.sum
 svd = _e.svd
 swapaxes = _f.transpose
 t = _f.t
 take = _y.take
 def take_along_dim(self, indices: Tensor, dim: int_ | None = ...) -> Tensor: ...
 def tensor_split(self, indices_or_sections: Any, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 tile = _s.tile
 to = _k.to
 def to_device(self, device: Any, *, stream: Any = ...) -> Tensor: ...
 tolist = _b.tolist
 def topk(self, k: int_, dim: int_ = ..., largest: bool_ = ..., sorted: bool_ = ...) -> Any: ...
 trace = _l.trace
 def tril(self, diagonal: int_ = ...) -> Tensor: ...
 true_divide = _a.true_divide
 type = _k.type
 type_as = _k.type_as
 def unbind(self, dim: int_ = ...) -> tuple[Tensor, ...]: ...
 unflatten = _f.unflatten
 unfold = _s.unfold
 def unique(self, sorted: bool_ = ..., return_inverse: bool_ = ..., return_counts: bool_ = ..., dim: int_ | None = ...) -> Any: ...
 def unique_consecutive(self, return_inverse: bool_ = ..., return_counts: bool_ = ..., dim: int_ | None = ...) -> Any: ...
 unsqueeze = _f.unsqueeze
 var = _p.var
 vdot = _l.vdot
 view = _f.view
 view_as = _f.view_as
 where = _a.where
 zero_ = _o.zero_
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
