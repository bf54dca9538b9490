"""The iterated local search that holds the number of groups, on checked arguments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphopt._native import _core
from graphopt._threads import resolve_num_threads
from graphopt.graph import Graph

# At each level of the graph, for each start: about where more begins to find little.
PERTURBATIONS = 200


def search(
    graph: Graph,
    starts: NDArray[np.int64],
    k: int,
    *,
    keep_all: bool,
    resolution: float,
    perturbations: int,
    rng: np.random.Generator,
    num_threads: int | None,
) -> NDArray[np.int64]:
    """Return the best partition that was found from some starts, shape (n_starts, n_nodes).

    At most `k` groups; with `keep_all`, none that has nodes in a start loses its last one.
    """
    labels = _core.polish(
        graph.indptr,
        graph.indices,
        graph.weights,
        np.ascontiguousarray(starts, np.int32),
        k,
        resolution,
        keep_all,
        perturbations,
        int(rng.integers(2**63)),
        resolve_num_threads(num_threads),
    )
    return labels.astype(np.int64)
