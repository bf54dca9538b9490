"""How a graph comes from other libraries and goes to them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

import graphopt._interop as _interop
from graphopt._interop import EdgeTable
from graphopt._loading import load_whole

if TYPE_CHECKING:
    import igraph
    import networkx
    import torch
    from scipy.sparse import csr_array
    from typing_extensions import Self


class Exchange:
    """What a :class:`graphopt.Graph` exchanges with networkx, igraph, SciPy and PyTorch Geometric.

    Between them lies the :class:`graphopt._interop.EdgeTable`; sparse formats of both sides are
    rows already and need none on the way out.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def n_nodes(self) -> int: ...
        @property
        def indptr(self) -> NDArray[np.int64]: ...
        @property
        def indices(self) -> NDArray[np.int32]: ...
        @property
        def weights(self) -> NDArray[np.float64] | None: ...

    @classmethod
    @abstractmethod
    def _from_table(cls, table: EdgeTable, duplicates: str, self_loops: str = "drop") -> Self:
        """Build a graph from edges."""

    @abstractmethod
    def _table(self) -> EdgeTable:
        """Return the edges."""

    @abstractmethod
    def _rows(self) -> NDArray[np.int32]:
        """Return the row of each entry of `indices`."""

    # --- from -----------------------------------------------------------------------------------

    @classmethod
    def from_networkx(
        cls, graph: Any, weight: Hashable | None = "weight", *, duplicates: str = "last"
    ) -> Self:
        """Build a graph from a networkx Graph, DiGraph, MultiGraph or MultiDiGraph.

        Parameters
        ----------
        graph : networkx graph
            A DiGraph becomes a directed graph. Nodes are numbered in the order of ``graph.nodes``
            and kept as `names` unless they are just ``0 .. n_nodes - 1`` in this order.
        weight : hashable or None
            Edge attribute that holds the weight; as in networkx, an edge without it weighs 1. If no
            edge has it, or for None, the result is unweighted.
        duplicates : {"last", "first", "sum", "min", "max", "error"}
            What becomes of parallel edges, in the order of their keys. Self loops are dropped.

        Returns
        -------
        Graph

        Raises
        ------
        TypeError, ValueError
            Names the edge whose weight is no number or not finite.

        Notes
        -----
        O(n_nodes + n_edges).
        """
        return cls._from_table(_interop.table_from_networkx(graph, weight), duplicates)

    @classmethod
    def from_igraph(
        cls, graph: Any, weight: str | None = "weight", *, duplicates: str = "last"
    ) -> Self:
        """Build a graph from an igraph Graph.

        Parameters
        ----------
        graph : igraph.Graph
            The vertex attribute ``"name"`` becomes `names`, unless it is just the numbers.
        weight : str or None
            Edge attribute that holds the weight; where it is None the edge weighs 1. If no edge has
            it, or for None, the result is unweighted.
        duplicates : {"last", "first", "sum", "min", "max", "error"}
            What becomes of parallel edges. Self loops are dropped.

        Returns
        -------
        Graph

        Raises
        ------
        TypeError, ValueError
            If a weight is no number or not finite, or names are not distinct.
        """
        return cls._from_table(_interop.table_from_igraph(graph, weight), duplicates)

    @classmethod
    def from_scipy(
        cls, matrix: Any, directed: bool | None = None, *, weighted: bool | None = None
    ) -> Self:
        """Build a graph from an adjacency matrix: entry (u, v) is the weight of the edge u to v.

        Parameters
        ----------
        matrix : sparse array or matrix of any format, or dense array, shape (n_nodes, n_nodes)
            Zeros, stored or not, are no edges; the diagonal (self loops) is dropped; entries that
            a format lists twice are summed, as SciPy does.
        directed : bool, optional
            False: the matrix must be symmetric. None: directed unless it is.
        weighted : bool, optional
            None: unweighted if every entry is 1 (or True). False ignores the values.

        Returns
        -------
        Graph

        Raises
        ------
        ValueError
            If the matrix is not square, holds NaN or infinity, or is not symmetric where it must
            be.
        MemoryLimitError
            If the edges do not fit into memory beside the matrix.
        """
        return cls._from_table(_interop.table_from_scipy(matrix, directed, weighted), "last")

    @classmethod
    def from_edge_index(
        cls,
        edge_index: Any,
        n_nodes: int | None = None,
        edge_weight: Any = None,
        directed: bool = False,
        *,
        duplicates: str = "last",
    ) -> Self:
        """Build a graph from the ``edge_index`` of PyTorch Geometric.

        Parameters
        ----------
        edge_index : tensor or array of int, shape (2, n_entries)
            Sources and targets. An undirected graph may list an edge once or, as PyTorch Geometric
            does, in both directions: they collapse into one edge by `duplicates`.
        n_nodes : int, optional
            Default: one more than the largest node number.
        edge_weight : tensor or array of float, shape (n_entries,), optional
        directed : bool
        duplicates : {"last", "first", "sum", "min", "max", "error"}
            See :meth:`from_edges`. ``"sum"`` adds the two directions up. Self loops are dropped.

        Returns
        -------
        Graph
        """
        table = _interop.table_from_edge_index(edge_index, n_nodes, edge_weight, directed)
        return cls._from_table(table, duplicates)

    # --- to -------------------------------------------------------------------------------------

    def to_networkx(self) -> networkx.Graph[Any]:
        """Return a networkx Graph (DiGraph when directed) with `names` as its nodes.

        Weights become the edge attribute ``"weight"``.
        """
        return _interop.networkx_from_table(self._table())

    def to_igraph(self) -> igraph.Graph:
        """Return an igraph Graph.

        Weights become the edge attribute ``"weight"``, `names` the vertex attribute ``"name"``.
        """
        return _interop.igraph_from_table(self._table())

    def to_scipy(self) -> csr_array[Any, tuple[int, int]]:
        """Return the adjacency matrix, float64, shape (n_nodes, n_nodes); both directions stored.

        A copy that may be changed at will; its indices are int32 where they fit.
        """
        load_whole("scipy.sparse")
        from scipy.sparse import csr_array

        data = np.ones(len(self.indices)) if self.weights is None else self.weights.copy()
        # SciPy gives both index arrays one type, the wider of the two.
        pointer = np.int32 if len(self.indices) < 2**31 else np.int64
        return csr_array(
            (data, self.indices.copy(), self.indptr.astype(pointer)),
            shape=(self.n_nodes, self.n_nodes),
        )

    def to_edge_index(self) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return PyTorch Geometric's ``edge_index`` and ``edge_weight``.

        Returns
        -------
        edge_index : int64 tensor, shape (2, n_entries)
            Sorted; both directions of an undirected edge.
        edge_weight : float64 tensor, shape (n_entries,), or None
            None when unweighted.
        """
        load_whole("torch")
        import torch

        index = torch.from_numpy(np.stack([self._rows(), self.indices]).astype(np.int64))
        weight = None if self.weights is None else torch.from_numpy(self.weights.copy())
        return index, weight
