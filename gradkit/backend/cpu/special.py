"""The special functions of this folder under one roof."""

from gradkit.backend.cpu.bessel import i0, i0e, i1, i1e
from gradkit.backend.cpu.erf import erf, erfc, erfcx, erfinv
from gradkit.backend.cpu.gamma import digamma, lgamma, polygamma
from gradkit.backend.cpu.normal import log_ndtr, ndtr, ndtri

__all__ = [
    "digamma", "erf", "erfc", "erfcx", "erfinv", "i0", "i0e", "i1", "i1e", "lgamma", "log_ndtr", "ndtr", "ndtri",
    "polygamma",
]
