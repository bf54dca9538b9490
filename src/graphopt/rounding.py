"""From fractional decisions to whole ones."""

from __future__ import annotations

import math
import sys

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._threads import resolve_num_threads
from graphopt._validation import (
    RandomState,
    check_integer,
    check_memory,
    check_probabilities,
    check_random_state,
)

_MOST_DRAWS = sys.maxsize // 4  # rows that an array of int32 can have


def pipage_rounding(
    opening: ArrayLike,
    *,
    k: int | None = None,
    draws: int = 1,
    random_state: RandomState = None,
    num_threads: int | None = None,
) -> NDArray[np.int32]:
    """Draw sets of sites whose expected membership is `opening`.

    Two fractional entries at a time, in random order, exchange mass until one of them is 0 or 1,
    at odds that keep both expectations. The sum never changes, so every set has the same size,
    and choices are negatively correlated.

    Parameters
    ----------
    opening : array of float32 or float64, shape (n_sites,)
        Probabilities in [0, 1].
    k : int, optional
        Size of every set, at least ``sum(opening)``. Default: that sum, rounded up.
    draws : int
        Number of independent sets.
    random_state : int, Generator or None
        Draw number i depends on the seed and i alone, not on the number of draws or threads.
    num_threads : int, optional

    Returns
    -------
    array of int32, shape (draws, k)
        Site numbers, ascending in each row.

    Raises
    ------
    TypeError, ValueError
        For an opening outside [0, 1], or `k` below its sum or above the number of sites.
    graphopt.errors.MemoryLimitError
        If the sets do not fit in memory.

    Notes
    -----
    Site i is in a set with probability ``opening[i]`` where the sum is whole and equals `k`.
    Otherwise the rounded set has ``floor(sum)`` or ``ceil(sum)`` sites at odds that keep the
    probabilities, and the sites missing from `k` are then added: those with the largest opening
    among the unchosen, ties at random. So ``opening[i]`` is a lower bound. A sum within rounding
    error of a whole number (1e-9 and, for float32, 1e-6 per unit of the sum) counts as whole.

    O(n_sites) per draw, O(n_sites log k) where sites must be added. A. A. Ageev and
    M. I. Sviridenko, J. Comb. Optim. 8 (2004); A. Srinivasan, FOCS 2001.

    Examples
    --------
    >>> pipage_rounding([1.0, 0.0, 0.5, 0.5], draws=4, random_state=0)
    array([[0, 3],
           [0, 2],
           [0, 3],
           [0, 3]], dtype=int32)
    """
    x = check_probabilities("opening", opening)
    draws = check_integer("draws", draws, minimum=0, maximum=_MOST_DRAWS)
    total = math.fsum(x)
    tolerance = (1e-6 if x.dtype == np.float32 else 1e-9) * max(1.0, total)
    least = max(0, math.ceil(total - tolerance))
    if k is None:
        k = least
    elif (k := check_integer("k", k, minimum=0, maximum=len(x))) < least:
        raise ValueError(f"k must be at least the sum of opening, {total:g}, not {k}")
    check_memory(
        f"a table of {draws:,} sets of {k:,} sites", 4 * draws * k, "ask for fewer draws at a time"
    )
    seed = int(check_random_state(random_state).integers(0, 2**64, dtype=np.uint64))
    exact = np.ascontiguousarray(x, dtype=np.float64)
    threads = resolve_num_threads(num_threads)
    if k == 0:  # any number of draws takes no memory, and must not take time
        return np.empty((draws, 0), np.int32)
    return _core.pipage_rounding(exact, k, draws, tolerance, seed, threads)
