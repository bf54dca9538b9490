"""What every algorithm returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt.communities._modularity import modularity_of
from graphopt.graph import Graph


@dataclass(frozen=True, slots=True, eq=False)
class CommunityResult:
    """A partition of the nodes and its quality.

    Parameters
    ----------
    labels : array of int32, shape (n_nodes,)
        Group of each node; groups are numbered ``0 .. n_communities - 1`` by their smallest node.
    modularity : float
        Of these labels, at the resolution that was asked for.
    """

    labels: NDArray[np.int32]
    modularity: float

    @property
    def n_communities(self) -> int:
        """Number of groups."""
        return int(self.labels.max()) + 1 if self.labels.size else 0


def result(
    weights: Graph | NDArray[np.float64], group: NDArray[np.int64], resolution: float = 1.0
) -> CommunityResult:
    """Return groups as the caller gets them."""
    labels = numbered_by_node(group).astype(np.int32)
    return CommunityResult(labels, modularity_of(weights, labels, resolution))


def numbered_by_node(group: ArrayLike) -> NDArray[np.int64]:
    """Return the groups numbered 0, 1, ... in the order of their smallest nodes."""
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]
