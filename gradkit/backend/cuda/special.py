"""Error functions, the normal distribution, gamma and Bessel functions: CUDA's where it has them accurately.

The others are the fits of `gradkit.backend.cpu`, written out as one kernel that computes in double.
"""

from collections.abc import Callable
from math import factorial
from typing import Any

from gradkit.backend.cpu import bessel, gamma
from gradkit.backend.cuda.compiling import of_one
from gradkit.backend.numpy import SPECIAL

__all__ = list(SPECIAL)


def _cudas(name: str, function: str) -> Callable[[Any, Any], Any]:
    return lambda cp, x: of_one(cp, name, f"y = {function}(v)", x)


erf, erfc, erfcx, erfinv, lgamma = [_cudas(name, name) for name in ("erf", "erfc", "erfcx", "erfinv", "lgamma")]
ndtr = _cudas("ndtr", "normcdf")


def ndtri(cp: Any, p: Any) -> Any:
    """By the smaller of the two probabilities, where it is small."""
    body = (
        "const C q = v < C(0.5) ? v : 1 - v, root = C(1.4142135623730951);"
        "y = q < C(0.25) ? copysign(root * erfcinv(2 * q), v - C(0.5)) : root * erfinv(2 * v - 1)"
    )
    return of_one(cp, "ndtri", body, p)


def log_ndtr(cp: Any, x: Any) -> Any:
    """By erfcx where the distribution function would underflow."""
    below = "log(C(0.5) * erfcx(-v * C(0.7071067811865476))) - C(0.5) * v * v"
    above = "log1p(C(-0.5) * erfc(v * C(0.7071067811865476)))"
    return of_one(cp, "log_ndtr", f"y = v < 0 ? {below} : {above}", x)


# -- written out
def horner(z: str, ascending: Any) -> str:
    *lower, text = [repr(float(c)) for c in ascending]
    for c in reversed(lower):
        text = f"({c} + {z} * {text})"
    return text


def rational(z: str, table: Any) -> str:
    return f"{horner(z, table[0])} / {horner(z, table[1])}"


# For negative x, reflection: `off` is x minus the nearest integer; below -2**52 every number is one.
_REFLECTED = "const double z = v < 0 ? 1 - v : v, c = v < -4503599627370496.0 ? -4503599627370496.0 : v, off = c - rint(c);"
_PI = "3.141592653589793"


def digamma(cp: Any, x: Any) -> Any:
    body = (
        f"{_REFLECTED} const double step = z < 0.5 ? 1.0 : 0.0, u = z + step, r = 1 / z, q = r * r, t = tan({_PI} * off);"
        f"double d = z >= 6 ? log(z) - 0.5 * r - q * {horner('q', gamma.DIGAMMA_TAIL)}"
        f" : {rational('u', gamma.DIGAMMA)} * ((u - {gamma.ROOT!r}) - {gamma.ROOT_REST!r}) - (step > 0 ? r : 0.0);"
        f'y = v < 0 ? (t == 0 ? nan("") : d - {_PI} / t) : d'
    )
    return of_one(cp, "digamma", body, x, wide=True)


def polygamma(cp: Any, n: int, x: Any) -> Any:
    """By Euler and Maclaurin, as `gradkit.backend.cpu.gamma` has it."""
    if n < 0:
        raise ValueError(f"polygamma: the order n must not be negative, got {n}")
    if n == 0:
        return digamma(cp, x)
    scale = (-1) ** (n + 1) * float(factorial(n))
    tail = horner("q", gamma.bernoulli_factors(n + 1))
    reflected = f"{(-1) ** n} * d - {horner('cot', gamma.cotangent_derivative(n))}"
    body = (
        f"{_REFLECTED} double d = 0; for (int k = 0; k < {9 + n}; ++k) d += pow(z + k, -{n + 1}.0);"
        f"const double r = 1 / (z + {9 + n}), q = r * r, p = pow(r, {n}.0), cot = 1 / tan({_PI} * off);"
        f"d += p / {n} + 0.5 * p * r + p * q * {tail}; d *= {scale!r};"
        f"y = v < 0 ? {reflected} : d"
    )
    return of_one(cp, "polygamma", body, x, wide=True)


def bessel_of(cp: Any, name: str, x: Any, core: str, tail: str, *, odd: bool, grow: bool) -> Any:
    """From 713 on I grows beyond double; cut off there, since at inf the product would be 0 * inf."""
    size = "(abs(v) > 2000 ? 2000.0 : abs(v))" if grow else "abs(v)"
    body = (
        f"const double a = {size}, b = a > 10 ? 10.0 : a, r = 1 / a, half = {'exp(0.5 * a)' if grow else '1.0'};"
        f"const double e = (a > 10 ? sqrt(r) * {tail} : {core}) * half * half;"
        f"y = {'copysign(e, v)' if odd else 'e'}"
    )
    return of_one(cp, name, body, x, wide=True)


def i0(cp: Any, x: Any, name: str = "i0", grow: bool = True) -> Any:
    core, tail = rational("b", bessel.I0E), horner("r", bessel.I0E_TAIL)
    return bessel_of(cp, name, x, core, tail, odd=False, grow=grow)


def i0e(cp: Any, x: Any) -> Any:
    return i0(cp, x, "i0e", grow=False)


def i1(cp: Any, x: Any, name: str = "i1", grow: bool = True) -> Any:
    core, tail = f"b * ({rational('b', bessel.I1E)})", horner("r", bessel.I1E_TAIL)
    return bessel_of(cp, name, x, core, tail, odd=True, grow=grow)


def i1e(cp: Any, x: Any) -> Any:
    return i1(cp, x, "i1e", grow=False)
