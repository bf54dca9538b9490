"""Let methods decide in trials, take the decision of the best one, and gather evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from types import EllipsisType
from typing import Any, Literal

import numpy as np

from graphopt._validation import (
    RandomState,
    as_tuple,
    check_choice,
    check_integer,
    check_number,
    check_random_state,
)
from graphopt.centers import evaluate_centers
from graphopt.contest import Method, Result, Seed, Table, contest
from graphopt.decision._adapters import AnyMethod, as_method, name_of
from graphopt.decision._budget import Budget, Clock
from graphopt.decision._evidence import gather
from graphopt.decision._methods import portfolio
from graphopt.decision._result import Candidate, Decision
from graphopt.errors import GraphoptError
from graphopt.graph import Graph
from graphopt.objectives import Objective, Problem, Trial, as_objective
from graphopt.objectives.base import judged

_PROOF_SECONDS = 30.0
_FORGIVEN = (ValueError, GraphoptError, MemoryError)


def decide(
    graph: Graph,
    features: Any = None,
    *,
    objective: Literal["modularity", "k-center"] | Objective = "modularity",
    k: int,
    seen_fraction: float | None = None,
    methods: Sequence[AnyMethod | EllipsisType] = (...,),
    time_budget: float | None = None,
    n_trials: int = 5,
    random_state: RandomState = None,
) -> Decision:
    """Decide on a graph by the method that does best on it, and estimate how good the decision is.

    If edges are missing, every method is tried on problems made from the seen graph: some of the
    seen edges are hidden, the method decides without them, and all seen edges judge the decision.
    For communities, the hidden edges count as much as all missing edges. The method with the best
    average over the trials wins; if the trials cannot tell several methods apart, the first by
    preference wins. The winner then decides from all seen edges. No edge that is not in `graph` is
    used. If all edges are seen, all methods decide and the best decision is taken.

    This takes a while: 27 s for the communities of cora (2,708 nodes, 2,150 edges seen) on two idle
    cores, about twice that for centers. Every trial runs all methods, so the time grows in
    proportion to `n_trials`. It also grows about as n², where n is the number of nodes, if features
    are given, because all pairs of nodes are compared, and for centers, because they need the
    distances between all pairs. For communities without features, it grows about in proportion to
    the number of edges. To limit the time, pass `time_budget`.

    Parameters
    ----------
    graph : Graph
        The seen graph, undirected, with all nodes; weights must not be negative. For k-center,
        distances are hops.
    features : array, sparse array or callable, shape (n_nodes, n_features), optional
        Features of the nodes. They must not have been computed from the seen edges, because they
        would reveal the edges that a trial hides. If they depend on edges, pass a callable that
        takes a graph and returns the features; it is called for each trial.
    objective : {"modularity", "k-center"} or Objective
        At most `k` groups of large modularity, or `k` centers such that the farthest node is near
        one.
    k : int
        1 to n_nodes.
    seen_fraction : float, optional
        Share of all edges that `graph` holds, above 0 and at most 1. None: 1, no edge is missing.
    methods : sequence, optional
        Methods that take part, the preferred ones first. ``...`` stands for the built-in methods,
        which are the default. Others are names, callables or estimators, as in
        :func:`graphopt.decision.compare`; ``[..., ClusterNet(10)]`` adds a network. If an estimator
        has the parameters `seen_fraction` and `features_from_edges`, they are set.
    time_budget : float, optional
        Seconds. Methods for which there is no time are left out, then trials, so the decision
        depends on the machine. The cheapest method decides in any case, and evidence is gathered
        after it.
    n_trials : int
        At least 1. Fewer trials are made if time runs out.
    random_state : int, Generator or None

    Returns
    -------
    Decision

    Raises
    ------
    TypeError, ValueError
        For a graph that is directed or has negative weights, features that do not match, anything
        that is not a method, or a setting out of range.
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
    goal = as_objective(objective)
    problem = Problem.of(graph, features, objective=goal, k=k, seen_fraction=seen_fraction)
    known = _methods(methods, problem)
    trials: list[Trial] = []
    if problem.seen_fraction < 1.0:
        table = _tried(known, problem, n_trials, clock, rng, trials)
        winner = best_of(known, table, problem)
        decision = winner.decide(problem, rng)
    else:
        table = _decided_where_all_is_seen(known, problem, clock, rng)
        winner = best_of(known, table, problem)
        decision = table.of(winner.name)[0].decision
    limit = max(0.0, min(_PROOF_SECONDS, clock.left))
    bound, decision = goal.prove(problem, decision, limit)
    evidence = gather(problem, decision, winner, trials, table, rng)
    labels, centers = decision.astype(np.int32), None
    if goal.decides == "centers":
        labels, centers = evaluate_centers(problem.graph, decision).assignment, labels
    return Decision(
        goal,
        winner.name,
        labels,
        centers,
        goal.evaluate(decision, problem.graph),
        evidence.expected_value,
        evidence.interval,
        bound,
        evidence.stability,
        tuple(_candidate(method.name, table) for method in known),
        len(trials),
        clock.spent,
    )


def portfolio_decisions(
    graph: Graph,
    features: Any = None,
    *,
    objective: Literal["modularity", "k-center"] | Objective = "modularity",
    k: int,
    seen_fraction: float | None = None,
    methods: Collection[str] | None = None,
    random_state: RandomState = None,
) -> list[Result]:
    """Let each built-in method of :func:`graphopt.decide` decide, one after the other.

    No trial is made and no method is chosen. If you know the whole graph, you can use this function
    to find out which method would have been best, and how good the choice of
    :func:`graphopt.decide` was.

    Parameters
    ----------
    graph, features, objective, k, seen_fraction
        As for :func:`graphopt.decide`.
    methods : collection of str, optional
        Names of the methods that decide. None: all.
    random_state : int, Generator or None
        The decision of a method does not depend on which others decide.

    Returns
    -------
    list of Result
        In the order of preference. The time for what methods share, such as a fitted completion,
        counts for the first of them.

    Raises
    ------
    TypeError, ValueError
        As :func:`graphopt.decide`, and for a name that is not known for such a problem.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(80, random_state=0)
    >>> found = portfolio_decisions(
    ...     data.observed, objective="k-center", k=3, seen_fraction=0.4,
    ...     methods=["greedy", "local search"], random_state=0,
    ... )
    >>> [(one.method, len(one.decision)) for one in found]
    [('local search', 3), ('greedy', 3)]
    """
    goal = as_objective(objective)
    problem = Problem.of(graph, features, objective=goal, k=k, seen_fraction=seen_fraction)
    known = portfolio(problem)
    names = [method.name for method in known]
    asked = names if methods is None else as_tuple("methods", methods)
    for name in asked:
        check_choice("methods", name, names)
    seeds = check_random_state(random_state).integers(2**63, size=len(known))
    drawn = [[int(seed)] for seed in seeds]
    return contest(
        known,
        [_whole_trial(problem)],
        [drawn],
        admit=lambda _, method: method.name in asked,
        forgive=_FORGIVEN,
    ).results


def best_of(methods: Sequence[Method], table: Table, problem: Problem) -> Method:
    """Return the first method that the trials cannot tell from the best.

    Only methods that took part in the largest number of trials count.

    Raises
    ------
    GraphoptError
        If all of them failed.
    """
    running = [method for method in methods if not table.error(method.name)]
    if not running:
        causes = "; ".join(f"{method.name}: {table.error(method.name)}" for method in methods)
        raise GraphoptError(f"no method could decide: {causes}")
    if not any(table.of(method.name) for method in running):
        return next((method for method in running if _is_plain(method)), running[0])
    objective = problem.objective
    name = table.best(
        greater_is_better=objective.greater_is_better,
        hidden_per_kept=1.0 / objective.kept_share(problem.seen_fraction) - 1.0,
    )
    return next(method for method in running if method.name == name)


def _methods(asked: Sequence[AnyMethod | EllipsisType], problem: Problem) -> list[Method]:
    """Return the methods that take part, by preference."""
    found: list[Method] = []
    for one in as_tuple("methods", asked):
        if one is ...:
            found += portfolio(problem)
        else:
            name, objective = name_of(one), problem.objective
            found.append(as_method(name, one, objective, problem.k, informed=True))
    if not found:
        raise ValueError(
            f"methods must hold at least one for the objective {problem.objective.name!r}"
        )
    names = [method.name for method in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"methods must have different names; two are called {twice!r}")
    return found


def _tried(
    methods: list[Method],
    problem: Problem,
    n_trials: int,
    clock: Clock,
    rng: np.random.Generator,
    trials: list[Trial],
) -> Table:
    """Let the methods decide in trials, which are added to `trials`."""
    # Cheap methods go first: what they take says what the others may.
    turns = sorted(range(len(methods)), key=lambda i: not _is_plain(methods[i]))

    def drawn() -> Iterator[Trial]:
        for _ in range(n_trials):
            trials.append(problem.objective.hide(problem, rng))
            yield trials[-1]

    def seeds() -> Iterator[list[list[Seed]]]:
        while True:
            one_each = rng.integers(2**63, size=len(methods))
            yield [[int(one_each[i])] for i in turns]

    budget = Budget(clock, problem.objective)
    table = contest(
        [methods[i] for i in turns],
        drawn(),
        seeds(),
        admit=budget.admit,
        stop=budget.stop,
        forgive=_FORGIVEN,
    )
    table.methods = tuple(method.name for method in methods)
    return table


def _decided_where_all_is_seen(
    methods: list[Method], problem: Problem, clock: Clock, rng: np.random.Generator
) -> Table:
    """Let the methods decide on the problem itself, as far as time allows."""
    first = methods[0]

    def in_time(table: Table, method: Method) -> bool:
        return method is first or clock.left > 2.0 * table.seconds(first.name)

    return contest(
        methods,
        [_whole_trial(problem)],
        [[[rng] for _ in methods]],
        admit=in_time,
        forgive=_FORGIVEN,
    )


def _whole_trial(problem: Problem) -> Trial:
    """Return a problem as a trial that is judged on what is seen."""
    order = np.arange(problem.graph.n_nodes)
    return Trial(problem, partial(judged, problem, order, problem.graph), order)


def _candidate(name: str, table: Table) -> Candidate:
    return Candidate(name, tuple(table.values(name)), table.seconds(name), table.error(name))


def _is_plain(method: Method) -> bool:
    return bool(getattr(method, "plain", False))
