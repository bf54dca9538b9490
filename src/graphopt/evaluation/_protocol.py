"""Regret: decide from a part of the edges, be judged on all of them, again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt._validation import (
    RandomState,
    as_array,
    check_choice,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt.centers import exact_k_center
from graphopt.communities import leiden
from graphopt.errors import InfeasibleError
from graphopt.evaluation._judgement import TASKS, agreement, judge, quality, regret_of
from graphopt.evaluation._methods import METHODS, Decide, Method
from graphopt.evaluation._results import ComparisonResult, Reference, RegretResult, Run
from graphopt.evaluation._splits import check_splittable, checked, draw, split_seeds
from graphopt.graph import Graph

_LEIDEN_STARTS = 10
_PROOF_SECONDS = 60.0
_RUN_BYTES = 1000  # of a run, beside its decision
_MAX_SEED = 2**31 - 1  # what scikit-learn takes

AnyMethod: TypeAlias = "str | Decide | Any"


def regret(
    method: AnyMethod,
    graph: Graph,
    features: Any | Callable[[Graph], Any] = None,
    *,
    k: int,
    task: str = "community",
    seen: float = 0.4,
    splits: int = 10,
    seeds: int = 1,
    reference: float | AnyMethod | None = None,
    truth: ArrayLike | None = None,
    random_state: RandomState = 0,
    n_jobs: int | None = None,
) -> RegretResult:
    """Return how much worse a method decides because it sees only part of the edges.

    Edges are hidden at random, again and again (:func:`clean_splits`): no edge is both seen and
    hidden, and the nodes are renumbered. The method decides from what is seen; its decision is
    judged on the full graph, beside one taken with the full graph.

    Parameters
    ----------
    method : str, callable or estimator
        A name in :data:`METHODS`; or ``method(graph, features, k, random_state)``, which returns
        labels or centres, or an object that has ``labels`` or ``centers``, as the results of
        graphopt's algorithms; or an estimator with ``fit_predict(graph, features)``, of which a
        clone is fitted each time, with a `random_state` of its own if it has that parameter.
    graph : Graph
        Undirected, with at least one edge.
    features : array, sparse array or callable, optional
        What is known of each node. If it depends on edges, it must be a callable that computes it
        anew from the seen graph.
    k : int
        Groups at most, or facilities.
    task : {"community", "facility"}
        Judged by modularity, or by the largest distance of a node from its nearest facility.
    seen : float
        Share of the undirected edges that is seen.
    splits : int
        At least 2.
    seeds : int
        Runs of the method on each split.
    reference : float, str, callable or estimator, optional
        What regret is measured by: a value, or a method that decides on the full graph (the best of
        `seeds` runs). None: for communities the best of ten runs of :func:`graphopt.leiden`, for
        facilities :func:`graphopt.exact_k_center` with a minute's time, whose bound comes along.
    truth : array of int or str, shape (n_nodes,), optional
        Classes of the nodes, for :func:`agreement` of communities with them. No method sees them.
    random_state : int, Generator or None
        Draws splits and seeds.
    n_jobs : int, optional
        Splits at the same time, as joblib counts. None: what :func:`joblib.parallel_config` says,
        without it one. Changes no result, but the times.

    Returns
    -------
    RegretResult
        Values of each split, and their means with confidence intervals.

    Raises
    ------
    ValueError
        For a graph that is directed or has no edge, `k` above the number of nodes, fewer than two
        splits, or a decision that is none.
    TypeError
        For a method that is none.
    graphopt.errors.InfeasibleError
        For facilities, if the full graph has more components than `k`.
    graphopt.errors.MemoryLimitError
        If the distances between all nodes, which the default reference of facilities needs, do not
        fit; give a `reference` then.

    Examples
    --------
    >>> from graphopt import datasets
    >>> graph = datasets.synthetic(80, random_state=0).graph
    >>> found = regret("leiden", graph, k=5, seen=0.6, splits=4)
    >>> found.n_splits, bool(found.regret.mean > 0)
    (4, True)
    """
    name = method if isinstance(method, str) else _name_of(method)
    return compare(
        {name: method},
        graph,
        features,
        k=k,
        task=task,
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
    task: str = "community",
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
        What to call each method in the result; or names in :data:`METHODS`.
    graph, features, k, task, seen, splits, seeds, reference, truth, random_state, n_jobs
        As for :func:`regret`.

    Returns
    -------
    ComparisonResult
        One :class:`RegretResult` for each method, and differences split by split. Printed, it is a
        table. A method's result does not depend on what else is compared.

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
    load_whole("joblib")
    from joblib import Parallel, delayed

    check_choice("task", task, TASKS)
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
    named = _named(methods, task, k)
    n_runs = len(named) * splits * seeds
    check_memory(
        f"the decisions of {n_runs:,} runs",
        n_runs * (_RUN_BYTES + 8 * graph.n_nodes),
        "use fewer splits or seeds",
    )
    classes = _classes(truth, task, graph)
    _check_feasible(graph, task, k)
    rows = features if features is None or callable(features) else checked(graph, features)
    # A stream for each kind of seed: more runs change no split, and more splits no run.
    drawn = np.random.SeedSequence(int(check_random_state(random_state).integers(2**63)))
    of_splits, of_runs, of_reference = drawn.spawn(3)
    split_seed = split_seeds(splits, np.random.default_rng(of_splits))
    run_seeds = [_run_seeds(stream, seeds) for stream in of_runs.spawn(splits)]
    best = _reference(reference, graph, rows, task, k, seeds, of_reference)
    runs: list[dict[str, list[Run]]] = Parallel(n_jobs=n_jobs)(
        delayed(_on_split)(named, graph, rows, share, i, split_seed[i], run_seeds[i], best, classes)
        for i in range(splits)
    )
    return ComparisonResult(
        {
            method.name: RegretResult(
                method.name,
                task,
                k,
                share,
                best,
                tuple(run for of_split in runs for run in of_split[method.name]),
            )
            for method in named
        }
    )


def _on_split(
    methods: Sequence[Method],
    graph: Graph,
    features: Any,
    seen: float,
    number: int,
    seed: int,
    run_seeds: Sequence[int],
    reference: Reference,
    truth: NDArray[Any] | None,
) -> dict[str, list[Run]]:
    """Return the runs of every method on one split."""
    split = draw(graph, features, seen, seed)
    found: dict[str, list[Run]] = {}
    for method in methods:
        for i, run_seed in enumerate(run_seeds):
            start = time.perf_counter()
            answer = method.decide(split.seen, split.features, run_seed)
            seconds = time.perf_counter() - start
            decision = method.checked(answer, graph.n_nodes)
            value = judge(method.task, decision, split.full, split.seen, split.unseen)
            decided = split.renumbered_back(method.task, decision)
            more: dict[str, float] = {}
            if value.tail is not None:
                more = {
                    "mean_distance": value.tail.mean,
                    "p95_distance": value.tail.p95,
                    "p99_distance": value.tail.p99,
                    "n_unreached": float(value.tail.n_unreached),
                }
            if truth is not None:
                alike = agreement(decided, truth)
                more |= {"nmi": alike.nmi, "ari": alike.ari}
            found.setdefault(method.name, []).append(
                Run(
                    number,
                    i,
                    value.score,
                    value.seen_score,
                    regret_of(method.task, value.score, reference.value),
                    seconds,
                    decided,
                    value.unseen_score,
                    **more,
                )
            )
    return found


def _reference(
    given: Any,
    graph: Graph,
    features: Any,
    task: str,
    k: int,
    seeds: int,
    stream: np.random.SeedSequence,
) -> Reference:
    if given is None and task == "community":
        starts = _run_seeds(stream, _LEIDEN_STARTS)
        runs = [leiden(graph, k, random_state=seed).modularity for seed in starts]
        return Reference(f"best of {_LEIDEN_STARTS} runs of leiden on the full graph", max(runs))
    if given is None:
        proof = exact_k_center(graph, k, time_limit=_PROOF_SECONDS)
        return Reference("exact_k_center on the full graph", proof.radius, proof.lower_bound)
    if not isinstance(given, str) and not callable(given) and not hasattr(given, "fit_predict"):
        return Reference("given", check_number("reference", given))
    name = given if isinstance(given, str) else _name_of(given)
    method = Method(name, given, task, k)
    rows = checked(graph, features(graph)) if callable(features) else features
    found: list[tuple[float, float | None]] = []
    for seed in _run_seeds(stream, seeds):
        answer = method.decide(graph, rows, seed)
        value = quality(task, graph, method.checked(answer, graph.n_nodes))
        found.append((value, getattr(answer, "lower_bound", None)))
    value, bound = (max if task == "community" else min)(found, key=lambda pair: pair[0])
    return Reference(f"{name} on the full graph", value, bound)


def _run_seeds(stream: np.random.SeedSequence, count: int) -> list[int]:
    rng = np.random.default_rng(stream)
    return [int(rng.integers(_MAX_SEED)) for _ in range(count)]


def _named(methods: Any, task: str, k: int) -> list[Method]:
    if isinstance(methods, Mapping):
        named = [Method(str(name), method, task, k) for name, method in methods.items()]
    elif isinstance(methods, Sequence) and not isinstance(methods, str):
        for name in methods:
            check_choice("methods", name, METHODS[task])
        named = [Method(name, name, task, k) for name in dict.fromkeys(methods)]
    else:
        raise TypeError(
            f"methods must be a mapping of names to methods or a sequence of names, "
            f"not {type(methods).__name__}"
        )
    if not named:
        raise ValueError("methods must hold at least one")
    return named


def _name_of(method: Any) -> str:
    name = getattr(method, "__name__", None)
    return str(name) if name is not None else type(method).__name__


def _classes(truth: ArrayLike | None, task: str, graph: Graph) -> NDArray[Any] | None:
    if truth is None:
        return None
    if task == "facility":
        raise ValueError("truth must be None for facilities: they have no classes")
    classes = as_array("truth", truth)
    if classes.shape != (graph.n_nodes,):
        raise ValueError(
            f"truth must have one class per node, {graph.n_nodes}, not shape {classes.shape}"
        )
    return classes


def _check_feasible(graph: Graph, task: str, k: int) -> None:
    if task == "community":
        return
    n_components, _ = graph.connected_components()
    if n_components > k:
        raise InfeasibleError(
            f"graph has {n_components} components, so k = {k} facilities cannot reach every node; "
            "decide on its largest component or raise k"
        )
