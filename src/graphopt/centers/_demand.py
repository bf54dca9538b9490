"""How much each node's distance counts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._validation import check_float_array, check_memory
from graphopt.centers._input import unreachable


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


def times_demand(distances: NDArray[Any], demand: NDArray[np.float64] | None) -> NDArray[Any]:
    """Return what each distance counts; the distances themselves where that is all or nothing."""
    if demand is None or np.isin(demand, (0.0, 1.0)).all():
        return distances
    check_memory(
        "distances times demand, in float64,",
        8 * distances.size,
        "a demand of zeros and ones needs no copy",
    )
    costs = distances.astype(np.float64)
    if distances.dtype.kind == "u":
        costs[distances == unreachable(distances.dtype)] = np.inf
    needed = demand > 0
    costs[:, ~needed] = 0.0
    costs *= np.where(needed, demand, 1.0)
    return costs
