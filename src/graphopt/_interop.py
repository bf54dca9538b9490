"""Other libraries' graphs as edge tables, and edge tables as other libraries' graphs.

No library is imported to read its graph: only what the object offers is asked for.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt._native import _convert
from graphopt._optional import require
from graphopt._sparse import checked_rows, is_sparse
from graphopt._validation import (
    as_array,
    check_hashable,
    check_integer,
    check_memory,
    empty_as,
    shown,
)

if TYPE_CHECKING:
    import igraph
    import networkx

MAX_NODES = 2**31 - 1
EDGE_BYTES = 56  # of an edge, while a graph is made of a table
_ENTRY_BYTES = 80  # of an entry of a matrix, while its edges are read
_NAME_BYTES = 120  # of a name, in a tuple and in the set and the dictionary that find it
_AT_ONCE = 2**20  # numbers that are copied
_MANY_EDGES = 2**16  # below, asking how much memory there is takes longer than it is worth


@dataclass(frozen=True, slots=True)
class EdgeTable:
    """Edges as columns: what every foreign graph becomes before it is a Graph, and after."""

    sources: NDArray[np.int64]
    targets: NDArray[np.int64]
    weights: NDArray[np.float64] | None
    n_nodes: int
    directed: bool
    names: Sequence[Hashable] | None = None


# --- edge lists ---------------------------------------------------------------------------------


def table_from_edges(
    edges: ArrayLike | Iterable[Any],
    n_nodes: int | None,
    weights: ArrayLike | None,
    directed: bool,
    names: Sequence[Hashable] | None,
) -> EdgeTable:
    """Read an array or a Python iterable of pairs; see `Graph.from_edges`."""
    if n_nodes is not None:
        n_nodes = check_integer("n_nodes", n_nodes, minimum=0, maximum=MAX_NODES)
    if names is not None:
        n_bytes = _NAME_BYTES * (len(names) if hasattr(names, "__len__") else 0)
        if n_bytes > _NAME_BYTES * _MANY_EDGES:
            check_memory(f"names of {len(names):,} nodes", n_bytes, "leave names out")
        names = check_hashable("names", names)
        if n_nodes is not None and len(names) != n_nodes:
            raise ValueError(f"names must have one label per node, {n_nodes}, not {len(names)}")
        n_nodes = len(names)
    sources, targets, labels = _ends(edges, names)
    if labels is not None and names is None:
        if n_nodes is not None and len(labels) != n_nodes:
            raise ValueError(
                f"n_nodes must be the number of labels in edges, {len(labels)}, not {n_nodes}; "
                "pass names to have nodes without an edge"
            )
        names, n_nodes = labels, len(labels)
    return EdgeTable(
        sources,
        targets,
        _edge_weights("weights", weights, len(sources)),
        _node_count(sources, targets, n_nodes),
        bool(directed),
        names,
    )


def _ends(
    edges: object, names: Sequence[Hashable] | None
) -> tuple[NDArray[np.int64], NDArray[np.int64], Sequence[Hashable] | None]:
    if hasattr(edges, "__array__"):
        array = empty_as(as_numpy("edges", edges), np.int64)
        if array.size and (array.ndim != 2 or array.shape[1] != 2):
            raise ValueError(f"edges must have shape (n_edges, 2), not {array.shape}")
        if array.size and array.dtype.kind in "OUST":  # labels go the way of lists
            return _ends(array.tolist(), names)
        if array.dtype.kind not in "iu":
            raise TypeError(f"edges must hold integer node numbers, not {array.dtype}")
        _check_edges_fit(array.size // 2)
        pairs = array.reshape(-1, 2)
        return _as_int64("edges", pairs[:, 0]), _as_int64("edges", pairs[:, 1]), None
    if isinstance(edges, str | bytes) or not isinstance(edges, Iterable):
        raise TypeError(f"edges must be an array or an iterable of pairs, not {shown(edges)}")
    position = None if names is None else {name: i for i, name in enumerate(names)}
    sources, targets, labels = _convert.pair_edges(edges, position)
    return np.frombuffer(sources, np.int64), np.frombuffer(targets, np.int64), labels


def _check_edges_fit(n_edges: int) -> None:
    """Check, before columns are copied into int64, that they and the graph will fit."""
    if n_edges > _MANY_EDGES:
        check_memory(
            f"a graph of {n_edges:,} edges",
            (16 + EDGE_BYTES) * n_edges,
            "leave out edges that are listed twice",
        )


def _as_int64(name: str, column: NDArray[Any]) -> NDArray[np.int64]:
    if column.dtype == np.uint64 and column.size and column.max() > np.iinfo(np.int64).max:
        raise ValueError(f"{name} names node {column.max()}, which does not fit 64 bits")
    if column.dtype == np.int64 and column.flags.c_contiguous:
        return column
    copy = np.empty(len(column), np.int64)
    for begin in range(0, len(column), _AT_ONCE):  # Ctrl-C is heard in between
        copy[begin : begin + _AT_ONCE] = column[begin : begin + _AT_ONCE]
    return copy


def _node_count(sources: NDArray[np.int64], targets: NDArray[np.int64], n_nodes: int | None) -> int:
    if n_nodes is None:
        n_nodes = int(max(sources.max(), targets.max())) + 1 if len(sources) else 0
        if n_nodes > MAX_NODES:
            raise ValueError(f"node numbers must be below {MAX_NODES}, not {n_nodes - 1}")
    return max(n_nodes, 0)  # negative numbers alone: the core names the edge


def _edge_weights(name: str, weights: ArrayLike | None, n_edges: int) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    array = empty_as(as_numpy(name, weights), np.float64)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold numbers, not {array.dtype}")
    if array.shape != (n_edges,):
        raise ValueError(f"{name} must have shape ({n_edges},), one per edge, not {array.shape}")
    _check_edges_fit(n_edges)
    return np.ascontiguousarray(array, dtype=np.float64)


def as_numpy(name: str, array: Any) -> NDArray[Any]:
    """Return an array or a torch tensor (on any device, tracked or not) as a NumPy array."""
    if hasattr(array, "detach"):
        array = array.detach().cpu()
    return as_array(name, array)


# --- torch --------------------------------------------------------------------------------------


def table_from_edge_index(
    edge_index: Any, n_nodes: int | None, edge_weight: Any, directed: bool
) -> EdgeTable:
    """Read PyTorch Geometric's pair of arrays; see `Graph.from_edge_index`."""
    array = empty_as(as_numpy("edge_index", edge_index), np.int64)
    if array.ndim != 2 or array.shape[0] != 2:
        raise ValueError(f"edge_index must have shape (2, n_entries), not {array.shape}")
    if array.dtype.kind not in "iu":
        raise TypeError(f"edge_index must hold integer node numbers, not {array.dtype}")
    if n_nodes is not None:
        n_nodes = check_integer("n_nodes", n_nodes, minimum=0, maximum=MAX_NODES)
    _check_edges_fit(array.shape[1])
    sources, targets = (_as_int64("edge_index", row) for row in array)
    return EdgeTable(
        sources,
        targets,
        _edge_weights("edge_weight", edge_weight, len(sources)),
        _node_count(sources, targets, n_nodes),
        bool(directed),
    )


# --- networkx -----------------------------------------------------------------------------------


def table_from_networkx(graph: Any, weight: Hashable | None) -> EdgeTable:
    """Read a networkx graph; see `Graph.from_networkx`."""
    for needed in ("adjacency", "is_directed", "is_multigraph"):
        if not hasattr(graph, needed):
            raise TypeError(f"graph must be a networkx graph, not {type(graph).__name__}")
    position = {node: i for i, node in enumerate(graph)}
    names = names_unless_numbers(tuple(position))
    directed = bool(graph.is_directed())
    sources, targets, weights = _convert.adjacency_edges(
        graph.adjacency(), position, names is None, weight, bool(graph.is_multigraph()), directed
    )
    return EdgeTable(
        np.frombuffer(sources, np.int64),
        np.frombuffer(targets, np.int64),
        None if weights is None else np.frombuffer(weights, np.float64),
        len(position),
        directed,
        names,
    )


def networkx_from_table(table: EdgeTable) -> networkx.Graph[Any]:
    """Make a networkx Graph or DiGraph; see `Graph.to_networkx`."""
    nx: Any = require("networkx", "Graph.to_networkx")
    graph: Any = nx.DiGraph() if table.directed else nx.Graph()
    graph.add_nodes_from(range(table.n_nodes) if table.names is None else table.names)
    ends = zip(_labelled(table.sources, table), _labelled(table.targets, table), strict=True)
    if table.weights is None:
        graph.add_edges_from(ends)
    else:
        graph.add_weighted_edges_from(
            (u, v, w) for (u, v), w in zip(ends, table.weights.tolist(), strict=True)
        )
    return cast("networkx.Graph[Any]", graph)


def _labelled(column: NDArray[np.int64], table: EdgeTable) -> Iterable[Hashable]:
    numbers = column.tolist()
    names = table.names
    return numbers if names is None else (names[i] for i in numbers)


def names_unless_numbers(names: Sequence[Hashable]) -> Sequence[Hashable] | None:
    """Return the names, or None where node i is called i."""
    integers = all(
        issubclass(kind, int | np.integer) and kind is not bool for kind in set(map(type, names))
    )
    plain = integers and tuple(names) == tuple(range(len(names)))
    return None if plain else names


# --- igraph -------------------------------------------------------------------------------------


def table_from_igraph(graph: Any, weight: str | None) -> EdgeTable:
    """Read an igraph graph; see `Graph.from_igraph`."""
    for needed in ("vs", "es", "vcount", "get_edgelist"):
        if not hasattr(graph, needed):
            raise TypeError(f"graph must be an igraph graph, not {type(graph).__name__}")
    sources, targets, _ = _convert.pair_edges(graph.get_edgelist())
    weights = None
    if weight is not None and weight in graph.es.attributes():
        given = graph.es[weight]
        if any(value is not None for value in given):
            weights = _edge_weights(
                f"edge attribute {weight!r}",
                [1.0 if value is None else value for value in given],
                len(given),
            )
    names = tuple(graph.vs["name"]) if "name" in graph.vs.attributes() else None
    return EdgeTable(
        np.frombuffer(sources, np.int64),
        np.frombuffer(targets, np.int64),
        weights,
        int(graph.vcount()),
        bool(graph.is_directed()),
        None if names is None else names_unless_numbers(names),
    )


def igraph_from_table(table: EdgeTable) -> igraph.Graph:
    """Make an igraph Graph; see `Graph.to_igraph`."""
    edges = np.column_stack([table.sources, table.targets])
    graph = igraph_from_edges(table.n_nodes, edges, directed=table.directed)
    if table.weights is not None:
        graph.es["weight"] = table.weights.tolist()
    if table.names is not None:
        graph.vs["name"] = list(table.names)
    return graph


def igraph_from_edges(
    n_nodes: int, edges: NDArray[np.integer], *, directed: bool = False
) -> igraph.Graph:
    """Make an igraph Graph that has edges and nothing else.

    Ctrl-C waits until igraph has them all: it sorts all it has for each piece that it is given.
    """
    load_whole("igraph")
    import igraph

    graph = igraph.Graph(n=n_nodes, directed=directed)
    graph.add_edges(edges.astype(np.int64))  # takes half as long as in the constructor
    return graph


# --- scipy --------------------------------------------------------------------------------------


def table_from_scipy(matrix: Any, directed: bool | None, weighted: bool | None) -> EdgeTable:
    """Read a square matrix, sparse or dense; see `Graph.from_scipy`."""
    load_whole("scipy.sparse")
    from scipy.sparse import coo_array

    sparse = is_sparse(matrix)
    matrix = checked_rows("matrix", matrix, np.float64) if sparse else as_array("matrix", matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"matrix must be square, not of shape {matrix.shape}")
    if matrix.dtype.kind not in "fiub":
        raise TypeError(f"matrix must hold numbers, not {matrix.dtype}")
    n_entries = matrix.nnz if sparse else np.count_nonzero(matrix)
    check_memory(
        f"a graph from a matrix of {n_entries:,} entries",
        _ENTRY_BYTES * int(n_entries),
        "pass the edges to Graph.from_edges",
    )
    if not sparse and matrix.dtype != bool:
        matrix = matrix.astype(np.float64, copy=False)  # SciPy reads native numbers alone
    entries = coo_array(matrix)
    values = entries.data.astype(np.float64)
    if not np.isfinite(values).all():
        bad = int(np.argmin(np.isfinite(values)))
        where = f"matrix[{entries.row[bad]}, {entries.col[bad]}]"
        raise ValueError(f"matrix must be finite; {where} is {values[bad]}")
    edge = (values != 0.0) & (entries.row != entries.col)
    sources, targets, values = entries.row[edge], entries.col[edge], values[edge]
    if not directed:
        kept = coo_array((values, (sources, targets)), shape=matrix.shape).tocsr()
        symmetric = (kept - kept.T).count_nonzero() == 0
        if directed is not None and not symmetric:
            raise ValueError(
                "matrix must be symmetric for an undirected graph; pass directed=True to keep it"
            )
        directed = not symmetric
    if weighted is None:
        weighted = bool((values != 1.0).any())
    return EdgeTable(
        sources.astype(np.int64),
        targets.astype(np.int64),
        values if weighted else None,
        matrix.shape[0],
        directed,
    )
