"""Pooling over the last one, two or three axes: `gradkit.backend.cpu.pooling` says what it is, here it is one kernel each."""

from collections.abc import Sequence
from typing import Any

from gradkit.backend.cpu.pooling import Axis, PerAxis, axes_of
from gradkit.backend.cuda.compiling import COMPUTED_IN, elementwise

__all__ = ["fused_max_pool_vjp", "pool_max", "pool_max_at", "pool_mean", "pool_mean_ct"]

_AXES = range(3)
_FIELDS = {"n": "n", "o": "out", "m": "kernel", "s": "stride", "p": "padding", "d": "dilation"}
_NUMBERS = ", ".join([f"int64 {letter}{k}" for letter in _FIELDS for k in _AXES])
_ALONE = Axis(n=1, kernel=1, stride=1, padding=0, dilation=1, out=1)


def numbers(axes: tuple[Axis, ...]) -> list[int]:
    """The sizes of three axes, new ones in front, in the order of `_NUMBERS`."""
    three = (_ALONE,) * (3 - len(axes)) + axes
    return [getattr(axis, field) for field in _FIELDS.values() for axis in three]


def coordinates(letter: str) -> str:
    """``t0, t1, t2``: where element i stands along the axes, whose extents have the letter; ``rest``: in which image."""
    return "long long rest = i;" + " ".join(
        [f"const long long t{k} = rest % {letter}{k}; rest /= {letter}{k};" for k in reversed(_AXES)]
    )


# -- maximum: the first of equal ones in scan order; the last NaN, if there is one
_MAXIMUM = " ".join(
    [
        coordinates("o"),
        "T best = lowest; long long at = -1;",
        *[
            f"for (long long k{k} = 0; k{k} < m{k}; ++k{k}) {{ const long long q{k} = t{k} * s{k} - p{k} + k{k} * d{k};"
            f" if (q{k} < 0 || q{k} >= n{k}) continue;"
            for k in _AXES
        ],
        "const long long here = (q0 * n1 + q1) * n2 + q2; const T v = x[rest * n0 * n1 * n2 + here];",
        "if (at < 0 || v > best || v != v) { best = v; at = here; } }}}",
    ]
)


def pool_max(
    cp: Any, x: Any, kernel: Sequence[int], stride: PerAxis | None = None, padding: PerAxis = 0, dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Any:
    axes = axes_of(x.shape, kernel, stride, padding, dilation, ceil_mode)
    return maxima(cp, "pool_max", x, axes, x.dtype, "y = best")


def pool_max_at(
    cp: Any, x: Any, kernel: Sequence[int], stride: PerAxis | None = None, padding: PerAxis = 0, dilation: PerAxis = 1,
    ceil_mode: bool = False,
) -> Any:
    axes = axes_of(x.shape, kernel, stride, padding, dilation, ceil_mode)
    return maxima(cp, "pool_max_at", x, axes, cp.dtype("int64"), "y = at")


_FOUND = " ".join(
    [
        coordinates("n"),
        "const long long here = (t0 * n1 + t1) * n2 + t2; C total = 0;",
        *[
            f"for (long long k{k} = 0; k{k} < m{k}; ++k{k}) {{ const long long a{k} = t{k} + p{k} - k{k} * d{k};"
            f" if (a{k} < 0 || a{k} % s{k} || a{k} / s{k} >= o{k}) continue;"
            for k in _AXES
        ],
        "const long long w = ((rest * o0 + a0 / s0) * o1 + a1 / s1) * o2 + a2 / s2;",
        "if (at[w] == here) total += C(ct[w]); }}} y = T(total)",
    ]
)


def fused_max_pool_vjp(cp: Any, ct: Any, x: Any, **params: Any) -> Any:
    """Each place of the input asks the windows around it: in an order of its own, where adding to places has none."""
    axes = axes_of(x.shape, *[params[name] for name in ("kernel", "stride", "padding", "dilation", "ceil_mode")])
    body = f"typedef {COMPUTED_IN.get(ct.dtype.char, 'float')} C; {_FOUND}"
    run = elementwise(cp, "pool_max_ct", f"raw T ct, raw int64 at, {_NUMBERS}", "T y", body)
    return run(cp.ascontiguousarray(ct), pool_max_at(cp, x, **params), *numbers(axes), cp.empty(x.shape, ct.dtype))


def maxima(cp: Any, name: str, x: Any, axes: tuple[Axis, ...], dtype: Any, answer: str) -> Any:
    lowest = -cp.inf if x.dtype.kind in "fV" else cp.iinfo(x.dtype).min
    out = cp.empty((*x.shape[: -len(axes)], *[a.out for a in axes]), dtype)
    run = elementwise(cp, name, f"raw T x, T lowest, {_NUMBERS}", "U y", f"{_MAXIMUM} {answer}")
    return run(cp.ascontiguousarray(x), x.dtype.type(lowest), *numbers(axes), out)


# -- mean
def count_in(window: str) -> str:
    """By what the sum of a window is divided: a number that is given, or its places in the input, or in the padding too."""
    sides = [
        f"{{ const long long from = {window}{k} * s{k} - p{k}, to = min(from + m{k}, n{k} + (padded ? p{k} : 0));"
        f" count *= to - (padded || from > 0 ? from : 0); }}"
        for k in _AXES
    ]
    return f"long long count = given; if (!given) {{ count = 1; {' '.join(sides)} }}"


_MEAN = " ".join(
    [
        coordinates("o"),
        "C total = 0;",
        *[
            f"for (long long q{k} = max(t{k} * s{k} - p{k}, 0LL); q{k} < min(t{k} * s{k} - p{k} + m{k}, n{k}); ++q{k})"
            for k in _AXES
        ],
        "total += C(x[((rest * n0 + q0) * n1 + q1) * n2 + q2]);",
        count_in("t"),
        "y = T(total / C(count))",
    ]
)
_SPREAD = " ".join(
    [
        coordinates("n"),
        "C total = 0;",
        *[
            f"for (long long w{k} = max((t{k} + p{k} - m{k}) / s{k} + (t{k} + p{k} >= m{k}), 0LL);"
            f" w{k} < min((t{k} + p{k}) / s{k} + 1, o{k}); ++w{k})"
            for k in _AXES
        ],
        "{",
        count_in("w"),
        "total += C(x[((rest * o0 + w0) * o1 + w1) * o2 + w2]) / C(count); }",
        "y = T(total)",
    ]
)


def pool_mean(
    cp: Any, x: Any, kernel: Sequence[int], stride: PerAxis | None = None, padding: PerAxis = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:
    axes = axes_of(x.shape, kernel, stride, padding, 1, ceil_mode)
    out = cp.empty((*x.shape[: -len(axes)], *[a.out for a in axes]), x.dtype)
    return averaged(cp, "pool_mean", _MEAN, x, out, axes, count_include_pad, divisor_override)


def pool_mean_ct(
    cp: Any, ct: Any, spatial: Sequence[int], kernel: Sequence[int], stride: PerAxis | None = None, padding: PerAxis = 0,
    ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None,
) -> Any:
    axes = axes_of(tuple(spatial), kernel, stride, padding, 1, ceil_mode)
    out = cp.empty((*ct.shape[: ct.ndim - len(axes)], *spatial), ct.dtype)
    return averaged(cp, "pool_mean_ct", _SPREAD, ct, out, axes, count_include_pad, divisor_override)


def averaged(cp: Any, name: str, body: str, x: Any, out: Any, axes: tuple[Axis, ...], padded: bool, given: int | None) -> Any:
    kind = COMPUTED_IN.get(x.dtype.char, "float")
    run = elementwise(cp, name, f"raw T x, int64 given, bool padded, {_NUMBERS}", "T y", f"typedef {kind} C; {body}")
    return run(cp.ascontiguousarray(x), given or 0, padded, *numbers(axes), out)
