"""Node features computed from a graph alone, the same way for every graph."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphopt._interop import igraph_from_edges
from graphopt._loading import load_whole
from graphopt._validation import RandomState, check_integer, check_memory, check_random_state
from graphopt.graph import Graph, check_undirected

LOCAL_FEATURES = (
    "log degree",
    "clustering coefficient",
    "log core number",
    "log mean degree of neighbours",
    "log number of two-step walks to others",
    "log triangles",
    "log PageRank times number of nodes",
)
_STEPS = 4


def structural_features(
    graph: Graph, n_features: int = 64, *, random_state: RandomState = 0
) -> NDArray[np.float32]:
    """Return features that need nothing but the graph.

    The first seven columns, :data:`LOCAL_FEATURES`, describe a node's surroundings on a scale that
    does not depend on the graph: the same neighbourhood has the same numbers in every graph. The
    others say where the node is: a random vector for each node, averaged over random walks of one
    to four steps, of length 1. Nodes that reach the same nodes are close; the coordinate system is
    the graph's own.

    Parameters
    ----------
    graph : Graph
        Undirected. Weights play no part.
    n_features : int
        Number of columns, at least 7.
    random_state : int, Generator or None
        Of the random vectors.

    Returns
    -------
    array of float32, shape (n_nodes, n_features)
        Finite, also for nodes without an edge.

    Raises
    ------
    ValueError
        For a directed graph or too few columns.
    graphopt.errors.MemoryLimitError
        If the features do not fit in memory.

    Notes
    -----
    O((n + m) * n_features) and the time to list the triangles. ClusterNet's paper computes
    role2vec features for its synthetic graphs (appendix 2.2; :func:`graphopt.features.role2vec`);
    these serve the same purpose and are not the same. Random projections of walks: H. Chen et al.,
    Fast and Accurate Network Embeddings via Very Sparse Random Projection, CIKM 2019.

    Examples
    --------
    >>> star = Graph.from_edges([(0, i) for i in range(1, 6)])
    >>> x = structural_features(star, 16)
    >>> x.shape
    (6, 16)
    >>> np.round(x[:2, 0], 2)  # log(1 + 5), log(1 + 1)
    array([1.79, 0.69], dtype=float32)
    """
    check_undirected("graph", graph)
    n_local = len(LOCAL_FEATURES)
    n_features = check_integer("n_features", n_features, minimum=n_local)
    check_memory(
        f"{n_features:,} structural features of {graph.n_nodes:,} nodes",
        8 * 6 * n_features * graph.n_nodes,  # walked, their sum, and what becomes of both
        "use fewer features (n_features)",
    )
    rng = check_random_state(random_state)
    start = rng.standard_normal((graph.n_nodes, n_features - n_local))
    return np.hstack([_local(graph), _positional(graph, start)]).astype(np.float32)


def _local(graph: Graph) -> NDArray[np.float64]:
    n, degree = graph.n_nodes, graph.degrees.astype(np.float64)
    if n == 0:
        return np.zeros((0, len(LOCAL_FEATURES)))
    twin = igraph_from_edges(n, graph.edges)
    clustering = np.array(twin.transitivity_local_undirected(mode="zero"))
    around = np.bincount(_rows(graph), weights=degree[graph.indices], minlength=n)
    return np.column_stack(
        [
            np.log1p(degree),
            clustering,
            np.log1p(np.array(twin.coreness(), dtype=np.float64)),
            np.log1p(around / np.maximum(degree, 1)),
            np.log1p(around - degree),
            np.log1p(clustering * degree * (degree - 1) / 2),
            np.log(n * np.array(twin.pagerank())),
        ]
    )


def _positional(graph: Graph, start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Average the start vectors over walks that may also stay where they are."""
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array

    n = graph.n_nodes
    ones = np.ones(len(graph.indices))
    adjacency = csr_array((ones, graph.indices, graph.indptr), shape=(n, n))
    ways = (graph.degrees + 1.0)[:, None]
    walked, total = start, np.zeros_like(start)
    for _ in range(_STEPS):
        walked = (adjacency @ walked + walked) / ways
        total += _unit_rows(walked)
    return _unit_rows(total)


def _unit_rows(x: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(x, axis=1, keepdims=True)
    return x / np.where(length > 0, length, 1.0)


def _rows(graph: Graph) -> NDArray[np.int64]:
    return np.repeat(np.arange(graph.n_nodes), graph.degrees)
