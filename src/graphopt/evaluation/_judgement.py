"""What a decision is worth on a graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt._scale import mean_of
from graphopt._validation import as_array, check_choice, check_node_indices
from graphopt.centers import evaluate_centers
from graphopt.communities import modularity
from graphopt.graph import Graph, check_graph
from graphopt.paths import distances_to_nearest

TASKS = ("community", "facility")
"""What can be decided: groups, judged by modularity; facilities, judged by the largest distance."""


@dataclass(frozen=True, slots=True)
class DistanceTail:
    """How far nodes are from their nearest centre.

    Attributes
    ----------
    mean, p95, p99, max : float
        In hops, or in the units of the weights; ``inf`` where that includes nodes that no centre
        reaches. Percentiles are distances of nodes, the next larger one.
    n_unreached : int
        Nodes that no centre reaches.
    """

    mean: float
    p95: float
    p99: float
    max: float
    n_unreached: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """How alike two partitions are.

    Attributes
    ----------
    nmi : float
        Normalised mutual information, 0 to 1 (the same partition); arithmetic mean of entropies.
    ari : float
        Rand index adjusted for chance: 1 the same partition, 0 expected by chance.
    """

    nmi: float
    ari: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a decision taken on a seen graph is worth.

    Attributes
    ----------
    score, seen_score : float
        On the full graph and on the seen one: modularity, or the largest distance of a node from
        its nearest facility (``inf`` where one is not reached).
    unseen_score : float or None
        Modularity on the graph that has the edges never seen and no others; None if there are none,
        and for facilities.
    tail : DistanceTail or None
        On the full graph; None for communities.
    """

    score: float
    seen_score: float
    unseen_score: float | None
    tail: DistanceTail | None


def quality(task: str, graph: Graph, decision: ArrayLike) -> float:
    """Return a decision's exact value on a graph.

    Parameters
    ----------
    task : {"community", "facility"}
    graph : Graph
    decision : array of int
        The group of each node, or the nodes chosen.

    Returns
    -------
    float
        Modularity, or the largest distance of a node from its nearest facility: hops if the graph
        is unweighted, ``inf`` where a node is not reached.

    Raises
    ------
    ValueError
        As :func:`graphopt.modularity` and :func:`graphopt.evaluate_centers`.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3)])
    >>> quality("facility", path, [1])
    2.0
    """
    check_graph("graph", graph)
    if check_choice("task", task, TASKS) == "community":
        return modularity(graph, decision)
    return float(evaluate_centers(graph, decision).radius)


def regret_of(task: str, value: float, reference: float) -> float:
    """Return by how much a value falls short of a reference; negative: it is better.

    Examples
    --------
    >>> regret_of("community", 0.5, 0.75), regret_of("facility", 9.0, 6.0)
    (0.25, 3.0)
    """
    if check_choice("task", task, TASKS) == "community":
        return reference - value
    return value - reference


def distance_tail(graph: Graph, centers: ArrayLike) -> DistanceTail:
    """Return how far the nodes are from the nearest of some centres.

    Parameters
    ----------
    graph : Graph
        Weights are lengths.
    centers : array of int, shape (k,)
        Node numbers, at least one.

    Returns
    -------
    DistanceTail

    Raises
    ------
    ValueError
        For a centre that is no node, no centre at all, or a negative weight.

    Notes
    -----
    One search from all centres: O(n + m) hops, O(m log n) lengths; and O(n) for percentiles.

    Examples
    --------
    >>> path = Graph.from_edges([(i, i + 1) for i in range(40)])
    >>> distance_tail(path, [0])
    DistanceTail(mean=20.0, p95=38.0, p99=40.0, max=40.0, n_unreached=0)
    """
    check_graph("graph", graph)
    nodes = check_node_indices("centers", centers, graph.n_nodes)
    if len(nodes) == 0:
        raise ValueError("centers must hold at least one node")
    distances, _ = distances_to_nearest(graph, nodes)
    # the next larger one, as infinite distances cannot be interpolated
    p95, p99 = np.quantile(distances, [0.95, 0.99], method="higher")
    return DistanceTail(
        mean_of(distances),
        float(p95),
        float(p99),
        float(distances.max()),
        int(np.isinf(distances).sum()),
    )


def agreement(labels: ArrayLike, truth: ArrayLike) -> Agreement:
    """Return how alike a partition and the classes of the nodes are.

    Parameters
    ----------
    labels, truth : array of int or str, shape (n_nodes,)
        Only which nodes are together counts.

    Returns
    -------
    Agreement

    Raises
    ------
    ValueError
        For arrays of different length, without an entry or of another rank.
    TypeError
        For entries that name no class, such as floats.

    Notes
    -----
    O(n + number of pairs of classes), by scikit-learn.

    Examples
    --------
    >>> agreement([0, 0, 1, 1], ["b", "b", "a", "a"])
    Agreement(nmi=1.0, ari=1.0)
    """
    load_whole("sklearn.metrics")
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    ours, theirs = _classes("labels", labels), _classes("truth", truth)
    if len(ours) != len(theirs):
        raise ValueError(f"truth must have the length of labels, {len(ours)}, not {len(theirs)}")
    return Agreement(
        float(normalized_mutual_info_score(theirs, ours)), float(adjusted_rand_score(theirs, ours))
    )


def judge(
    task: str,
    decision: NDArray[np.integer[Any]],
    full: Graph,
    seen: Graph,
    unseen: Graph | None = None,
) -> Judgement:
    """Return what a decision taken on a seen graph is worth.

    Parameters
    ----------
    task : {"community", "facility"}
    decision : array of int
        The group of each node, or the nodes chosen.
    full, seen : Graph
        On the same nodes.
    unseen : Graph, optional
        The edges of `full` that `seen` does not have; looked at for communities only.

    Returns
    -------
    Judgement

    Raises
    ------
    ValueError
        As :func:`quality`.
    """
    community = check_choice("task", task, TASKS) == "community"
    if unseen is not None:
        check_graph("unseen", unseen)
    hidden = community and unseen is not None and unseen.n_edges > 0
    return Judgement(
        quality(task, full, decision),
        quality(task, seen, decision),
        modularity(unseen, decision) if hidden and unseen is not None else None,
        None if community else distance_tail(full, decision),
    )


def _classes(name: str, values: ArrayLike) -> NDArray[np.int64]:
    array = as_array(name, values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1D, not {array.ndim}D")
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one class")
    if array.dtype.kind not in "iubUS":
        raise TypeError(f"{name} must be integers or strings, not {array.dtype}")
    return np.unique(array, return_inverse=True)[1].astype(np.int64)
