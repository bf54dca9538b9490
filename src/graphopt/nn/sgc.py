"""Simple graph convolution: features averaged over neighbours several times, then one layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from graphopt._validation import check_integer
from graphopt.nn._calibration import standardised
from graphopt.nn._encoder import CalibratedEncoder, check_parameters
from graphopt.nn.products import product
from graphopt.nn.sparse import SparseMatrix, check_inputs


class SGC(CalibratedEncoder):
    """A linear encoder: ``Âᴷ X W + b``.

    Parameters
    ----------
    in_features, out_features : int
        Widths.
    steps : int
        K, averages over neighbours; 0: neighbours are not looked at.

    Notes
    -----
    The product is taken from the right, so that averages are over `out_features` columns, however
    wide and sparse the features. Linear, so nothing is dropped while training. Works alone, in
    float32 and float64, and on a batch of graphs as one block diagonal matrix.

    F. Wu et al., "Simplifying Graph Convolutional Networks", ICML 2019.

    Examples
    --------
    >>> from graphopt import Graph
    >>> from graphopt.nn import Adjacency
    >>> ring = Adjacency(Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])).whole
    >>> SGC(4, 2)(torch.eye(4), ring).shape
    torch.Size([4, 2])
    """

    def __init__(self, in_features: int, out_features: int, *, steps: int = 2) -> None:
        super().__init__()
        in_features = check_integer("in_features", in_features, minimum=1)
        out_features = check_integer("out_features", out_features, minimum=1)
        self.steps = check_integer("steps", steps, minimum=0)
        check_parameters("an encoder", (in_features + 1) * out_features)
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw the weights anew, normal with variance 1 / inputs; the bias is 0."""
        with torch.no_grad():
            self.weight.normal_(std=self.weight.shape[0] ** -0.5, generator=generator)
            self.bias.zero_()

    @torch.no_grad()
    def calibrate(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> None:
        """Scale and shift so that outputs on these data have mean 0 and spread 1.

        See :meth:`GCN.calibrate`.
        """
        standardised(self._averaged(features, adjacency), self.weight, self.bias)

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
        return self._averaged(features, adjacency) + self.bias

    def _averaged(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        check_inputs(features, adjacency)
        adjacency.check_square("adjacency")
        rows = product(features, self.weight)
        adjacency.check_operand("features", rows)
        for _ in range(self.steps):
            rows = adjacency @ rows
        return rows

    def extra_repr(self) -> str:
        """Return the settings, for printing."""
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}, steps={self.steps}"
