"""The modified Bessel functions of the first kind, of orders 0 and 1.

Rational fits made for this package of exp(-x) I0(x) and of exp(-x) I1(x)/x on [0, 10]; beyond, polynomials in 1/x
for exp(-x) sqrt(x) I(x), as the asymptotic series suggests (Abramowitz and Stegun 9.7.1). Everything is computed in
float64, within 6 ulp.
"""

from collections.abc import Callable

import numpy as np

from gradkit.backend.cpu import Array
from gradkit.backend.cpu.blocks import blockwise, widened
from gradkit.backend.cpu.rational import coefficients, polynomial, rational

# Relative error 2e-17 on [0, 10].
I0E = coefficients(
    (
        1.0, 0.08162485132734199, 0.2311909605883549, 0.018433312122475592, 0.011094450282225915,
        0.0008078145498942266, 0.0001822170524452644, 1.077726167503749e-05, 1.0888360640405445e-06,
        4.063449269188112e-08, 1.5090628001386388e-09, 6.285441447826001e-12,
    ),
    (
        1.0, 1.0816248513273388, 0.5628158119157894, 0.1866971522082673, 0.044065098280861775, 0.007810440086448194,
        0.0010672287497533873, 0.00011319484962162806, 9.202006215888496e-06, 5.495837951671768e-07,
        2.1692039346250773e-08, 3.7796426201568407e-10,
    ),
)
I1E = coefficients(
    (
        0.5, 0.08844819696722474, 0.05686134609863289, 0.009166782120207143, 0.001891440973909234,
        0.0002454809410994097, 2.4714792012774633e-05, 2.2237549046815253e-06, 1.1559476707831488e-07,
        5.597009500261025e-09, 5.1365225074721476e-11, -1.2963554043993042e-13,
    ),
    (
        1.0, 1.1768963939344508, 0.6656190861316744, 0.24005907083023537, 0.061716472173340385, 0.011961371834916886,
        0.0017990654300086486, 0.00021234757300972706, 1.956470220317087e-05, 1.3689561652245756e-06,
        6.770714054844476e-08, 1.9352021119948257e-09,
    ),
)
# Relative error 5e-17 from 10 on.
I0E_TAIL = (
    0.3989422804014327, 0.0498677850501613, 0.028050629106461326, 0.029219400582786274, 0.04474268433029639,
    0.09064288831495644, 0.21287361950768627, 2.6059462419346335, -137.71598079741884, 6911.852983502923,
    -241395.73453377836, 6150906.730676682, -115203316.59611255, 1582709087.058448, -15717330455.769495,
    109445726560.56926, -505129316315.1675, 1383486449693.8882, -1698560980508.5776,
)
I1E_TAIL = (
    0.39894228040143265, -0.14960335515052117, -0.04675104849791127, -0.04090716397407898, -0.05752582234699513,
    -0.11083521213322836, -0.24808161733659503, -3.184984278550527, 162.79021462998844, -7915.387646248942,
    270912.8459830206, -6804382.204472372, 126070908.93182327, -1717385034.5871367, 16938200328.885324,
    -117278871873.11081, 538689483228.26025, -1469332208632.0679, 1797490974574.4846,
)


def i0(x: Array) -> Array:
    """I0."""
    return _apply(_i0e, x, odd=False, grow=True)


def i0e(x: Array) -> Array:
    """``exp(-abs(x)) * i0(x)``."""
    return _apply(_i0e, x, odd=False, grow=False)


def i1(x: Array) -> Array:
    """I1, an odd function."""
    return _apply(_i1e, x, odd=True, grow=True)


def i1e(x: Array) -> Array:
    """``exp(-abs(x)) * i1(x)``."""
    return _apply(_i1e, x, odd=True, grow=False)


def _apply(scaled: Callable[[Array], Array], x: Array, *, odd: bool, grow: bool) -> Array:
    def kernel(x: Array, out: Array) -> None:
        # I grows beyond float64 from 713 on; clipped, since at inf the product below would be 0 * inf.
        size = np.absolute(x).clip(0, 2000) if grow else np.absolute(x)
        value = scaled(size)
        if grow:
            half = np.exp(0.5 * size)  # twice, since exp(size) overflows before the product does
            value *= half
            value *= half
        out[:] = np.copysign(value, x) if odd else value

    return blockwise(x, widened(kernel), kernel)


def _i0e(x: Array) -> Array:
    value = rational(x.clip(0, 10), I0E)
    large = np.flatnonzero(x > 10)
    inverse = 1 / x[large]
    value[large] = np.sqrt(inverse) * polynomial(inverse, I0E_TAIL)
    return value


def _i1e(x: Array) -> Array:
    value = x * rational(x.clip(0, 10), I1E)
    large = np.flatnonzero(x > 10)
    inverse = 1 / x[large]
    value[large] = np.sqrt(inverse) * polynomial(inverse, I1E_TAIL)
    return value
