"""Weights, lengths and features at the ends of the range: right answers, or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from unit_cases import EDGES, LABELS, ROWS, club

from graphopt import (
    CommunityResult,
    Graph,
    all_pairs_shortest_paths,
    cnm,
    completion,
    evaluate_centers,
    exact_k_center,
    expected_distances,
    gonzalez,
    greedy_k_center,
    leiden,
    local_search_k_center,
    modularity,
    newman,
    polish,
    robust_k_center,
    soft_kmeans,
    spectral,
)
from graphopt import _scale as scale
from graphopt.clustering import kmeans_plus_plus, soft_kmeans_vjp
from graphopt.facility import expected_distances_gradient
from graphopt.learning import LinkPredictor, predicted_links
from graphopt.nn import SoftKMeans, gradient_certificate
from graphopt.nn.losses import KCenterLoss, ModularityLoss

FIND: dict[str, Callable[[Any], CommunityResult]] = {
    "cnm": lambda graph: cnm(graph, 4),
    "newman": lambda graph: newman(graph, 4),
    "spectral": lambda graph: spectral(graph, 4, random_state=0),
    "polish": lambda graph: polish(graph, LABELS, 4, random_state=0),
    "polish exactly": lambda graph: polish(graph, LABELS // 2, 4, exactly=True, random_state=0),
}
FIND_IN_GRAPH = FIND | {
    "leiden": lambda graph: leiden(graph, random_state=0),
    "leiden k": lambda graph: leiden(graph, 4, random_state=0),
    "leiden exactly": lambda graph: leiden(graph, 4, exactly=True, random_state=0),
}


def alike(weight: float) -> Graph:
    return Graph.from_edges(EDGES, 34, np.full(len(EDGES), weight))


# --- communities ----------------------------------------------------------------------------------


@pytest.mark.parametrize("weight", [2.0**-600, 1e-170, 1e155, 1e160, 2.0**900, 5e-324, 1.7e308])
@pytest.mark.parametrize("name", FIND_IN_GRAPH)
def test_equal_weights_are_no_weights(name: str, weight: float) -> None:
    expected = FIND_IN_GRAPH[name](Graph.from_edges(EDGES, 34))
    for graph in [alike(weight), alike(weight).to_scipy().toarray()][: 1 + (name in FIND)]:
        found = FIND_IN_GRAPH[name](graph)
        assert found.labels.tolist() == expected.labels.tolist()
        assert found.modularity == pytest.approx(expected.modularity)
    assert expected.modularity > 0.37


@pytest.mark.parametrize("name", FIND_IN_GRAPH)
def test_edges_of_weight_zero_are_none(name: str) -> None:
    graph = alike(0.0)
    expected = FIND_IN_GRAPH[name](Graph.from_edges([], 34))
    for given in [graph, graph.to_scipy().toarray()][: 1 + (name in FIND)]:
        found = FIND_IN_GRAPH[name](given)
        assert found.labels.tolist() == expected.labels.tolist()
        assert found.modularity == 0.0
    assert modularity(graph, LABELS) == 0.0
    problem = ModularityLoss().prepare(graph)
    assert ModularityLoss().training_value(LABELS, problem) == 0.0


@pytest.mark.parametrize("name", FIND_IN_GRAPH)
def test_what_is_too_small_beside_the_largest_weight_counts_as_zero(name: str) -> None:
    weights = np.where(np.arange(len(EDGES)) < 30, 1e308, 1e-308)
    nothing = np.where(np.arange(len(EDGES)) < 30, 1e308, 0.0)
    found, expected = (
        FIND_IN_GRAPH[name](Graph.from_edges(EDGES, 34, w)) for w in (weights, nothing)
    )
    assert found.labels.shape == (34,)
    assert found.modularity == pytest.approx(expected.modularity)


@pytest.mark.parametrize("name", FIND_IN_GRAPH)
def test_negative_weights_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="graph must not have negative weights"):
        FIND_IN_GRAPH[name](Graph.from_edges(EDGES, 34, -np.ones(len(EDGES))))


# --- lengths --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "find",
    [
        all_pairs_shortest_paths,
        lambda graph: gonzalez(graph, 1, first=0),
        lambda graph: evaluate_centers(graph, [0]),
        lambda graph: greedy_k_center(graph, 1),
        lambda graph: local_search_k_center(graph, 1, random_state=0),
        lambda graph: exact_k_center(graph, 1),
        lambda graph: robust_k_center([graph], 1, random_state=0),
    ],
)
def test_a_path_too_long_for_float64_is_refused(find: Callable[[Graph], Any]) -> None:
    path = np.column_stack([np.arange(9), np.arange(1, 10)])
    with pytest.raises(ValueError, match="must be smaller: the result is too large for float64"):
        find(Graph.from_edges(path, weights=np.full(9, 1e308)))


def test_long_paths_that_are_not_asked_for_do_no_harm() -> None:
    path = np.column_stack([np.arange(8), np.arange(1, 9)])
    graph = Graph.from_edges(path, weights=np.full(8, 1e308))
    assert evaluate_centers(graph, [1, 4, 7]).radius == 1e308
    found = gonzalez(graph, 5, first=0)
    assert found.centers.tolist() == [0, 8, 4, 2, 6]
    assert found.radius == 1e308
    assert all_pairs_shortest_paths(graph, cutoff=1e308)[0].tolist()[:3] == [0.0, 1e308, np.inf]


def test_demand_times_distance_may_be_too_large() -> None:
    distances = np.ldexp(all_pairs_shortest_paths(club(0)), 600)
    demand = np.full(34, 2.0**600)
    for solve in (local_search_k_center, exact_k_center):
        with pytest.raises(ValueError, match="graph_or_distances must be smaller: the result is"):
            solve(distances, 2, demand=demand)
        with pytest.raises(ValueError, match="graph_or_distances must be larger: the result is"):
            solve(np.ldexp(distances, -1200), 2, demand=np.ldexp(demand, -1300))


def test_expected_distances_in_single_precision() -> None:
    distances = all_pairs_shortest_paths(club(0))
    opening = np.random.default_rng(0).random(34).astype(np.float32)
    upstream = np.ones(34, np.float32)
    expected = expected_distances(distances, opening, charge=20.0)
    gradient = expected_distances_gradient(distances, opening, upstream, charge=20.0)
    for exponent in (-100, -70, 70, 100):
        other, charge = np.ldexp(distances, exponent), float(np.ldexp(20.0, exponent))
        found = expected_distances(other, opening, charge=charge)
        assert found.dtype == np.float32
        assert np.array_equal(found, np.ldexp(expected, exponent))
        found = expected_distances_gradient(other, opening, upstream, charge=charge)
        assert np.array_equal(found, np.ldexp(gradient, exponent))
    for exponent, size in ((300, "smaller"), (-300, "larger")):
        other, charge = np.ldexp(distances, exponent), float(np.ldexp(20.0, exponent))
        with pytest.raises(ValueError, match=f"distances must be {size}: .* for float32"):
            expected_distances(other, opening, charge=charge)
        with pytest.raises(ValueError, match=f"distances or upstream must be {size}: .* float32"):
            expected_distances_gradient(other, opening, upstream, charge=charge)


def test_the_typical_edge_is_the_unit_of_the_facility_loss() -> None:
    objective = KCenterLoss(3)
    for exponent in (-900, 0, 900):
        graph = Graph.from_edges(EDGES, 34, np.full(len(EDGES), 2.0**exponent))
        problem = objective.prepare(graph)
        assert problem.exponent == exponent
        hops = objective.prepare(Graph.from_edges(EDGES, 34))
        assert np.array_equal(problem.distances.numpy(), hops.distances.numpy())


@pytest.mark.parametrize("charge", [1e-300, 1e300])
def test_a_charge_that_is_out_of_proportion(charge: float) -> None:
    for exponent in (-900, 900):
        graph = Graph.from_edges(EDGES, 34, np.full(len(EDGES), 2.0**exponent))
        problem = KCenterLoss(3, charge=charge, growth=0.0).prepare(graph)
        assert 0.0 < problem.charge < np.inf
        samples = [graph, graph]
        found = robust_k_center(samples, 3, charge=charge, random_state=0)
        assert np.isfinite(found.radii).all()


def test_edges_longer_than_any_path_do_not_stop_training() -> None:
    lengths = np.where(np.arange(len(EDGES)) % 3 == 0, 1e60, 1.0)
    problem = KCenterLoss(3).prepare(Graph.from_edges(EDGES, 34, lengths))
    opening = torch.full((34,), 0.1, requires_grad=True)
    KCenterLoss(3).loss(opening, problem).backward()
    assert opening.grad is not None
    assert torch.isfinite(opening.grad).all()


# --- rows -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "other"), [(3e38, 1.5e38), (1e-40, 5e-41), (1e-44, 1e-44)])
def test_rows_at_the_ends_of_single_precision(size: float, other: float) -> None:
    x = np.array([[size, other], [size, -other], [-size, other], [0.0, 0.0]], np.float32)
    start = np.eye(2, dtype=np.float32)
    exact = x.astype(np.float64)
    expected = soft_kmeans(exact, start.astype(np.float64), temperature=2.0, iterations=3)
    found = soft_kmeans(x, start, temperature=2.0, iterations=3)
    np.testing.assert_allclose(found.centers, expected.centers, atol=1e-6)
    np.testing.assert_allclose(found.assignment, expected.assignment, atol=1e-6)
    centers = kmeans_plus_plus(x, 2, random_state=0)
    np.testing.assert_allclose(np.linalg.norm(centers, axis=1), 1.0, rtol=1e-6)


@pytest.mark.parametrize("exponent", [-90, -65, 65, 90])
def test_the_module_in_single_precision(exponent: int) -> None:
    layer = SoftKMeans(3, 5.0, 3)
    found = []
    for power in (0, exponent):
        x = torch.tensor(np.ldexp(ROWS, power), dtype=torch.float32, requires_grad=True)
        clusters = layer(x, torch.eye(3, 5))
        clusters.centers.square().sum().backward()
        assert x.grad is not None
        gradient = np.ldexp(x.grad.numpy(), power)
        found.append([*(part.detach().numpy() for part in clusters), gradient])
    for value, expected in zip(*found, strict=True):
        assert np.array_equal(value, expected)


def test_similarities_beyond_the_type_are_refused() -> None:
    x = np.full((4, 2), 3e38, np.float32)
    for iterations in (0, 2):
        for normalize in (False, True):
            with pytest.raises(ValueError, match=r"x, centers or temperature must be smaller"):
                soft_kmeans(x, x[:2], temperature=10, iterations=iterations, normalize=normalize)


def test_no_certificate_for_rows_that_are_too_long() -> None:
    x, shares = np.full((4, 2), 1e200), np.full((4, 2), 0.5)
    with pytest.raises(ValueError, match="x and centers must be smaller: their products are too"):
        gradient_certificate(x, x[:2], shares, 1.0)


def test_a_certificate_beside_a_center_that_is_out_of_reach() -> None:
    x, far = np.array([[1.0, 0.5], [0.5, 1.0]]), np.array([[1.0, 1.0], [-1e308, 0.0]])
    found = gradient_certificate(x, far, np.array([[1.0, 0.0], [1.0, 0.0]]), 30.0)
    assert found.mass == 0.0


def test_gradients_by_rows_that_are_too_short() -> None:
    x = (1e-42 * ROWS).astype(np.float32)
    start = np.eye(3, 5, dtype=np.float32)
    with pytest.raises(ValueError, match=r"x must have longer rows: .* too large for float32"):
        soft_kmeans_vjp(
            x, start, temperature=2.0, iterations=2, grad_centers=np.ones((3, 5), np.float32)
        )


# --- units ----------------------------------------------------------------------------------------


def test_exponents() -> None:
    assert scale.exponent_of(np.zeros(3), np.empty(0)) == 0
    assert scale.exponent_of(np.array([[0.5, -7.0], [np.inf, np.nan]])) == 2
    assert scale.exponent_of(np.array([5e-324])) == -1074
    assert scale.exponent_of(np.array([1.7e308]), np.array([1.0])) == 1023
    assert scale.exponent_of(np.array([1.0] * 100_000 + [2.0**9])) == 9
    assert scale.unusual_exponent(np.array([2.0**200])) == 0
    assert scale.unusual_exponent(np.array([2.0**-201])) == -201


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_powers_are_exact(dtype: type[np.floating[Any]]) -> None:
    limits = np.finfo(dtype)
    values = np.array([limits.max, limits.tiny, limits.smallest_subnormal, 0.0, -1.5, np.inf])
    values = values.astype(dtype)
    assert scale.times_power(values, 0) is values
    for exponent in (-limits.maxexp, -3, 3, 1 - limits.minexp):
        found = scale.times_power(values[1:], exponent)
        assert found.dtype == dtype
        with np.errstate(all="ignore"):
            assert np.array_equal(found, np.ldexp(values[1:], exponent))
    assert scale.times_power(values[2:3], 1 - limits.minexp)[0] > 0.0


def test_results_that_leave_the_range_are_refused() -> None:
    values = np.array([1.0, np.inf, 2.0**-200])
    assert scale.restored("x", values, 1000).tolist() == [2.0**1000, np.inf, 2.0**800]
    assert scale.restored("x", values, -1000).tolist() == [2.0**-1000, np.inf, 0.0]
    assert scale.restored("x", np.zeros(2), -5000).tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="x must be smaller: the result is too large for float64"):
        scale.restored("x", values, 1024)
    with pytest.raises(ValueError, match="x must be larger: the result is too small for float64"):
        scale.restored("x", values[::2], -1100)
    assert scale.clipped_power(1e300, 900) == np.finfo(float).max
    assert scale.clipped_power(3.0, -2000) == np.finfo(float).tiny
    assert scale.clipped_power(3.0, -2) == 0.75
    assert scale.mean_of(np.full(3, 1e308)) == pytest.approx(1e308)


# --- completions ----------------------------------------------------------------------------------

RING = Graph.from_edges([(i, (i + 1) % 8) for i in range(8)], weights=np.arange(1.0, 9.0))
DESCRIBED = np.eye(8, dtype=np.float32)[[0, 1, 0, 1, 2, 3, 2, 3]] + np.float32(0.1)
COMPLETIONS: dict[str, completion.PairCompletion] = {
    "bagging": completion.Bagging(random_state=0),
    "neighbours": completion.FeatureNeighbours(2),
    "model": completion.LinkModel(random_state=0),
}


def in_unit(graph: Graph, unit: float) -> Graph:
    assert graph.edge_weights is not None
    return Graph.from_edges(graph.edges, graph.n_nodes, graph.edge_weights * unit)


@pytest.mark.parametrize("unit", [2.0**-700, 2.0**1020])
@pytest.mark.parametrize("name", COMPLETIONS)
def test_expected_edges_are_the_same_in_any_unit(name: str, unit: float) -> None:
    part = COMPLETIONS[name]
    plain = part.missing_edges(RING, DESCRIBED)
    scaled = part.missing_edges(in_unit(RING, unit), DESCRIBED)
    assert np.array_equal(scaled.edges, plain.edges)
    assert plain.weights is not None
    assert scaled.weights is not None
    assert np.array_equal(scaled.weights, plain.weights * unit)


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**1020])
@pytest.mark.parametrize("name", COMPLETIONS)
def test_probabilities_have_no_unit(name: str, unit: float) -> None:
    plain = COMPLETIONS[name].probabilities(RING, DESCRIBED)
    scaled = COMPLETIONS[name].probabilities(in_unit(RING, unit), DESCRIBED)
    assert np.array_equal(scaled.pairs, plain.pairs)
    assert np.array_equal(scaled.probabilities, plain.probabilities)


def test_expected_edges_that_are_too_heavy_are_refused() -> None:
    part = completion.FeatureNeighbours(1, weight=1e9)
    with pytest.raises(ValueError, match="weights of graph must be smaller"):
        part.missing_edges(in_unit(RING, 2.0**1020), DESCRIBED)


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**1019])
def test_two_stages_weigh_and_measure_in_any_unit(unit: float) -> None:
    plain = LinkPredictor(iterations=2, random_state=0).fit(RING, DESCRIBED)
    scaled = LinkPredictor(iterations=2, random_state=0).fit(in_unit(RING, unit), DESCRIBED)
    for function in (predicted_links.expected_weights, predicted_links.expected_distances):
        assert np.array_equal(function(scaled), function(plain) * unit)
