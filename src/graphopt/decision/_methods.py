"""Every method of the portfolio by itself, for who looks behind a decision."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import (
    RandomState,
    as_tuple,
    check_choice,
    check_integer,
    check_random_state,
)
from graphopt.datasets.hiding import check_seen_graph, check_share
from graphopt.decision._case import Case, Features, whole_case
from graphopt.decision._portfolio import portfolio
from graphopt.evaluation import TASKS
from graphopt.graph import Graph


@dataclass(frozen=True, slots=True, eq=False)
class MethodDecision:
    """What a method of the portfolio decides on everything that is seen.

    Attributes
    ----------
    name : str
        As in :attr:`graphopt.Decision.method`.
    decision : array of int32, or None
        Group of each node, or chosen nodes; None where it could not decide.
    seconds : float
        What methods share, such as a fitted completion, is in the time of the first.
    error : str
        Why there is no decision; empty where there is one.
    """

    name: str
    decision: NDArray[np.int32] | None
    seconds: float
    error: str = ""


def portfolio_decisions(
    graph: Graph,
    features: Features = None,
    *,
    task: str = "community",
    k: int,
    seen_fraction: float | None = None,
    networks: bool = False,
    methods: Collection[str] | None = None,
    random_state: RandomState = None,
) -> list[MethodDecision]:
    """Let the methods that :func:`graphopt.decide` chooses from decide, one after the other.

    No trial is made and none is preferred: who knows the whole graph can tell which would have been
    best, and so what a choice was worth.

    Parameters
    ----------
    graph, features, task, k, seen_fraction, networks
        As for :func:`graphopt.decide`.
    methods : collection of str, optional
        Names of those that are asked. None: all.
    random_state : int, Generator or None
        What a method decides does not depend on which others are asked.

    Returns
    -------
    list of MethodDecision
        In the order of the portfolio.

    Raises
    ------
    TypeError, ValueError
        As :func:`graphopt.decide`, and for a name that is not in the portfolio for such a case.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(80, random_state=0)
    >>> found = portfolio_decisions(
    ...     data.observed, task="facility", k=3, seen_fraction=0.4,
    ...     methods=["greedy", "local search"], random_state=0,
    ... )
    >>> [(one.name, len(one.decision)) for one in found]
    [('local search', 3), ('greedy', 3)]
    """
    case, k = checked_case(graph, features, task, k, seen_fraction)
    known = portfolio(task, case, networks)
    names = [method.name for method in known]
    asked = names if methods is None else as_tuple("methods", methods)
    for method_name in asked:
        check_choice("methods", method_name, names)
    seeds = check_random_state(random_state).integers(2**63, size=len(known))
    found = []
    for method, seed in zip(known, seeds, strict=True):
        if method.name not in asked:
            continue
        attempt = method.attempt(case, k, np.random.default_rng(seed))
        found.append(MethodDecision(method.name, *attempt))
    return found


def checked_case(
    graph: Graph, features: Features, task: str, k: int, seen_fraction: float | None
) -> tuple[Case, int]:
    """Return what is to be decided, and k; ValueError or TypeError for what makes no sense."""
    check_seen_graph(graph)
    check_choice("task", task, TASKS)
    k = check_integer("k", k, minimum=1)
    if k > graph.n_nodes:
        raise ValueError(f"k must be at most the number of nodes, {graph.n_nodes}, not {k}")
    share = 1.0 if seen_fraction is None else check_share(seen_fraction)
    if task == "facility" and graph.weights is not None:
        graph = Graph.from_edges(graph.edges, graph.n_nodes, names=graph.names)
    return whole_case(graph, features, share if graph.n_edges else 1.0), k
