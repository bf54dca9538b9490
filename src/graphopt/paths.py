"""Distances in a known graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._scale import restored
from graphopt._threads import resolve_num_threads
from graphopt._validation import check_integer, check_memory, check_node_indices, check_number
from graphopt._weights import as_lengths
from graphopt.graph import Graph, check_graph

_NO_HOP_LIMIT = 2**32 - 1
_HOP_TYPES = (np.dtype(np.uint8), np.dtype(np.uint16), np.dtype(np.uint32))
# As in the bit-parallel kernel (csrc/src/paths/bfs.cpp): the sources that it searches from at once,
# the fewest it is used for, and the nodes from which threads share one search.
_BLOCK, _FEWEST_SOURCES, _SHARED_NODES = 512, 32, 2**15
_LANES = 32  # sources searched at once by length
# All lengths are found faster by a matrix product than by searches from this share of all possible
# edges on: measured at 1/25 (undirected) to 1/12 (directed), below 500 nodes at 20 edges a
# node. In small graphs it does not matter.
_DENSE_SHARE, _DENSE_DEGREE = 1 / 12, 40
_DENSE_NODES = 128


def all_pairs_shortest_paths(
    graph: Graph,
    *,
    sources: ArrayLike | None = None,
    cutoff: float | None = None,
    num_threads: int | None = None,
) -> NDArray[Any]:
    """Return the distance from each source to every node.

    Parameters
    ----------
    graph : Graph
        Directed edges are followed from tail to head. Weights are lengths and must not be
        negative; zero is allowed.
    sources : array of int, shape (n_sources,), optional
        Node numbers, repeats allowed. None: every node.
    cutoff : int or float, optional
        Nodes farther than this (hops, an integer, when unweighted; else a length) are unreachable.
    num_threads : int, optional
        The result is the same to the bit at any number of threads.

    Returns
    -------
    array, shape (n_sources, n_nodes)
        Unweighted: hops, in the smallest of uint8, uint16 and uint32 that holds them; its maximum
        (``np.iinfo(distances.dtype).max``) means unreachable. Weighted: float64 lengths, ``inf``
        means unreachable.

    Raises
    ------
    ValueError
        For a source that is no node, a negative cutoff, a negative weight, or a distance that is
        too large for float64.
    MemoryLimitError
        If the result does not fit in memory; nothing is allocated then.

    Notes
    -----
    Unweighted: breadth-first searches from 512 sources at once, one bit of a word each (M. Then et
    al., "The more the merrier", PVLDB 8(4), 2014), then or where that does not pay one by one; at
    worst O(n_sources (n + m)).

    Weighted: searches from 32 neighbouring sources at once, one lane of a vector each, that correct
    labels in sweeps along a shortest-path tree; fewer sources, and those whose paths share too
    little, are searched one by one with Dijkstra's algorithm, O(n_sources m log n). A length is the
    sum of the weights in the order of the path, rounded after each addition: the same to the bit
    by either way.

    All sources of a dense graph (at least 128 nodes, 40 edges at each on average, and 1/12 of all
    possible edges), without a cutoff: Floyd-Warshall in blocks, O(n^3), several times faster
    there. The parts of a path are then added in another order: a length may differ by rounding,
    relatively about 1e-16 for each edge of the path, and not at all when no sum is rounded
    (integers below 2^53). It is symmetric to the bit when the graph is undirected. Pass
    ``sources=range(n_nodes)`` for sums in path order.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2)], n_nodes=4)
    >>> all_pairs_shortest_paths(path)
    array([[  0,   1,   2, 255],
           [  1,   0,   1, 255],
           [  2,   1,   0, 255],
           [255, 255, 255,   0]], dtype=uint8)
    >>> roads = Graph.from_edges([(0, 1), (1, 2), (0, 2)], weights=[1.0, 0.5, 2.0])
    >>> all_pairs_shortest_paths(roads, sources=[0])
    array([[0. , 1. , 1.5]])
    """
    check_graph("graph", graph)
    return find_distances(
        graph,
        None if sources is None else check_node_indices("sources", sources, graph.n_nodes),
        cutoff=cutoff,
        num_threads=resolve_num_threads(num_threads),
        way_around="pass a part of the nodes as sources at a time",
    )


def find_distances(
    graph: Graph,
    sources: NDArray[np.int32] | None,
    *,
    cutoff: float | None,
    num_threads: int,
    way_around: str,
) -> NDArray[Any]:
    """Do the work of all_pairs_shortest_paths; `way_around`: what to do where memory is short."""
    n = graph.n_nodes
    everywhere = sources is None
    if sources is None:
        sources = np.arange(n, dtype=np.int32)
    if graph.weighted:
        check_lengths(graph)
        graph, exponent = as_lengths(graph)
        if everywhere and cutoff is None and _is_dense(graph):
            _check_size(n, n, np.dtype(np.float64), 0, way_around)
            lengths = _core.floyd_warshall(
                graph.indptr, graph.indices, graph.weights, graph.directed, num_threads
            )
            return restored("weights of graph", lengths, exponent)
        limit = np.inf if cutoff is None else check_number("cutoff", cutoff, minimum=0.0)
        scratch = _sweep_memory(len(sources), n, num_threads)
        _check_size(len(sources), n, np.dtype(np.float64), scratch, way_around)
        lengths = _core.path_lengths(
            graph.indptr,
            graph.indices,
            graph.weights,
            graph.directed,
            sources,
            float(np.ldexp(limit, -exponent)),
            num_threads,
        )
        return restored("weights of graph", lengths, exponent)
    hops = _NO_HOP_LIMIT
    if cutoff is not None:
        hops = min(check_integer("cutoff", cutoff, minimum=0), _NO_HOP_LIMIT)
    # A search that meets a distance too large for its type stops there, so trying the smaller types
    # first costs at most as much again each.
    for dtype in _HOP_TYPES:
        scratch = _search_memory(len(sources), n, dtype, num_threads)
        _check_size(len(sources), n, dtype, scratch, way_around)
        found = _core.hop_distances(
            graph.indptr, graph.indices, graph.directed, sources, hops, dtype.itemsize, num_threads
        )
        if found is not None:
            return found
    raise AssertionError("a distance in hops is below the number of nodes")  # pragma: no cover


def distances_to_nearest(
    graph: Graph, centers: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return how far every node is from its nearest centre, and which one that is.

    Parameters
    ----------
    graph : Graph
        Directed edges are followed away from the centres. Weights are lengths.
    centers : array of int, shape (n_centers,)
        Node numbers, repeats allowed.

    Returns
    -------
    distances : array of float64, shape (n_nodes,)
        Hops when unweighted; ``inf`` where no centre reaches.
    nearest : array of int32, shape (n_nodes,)
        Position in `centers`, the smallest on ties; -1 where no centre reaches.

    Raises
    ------
    ValueError
        For a centre that is no node, a negative weight, or a distance that is too large for
        float64.

    Notes
    -----
    One search from all centres at once: O(n + m) when unweighted, else O(m log n).

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3)], n_nodes=5)
    >>> distances_to_nearest(path, [3, 1])
    (array([ 1.,  0.,  1.,  0., inf]), array([ 1,  1,  0,  0, -1], dtype=int32))
    """
    check_lengths(graph)
    nodes = check_node_indices("centers", centers, graph.n_nodes)
    graph, exponent = as_lengths(graph)
    found = _core.distances_to_nearest(graph.indptr, graph.indices, graph.weights, nodes)
    return restored("weights of graph", found[0], exponent), found[1]


def check_lengths(graph: Graph) -> None:
    """Raise ValueError naming an edge of negative length."""
    check_graph("graph", graph)
    weights = graph.weights
    if weights is None or not (weights < 0.0).any():
        return
    entry = int(np.argmax(weights < 0.0))
    tail = int(np.searchsorted(graph.indptr, entry, side="right")) - 1
    raise ValueError(
        "graph must have weights that are lengths, at least 0; "
        f"edge ({tail}, {graph.indices[entry]}) has {weights[entry]:g}"
    )


def unreachable(dtype: np.dtype[Any]) -> float | int | None:
    """Return what stands for unreachable in distances of this type; None if nothing does."""
    if dtype.kind == "f":
        return np.inf
    return int(np.iinfo(dtype).max) if dtype.kind == "u" else None


def largest_distance(distances: NDArray[Any], num_threads: int | None = None) -> float:
    """Return the largest finite distance of a contiguous matrix, 0 if there is none."""
    if distances.dtype.kind == "u":
        threads = resolve_num_threads(num_threads)
        return float(max(0, _core.largest_finite_hop(distances, threads)))
    # Row by row, as a mask of which entries are finite would be as large as a table of bytes.
    finite = (row.max(where=np.isfinite(row), initial=0.0) for row in distances)
    return float(max(finite, default=0.0))


def _is_dense(graph: Graph) -> bool:
    n = graph.n_nodes
    share = max(_DENSE_SHARE, _DENSE_DEGREE / max(n, 1))
    return n >= _DENSE_NODES and len(graph.indices) >= share * n * (n - 1)


def _sweep_memory(n_sources: int, n_nodes: int, threads: int) -> int:
    """Return the bytes that searches by length hold: a label per node and lane."""
    return min(threads, n_sources // _LANES) * n_nodes * _LANES * 8


def _search_memory(n_sources: int, n_nodes: int, dtype: np.dtype[Any], threads: int) -> int:
    """Return the bytes that bit-parallel searches hold: a 64-byte word per node and plane."""
    if dtype.itemsize > 2 or n_sources < _FEWEST_SOURCES:
        return 4 * n_nodes * threads
    searches = 1 if n_nodes >= _SHARED_NODES else min(threads, -(-n_sources // _BLOCK))
    return searches * n_nodes * (64 * (3 + 8 * dtype.itemsize) + 16)


def _check_size(
    n_sources: int, n_nodes: int, dtype: np.dtype[Any], scratch: int, way_around: str
) -> None:
    if dtype.itemsize in (2, 4):
        way_around += ", or a cutoff of at most 254 hops (uint8 then)"
    check_memory(
        f"the distances from {n_sources:,} sources to {n_nodes:,} nodes ({dtype})",
        n_sources * n_nodes * dtype.itemsize + scratch,
        way_around,
    )
