"""k-center: farthest first without a matrix, and greedy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt.bench import workloads
from graphopt.bench.contest import Call, Contest, Contestant, Faster, LineUp, Within
from graphopt.bench.workloads import like, size_of
from graphopt.centers import gonzalez, greedy_k_center
from graphopt.graph import Graph
from graphopt.paths import all_pairs_shortest_paths

K = 10


def same_centers(ours: NDArray[Any], theirs: Any) -> None:
    """Compare chosen nodes, in order: ties are broken alike."""
    np.testing.assert_array_equal(np.asarray(theirs), ours)


# --- farthest first -----------------------------------------------------------------------------


def gonzalez_million(scale: float) -> LineUp:
    """Race on a graph whose distances would not fit in memory."""
    n_nodes, n_edges = (max(600, round(scale * count)) for count in workloads.MILLION)

    def source() -> tuple[Graph, str]:
        return workloads.random_graph(n_nodes, n_edges), "synthetic"

    def ours() -> Call:
        graph, _ = source()
        return lambda: gonzalez(graph, K, first=0).centers

    def scipy() -> Call:
        from scipy.sparse.csgraph import breadth_first_order

        matrix = source()[0].to_scipy()

        def hops(start: int) -> NDArray[np.float64]:
            order, predecessors = breadth_first_order(matrix, start, directed=False)
            return _depths(order, predecessors)

        return lambda: _farthest_first(hops, K)

    def networkit() -> Call:
        import networkit as nk

        from graphopt.bench.peers import networkit_graph

        peer = networkit_graph(source()[0])

        def hops(start: int) -> NDArray[np.float64]:
            search = nk.distance.BFS(peer, start, storePaths=False)
            return np.asarray(search.run().getDistances(asarray=True))

        return lambda: _farthest_first(hops, K)

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("scipy", scipy, note="breadth_first_order and NumPy"),
        Contestant("networkit", networkit, note="BFS and NumPy"),
    )
    return LineUp(size_of(source), contestants, same_centers)


def _farthest_first(hops: Any, k: int) -> list[int]:
    """Choose node 0 and k - 1 nodes more, each farthest from those before it."""
    centers, near = [0], hops(0)
    while len(centers) < k:
        centers.append(int(near.argmax()))
        near = np.minimum(near, hops(centers[-1]))
    return centers


def _depths(order: NDArray[Any], predecessors: NDArray[Any]) -> NDArray[np.float64]:
    """Return how deep each node is in a breadth-first tree, level by level: inf outside it."""
    position = np.empty(len(predecessors), np.int64)
    position[order] = np.arange(len(order))
    parents = position[predecessors[order[1:]]]  # positions; they never decrease
    depth = np.full(len(predecessors), np.inf)
    depth[order[0]] = 0.0
    begin, end, level = 0, 1, 0
    while end < len(order):
        begin, end, level = end, 1 + int(np.searchsorted(parents, end)), level + 1
        depth[order[begin:end]] = level
    return depth


# --- greedy -------------------------------------------------------------------------------------


def numpy_greedy(distances: NDArray[Any], k: int) -> list[int]:
    """Choose as :func:`graphopt.greedy_k_center` does, every candidate at once, in blocks."""
    n = len(distances)
    near = np.full(n, np.iinfo(distances.dtype).max, distances.dtype)
    centers: list[int] = []
    for _ in range(k):
        largest, count, total = (np.empty(n, np.int64) for _ in range(3))
        for begin in range(0, n, 512):  # so that a block stays in cache
            block = np.minimum(distances[begin : begin + 512], near)
            rows = slice(begin, begin + len(block))
            largest[rows] = block.max(axis=1)
            count[rows] = (block == largest[rows, None]).sum(axis=1)
            total[rows] = block.sum(axis=1, dtype=np.int64)
        largest[centers] = np.iinfo(np.int64).max
        centers.append(int(np.lexsort((total, count, largest))[0]))
        near = np.minimum(near, distances[centers[-1]])
    return centers


def greedy_cora(scale: float) -> LineUp:
    """Race with the distances given."""
    _, source = like("cora_connected", workloads.CORA_CONNECTED, scale)

    def ours() -> Call:
        distances = all_pairs_shortest_paths(source()[0])
        return lambda: greedy_k_center(distances, K).centers

    def numpy() -> Call:
        distances = all_pairs_shortest_paths(source()[0])
        return lambda: numpy_greedy(distances, K)

    contestants = (Contestant("graphopt", ours, peer=False), Contestant("numpy", numpy))
    return LineUp(size_of(source), contestants, same_centers)


def greedy_20k(scale: float) -> LineUp:
    """Race from the graph; the peer is given the distances."""
    _, source = like("pubmed", workloads.PUBMED, scale)

    def ours() -> Call:
        graph, _ = source()
        return lambda: greedy_k_center(graph, K).centers

    def numpy() -> Call:
        distances = all_pairs_shortest_paths(source()[0])
        return lambda: numpy_greedy(distances, K)

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("numpy", numpy, note="the distances are given to it"),
    )
    return LineUp(size_of(source), contestants, same_centers)


CONTESTS = (
    Contest(
        "gonzalez-million",
        "farthest first, k = 10, no matrix",
        gonzalez_million,
        (Faster(10.0, "scipy"), Within(2.0)),
    ),
    Contest(
        "greedy-cora",
        "greedy k-center, k = 10, distances given",
        greedy_cora,
        (Within(0.005),),
        quick=True,
    ),
    Contest("greedy-20k", "greedy k-center, k = 10, from the graph", greedy_20k, (Within(2.0),)),
)
