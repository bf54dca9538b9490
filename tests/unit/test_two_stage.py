"""GCN-2stage: predicted edges, made a matrix of weights or lengths, and what is decided on it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

from graphopt import (
    Graph,
    LinkPredictor,
    TwoStage,
    all_pairs_shortest_paths,
    cnm,
    evaluate_centers,
    gonzalez,
    greedy_k_center,
    modularity,
    newman,
    set_num_threads,
    spectral,
)
from graphopt.errors import MemoryLimitError
from graphopt.learning.predicted_links import expected_distances, expected_weights

GROUPS = np.repeat(np.arange(3), 20)
ALGORITHMS = ["cnm", "newman", "spectral", "greedy", "gonzalez"]


def planted(seed: int = 0) -> tuple[Graph, np.ndarray]:
    """Return three dense groups, half seen, and features."""
    rng = np.random.default_rng(seed)
    u, v = np.triu_indices(60, 1)
    chosen = rng.random(len(u)) < np.where(GROUPS[u] == GROUPS[v], 0.3, 0.01)
    rows = rng.random((60, 9), np.float32)
    rows[np.arange(60), GROUPS] += 2.0
    return Graph.from_edges(np.column_stack([u, v])[chosen], 60), rows


def fitted(iterations: int = 60, weight: float | None = None) -> LinkPredictor:
    graph, rows = planted()
    if weight is not None:
        graph = Graph.from_edges(graph.edges, 60, np.full(graph.n_edges, weight))
    return LinkPredictor(iterations=iterations, random_state=0).fit(graph, rows)


# --- weights ------------------------------------------------------------------------------------


def test_weights_are_seen_edges_and_probabilities() -> None:
    predictor = fitted()
    weights = expected_weights(predictor)
    adjacent = predictor.graph_.to_scipy().toarray() > 0
    assert weights.dtype == np.float64
    np.testing.assert_array_equal(weights, weights.T)
    assert (weights[adjacent] == 1.0).all()
    np.testing.assert_allclose(weights[~adjacent], predictor.predict_dense()[~adjacent], 1e-7)
    assert (weights.diagonal() == 0.0).all()


@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
def test_a_share_seen_sets_the_sum_and_keeps_the_order(share: float) -> None:
    predictor = fitted()
    n_edges = predictor.graph_.n_edges
    weights, raw = expected_weights(predictor, share), expected_weights(predictor)
    assert np.triu(weights).sum() == pytest.approx(n_edges / share, rel=1e-6)
    np.testing.assert_array_equal(weights, weights.T)
    unseen = (raw > 0.0) & (raw < 0.999)
    new, old = weights[unseen], raw[unseen]
    shift = np.log(new / (1 - new)) - np.log(old / (1 - old))
    np.testing.assert_allclose(shift, shift[0], atol=1e-4)


def test_where_all_is_seen_nothing_is_expected() -> None:
    predictor = fitted(5)
    np.testing.assert_array_equal(
        expected_weights(predictor, 1.0), predictor.graph_.to_scipy().toarray()
    )


def test_weights_of_edges_set_the_scale() -> None:
    plain, heavy = expected_weights(fitted(5)), expected_weights(fitted(5, 4.0))
    adjacent = fitted(5).graph_.to_scipy().toarray() > 0
    assert (heavy[adjacent] == 4.0).all()
    off = ~adjacent & ~np.eye(60, dtype=bool)
    assert (heavy[off] < 4.0).all()
    assert (plain[off] < 1.0).all()


# --- lengths ------------------------------------------------------------------------------------


def test_lengths_grow_as_probability_falls() -> None:
    predictor = fitted()
    chance = predictor.predict_dense().astype(np.float64)
    adjacent = predictor.graph_.to_scipy().toarray() > 0
    with np.errstate(divide="ignore"):
        lengths = np.where(adjacent, 1.0, 1.0 - np.log(chance))
    np.fill_diagonal(lengths, 0.0)
    expected = lengths.copy()
    for via in range(60):
        expected = np.minimum(expected, expected[:, [via]] + expected[[via]])
    distances = expected_distances(predictor)
    np.testing.assert_allclose(distances, expected, rtol=1e-6)
    np.testing.assert_allclose(distances, distances.T, rtol=1e-14)


def test_an_unlikely_edge_is_no_short_cut() -> None:
    predictor = fitted()
    hops = all_pairs_shortest_paths(predictor.graph_).astype(float)
    hops[hops == 255] = np.inf
    distances = expected_distances(predictor, 0.999)  # hardly an edge is missing
    known = np.isfinite(hops) & (hops <= 3)
    np.testing.assert_array_equal(distances[known], hops[known])
    assert (distances <= hops).all()
    assert np.isfinite(distances).all()


def test_where_all_is_seen_the_rest_is_very_far() -> None:
    predictor = fitted(5)
    distances = expected_distances(predictor, 1.0)
    hops = all_pairs_shortest_paths(predictor.graph_)
    near = hops < 60
    np.testing.assert_array_equal(distances[near], hops[near])
    assert (distances[~near] > 60).all()


# --- decisions ----------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [None, 0.5])
def test_decisions_are_those_of_the_algorithm(share: float | None) -> None:
    predictor = fitted()
    graph = predictor.graph_
    weights, distances = expected_weights(predictor, share), expected_distances(predictor, share)
    rng = np.random.default_rng
    wanted = {
        "cnm": cnm(weights, 3).labels,
        "newman": newman(weights, 3).labels,
        "spectral": spectral(weights, 3, random_state=rng(1)).labels,
        "greedy": greedy_k_center(distances, 3).centers,
        "gonzalez": gonzalez(distances, 3, random_state=rng(1)).centers,
    }
    for algorithm, decision in wanted.items():
        model = TwoStage(3, algorithm, predictor=predictor, seen_fraction=share, random_state=1)
        assert model.fit(graph) is model
        assert model.predictor_ is predictor
        np.testing.assert_array_equal(model.decision_, decision)
        assert model.labels_.shape == (60,)
        assert hasattr(model, "centers_") == (algorithm in ("greedy", "gonzalez"))
        if hasattr(model, "centers_"):
            assert model.score(graph) == evaluate_centers(graph, decision).radius
            nearest = distances[model.centers_].argmin(axis=0)
            np.testing.assert_array_equal(model.labels_, nearest)
        else:
            assert model.score(graph) == modularity(graph, decision)


@pytest.mark.parametrize("algorithm", ["cnm", "newman", "spectral"])
def test_planted_groups_are_found(algorithm: str) -> None:
    labels = TwoStage(3, algorithm, random_state=0).fit_predict(*planted())
    assert adjusted_rand_score(GROUPS, labels) > 0.8


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_as_many_clusters_as_nodes_and_one(algorithm: str) -> None:
    path = Graph.from_edges([(i, i + 1) for i in range(5)])
    predictor = LinkPredictor(iterations=3, random_state=0).fit(path)
    for k in (1, 6):
        model = TwoStage(k, algorithm, predictor=predictor, random_state=0).fit(path)
        assert len(np.unique(model.labels_)) == k


def test_a_seed_repeats_every_bit_at_any_number_of_threads() -> None:
    graph, rows = planted()
    decisions: list[list[np.ndarray]] = []
    try:
        for threads in (1, 2, 3):
            set_num_threads(threads)
            predictor = LinkPredictor(iterations=20)
            decisions.append(
                [
                    TwoStage(
                        3,
                        algorithm,
                        predictor=predictor.set_params(random_state=0),
                        random_state=0,
                        seen_fraction=0.4,
                    )
                    .fit(graph, rows)
                    .decision_
                    for algorithm in ALGORITHMS
                ]
            )
    finally:
        set_num_threads(None)
    for other in decisions[1:]:
        for one, same in zip(decisions[0], other, strict=True):
            np.testing.assert_array_equal(one, same)


def test_a_predictor_not_yet_fitted_gives_its_parameters() -> None:
    graph, rows = planted()
    given = LinkPredictor(iterations=7, random_state=3)
    model = TwoStage(3, predictor=given).fit(graph, rows)
    assert not hasattr(given, "graph_")
    assert len(model.predictor_.losses_) == 7
    np.testing.assert_array_equal(model.predictor_.embedding_, given.fit(graph, rows).embedding_)


# --- habits and errors --------------------------------------------------------------------------


def test_another_fit_replaces_everything() -> None:
    predictor = fitted(5)
    model = TwoStage(3, "greedy", predictor=predictor).fit(predictor.graph_)
    model.set_params(algorithm="cnm").fit(predictor.graph_)
    assert not hasattr(model, "centers_")


def test_parameters_clone_and_repr() -> None:
    model = TwoStage(3, "newman", seen_fraction=0.4, predictor=LinkPredictor(iterations=5))
    assert " ".join(repr(model).split()) == (
        "TwoStage(algorithm='newman', n_clusters=3, predictor=LinkPredictor(iterations=5), "
        "seen_fraction=0.4)"
    )
    assert repr(clone(model)) == repr(model)
    with pytest.raises(NotFittedError, match="this TwoStage has no decision yet; call fit first"):
        model.score(planted()[0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be at least 1, not 0"),
        ({"n_clusters": 61}, "n_clusters must be at most 60, the nodes, not 61"),
        ({"algorithm": "leiden"}, "algorithm must be one of cnm, gonzalez, greedy, .*'leiden'"),
        ({"seen_fraction": 0.0}, "seen_fraction must be greater than 0, not 0"),
        ({"seen_fraction": 1.5}, "seen_fraction must be at most 1, not 1.5"),
        ({"seen_fraction": 0.01}, "seen_fraction must leave room: 60 nodes have"),
    ],
)
def test_parameters_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    model = TwoStage(**{"n_clusters": 3, "predictor": LinkPredictor(iterations=2), **settings})
    with pytest.raises(ValueError, match=f"^{message}"):
        model.fit(*planted())


def test_predictors_and_graphs_that_do_not_fit() -> None:
    graph, _ = planted()
    with pytest.raises(ValueError, match="predictor must be fitted on the same graph, or not yet"):
        TwoStage(3, predictor=fitted(2)).fit(planted(1)[0])
    with pytest.raises(TypeError, match="predictor must be a LinkPredictor or None, not str"):
        TwoStage(3, predictor="gcn").fit(graph)
    with pytest.raises(TypeError, match="graph must be a Graph, not ndarray"):
        TwoStage(3).fit(np.eye(3))


def test_memory_is_checked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = fitted(2)
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 60 * 60 * 14)
    with pytest.raises(MemoryLimitError, match="the expected lengths between 60 nodes needs"):
        expected_distances(predictor)
