"""Does a request make sense? Messages name the argument, what was wanted and what came."""

from __future__ import annotations

import math
import operator
import reprlib
import sys
from collections.abc import Collection, Hashable, Iterable
from typing import Any, SupportsIndex, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from graphopt._memory import available_memory
from graphopt._native import _core
from graphopt.errors import MemoryLimitError

RandomState: TypeAlias = int | np.random.Generator | None
FloatArray: TypeAlias = NDArray[np.float32] | NDArray[np.float64]

WORTH_ASKING = 2**24
"""Bytes from which a quick function calls :func:`check_memory`.

To ask how many are available takes as long as to copy a million.
"""


_MAX_INTEGER = 2**63 - 1  # what kernels and arrays count to
_SHOWN_DIGITS = 20


def check_integer(
    name: str,
    value: object,
    *,
    minimum: int | None = None,
    maximum: int | None = _MAX_INTEGER,
) -> int:
    """Return `value` as an int, or raise TypeError / ValueError naming `name`.

    None for `maximum` allows integers of any length; the default is what 64 bits hold.
    """
    if isinstance(value, bool | np.bool_):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    try:
        number = operator.index(cast(SupportsIndex, value))
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {type(value).__name__}") from None
    if minimum is not None and number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, not {_shown(number)}")
    if maximum is not None and number > maximum:
        raise ValueError(f"{name} must be at most {maximum}, not {_shown(number)}")
    return number


def shown(value: object) -> str:
    """Return a short text for a value in a message."""
    if isinstance(value, int) and not isinstance(value, bool):
        return _shown(value)
    try:
        return reprlib.repr(value)
    except ValueError:  # it holds an integer that Python refuses to write
        return f"{type(value).__name__} too long to show"


def _shown(number: int) -> str:
    """Return an integer for a message: Python refuses to write more than 4300 digits."""
    digits = int(number.bit_length() * math.log10(2.0)) + 1  # or one less
    return str(number) if digits <= _SHOWN_DIGITS else f"an integer of about {digits} digits"


def check_number(
    name: str,
    value: object,
    *,
    minimum: float | None = None,
    maximum: float | None = None,
    open_minimum: bool = False,
) -> float:
    """Return `value` as a finite float within the bounds, or raise naming `name`."""
    if isinstance(value, bool | np.bool_ | str | bytes | np.complexfloating):
        raise TypeError(f"{name} must be a number, not {shown(value)}")
    if np.ma.is_masked(value):
        raise TypeError(f"{name} must be a number, not a masked entry")
    try:
        number = float(cast(float, value))
    except OverflowError:
        raise ValueError(
            f"{name} must be at most {sys.float_info.max:.3g} in magnitude, the largest float"
        ) from None
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, not {type(value).__name__}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, not {number}")
    if minimum is not None and (number < minimum or (open_minimum and number == minimum)):
        relation = "greater than" if open_minimum else "at least"
        raise ValueError(f"{name} must be {relation} {minimum:g}, not {number:g}")
    if maximum is not None and number > maximum:
        raise ValueError(f"{name} must be at most {maximum:g}, not {number:g}")
    return number


def check_choice(name: str, value: object, choices: Collection[str]) -> str:
    """Return `value` if it is one of `choices`, or raise ValueError listing them."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(sorted(choices))}, not {shown(value)}")
    return value


def as_array(name: str, value: object) -> NDArray[Any]:
    """Return ``np.asarray(value)``, or raise an error that names `name`.

    A masked array is refused where an entry is masked, as what is under the mask means nothing.
    """
    if isinstance(value, np.ma.MaskedArray) and np.ma.is_masked(value):
        raise ValueError(f"{name} must not have masked entries")
    try:
        return np.asarray(cast(Any, value))
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise TypeError(
            f"{name} must be an array, and this {type(value).__name__} is none: {reason}"
        ) from None


def empty_as(array: NDArray[Any], dtype: type[Any]) -> NDArray[Any]:
    """Return an array, an empty one in `dtype`: the type of nothing, as of ``[]``, is no matter."""
    return array if array.size else np.zeros(array.shape, dtype)


def as_tuple(name: str, value: object) -> tuple[Any, ...]:
    """Return the items of a sequence or another iterable, or raise TypeError naming `name`."""
    if not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        raise TypeError(f"{name} must be a sequence, not {type(value).__name__}")
    return tuple(value)


def check_hashable(name: str, value: object) -> tuple[Hashable, ...]:
    """Return the items of a sequence that can be told apart, or raise TypeError naming `name`."""
    items = as_tuple(name, value)
    try:
        hash(items)
    except TypeError as error:
        raise TypeError(f"{name} must be hashable: {error}") from None
    return items


def check_float_array(name: str, value: object, *, ndim: int, finite: bool = True) -> FloatArray:
    """Return `value` as a C-contiguous float32 or float64 array of `ndim` dimensions.

    float32 and float64 keep their type and, when contiguous, their memory; integers and booleans
    become float64; anything else is a TypeError. NaN and infinity are refused unless `finite` is
    False.
    """
    array = as_array(name, value)
    if array.dtype == object or array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must be a numeric array, not {array.dtype}")
    kept = array.dtype in (np.float32, np.float64)
    check_copy(name, array, array.dtype if kept else np.dtype(np.float64))
    if not kept:
        array = array.astype(np.float64)
    if array.ndim != ndim:
        raise ValueError(f"{name} must be {ndim}D, not {array.ndim}D")
    array = np.ascontiguousarray(array)
    if finite and not _core.all_finite(array):
        where = np.unravel_index(np.argmin(np.isfinite(array)), array.shape)
        position = ", ".join(str(i) for i in where)
        raise ValueError(f"{name} must be finite; {name}[{position}] is {array[where]}")
    return array


def check_copy(name: str, array: NDArray[Any], dtype: np.dtype[Any]) -> None:
    """Raise MemoryLimitError if what an array is made into does not fit: many do with small types.

    Views may be far larger than the memory they show, so this asks where nothing is converted too.
    """
    n_bytes = array.size * (dtype.itemsize + 1)  # and a mask of which entries are finite
    if array.dtype == dtype and array.flags.c_contiguous:
        n_bytes = array.size
    if n_bytes > WORTH_ASKING:
        check_memory(
            f"a copy of {name} in {dtype}", n_bytes, "pass a smaller array, or one of that type"
        )


def check_probabilities(name: str, value: object) -> FloatArray:
    """Return `value` as a float vector with entries in [0, 1]."""
    array = check_float_array(name, value, ndim=1)
    outside = np.flatnonzero((array < 0.0) | (array > 1.0))
    if outside.size:
        first = outside[0]
        raise ValueError(f"{name} must be within [0, 1]; {name}[{first}] is {array[first]}")
    return array


def check_same_dtype(name: str, array: FloatArray, other_name: str, other: FloatArray) -> None:
    """Raise TypeError unless both arrays have the same dtype."""
    if array.dtype != other.dtype:
        raise TypeError(
            f"{name} must have the dtype of {other_name}, {other.dtype}, not {array.dtype}"
        )


def check_node_index(name: str, value: object, n_nodes: int) -> int:
    """Return `value` as a node number in 0..n_nodes-1."""
    number = check_integer(name, value, maximum=None)
    if not 0 <= number < n_nodes:
        raise ValueError(f"{name} must be a node number in 0..{n_nodes - 1}, not {_shown(number)}")
    return number


def check_node_indices(name: str, value: object, n_nodes: int) -> NDArray[np.int32]:
    """Return `value` as a contiguous int32 vector of node numbers in 0..n_nodes-1."""
    array = as_array(name, value)
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1D, not {array.ndim}D")
    if array.size == 0:
        return np.empty(0, np.int32)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, not {array.dtype}")
    bad = np.flatnonzero((array < 0) | (array >= n_nodes))
    if bad.size:
        first = bad[0]
        raise ValueError(
            f"{name} must hold node numbers in 0..{n_nodes - 1}; {name}[{first}] is {array[first]}"
        )
    return np.ascontiguousarray(array, dtype=np.int32)


def check_random_state(random_state: RandomState) -> np.random.Generator:
    """Return a generator: the one given, one seeded by an integer, or a fresh one for None."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    if random_state is None:
        return np.random.default_rng()
    return np.random.default_rng(
        check_integer("random_state", random_state, minimum=0, maximum=None)
    )


def check_memory(what: str, n_bytes: int, way_around: str) -> None:
    """Raise MemoryLimitError, before anything is allocated, if `n_bytes` will not fit.

    Parameters
    ----------
    what : str
        The result, for the message.
    n_bytes : int
        Its size.
    way_around : str
        What the user can do instead, for the message.
    """
    available = available_memory()
    if available is None:
        available = sys.maxsize  # no array is larger
    if n_bytes > available:
        raise MemoryLimitError(
            f"{what} needs {n_bytes:,} bytes and {available:,} are available; {way_around}"
        )
