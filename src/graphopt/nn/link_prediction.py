"""Which edges are missing: a graph encoder and a DistMult decoder."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from graphopt._threads import resolve_num_threads
from graphopt._validation import check_integer
from graphopt.nn.encoders import GCN
from graphopt.nn.operators import pair_scores
from graphopt.nn.sparse import SparseMatrix


class LinkPredictor(nn.Module):
    """Score pairs of nodes by how likely an edge is: ``sum_d e_id r_d e_jd``.

    The nodes are embedded by a graph convolutional network, rows e; r is learned too. The score is
    symmetric; its sigmoid is a probability.

    Parameters
    ----------
    in_features : int
        Width of the node features.
    hidden_features, embedding_features : int
        Widths of the encoder.
    dropout : float
        Dropped share of the hidden layer while training.

    Notes
    -----
    The decoder: B. Yang et al., "Embedding Entities and Relations for Learning and Inference in
    Knowledge Bases", ICLR 2015, with one relation. The whole: M. Schlichtkrull et al., "Modeling
    Relational Data with Graph Convolutional Networks", ESWC 2018.

    Examples
    --------
    >>> from graphopt import Graph
    >>> from graphopt.nn import Adjacency
    >>> ring = Adjacency(Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])).whole
    >>> network = LinkPredictor(4).eval()
    >>> embedding = network(torch.eye(4), ring)
    >>> embedding.shape, network.score(embedding, torch.tensor([[0, 1], [0, 2]])).shape
    (torch.Size([4, 50]), torch.Size([2]))
    """

    def __init__(
        self,
        in_features: int,
        *,
        hidden_features: int = 50,
        embedding_features: int = 50,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        embedding_features = check_integer("embedding_features", embedding_features, minimum=1)
        self.encoder = GCN(in_features, hidden_features, embedding_features, dropout=dropout)
        self.relation = nn.Parameter(torch.empty(embedding_features))
        self._reset_relation()

    def initialize(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        random_state: np.random.Generator,
    ) -> None:
        """Draw the encoder's parameters anew, as :meth:`GCN.initialize`; relations start alike."""
        self.encoder.initialize(features, adjacency, random_state)
        self._reset_relation()

    def _reset_relation(self) -> None:
        # Scores of a calibrated embedding then have a spread of 1.
        nn.init.constant_(self.relation, len(self.relation) ** -0.5)

    def forward(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        """Embed every node.

        Parameters
        ----------
        features : Tensor or SparseMatrix, shape (n_nodes, in_features)
        adjacency : SparseMatrix, shape (n_nodes, n_nodes)
            Row-normalised, with self loops.

        Returns
        -------
        Tensor, shape (n_nodes, embedding_features)
        """
        embedding: Tensor = self.encoder(features, adjacency)
        return embedding

    def score(self, embedding: Tensor, pairs: Tensor) -> Tensor:
        """Return the log odds of an edge.

        Parameters
        ----------
        embedding : Tensor, shape (n_nodes, embedding_features)
        pairs : Tensor of int64, shape (n_pairs, 2)
            Node numbers.

        Returns
        -------
        Tensor, shape (n_pairs,)
        """
        if pairs.device != embedding.device:  # torch would not notice if one is on the meta device
            raise ValueError(
                f"pairs must be on the device of embedding, {embedding.device}, not {pairs.device}"
            )
        scores: Tensor = pair_scores(embedding, self.relation, pairs, resolve_num_threads(None))
        return scores

    def loss(self, embedding: Tensor, edges: Tensor, others: Tensor) -> Tensor:
        """Return the mean cross-entropy of pairs with an edge and pairs without.

        Parameters
        ----------
        embedding : Tensor, shape (n_nodes, embedding_features)
        edges, others : Tensor of int64, shape (n, 2)

        Returns
        -------
        Tensor, a scalar
        """
        scores = self.score(embedding, torch.cat([edges, others]))
        target = torch.zeros_like(scores)
        target[: len(edges)] = 1.0
        return functional.binary_cross_entropy_with_logits(scores, target)
