"""k-center: farthest first without a matrix, and greedy."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.csgraph import breadth_first_order

from benchmarks.race import workloads
from benchmarks.race.contest import Call, Contest, Contestant, Faster, LineUp, Within
from benchmarks.race.peers import networkit_graph
from benchmarks.race.workloads import like, size_of
from graphopt import (
    Graph,
    all_pairs_shortest_paths,
    get_num_threads,
    gonzalez,
    greedy_k_center,
)
from graphopt.centers.swaps import swap_sites

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
        matrix = source()[0].to_scipy()

        def hops(start: int) -> NDArray[np.float64]:
            order, predecessors = breadth_first_order(matrix, start, directed=False)
            return _depths(order, predecessors)

        return lambda: _farthest_first(hops, K)

    def networkit() -> Call:
        import networkit as nk

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


def greedy(scale: float, name: str, size: tuple[int, int], *, given: bool) -> LineUp:
    """Race with the distances `given` or from the graph; the peer is given them in either case."""
    _, source = like(name, size, scale)

    def ours() -> Call:
        graph, _ = source()
        start = all_pairs_shortest_paths(graph) if given else graph
        return lambda: greedy_k_center(start, K).centers

    def numpy() -> Call:
        distances = all_pairs_shortest_paths(source()[0])
        return lambda: numpy_greedy(distances, K)

    note = "" if given else "the distances are given to it"
    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("numpy", numpy, note=note),
    )
    return LineUp(size_of(source), contestants, same_centers)


# --- swaps --------------------------------------------------------------------------------------


def numpy_swaps(
    distances: NDArray[Any], costs: NDArray[np.float64], start: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Swap as the kernel does, all sites of a block at once."""
    centers, n, k = start.copy(), len(distances), len(start)
    seen, position = 0, 0
    while seen < n:
        entries = costs[distances[centers]]
        first, customers = entries.argmin(axis=0), np.arange(n)
        pays = entries[first, customers]
        entries[first, customers] = np.inf
        spare = entries.min(axis=0)
        of_place = (first[:, None] == np.arange(k)).astype(np.float64)
        loss = (spare - pays) @ of_place
        saving = 0.0
        while seen < n and saving <= 0.0:
            sites = np.arange(position, min(position + 256, n))
            block = costs[distances[sites]]
            saved = np.maximum(spare - np.maximum(block, pays), 0.0) @ of_place
            gain = np.maximum(pays - block, 0.0).sum(axis=1)
            savings = gain[:, None] + saved - loss
            savings[np.isin(sites, centers)] = -np.inf
            best = int(savings.argmax())  # the first: the smallest site, then the first place
            saving = savings.flat[best]
            seen += len(sites)
            position = (position + len(sites)) % n
        if saving > 0.0:
            centers[best % k] = sites[best // k]
            seen = 0
    return centers


def swaps_cora(scale: float) -> LineUp:
    """Race from the farthest-first choice to where no swap helps, distances given."""
    _, source = like("cora_connected", workloads.CORA_CONNECTED, scale)

    def given() -> tuple[NDArray[Any], NDArray[np.float64], NDArray[np.int32]]:
        distances = all_pairs_shortest_paths(source()[0])
        levels = np.arange(int(distances.max()) + 1, dtype=np.float64)
        costs = np.exp2(levels)  # sums are exact in any order
        return distances, costs, gonzalez(distances, K, first=0).centers

    def ours() -> Call:
        distances, costs, start = given()
        return lambda: (
            swap_sites(
                distances, costs, start, lost=costs[-1].item(), num_threads=get_num_threads()
            ).sites
        )

    def numpy() -> Call:
        distances, costs, start = given()
        return lambda: numpy_swaps(distances, costs, start)

    contestants = (Contestant("graphopt", ours, peer=False), Contestant("numpy", numpy))
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
        partial(greedy, name="cora_connected", size=workloads.CORA_CONNECTED, given=True),
        (Within(0.005),),
        quick=True,
    ),
    Contest(
        "swaps-cora",
        "k-center by swaps, one descent, k = 10, distances given",
        swaps_cora,
        (Faster(3.0, "numpy"), Within(0.05)),
        quick=True,
    ),
    Contest(
        "greedy-20k",
        "greedy k-center, k = 10, from the graph",
        partial(greedy, name="pubmed", size=workloads.PUBMED, given=False),
        (Within(2.0),),
    ),
)
