"""From a graph and node features to what the encoder takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from graphopt.features import smoothed_features
from graphopt.graph import Graph
from graphopt.nn import Adjacency, SparseMatrix, dropout


@dataclass(frozen=True, slots=True)
class EncoderInputs:
    """Features and adjacency of one graph, in the form the encoder multiplies.

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
        rows = _identity(graph.n_nodes) if features is None else features
        rows = smoothed_features(rows, graph, smoothing)
        return cls(_operand(rows), Adjacency(graph, missing))

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


def _identity(n_nodes: int) -> Any:
    from scipy.sparse import eye_array

    return eye_array(n_nodes, format="csr", dtype="float32")


def _operand(rows: Any) -> SparseMatrix | Tensor:
    """Keep sparse what is sparse: from a quarter of the entries on, a dense product is faster."""
    if not hasattr(rows, "nnz"):
        return torch.from_numpy(rows)
    if rows.nnz > 0.25 * rows.shape[0] * rows.shape[1]:
        return torch.from_numpy(rows.toarray())
    return SparseMatrix.from_scipy(rows)
