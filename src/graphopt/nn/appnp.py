"""APPNP: predict from features alone, then propagate by personalised PageRank."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from graphopt._validation import check_integer, check_number
from graphopt.nn._calibration import standardised
from graphopt.nn._encoder import TwoLayerEncoder
from graphopt.nn.dropout import dropout
from graphopt.nn.products import product
from graphopt.nn.sparse import SparseMatrix, check_inputs


class APPNP(TwoLayerEncoder):
    """Two dense layers, then K steps ``Z ← (1 - α) Â Z + α H`` from their output H.

    A node sees neighbours as far as K steps away without losing itself: α of it is put back at
    each step.

    Parameters
    ----------
    in_features, hidden_features, out_features : int
        Widths.
    steps : int
        K; 0: neighbours are not looked at.
    teleport : float
        α in [0, 1]; 1: as with K = 0.
    dropout : float
        In [0, 1); applied to the hidden layer while training.

    Notes
    -----
    Â is averaged over rows here (:class:`Adjacency`) and symmetrically in the source. Works alone,
    in float32 and float64, and on a batch of graphs as one block diagonal matrix.

    J. Gasteiger (Klicpera), A. Bojchevski and S. Günnemann, "Predict then Propagate: Graph Neural
    Networks meet Personalized PageRank", ICLR 2019.

    Examples
    --------
    >>> from graphopt import Graph
    >>> from graphopt.nn import Adjacency
    >>> ring = Adjacency(Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])).whole
    >>> APPNP(4, 8, 2)(torch.eye(4), ring).shape
    torch.Size([4, 2])
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        out_features: int,
        *,
        steps: int = 10,
        teleport: float = 0.1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_features, hidden_features, out_features, dropout)
        self.steps = check_integer("steps", steps, minimum=0)
        self.teleport = check_number("teleport", teleport, minimum=0.0, maximum=1.0)

    @torch.no_grad()
    def calibrate(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> None:
        """Scale and shift each layer so that its outputs on these data have mean 0 and spread 1.

        The outputs of the second are taken after propagation; see :meth:`GCN.calibrate`.
        """
        check_inputs(features, adjacency)
        hidden = functional.relu(
            standardised(
                product(features, self.hidden_weight), self.hidden_weight, self.hidden_bias
            )
        )
        # Rows of Â sum to 1, so a bias goes through propagation as it is.
        propagated = self.propagate(product(hidden, self.out_weight), adjacency)
        standardised(propagated, self.out_weight, self.out_bias)

    def forward(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        """Embed every node.

        Parameters
        ----------
        features : Tensor or SparseMatrix, shape (n_nodes, in_features)
        adjacency : SparseMatrix, shape (n_nodes, n_nodes)
            Usually :attr:`Adjacency.whole`.

        Returns
        -------
        Tensor, shape (n_nodes, out_features)
        """
        check_inputs(features, adjacency)
        hidden = functional.relu(product(features, self.hidden_weight) + self.hidden_bias)
        hidden = dropout(hidden, self.dropout, self.training)
        return self.propagate(product(hidden, self.out_weight) + self.out_bias, adjacency)

    def propagate(self, rows: Tensor, adjacency: SparseMatrix) -> Tensor:
        """Return the rows spread over the graph, each node keeping a part of its own.

        Parameters
        ----------
        rows : Tensor, shape (n_nodes, width)
        adjacency : SparseMatrix, shape (n_nodes, n_nodes)

        Returns
        -------
        Tensor, shape (n_nodes, width)
        """
        check_inputs(rows, adjacency)
        adjacency.check_square("adjacency")
        adjacency.check_operand("features", rows)
        spread, kept = rows, self.teleport * rows
        for _ in range(self.steps):
            spread = torch.add(kept, adjacency @ spread, alpha=1.0 - self.teleport)
        return spread

    def extra_repr(self) -> str:
        """Return the settings, for printing."""
        widths = (*self.hidden_weight.shape, self.out_weight.shape[1])
        return (
            f"{', '.join(map(str, widths))}, steps={self.steps}, teleport={self.teleport:g}, "
            f"dropout={self.dropout:g}"
        )
