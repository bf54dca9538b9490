"""decide: the portfolio, its trials, and the evidence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphopt
from graphopt import Graph, datasets, decision, modularity
from graphopt.centers import evaluate_centers, exact_k_center
from graphopt.contest import Table
from graphopt.decision import Problem
from graphopt.decision._budget import Clock
from graphopt.decision._decide import _tried, best_of
from graphopt.decision._methods import Way, portfolio
from graphopt.errors import GraphoptError
from graphopt.objectives import Modularity
from graphopt.objectives.k_center import main_part, smoothed_radius


@pytest.fixture(scope="module")
def data() -> datasets.Dataset:
    return datasets.synthetic(150, random_state=3)


def two_cliques(size: int = 8) -> Graph:
    one = [(u, v) for u in range(size) for v in range(u)]
    return Graph.from_edges([*one, *((u + size, v + size) for u, v in one), (0, size)])


# --- the whole ------------------------------------------------------------------------------------


@pytest.mark.parametrize("described", [True, False], ids=["features", "structure alone"])
def test_communities_of_a_partly_seen_graph(data: datasets.Dataset, described: bool) -> None:
    rows = data.observed_features if described else None
    found = graphopt.decide(data.observed, rows, k=5, seen_fraction=0.4, n_trials=2, random_state=0)
    assert found.labels.shape == (150,)
    assert found.labels.dtype == np.int32
    assert 0 <= found.labels.min() <= found.labels.max() < 5
    assert found.centers is None
    assert found.bound is None
    assert found.gap is None
    assert found.seen_value == pytest.approx(modularity(data.observed, found.labels))
    low, high = found.interval
    assert -0.5 <= low <= found.expected_value <= high <= 1.0
    assert found.stability.shape == (150,)
    assert ((found.stability >= 0.0) & (found.stability <= 1.0)).all()
    assert found.n_trials == 2
    tried = {c.name: c for c in found.candidates}
    assert all(c.scores for c in tried.values())
    assert len(tried[found.method].scores) == 2
    # Those that left after the first trial were behind in it.
    lasting = [c.scores[0] for c in tried.values() if len(c.scores) == 2]
    left = [c.scores[0] for c in tried.values() if len(c.scores) == 1]
    assert max(left, default=-1.0) < max(lasting)
    assert found.method in str(found)


def test_centers_of_a_partly_seen_graph(data: datasets.Dataset) -> None:
    found = graphopt.decide(
        data.observed,
        data.observed_features,
        objective="k-center",
        k=4,
        seen_fraction=0.4,
        n_trials=1,
        random_state=0,
    )
    assert found.centers is not None
    assert found.centers.shape == (4,)
    assert len(set(found.centers.tolist())) == 4
    assert found.decision is found.centers
    assert found.bound is not None
    assert found.bound <= found.seen_value
    assert found.stability.shape == (4,)
    np.testing.assert_array_equal(
        found.labels, evaluate_centers(data.observed, found.centers).assignment
    )
    assert min(c.score for c in found.candidates) == next(
        c.score for c in found.candidates if c.name == found.method
    )


def test_where_all_is_seen_centers_are_proven(data: datasets.Dataset) -> None:
    _, component = data.graph.connected_components()
    connected = data.graph.subgraph(np.flatnonzero(component == np.bincount(component).argmax()))
    found = graphopt.decide(connected, objective="k-center", k=4, random_state=0)
    assert found.gap == 0.0
    assert found.seen_value == exact_k_center(connected, 4).radius
    assert found.expected_value == found.seen_value
    assert found.interval == (found.seen_value, found.seen_value)
    assert found.n_trials == 0


def test_where_all_is_seen_the_best_groups_are_found() -> None:
    graph = two_cliques()
    found = graphopt.decide(graph, k=2, random_state=0)
    assert len(set(found.labels[:8])) == len(set(found.labels[8:])) == 1
    assert found.labels[0] != found.labels[8]
    assert found.expected_value == found.seen_value
    np.testing.assert_array_equal(found.stability, 1.0)


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_the_same_seed_decides_the_same(data: datasets.Dataset, objective: str) -> None:
    one, other = (
        graphopt.decide(
            data.observed,
            data.observed_features,
            objective=objective,
            k=4,
            seen_fraction=0.5,
            n_trials=1,
            random_state=7,
        )
        for _ in range(2)
    )
    np.testing.assert_array_equal(one.decision, other.decision)
    assert one.method == other.method
    assert one.expected_value == other.expected_value
    np.testing.assert_array_equal(one.stability, other.stability)


def test_a_network_takes_part_where_it_is_handed_over(data: datasets.Dataset) -> None:
    model = graphopt.ClusterNet(3, iterations=5, n_restarts=1, completion=None)
    found = graphopt.decide(
        data.observed,
        data.observed_features,
        k=3,
        seen_fraction=0.4,
        methods=[..., model],
        n_trials=1,
        random_state=0,
    )
    assert len(found.candidates) > 1
    network = found.candidates[-1]
    assert network.name == "ClusterNet"
    assert len(network.scores) == 1
    assert not hasattr(model, "labels_")  # a clone was fitted


def test_methods_of_the_users_own_decide_alone(data: datasets.Dataset) -> None:
    met: list[tuple[int, int]] = []

    def halves(graph: Graph, features: Any, k: int, seed: int) -> np.ndarray:
        met.append((graph.n_edges, k))
        return np.arange(graph.n_nodes) % 2

    found = graphopt.decide(
        data.observed, k=3, seen_fraction=0.4, methods=[halves], n_trials=2, random_state=0
    )
    assert found.method == "halves"
    m = data.observed.n_edges
    assert met == [(round(0.8 * m), 3), (round(0.8 * m), 3), (m, 3)]
    assert found.labels.tolist() == (np.arange(150) % 2).tolist()
    named = graphopt.decide(data.graph, k=3, methods=["cnm", "newman"], random_state=0)
    assert [one.name for one in named.candidates] == ["cnm", "newman"]


class Balance(graphopt.objectives.Objective):
    """Groups of like size: an objective of one's own."""

    name = "balance"
    greater_is_better = False
    sums_over_edges = False
    least = 0.0

    def evaluate(self, decision: np.ndarray, graph: Graph) -> float:
        sizes = np.bincount(decision)
        return float(sizes.max() - sizes.min())


def test_an_objective_of_the_users_own(data: datasets.Dataset) -> None:
    def halves(graph: Graph, *_: Any) -> np.ndarray:
        return np.arange(graph.n_nodes) % 2

    def lopsided(graph: Graph, *_: Any) -> np.ndarray:
        return (np.arange(graph.n_nodes) < 2).astype(int)

    for share in (0.4, 1.0):
        found = graphopt.decide(
            data.observed,
            objective=Balance(),
            k=2,
            seen_fraction=share,
            methods=[lopsided, halves],
            n_trials=2,
            random_state=0,
        )
        assert found.method == "halves"
        assert (found.seen_value, found.bound) == (0.0, None)
        assert "2 groups by halves" in str(found)
    with pytest.raises(ValueError, match="methods must hold at least one for the objective"):
        graphopt.decide(data.observed, objective=Balance(), k=2)


@pytest.mark.parametrize(
    ("methods", "error", "message"),
    [
        (["louvain"], ValueError, "method must be one of"),
        ([3], TypeError, "a name, a callable or an estimator"),
        ([], ValueError, "methods must hold at least one"),
        (["cnm", "cnm"], ValueError, "different names; two are called 'cnm'"),
        (3, TypeError, "methods"),
    ],
    ids=["unknown", "number", "none", "twice", "no sequence"],
)
def test_methods_that_are_none(methods: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        graphopt.decide(two_cliques(), k=2, methods=methods)


def test_without_time_the_first_method_decides_untried(data: datasets.Dataset) -> None:
    found = graphopt.decide(data.observed, k=3, seen_fraction=0.4, time_budget=0.0, random_state=0)
    assert found.method == "Leiden"
    assert all(c.scores == () for c in found.candidates)
    assert math.isnan(found.candidates[0].score)


def test_features_may_be_made_of_what_is_seen(data: datasets.Dataset) -> None:
    sizes: list[int] = []

    def degrees(graph: Graph) -> np.ndarray:
        sizes.append(graph.n_edges)
        return np.column_stack([graph.degrees, np.ones(graph.n_nodes)])

    graphopt.decide(data.observed, degrees, k=3, seen_fraction=0.5, n_trials=2, random_state=0)
    m = data.observed.n_edges
    assert sizes == [m, round(0.8 * m), round(0.8 * m)]


# --- what comes in --------------------------------------------------------------------------------


def test_nothing_and_little() -> None:
    lonely = graphopt.decide(Graph.from_edges([], 4), k=2, seen_fraction=0.4, random_state=0)
    assert lonely.labels.shape == (4,)
    assert lonely.labels.max() < 2
    one = graphopt.decide(Graph.from_edges([(0, 1)], 6), k=3, seen_fraction=0.4, random_state=0)
    assert one.labels.shape == (6,)
    apart = graphopt.decide(
        Graph.from_edges([(0, 1)], 6), k=2, objective="k-center", random_state=0
    )
    assert apart.centers is not None
    assert math.isinf(apart.seen_value)
    assert apart.gap is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k must be at least 1"),
        ({"k": 17}, "k must be at most the number of nodes, 16"),
        ({"k": 2, "objective": "cut"}, "objective must be one of"),
        ({"k": 2, "seen_fraction": 0.0}, "seen_fraction"),
        ({"k": 2, "seen_fraction": 1.5}, "seen_fraction"),
        ({"k": 2, "n_trials": 0}, "n_trials"),
        ({"k": 2, "time_budget": -1.0}, "time_budget"),
        ({"k": 2, "features": np.ones((3, 2))}, "features"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_settings_are_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        graphopt.decide(two_cliques(), **arguments)


def test_bad_graphs_are_named() -> None:
    with pytest.raises(TypeError, match="graph must be a Graph, not list"):
        graphopt.decide([(0, 1)], k=1)
    with pytest.raises(ValueError, match="undirected"):
        graphopt.decide(Graph.from_edges([(0, 1)], directed=True), k=1)
    with pytest.raises(ValueError, match="negative"):
        graphopt.decide(Graph.from_edges([(0, 1)], weights=[-1.0]), k=1)


# --- parts ----------------------------------------------------------------------------------------


def whole(data: datasets.Dataset, features: Any = None) -> Problem:
    return Problem.of(data.observed, features, objective=Modularity(), k=3, seen_fraction=0.4)


def test_hidden_edges_leave_the_share_and_the_features(data: datasets.Dataset) -> None:
    problem = whole(data, data.observed_features)
    part, hiding = problem.with_hidden_edges(np.random.default_rng(0), kept=0.4)
    order = hiding.order
    assert part.whole is problem
    assert part.graph.n_edges == round(0.4 * data.observed.n_edges)
    assert sorted(order.tolist()) == list(range(150))
    u, v = part.graph.edges[0]
    assert order[v] in data.observed.neighbors(int(order[u]))
    np.testing.assert_array_equal(
        np.asarray(part.features[0]), np.asarray(problem.features[order[0]])
    )


def test_a_problem_of_some_nodes_has_no_others(data: datasets.Dataset) -> None:
    problem = whole(data, data.observed_features)
    some = np.arange(0, 150, 3)
    part, hiding = problem.with_hidden_edges(np.random.default_rng(0), kept=0.5, among=some)
    assert part.graph.n_nodes == len(some)
    assert sorted(hiding.order.tolist()) == some.tolist()
    u, v = part.graph.edges[0]
    assert hiding.order[v] in data.observed.neighbors(int(hiding.order[u]))
    np.testing.assert_array_equal(
        np.asarray(part.features[0]), np.asarray(problem.features[hiding.order[0]])
    )


def test_what_methods_share_is_found_once(data: datasets.Dataset) -> None:
    problem = whole(data)
    assert problem.once("key", lambda: 1) == problem.once("key", lambda: 2) == 1


def tried(methods: list[Way], problem: Problem, n_trials: int) -> tuple[Table, int]:
    trials: list[Any] = []
    rng = np.random.default_rng(0)
    return _tried(methods, problem, n_trials, Clock(None), rng, trials), len(trials)


def test_a_method_that_fails_is_out_and_the_rest_goes_on(data: datasets.Dataset) -> None:
    def broken(*_: object) -> np.ndarray:
        raise ValueError("no such luck")

    problem = whole(data)
    methods = [Way("broken", broken), portfolio(problem)[0]]
    table, n_trials = tried(methods, problem, 2)
    assert n_trials == 2
    assert table.error("broken") == "ValueError: no such luck"
    assert len(table.of(methods[1].name)) == 2
    assert best_of(methods, table, problem) is methods[1]
    with pytest.raises(GraphoptError, match="broken: ValueError: no such luck"):
        best_of(methods[:1], table, problem)


def test_a_method_far_behind_is_left_out_of_further_trials(data: datasets.Dataset) -> None:
    def one_group(problem: Problem, rng: np.random.Generator) -> np.ndarray:
        return np.zeros(problem.graph.n_nodes, np.int32)

    problem = whole(data)
    plain = next(m for m in portfolio(problem) if m.plain)
    methods = [Way("one group", one_group), plain]
    table, _ = tried(methods, problem, 3)
    assert [len(table.of(method.name)) for method in methods] == [1, 3]
    assert best_of(methods, table, problem) is plain


def test_the_smoothed_radius_lies_between_mean_and_largest() -> None:
    path = Graph.from_edges([(i, i + 1) for i in range(9)])
    value = smoothed_radius(path, np.array([0], np.int32), 1)
    assert 4.5 < value < 9.0
    assert smoothed_radius(path, np.array([4], np.int32), 1) < value


def test_the_main_part_is_what_k_centers_can_serve() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2), (3, 4)], 6)
    assert main_part(graph, 3).all()
    np.testing.assert_array_equal(main_part(graph, 2), [True] * 3 + [False] * 3)
    assert main_part(Graph.from_edges([], 4), 2).sum() == 2


def test_names_are_public() -> None:
    assert graphopt.decide is decision.decide
    assert {"Candidate", "Decision"} <= set(decision.__all__)


# --- as text ------------------------------------------------------------------------------------


def test_a_decision_on_a_partly_seen_graph_as_text(data: datasets.Dataset) -> None:
    found = graphopt.decide(data.observed, k=5, seen_fraction=0.4, n_trials=1, random_state=0)
    lines = str(found).splitlines()
    assert lines[0] == f"{len(set(found.labels))} communities by {found.method}"
    assert lines[1] == f"modularity on the seen graph: {found.seen_value:.3f}"
    low, high = found.interval
    assert lines[2] == (
        f"modularity expected on the whole graph: {found.expected_value:.3f} "
        f"(90 % interval: {low:.3f} to {high:.3f})"
    )
    assert lines[4].startswith("methods tried in 1 trial with some seen edges hidden")
    best = next(one for one in found.candidates if one.name == found.method)
    assert f"  {best.name}: {best.score:.3f}, {best.seconds:.2g} s" in lines


def test_a_decision_where_all_is_seen_as_text() -> None:
    path = graphopt.Graph.from_edges([(0, 1), (1, 2)])
    text = str(graphopt.decide(path, objective="k-center", k=1, random_state=0))
    assert text.splitlines()[:3] == [
        "1 center by greedy",
        "largest distance: 1 hop; all edges are seen",
        "no choice of 1 center has a largest distance below 1 hop on the seen graph, "
        "so this one is optimal there",
    ]
    assert "trial" not in text


def test_candidates_that_failed_or_left_say_so() -> None:
    candidate = decision.Candidate
    candidates = (
        candidate("a", (0.5, 0.5), 0.1),
        candidate("b", (0.25,), 0.1),
        candidate("c", error="no features"),
        candidate("d"),
    )
    found = decision.Decision(
        Modularity(), "a", np.zeros(3, np.int32), None, 0.5, 0.5, (0.25, math.inf), None,
        np.ones(3), candidates, 2, 1.0,
    )  # fmt: skip
    assert str(found).splitlines()[-4:] == [
        "  a: 0.500, 0.1 s",
        "  b: 0.250, 0.1 s, left after 1 trial",
        "  c: failed: no features",
        "  d: not tried",
    ]
    assert "0.250 to ∞" in str(found)
