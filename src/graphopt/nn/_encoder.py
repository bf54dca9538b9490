"""What encoders share: how they are initialised, and the weights of two dense layers."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from graphopt._validation import check_integer, check_memory
from graphopt.nn.dropout import check_dropped_share
from graphopt.nn.sparse import SparseMatrix, check_inputs

_WORTH_ASKING = 2**24  # bytes; to ask how many are available takes as long as to make a network
_ACTIVATIONS = 4  # what a layer puts out, before and after averages, and the gradients of both
_OPTIMIZED = 4  # a weight, its gradient and what Adam keeps of it: two moments


def check_parameters(what: str, n_parameters: int) -> None:
    """Raise MemoryLimitError if so many parameters cannot be trained in what memory there is.

    Parameters
    ----------
    what : str
        The layer, for the message.
    n_parameters : int

    Notes
    -----
    On the meta device parameters take no memory.
    """
    if torch.get_default_device().type == "meta":
        return
    n_bytes = _OPTIMIZED * torch.get_default_dtype().itemsize * n_parameters
    if n_bytes > _WORTH_ASKING:
        check_memory(
            f"training {what} of {n_parameters:,} parameters",
            n_bytes,
            "use fewer features, hidden or embedding features, or clusters",
        )


class CalibratedEncoder(nn.Module):
    """An encoder that is drawn anew and then fitted to the scale of the data."""

    @abstractmethod
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights anew."""

    @abstractmethod
    def calibrate(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> None:
        """Scale and shift outputs on these data."""

    def initialize(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        random_state: np.random.Generator,
    ) -> None:
        """Draw weights anew and :meth:`calibrate` them.

        Parameters
        ----------
        features, adjacency
            As for :meth:`forward`.
        random_state : numpy.random.Generator

        Raises
        ------
        graphopt.errors.MemoryLimitError
            If the layers of all nodes do not fit in memory.
        """
        check_inputs(features, adjacency)
        width = sum(weight.shape[1] for weight in self.parameters() if weight.ndim == 2)
        n_bytes = _ACTIVATIONS * adjacency.dtype.itemsize * adjacency.shape[0] * width
        if n_bytes > _WORTH_ASKING:
            check_memory(
                f"the layers of {adjacency.shape[0]:,} nodes, {width:,} wide together,",
                n_bytes,
                "use fewer hidden or embedding features, or fewer nodes at a time",
            )
        self.reset_parameters(torch.Generator().manual_seed(int(random_state.integers(2**63))))
        self.calibrate(features, adjacency)


class TwoLayerEncoder(CalibratedEncoder):
    """An encoder whose parameters are those of two dense layers, with dropout between."""

    def __init__(
        self, in_features: int, hidden_features: int, out_features: int, dropout: float
    ) -> None:
        super().__init__()
        # Python's integers: those of NumPy may be of a type that their products do not fit.
        in_features = check_integer("in_features", in_features, minimum=1)
        hidden_features = check_integer("hidden_features", hidden_features, minimum=1)
        out_features = check_integer("out_features", out_features, minimum=1)
        self.dropout = check_dropped_share("dropout", dropout)
        check_parameters("an encoder", (in_features + 1 + out_features) * hidden_features)
        self.hidden_weight = nn.Parameter(torch.empty(in_features, hidden_features))
        self.hidden_bias = nn.Parameter(torch.empty(hidden_features))
        self.out_weight = nn.Parameter(torch.empty(hidden_features, out_features))
        self.out_bias = nn.Parameter(torch.empty(out_features))
        self.reset_parameters()

    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights anew, normal with variance 1 / inputs; biases are 0."""
        with torch.no_grad():
            for weight in (self.hidden_weight, self.out_weight):
                weight.normal_(std=weight.shape[0] ** -0.5, generator=generator)
            self.hidden_bias.zero_()
            self.out_bias.zero_()
