"""What every estimator of this package does: say that it is not fitted, fit and read off."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from graphopt.errors import NotFittedError
from graphopt.graph import Graph
from graphopt.learning.parameters import Parameters

if TYPE_CHECKING:
    from typing_extensions import Self


class Fitted(Parameters):
    """An estimator that knows whether it has been fitted."""

    def _check_fitted(self, attribute: str, lacks: str, method: str = "fit") -> None:
        """Raise NotFittedError unless fitting has set `attribute`."""
        if not hasattr(self, attribute):
            raise NotFittedError(f"this {type(self).__name__} {lacks} yet; call {method} first")


class DecidingEstimator(Fitted):
    """An estimator that decides on the graph it is fitted to."""

    labels_: NDArray[np.int32]

    @abstractmethod
    def fit(self, graph: Graph, features: Any = None) -> Self:
        """Learn and decide."""

    def fit_predict(self, graph: Graph, features: Any = None) -> NDArray[np.int32]:
        """Fit to a graph and return ``labels_``; see :meth:`fit`.

        Parameters
        ----------
        graph : Graph
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional

        Returns
        -------
        array of int32, shape (n_nodes,)
        """
        return self.fit(graph, features).labels_

    def _check_decided(self) -> None:
        self._check_fitted("decision_", "has no decision")
