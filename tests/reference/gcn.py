"""Two graph convolutions after the product of features and first weights, formula by formula."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tests.reference.dropout import dropout as drop

_Real = NDArray[np.float64]


def gcn_layers(
    adjacency: _Real,
    projected: _Real,
    hidden_bias: _Real,
    out_weight: _Real,
    out_bias: _Real,
    dropout: float,
    seed: int,
) -> tuple[_Real, _Real]:
    """Return ``A hidden W2 + b2`` and ``hidden = dropout(relu(A projected + b1))``; A is dense."""
    hidden = drop(np.maximum(adjacency @ projected + hidden_bias, 0.0), dropout, seed)
    return adjacency @ (hidden @ out_weight) + out_bias, hidden


def gcn_layers_gradient(
    adjacency: _Real, hidden: _Real, out_weight: _Real, dropout: float, upstream: _Real
) -> tuple[_Real, _Real, _Real, _Real]:
    """Return the gradients by ``projected``, ``b1``, ``W2`` and ``b2``."""
    by_weighted = adjacency.T @ upstream
    by_hidden = by_weighted @ out_weight.T
    by_sum = np.where(hidden == 0.0, 0.0, by_hidden / (1.0 - dropout))
    return (
        adjacency.T @ by_sum,
        by_sum.sum(axis=0),
        hidden.T @ by_weighted,
        upstream.sum(axis=0),
    )
