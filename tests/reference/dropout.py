"""Dropout, value by value, with the mask of the kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WORD, _LONG = 2**32, 2**64
_CHUNK = 2**16


def dropout(values: NDArray[np.float64], share: float, seed: int) -> NDArray[np.float64]:
    """Return the values, each set to 0 with probability `share` and else divided by 1 - share."""
    threshold = int(share * _WORD)
    dropped = np.zeros_like(values)
    for i, value in enumerate(values.flat):
        key = _mixed(_mixed_twice(seed, i // _CHUNK))
        if _scrambled(i % _CHUNK, key % _WORD, key // _WORD) >= threshold:
            dropped.flat[i] = value / (1.0 - share)
    return dropped


def _mixed(state: int) -> int:
    """Return the first number of SplitMix64 from `state`."""
    z = (state + 0x9E3779B97F4A7C15) % _LONG
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % _LONG
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % _LONG
    return z ^ (z >> 31)


def _mixed_twice(seed: int, stream: int) -> int:
    return _mixed(seed ^ _mixed(stream))


def _scrambled(position: int, key_in: int, key_out: int) -> int:
    x = (position + key_in) % _WORD
    x = (x ^ (x >> 16)) * 0x7FEB352D % _WORD
    x = (x ^ (x >> 15)) * 0x846CA68B % _WORD
    return (x ^ (x >> 16)) ^ key_out
