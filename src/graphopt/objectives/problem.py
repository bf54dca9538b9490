"""A problem to decide, and a trial, which is a problem whose answer can be judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import check_integer
from graphopt.datasets.hiding import Hiding, check_seen_graph, check_share, hide_edges
from graphopt.features import node_features
from graphopt.graph import Graph

if TYPE_CHECKING:
    from graphopt.objectives.base import Objective

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What a method knows when it decides. To make a checked problem, call :meth:`of`.

    Attributes
    ----------
    graph : Graph
        The seen graph, with all nodes.
    k : int
        The largest number of groups, or the number of nodes to choose.
    objective : Objective
    features : array or csr_array of float32, shape (n_nodes, n_features), or None
        Of the nodes.
    seen_fraction : float
        Share of all edges that `graph` holds, above 0 to 1.
    features_from_edges : bool
        Whether the features were computed from the seen edges. If so, they reveal the edges that a
        method hides in order to learn.
    make_features : callable, optional
        Computes the features from a graph; needed to compute them again when edges are hidden.
    whole : Problem, optional
        The problem that this one is a part of.
    """

    graph: Graph
    k: int
    objective: Objective
    features: Any = None
    seen_fraction: float = 1.0
    features_from_edges: bool = False
    make_features: Callable[[Graph], Any] | None = None
    whole: Problem | None = field(default=None, repr=False)
    _found: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(
        cls,
        graph: Graph,
        features: Any = None,
        *,
        objective: Objective,
        k: int,
        seen_fraction: float | None = None,
    ) -> Problem:
        """Check the arguments and return a problem.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected, without negative weights.
        features : array, sparse array or callable, optional
            One row per node, or a callable that computes the rows from a graph.
        objective : Objective
        k : int
            1 to n_nodes.
        seen_fraction : float, optional
            Share of all edges that `graph` holds. None: 1, no edge is missing.

        Raises
        ------
        TypeError, ValueError
            For a graph that is directed or has negative weights, features that do not match, or a
            setting out of range.
        """
        check_seen_graph(graph)
        k = check_integer("k", k, minimum=1)
        if k > graph.n_nodes:
            raise ValueError(f"k must be at most the number of nodes, {graph.n_nodes}, not {k}")
        share = 1.0 if seen_fraction is None else check_share(seen_fraction)
        graph = objective.simplify(graph)
        computed = callable(features)
        return cls(
            graph,
            k,
            objective,
            node_features(graph, features),
            share if graph.n_edges else 1.0,
            computed,
            features if computed else None,
        )

    @property
    def missing_weight(self) -> float:
        """Number of missing edges relative to the seen ones."""
        return 1.0 / self.seen_fraction - 1.0

    def once(self, key: Any, find: Callable[[], Found]) -> Found:
        """Return what `find` returns; call it only the first time that `key` is asked for.

        Methods use this to share what takes long, such as a fitted completion.
        """
        if key not in self._found:
            self._found[key] = find()
        found: Found = self._found[key]
        return found

    def with_hidden_edges(
        self,
        rng: np.random.Generator,
        *,
        kept: float,
        among: NDArray[np.integer[Any]] | None = None,
    ) -> tuple[Problem, Hiding]:
        """Return the problem with some of its edges hidden and its nodes renumbered.

        Because the nodes are renumbered, no method can profit from their order. The `seen_fraction`
        of the new problem is that of this one.

        Parameters
        ----------
        rng : Generator
        kept : float
            Share of the edges that is not hidden.
        among : array of int, optional
            The nodes that take part; default: all.

        Returns
        -------
        problem : Problem
        hiding : Hiding
            Node i of the new problem is node ``hiding.order[i]`` of this one.
        """
        graph, rows = self.graph, self.features
        if among is not None:
            graph, rows = graph.subgraph(among), None if rows is None else rows[among]
        hiding = hide_edges(graph, kept, rng, renumber=True, features=self.make_features or rows)
        part = replace(self, graph=hiding.seen, features=hiding.features, whole=self)
        if among is not None:
            hiding = replace(hiding, order=among[hiding.order].astype(np.int64))
        return part, hiding


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """The value of a decision and other measures of it.

    Attributes
    ----------
    value : float
        The value by which methods are compared.
    decision : array of int
        The decision, in the node numbers of the graph that the trial was made from.
    measures : mapping of str to float
        Anything else that was measured.
    """

    value: float
    decision: NDArray[Any]
    measures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A problem whose answer can be judged, because more is known than the method sees.

    Attributes
    ----------
    problem : Problem
        The problem that the method sees.
    judge : callable
        Takes a decision and returns its :class:`Judgement`.
    order : array of int64
        Node i of the problem is node ``order[i]`` of the graph that edges were hidden from.
    """

    problem: Problem
    judge: Callable[[NDArray[Any]], Judgement]
    order: NDArray[np.int64]
