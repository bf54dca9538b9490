"""From a graph and node features to what the encoder takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from torch import Tensor

from graphopt._loading import load_whole
from graphopt._weights import edge_weights
from graphopt.features import node_features, smoothed_features
from graphopt.graph import Graph
from graphopt.nn import Adjacency, SparseMatrix, dropout


@dataclass(frozen=True, slots=True)
class EncoderInputs:
    """Features and adjacency, in the form the encoder multiplies: of a graph, or of several.

    Attributes
    ----------
    features : SparseMatrix or Tensor, shape (n_nodes, n_features)
        Unit rows.
    adjacency : Adjacency
    """

    features: SparseMatrix | Tensor
    adjacency: Adjacency

    @classmethod
    def make(
        cls, graph: Graph, features: Any, *, smoothing: int, missing: Graph | None = None
    ) -> EncoderInputs:
        """Weigh, smooth and normalise features (None: every node is its own feature).

        `missing` holds expected further edges, which the encoder averages over too.
        """
        return cls(_operand(encoder_rows(graph, features, smoothing)), Adjacency(graph, missing))

    @classmethod
    def stack(
        cls, rows: Sequence[Any], graphs: Sequence[Graph], missing: Sequence[Graph | None]
    ) -> EncoderInputs:
        """Put graphs one after another: no edge joins two of them.

        Parameters
        ----------
        rows : sequence of array or sparse array
            Of each graph, as :func:`encoder_rows` returns them.
        graphs, missing : sequence of Graph
            Expected further edges may be None, but for all graphs.
        """
        expected = [graph for graph in missing if graph is not None]
        return cls(
            _operand(_stacked(rows)),
            Adjacency(disjoint_union(graphs), disjoint_union(expected) if expected else None),
        )

    @property
    def n_features(self) -> int:
        """Width of the features."""
        return int(self.features.shape[1])

    def perturbed(
        self, feature_dropout: float, masking: float
    ) -> tuple[SparseMatrix | Tensor, SparseMatrix]:
        """Return features with entries dropped, and the adjacency with seen edges hidden.

        Draws from PyTorch's global generator.
        """
        features: SparseMatrix | Tensor = self.features
        if feature_dropout > 0.0:
            if isinstance(features, SparseMatrix):
                features = features.dropout(feature_dropout)
            else:
                features = dropout(features, feature_dropout)
        adjacency = self.adjacency.whole if masking == 0.0 else self.adjacency.masked(masking)
        return features, adjacency


def rows_of_a_kind(graph: Graph, features: Any, n_features: int | None) -> Any:
    """Return features as checked rows that a network trained on others can take.

    Parameters
    ----------
    graph : Graph
    features : array, sparse array, callable or None
    n_features : int or None
        Columns in training; None: there were no features.

    Raises
    ------
    ValueError
        For no features, here or in training, or another number of columns.
    """
    if features is None or n_features is None:
        raise ValueError(
            "features must be given, here and in fit: without them a network knows only the "
            "nodes it was trained on"
        )
    rows = node_features(graph, features)
    if rows.shape[1] != n_features:
        raise ValueError(f"features must have {n_features} columns, as in fit, not {rows.shape[1]}")
    return rows


def encoder_rows(graph: Graph, features: Any, smoothing: int) -> Any:
    """Return features weighed, smoothed and of unit length (None: each node is its own)."""
    rows = _identity(graph.n_nodes) if features is None else features
    return smoothed_features(rows, graph, smoothing)


def disjoint_union(graphs: Sequence[Graph]) -> Graph:
    """Return one graph that holds all, their nodes one after another; all are undirected.

    Examples
    --------
    >>> pair, path = Graph.from_edges([(0, 1)]), Graph.from_edges([(0, 1), (1, 2)])
    >>> disjoint_union([pair, path]).edges.tolist()
    [[0, 1], [2, 3], [3, 4]]
    """
    if len(graphs) == 1:
        return graphs[0]
    *starts, n_nodes = accumulate((graph.n_nodes for graph in graphs), initial=0)
    edges = np.concatenate(
        [graph.edges + start for graph, start in zip(graphs, starts, strict=True)]
    )
    weights = None
    if any(graph.weighted for graph in graphs):
        weights = np.concatenate([edge_weights(graph) for graph in graphs])
    return Graph.from_edges(edges, n_nodes, weights)


def _stacked(rows: Sequence[Any]) -> Any:
    if len(rows) == 1:
        return rows[0]
    if all(isinstance(part, np.ndarray) for part in rows):
        return np.concatenate(rows)
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array, vstack

    return csr_array(vstack([csr_array(part) for part in rows]))


def _identity(n_nodes: int) -> Any:
    load_whole("scipy.sparse")
    from scipy.sparse import eye_array

    return eye_array(n_nodes, format="csr", dtype="float32")


def _operand(rows: Any) -> SparseMatrix | Tensor:
    """Keep sparse what is sparse: from a quarter of the entries on, a dense product is faster."""
    if isinstance(rows, np.ndarray):
        return torch.from_numpy(rows)
    if rows.nnz > 0.25 * rows.shape[0] * rows.shape[1]:
        return torch.from_numpy(rows.toarray())
    return SparseMatrix.from_scipy(rows)
