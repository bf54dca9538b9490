"""GCN-e2e: a graph encoder whose output is the decision itself."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from graphopt._validation import check_choice, check_integer
from graphopt.nn.encoders import GCN
from graphopt.nn.soft_kmeans import check_offsets
from graphopt.nn.sparse import SparseMatrix


class DirectGCN(nn.Module):
    """Decide by a graph convolutional network alone, without a clustering layer.

    Parameters
    ----------
    in_features : int
        Width of the node features.
    n_clusters : int
        Number of groups, or of facilities.
    decides : {"labels", "centers"}
        ``"labels"``: a softmax over groups for every node. ``"centers"``: a sigmoid for every
        node, the probability that a facility opens there; all are scaled down if they sum to more
        than `n_clusters`.
    hidden_features : int
        Width of the hidden layer.
    dropout : float
        Dropped share of the hidden layer while training.

    Notes
    -----
    GCN-e2e in Wilder et al., "End to End Learning and Optimization on Graphs", NeurIPS 2019,
    section 5.

    Examples
    --------
    >>> from graphopt import Graph
    >>> from graphopt.nn import Adjacency
    >>> ring = Adjacency(Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])).whole
    >>> network = DirectGCN(4, 2, decides="centers")
    >>> opening = network(torch.eye(4), ring)
    >>> opening.shape, bool(opening.sum() < 2.00001)
    (torch.Size([4]), True)
    """

    def __init__(
        self,
        in_features: int,
        n_clusters: int,
        *,
        decides: str = "labels",
        hidden_features: int = 50,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.n_clusters = check_integer("n_clusters", n_clusters, minimum=1)
        self.decides = check_choice("decides", decides, ("labels", "centers"))
        n_outputs = self.n_clusters if decides == "labels" else 1
        self.encoder = GCN(in_features, hidden_features, n_outputs, dropout=dropout)

    def initialize(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        random_state: np.random.Generator,
    ) -> None:
        """Draw parameters anew: the encoder's as :meth:`GCN.initialize` does."""
        self.encoder.initialize(features, adjacency, random_state)

    def forward(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        *,
        offsets: Tensor | None = None,
    ) -> Tensor:
        """Decide, softly.

        Parameters
        ----------
        features : Tensor or SparseMatrix, shape (n_nodes, in_features)
        adjacency : SparseMatrix, shape (n_nodes, n_nodes)
            Row-normalised, with self loops; block diagonal for a batch of graphs.
        offsets : Tensor of int64, shape (n_graphs + 1,), optional
            First node of each graph in a batch. Default: one graph.

        Returns
        -------
        Tensor
            Shape (n_nodes, n_clusters), rows sum to 1; or (n_nodes,), the sum at most `n_clusters`
            in each graph.
        """
        return self.decision(self.encoder(features, adjacency), offsets)

    def decision(self, scores: Tensor, offsets: Tensor | None = None) -> Tensor:
        """Return the soft decision for an output of the encoder; see :meth:`forward`.

        Parameters
        ----------
        scores : Tensor, shape (n_nodes, n_clusters), or (n_nodes, 1) for centers
        offsets : Tensor of int64, optional

        Returns
        -------
        Tensor
        """
        if self.decides == "labels":
            return torch.softmax(scores, dim=1)
        opening = torch.sigmoid(scores[:, 0])
        if offsets is None:
            return self._scaled(opening)
        sizes = check_offsets(scores, offsets).diff().tolist()
        return torch.cat([self._scaled(part) for part in torch.split(opening, sizes)])

    def _scaled(self, opening: Tensor) -> Tensor:
        return opening * (self.n_clusters / torch.clamp(opening.sum(), min=self.n_clusters))
