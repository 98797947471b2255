"""Quotients and powers with NumPy's values where CuPy has others, and smooth activations: one kernel each."""

from typing import Any

from gradkit.backend.cuda.compiling import COMPUTED_IN, elementwise, of_one

__all__ = ["clip", "floor_divide", "fused_silu_forward", "gelu", "log_sigmoid", "power", "remainder", "sigmoid", "signum", "softplus"]

# What `gradkit.backend.cpu.elementary` multiplies out, with the same conventions.
_POWERS = {
    2: "v * v",
    3: "v * v * v",
    4: "(v * v) * (v * v)",
    5: "(v * v) * (v * v) * v",
    -1: "C(1) / v",
    -2: "(C(1) / v) * (C(1) / v)",
    -3: "(C(1) / v) * (C(1) / v) / v",
    0.5: "sqrt(v)",
    1.5: "sqrt(v) * v",
    2.5: "sqrt(v) * v * v",
    -0.5: "C(1) / sqrt(v)",
    -1.5: "C(1) / sqrt(v) / v",
}


def power(cp: Any, x: Any, p: Any) -> Any:
    """``x ** p``: for a number `p` in the dtype of `x`, for an array in the one that NumPy gives."""
    if isinstance(p, cp.ndarray) or x.dtype.kind == "b":
        return cp.power(x, p)
    exponent = p.item() if hasattr(p, "item") else p
    if exponent == 0:
        return cp.ones(x.shape, x.dtype)
    if exponent == 1:
        return x.copy()
    body = _POWERS.get(exponent) if x.dtype.kind in "fcV" else None
    if body is None and x.dtype.char in "eE":
        return cp.power(x.astype("f"), cp.float32(exponent)).astype(x.dtype)
    if body is None:
        return cp.power(x, x.dtype.type(exponent))
    return of_one(cp, "power", f"y = {body}", x)


# NumPy's, from which CuPy differs where an operand is infinite.
_DIVIDED = """C m = fmod(a, b), q = (a - m) / b;
if (m != 0 && (b < 0) != (m < 0)) { m += b; q -= 1; }"""
_QUOTIENT = "const C f = floor(q); y = b == 0 ? a / b : q != 0 ? (q - f > C(0.5) ? f + 1 : f) : copysign(C(0), a / b)"
_REMAINDER = "y = m != 0 || m != m ? m : copysign(C(0), b)"


def divided(cp: Any, name: str, a: Any, b: Any, answer: str) -> Any:
    if (a if hasattr(a, "dtype") else b).dtype.kind not in "fV":
        return getattr(cp, name)(a, b)
    kind = COMPUTED_IN[a.dtype.char]
    body = f"typedef {kind} C; const C a = x, b = z; {_DIVIDED} {answer}"
    return elementwise(cp, name, "T x, T z", "T y", body)(a, b)


def floor_divide(cp: Any, a: Any, b: Any) -> Any:
    return divided(cp, "floor_divide", a, b, _QUOTIENT)


def remainder(cp: Any, a: Any, b: Any) -> Any:
    return divided(cp, "remainder", a, b, _REMAINDER)


def clip(cp: Any, x: Any, min: Any, max: Any) -> Any:
    """Between two numbers, of which the upper one wins; NaN stays. None is no bound."""
    low, high = [None if bound is None else x.dtype.type(bound) for bound in (min, max)]
    if low is None or high is None:
        return cp.minimum(x, high) if low is None else cp.maximum(x, low)
    body = "const T v = x < low ? low : x; y = v > high ? high : v"
    return elementwise(cp, "clip", "T x, T low, T high", "T y", body)(x, low, high)


def signum(cp: Any, x: Any) -> Any:
    return of_one(cp, "signum", "y = (v > 0) - (v < 0)", x)


def sigmoid(cp: Any, x: Any) -> Any:
    return of_one(cp, "sigmoid", "y = C(1) / (C(1) + exp(-v))", x)


def fused_silu_forward(cp: Any, x: Any) -> Any:
    return of_one(cp, "silu", "y = v * (C(1) / (C(1) + exp(-v)))", x)


def log_sigmoid(cp: Any, x: Any) -> Any:
    return of_one(cp, "log_sigmoid", "y = (v < 0 ? v : C(0)) - log1p(exp(-abs(v)))", x)


def softplus(cp: Any, x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    kind = "double" if x.dtype.char == "d" else "float"
    body = (
        f"typedef {kind} C; const C v = x, b = beta, s = v * b;"
        "y = s > C(threshold) ? v : ((s > 0 ? s : C(0)) + log1p(exp(-abs(s)))) / b"
    )
    return elementwise(cp, "softplus", "T x, float64 beta, float64 threshold", "T y", body)(x, beta, threshold)


def gelu(cp: Any, x: Any, approximate: str = "none") -> Any:
    inner = (
        "tanh(v * (C(0.7978845608028654) + C(0.7978845608028654 * 0.044715) * v * v))"
        if approximate == "tanh"
        else "erf(v * C(0.7071067811865476))"
    )
    return of_one(cp, "gelu", f"y = C(0.5) * v * (C(1) + {inner})", x)
