"""The adjacency matrices that encoders average over."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from graphopt._scale import exponent_of, times_power
from graphopt._validation import check_number
from graphopt._weights import edge_weights, typical_weight
from graphopt.communities import check_strengths
from graphopt.graph import Graph
from graphopt.nn.sparse import SparseMatrix


class Adjacency:
    """Row-normalised adjacency with self loops, ``D⁻¹(A + w I)``, whole or with edges hidden.

    A self loop weighs as much as the mean edge of `graph`, w: 1 without weights.

    Parameters
    ----------
    graph : Graph
        Undirected; weights, if any, must not be negative.
    missing : Graph, optional
        Expected further edges on the same nodes; their weights are added, and they are never
        hidden.
    dtype : torch.dtype
        float32 or float64.

    Examples
    --------
    >>> path = Adjacency(Graph.from_edges([(0, 1), (1, 2)]))
    >>> path.whole.to_dense()
    tensor([[0.5000, 0.5000, 0.0000],
            [0.3333, 0.3333, 0.3333],
            [0.0000, 0.5000, 0.5000]])
    """

    def __init__(
        self, graph: Graph, missing: Graph | None = None, dtype: torch.dtype = torch.float32
    ) -> None:
        check_strengths("graph", graph)
        edges, weights = graph.edges, edge_weights(graph)
        self._n_seen, loop = len(edges), typical_weight(graph)
        if missing is not None:
            check_strengths("missing", missing)
            if missing.n_nodes != graph.n_nodes:
                raise ValueError(
                    f"missing must have {graph.n_nodes} nodes, as graph has, not {missing.n_nodes}"
                )
            edges = np.concatenate([edges, missing.edges])
            weights = np.concatenate([weights, edge_weights(missing)])
        # Entries: both directions of every edge, then the diagonal; sorted into rows.
        n, edge, node = graph.n_nodes, np.arange(len(edges)), np.arange(graph.n_nodes)
        rows = np.concatenate([edges[:, 0], edges[:, 1], node])
        columns = np.concatenate([edges[:, 1], edges[:, 0], node])
        order = np.lexsort((columns, rows))
        self._rows, self._columns = rows[order], columns[order]
        self._entry_edge = np.concatenate([edge, edge, np.full(n, len(edges))])[order]
        weights = np.append(weights, loop)  # the last one is every self loop's
        self._weights = times_power(weights, -exponent_of(weights))
        self._n_nodes, self._dtype = n, dtype
        indptr = np.concatenate([[0], np.cumsum(np.bincount(self._rows, minlength=n))])
        pattern = (
            torch.from_numpy(indptr.astype(np.int64)),
            torch.from_numpy(self._columns.astype(np.int32)),
            torch.zeros(len(rows), dtype=dtype),
        )
        # The pattern is symmetric: the transpose differs in its values only.
        self._pattern = SparseMatrix(*pattern, pattern)
        self.whole = self._normalised(self._weights)

    def masked(self, share: float) -> SparseMatrix:
        """Return the matrix with each seen edge hidden with probability `share`.

        Draws from PyTorch's global generator.
        """
        share = check_number("share", share, minimum=0.0, maximum=1.0)
        weights = self._weights.copy()
        weights[: self._n_seen] *= torch.rand(self._n_seen).numpy() >= share
        return self._normalised(weights)

    def _normalised(self, weights: NDArray[np.float64]) -> SparseMatrix:
        values = weights[self._entry_edge]
        scale = 1.0 / np.bincount(self._rows, weights=values, minlength=self._n_nodes)
        by_row, by_column = values * scale[self._rows], values * scale[self._columns]
        return self._pattern.with_values(
            torch.from_numpy(by_row).to(self._dtype), torch.from_numpy(by_column).to(self._dtype)
        )
