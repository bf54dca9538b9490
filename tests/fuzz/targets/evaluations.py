"""Judging, comparing and deciding."""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

import graphopt
from graphopt import Graph, datasets, decision, objectives
from graphopt.decision import RegretResult

from ..draw import INF, Draw
from ..registry import Call, require, target

_NAMES = ("modularity", "k-center")


def _decision(draw: Draw, objective: Any, n: int) -> Any:
    return (
        draw.nodes(n, draw.size(1, 4))
        if isinstance(objective, str) and objective == "k-center"
        else draw.labels(n)
    )


@target("graphopt.objectives.Modularity", weight=0.1)
def modularity(draw: Draw) -> Call:
    return Call(objectives.Modularity, (draw.number(0.0, 3.0),))


@target("graphopt.objectives.as_objective", weight=0.1)
def as_objective(draw: Draw) -> Call:
    return Call(objectives.as_objective, (draw.choice(*_NAMES),))


def _targets_of(objective: objectives.Objective) -> None:
    """Make targets of the methods of an objective that take what users have."""
    place = f"graphopt.objectives.{type(objective).__name__}"
    words = ("labels", "centers", "edge", "graph")

    @target(f"{place}.evaluate", words=words)
    def evaluate(draw: Draw) -> Call:
        graph = draw.graph(1, 10)
        n = graph.n_nodes if isinstance(graph, Graph) else 5
        args = (_decision(draw, objective.name, n), graph)
        return Call(objective.evaluate, args, {}, float)

    @target(f"{place}.measures", words=words)
    def measures(draw: Draw) -> Call:
        full = draw.plain_graph(1, 10)
        n = full.n_nodes
        graphs = full, draw.graph(n, n), draw.pick(None, draw.graph(n, n))
        return Call(objective.measures, (_decision(draw, objective.name, n), *graphs))

    @target(f"{place}.check", words=words)
    def check(draw: Draw) -> Call:
        graph = draw.plain_graph(4, 10)
        decision = _decision(draw, objective.name, graph.n_nodes)
        return Call(objective.check, (decision, graph, 4))

    @target(f"{place}.regret")
    def regret(draw: Draw) -> Call:
        args = (draw.random.uniform(0, 9), draw.random.uniform(0, 9))
        return Call(objective.regret, args)


for _objective in objectives.OBJECTIVES.values():
    _targets_of(_objective)


@target("graphopt.decision.Problem.of", words=("edge", "room"))
def problem_of(draw: Draw) -> Call:
    graph = draw.graph(4, 9)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    kwargs = {
        "objective": objectives.OBJECTIVES[draw.pick(*_NAMES)],
        "k": draw.integer(1, min(4, n)),
        **draw.some(seen_fraction=lambda: draw.number(0.6, 1.0, odd=(0.0, 1.5, 1e-300))),
    }
    return Call(decision.Problem.of, (graph, draw.features(n)), kwargs)


@target("graphopt.objectives.distance_tail", words=("edge",))
def distance_tail(draw: Draw) -> Call:
    graph = draw.graph(1, 10, directed=None)
    n = graph.n_nodes if isinstance(graph, Graph) else 5

    def check(tail: Any) -> None:
        require(tail.p95 <= tail.p99 <= tail.max, "percentiles out of order")
        require(math.isinf(tail.max) == (tail.n_unreached > 0), "n_unreached")

    return Call(objectives.distance_tail, (graph, draw.nodes(n, draw.size(1, 4))), {}, check)


@target("graphopt.decision.agreement", weight=0.3)
def agreement(draw: Draw) -> Call:
    n = draw.size(1, 10)
    other = np.array(list("abcd"))[draw.generator.integers(0, 4, n)]

    def check(found: Any) -> None:
        require(0.0 <= found.nmi <= 1.0 + 1e-9 and found.ari <= 1.0 + 1e-9, "out of range")

    truth = other if draw.chance(0.3) else draw.labels(n)
    return Call(decision.agreement, (draw.labels(n), truth), {}, check)


@target("graphopt.objectives.exact_within_reach", weight=0.2, words=("edge",))
def exact_within_reach(draw: Draw) -> Call:
    graph = draw.graph(1, 8)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    kwargs = draw.some(time_limit=lambda: draw.pick(None, 20.0))
    return Call(objectives.exact_within_reach, (graph, draw.integer(1, n)), kwargs)


@target("graphopt.datasets.clean_splits", weight=0.5)
def clean_splits(draw: Draw) -> Call:
    graph = draw.graph(3, 10)
    rows = None
    if isinstance(graph, Graph) and draw.chance(0.5):
        rows = draw.features(graph.n_nodes)
    kwargs: dict[str, Any] = draw.some(
        seen=lambda: draw.number(0.6, 1.0, odd=(0.0, 1.5, 1e-300)),
        random_state=draw.random_state,
    )
    kwargs["splits"] = draw.integer(1, 3, costly=True)

    @functools.wraps(datasets.clean_splits)
    def all_of_them(*args: Any, **kwargs: Any) -> Any:
        return list(datasets.clean_splits(*args, **kwargs))

    return Call(all_of_them, (graph, rows), kwargs)


# --- statistics -----------------------------------------------------------------------------------


def _sample(draw: Draw, low: int = 2) -> Any:
    values = draw.numbers(draw.size(low, 6))
    if draw.chance(0.2) and len(values):
        values[0] = draw.pick(INF, -INF, 1e300)
    return draw.array(values)


@target("graphopt.decision.summarize", weight=0.1)
def summarize(draw: Draw) -> Call:
    kwargs = draw.some(
        confidence=lambda: draw.number(0.5, 0.99, odd=(0.0, 1.0, 2.0)), random_state=draw.seed
    )

    def check(found: Any) -> None:
        if math.isfinite(found.mean):
            require(found.low <= found.high, "an interval upside down")

    return Call(decision.summarize, (_sample(draw),), kwargs, check)


@target("graphopt.decision.signed_rank_p_value", weight=0.2)
def signed_rank_p_value(draw: Draw) -> Call:
    kwargs = draw.some(random_state=draw.seed)

    def check(found: Any) -> None:
        require(0.0 < found <= 1.0, f"no probability: {found}")

    return Call(decision.signed_rank_p_value, (_sample(draw, 0),), kwargs, check)


@target("graphopt.decision.paired_difference", weight=0.1, words=("values", "differences"))
def paired_difference(draw: Draw) -> Call:
    n = draw.size(2, 6)
    args = ("a", "b", draw.array(draw.numbers(n)), draw.array(draw.numbers(n)))
    kwargs = draw.some(confidence=lambda: draw.number(0.5, 0.99, odd=(0.0, 1.0, 2.0)))
    return Call(decision.paired_difference, args, kwargs)


# --- the protocol ---------------------------------------------------------------------------------


def _in_two(graph: Graph, features: Any, k: int, seed: int) -> np.ndarray:
    return np.arange(graph.n_nodes) % 2


def _first_node(graph: Graph, features: Any, k: int, seed: int) -> np.ndarray:
    return np.arange(k)


def _protocol(draw: Draw) -> tuple[Any, Any, dict[str, Any]]:
    graph = draw.graph(4, 9, kinds="none none int")
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    rows = draw.features(n) if draw.chance(0.3) else None
    kwargs: dict[str, Any] = {
        "k": draw.integer(min(2, n), min(4, n)),
        "objective": draw.choice(*_NAMES),
        "splits": draw.integer(2, 3, costly=True),
        "seeds": draw.integer(1, 1, costly=True),
        **draw.some(
            seen=lambda: draw.number(0.6, 1.0, odd=(0.0, 1.5, 1e-300)),
            random_state=draw.random_state,
            reference=lambda: draw.pick(None, 0.5, 3.0, "no such") if draw.odd() else 0.5,
        ),
    }
    if draw.odd(0.1):
        kwargs["n_jobs"] = draw.pick(0, "2", 1.5, True)
    if (
        draw.chance(0.2)
        and isinstance(kwargs["objective"], str)
        and kwargs["objective"] == "modularity"
    ):
        kwargs["truth"] = draw.labels(n)
    return graph, rows, kwargs


def _method(draw: Draw, objective: Any) -> Any:
    if draw.odd(0.15):
        return draw.pick(None, 3, "no such", lambda *args: "abc", lambda *args: None, [])
    if isinstance(objective, str) and objective == "k-center":
        return draw.pick("gonzalez", "greedy", _first_node)
    return draw.pick("leiden", "cnm", _in_two)


_WORDS = ("methods", "method", "edge", "edges", "labels", "centers", "decision")


@target("graphopt.decision.regret", weight=0.1, words=_WORDS)
def regret(draw: Draw) -> Call:
    graph, rows, kwargs = _protocol(draw)
    method = _method(draw, kwargs["objective"])
    return Call(decision.regret, (method, graph, rows), kwargs, lambda found: found.to_rows())


@target("graphopt.decision.compare", weight=0.1, words=_WORDS)
def compare(draw: Draw) -> Call:
    graph, rows, kwargs = _protocol(draw)
    methods: Any = {
        "one": _method(draw, kwargs["objective"]),
        "other": _method(draw, kwargs["objective"]),
    }
    if draw.odd(0.1):
        methods = draw.pick({}, None, 3, [], ["no such"], "leiden", {1: "leiden"})
    return Call(decision.compare, (methods, graph, rows), kwargs, lambda found: found.to_rows())


@functools.cache
def _compared() -> Any:
    ring = Graph.from_edges([(i, (i + 1) % 12) for i in range(12)])
    return decision.compare({"a": _in_two, "b": "leiden"}, ring, k=2, splits=3)


def _result() -> RegretResult:
    return _compared()["a"]


_MEASURES = ("score", "seen_score", "regret", "seconds", "unseen_score")


@target("graphopt.decision.RegretResult.per_split")
def per_split(draw: Draw) -> Call:
    measure = draw.pick("nmi", "x") if draw.odd(0.1) else draw.choice(*_MEASURES)
    draw.repeatable = False
    return Call(_result().per_split, (measure,))


@target("graphopt.decision.RegretResult.summary", weight=0.1, words=("values",))
def summary(draw: Draw) -> Call:
    kwargs = draw.some(confidence=lambda: draw.number(0.5, 0.99, odd=(0.0, 1.0)))
    return Call(_result().summary, (draw.choice("score", "regret"),), kwargs)


@target("graphopt.decision.RegretResult.to_rows")
def to_rows(draw: Draw) -> Call:
    return Call(_result().to_rows, (), {}, len)


@target("graphopt.decision.ComparisonResult.to_rows")
def comparison_to_rows(draw: Draw) -> Call:
    return Call(_compared().to_rows, (), {}, len)


@target("graphopt.decision.ComparisonResult.difference", weight=0.1, words=("method",))
def difference(draw: Draw) -> Call:
    kwargs = draw.some(confidence=lambda: draw.number(0.5, 0.99, odd=(0.0, 1.0)))
    return Call(_compared().difference, (draw.choice("a", "b"), draw.choice("a", "b")), kwargs)


# --- decide ---------------------------------------------------------------------------------------


@target("graphopt.decide", weight=0.05, words=("edge", "edges", "room"))
def decide(draw: Draw) -> Call:
    graph = draw.graph(4, 9, kinds="none none int")
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    rows = draw.features(n) if draw.chance(0.3) else None
    objective = draw.choice(*_NAMES)
    kwargs = {
        "objective": objective,
        "k": draw.integer(1, min(4, n)),
        "n_trials": draw.integer(1, 1, costly=True),
        "random_state": draw.random_state(),
        **draw.some(seen_fraction=lambda: draw.number(0.6, 1.0, odd=(0.0, 1.5, 1e-300))),
    }
    if draw.odd(0.2):
        kwargs["time_budget"] = draw.pick(-1.0, 0.0, "1", float("nan"), True, 1j, 10**400)

    def check(found: Any) -> None:
        require(found.labels.shape == (n,), "labels' form")
        require((found.centers is None) == (objective == "modularity"), "centres")
        str(found)

    return Call(graphopt.decide, (graph, rows), kwargs, check)


@target("graphopt.decision.portfolio_decisions", weight=0.05, words=("edge", "edges", "room"))
def portfolio_decisions(draw: Draw) -> Call:
    graph = draw.graph(4, 9, kinds="none none int")
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    rows = draw.features(n) if draw.chance(0.3) else None
    kwargs = {
        "objective": draw.choice(*_NAMES),
        "k": draw.integer(1, min(4, n)),
        "random_state": draw.random_state(),
        **draw.some(seen_fraction=lambda: draw.number(0.6, 1.0, odd=(0.0, 1.5))),
    }
    if draw.odd(0.1):
        kwargs["methods"] = draw.pick([], ["no such"], 3, "leiden")
    return Call(decision.portfolio_decisions, (graph, rows), kwargs, len)
