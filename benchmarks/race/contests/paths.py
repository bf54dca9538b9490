"""Shortest paths: hops and lengths, all pairs and many sources."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.race import workloads
from benchmarks.race.contest import Contest, Contestant, Faster, LineUp, WithinMemory
from benchmarks.race.peers import (
    igraph_distances,
    networkit_distances,
    rustworkx_distances,
    scipy_distances,
)
from benchmarks.race.workloads import Source, like, size_of
from graphopt import Graph, all_pairs_shortest_paths

MEGABYTE = 2**20


def same_distances(ours: NDArray[Any], theirs: Any) -> None:
    """Compare distances; they may be those of the first sources alone.

    Peers add the lengths of a path in another order, mark what cannot be reached in their own way
    and return other types.
    """
    if np.shape(theirs)[1:] != ours.shape[1:]:
        raise AssertionError(f"shapes {np.shape(theirs)} and {ours.shape}")
    for begin in range(0, len(theirs), 256):  # some at a time: no large copies
        found = np.asarray(theirs[begin : begin + 256], dtype=np.float64)
        expected = ours[begin : begin + len(found)]
        known = _reached(expected)
        np.testing.assert_array_equal(found < 1e300, known, "unreachable nodes differ")
        np.testing.assert_allclose(found[known], expected[known], rtol=1e-9)


def _reached(distances: NDArray[Any]) -> NDArray[np.bool_]:
    integer = distances.dtype.kind == "u"
    unreachable = np.iinfo(distances.dtype).max if integer else np.inf
    reached: NDArray[np.bool_] = distances != unreachable
    return reached


def _ours(source: Source, sources: Any = None) -> Contestant:
    def prepare() -> Callable[[], Any]:
        known, _ = source()
        return lambda: all_pairs_shortest_paths(known, sources=sources)

    return Contestant("graphopt", prepare, peer=False)


def _peer(
    name: str,
    make: Callable[..., Callable[[], Callable[[], Any]]],
    source: Source,
    n_sources: int,
    part: int | None = None,
    note: str = "",
    **options: Any,
) -> Contestant:
    """Enter a library that finds the distances from `part` of `n_sources` sources (None: all)."""
    if part is None or part >= n_sources:
        return Contestant(name, lambda: make(source()[0], **options)(), note=note)
    first = list(range(part))
    share = part / n_sources
    return Contestant(name, lambda: make(source()[0], first, **options)(), share=share, note=note)


# --- hops ---------------------------------------------------------------------------------------


def hops(
    scale: float, name: str, size: tuple[int, int], networkit: int | None, others: int | None
) -> LineUp:
    """Race from all nodes; peers from so many of them (None: all), but rustworkx cannot."""
    n, source = like(name, size, scale)
    contestants = (
        _ours(source),
        Contestant("rustworkx", lambda: rustworkx_distances(source()[0])()),
        _peer("networkit", networkit_distances, source, n, networkit),
        _peer("igraph", igraph_distances, source, n, others),
        _peer("scipy", scipy_distances, source, n, others),
    )
    return LineUp(size_of(source), contestants, same_distances)


def hops_million(scale: float) -> LineUp:
    """Race from 512 sources, peers from a few of them."""
    n_nodes, n_edges = (max(600, round(scale * count)) for count in workloads.MILLION)

    def source() -> tuple[Graph, str]:
        return workloads.random_graph(n_nodes, n_edges), "synthetic"

    contestants = (
        _ours(source, np.arange(512)),
        _peer("networkit", networkit_distances, source, 512, 8),
        _peer("scipy", scipy_distances, source, 512, 4),
    )
    return LineUp(size_of(source), contestants, same_distances)


# --- lengths ------------------------------------------------------------------------------------


def lengths_sparse(scale: float, lengths: str) -> LineUp:
    """Race on something like a power grid."""
    n = max(20, round(scale * workloads.POWER_GRID))

    def source() -> tuple[Graph, str]:
        return workloads.power_grid(n, lengths=lengths), "synthetic"

    contestants = (
        _ours(source),
        _peer("scipy", scipy_distances, source, n, 1000),
        _peer("networkit", networkit_distances, source, n, 1000),
        _peer("igraph", igraph_distances, source, n, 500),
    )
    return LineUp(size_of(source), contestants, same_distances)


def lengths_dense(scale: float) -> LineUp:
    """Race where every edge is there, for which SciPy has Floyd and Warshall's algorithm."""
    n = max(20, round(scale * 2_500))

    def source() -> tuple[Graph, str]:
        return workloads.complete_graph(n), "synthetic"

    contestants = (
        _ours(source),
        _peer("scipy, Floyd-Warshall", scipy_distances, source, n, method="FW"),
        _peer("scipy, Dijkstra", scipy_distances, source, n, 100),
        _peer("networkit", networkit_distances, source, n, 100),
    )
    return LineUp(size_of(source), contestants, same_distances)


CONTESTS = (
    Contest(
        "hops-moreno",
        "all-pairs hops, a friendship graph",
        partial(hops, name="moreno", size=workloads.MORENO, networkit=None, others=None),
        (Faster(25.0), WithinMemory(64 * MEGABYTE)),
        quick=True,
    ),
    Contest(
        "hops-pubmed",
        "all-pairs hops, a citation graph",
        partial(hops, name="pubmed", size=workloads.PUBMED, networkit=1024, others=256),
        (Faster(60.0), WithinMemory(64 * MEGABYTE)),
    ),
    Contest(
        "hops-pgp",
        "all-pairs hops, a scale-free graph",
        partial(hops, name="", size=workloads.PGP, networkit=1024, others=256),
        (Faster(25.0), WithinMemory(64 * MEGABYTE)),
    ),
    Contest("hops-million", "hops from 512 sources", hops_million, (Faster(10.0),)),
    Contest(
        "lengths-sparse-integer",
        "all-pairs integer lengths, like a power grid",
        partial(lengths_sparse, lengths="integer"),
        (Faster(2.0),),
    ),
    Contest(
        "lengths-sparse-float",
        "all-pairs float lengths, like a power grid",
        partial(lengths_sparse, lengths="float"),
        (Faster(2.0),),
    ),
    Contest("lengths-dense", "all-pairs lengths, complete graph", lengths_dense, (Faster(10.0),)),
)
