"""The graph that every algorithm takes: immutable, compressed sparse rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

import graphopt._interop as _interop
from graphopt._exchange import Exchange
from graphopt._interop import EDGE_BYTES, EdgeTable
from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt._validation import (
    WORTH_ASKING,
    as_array,
    check_choice,
    check_float_array,
    check_hashable,
    check_memory,
    check_node_index,
    check_node_indices,
    empty_as,
)

_DUPLICATES = ("first", "last", "sum", "min", "max", "error")


class Graph(Exchange):
    """An immutable graph in compressed sparse row (CSR) form.

    Nodes are the numbers ``0 .. n_nodes - 1``; `names` may give each a label. An undirected graph
    holds every edge twice, once in each end's row. Rows are sorted. There are no self loops and no
    parallel edges: :meth:`from_edges` states what becomes of them.

    Build one with :meth:`from_edges`, :meth:`from_networkx`, :meth:`from_igraph`,
    :meth:`from_scipy` or :meth:`from_edge_index`. The constructor takes CSR arrays that already
    obey the rules above and checks them.

    Parameters
    ----------
    indptr : array of int64, shape (n_nodes + 1,)
    indices : array of int32, shape (n_entries,)
    weights : array of float64, shape (n_entries,), optional
        Finite. None: unweighted, every edge counts 1.
    directed : bool
        False: the caller vouches that the arrays are symmetric; this is checked too.
    names : sequence of hashables, optional
        One distinct label per node.

    Raises
    ------
    ValueError
        For an index out of range, an unsorted row, a repeated entry, a self loop, a weight that is
        not finite or, when undirected, arrays that are not symmetric.

    Examples
    --------
    >>> graph = Graph.from_edges([(0, 1), (1, 2), (2, 0), (2, 3)])
    >>> graph
    Graph(n_nodes=4, n_edges=4)
    >>> graph.neighbors(2)
    array([0, 1, 3], dtype=int32)
    """

    __slots__ = ("__weakref__", "_directed", "_indices", "_indptr", "_names", "_weights")

    _indptr: NDArray[np.int64]
    _indices: NDArray[np.int32]
    _weights: NDArray[np.float64] | None
    _directed: bool
    _names: tuple[Hashable, ...] | None

    def __init__(
        self,
        indptr: ArrayLike,
        indices: ArrayLike,
        weights: ArrayLike | None = None,
        *,
        directed: bool = False,
        names: Sequence[Hashable] | None = None,
    ) -> None:
        pointer = _integers("indptr", indptr, np.int64)
        index = _integers("indices", indices, np.int32)
        weight = None if weights is None else _numbers("weights", weights)
        _core.check_csr(pointer, index, weight)
        if not directed:
            mirrored = _core.transpose_csr(pointer, index, weight)
            same = np.array_equal(mirrored[1], index) and np.array_equal(mirrored[0], pointer)
            if weight is not None and mirrored[2] is not None:
                same = same and np.array_equal(mirrored[2], weight)
            if not same:
                raise ValueError("indices must be symmetric for an undirected graph")
        self._adopt(pointer, index, weight, directed, names)

    def _adopt(
        self,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int32],
        weights: NDArray[np.float64] | None,
        directed: bool,
        names: Sequence[Hashable] | None,
    ) -> None:
        """Take arrays that are known to be right, without a copy."""
        object.__setattr__(self, "_indptr", _frozen(indptr))
        object.__setattr__(self, "_indices", _frozen(indices))
        object.__setattr__(self, "_weights", None if weights is None else _frozen(weights))
        object.__setattr__(self, "_directed", bool(directed))
        object.__setattr__(self, "_names", _checked_names(names, len(indptr) - 1))

    @classmethod
    def _trusted(
        cls,
        indptr: NDArray[np.int64],
        indices: NDArray[np.int32],
        weights: NDArray[np.float64] | None,
        *,
        directed: bool,
        names: Sequence[Hashable] | None = None,
    ) -> Graph:
        graph = cls.__new__(cls)
        graph._adopt(indptr, indices, weights, directed, names)
        return graph

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Graph is immutable; {name} cannot be set")

    # --- building -------------------------------------------------------------------------------

    @classmethod
    def from_edges(
        cls,
        edges: ArrayLike | Iterable[tuple[Hashable, Hashable]],
        n_nodes: int | None = None,
        weights: ArrayLike | None = None,
        directed: bool = False,
        *,
        duplicates: str = "last",
        self_loops: str = "drop",
        names: Sequence[Hashable] | None = None,
    ) -> Graph:
        """Build a graph from a list of edges.

        Parameters
        ----------
        edges : array of int, shape (n_edges, 2), or iterable of pairs
            End points. If every end is an integer, they are node numbers. Otherwise every end is a
            label (a string, a tuple, any hashable but a float, a bool or None), numbered in order
            of first appearance and kept in `names`.
        n_nodes : int, optional
            Default: one more than the largest node number, or the number of labels.
        weights : array of float, shape (n_edges,), optional
            Finite edge weights: strengths for communities, lengths for distances.
        directed : bool
        duplicates : {"last", "first", "sum", "min", "max", "error"}
            What becomes of edges that name the same pair; in an undirected graph (u, v) and (v, u)
            do. ``"last"`` keeps the weight listed last. Unweighted edges collapse into one.
        self_loops : {"drop", "error"}
        names : sequence of hashables, optional
            One distinct label per node; nodes without an edge may be among them. Labels in `edges`
            are then looked up here.

        Returns
        -------
        Graph

        Raises
        ------
        ValueError
            Names the first edge with a node outside ``0 .. n_nodes - 1``, a weight that is not
            finite, weights whose sum is not, or what `duplicates` and `self_loops` forbid.
        TypeError
            Names the first edge that is no pair, or whose end is a float, a bool, None or not
            hashable.
        MemoryLimitError
            If the graph does not fit into memory; nothing was allocated.

        Notes
        -----
        O(n_nodes + n_edges) time and space.

        Examples
        --------
        >>> Graph.from_edges([("Ada", "Bob"), ("Bob", "Cy")]).names
        ('Ada', 'Bob', 'Cy')
        """
        table = _interop.table_from_edges(edges, n_nodes, weights, directed, names)
        return cls._from_table(table, duplicates, self_loops)

    @classmethod
    def _from_table(cls, table: EdgeTable, duplicates: str, self_loops: str = "drop") -> Graph:
        check_choice("duplicates", duplicates, _DUPLICATES)
        check_choice("self_loops", self_loops, ("drop", "error"))
        check_memory(
            f"a graph of {table.n_nodes:,} nodes and {len(table.sources):,} edges",
            24 * table.n_nodes + EDGE_BYTES * len(table.sources),
            "number the nodes 0, 1, 2, ... without gaps",
        )
        arrays = _core.build_csr(
            table.n_nodes,
            table.sources,
            table.targets,
            table.weights,
            table.directed,
            self_loops == "drop",
            duplicates,
        )
        return cls._trusted(*arrays, directed=table.directed, names=table.names)

    def _table(self) -> EdgeTable:
        ends = self.edges.astype(np.int64)
        return EdgeTable(
            ends[:, 0], ends[:, 1], self.edge_weights, self.n_nodes, self._directed, self._names
        )

    # --- what it holds --------------------------------------------------------------------------

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self._indptr) - 1

    @property
    def n_edges(self) -> int:
        """Number of edges; an undirected edge counts once."""
        return len(self._indices) if self._directed else len(self._indices) // 2

    @property
    def directed(self) -> bool:
        """Whether edges have a direction."""
        return self._directed

    @property
    def weighted(self) -> bool:
        """Whether edges carry weights."""
        return self._weights is not None

    @property
    def indptr(self) -> NDArray[np.int64]:
        """Row boundaries, shape (n_nodes + 1,), read-only."""
        return self._indptr

    @property
    def indices(self) -> NDArray[np.int32]:
        """Neighbours, row after row, shape (n_entries,), read-only."""
        return self._indices

    @property
    def weights(self) -> NDArray[np.float64] | None:
        """Weights parallel to `indices`, read-only; None when unweighted."""
        return self._weights

    @property
    def names(self) -> tuple[Hashable, ...] | None:
        """Label of each node, None where nodes are just numbers."""
        return self._names

    @property
    def degrees(self) -> NDArray[np.int64]:
        """Number of neighbours of each node (out-degree when directed), shape (n_nodes,)."""
        return np.diff(self._indptr)

    @property
    def strengths(self) -> NDArray[np.float64]:
        """Sum of the weights of each node's edges, shape (n_nodes,).

        A ValueError where a sum is too large for float64.
        """
        if self._weights is None:
            return self.degrees.astype(np.float64)
        sums = np.bincount(self._rows(), weights=self._weights, minlength=self.n_nodes)
        if not np.isfinite(sums).all():
            node = int(np.argmin(np.isfinite(sums)))
            raise ValueError(f"weights of node {node} must have a finite sum, not {sums[node]}")
        return sums.astype(np.float64, copy=False)  # integers where there is no edge

    @property
    def edges(self) -> NDArray[np.int32]:
        """End points, shape (n_edges, 2), sorted; u < v when undirected."""
        return np.column_stack([self._rows(), self._indices])[self._listed()]

    @property
    def edge_weights(self) -> NDArray[np.float64] | None:
        """Weight of each row of `edges`; None when unweighted."""
        return None if self._weights is None else self._weights[self._listed()]

    def neighbors(self, node: int) -> NDArray[np.int32]:
        """Return the neighbours of `node`, sorted (successors when directed)."""
        node = check_node_index("node", node, self.n_nodes)
        return self._indices[self._indptr[node] : self._indptr[node + 1]]

    def _rows(self) -> NDArray[np.int32]:
        return np.repeat(np.arange(self.n_nodes, dtype=np.int32), self.degrees)

    def _listed(self) -> slice | NDArray[np.bool_]:
        """Return which entries stand for an edge: all, or one of each mirrored pair."""
        return slice(None) if self._directed else self._rows() < self._indices

    # --- parts ----------------------------------------------------------------------------------

    def connected_components(self) -> tuple[int, NDArray[np.int32]]:
        """Return the number of components and each node's component, shape (n_nodes,).

        Components are numbered by their smallest node. Directed edges connect both ways.
        """
        if self.n_nodes == 0:
            return 0, np.empty(0, np.int32)
        load_whole("scipy.sparse")
        from scipy.sparse import csr_array

        load_whole("scipy.sparse.csgraph")
        from scipy.sparse.csgraph import connected_components

        pattern = csr_array(
            (np.ones(len(self._indices), np.int8), self._indices, self._indptr),
            shape=(self.n_nodes, self.n_nodes),
        )
        count, labels = connected_components(pattern, directed=self._directed, connection="weak")
        return int(count), labels.astype(np.int32, copy=False)

    def largest_component(self) -> tuple[Graph, NDArray[np.int32]]:
        """Return the largest component and the node numbers it had here, ascending.

        Among components of equal size, the one with the smallest node.
        """
        count, labels = self.connected_components()
        if count == 0:
            return self, np.empty(0, np.int32)
        nodes = np.flatnonzero(labels == np.bincount(labels).argmax()).astype(np.int32)
        return self.subgraph(nodes), nodes

    def subgraph(self, nodes: ArrayLike) -> Graph:
        """Return the graph induced by `nodes`; node i of it is ``nodes[i]`` of this one.

        All nodes in another order give the same graph with its nodes renumbered.

        Parameters
        ----------
        nodes : array of int, shape (n_kept,)
            Distinct node numbers, in any order.

        Returns
        -------
        Graph
            Names, weights and direction are kept.

        Raises
        ------
        ValueError
            If a node number is out of range or listed twice.
        """
        keep = check_node_indices("nodes", nodes, self.n_nodes)
        position = np.full(self.n_nodes, -1, np.int64)
        position[keep] = np.arange(len(keep))
        if len(keep) != np.count_nonzero(position >= 0):
            raise ValueError("nodes must not repeat")
        source, target = position[self._rows()], position[self._indices]
        inside = (source >= 0) & (target >= 0)
        arrays = _core.build_csr(
            len(keep),
            source[inside],
            target[inside],
            None if self._weights is None else self._weights[inside],
            True,  # both directions are listed already
            True,
            "last",
        )
        names = None if self._names is None else [self._names[i] for i in keep]
        return Graph._trusted(*arrays, directed=self._directed, names=names)

    def plus(self, other: Graph) -> Graph:
        """Return the graph whose weights are the sums of this graph's and another's.

        An edge without weights counts 1; an edge of one graph only keeps its weight.

        Parameters
        ----------
        other : Graph
            On the same number of nodes, directed like this one; its names are ignored.

        Returns
        -------
        Graph
            Weighted.

        Raises
        ------
        ValueError
            If the graphs do not match, or the sum of two weights is too large for float64.
        """
        check_graph("other", other)
        if other.n_nodes != self.n_nodes or other.directed != self.directed:
            kind = "directed" if self.directed else "undirected"
            raise ValueError(f"other must be {kind} with {self.n_nodes} nodes, not {other!r}")
        pairs = np.concatenate([self.edges, other.edges])
        weights = [
            np.ones(graph.n_edges) if graph.edge_weights is None else graph.edge_weights
            for graph in (self, other)
        ]
        return Graph.from_edges(
            pairs,
            self.n_nodes,
            np.concatenate(weights),
            self.directed,
            duplicates="sum",
            names=self.names,
        )

    # --- protocol -------------------------------------------------------------------------------

    def __repr__(self) -> str:
        kind = [word for word in ("directed", "weighted") if getattr(self, word)]
        words = [f"n_nodes={self.n_nodes}", f"n_edges={self.n_edges}", *kind]
        return f"Graph({', '.join(words)})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Graph):
            return NotImplemented
        if self._directed != other._directed or self.weighted != other.weighted:
            return False
        same_weights = self._weights is None or np.array_equal(self._weights, other._weights)  # type: ignore[arg-type]
        return (
            same_weights
            and np.array_equal(self._indptr, other._indptr)
            and np.array_equal(self._indices, other._indices)
            and self._names == other._names
        )

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        state = (self._indptr, self._indices, self._weights, self._directed, self._names)
        return _rebuild, state

    def __copy__(self) -> Graph:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Graph:
        return self


def _rebuild(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    directed: bool,
    names: tuple[Hashable, ...] | None,
) -> Graph:
    return Graph(indptr, indices, weights, directed=directed, names=names)


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    """Return a view that cannot be made writeable again."""
    array.flags.writeable = False
    return array.view()


def check_graph(name: str, value: object) -> None:
    """Raise TypeError naming `name` unless `value` is a Graph."""
    if not isinstance(value, Graph):
        raise TypeError(
            f"{name} must be a Graph, not {type(value).__name__}; its from_... methods convert"
        )


def check_undirected(name: str, value: object) -> None:
    """Raise TypeError or ValueError naming `name` unless `value` is an undirected Graph."""
    check_graph(name, value)
    if cast(Graph, value).directed:
        raise ValueError(f"{name} must be undirected")


def _numbers(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return a private copy; the core looks for what is not finite."""
    array = check_float_array(name, values, ndim=1, finite=False)
    return np.array(array, dtype=np.float64, order="C")


def _integers(name: str, values: ArrayLike, dtype: type[np.signedinteger[Any]]) -> NDArray[Any]:
    """Return a private copy in `dtype`, refusing what would not survive."""
    array = empty_as(as_array(name, values), dtype)
    n_bytes = array.size * np.dtype(dtype).itemsize
    if n_bytes > WORTH_ASKING:
        check_memory(f"a copy of {name}", n_bytes, "pass a part of the graph")
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} must hold integers, not {array.dtype}")
    if array.size and (array.max() > np.iinfo(dtype).max or array.min() < np.iinfo(dtype).min):
        raise ValueError(f"{name} must fit {np.dtype(dtype)}")
    return np.array(array, dtype=dtype, order="C")


def _checked_names(names: Sequence[Hashable] | None, n_nodes: int) -> tuple[Hashable, ...] | None:
    if names is None:
        return None
    labels = check_hashable("names", names)
    if len(labels) != n_nodes:
        raise ValueError(f"names must have one label per node, {n_nodes}, not {len(labels)}")
    if len(set(labels)) != n_nodes:
        raise ValueError("names must be distinct")
    return labels
