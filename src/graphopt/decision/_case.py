"""What is known when a decision is taken, and how the same looks with part of it hidden."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt.completion import Completion, EdgeProbabilities, PairCompletion, choose_sharpness
from graphopt.datasets.hiding import Hiding, hide_edges
from graphopt.features import node_features
from graphopt.graph import Graph

Features = Any
"""Rows, one per node, a callable that makes them of a seen graph, or None."""


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A partly seen graph.

    Attributes
    ----------
    graph : Graph
        What is seen.
    rows : array or csr_array of float32, or None
        Features of its nodes.
    seen_fraction : float
        Share of all edges that is seen.
    rows_from_edges : bool
        Whether the rows were computed from the seen edges: they know those that a model hides to
        learn from.
    whole : Case, optional
        The one that this is a part of.
    """

    graph: Graph
    rows: Any
    seen_fraction: float
    rows_from_edges: bool = False
    whole: Case | None = field(default=None, repr=False)
    _expected: dict[Any, Graph] = field(default_factory=dict, repr=False)
    _chances: dict[Any, EdgeProbabilities] = field(default_factory=dict, repr=False)
    _sharpness: dict[Any, float] = field(default_factory=dict, repr=False)

    @property
    def missing_weight(self) -> float:
        """Number of missing edges relative to the seen ones."""
        return 1.0 / self.seen_fraction - 1.0

    def expected_edges(self, completion: Completion) -> Graph:
        """Return the missing edges that a completion expects, computed once."""
        if completion not in self._expected:
            self._expected[completion] = completion.missing_edges(self.graph, self.rows)
        return self._expected[completion]

    def chances(self, completion: PairCompletion) -> EdgeProbabilities:
        """Return how likely a completion takes the missing edges to be, computed once."""
        if completion not in self._chances:
            self._chances[completion] = completion.probabilities(self.graph, self.rows)
        return self._chances[completion]

    def sharpness(self, completion: PairCompletion) -> float:
        """Return the power of its probabilities that gives graphs the right distances.

        It is found once, on the whole case: on a part of the edges it would be found less surely.
        """
        if self.whole is not None:
            return self.whole.sharpness(completion)
        if completion not in self._sharpness:
            self._sharpness[completion] = choose_sharpness(
                completion,
                self.graph,
                self.rows,
                seen_fraction=self.seen_fraction,
                join=True,
                random_state=0,
            )
        return self._sharpness[completion]


def whole_case(graph: Graph, features: Features, seen_fraction: float) -> Case:
    """Return the case that is to be decided."""
    return Case(graph, node_features(graph, features), seen_fraction, callable(features))


def hidden_case(
    case: Case,
    features: Features,
    rng: np.random.Generator,
    *,
    kept: float,
    among: NDArray[np.integer[Any]] | None = None,
) -> tuple[Case, Hiding]:
    """Return the case with some of its edges hidden, nodes renumbered.

    Renumbered, no method can profit from the order of the nodes. The new case is decided on as
    though as large a share of its edges were missing as of the old one's.

    Parameters
    ----------
    case : Case
    features : array, sparse array, callable or None
        As they were given for all nodes.
    rng : Generator
    kept : float
        Share of the edges that is not hidden.
    among : array of int, optional
        The nodes that take part; default: all.

    Returns
    -------
    case : Case
    hiding : Hiding
        Node i of the new case is node ``hiding.order[i]`` of the old one.
    """
    graph, rows = case.graph, case.rows
    if among is not None:
        graph, rows = graph.subgraph(among), None if rows is None else rows[among]
    given = features if callable(features) else rows
    found = hide_edges(graph, kept, rng, renumber=True, features=given)
    part = Case(found.seen, found.features, case.seen_fraction, case.rows_from_edges, case)
    if among is not None:
        found = replace(found, order=among[found.order].astype(np.int64))
    return part, found
