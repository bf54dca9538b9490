"""Regret: methods decide from part of the edges and are judged on all, on several splits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._validation import (
    RandomState,
    as_array,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt.contest import contest
from graphopt.datasets.hiding import (
    Hiding,
    check_splittable,
    checked_features,
    draw_split,
    split_seeds,
)
from graphopt.decision._adapters import MAX_SEED, AnyMethod, as_method, as_methods, name_of
from graphopt.decision._agreement import agreement
from graphopt.decision._comparison import ComparisonResult, RegretResult
from graphopt.graph import Graph
from graphopt.objectives import (
    Judgement,
    Objective,
    Problem,
    Reference,
    Trial,
    as_objective,
)

_RUN_BYTES = 1000  # of a run, beside its decision


def regret(
    method: AnyMethod,
    graph: Graph,
    features: Any | Callable[[Graph], Any] = None,
    *,
    k: int,
    objective: Literal["modularity", "k-center"] | Objective = "modularity",
    seen: float = 0.4,
    splits: int = 10,
    seeds: int = 1,
    reference: float | AnyMethod | None = None,
    truth: ArrayLike | None = None,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> RegretResult:
    """Return how much worse a method decides because it sees only part of the edges.

    For each split, edges are hidden at random (:func:`clean_splits`): no edge is both seen and
    hidden, and the nodes are renumbered. The method decides from the seen edges. Its decision is
    judged on the full graph and compared with one that was made from the full graph.

    Parameters
    ----------
    method : str, callable or estimator
        A name in :data:`METHODS`; or ``method(graph, features, k, random_state)``, which returns
        labels or centers, or an object with an attribute ``labels`` or ``centers``, such as the
        results of graphopt's algorithms; or an estimator with ``fit_predict(graph, features)``.
        Each time, a clone of the estimator is fitted, with its own `random_state` if it has this
        parameter.
    graph : Graph
        Undirected, with at least one edge.
    features : array, sparse array or callable, optional
        Features of the nodes. If they depend on edges, pass a callable that computes them from a
        graph; it is called on each seen graph.
    k : int
        Groups at most, or centers.
    objective : {"modularity", "k-center"} or Objective
        What decisions are judged by. For k-center, weights are lengths.
    seen : float
        Share of the undirected edges that is seen.
    splits : int
        At least 2.
    seeds : int
        Runs of the method on each split.
    reference : float, str, callable or estimator, optional
        What the values are compared with: a value, or a method that decides on the full graph (the
        best of `seeds` runs). None: the objective's own reference. For communities, this is the
        best of ten runs of :func:`graphopt.leiden`; for k-center, it is the result of
        :func:`graphopt.exact_k_center` within a minute, together with its bound.
    truth : array of int or str, shape (n_nodes,), optional
        Classes of the nodes, with which communities are compared by :func:`agreement`. No method
        sees them.
    random_state : int, Generator or None
        Determines the splits and the seeds of the methods.
    n_jobs : int, optional
        Number of splits that run at the same time, as in joblib. None: the number set by
        :func:`joblib.parallel_config`, or one. It changes the times but no other result.

    Returns
    -------
    RegretResult
        Values of each split, and their means with confidence intervals.

    Raises
    ------
    ValueError
        For a graph that is directed or has no edge, `k` above the number of nodes, fewer than two
        splits, or an invalid decision.
    TypeError
        For anything that is not a method.
    graphopt.errors.InfeasibleError
        For k-center, if the full graph has more components than `k`.
    graphopt.errors.MemoryLimitError
        If the distances between all nodes, which the default reference of k-center needs, do not
        fit in memory; in this case, pass a `reference`.

    Examples
    --------
    >>> from graphopt import datasets
    >>> graph = datasets.synthetic(80, random_state=0).graph
    >>> found = regret("leiden", graph, k=5, seen=0.6, splits=4)
    >>> found.n_splits, bool(found.regret.mean > 0)
    (4, True)
    """
    name = name_of(method)
    return compare(
        {name: method},
        graph,
        features,
        k=k,
        objective=objective,
        seen=seen,
        splits=splits,
        seeds=seeds,
        reference=reference,
        truth=truth,
        random_state=random_state,
        n_jobs=n_jobs,
    ).results[name]


def compare(
    methods: Mapping[str, AnyMethod] | Sequence[str],
    graph: Graph,
    features: Any | Callable[[Graph], Any] = None,
    *,
    k: int,
    objective: Literal["modularity", "k-center"] | Objective = "modularity",
    seen: float = 0.4,
    splits: int = 10,
    seeds: int = 1,
    reference: float | AnyMethod | None = None,
    truth: ArrayLike | None = None,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> ComparisonResult:
    """Compare methods by their regret, on the same splits with the same seeds.

    Parameters
    ----------
    methods : mapping of str to method, or sequence of str
        Methods by the names that they have in the result, or a sequence of names in
        :data:`METHODS`.
    graph, features, k, objective, seen, splits, seeds, reference, truth, random_state, n_jobs
        As for :func:`regret`.

    Returns
    -------
    ComparisonResult
        One :class:`RegretResult` for each method, and differences split by split. It is printed as
        a table. A method's result does not depend on the other methods.

    Raises
    ------
    ValueError, TypeError, InfeasibleError, MemoryLimitError
        As :func:`regret`.

    Examples
    --------
    >>> from graphopt import datasets
    >>> graph = datasets.synthetic(80, random_state=0).graph
    >>> found = compare(["leiden", "spectral"], graph, k=5, seen=0.6, splits=4)
    >>> same = found.difference("leiden", "leiden")
    >>> same.difference.mean, same.p_value, same.ties
    (0.0, 1.0, 4)
    """
    goal = as_objective(objective)
    share = check_splittable(graph, seen)
    k = check_integer("k", k, minimum=1, maximum=graph.n_nodes)
    splits = check_integer("splits", splits, minimum=2)
    seeds = check_integer("seeds", seeds, minimum=1)
    if n_jobs is not None:  # joblib would start as many processes
        n_jobs = min(check_integer("n_jobs", n_jobs), splits)
        if n_jobs == 0:
            raise ValueError(
                "n_jobs must not be 0: a number of processes, or below 0 as for joblib"
            )
    named = as_methods(methods, goal, k)
    n_runs = len(named) * splits * seeds
    check_memory(
        f"the decisions of {n_runs:,} runs",
        n_runs * (_RUN_BYTES + 8 * graph.n_nodes),
        "use fewer splits or seeds",
    )
    classes = _classes(truth, goal, graph)
    goal.check_feasible(graph, k)
    rows = checked_features(graph, features)
    # A stream for each kind of seed: more runs change no split, and more splits no run.
    drawn = np.random.SeedSequence(int(check_random_state(random_state).integers(2**63)))
    of_splits, of_runs, of_reference = drawn.spawn(3)
    split_seed = split_seeds(splits, np.random.default_rng(of_splits))
    best = _reference(reference, Problem(graph, k, goal, rows), seeds, of_reference)

    def trials() -> Iterator[Trial]:
        for seed in split_seed:
            hiding = draw_split(graph, rows, share, seed)
            problem = Problem(hiding.seen, k, goal, hiding.features, share, callable(features))
            judge = partial(_judged, goal, hiding, hiding.unseen, best, classes)
            yield Trial(problem, judge, hiding.order)

    run_seeds = [[_run_seeds(stream, seeds)] * len(named) for stream in of_runs.spawn(splits)]
    table = contest(named, trials(), run_seeds, n_jobs=n_jobs)
    return ComparisonResult(
        {
            name: RegretResult(name, goal, k, share, best, tuple(table.of(name)))
            for name in table.methods
        }
    )


def _judged(
    objective: Objective,
    hiding: Hiding,
    unseen: Graph,
    reference: Reference,
    truth: NDArray[Any] | None,
    decision: NDArray[np.int64],
) -> Judgement:
    """Measure a decision made on a split."""
    measures = objective.measures(decision, hiding.full, hiding.seen, unseen)
    measures["regret"] = objective.regret(measures["score"], reference.value)
    decided = objective.renumber(decision, hiding.order)
    if truth is not None:
        alike = agreement(decided, truth)
        measures |= {"nmi": alike.nmi, "ari": alike.ari}
    return Judgement(measures["score"], decided, measures)


def _reference(
    given: Any, problem: Problem, seeds: int, stream: np.random.SeedSequence
) -> Reference:
    """Return the reference of regret; `problem` is the full graph with all edges seen."""
    objective, graph, rows = problem.objective, problem.graph, problem.features
    if given is None:
        return objective.reference(graph, problem.k, np.random.default_rng(stream))
    if not isinstance(given, str) and not callable(given) and not hasattr(given, "fit_predict"):
        return Reference("given", check_number("reference", given))
    name = name_of(given)
    method = as_method(name, given, objective, problem.k)
    if callable(rows):
        problem = Problem(graph, problem.k, objective, checked_features(graph, rows(graph)))
    found: list[tuple[float, float | None]] = []
    for seed in _run_seeds(stream, seeds):
        answer = method.answer(problem, seed)
        value = objective.evaluate(method.checked(answer, problem), graph)
        found.append((value, getattr(answer, "lower_bound", None)))
    choose = max if objective.greater_is_better else min
    value, bound = choose(found, key=lambda pair: pair[0])
    return Reference(f"{name} on the full graph", value, bound)


def _run_seeds(stream: np.random.SeedSequence, count: int) -> list[int]:
    rng = np.random.default_rng(stream)
    return [int(rng.integers(MAX_SEED)) for _ in range(count)]


def _classes(truth: ArrayLike | None, objective: Objective, graph: Graph) -> NDArray[Any] | None:
    if truth is None:
        return None
    if objective.decides == "centers":
        raise ValueError(f"truth must be None for {objective.name}: centers have no classes")
    classes = as_array("truth", truth)
    if classes.shape != (graph.n_nodes,):
        raise ValueError(
            f"truth must have one class per node, {graph.n_nodes}, not shape {classes.shape}"
        )
    return classes
