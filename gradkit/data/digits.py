"""Handwritten digits, 1797 images of 8 x 8 pixels, that come with the package."""

import zlib
from pathlib import Path
from typing import Any

import numpy as np


def load_digits() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Images, uint8 (1797, 8, 8) with values 0 to 16, and labels, int64 (1797,) from 0 to 9.

    They are the test set of "Optical Recognition of Handwritten Digits" by E. Alpaydin and C. Kaynak (1998), UCI
    Machine Learning Repository, https://doi.org/10.24432/C50P49, under CC BY 4.0; DIGITS.md beside this file says more.

    >>> images, labels = data.load_digits()
    >>> images.shape, images.dtype, labels[:5].tolist()
    ((1797, 8, 8), dtype('uint8'), [0, 1, 2, 3, 4])
    """
    packed = Path(__file__).with_name("digits.deflate").read_bytes()
    stored = np.frombuffer(zlib.decompress(packed, -zlib.MAX_WBITS), np.uint8).reshape(65, -1)
    labels, images = stored[64].astype(np.int64), np.empty((1797, 8, 8), np.uint8)
    images[labels.argsort(kind="stable")] = stored[:64].reshape(8, 8, -1).T
    return images, labels
