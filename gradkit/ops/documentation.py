"""What is said of rows that are operations as they stand: a sentence, an example, and what follows from the row."""

from typing import Any

from gradkit.engine.primitive import REGISTRY

#: The summary, the operands of the example, and its answer.
TABLE = {
    "acos": ("The angle in [0, pi] whose cosine this is; nan outside [-1, 1].", "[1.0, 0.0]", "[0.0000, 1.5708]"),
    "acosh": ("The inverse of cosh; nan below 1.", "[1.0, 2.0]", "[0.0000, 1.3170]"),
    "asin": ("The angle in [-pi/2, pi/2] whose sine this is; nan outside [-1, 1].", "[0.0, 1.0]", "[0.0000, 1.5708]"),
    "asinh": ("The inverse of sinh.", "[0.0, 1.0]", "[0.0000, 0.8814]"),
    "atan": ("The angle in (-pi/2, pi/2) whose tangent this is.", "[0.0, 1.0]", "[0.0000, 0.7854]"),
    "atan2": (
        "The angle of the point (other, input), in [-pi, pi]; the derivative at the origin is 0.",
        "[1.0, 1.0], [1.0, -1.0]", "[0.7854, 2.3562]",
    ),
    "atanh": ("The inverse of tanh; infinite at -1 and 1, nan outside.", "[0.0, 0.5]", "[0.0000, 0.5493]"),
    "bitwise_and": ("The bits that both have; of bools, `logical_and`.", "[6, 5], [3, 3]", "[2, 1]"),
    "bitwise_left_shift": ("The bits of `input` moved up by `other` places.", "[1, 3], [2, 1]", "[4, 6]"),
    "bitwise_not": ("The other bits; of bools, `logical_not`.", "[0, 5]", "[-1, -6]"),
    "bitwise_or": ("The bits that either has; of bools, `logical_or`.", "[6, 5], [3, 3]", "[7, 7]"),
    "bitwise_right_shift": ("The bits of `input` moved down by `other` places; the sign stays.", "[8, -8], [2, 1]", "[ 2, -4]"),
    "bitwise_xor": ("The bits that just one has; of bools, `logical_xor`.", "[6, 5], [3, 3]", "[5, 6]"),
    "ceil": ("The nearest integer above, in the input's dtype; the derivative is 0.", "[-0.5, 1.2]", "[-0., 2.]"),
    "copysign": ("The absolute value of `input` with the sign of `other`.", "[1.0, 2.0], [-3.0, 0.0]", "[-1.,  2.]"),
    "cos": ("The cosine of an angle in radians.", "[0.0, 1.0]", "[1.0000, 0.5403]"),
    "cosh": ("The hyperbolic cosine.", "[0.0, 1.0]", "[1.0000, 1.5431]"),
    "digamma": ("The derivative of `lgamma`.", "[1.0, 2.0]", "[-0.5772,  0.4228]"),
    "eq": ("Where two are equal.", "[1, 2], [1, 3]", "[ True, False]"),
    "erf": (
        "The error function: ``2 / sqrt(pi)`` times the integral of ``exp(-t**2)`` from 0 to the input.",
        "[0.0, 1.0]", "[0.0000, 0.8427]",
    ),
    "erfc": ("``1 - erf(input)``, without cancellation.", "[0.0, 1.0]", "[1.0000, 0.1573]"),
    "erfinv": ("The inverse of `erf`; infinite at -1 and 1, nan outside.", "[0.0, 0.5]", "[0.0000, 0.4769]"),
    "exp": ("The exponential function.", "[0.0, 1.0]", "[1.0000, 2.7183]"),
    "exp2": ("2 to the power of the input.", "[0.0, 3.0]", "[1., 8.]"),
    "expm1": ("``exp(input) - 1``, without cancellation.", "[0.0, 1.0]", "[0.0000, 1.7183]"),
    "floor": ("The nearest integer below, in the input's dtype; the derivative is 0.", "[-0.5, 1.2]", "[-1.,  1.]"),
    "floor_divide": (
        "The quotient rounded down; the derivative is 0. RuntimeError for an integer divided by 0.",
        "[7, -7], [2, 2]", "[ 3, -4]",
    ),
    "fmax": (
        "The larger of two, or the one that is not nan; where they tie, the derivative is the first one's.",
        "[1.0, 2.0], [3.0, float('nan')]", "[3., 2.]",
    ),
    "fmin": (
        "The smaller of two, or the one that is not nan; where they tie, the derivative is the first one's.",
        "[1.0, 2.0], [3.0, float('nan')]", "[1., 2.]",
    ),
    "fmod": (
        "What a division rounded towards 0 leaves, with the sign of `input`. RuntimeError for an integer divided by 0.",
        "[7.0, -7.0], [4.0, 4.0]", "[ 3., -3.]",
    ),
    "frac": ("``input - trunc(input)``.", "[1.25, -1.25]", "[ 0.2500, -0.2500]"),
    "gcd": ("The greatest common divisors of integers.", "[12, 7], [18, 21]", "[6, 7]"),
    "ge": ("Where `input` is at least `other`.", "[1, 2], [2, 2]", "[False,  True]"),
    "gt": ("Where `input` is above `other`.", "[1, 3], [2, 2]", "[False,  True]"),
    "heaviside": (
        "0 where `input` is negative, 1 where it is positive, and `values` where it is 0.",
        "[-1.0, 0.0], [0.5, 0.5]", "[0.0000, 0.5000]",
    ),
    "hypot": ("``sqrt(input**2 + other**2)``, without overflow.", "[3.0, 5.0], [4.0, 12.0]", "[ 5., 13.]"),
    "i0": ("The modified Bessel function of the first kind and order 0.", "[0.0, 1.0]", "[1.0000, 1.2661]"),
    "isfinite": ("Where the input is neither infinite nor nan.", "[1.0, float('inf')]", "[ True, False]"),
    "isinf": ("Where the input is infinite.", "[1.0, float('-inf')]", "[False,  True]"),
    "isnan": ("Where the input is nan.", "[1.0, float('nan')]", "[False,  True]"),
    "isneginf": ("Where the input is -inf.", "[float('inf'), float('-inf')]", "[False,  True]"),
    "isposinf": ("Where the input is inf.", "[float('inf'), float('-inf')]", "[ True, False]"),
    "lcm": ("The least common multiples of integers.", "[4, 7], [6, 21]", "[12, 21]"),
    "le": ("Where `input` is at most `other`.", "[1, 3], [2, 2]", "[ True, False]"),
    "lgamma": ("The logarithm of the absolute value of the gamma function.", "[1.0, 5.0]", "[0.0000, 3.1781]"),
    "log": ("The natural logarithm; -inf at 0, nan below.", "[1.0, 10.0]", "[0.0000, 2.3026]"),
    "log10": ("The logarithm to base 10.", "[1.0, 1000.0]", "[0.0000, 3.0000]"),
    "log1p": ("``log(1 + input)``, without cancellation.", "[0.0, 1.0]", "[0.0000, 0.6931]"),
    "log2": ("The logarithm to base 2.", "[1.0, 8.0]", "[0., 3.]"),
    "logaddexp": (
        "``log(exp(input) + exp(other))``, without overflow.",
        "[0.0, 1000.0], [0.0, 1000.0]", "[6.9315e-01, 1.0007e+03]",
    ),
    "logaddexp2": (
        "``log2(2**input + 2**other)``, without overflow.",
        "[0.0, 1000.0], [0.0, 1000.0]", "[1.0000e+00, 1.0010e+03]",
    ),
    "logical_and": ("Where neither is 0.", "[True, True], [True, False]", "[ True, False]"),
    "logical_not": ("Where the input is 0.", "[1.0, 0.0]", "[False,  True]"),
    "logical_or": ("Where one is not 0.", "[False, True], [False, True]", "[False,  True]"),
    "logical_xor": ("Where just one is not 0.", "[True, True], [True, False]", "[False,  True]"),
    "lt": ("Where `input` is below `other`.", "[1, 3], [2, 2]", "[ True, False]"),
    "maximum": (
        "The larger of two, nan if one is; where they tie, they share the derivative.",
        "[1.0, 5.0], [3.0, 4.0]", "[3., 5.]",
    ),
    "minimum": (
        "The smaller of two, nan if one is; where they tie, they share the derivative.",
        "[1.0, 5.0], [3.0, 4.0]", "[1., 4.]",
    ),
    "mul": ("``input * other``; of bools, `logical_and`.", "[2.0, 3.0], [4.0, 5.0]", "[ 8., 15.]"),
    "ne": ("Where two differ.", "[1, 2], [1, 3]", "[False,  True]"),
    "neg": ("``-input``.", "[1.0, -2.0]", "[-1.,  2.]"),
    "reciprocal": ("``1 / input``.", "[2.0, 4.0]", "[0.5000, 0.2500]"),
    "remainder": (
        "What a division rounded down leaves, with the sign of `other`. RuntimeError for an integer divided by 0.",
        "[7.0, -7.0], [4.0, 4.0]", "[3., 1.]",
    ),
    "rsqrt": ("``1 / sqrt(input)``.", "[1.0, 4.0]", "[1.0000, 0.5000]"),
    "sigmoid": ("``1 / (1 + exp(-input))``, relatively accurate for very negative input too.", "[0.0, 2.0]", "[0.5000, 0.8808]"),
    "signbit": ("Where the sign is negative, that of -0.0 too.", "[-1.0, 0.0]", "[ True, False]"),
    "sin": ("The sine of an angle in radians.", "[0.0, 1.0]", "[0.0000, 0.8415]"),
    "sinc": ("``sin(pi input) / (pi input)``, and 1 at 0.", "[0.0, 0.5]", "[1.0000, 0.6366]"),
    "sinh": ("The hyperbolic sine.", "[0.0, 1.0]", "[0.0000, 1.1752]"),
    "sqrt": ("The square root; nan below 0. The derivative at 0 is infinite.", "[4.0, 2.0]", "[2.0000, 1.4142]"),
    "square": ("``input**2``.", "[3.0, -2.0]", "[9., 4.]"),
    "tan": ("The tangent of an angle in radians.", "[0.0, 1.0]", "[0.0000, 1.5574]"),
    "tanh": ("The hyperbolic tangent.", "[0.0, 1.0]", "[0.0000, 0.7616]"),
    "trunc": ("The integer part, in the input's dtype; the derivative is 0.", "[-1.5, 1.5]", "[-1.,  1.]"),
    "xlogy": ("``input * log(other)``, and 0 where `input` is 0.", "[0.0, 2.0], [0.0, 3.0]", "[0.0000, 2.1972]"),
}

_KINDS = {"b": "bools", "bc": "bools and complex numbers", "biuc": "what is not floating", "c": "complex numbers",
          "fcV": "what is neither integer nor bool", "fcVb": "what is not an integer"}


def document(rows: dict[str, Any]) -> None:
    for name, row in rows.items():
        if name in TABLE and getattr(row, "primitive", None) is REGISTRY[name]:
            row.__doc__ = docstring(name, row)


def docstring(name: str, row: Any) -> str:
    summary, given, answer = TABLE[name]
    remarks = ["Operands are broadcast and promoted."] if row.primitive.arity == 2 else []
    if row.primitive.promote == "float":
        remarks.append("Integers give the default floating dtype.")
    if row.refuses:
        remarks.append(f"NotImplementedError for {_KINDS[row.refuses]}.")
    operands = ", ".join([f"gradkit.tensor({one}])" for one in given.removesuffix("]").split("], ")])
    detail = f"\n\n    {' '.join(remarks)}" if remarks else ""
    return f"""{summary}{detail}

    >>> gradkit.{name}({operands})
    tensor({answer})
    """
