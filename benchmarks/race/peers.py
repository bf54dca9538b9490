"""Other libraries at their best setting: their structures, their fastest calls, their threads."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

import graphopt
from benchmarks.race.contest import Call, NotAvailable
from graphopt import Graph

ONE_THREAD = ("igraph", "networkx", "numpy", "python twin", "scipy", "spopt")
"""Libraries that run on one thread whatever graphopt runs on, as contestants' names begin."""


def networkit_graph(graph: Graph) -> Any:
    """Return the graph as NetworKit's."""
    import networkit

    ends = tuple(np.ascontiguousarray(column, np.uint64) for column in graph.edges.T)
    if graph.edge_weights is None:
        return networkit.GraphFromCoo(ends, n=graph.n_nodes)
    lengths = np.ascontiguousarray(graph.edge_weights)
    return networkit.GraphFromCoo((lengths, ends), n=graph.n_nodes, weighted=True)


def igraph_graph(graph: Graph) -> Any:
    """Return the graph as igraph's, without weights."""
    import igraph

    return igraph.Graph(n=graph.n_nodes, edges=graph.edges)


def rustworkx_graph(graph: Graph) -> Any:
    """Return an unweighted graph as rustworkx's."""
    import rustworkx

    peer = rustworkx.PyGraph(multigraph=False)
    peer.add_nodes_from(range(graph.n_nodes))
    peer.add_edges_from_no_data([(u, v) for u, v in graph.edges.tolist()])
    return peer


def scipy_distances(
    graph: Graph, sources: Sequence[int] | None = None, method: str = "D"
) -> Callable[[], Call]:
    """Return what prepares SciPy's distances: ``method="D"``, or Floyd and Warshall's ``"FW"``."""

    def prepare() -> Call:
        from scipy.sparse.csgraph import shortest_path

        if method == "FW":
            dense = np.full((graph.n_nodes, graph.n_nodes), np.inf)
            edges, lengths = graph.edges, graph.edge_weights
            dense[edges[:, 0], edges[:, 1]] = 1.0 if lengths is None else lengths
            dense = np.minimum(dense, dense.T)
            return lambda: shortest_path(dense, method="FW", directed=False)
        matrix = graph.to_scipy()
        hops = not graph.weighted
        return lambda: shortest_path(matrix, method="D", unweighted=hops, indices=sources)

    return prepare


def networkit_distances(graph: Graph, sources: Sequence[int] | None = None) -> Callable[[], Call]:
    """Return what prepares NetworKit's distances, handed over as an array, its faster way."""

    def prepare() -> Call:
        import networkit

        peer = networkit_graph(graph)

        def call() -> Any:
            if sources is None:
                search = networkit.distance.APSP(peer)
            else:
                search = networkit.distance.SPSP(peer, list(sources))
            return search.run().getDistances(asarray=True)

        return call

    return prepare


def igraph_distances(graph: Graph, sources: Sequence[int] | None = None) -> Callable[[], Call]:
    """Return what prepares igraph's distances; it returns lists."""

    def prepare() -> Call:
        peer = igraph_graph(graph)
        lengths = None if graph.edge_weights is None else graph.edge_weights.tolist()
        return lambda: peer.distances(source=sources, weights=lengths)

    return prepare


def rustworkx_distances(graph: Graph) -> Callable[[], Call]:
    """Return what prepares rustworkx's matrix of hops; there is none from a part of the nodes."""

    def prepare() -> Call:
        import rustworkx

        peer = rustworkx_graph(graph)
        return lambda: rustworkx.graph_distance_matrix(peer, null_value=np.inf)

    return prepare


def torch_compiled(function: Callable[..., Any], *arguments: Any) -> Callable[..., Any]:
    """Compile a PyTorch function and run it once on `arguments`, or raise NotAvailable."""
    compiled: Callable[..., Any] = torch.compile(function, dynamic=False)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compiled(*arguments)
    except Exception as error:
        reason = str(error).strip().partition("\n")[0]
        raise NotAvailable(f"torch.compile: {reason or type(error).__name__}") from error
    return compiled


@contextmanager
def threads_for_all(num_threads: int) -> Iterator[None]:
    """Let graphopt and every library that can be told use so many threads, and undo it after.

    rustworkx takes ``RAYON_NUM_THREADS`` when it is first used and keeps to it; NumPy's linear
    algebra is told through threadpoolctl.
    """
    if "rustworkx" not in sys.modules:
        os.environ.setdefault("RAYON_NUM_THREADS", str(num_threads))
    with ExitStack() as undo:
        undo.callback(graphopt.set_num_threads, None)
        graphopt.set_num_threads(num_threads)
        undo.callback(torch.set_num_threads, torch.get_num_threads())
        torch.set_num_threads(num_threads)
        with suppress(ImportError):
            import networkit

            undo.callback(networkit.setNumberOfThreads, networkit.getMaxNumberOfThreads())
            networkit.setNumberOfThreads(num_threads)
        undo.enter_context(threadpool_limits(num_threads, user_api="blas"))
        yield
