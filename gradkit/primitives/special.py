"""Error functions, the normal distribution, gamma and Bessel functions: rows over the backend's own functions.

Derivatives: Abramowitz and Stegun 7.2.8 (error functions), 6.3.1 and 6.4.1 (gamma), 9.6.26 (Bessel).
"""

import math

from gradkit.families import REAL_ONLY, elementwise

inf, nan = math.inf, math.nan
_SQRT_PI, _SQRT_2_PI = math.sqrt(math.pi), math.sqrt(2 * math.pi)

# -- error functions and the normal distribution
erf = elementwise(
    "erf", "erf", [lambda xp, d, _y, x: d * (xp.exp(-x * x) * (2 / _SQRT_PI))], promote="float", refuses=REAL_ONLY,
    edges=[0.0, inf, -inf, nan],
)
erfc = elementwise(
    "erfc", "erfc", [lambda xp, d, _y, x: d * (xp.exp(-x * x) * (-2 / _SQRT_PI))], promote="float", refuses=REAL_ONLY,
    edges=[0.0, inf, -inf, nan],
)
erfcx = elementwise(
    "erfcx", "erfcx", [lambda _xp, d, y, x: d * (2 * x * y - 2 / _SQRT_PI)], promote="float", refuses=REAL_ONLY,
    edges=[0.0], peer=lambda torch, x: torch.special.erfcx(x),
)
erfinv = elementwise(
    "erfinv", "erfinv", [lambda xp, d, y, _x: d * (xp.exp(y * y) * (_SQRT_PI / 2))], domain=(-0.9, 0.9),
    promote="float", refuses=REAL_ONLY, rescues=True, edges=[0.0, 1.0, -1.0, 2.0],
)
ndtr = elementwise(
    "ndtr", "ndtr", [lambda xp, d, _y, x: d * (xp.exp(-x * x / 2) / _SQRT_2_PI)], promote="float", refuses=REAL_ONLY,
    lends=True, edges=[0.0, inf, -inf], peer=lambda torch, x: torch.special.ndtr(x),
)
ndtri = elementwise(
    "ndtri", "ndtri", [lambda xp, d, y, _x: d * (xp.exp(y * y / 2) * _SQRT_2_PI)], domain=(0.1, 0.9), promote="float",
    refuses=REAL_ONLY, edges=[0.5, 0.0, 1.0], peer=lambda torch, x: torch.special.ndtri(x),
)
# The ratio of density and distribution, which erfcx gives without cancellation or underflow.
# Where x is positive nothing cancels or underflows, and erfcx may overflow.
def hazard(xp, y, x):
    below = xp.where(x > 0, 0, x)
    tail = math.sqrt(2 / math.pi) / xp.erfcx(below * -math.sqrt(0.5))
    return xp.where(x > 0, xp.exp(-x * x / 2 - y) / _SQRT_2_PI, tail)


log_ndtr = elementwise(
    "log_ndtr", "log_ndtr", [lambda xp, d, y, x: d * hazard(xp, y, x)],
    promote="float", refuses=REAL_ONLY, edges=[0.0, -3.0], peer=lambda torch, x: torch.special.log_ndtr(x),
)

# -- gamma
lgamma = elementwise(
    "lgamma", "lgamma", [lambda xp, d, _y, x: d * xp.digamma(x)], domain=(0.3, 4), promote="float", refuses=REAL_ONLY,
    edges=[0.0, inf],
)
# PyTorch's polygamma of order 1 is right to 5e-10 only, too little for a peer in float64.
digamma = elementwise(
    "digamma", "digamma", [lambda xp, d, _y, x: d * xp.digamma_derivative(x, order=1)], domain=(0.3, 4),
    promote="float", refuses=REAL_ONLY, peer=lambda *_: None,
)
digamma_derivative = elementwise(
    "digamma_derivative", lambda xp, x, order: xp.polygamma(order, x),
    [lambda xp, d, _y, x, order: d * xp.digamma_derivative(x, order=order + 1)],
    domain=(0.3, 4), params=[{"order": 1}, {"order": 2}], promote="float", refuses=REAL_ONLY,
    title="PolygammaBackward0", peer=lambda torch, x, order: torch.polygamma(order, x) if order > 1 else None,
)

# -- Bessel
i0 = elementwise("i0", "i0", [lambda xp, d, _y, x: d * xp.i1(x)], promote="float", refuses=REAL_ONLY, edges=[0.0])
i0e = elementwise(
    "i0e", "i0e", [lambda xp, d, y, x: d * (xp.i1e(x) - xp.signum(x) * y)], promote="float", refuses=REAL_ONLY,
    edges=[0.0], peer=lambda torch, x: torch.special.i0e(x),
)
i1 = elementwise(
    "i1", "i1", [lambda xp, d, y, x: d * (xp.i0(x) - xp.where(x == 0, 0.5, y / xp.where(x == 0, 1, x)))],
    promote="float", refuses=REAL_ONLY, edges=[0.0], peer=lambda torch, x: torch.special.i1(x),
)
i1e = elementwise(
    "i1e", "i1e",
    [lambda xp, d, y, x: d * (xp.i0e(x) - y * xp.signum(x) - xp.where(x == 0, 0.5, y / xp.where(x == 0, 1, x)))],
    promote="float", refuses=REAL_ONLY, edges=[0.0], peer=lambda torch, x: torch.special.i1e(x),
)

# -- logarithms
def entropy(xp, x):
    of = x.dtype.type  # beside a Python float bfloat16 becomes float32
    return xp.where(x > 0, -x * xp.log(xp.where(x > 0, x, of(1))), xp.where(x == 0, of(0), xp.where(x < 0, of(-inf), x)))


def times_log1p(xp, x, z):
    none, zero = (x == 0) & ~xp.isnan(z), x.dtype.type(0)
    return xp.where(none, zero, x * xp.log1p(xp.where(none, zero, z)))


entr = elementwise(
    "entr", entropy,
    [lambda xp, d, _y, x: d * (-1 - xp.log(x))], domain=(0.1, 3), promote="float", refuses=REAL_ONLY, edges=[0.0],
    peer=lambda torch, x: torch.special.entr(x),
)
xlog1py = elementwise(
    "xlog1py", times_log1p,
    [
        lambda xp, d, _y, x, z: d * xp.log1p(xp.where((x == 0) & (z <= -1), 0.0, z)),
        lambda _xp, d, _y, x, z: d * x / (z + 1),
    ],
    domain=[(-2, 2), (-0.5, 2)], promote="float", refuses=REAL_ONLY, edges=[(0.0, 0.5), (1.0, 0.0)],
    peer=lambda torch, x, z: torch.special.xlog1py(x, z),
)
