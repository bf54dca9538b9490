"""What can be compared: names, functions and estimators, all asked in one way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._validation import check_choice, check_integer, check_node_indices
from graphopt.centers import ExactKCenterResult, exact_k_center, gonzalez, greedy_k_center
from graphopt.communities import cnm, leiden, newman, spectral
from graphopt.graph import Graph, check_graph

Decide: TypeAlias = Callable[[Graph, Any, int, int], Any]
"""Takes a graph, its features or None, k and a seed; returns labels, centres, or a result."""

_PROOF_SECONDS = 60.0


def exact_within_reach(
    graph: Graph, k: int, *, time_limit: float | None = None
) -> ExactKCenterResult:
    """Choose k centres to proven optimality, also for a graph that falls into pieces.

    A graph with at most `k` components is decided on as a whole. Of one with more, which no `k`
    centres can serve, it is the largest component: other nodes are neither served nor chosen, and
    radius and bound say nothing of them. If it has fewer than `k` nodes, all of them are chosen.

    Parameters
    ----------
    graph : Graph
    k : int
    time_limit : float, optional
        Seconds, as for :func:`graphopt.exact_k_center`.

    Returns
    -------
    ExactKCenterResult

    Raises
    ------
    ValueError
        As :func:`graphopt.exact_k_center`.

    Examples
    --------
    >>> pieces = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4), (5, 6), (7, 8)])
    >>> exact_within_reach(pieces, 1).centers
    array([2], dtype=int32)
    """
    check_graph("graph", graph)
    k = check_integer("k", k, minimum=1)
    n_components, component = graph.connected_components()
    if n_components <= k:
        return exact_k_center(graph, k, time_limit=time_limit)
    inside = component == np.bincount(component).argmax()
    return exact_k_center(
        graph,
        min(k, int(inside.sum())),
        time_limit=time_limit,
        demand=inside.astype(np.float64),
        candidates=np.flatnonzero(inside),
    )


METHODS: dict[str, dict[str, Decide]] = {
    "community": {
        "leiden": lambda graph, _, k, seed: leiden(graph, k, random_state=seed),
        "cnm": lambda graph, _, k, seed: cnm(graph, k),
        "newman": lambda graph, _, k, seed: newman(graph, k),
        "spectral": lambda graph, _, k, seed: spectral(graph, k, random_state=seed),
    },
    "facility": {
        "greedy": lambda graph, _, k, seed: greedy_k_center(graph, k),
        "gonzalez": lambda graph, _, k, seed: gonzalez(graph, k, random_state=seed),
        "exact": lambda graph, _, k, seed: exact_within_reach(graph, k, time_limit=_PROOF_SECONDS),
    },
}
"""By task, the methods that can be named."""

_HELD_IN = {"community": "labels", "facility": "centers"}


class Method:
    """A method with a name; picklable if what it wraps is.

    Parameters
    ----------
    name : str
        For messages and tables.
    method : str, callable or estimator
    task : {"community", "facility"}
    k : int

    Raises
    ------
    ValueError
        For a name that is not known, or an estimator whose number of groups is not `k`.
    TypeError
        For anything else.
    """

    def __init__(self, name: str, method: object, task: str, k: int) -> None:
        self.name, self.task, self.k = name, task, k
        self._named = isinstance(method, str)
        self._method: Any = method
        if isinstance(method, str):
            check_choice("method", method, METHODS[task])
        elif hasattr(method, "fit_predict"):
            if isinstance(method, type):
                raise TypeError(f"method {name} must be an estimator, not its class")
            n_clusters = getattr(method, "n_clusters", k)
            if n_clusters != k:
                raise ValueError(f"method {name} has n_clusters={n_clusters}, but k is {k}")
        elif not callable(method):
            raise TypeError(
                f"method {name} must be a name, a callable or an estimator with fit_predict, "
                f"not {type(method).__name__}"
            )

    def decide(self, graph: Graph, features: Any, seed: int) -> Any:
        """Return what the method answers; :meth:`checked` judges whether it is an answer."""
        if self._named:
            return METHODS[self.task][self._method](graph, features, self.k, seed)
        if hasattr(self._method, "fit_predict"):
            return self._by_estimator(graph, features, seed)
        return self._method(graph, features, self.k, seed)

    def _by_estimator(self, graph: Graph, features: Any, seed: int) -> Any:
        load_whole("sklearn.base")
        from sklearn.base import clone

        model: Any = clone(self._method)
        if "random_state" in model.get_params():
            model.set_params(random_state=seed)
        labels = model.fit_predict(graph, features)
        if getattr(model, "interrupted_", False):  # it took Ctrl-C for the end of its training
            raise KeyboardInterrupt
        if self.task == "community":
            return labels
        if not hasattr(model, "centers_"):
            raise TypeError(f"method {self.name} must have centers_ after fit_predict")
        return model.centers_

    def checked(self, answer: Any, n_nodes: int) -> NDArray[np.int64]:
        """Return an answer as labels numbered from 0, or as nodes.

        Raises
        ------
        ValueError or TypeError
            If it is none: of the wrong shape or type, more than k groups or nodes, repeated nodes.
        """
        what = _HELD_IN[self.task]
        array = np.asarray(getattr(answer, what, answer))
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise TypeError(
                f"method {self.name} must return {what}, a 1D array of integers, "
                f"not {array.ndim}D {array.dtype}"
            )
        if self.task == "facility":
            return self._checked_centers(array, n_nodes)
        if len(array) != n_nodes:
            raise ValueError(
                f"method {self.name} must return a label per node, {n_nodes}, not {len(array)}"
            )
        groups, labels = np.unique(array, return_inverse=True)
        if len(groups) > self.k:
            raise ValueError(
                f"method {self.name} must make at most k = {self.k} groups, not {len(groups)}"
            )
        return labels.astype(np.int64)

    def _checked_centers(self, array: NDArray[Any], n_nodes: int) -> NDArray[np.int64]:
        centers = check_node_indices(f"centers of method {self.name}", array, n_nodes)
        if not 1 <= len(centers) <= self.k:
            raise ValueError(
                f"method {self.name} must choose 1 to k = {self.k} nodes, not {len(centers)}"
            )
        if len(np.unique(centers)) != len(centers):
            raise ValueError(f"method {self.name} must not choose a node twice")
        return centers.astype(np.int64)
