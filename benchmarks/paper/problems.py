"""The problems of the tables: data sets, and graphs whose seen edges are drawn afresh."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from graphopt import datasets
from graphopt.features import role2vec
from graphopt.graph import Graph
from graphopt.objectives import KCenter, Modularity, Objective

CLEAN_FRACTION = 0.4
_CLEAN, _INNER = 1, 2
_OBJECTIVES: dict[str, Objective] = {"community": Modularity(), "facility": KCenter()}


class Task(str, Enum):
    """What is decided, in the words of the stored results."""

    community = "community"
    facility = "facility"


def objective_of(task: str) -> Objective:
    """Return the objective that a word of the stored results stands for."""
    return _OBJECTIVES[task]


@dataclass(frozen=True, slots=True)
class Problem:
    """A graph to decide on: what is seen of it, and all of it to judge by.

    Attributes
    ----------
    name : str
    task : {"community", "facility"}
    k : int
        Groups or facilities.
    full, seen : Graph
        On the same nodes; the same graph where everything is seen.
    features : array, sparse array or None
        Node features that belong to what is seen.
    features_from_edges : bool
        Whether they were computed from the seen edges. A method that hides some of these to test
        itself must not look at them: they know what is hidden.
    """

    name: str
    task: str
    k: int
    full: Graph
    seen: Graph
    features: Any = None
    features_from_edges: bool = False

    @property
    def objective(self) -> Objective:
        """The objective of the task."""
        return objective_of(self.task)

    @property
    def seen_fraction(self) -> float:
        """Share of all edges that is seen, in (0, 1] unless nothing is; 1 without edges."""
        return self.seen.n_edges / self.full.n_edges if self.full.n_edges else 1.0

    @property
    def own_features(self) -> Any:
        """The features, unless they were computed from the seen edges; None then."""
        return None if self.features_from_edges else self.features

    def check(self) -> None:
        """Raise ValueError or InfeasibleError if no method could answer."""
        if self.full.n_edges > 0 and self.seen.n_edges == 0:
            raise ValueError(f"{self.name}: no edge is seen of {self.full.n_edges}")
        if not 1 <= self.k <= self.full.n_nodes:
            raise ValueError(f"k must be in 1..{self.full.n_nodes}, not {self.k}")
        self.objective.check_feasible(self.full, self.k)


def problem_of(name: str, data: datasets.Dataset, task: str, setting: str, k: int) -> Problem:
    """Return a data set as a problem: with setting ``"optimization"`` all of it is seen."""
    # Features that differ for what is seen were computed from the edges there.
    computed = data.observed_features is not data.features
    if setting == "optimization":
        return Problem(name, task, k, data.graph, data.graph, data.features, computed)
    return Problem(name, task, k, data.graph, data.observed, data.observed_features, computed)


def clean_problem(name: str, data: datasets.Dataset, task: str, k: int, seed: int) -> Problem:
    """Return a data set as a problem of which a fresh 40 % of the undirected edges are seen.

    No edge is both seen and hidden, as edges are in published splits that were drawn over directed
    lines. Features that the nodes have by themselves (words) stay. Features that were computed from
    edges would tell what is hidden, so :func:`graphopt.features.role2vec` of the seen graph, which
    the paper computes where there is structure alone, takes their place.

    Parameters
    ----------
    name : str
    data : Dataset
        Renumbered already.
    task : {"community", "facility"}
    k : int
    seed : int
        Draws the seen edges; the same for every system, so that they can be compared in pairs.
    """
    # Not the stream that renumbered the nodes.
    return _hidden_anew(name, data, data.graph, CLEAN_FRACTION, task, k, [_CLEAN, seed])


def inner_problem(name: str, data: datasets.Dataset, task: str, k: int, seed: int) -> Problem:
    """Return the seen part of a data set as a problem of its own, for choosing between settings.

    Of the seen edges a share as large as theirs of all edges is seen, drawn by `seed`, and the
    decision is judged on all of them; nothing that is hidden is looked at. Features that were
    computed from all seen edges are replaced as by :func:`clean_problem`.

    Parameters
    ----------
    name : str
    data : Dataset
        Renumbered already.
    task : {"community", "facility"}
    k : int
    seed : int
    """
    share = data.observed.n_edges / data.graph.n_edges
    return _hidden_anew(name, data, data.observed, share, task, k, [_INNER, seed])


def _hidden_anew(
    name: str,
    data: datasets.Dataset,
    full: Graph,
    share: float,
    task: str,
    k: int,
    seed: list[int],
) -> Problem:
    """Return a problem that is judged on `full`, of whose edges a share is seen."""
    split = datasets.split_edges(full, share, random_state=np.random.default_rng(seed))
    seen = datasets.observed_graph(full, split)
    computed = data.observed_features is not data.features
    features: Any = role2vec(seen) if computed else data.features
    return Problem(name, task, k, full, seen, features, computed)
