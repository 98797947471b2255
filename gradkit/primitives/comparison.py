"""Comparisons, logic, bits, divisors and tests of one number: rows without a derivative."""

import math

from gradkit.families import INTEGERS_ONLY, REAL_ONLY, elementwise

inf, nan = math.inf, math.nan
_PAIRS = [((3, 4), (4,), {}), ([1.0, 2.0, 2.0], [2.0, 2.0, 1.0], {})]
_INTEGERS = [([6, -5, 0], [3, 1, 2], {}), ([True, False, True], [True, True, False], {})]
_BITS = {"refuses": INTEGERS_ONLY, "samples": _INTEGERS}
_SHIFT = {"refuses": INTEGERS_ONLY + "b", "samples": _INTEGERS[:1]}
_SPECIAL = [([0.0, -1.5, inf, -inf, nan], {})]

# -- comparisons
eq = elementwise("eq", "equal", [None, None], samples=_PAIRS)
ne = elementwise("ne", "not_equal", [None, None], samples=_PAIRS)
lt = elementwise("lt", "less", [None, None], refuses=REAL_ONLY, samples=_PAIRS)
le = elementwise("le", "less_equal", [None, None], refuses=REAL_ONLY, samples=_PAIRS)
gt = elementwise("gt", "greater", [None, None], refuses=REAL_ONLY, samples=_PAIRS)
ge = elementwise("ge", "greater_equal", [None, None], refuses=REAL_ONLY, samples=_PAIRS)


def near(xp, a, b, rtol: float, atol: float, equal_nan: bool):
    return xp.isclose(a, b, rtol=rtol, atol=atol, equal_nan=equal_nan)


isclose = elementwise(
    "isclose", near, [None, None], params=[{"rtol": 1e-5, "atol": 1e-8, "equal_nan": False}],
    samples=[([1.0, 1.0, nan], [1.0 + 1e-7, 2.0, nan], {"rtol": 1e-5, "atol": 1e-8, "equal_nan": True})],
)

# -- logic
logical_and = elementwise("logical_and", "logical_and", [None, None], samples=_INTEGERS)
logical_or = elementwise("logical_or", "logical_or", [None, None], samples=_INTEGERS)
logical_xor = elementwise("logical_xor", "logical_xor", [None, None], samples=_INTEGERS)
logical_not = elementwise("logical_not", "logical_not", [None], samples=[([True, False], {}), ([2, 0], {})])

# -- bits
bitwise_and = elementwise("bitwise_and", "bitwise_and", [None, None], **_BITS)
bitwise_or = elementwise("bitwise_or", "bitwise_or", [None, None], **_BITS)
bitwise_xor = elementwise("bitwise_xor", "bitwise_xor", [None, None], **_BITS)
bitwise_not = elementwise("bitwise_not", "invert", [None], refuses=INTEGERS_ONLY, samples=[([6, -5, 0], {}), ([True, False], {})])
bitwise_left_shift = elementwise("bitwise_left_shift", "left_shift", [None, None], **_SHIFT)
bitwise_right_shift = elementwise("bitwise_right_shift", "right_shift", [None, None], **_SHIFT)
gcd = elementwise("gcd", "gcd", [None, None], **_SHIFT)
lcm = elementwise("lcm", "lcm", [None, None], **_SHIFT)

# -- tests of one number
isnan = elementwise("isnan", "isnan", [None], samples=_SPECIAL)
isinf = elementwise("isinf", "isinf", [None], samples=_SPECIAL)
isfinite = elementwise("isfinite", "isfinite", [None], samples=_SPECIAL)
isposinf = elementwise("isposinf", "isposinf", [None], refuses=REAL_ONLY, samples=_SPECIAL)
isneginf = elementwise("isneginf", "isneginf", [None], refuses=REAL_ONLY, samples=_SPECIAL)
signbit = elementwise("signbit", "signbit", [None], refuses=REAL_ONLY, samples=_SPECIAL, integers=lambda _xp, x: x < 0)
