"""The interface of an objective; users can write their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import RandomState, check_node_indices
from graphopt.graph import Graph
from graphopt.objectives.problem import Judgement, Problem, Trial

_KEPT = 0.8  # of the seen edges, where hidden ones can stand for all that are missing


@dataclass(frozen=True, slots=True)
class Reference:
    """The best known decision on the full graph, with which others are compared.

    Attributes
    ----------
    name : str
        How it was found.
    value : float
        Its value on the full graph.
    bound : float or None
        A bound that no decision can pass, if one is known. Regret against the unknown optimum
        exceeds the reported regret by at most the distance of `value` from the bound.
    """

    name: str
    value: float
    bound: float | None = None

    @property
    def proven(self) -> bool:
        """Whether `value` is the optimum."""
        return self.bound == self.value


class Objective(ABC):
    """What a decision is judged by, and everything that depends on it.

    To write your own objective, define :attr:`name` and :meth:`evaluate`. The rest has defaults,
    which suit a value that is a sum over edges.

    Attributes
    ----------
    name : str
    greater_is_better : bool
    decides : {"labels", "centers"}
        What a decision is: the group of each node, or the nodes chosen.
    sums_over_edges : bool
        Whether the value is a sum over edges. A few hidden edges can then represent all missing
        edges, and one trial tells much about a method. In contrast, a largest distance depends on
        single nodes.
    least : float
        No decision has a smaller value.
    value_name, judged_name : str
        Names, in messages, of the value and of what trials compare.
    parts : tuple of str
        What a decision consists of: a noun in the singular and in the plural.
    unit : str
        Unit of the value, in messages; empty if it has none.

    Examples
    --------
    The share of edges that are cut:

    >>> class Cut(Objective):
    ...     name = "cut"
    ...
    ...     def evaluate(self, decision, graph):
    ...         u, v = graph.edges.T
    ...         return float((decision[u] != decision[v]).mean())
    >>> square = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])
    >>> Cut().evaluate(np.array([0, 1, 0, 1]), square)
    1.0
    >>> Cut().regret(0.75, 1.0)
    0.25
    """

    name: ClassVar[str]
    greater_is_better: ClassVar[bool] = True
    decides: ClassVar[Literal["labels", "centers"]] = "labels"
    sums_over_edges: ClassVar[bool] = True
    least: ClassVar[float] = -np.inf
    value_name: ClassVar[str] = "value"
    judged_name: ClassVar[str] = "value"
    parts: ClassVar[tuple[str, str]] = ("group", "groups")
    unit: ClassVar[str] = ""

    # --- values ---

    @abstractmethod
    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the exact value of a decision on a graph.

        Parameters
        ----------
        decision : array of int
            The group of each node, or the nodes chosen.
        graph : Graph
        """

    def judge(self, decision: NDArray[Any], graph: Graph, k: int) -> float:
        """Return the value that trials compare; by default, the value of the decision.

        Override this for an objective with many ties, and return a value that tells them apart.

        Parameters
        ----------
        decision : array of int
        graph : Graph
        k : int
            The `k` of the problem that was decided.
        """
        return self.evaluate(decision, graph)

    def evaluate_main_part(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the value on the part of a graph that can be served; by default, on all of it."""
        return self.evaluate(decision, graph)

    def measures(
        self, decision: NDArray[Any], full: Graph, seen: Graph, unseen: Graph | None = None
    ) -> dict[str, float]:
        """Return the measures of a decision made on a seen graph, by name.

        Parameters
        ----------
        decision : array of int
        full, seen : Graph
            On the same nodes.
        unseen : Graph, optional
            The edges of `full` that `seen` does not have.

        Returns
        -------
        dict
            ``score`` and ``seen_score`` are the values on the full and the seen graph.
        """
        return {
            "score": self.evaluate(decision, full),
            "seen_score": self.evaluate(decision, seen),
        }

    def better(self, value: float, than: float) -> bool:
        """Return whether `value` is strictly better than `than`."""
        return value > than if self.greater_is_better else value < than

    def regret(self, value: float, reference: float) -> float:
        """Return how far a value falls short of a reference; negative if it is better."""
        return reference - value if self.greater_is_better else value - reference

    def reference(self, graph: Graph, k: int, random_state: RandomState = None) -> Reference:
        """Return the best value known on a graph, with its bound.

        Parameters
        ----------
        graph : Graph
            The full graph.
        k : int
        random_state : int, Generator or None

        Raises
        ------
        ValueError
            If the objective has no reference.
        """
        raise ValueError(f"reference must be given: objective {self.name!r} knows none")

    def prove(
        self, problem: Problem, decision: NDArray[Any], time_limit: float
    ) -> tuple[float | None, NDArray[Any]]:
        """Return a bound on the value on the seen graph, and this decision or a better one.

        A better decision is returned only if all edges are seen. By default, nothing is proven.

        Parameters
        ----------
        problem : Problem
        decision : array of int
        time_limit : float
            Seconds.
        """
        return None, decision

    # --- problems ---

    def simplify(self, graph: Graph) -> Graph:
        """Return the graph on which :func:`graphopt.decide` works; by default, the graph itself."""
        return graph

    def check_feasible(self, graph: Graph, k: int) -> None:
        """Raise InfeasibleError if no decision has a finite value on a graph."""
        return

    def check(self, decision: Any, graph: Graph, k: int, *, source: str = "") -> NDArray[np.int64]:
        """Return a decision as labels numbered from 0, or as nodes.

        Parameters
        ----------
        decision : array of int, or object
            The object may hold the array, as the results of graphopt's algorithms do.
        graph : Graph
        k : int
        source : str
            The origin of the decision, for messages, such as ``" of method leiden"``.

        Raises
        ------
        ValueError, TypeError
            For an array of the wrong shape or type, more than k groups or nodes, or repeated nodes.
        """
        what = f"{self.decides}{source}"
        array = np.asarray(getattr(decision, self.decides, decision))
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise TypeError(
                f"{what} must be a 1D array of integers, not {array.ndim}D {array.dtype}"
            )
        if self.decides == "labels":
            if len(array) != graph.n_nodes:
                raise ValueError(f"{what} must be one per node, {graph.n_nodes}, not {len(array)}")
            groups, labels = np.unique(array, return_inverse=True)
            if len(groups) > k:
                raise ValueError(f"{what} must make at most k = {k} groups, not {len(groups)}")
            return labels.astype(np.int64)
        centers = check_node_indices(what, array, graph.n_nodes)
        if not 1 <= len(centers) <= k:
            raise ValueError(f"{what} must be 1 to k = {k} nodes, not {len(centers)}")
        if len(np.unique(centers)) != len(centers):
            raise ValueError(f"{what} must be distinct nodes")
        return centers.astype(np.int64)

    def renumber(self, decision: NDArray[Any], order: NDArray[np.integer[Any]]) -> NDArray[Any]:
        """Return a decision in the numbering of nodes before they were reordered.

        Parameters
        ----------
        decision : array of int
        order : array of int, shape (n_nodes,)
            Node i was node ``order[i]`` before.
        """
        if self.decides == "centers":
            centers: NDArray[Any] = order[decision].astype(decision.dtype)
            return centers
        labels = np.empty_like(decision)
        labels[order] = decision
        return labels

    # --- trials ---

    def kept_share(self, seen_fraction: float) -> float:
        """Return the share of the seen edges that a trial keeps."""
        return _KEPT

    def hide(self, problem: Problem, rng: np.random.Generator) -> Trial:
        """Make a fair trial from a problem: some edges are hidden, and all seen edges judge.

        By default, most of the seen edges are kept. The hidden edges represent all missing edges,
        so they weigh more.

        Parameters
        ----------
        problem : Problem
        rng : Generator
        """
        kept = self.kept_share(problem.seen_fraction)
        part, hiding = problem.with_hidden_edges(rng, kept=kept)
        whole = hiding.as_whole(problem.seen_fraction)
        return Trial(part, partial(judged, problem, hiding.order, whole), hiding.order)

    # --- words ---

    def number(self, value: float) -> str:
        """Return a value as text."""
        return "∞" if np.isinf(value) else f"{value:.3f}"

    def describe(self, value: float) -> str:
        """Return a value as text, with its unit."""
        return self.number(value)


def judged(
    problem: Problem, order: NDArray[np.int64], graph: Graph, decision: NDArray[Any]
) -> Judgement:
    """Judge a decision, made on reordered nodes, on a graph in the numbering of `problem`."""
    decided = problem.objective.renumber(decision, order)
    return Judgement(problem.objective.judge(decided, graph, problem.k), decided)
