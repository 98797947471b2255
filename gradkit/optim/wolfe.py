"""A line search to the strong Wolfe conditions: enough descent, and a slope that has flattened.

Nocedal and Wright, "Numerical optimization" (2006), algorithms 3.5 and 3.6, with the cubic through two points (3.59).
"""

import math
from collections.abc import Callable
from typing import Any

DESCENT, CURVATURE, MOST = 1e-4, 0.9, 25


def strong_wolfe(
    evaluate: Callable[[float], tuple[float, Any]], t: float, direction: Any, loss: float, grad: Any, slope: float,
    tolerance: float,
) -> tuple[float, float, Any]:
    """A length along the direction, and the loss and gradient there; `evaluate` gives both for a length.

    `loss`, `grad` and `slope` are those at 0, `t` is the first length to try. What it finds is the best of what it tried
    where the conditions cannot be met.
    """

    def tried(t: float) -> tuple[float, float, float, Any]:
        value, gradient = evaluate(t)
        return t, value, float(gradient @ direction), gradient

    def descends(point: Any) -> bool:
        return point[1] <= loss + DESCENT * point[0] * slope

    origin = last = (0.0, loss, slope, grad)
    for count in range(MOST):
        point = tried(t)
        if not math.isfinite(point[1]):
            t = (last[0] + t) / 2
            continue
        if not descends(point) or (count and point[1] >= last[1]):
            return _narrowed(tried, descends, last, point, slope, tolerance, MOST - count)
        if abs(point[2]) <= -CURVATURE * slope:
            return point[0], point[1], point[3]
        if point[2] >= 0:
            return _narrowed(tried, descends, point, last, slope, tolerance, MOST - count)
        least, most = t + 0.01 * (t - last[0]), 10 * t
        t, last = min(max(_lowest(last, point), least), most), point
    best = last if last[0] else origin
    return best[0], best[1], best[3]


def _narrowed(
    tried: Any, descends: Any, low: Any, high: Any, slope: float, tolerance: float, most: int
) -> tuple[float, float, Any]:
    """Close in between the best point so far and one on the other side of a lowest."""
    for _ in range(most):
        width = abs(high[0] - low[0])
        if width * abs(slope) < tolerance:
            break
        left, right = sorted((low[0], high[0]))
        t = min(max(_lowest(low, high), left + 0.1 * width), right - 0.1 * width)
        point = tried(t)
        if not descends(point) or point[1] >= low[1]:
            high = point
            continue
        if abs(point[2]) <= -CURVATURE * slope:
            return point[0], point[1], point[3]
        if point[2] * (high[0] - low[0]) >= 0:
            high = low
        low = point
    return low[0], low[1], low[3]


def _lowest(a: Any, b: Any) -> float:
    """Where the cubic with the values and slopes of two points is lowest; the middle where it is nowhere."""
    (x, f, s, _), (y, g, r, _) = sorted((a, b), key=lambda point: point[0])
    if y == x:
        return float(x)
    turn = s + r - 3 * (f - g) / (x - y)
    square = turn * turn - s * r
    if square < 0 or not math.isfinite(square):
        return float(x + y) / 2
    root = math.sqrt(square)
    below = r - s + 2 * root
    return float(y - (y - x) * (r + root - turn) / below) if below else float(x + y) / 2
