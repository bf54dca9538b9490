"""Compare and regret: values of decisions, clean splits, statistics, comparison."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from helpers import random_graph
from numpy.typing import NDArray
from scipy import stats
from scipy.sparse import csr_array

from graphopt import Graph, decision, exact_k_center, leiden, modularity
from graphopt.datasets import clean_splits
from graphopt.decision import (
    METHODS,
    Reference,
    RegretResult,
    Run,
    agreement,
    compare,
    regret,
    signed_rank_p_value,
    summarize,
)
from graphopt.errors import InfeasibleError
from graphopt.objectives import KCenter, Modularity, distance_tail, exact_within_reach

TRIANGLES = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
CLIQUES = Graph.from_edges(
    [(8 * c + i, 8 * c + j) for c in range(4) for i, j in itertools.combinations(range(8), 2)]
    + [(8 * c, (8 * c + 8) % 32) for c in range(4)],
    names=[f"{i // 8}" + "abcdefgh"[i % 8] for i in range(32)],
)
CLASSES = np.arange(32) // 8


def by_name(graph: Graph, features: Any, k: int, seed: int) -> NDArray[np.int64]:
    """Decide by what nobody else knows."""
    assert graph.names is not None
    return np.array([int(str(name)[0]) for name in graph.names])


def results(regrets: list[float], method: str = "m") -> RegretResult:
    runs = tuple(
        Run(i, 0, 1.0 - r, 0.5, r, 0.1, np.zeros(1, np.int64)) for i, r in enumerate(regrets)
    )
    return RegretResult(method, Modularity(), 2, 0.4, Reference("given", 1.0), runs)


# --- judgement ------------------------------------------------------------------------------------


def test_distances_of_a_path() -> None:
    path = Graph.from_edges([(i, i + 1) for i in range(199)])
    tail = distance_tail(path, [0])
    assert (tail.mean, tail.p95, tail.p99, tail.max, tail.n_unreached) == (99.5, 190, 198, 199, 0)


def test_distances_of_a_graph_in_pieces() -> None:
    tail = distance_tail(Graph.from_edges([(i, i + 1) for i in range(97)], 100), [0])
    assert (tail.p95, tail.n_unreached) == (95.0, 2)
    assert tail.mean == tail.p99 == tail.max == math.inf


def test_distances_are_lengths_where_there_are_weights() -> None:
    tail = distance_tail(Graph.from_edges([(0, 1), (1, 2)], weights=[0.5, 2.0]), [0])
    assert (tail.mean, tail.max) == (1.0, 2.5)


@pytest.mark.parametrize(
    ("graph", "centers", "message"),
    [
        (TRIANGLES, [], "at least one node"),
        (TRIANGLES, [6], "node numbers in 0..5"),
        (Graph.from_edges([], 0), [], "at least one node"),
        (Graph.from_edges([(0, 1)], weights=[-1.0]), [0], "lengths"),
    ],
    ids=["none", "no node", "empty graph", "negative"],
)
def test_centers_that_are_none(graph: Graph, centers: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        distance_tail(graph, centers)


def test_agreement() -> None:
    assert agreement(["x", "x", "y"], [5, 5, -1]) == decision.Agreement(1.0, 1.0)
    crossed = agreement([0, 0, 1, 1], [0, 1, 0, 1])
    assert crossed.nmi == pytest.approx(0.0, abs=1e-12)
    assert crossed.ari == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("labels", "truth", "error", "message"),
    [
        ([0, 1], [0, 1, 2], ValueError, "truth must have the length of labels, 2, not 3"),
        ([], [], ValueError, "labels must hold at least one class"),
        ([[0, 1]], [0, 1], ValueError, "labels must be 1D, not 2D"),
        ([0, 1], [0.0, math.nan], TypeError, "truth must be integers or strings"),
    ],
    ids=["length", "empty", "rank", "floats"],
)
def test_classes_that_are_none(labels: Any, truth: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        agreement(labels, truth)


def test_a_decision_on_three_graphs() -> None:
    seen = Graph.from_edges([(0, 1), (1, 2), (3, 4), (2, 3)], 6)
    unseen = Graph.from_edges([(0, 2), (3, 5), (4, 5)], 6)
    labels = np.array([0, 0, 0, 1, 1, 1])
    found = Modularity().measures(labels, TRIANGLES, seen, unseen)
    assert found == {
        "score": pytest.approx(modularity(TRIANGLES, labels)),
        "seen_score": pytest.approx(modularity(seen, labels)),
        "unseen_score": pytest.approx(1 - (1 / 3) ** 2 - (2 / 3) ** 2),
    }
    assert "unseen_score" not in Modularity().measures(labels, TRIANGLES, TRIANGLES)
    empty = Graph.from_edges([], 6)
    assert "unseen_score" not in Modularity().measures(labels, TRIANGLES, TRIANGLES, empty)
    sites = KCenter().measures(np.array([1, 4]), TRIANGLES, seen, unseen)
    tail = distance_tail(TRIANGLES, [1, 4])
    assert (sites.pop("score"), sites.pop("seen_score")) == (1.0, math.inf)
    assert sites == {
        "mean_distance": tail.mean,
        "p95_distance": tail.p95,
        "p99_distance": tail.p99,
        "n_unreached": tail.n_unreached,
    }


# --- splits ---------------------------------------------------------------------------------------


def pairs(edges: NDArray[np.int32]) -> set[frozenset[int]]:
    return {frozenset(edge) for edge in edges.tolist()}


@pytest.mark.parametrize("seen", [0.2, 0.4, 1.0])
@pytest.mark.parametrize("weights", [None, "float"])
def test_splits_are_clean(seen: float, weights: str | None) -> None:
    graph = random_graph(40, 90, 0, weights=weights)
    features = np.arange(80.0).reshape(40, 2)
    splits = list(clean_splits(graph, features, seen=seen, splits=5, random_state=3))
    assert len(splits) == 5
    for split in splits:
        one, other = pairs(split.seen.edges), pairs(split.unseen.edges)
        assert not one & other
        assert one | other == pairs(split.full.edges)
        assert split.seen.n_edges == round(seen * graph.n_edges)
        assert graph.subgraph(split.order) == split.full
        assert not np.array_equal(split.order, np.arange(40))
        np.testing.assert_array_equal(split.features, features[split.order])
        total = split.seen.strengths + split.unseen.strengths
        np.testing.assert_allclose(total, graph.strengths[split.order])


def test_the_seed_decides_on_splits() -> None:
    def drawn(seed: Any, splits: int) -> list[set[frozenset[int]]]:
        found = clean_splits(CLIQUES, splits=splits, random_state=seed)
        return [pairs(split.order[split.seen.edges]) for split in found]

    assert drawn(0, 3) == drawn(0, 5)[:3]  # in the numbering that was given
    assert drawn(np.random.default_rng(0), 3) == drawn(0, 3)
    assert drawn(0, 2) != drawn(1, 2)
    assert drawn(0, 2)[0] != drawn(0, 2)[1]


def test_features_from_the_seen_graph() -> None:
    (split,) = clean_splits(CLIQUES, lambda graph: graph.degrees[:, None], splits=1)
    np.testing.assert_array_equal(split.features[:, 0], split.seen.degrees)
    (sparse,) = clean_splits(CLIQUES, csr_array(np.diag(np.arange(32.0))), splits=1)
    np.testing.assert_array_equal(sparse.features.toarray().argmax(axis=1), sparse.order)
    assert next(clean_splits(CLIQUES)).features is None


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"graph": Graph.from_edges([], 0)}, ValueError, "at least one edge"),
        ({"graph": Graph.from_edges([], 5)}, ValueError, "at least one edge"),
        ({"graph": Graph.from_edges([(0, 1)], directed=True)}, ValueError, "be undirected"),
        ({"graph": [(0, 1)]}, TypeError, "graph must be a Graph, not list"),
        ({"seen": 0.0}, ValueError, "seen must be greater than 0"),
        ({"seen": 1.1}, ValueError, "seen must be at most 1"),
        ({"seen": 0.01}, ValueError, "must leave an edge to decide from; 0.01 of 7 edges are none"),
        ({"features": np.ones((5, 2))}, ValueError, "one row per node, 6, not 5"),
        ({"features": np.full((6, 1), np.nan)}, ValueError, "features must be finite"),
        ({"random_state": -1}, ValueError, "random_state must be at least 0"),
        ({"splits": 0}, ValueError, "splits must be at least"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_what_cannot_be_split(changes: dict[str, Any], error: type, message: str) -> None:
    options: dict[str, Any] = {"graph": TRIANGLES, "features": None} | changes
    with pytest.raises(error, match=message):
        clean_splits(**options)
    with pytest.raises(error, match=message):
        regret("leiden", k=2, **options)


# --- statistics -----------------------------------------------------------------------------------


def test_the_interval_is_scipys() -> None:
    x = np.random.default_rng(0).exponential(size=30)
    found = summarize(x, confidence=0.9, random_state=5)
    theirs = stats.bootstrap(
        (x,), np.mean, confidence_level=0.9, random_state=np.random.default_rng(5)
    ).confidence_interval
    assert (found.low, found.high) == (theirs.low, theirs.high)
    assert (found.mean, found.median, found.n) == (x.mean(), np.median(x), 30)
    assert found == summarize(x, confidence=0.9, random_state=5)
    wider = summarize(x, confidence=0.99)
    assert wider.low < found.low < x.mean() < found.high < wider.high


def test_intervals_cover_the_mean_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    covered = [
        s.low <= 3.0 <= s.high for s in (summarize(rng.normal(3.0, 2.0, 25)) for _ in range(200))
    ]
    assert 0.88 <= np.mean(covered) <= 0.99


@pytest.mark.parametrize("x", [[2.0, 2.0, 2.0], [0.1 + 0.2, 0.3], [0.0, 0.0], [np.inf, np.inf]])
def test_equal_values_leave_no_doubt(x: list[float]) -> None:
    found = summarize(x)
    assert (found.low, found.high) == (min(x), max(x))
    assert found.mean == pytest.approx(x[0])


def test_infinite_values() -> None:
    found = summarize([6.0, 7.0, 8.0, 7.0, 6.0, 8.0, 7.0, 9.0, 6.0, np.inf])
    assert (found.mean, found.median, found.high) == (np.inf, 7.0, np.inf)
    assert 6.0 <= found.low <= 8.0
    both = summarize([-np.inf, 1.0, np.inf])
    assert math.isnan(both.mean)
    assert both.median == 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"values": [1.0]}, "at least 2, not 1"),
        ({"values": [1.0, np.nan]}, "must not be NaN"),
        ({"values": [1.0, 2.0], "confidence": 1.0}, "confidence must be less than 1"),
        ({"values": [1.0, 2.0], "confidence": 0.0}, "confidence must be greater than 0"),
    ],
    ids=["one", "NaN", "certain", "no confidence"],
)
def test_what_cannot_be_summarized(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        summarize(**options)


@pytest.mark.parametrize("n", [2, 5, 9, 14])
def test_the_p_value_is_scipys_where_there_are_no_ties(n: int) -> None:
    d = np.random.default_rng(n).normal(0.4, 1.0, n)
    assert signed_rank_p_value(d) == pytest.approx(stats.wilcoxon(d, method="exact").pvalue)


def test_the_p_value_with_ties_counts_every_way_to_give_signs() -> None:
    d = np.array([1.0, 1.0, -1.0, 2.0, 2.0, 0.0, -3.0, 4.0])
    ranks = stats.rankdata(np.abs(d[d != 0]))
    found = float((np.sign(d[d != 0]) * ranks).sum())
    sums = [float(np.dot(s, ranks)) for s in itertools.product([-1, 1], repeat=len(ranks))]
    expected = np.mean([abs(x) >= abs(found) - 1e-9 for x in sums])
    assert signed_rank_p_value(d) == pytest.approx(expected)


def test_the_p_value_of_many_pairs() -> None:
    d = np.random.default_rng(0).normal(0.3, 1.0, 60)
    assert signed_rank_p_value(d) == pytest.approx(stats.wilcoxon(d).pvalue, abs=0.01)
    assert signed_rank_p_value(d) == signed_rank_p_value(d)
    assert signed_rank_p_value(-d) == pytest.approx(signed_rank_p_value(d), abs=0.005)


@pytest.mark.parametrize("d", [[], [0.0], [0.0, 0.0], [3.0], [3.0, 0.0], [1.0, -1.0]])
def test_differences_that_say_nothing(d: list[float]) -> None:
    assert signed_rank_p_value(np.array(d)) == 1.0


def test_infinite_differences_are_the_largest() -> None:
    assert signed_rank_p_value([np.inf, 1.0, 2.0]) == signed_rank_p_value([9.0, 1.0, 2.0]) == 0.25
    with pytest.raises(ValueError, match="NaN"):
        signed_rank_p_value([np.nan])


# --- regret ---------------------------------------------------------------------------------------


def test_the_reference_itself_has_no_regret() -> None:
    found = regret(by_name, CLIQUES, k=4, splits=4, reference=by_name, truth=CLASSES)
    assert found.method == "by_name"
    assert found.per_split() == pytest.approx(0.0, abs=1e-12)
    assert found.reference.value == pytest.approx(modularity(CLIQUES, CLASSES))
    assert found.reference.name == "by_name on the full graph"
    assert found.score.mean == pytest.approx(found.reference.value)
    assert (found.per_split("nmi") == 1.0).all()
    assert (found.per_split("ari") == 1.0).all()
    for run in found.runs:  # in the numbering that was given
        np.testing.assert_array_equal(run.decision, CLASSES)


def test_regret_of_communities() -> None:
    found = regret("leiden", CLIQUES, k=4, splits=6, seeds=2, random_state=1)
    best = leiden(CLIQUES, 4, random_state=0).modularity
    assert found.reference.value == pytest.approx(best)
    assert found.reference.bound is None
    assert not found.reference.proven
    assert [(run.split, run.seed) for run in found.runs] == list(
        itertools.product(range(6), range(2))
    )
    for run in found.runs:
        assert run.score == pytest.approx(modularity(CLIQUES, run.decision))
        assert run.regret == pytest.approx(best - run.score)
        assert run.seconds > 0
        assert run.unseen_score is not None
        assert run.mean_distance is None
        assert len(np.unique(run.decision)) <= 4
    means = [np.mean([r.score for r in found.runs if r.split == i]) for i in range(6)]
    assert found.per_split("score") == pytest.approx(means)
    assert found.score.mean == pytest.approx(np.mean(means))
    assert found.regret.low <= found.regret.mean <= found.regret.high


def test_regret_of_k_center() -> None:
    found = regret("greedy", CLIQUES, k=4, objective="k-center", seen=0.6, splits=4)
    optimum = exact_k_center(CLIQUES, 4)
    assert (found.reference.value, found.reference.bound) == (optimum.radius, optimum.radius)
    assert found.reference.proven
    for run in found.runs:
        tail = distance_tail(CLIQUES, run.decision)
        assert (run.score, run.regret) == (tail.max, tail.max - optimum.radius)
        assert (run.mean_distance, run.p95_distance) == (tail.mean, tail.p95)
        assert (run.p99_distance, run.n_unreached) == (tail.p99, 0)
        assert run.regret >= 0
        assert run.unseen_score is None
    assert "exact_k_center on the full graph, proven" in str(found)


@pytest.mark.parametrize("objective", METHODS)
def test_everything_that_has_a_name(objective: str) -> None:
    found = compare(
        list(METHODS[objective]), CLIQUES, k=4, objective=objective, seen=0.7, splits=2,
        reference=0.0,
    )  # fmt: skip
    assert list(found.results) == list(METHODS[objective])
    for result in found.results.values():
        assert np.isfinite(result.per_split("score")).all()


def test_the_seed_repeats_all_but_the_times() -> None:
    def drawn(**changes: Any) -> list[tuple[float, list[int]]]:
        options: dict[str, Any] = {"k": 4, "splits": 3, "random_state": 7} | changes
        return [
            (r.regret, r.decision.tolist()) for r in regret("spectral", CLIQUES, **options).runs
        ]

    alone = drawn()
    assert drawn() == alone
    assert drawn(random_state=np.random.default_rng(7)) == alone
    assert drawn(splits=5)[:3] == alone
    assert drawn(seeds=2)[::2] == alone
    assert drawn(n_jobs=2) == alone
    assert drawn(random_state=8) != alone
    others = compare({"a": "leiden", "b": "spectral", "c": "cnm"}, CLIQUES, k=4, splits=3,
                     random_state=7)  # fmt: skip
    assert [(r.regret, r.decision.tolist()) for r in others["b"].runs] == alone


def test_what_a_method_is_given() -> None:
    met: list[tuple[Graph, Any, int, int]] = []

    def method(graph: Graph, features: Any, k: int, seed: int) -> Any:
        met.append((graph, features, k, seed))
        return leiden(graph, k, random_state=seed)  # a result that holds labels

    regret(method, CLIQUES, CLASSES[:, None], k=3, splits=2, seeds=2, reference=1.0)
    assert len({seed for *_, seed in met}) == 4
    for graph, features, k, _ in met:
        assert graph.n_edges == round(0.4 * CLIQUES.n_edges)
        assert k == 3
        assert graph.names is not None
        assert [int(str(name)[0]) for name in graph.names] == features[:, 0].tolist()
    assert met[0][0] == met[1][0] != met[2][0]


class Guess:
    """An estimator in scikit-learn's manner."""

    def __init__(self, n_clusters: int = 2, random_state: int | None = None) -> None:
        self.n_clusters, self.random_state = n_clusters, random_state

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        return {"n_clusters": self.n_clusters, "random_state": self.random_state}

    def set_params(self, **params: Any) -> Guess:
        vars(self).update(params)
        return self

    def fit_predict(self, graph: Graph, features: Any) -> NDArray[np.int64]:
        rng = np.random.default_rng(self.random_state)
        self.centers_ = rng.choice(graph.n_nodes, self.n_clusters, replace=False)
        return rng.integers(self.n_clusters, size=graph.n_nodes)


class Groups(Guess):
    """It knows no centres."""

    def fit_predict(self, graph: Graph, features: Any) -> NDArray[np.int64]:
        return np.zeros(graph.n_nodes, np.int64)


class Stopped(Guess):
    interrupted_ = True


def test_estimators_are_cloned_and_seeded() -> None:
    model = Guess(4)
    found = regret(model, CLIQUES, k=4, splits=2, seeds=2)
    assert found.method == "Guess"
    assert model.random_state is None
    assert not hasattr(model, "centers_")
    assert len({tuple(run.decision) for run in found.runs}) == 4
    again = regret(model, CLIQUES, k=4, splits=2, seeds=2)
    np.testing.assert_array_equal(again.per_split(), found.per_split())
    sites = regret(model, CLIQUES, k=4, objective="k-center", splits=2)
    assert all(len(run.decision) == 4 for run in sites.runs)
    with pytest.raises(TypeError, match="method Groups must have centers_"):
        regret(Groups(4), CLIQUES, k=4, objective="k-center", splits=2)
    with pytest.raises(KeyboardInterrupt):
        regret(Stopped(4), CLIQUES, k=4, splits=2)


@pytest.mark.parametrize(
    ("objective", "answer", "error", "message"),
    [
        (
            "modularity",
            np.zeros(31, int),
            ValueError,
            "mine must be one per node, 32, not 31",
        ),
        ("modularity", np.arange(32), ValueError, "must make at most k = 4 groups, not 32"),
        (
            "modularity",
            np.zeros(32),
            TypeError,
            "must be a 1D array of integers, not 1D float",
        ),
        ("modularity", None, TypeError, "labels of method mine must be a 1D array"),
        ("k-center", [], TypeError, "centers of method mine must be a 1D array"),
        (
            "k-center",
            np.empty(0, int),
            ValueError,
            "centers of method mine must be 1 to k = 4 nodes, not 0",
        ),
        (
            "k-center",
            [0, 1, 2, 3, 4],
            ValueError,
            "centers of method mine must be 1 to k = 4 nodes, not 5",
        ),
        ("k-center", [3, 3], ValueError, "must be distinct nodes"),
        ("k-center", [32], ValueError, "centers of method mine must hold node numbers in 0..31"),
    ],
    ids=["short", "many", "float", "None", "list", "none", "many sites", "twice", "no node"],
)
def test_answers_that_are_none(objective: str, answer: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        compare({"mine": lambda *_: answer}, CLIQUES, k=4, objective=objective, splits=2)


def test_fewer_groups_and_any_numbers_will_do() -> None:
    found = regret(lambda graph, *_: np.where(graph.degrees > 2, -7, 99), CLIQUES, k=4, splits=2)
    assert all(set(run.decision.tolist()) <= {0, 1} for run in found.runs)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"k": 33}, ValueError, "k must be at most 32, not 33"),
        ({"k": 0}, ValueError, "k must be at least 1, not 0"),
        ({"splits": 1}, ValueError, "splits must be at least 2, not 1"),
        ({"seeds": 0}, ValueError, "seeds must be at least 1"),
        ({"objective": "colouring"}, ValueError, "objective must be one of k-center, modularity"),
        ({"method": "louvain"}, ValueError, "method must be one of cnm, leiden"),
        (
            {"method": "leiden", "objective": "k-center"},
            ValueError,
            "exact, gonzalez, greedy",
        ),
        ({"method": 3}, TypeError, "a name, a callable or an estimator with fit_predict, not int"),
        ({"method": Guess}, TypeError, "must be an estimator, not its class"),
        ({"method": Guess(5)}, ValueError, "has n_clusters=5, but k is 4"),
        ({"truth": [0]}, ValueError, "one class per node, 32, not shape"),
        ({"truth": CLASSES, "objective": "k-center", "method": "greedy"}, ValueError, "no classes"),
        ({"reference": math.inf}, ValueError, "reference must be finite"),
        ({"reference": [1.0, 2.0]}, TypeError, "reference must be a number"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, dict) else "",
)
def test_bad_requests_are_named(changes: dict[str, Any], error: type, message: str) -> None:
    options: dict[str, Any] = {"method": "leiden", "graph": CLIQUES, "k": 4} | changes
    with pytest.raises(error, match=message):
        regret(**options)


@pytest.mark.parametrize(
    ("methods", "error", "message"),
    [
        ({}, ValueError, "at least one"),
        ([], ValueError, "at least one"),
        ("leiden", TypeError, "a mapping of names to methods or a sequence of names, not str"),
        (["louvain"], ValueError, "methods must be one of"),
    ],
    ids=["no mapping", "no names", "one name", "unknown"],
)
def test_methods_that_are_none(methods: Any, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        compare(methods, CLIQUES, k=4)


def test_centers_of_a_graph_in_too_many_pieces() -> None:
    pieces = Graph.from_edges([(0, 1), (2, 3), (4, 5)])
    with pytest.raises(InfeasibleError, match="3 components, so k = 2"):
        regret("greedy", pieces, k=2, objective="k-center")
    assert regret("gonzalez", pieces, k=3, objective="k-center", seen=1.0, splits=2).n_splits == 2


def test_one_group_and_everything_seen() -> None:
    one = regret("leiden", CLIQUES, k=1, splits=2)
    assert one.per_split() == pytest.approx(0.0, abs=1e-12)
    everything = regret("cnm", CLIQUES, k=4, seen=1.0, splits=2)
    assert everything.per_split() == pytest.approx(0.0, abs=1e-12)
    assert everything.runs[0].unseen_score is None
    with pytest.raises(ValueError, match="measure unseen_score was not taken"):
        everything.per_split("unseen_score")


def test_references() -> None:
    given = regret("cnm", CLIQUES, k=4, splits=2, reference=1.0)
    assert (given.reference.name, given.reference.value) == ("given", 1.0)
    np.testing.assert_allclose(given.per_split(), 1.0 - given.per_split("score"))
    solver = regret("greedy", CLIQUES, k=4, objective="k-center", splits=2,
                    reference=lambda graph, _, k, seed: exact_k_center(graph, k))  # fmt: skip
    assert solver.reference.proven
    named = regret("cnm", CLIQUES, k=4, splits=2, reference="leiden")
    assert named.reference.name == "leiden on the full graph"
    met: list[int] = []

    def look(graph: Graph) -> NDArray[np.float64]:
        met.append(graph.n_edges)
        return np.ones((graph.n_nodes, 1))

    regret("cnm", CLIQUES, look, k=4, splits=2, reference=Guess(4))
    seen = round(0.4 * CLIQUES.n_edges)
    assert met == [CLIQUES.n_edges, seen, seen]  # the reference sees everything


def test_the_optimum_of_a_graph_in_pieces() -> None:
    ring = [(i, (i + 1) % 12) for i in range(12)]
    pieces = Graph.from_edges([*ring, (12, 13), (14, 15)], 17)
    found = exact_within_reach(pieces, 2)
    assert (found.radius, found.lower_bound) == (3.0, 3.0)  # of the ring
    assert set(found.centers.tolist()) <= set(range(12))
    everything = exact_within_reach(pieces, 4)
    assert everything.radius == exact_k_center(pieces, 4).radius == 6.0
    few = exact_within_reach(Graph.from_edges([(3, 5)], 9), 4)
    assert few.centers.tolist() == [3, 5]
    optimal = regret("exact", CLIQUES, k=4, objective="k-center", seen=1.0, splits=2)
    assert optimal.per_split().tolist() == [0.0, 0.0]


# --- comparison -----------------------------------------------------------------------------------


def test_a_method_beside_itself() -> None:
    found = compare(["leiden", "cnm"], CLIQUES, k=4, splits=5)
    same = found.difference("leiden", "leiden")
    assert (same.difference.mean, same.difference.low, same.difference.high) == (0.0, 0.0, 0.0)
    assert (same.p_value, same.wins, same.ties, same.losses) == (1.0, 0, 5, 0)
    with pytest.raises(ValueError, match="method must be one of cnm, leiden"):
        found.difference("leiden", "newman")


def test_differences_are_taken_in_pairs() -> None:
    a = results([0.1, 0.2, 0.3, 0.4], "a")
    b = results([0.2, 0.3, 0.4, 0.4 + 1e-16], "b")
    found = decision.ComparisonResult({"b": b, "a": a})
    ahead = found.difference("a", "b")
    assert ahead.difference.mean == pytest.approx(-0.075)
    assert (ahead.wins, ahead.ties, ahead.losses) == (3, 1, 0)
    assert ahead.p_value == 0.25
    behind = found.difference("b", "a")
    assert (behind.wins, behind.ties, behind.losses) == (0, 1, 3)
    assert behind.difference.mean == pytest.approx(-ahead.difference.mean)
    assert found.best == "a"


def test_paired_values_without_a_protocol() -> None:
    found = decision.paired_difference("a", "b", [1.0, math.inf, 2.0], [2.0, math.inf, 1.5])
    assert (found.first, found.second) == ("a", "b")
    assert (found.wins, found.ties, found.losses) == (1, 1, 1)
    assert found.difference.mean == pytest.approx(-0.5 / 3)
    with pytest.raises(ValueError, match="other must have the length of one, 2, not 3"):
        decision.paired_difference("a", "b", [1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="NaN"):
        decision.paired_difference("a", "b", [1.0, math.nan], [1.0, 2.0])


def test_nodes_that_are_not_reached() -> None:
    a = results([1.0, math.inf, math.inf, 2.0], "a")
    b = results([1.0, math.inf, 3.0, 4.0], "b")
    found = decision.ComparisonResult({"a": a, "b": b}).difference("a", "b")
    assert (found.wins, found.ties, found.losses) == (1, 2, 1)
    assert found.difference.mean == math.inf
    assert a.regret.mean == math.inf
    assert "inf" in str(decision.ComparisonResult({"a": a, "b": b}))


def test_rows_and_tables() -> None:
    found = compare({"one": "leiden", "two": "cnm"}, CLIQUES, k=4, splits=3, seeds=2, truth=CLASSES)
    rows = found.to_rows()
    assert len(rows) == 2 * 3 * 2
    assert rows[0].keys() == rows[-1].keys()
    assert rows[-1] == {
        "method": "two",
        "objective": "modularity",
        "k": 4,
        "seen": 0.4,
        "reference": found.reference.value,
        "split": 2,
        "seed": 1,
        **{
            name: getattr(found["two"].runs[-1], name)
            for name in ("score", "seen_score", "regret", "seconds", "unseen_score", "nmi", "ari")
        },
    }
    lines = str(found).splitlines()
    assert lines[0].startswith("3 splits, 40 % of the edges seen, k = 4; reference 0.")
    assert lines[1].split()[0] == "modularity"
    assert [line.split()[0] for line in lines[2:4]] == ["one", "two"]
    worse = "two" if found.best == "one" else "one"
    assert lines[-1] == str(found.difference(worse, found.best))
    assert len(str(found["one"]).splitlines()) == 3


def test_measures() -> None:
    found = results([0.1, 0.3])
    assert found.summary("score", confidence=0.5).confidence == 0.5
    with pytest.raises(ValueError, match="measure must be one of"):
        found.per_split("colour")
    with pytest.raises(ValueError, match="measure nmi was not taken"):
        found.per_split("nmi")
