"""How much each node's distance counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._scale import times_power, unusual_exponent
from graphopt._validation import check_float_array, check_memory
from graphopt.centers._input import in_ordinary_unit, unreachable


def check_demand(demand: ArrayLike | None, n_nodes: int) -> NDArray[np.float64] | None:
    """Return the demand as float64, one entry per node, or raise naming it."""
    if demand is None:
        return None
    weights = check_float_array("demand", demand, ndim=1).astype(np.float64)
    if len(weights) != n_nodes:
        raise ValueError(f"demand must have one entry per node, {n_nodes}, not {len(weights)}")
    negative = np.flatnonzero(weights < 0)
    if len(negative):
        first = negative[0]
        raise ValueError(f"demand must not be negative; demand[{first}] is {weights[first]:g}")
    return weights


def times_demand(
    distances: NDArray[Any], demand: NDArray[np.float64] | None
) -> tuple[NDArray[Any], int]:
    """Return what each distance counts, divided by 2^e, and e.

    The distances themselves where demand is all or nothing and e is 0, as it is unless they are
    very long or short.
    """
    costs, exponent = in_ordinary_unit(distances)
    if demand is None or np.isin(demand, (0.0, 1.0)).all():
        return costs, exponent
    check_memory(
        "distances times demand, in float64,",
        8 * distances.size,
        "a demand of zeros and ones needs no copy",
    )
    counts = unusual_exponent(demand)
    needed = demand > 0
    costs = costs.astype(np.float64)
    if distances.dtype.kind == "u":
        costs[distances == unreachable(distances.dtype)] = np.inf
    costs[:, ~needed] = 0.0
    # What is lost beside the largest demand still makes a customer wait who is not reached.
    least = np.finfo(np.float64).smallest_subnormal
    costs *= np.where(needed, np.maximum(times_power(demand, -counts), least), 1.0)
    return costs, exponent + counts
