"""Philox4x32 with ten rounds in NumPy, from the paper (Salmon and others 2011): the witness of kernels/philox.cuh."""

import numpy as np

LOW = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)


def blocks(key, counter):
    """Four words for each counter of four words, all held as uint64."""
    x, y, z, w = [np.asarray(c, np.uint64) for c in counter]
    k0, k1 = key & 0xFFFFFFFF, key >> 32
    for _ in range(10):
        a, b = np.uint64(0xD2511F53) * x, np.uint64(0xCD9E8D57) * z
        x, y, z, w = (b >> HALF) ^ y ^ np.uint64(k0), b & LOW, (a >> HALF) ^ w ^ np.uint64(k1), a & LOW
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack(np.broadcast_arrays(x, y, z, w))


def kept(count, p, seed, start):
    """Which of the next elements a dropout of probability p keeps: four share a block."""
    numbers = np.arange(start, start + count, dtype=np.uint64)
    block, which = numbers >> np.uint64(2), (numbers & np.uint64(3)).astype(int)
    words = blocks(seed, (block & LOW, block >> HALF, np.ones_like(block), np.zeros_like(block)))
    bits = words[which, np.arange(count)]
    return (bits >> np.uint64(8)).astype(np.float32) * np.float32(2**-24) >= np.float32(p)
