"""The expected distance to the nearest of facilities that open at random, and its gradient."""

from __future__ import annotations

import math
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._scale import exponent_of, restored, times_power
from graphopt._threads import get_num_threads, resolve_num_threads
from graphopt._validation import (
    FloatArray,
    as_array,
    check_copy,
    check_float_array,
    check_integer,
    check_memory,
    check_number,
    check_probabilities,
    check_same_dtype,
)
from graphopt.paths import largest_distance

DistanceArray: TypeAlias = (
    NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32] | NDArray[np.float64]
)

_HOP_DTYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.uint32))
_MAX_CHARGE = 2**53
_ORDINARY = 60  # exponents of lengths whose sums of products neither type loses

# Of a hop, in float64: what it costs, and a table of products and one of slopes of 8 customers.
_STEP_BYTES, _TABLE_BYTES = 8 * 5, 8 * 16
_WORTH_ASKING = 2**16  # hops


def expected_distances(
    distances: ArrayLike,
    opening: ArrayLike,
    *,
    charge: float | None = None,
    num_threads: int | None = None,
) -> FloatArray:
    """Return every customer's expected distance to its nearest open site.

    Site i is open with probability ``opening[i]``, independently of the others. A customer that
    reaches no open site nearer than `charge` pays `charge`.

    Parameters
    ----------
    distances : array, shape (n_customers, n_sites)
        uint8, uint16 or uint32: hops, the dtype's maximum meaning unreachable. float32 or float64:
        lengths of at least 0, infinity meaning unreachable.
    opening : array of float32 or float64, shape (n_sites,)
        Probabilities in [0, 1], 0 and 1 included.
    charge : int or float, optional
        At least 1 and whole for hops, greater than 0 for lengths. Default: the largest finite
        distance plus 1.
    num_threads : int, optional
        The result is the same bits for any number.

    Returns
    -------
    array of the dtype of `opening`, shape (n_customers,)

    Raises
    ------
    TypeError, ValueError
        For distances of another dtype, negative or NaN; an opening outside [0, 1] or of another
        length; a charge out of range; a result too large for the dtype of `opening`, or too small.

    See Also
    --------
    expected_distances_gradient

    Notes
    -----
    Exact: ``E_j = sum over t < charge of the product of (1 - x_i) over sites within t of j``
    (Wilder et al., NeurIPS 2019, facility location objective). Hops take one pass over the matrix
    and no sort, lengths O(n_sites log n_sites) per customer.

    Examples
    --------
    >>> path = np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]], dtype=np.uint8)
    >>> expected_distances(path, [0.0, 1.0, 0.0])
    array([1., 0., 1.])
    >>> expected_distances(path, [0.5, 0.0, 0.5])
    array([1.25, 1.5 , 1.25])
    """
    matrix = check_distances("distances", distances)
    x = check_opening(opening, matrix.shape[1])
    pays = check_charge(charge, matrix)
    threads = resolve_num_threads(num_threads)
    if matrix.dtype == np.float64:
        lengths, pays, exponent = in_ordinary_unit(matrix, pays)
        order = order_sites(lengths, threads)
        expected = _core.expected_lengths(lengths, order, x, pays, threads)
        return restored("distances", expected, exponent)
    hops = cast("NDArray[np.uint8]", matrix)
    return _core.expected_hops(hops, x, hop_steps(matrix, pays), threads)


def expected_distances_gradient(
    distances: ArrayLike,
    opening: ArrayLike,
    upstream: ArrayLike,
    *,
    charge: float | None = None,
    num_threads: int | None = None,
) -> FloatArray:
    """Return the gradient of ``upstream @ expected_distances(distances, opening)``.

    The exact vector-Jacobian product with respect to `opening`; never positive where `upstream` is
    not negative. At 0 and 1 it is the derivative of the same polynomial.

    Parameters
    ----------
    distances, opening, charge, num_threads
        As in :func:`expected_distances`.
    upstream : array, shape (n_customers,)
        The weight of every customer, of the dtype of `opening`.

    Returns
    -------
    array of the dtype of `opening`, shape (n_sites,)

    Raises
    ------
    TypeError, ValueError
        As in :func:`expected_distances`, and for `upstream` of another length, not finite, or of
        another dtype.

    Examples
    --------
    >>> path = np.array([[0, 1, 2], [1, 0, 1], [2, 1, 0]], dtype=np.uint8)
    >>> expected_distances_gradient(path, [0.0, 0.5, 0.0], np.ones(3))
    array([-3.5, -7. , -3.5])
    """
    matrix = check_distances("distances", distances)
    x = check_opening(opening, matrix.shape[1])
    weights = check_float_array("upstream", upstream, ndim=1)
    if weights.shape != (len(matrix),):
        raise ValueError(
            f"upstream must have shape ({len(matrix)},), one per customer, not {weights.shape}"
        )
    check_same_dtype("upstream", weights, "opening", x)
    power = exponent_of(weights)
    weights = times_power(weights, -power)
    pays = check_charge(charge, matrix)
    threads = resolve_num_threads(num_threads)
    if matrix.dtype == np.float64:
        lengths, pays, exponent = in_ordinary_unit(matrix, pays)
        order = order_sites(lengths, threads)
        found = _core.expected_lengths_gradient(lengths, order, x, weights, pays, threads)
        return restored("distances or upstream", found, exponent + power)
    hops = cast("NDArray[np.uint8]", matrix)
    steps = hop_steps(matrix, pays)
    found = _core.expected_hops_gradient(hops, x, weights, steps, threads)[1]
    return restored("upstream", found, power)


def check_distances(name: str, value: object) -> DistanceArray:
    """Return a contiguous matrix of unsigned hops or float64 lengths, or raise naming `name`."""
    array = as_array(name, value)
    if array.dtype not in _HOP_DTYPES and array.dtype.kind != "f":
        raise TypeError(
            f"{name} must be uint8, uint16 or uint32 (hops, the dtype's maximum: unreachable) or "
            f"float (lengths, inf: unreachable), not {array.dtype}"
        )
    if array.ndim != 2:
        raise ValueError(f"{name} must be 2D, not {array.ndim}D")
    hops = array.dtype in _HOP_DTYPES
    check_copy(name, array, array.dtype if hops else np.dtype(np.float64))
    if hops:
        return np.ascontiguousarray(array)
    lengths = np.ascontiguousarray(array, dtype=np.float64)
    if not (lengths >= 0.0).all():
        j, i = (int(at) for at in np.argwhere(~(lengths >= 0.0))[0])
        raise ValueError(f"{name} must be at least 0; {name}[{j}, {i}] is {lengths[j, i]}")
    return lengths


def in_ordinary_unit(
    lengths: DistanceArray, charge: float
) -> tuple[NDArray[np.float64], float, int]:
    """Return lengths and charge divided by 2^e, and e.

    It is not 0 only where the charge, which no expected distance exceeds, is so large or small that
    single precision, or products of lengths and probabilities, might leave their range.
    """
    given = cast("NDArray[np.float64]", lengths)
    exponent = exponent_of(np.array(charge))
    if abs(exponent) <= _ORDINARY:
        return given, charge, 0
    check_memory("the distances in another unit", given.nbytes, "divide them by a constant")
    # Customers at the charge or further pay the charge.
    near = np.minimum(given, charge)
    return times_power(near, -exponent), float(np.ldexp(charge, -exponent)), exponent


def check_opening(value: object, n_sites: int) -> FloatArray:
    """Return opening probabilities, one per site, or raise naming `opening`."""
    x = check_probabilities("opening", value)
    if x.shape != (n_sites,):
        raise ValueError(f"opening must have shape ({n_sites},), one per site, not {x.shape}")
    return x


def check_charge(charge: object, distances: DistanceArray) -> float:
    """Return what an unserved customer pays: `charge`, or the largest distance plus 1."""
    if charge is None:
        return largest_distance(distances) + 1.0
    if distances.dtype == np.float64:
        return check_number("charge", charge, minimum=0.0, open_minimum=True)
    return float(check_integer("charge", charge, minimum=1, maximum=_MAX_CHARGE))


def order_sites(lengths: NDArray[np.float64], num_threads: int) -> NDArray[np.int32]:
    """Return each customer's sites from near to far, ties by site number."""
    n_bytes = lengths.size * np.dtype(np.int32).itemsize
    check_memory("the order of the sites", n_bytes, "use distances in hops, which need none")
    return _core.order_sites(lengths, num_threads)


def distance_costs(
    distances: NDArray[np.float64], charge: float, growth: float
) -> NDArray[np.float64]:
    """Return what distances up to `charge` cost: themselves at growth 0.

    With `growth` g > 0 ``exp(g (d - charge))`` less its value at d = 0, without cancellation.
    """
    if growth == 0.0:
        return distances
    return math.exp(-growth * charge) * np.expm1(growth * distances)


def hop_steps(distances: DistanceArray, charge: float, growth: float = 0.0) -> NDArray[np.float64]:
    """Return what a customer pays more for each hop further, and at last for not being served.

    See :func:`distance_costs`. There are as many hops as can serve: those below `charge` that
    occur.

    Raises
    ------
    graphopt.errors.MemoryLimitError
        If there are more than fit in memory, with what kernels keep for each.
    """
    hops = cast("NDArray[np.uint8]", distances)
    largest = _core.largest_finite_hop(hops, resolve_num_threads(None))
    n_levels = int(min(charge, largest + 1))
    if n_levels > _WORTH_ASKING:
        check_memory(
            f"expected distances of up to {n_levels:,} hops",
            (_STEP_BYTES + _TABLE_BYTES * min(get_num_threads(), len(hops))) * n_levels,
            "charge less, or give distances as lengths, in float",
        )
    served = np.arange(n_levels + 1, dtype=np.float64)
    return np.diff(distance_costs(np.append(served, charge), charge, growth))
