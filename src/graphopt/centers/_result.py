"""What the algorithms return."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class KCenterResult:
    """A choice of centres and how far the nodes are from them.

    Attributes
    ----------
    centers : array of int32, shape (k,)
        Node numbers, in the order they were chosen.
    radius : float
        The largest distance of a node from its nearest centre, in the units of the distances (hops
        for an unweighted graph); ``inf`` where no centre reaches some node.
    assignment : array of int32, shape (n_nodes,)
        Position in `centers` of each node's nearest centre, the smallest on ties; -1 where none
        reaches it.
    """

    centers: NDArray[np.int32]
    radius: float
    assignment: NDArray[np.int32]
