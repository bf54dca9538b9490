"""Edges into sorted rows, one dictionary per node."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_MERGE: dict[str, Callable[[float, float], float]] = {
    "first": lambda kept, new: kept,
    "last": lambda kept, new: new,
    "sum": lambda kept, new: kept + new,
    "min": min,
    "max": max,
}


def build_csr(
    n_nodes: int,
    edges: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    directed: bool,
    duplicates: str,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64] | None]:
    """Return the rows of a graph as (indptr, indices, weights); self loops are dropped.

    Parameters
    ----------
    n_nodes : int
    edges : array of int, shape (n_edges, 2)
    weights : array of float64, shape (n_edges,), or None
    directed : bool
        False: every edge also goes back.
    duplicates : {"first", "last", "sum", "min", "max"}
        Which weight edges between the same two nodes get, in the order of the list.

    Returns
    -------
    indptr : array of int64, shape (n_nodes + 1,)
    indices : array of int32, shape (n_entries,)
    weights : array of float64, shape (n_entries,), or None
    """
    rows: list[dict[int, float]] = [{} for _ in range(n_nodes)]
    for i, (u, v) in enumerate(edges.tolist()):
        if u == v:
            continue
        weight = 1.0 if weights is None else float(weights[i])
        for source, target in [(u, v)] if directed else [(u, v), (v, u)]:
            row = rows[source]
            row[target] = _MERGE[duplicates](row[target], weight) if target in row else weight
    indptr = np.cumsum([0, *(len(row) for row in rows)], dtype=np.int64)
    indices = np.array([v for row in rows for v in sorted(row)], dtype=np.int32)
    merged = np.array([row[v] for row in rows for v in sorted(row)], dtype=np.float64)
    return indptr, indices, None if weights is None else merged
