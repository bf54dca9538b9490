"""Judged on hidden seen edges: calibration, sharpness, and which completion is chosen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from helpers import random_graph

from graphopt import Graph, leiden, modularity
from graphopt.completion import (
    Bagging,
    EdgeProbabilities,
    FeatureNeighbours,
    LinkModel,
    Mixture,
    PairCompletion,
    choose,
    choose_sharpness,
    decide_under,
    default_candidates,
    reliability_curve,
)

N, SHARE = 120, 0.4
GROUPS = np.repeat(np.arange(4), N // 4)
FEATURES = np.eye(4, dtype=np.float32)[GROUPS]
U, V = np.triu_indices(N, 1)


def planted(inside: float, across: float, seed: int = 0) -> Graph:
    rng = np.random.default_rng(seed)
    chance = np.where(GROUPS[U] == GROUPS[V], inside, across)
    return Graph.from_edges(np.column_stack([U, V])[rng.random(len(U)) < chance], N)


class Truth(PairCompletion):
    """Knows by which chances the graph was drawn, times a factor."""

    def __init__(self, factor: float = 1.0) -> None:
        self.factor = factor
        self.asked: list[Graph] = []

    def probabilities(self, graph: Graph, features: Any = None) -> EdgeProbabilities:
        self.asked.append(graph)
        chance = np.where(GROUPS[U] == GROUPS[V], 0.2, 0.02)
        # Of pairs that are not joined so far: hidden, or never there.
        hidden = chance * (1 - SHARE) / (1 - chance * SHARE) * self.factor
        pairs = np.column_stack([U, V])
        seen = {tuple(edge) for edge in graph.edges.tolist()}
        free = np.array([tuple(pair) not in seen for pair in pairs.tolist()])
        return EdgeProbabilities(graph, pairs[free], hidden[free])


# --- calibration ----------------------------------------------------------------------------------


def test_true_probabilities_are_calibrated() -> None:
    graph = planted(0.2, 0.02)
    right = reliability_curve(
        Truth(), graph, seen_fraction=SHARE, n_splits=10, n_bins=3, random_state=0
    )
    filled = right.counts > 0
    assert right.counts[0] == 0  # every pair is listed
    np.testing.assert_allclose(right.predicted[filled], right.observed[filled], rtol=0.15)
    assert right.expected_edges == pytest.approx(right.hidden_edges, rel=0.1)
    twice = reliability_curve(
        Truth(2.0), graph, seen_fraction=SHARE, n_splits=10, n_bins=3, random_state=0
    )
    assert twice.brier > right.brier
    assert twice.log_score > right.log_score
    assert twice.expected_edges == pytest.approx(2 * right.expected_edges)


def test_scores_are_those_of_scikit_learn() -> None:
    from sklearn.metrics import brier_score_loss, log_loss

    graph, completion = planted(0.2, 0.02), Truth()
    found = reliability_curve(completion, graph, seen_fraction=SHARE, n_splits=1, random_state=0)
    chances = completion.probabilities(completion.asked[0])
    edges = {tuple(edge) for edge in graph.edges.tolist()}
    truth = [tuple(pair) in edges for pair in chances.pairs.tolist()]
    assert found.brier == pytest.approx(brier_score_loss(truth, chances.probabilities))
    assert found.log_score == pytest.approx(log_loss(truth, chances.probabilities))
    assert found.hidden_edges == sum(truth)
    assert found.counts.sum() == len(truth)


@pytest.mark.parametrize("completion", [LinkModel(), Bagging()], ids=["model", "bagging"])
def test_what_is_learned_is_calibrated_where_the_truth_is_simple(
    completion: PairCompletion,
) -> None:
    graph = planted(0.3, 0.01)
    found = reliability_curve(
        completion, graph, FEATURES, seen_fraction=SHARE, n_bins=4, random_state=0
    )
    assert found.expected_edges == pytest.approx(found.hidden_edges, rel=0.02)
    assert found.observed[-1] > 3 * found.hidden_edges / found.counts.sum()
    assert found.predicted[-1] == pytest.approx(found.observed[-1], rel=0.5)


def test_an_edge_thought_impossible_costs_everything() -> None:
    class Never(PairCompletion):
        def probabilities(self, graph: Graph, features: Any = None) -> EdgeProbabilities:
            return EdgeProbabilities(graph, np.empty((0, 2), np.int32), [])

    found = reliability_curve(Never(), planted(0.2, 0.02), seen_fraction=SHARE, random_state=0)
    assert found.log_score == np.inf
    assert found.expected_edges == 0.0
    assert np.isnan(found.predicted[1:]).all()


def test_a_reliability_curve_needs_probabilities() -> None:
    mixture: Any = Mixture((Bagging(),))
    with pytest.raises(TypeError, match="completion must have probabilities"):
        reliability_curve(mixture, planted(0.2, 0.02), seen_fraction=SHARE)


def test_sharpness_goes_where_distances_are_right() -> None:
    class Blurred(PairCompletion):
        """Likely edges of a path, and a little of everything."""

        def probabilities(self, graph: Graph, features: Any = None) -> EdgeProbabilities:
            pairs = np.column_stack([np.arange(N - 1), np.arange(1, N)])
            free = pairs[[v not in graph.neighbors(u) for u, v in pairs.tolist()]]
            found = EdgeProbabilities(graph, free, np.full(len(free), 0.6), 0.01)
            return found.with_total(float(len(free)) + 0.5)

    path = Graph.from_edges(np.column_stack([np.arange(N - 1), np.arange(1, N)]), N)
    options = {"seen_fraction": 0.6, "random_state": 0}
    assert choose_sharpness(Blurred(), path, powers=(1.0, 3.0), **options) == 3.0
    assert choose_sharpness(Blurred(), path, powers=(2.0,), join=True, **options) == 2.0


# --- the choice -----------------------------------------------------------------------------------


class Spy:
    """A completion that expects nothing and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[Graph, Any]] = []

    def missing_edges(self, graph: Graph, features: Any) -> Graph:
        self.shown.append((graph, features))
        return Graph.from_edges([], graph.n_nodes, [])


def test_features_are_chosen_where_they_tell() -> None:
    graph = planted(0.08, 0.02)
    informed = choose(graph, FEATURES, 4, seen_fraction=SHARE, n_splits=3, random_state=0)
    assert isinstance(informed.completion, FeatureNeighbours | Mixture)
    labels = informed.labels(graph, FEATURES, random_state=0)
    assert modularity(graph, labels) > 0.2
    noise = np.random.default_rng(0).standard_normal((N, 4)).astype(np.float32)
    lone = [FeatureNeighbours(80), None]
    misled = choose(
        planted(0.3, 0.01), noise, 4, seen_fraction=0.6, candidates=lone, random_state=0
    )
    assert misled.completion is None
    assert misled.missing_edges(graph).n_edges == 0


def test_candidates_see_nothing_but_a_share_of_the_seen_edges() -> None:
    graph, spy = planted(0.2, 0.02), Spy()
    choice = choose(
        graph, FEATURES, 4, seen_fraction=SHARE, candidates=[spy], n_splits=3, random_state=0
    )
    assert len(spy.shown) == 3
    for kept, features in spy.shown:
        assert kept.n_edges == round(SHARE * graph.n_edges)
        assert {tuple(e) for e in kept.edges.tolist()} < {tuple(e) for e in graph.edges.tolist()}
        assert features is FEATURES
    assert choice.completion is spy
    assert len(choice.outcomes) == 3
    assert all(len(outcome.values) == 3 for outcome in choice.outcomes)


def test_features_that_came_from_the_edges_are_not_shown() -> None:
    graph, spy = planted(0.2, 0.02), Spy()
    options: dict[str, Any] = {"seen_fraction": SHARE, "features_from_edges": True}
    choose(graph, FEATURES, 4, candidates=[spy], n_splits=1, random_state=0, **options)
    assert spy.shown[0][1] is None
    choice = choose(graph, FEATURES, 4, n_splits=1, random_state=0, **options)
    assert not any(isinstance(t.completion, FeatureNeighbours | Mixture) for t in choice.outcomes)


def test_features_of_a_function_are_made_of_what_is_left() -> None:
    graph, spy = planted(0.2, 0.02), Spy()
    asked: list[Graph] = []

    def degrees(kept: Graph) -> Any:
        asked.append(kept)
        return kept.degrees[:, None]

    options: dict[str, Any] = {"seen_fraction": SHARE, "n_splits": 2, "random_state": 0}
    choice = choose(graph, degrees, 4, candidates=[spy, None], **options)
    assert [kept.n_edges for kept in asked] == [round(SHARE * graph.n_edges)] * 2
    for kept, features in spy.shown:
        np.testing.assert_array_equal(features[:, 0], kept.degrees)
    choice.missing_edges(graph, degrees)
    np.testing.assert_array_equal(spy.shown[-1][1][:, 0], graph.degrees)


def test_one_choice_for_several_graphs() -> None:
    graphs = [planted(0.1, 0.02, seed) for seed in range(3)]
    options: dict[str, Any] = {"seen_fraction": SHARE, "n_splits": 2, "candidates": (Spy(), None)}
    choice = choose(graphs, [FEATURES] * 3, 4, random_state=1, **options)
    assert all(len(outcome.values) == 6 for outcome in choice.outcomes)
    rng = np.random.default_rng(1)
    alone = [choose(graph, FEATURES, 4, random_state=rng, **options) for graph in graphs]
    assert choice.outcomes[0].values == sum((one.outcomes[0].values for one in alone), ())


@pytest.mark.parametrize(
    ("graphs", "features", "message"),
    [
        ([], None, "graph must hold at least one graph"),
        ([planted(0.1, 0.02)], [FEATURES] * 2, "features must be one array per graph, 1, not 2"),
    ],
    ids=["none", "features of others"],
)
def test_lists_that_do_not_fit(graphs: list[Graph], features: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose(graphs, features, 4, seen_fraction=SHARE)


def test_the_same_seed_makes_the_same_choice() -> None:
    graph = planted(0.1, 0.02)
    options: dict[str, Any] = {"seen_fraction": SHARE, "n_splits": 2, "random_state": 5}
    once, again = (choose(graph, None, 4, **options) for _ in range(2))
    assert [outcome.values for outcome in once.outcomes] == [
        outcome.values for outcome in again.outcomes
    ]
    assert once.placement == again.placement


def test_a_decision_of_ones_own_is_chosen_by_its_own_judge() -> None:
    def hub(graph: Graph, rng: np.random.Generator) -> np.ndarray:
        return np.array([graph.strengths.argmax()])

    def degree(graph: Graph, decision: np.ndarray) -> float:
        return float(graph.degrees[decision[0]])

    star = Graph.from_edges(np.column_stack([np.zeros(9, int), np.arange(1, 10)]), 12)
    choice = choose(star, seen_fraction=0.5, decide=hub, judge=degree, n_splits=2, random_state=0)
    assert choice.best.value == 9.0
    assert {outcome.placement for outcome in choice.outcomes} == {"expected"}
    assert choice.labels(star, random_state=0).tolist() == [0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "k must be given"),
        ({"k": N + 1}, f"k must be at most {N}"),
        ({"k": 0}, "k must be at least 1"),
        ({"k": 3, "seen_fraction": 0.0}, "seen_fraction must be greater than 0"),
        ({"k": 3, "candidates": []}, "at least one each"),
        ({"k": 3, "placements": ["nowhere"]}, "placements must be one of"),
        ({"k": 3, "n_splits": 0}, "n_splits must be at least 1"),
    ],
)
def test_bad_requests_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        choose(planted(0.2, 0.02), **{"seen_fraction": SHARE, **options})


@pytest.mark.parametrize("n_nodes", [1, 5])
def test_a_graph_without_edges_can_be_chosen_for(n_nodes: int) -> None:
    graph = Graph.from_edges([], n_nodes)
    choice = choose(graph, None, 1, seen_fraction=SHARE, n_splits=1, random_state=0)
    assert choice.labels(graph).tolist() == [0] * n_nodes


def test_where_everything_is_seen_nothing_is_expected() -> None:
    assert default_candidates(1.0) == (None,)
    weights = {c.weight for c in default_candidates(0.25) if hasattr(c, "weight")}
    assert weights == {3.0}


# --- nodes without an edge ------------------------------------------------------------------------

PAIR = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (5, 6)], 12)


def partition(graph: Graph, rng: np.random.Generator) -> np.ndarray:
    return leiden(graph, 2, random_state=rng).labels


def test_nodes_without_an_edge_are_placed_as_asked() -> None:
    missing = Graph.from_edges([(2, 7), (5, 8), (5, 9), (5, 10), (5, 11)], 12, np.full(5, 0.5))
    placed = {
        how: decide_under(PAIR, missing, partition, placement=how, random_state=0)
        for how in ("expected", "together", "spread")
    }
    for labels in placed.values():
        assert labels[:7].tolist() == [0, 0, 0, 1, 1, 1, 1]
    assert placed["expected"][7:].tolist() == [0, 1, 1, 1, 1]
    assert placed["together"][7:].tolist() == [1] * 5
    assert np.bincount(placed["spread"][7:]).tolist() == [2, 3]


def test_without_such_nodes_there_is_nothing_to_place() -> None:
    graph = random_graph(8, 40, 0)
    assert (graph.degrees > 0).all()
    found = [
        decide_under(graph, None, partition, placement=how, random_state=0).tolist()
        for how in ("expected", "together", "spread")
    ]
    assert found[0] == found[1] == found[2]
