"""Exact changes of unit: by a power of two, which rounds nothing.

Sums, products, quotients and comparisons of numbers in another unit are those in the first, unless
a result leaves the range of the type. Functions therefore compute with numbers of about 1, whatever
the unit of the caller's is, and bring the result back.

Where the numbers of one call differ by more than the type can hold, about 2^1000, the smallest are
rounded to multiples of 2^-1074 times the largest: they are lost beside it.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import FloatArray

_Floats = TypeVar("_Floats", bound=FloatArray)

# Sums of products of numbers within 2^-200 .. 2^200 stay in the range of float64, and lose nothing
# that another unit would keep.
_ORDINARY = 200
_BLOCK = 2**16  # entries that stay in the cache


def exponent_of(*arrays: NDArray[Any]) -> int:
    """Return e such that the largest finite magnitude is in [2^e, 2^(e+1)); 0 if all are zero."""
    largest = 0.0
    for values in arrays:
        flat = values.reshape(-1)
        for begin in range(0, len(flat), _BLOCK):
            sizes = np.abs(flat[begin : begin + _BLOCK])
            most = float(sizes.max())
            if not np.isfinite(most):  # an infinity stands for something else
                most = float(sizes[sizes < np.inf].max(initial=0.0))
            largest = max(largest, most)
    return int(np.frexp(largest)[1]) - 1 if largest > 0.0 else 0


def unusual_exponent(*arrays: NDArray[Any]) -> int:
    """Return :func:`exponent_of`, or 0 where it is of no account.

    For computations without roots and without numbers of a fixed size: their results have the same
    bits in any unit, as long as nothing leaves the range of float64.
    """
    exponent = exponent_of(*arrays)
    return exponent if abs(exponent) > _ORDINARY else 0


def times_power(values: _Floats, exponent: int) -> _Floats:
    """Return ``values * 2**exponent``, in their type; the values themselves for exponent 0."""
    if exponent == 0:
        return values
    limits = np.finfo(values.dtype)
    if limits.minexp <= exponent < limits.maxexp:  # many times faster than ldexp
        return cast(_Floats, values * values.dtype.type(np.ldexp(1.0, exponent)))
    return cast(_Floats, np.ldexp(values, np.intc(exponent)))


def clipped_power(value: float, exponent: int) -> float:
    """Return ``value * 2**exponent`` for a limit above 0, or the nearest number in the range."""
    limits = np.finfo(np.float64)
    with np.errstate(over="ignore"):
        return float(np.clip(np.ldexp(value, exponent), limits.tiny, limits.max))


def mean_of(values: NDArray[np.float64]) -> float:
    """Return the mean of at least one number; their sum may be too large for float64."""
    exponent = exponent_of(values)
    return float(np.ldexp(times_power(values, -exponent).mean(), exponent))


def restored(name: str, values: _Floats, exponent: int) -> _Floats:
    """Return ``values * 2**exponent``, results in the unit of the argument `name`.

    Raises
    ------
    ValueError
        If a finite one becomes infinite, or the largest becomes 0.
    """
    if exponent == 0:
        return values
    with np.errstate(over="ignore", under="ignore"):
        result = times_power(values, exponent)
    if np.count_nonzero(np.isinf(result)) > np.count_nonzero(np.isinf(values)):
        raise ValueError(f"{name} must be smaller: the result is too large for {values.dtype}")
    if exponent < 0 and values.any() and not result.any():
        raise ValueError(f"{name} must be larger: the result is too small for {values.dtype}")
    return result


def restored_number(name: str, value: float, exponent: int) -> float:
    """Do for one number what :func:`restored` does."""
    return float(restored(name, np.array([value]), exponent)[0])
