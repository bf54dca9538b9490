"""The k-center objective: the largest distance of a node to its nearest center."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._scale import mean_of
from graphopt._validation import RandomState, check_integer, check_node_indices
from graphopt.centers import ExactKCenterResult, evaluate_centers, exact_k_center
from graphopt.errors import InfeasibleError
from graphopt.graph import Graph, check_graph
from graphopt.objectives.base import Objective, Reference, judged
from graphopt.objectives.problem import Problem, Trial
from graphopt.paths import distances_to_nearest

_GROWTH = 0.6  # per hop, of the smoothed largest distance; what robust_k_center lowers
_PROOF_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class DistanceTail:
    """How far nodes are from their nearest center.

    Attributes
    ----------
    mean, p95, p99, max : float
        In hops, or in the units of the weights; ``inf`` if it includes nodes that no center
        reaches. A percentile between the distances of two nodes is the larger of them.
    n_unreached : int
        Nodes that no center reaches.
    """

    mean: float
    p95: float
    p99: float
    max: float
    n_unreached: int


@dataclass(frozen=True)
class KCenter(Objective):
    """k nodes such that the largest distance of a node to its nearest center is small.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3)])
    >>> KCenter().evaluate(np.array([1]), path)
    2.0
    """

    name: ClassVar[str] = "k-center"
    greater_is_better: ClassVar[bool] = False
    decides: ClassVar[Literal["labels", "centers"]] = "centers"
    sums_over_edges: ClassVar[bool] = False
    least: ClassVar[float] = 0.0
    value_name: ClassVar[str] = "largest distance"
    judged_name: ClassVar[str] = "smoothed largest distance"
    parts: ClassVar[tuple[str, str]] = ("center", "centers")
    unit: ClassVar[str] = "hops"

    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the largest distance of a node from its nearest center.

        In hops if the graph is unweighted; ``inf`` if a node is not reached.

        Raises
        ------
        ValueError
            As :func:`graphopt.evaluate_centers`.
        """
        check_graph("graph", graph)
        return float(evaluate_centers(graph, decision).radius)

    def judge(self, decision: NDArray[Any], graph: Graph, k: int) -> float:
        """Return the smoothed largest distance in hops of the nodes that can be served.

        See :func:`smoothed_radius`.
        """
        return smoothed_radius(graph, decision, k)

    def evaluate_main_part(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the largest distance in hops of a node of the :func:`main_part`."""
        hops, _ = distances_to_nearest(graph, decision)
        return float(hops[main_part(graph, len(decision))].max(initial=0.0))

    def measures(
        self, decision: NDArray[Any], full: Graph, seen: Graph, unseen: Graph | None = None
    ) -> dict[str, float]:
        """Return ``score``, ``seen_score`` and the :func:`distance_tail` on the full graph.

        The latter are ``mean_distance``, ``p95_distance``, ``p99_distance`` and ``n_unreached``.
        See :meth:`Objective.measures`.
        """
        if unseen is not None:
            check_graph("unseen", unseen)
        tail = distance_tail(full, decision)
        return super().measures(decision, full, seen) | {
            "mean_distance": tail.mean,
            "p95_distance": tail.p95,
            "p99_distance": tail.p99,
            "n_unreached": float(tail.n_unreached),
        }

    def reference(self, graph: Graph, k: int, random_state: RandomState = None) -> Reference:
        """Return the result of :func:`graphopt.exact_k_center` within a minute, and its bound.

        Nothing is random. See :meth:`Objective.reference`.
        """
        found = exact_k_center(graph, k, time_limit=_PROOF_SECONDS)
        return Reference("exact_k_center on the full graph", found.radius, found.lower_bound)

    def prove(
        self, problem: Problem, decision: NDArray[Any], time_limit: float
    ) -> tuple[float | None, NDArray[Any]]:
        """Return a bound on the seen radius, and this decision or a better one.

        See :meth:`Objective.prove` and :func:`exact_within_reach`.
        """
        found = exact_within_reach(problem.graph, problem.k, time_limit=time_limit)
        better = (
            problem.seen_fraction == 1.0
            and len(found.centers) == problem.k
            and found.radius < self.evaluate(decision, problem.graph)
        )
        return found.lower_bound, found.centers if better else decision

    def simplify(self, graph: Graph) -> Graph:
        """Return the graph without weights: distances are hops."""
        if graph.weights is None:
            return graph
        return Graph.from_edges(graph.edges, graph.n_nodes, names=graph.names)

    def check_feasible(self, graph: Graph, k: int) -> None:
        """Raise InfeasibleError if `k` centers cannot reach every node."""
        n_components, _ = graph.connected_components()
        if n_components > k:
            raise InfeasibleError(
                f"graph has {n_components} components, so k = {k} centers cannot reach every "
                "node; decide on its largest component or raise k"
            )

    def kept_share(self, seen_fraction: float) -> float:
        """Return the share of all edges that is seen: distances do not add up over edges."""
        return seen_fraction

    def hide(self, problem: Problem, rng: np.random.Generator) -> Trial:
        """Make a trial that hides as large a share of its edges as is missing from the whole graph.

        All seen edges judge. Only nodes that can be served take part, because nothing shows whether
        a choice serves the others.

        Parameters
        ----------
        problem : Problem
        rng : Generator
        """
        served = np.flatnonzero(main_part(problem.graph, problem.k))
        kept = self.kept_share(problem.seen_fraction)
        part, hiding = problem.with_hidden_edges(rng, kept=kept, among=served)
        return Trial(part, partial(judged, problem, hiding.order, problem.graph), hiding.order)

    def number(self, value: float) -> str:
        """Return a number of hops as text."""
        return "∞" if math.isinf(value) else f"{value:.3g}"

    def describe(self, value: float) -> str:
        """Return a number of hops as text, with the unit."""
        if math.isinf(value):
            return "∞ (a node cannot reach any center)"
        return f"{self.number(value)} {'hop' if value == 1.0 else 'hops'}"


def distance_tail(graph: Graph, centers: ArrayLike) -> DistanceTail:
    """Return how far the nodes are from their nearest center.

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
        For a center that is not a node, no centers, or a negative weight.

    Notes
    -----
    One search from all centers, in O(n + m) for hops and O(m log n) for lengths; O(n) for
    percentiles.

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


def exact_within_reach(
    graph: Graph, k: int, *, time_limit: float | None = None
) -> ExactKCenterResult:
    """Choose k centers to proven optimality, even if the graph is not connected.

    If the graph has at most `k` components, the centers serve the whole graph. If it has more, no
    `k` centers can serve it, and they serve its largest component: other nodes are neither served
    nor chosen, and the radius and the bound do not include them. If this component has fewer than
    `k` nodes, all of them are chosen.

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


def main_part(graph: Graph, k: int) -> NDArray[np.bool_]:
    """Return the nodes that can be served: all if k centers can reach all, else the largest part.

    If a graph has more than k components, the part is the largest one, with others until it has k
    nodes.
    """
    n_components, component = graph.connected_components()
    if n_components <= k:
        return np.ones(graph.n_nodes, np.bool_)
    sizes = np.bincount(component)
    by_size = np.argsort(-sizes, kind="stable")
    enough = int(np.searchsorted(np.cumsum(sizes[by_size]), k)) + 1
    inside: NDArray[np.bool_] = np.isin(component, by_size[:enough])
    return inside


def smoothed_radius(graph: Graph, centers: NDArray[np.int32], k: int) -> float:
    """Return the largest hop distance of a node that can be served, smoothed.

    ``log(mean(exp(growth d))) / growth``: it tells choices of the same radius apart. A node that
    can be served but is not counts as if it were at the largest possible distance.
    """
    served = main_part(graph, k)
    hops, _ = distances_to_nearest(graph, centers)
    far = np.where(np.isfinite(hops), hops, float(served.sum()))[served]
    top = far.max(initial=0.0)
    return (
        float(top + math.log(np.exp(_GROWTH * (far - top)).mean()) / _GROWTH) if len(far) else 0.0
    )
