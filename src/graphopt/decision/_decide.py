"""The whole way: portfolio, trials, the winner's decision, its evidence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import (
    RandomState,
    check_integer,
    check_number,
    check_random_state,
)
from graphopt.centers import evaluate_centers
from graphopt.decision._case import Case, Features
from graphopt.decision._evidence import gather
from graphopt.decision._methods import checked_case
from graphopt.decision._portfolio import portfolio
from graphopt.decision._result import Decision
from graphopt.decision._trials import (
    Clock,
    Entrant,
    best_of,
    run_trials,
    value_of,
)
from graphopt.evaluation import exact_within_reach, quality
from graphopt.graph import Graph

_PROOF_SECONDS = 30.0


def decide(
    graph: Graph,
    features: Features = None,
    *,
    task: str = "community",
    k: int,
    seen_fraction: float | None = None,
    time_budget: float | None = None,
    n_trials: int = 5,
    networks: bool = False,
    random_state: RandomState = None,
) -> Decision:
    """Decide on a graph by the method that does best on it, and say how good that is.

    Where edges are missing, every method of a portfolio is tried: some of the seen edges are
    hidden, the method decides, and they judge what it decided, for communities with the weight of
    all that are missing. The best on average over the trials, or the first by preference that they
    cannot tell from it, then decides on everything that is seen. No edge that is not in `graph` is
    used. Where all edges are seen, all methods decide and the best decision is taken.

    This takes a while: 27 s for the communities of cora (2,708 nodes, 2,150 edges seen) on two idle
    cores, about twice that for facilities. Every trial runs the whole portfolio, so the time grows
    in proportion to `n_trials`. With the number of nodes n it grows about as n² where features are
    given, as those of all pairs of nodes are compared, and for facilities, which need the distances
    between all pairs; for communities without features it grows about in proportion to the number
    of edges. `time_budget` limits it.

    Parameters
    ----------
    graph : Graph
        What is seen, undirected, with every node; weights must not be negative. Facilities:
        distances are hops.
    features : array, sparse array or callable, shape (n_nodes, n_features), optional
        Of the nodes. They must not have been computed from the seen edges: trials would be decided
        by features that know the hidden ones. What depends on edges is computed anew for each trial
        by a callable that takes a graph and returns rows.
    task : {"community", "facility"}
        At most `k` groups of large modularity, or `k` nodes with the farthest node near.
    k : int
        1 to n_nodes.
    seen_fraction : float, optional
        Share of all edges that `graph` holds, above 0 to 1. None: 1, nothing is missing.
    time_budget : float, optional
        Seconds. Methods that would not fit are left out, then trials, and the decision depends on
        the machine; the cheapest method decides in any case, and evidence is gathered after it.
    n_trials : int
        At least 1; fewer where time runs out.
    networks : bool
        Whether methods that train a network take part; they need features and load PyTorch.
    random_state : int, Generator or None

    Returns
    -------
    Decision

    Raises
    ------
    TypeError, ValueError
        For a graph that is directed or has negative weights, features that do not fit, or a setting
        out of range.
    graphopt.errors.GraphoptError
        If no method could decide.

    Examples
    --------
    >>> import graphopt
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(120, random_state=0)
    >>> found = graphopt.decide(
    ...     data.observed, data.observed_features, k=4, seen_fraction=0.4, random_state=0
    ... )
    >>> len(found.labels), len(set(found.labels.tolist())) <= 4
    (120, True)
    >>> found.interval[0] <= found.expected_value <= found.interval[1]
    True
    """
    n_trials = check_integer("n_trials", n_trials, minimum=1)
    if time_budget is not None:
        time_budget = check_number("time_budget", time_budget, minimum=0.0)
    clock = Clock(time_budget)
    rng = check_random_state(random_state)
    case, k = checked_case(graph, features, task, k, seen_fraction)
    entrants = [Entrant(method) for method in portfolio(task, case, networks)]
    if case.seen_fraction < 1.0:
        trials = run_trials(entrants, case, features, task, k, n_trials, clock, rng)
        winner = best_of(entrants, task, case.seen_fraction)
        decision = winner.method.run(case, k, rng)
    else:
        trials = []
        winner, decision = _best_where_all_is_seen(entrants, case, task, k, clock, rng)
    bound, decision = _proven(task, case, decision, k, clock)
    evidence = gather(task, case, decision, winner, trials, k, rng)
    return Decision(
        task,
        winner.method.name,
        *_published(task, case.graph, decision),
        quality(task, case.graph, decision),
        evidence.expected_value,
        evidence.interval,
        bound,
        evidence.stability,
        tuple(entrant.record() for entrant in entrants),
        len(trials),
        clock.spent,
    )


def _best_where_all_is_seen(
    entrants: list[Entrant], case: Case, task: str, k: int, clock: Clock, rng: np.random.Generator
) -> tuple[Entrant, NDArray[np.int32]]:
    """Let the methods decide, as long as time allows, and return the best and its decision."""
    for entrant in entrants:
        if entrant is not entrants[0] and clock.left <= 2.0 * entrants[0].mean_seconds:
            break
        begin = clock.spent
        found = entrant.method.run(case, k, rng)
        entrant.seconds.append(clock.spent - begin)
        entrant.decisions.append(found)
        entrant.scores.append(value_of(task, case.graph, found, k))
    winner = best_of(entrants, task, case.seen_fraction)
    return winner, winner.decisions[0]


def _proven(
    task: str, case: Case, decision: NDArray[np.int32], k: int, clock: Clock
) -> tuple[float | None, NDArray[np.int32]]:
    """Return a bound on the seen radius; where all is seen, a better choice too if one is found."""
    if task == "community":
        return None, decision
    limit = max(0.0, min(_PROOF_SECONDS, clock.left if math.isfinite(clock.left) else math.inf))
    found = exact_within_reach(case.graph, k, time_limit=limit)
    better = (
        case.seen_fraction == 1.0
        and len(found.centers) == k
        and found.radius < quality(task, case.graph, decision)
    )
    return found.lower_bound, found.centers if better else decision


def _published(
    task: str, graph: Graph, decision: NDArray[Any]
) -> tuple[NDArray[np.int32], NDArray[np.int32] | None]:
    if task == "community":
        return decision.astype(np.int32), None
    return evaluate_centers(graph, decision).assignment, decision.astype(np.int32)
