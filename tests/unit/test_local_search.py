"""k-center by swaps: against brute force and proven optima; constraints, types, errors."""

from __future__ import annotations

import os
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from helpers import random_graph
from numpy.typing import NDArray
from sized_graphs import network_with_lengths

from graphopt import (
    Graph,
    all_pairs_shortest_paths,
    evaluate_centers,
    exact_k_center,
    greedy_k_center,
    local_search_k_center,
)
from graphopt.datasets import load
from tests.reference import k_center as reference
from tests.reference import shortest_paths

DATA = os.environ.get("GRAPHOPT_DATA")


def typed(distances: NDArray[np.float64], dtype: Any) -> NDArray[Any]:
    """Return float distances in another type, with its own mark for unreachable."""
    if np.dtype(dtype).kind == "f":
        return distances.astype(dtype)
    missing = np.isinf(distances)
    result = np.where(missing, 0, distances).astype(dtype)
    result[missing] = np.iinfo(dtype).max
    return result


def worst(distances: NDArray[np.float64], centers: Any) -> tuple[float, int]:
    near = distances[list(centers)].min(axis=0)
    return float(near.max()), int((near == near.max()).sum())


@pytest.mark.parametrize("weights", [None, "int", "float"])
@pytest.mark.parametrize("seed", range(25))
def test_small_graphs_are_solved(seed: int, weights: str | None) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 13))
    graph = random_graph(n, int(rng.integers(0, 3 * n)), seed, weights=weights)
    distances = shortest_paths.all_pairs_shortest_paths(graph)
    k = int(rng.integers(1, min(n, 4) + 1))
    result = local_search_k_center(graph, k, random_state=seed)
    assert result.radius == pytest.approx(reference.optimal_radius(distances, k))
    centers = result.centers.tolist()
    assert centers == sorted(set(centers))
    assert len(centers) == k
    again = evaluate_centers(graph, result.centers)
    assert result.radius == again.radius
    assert result.assignment.tolist() == again.assignment.tolist()
    assert result.centers.dtype == result.assignment.dtype == np.int32


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float32, np.float64])
@pytest.mark.parametrize("n_edges", [60, 160])
def test_every_type_of_matrix_and_any_number_of_threads(n_edges: int, dtype: Any) -> None:
    distances = shortest_paths.all_pairs_shortest_paths(random_graph(90, n_edges, 7))
    matrix = typed(distances, dtype)
    matrix.flags.writeable = False
    results = [
        local_search_k_center(matrix, 6, random_state=1, n_starts=4, n_rounds=6, num_threads=t)
        for t in (1, 2, 3, 8)
    ]
    for result in results:
        assert result.centers.tolist() == results[0].centers.tolist()
    greedy = greedy_k_center(matrix, 6)
    found = worst(distances, results[0].centers)
    assert found <= worst(distances, greedy.centers)
    assert results[0].radius == found[0]


def test_strided_and_signed_matrices_are_copied() -> None:
    distances = shortest_paths.all_pairs_shortest_paths(random_graph(40, 200, 3))
    wanted = local_search_k_center(distances, 3, random_state=0).radius
    assert local_search_k_center(distances.astype(np.int64), 3, random_state=0).radius == wanted
    strided = np.repeat(distances, 2, axis=1)[:, ::2]
    assert local_search_k_center(strided, 3, random_state=0).radius == wanted


def test_large_hops_are_costed_as_lengths() -> None:
    distances = shortest_paths.all_pairs_shortest_paths(random_graph(60, 150, 3))
    large = typed(np.minimum(distances, 1000) * 2**21, np.uint32)
    small = local_search_k_center(np.minimum(distances, 1000), 4, random_state=0)
    result = local_search_k_center(large, 4, random_state=0)
    assert result.radius == small.radius * 2**21
    assert result.centers.tolist() == small.centers.tolist()


def test_distances_need_not_be_symmetric() -> None:
    graph = random_graph(12, 40, 1, directed=True)
    distances = shortest_paths.all_pairs_shortest_paths(graph)
    optimum = reference.optimal_radius(distances, 3)
    assert local_search_k_center(graph, 3, random_state=0).radius == optimum


@pytest.mark.parametrize("seed", range(10))
def test_constraints_and_demand(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = random_graph(14, 24, seed, weights=[None, "float"][seed % 2])
    distances = shortest_paths.all_pairs_shortest_paths(graph)
    nodes = rng.permutation(14)
    must, closed, candidates = nodes[:2], nodes[2:5], nodes[[0, 1, 3, *range(5, 14)]]
    demand = rng.choice([0.0, 1.0, 2.5], 14)
    for wanted in (None, (demand > 0).astype(float), demand):
        result = local_search_k_center(
            graph,
            4,
            candidates=candidates,
            must_open=must,
            forbidden=closed,
            demand=wanted,
            random_state=seed,
        )
        assert result.centers[:2].tolist() == must.tolist()
        assert not np.isin(result.centers, closed).any()
        assert np.isin(result.centers, candidates).all()
        costs = distances.copy()
        if wanted is not None:
            costs[:, wanted > 0] *= wanted[wanted > 0]
            costs[:, wanted == 0] = 0
        allowed = set(candidates.tolist()) - set(closed.tolist()) - set(must.tolist())
        best = min(worst(costs, [*must, *pair])[0] for pair in combinations(sorted(allowed), 2))
        assert result.radius == best == worst(costs, result.centers)[0]


def test_as_many_nodes_are_reached_as_can_be() -> None:
    # Components of 6, 4, 3 and 1 nodes: two centres reach ten.
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 5), (6, 7), (7, 8), (8, 9), (10, 11), (11, 12)]
    result = local_search_k_center(Graph.from_edges(edges, 14), 2, random_state=0)
    assert np.isinf(result.radius)
    assert (result.assignment >= 0).sum() == 10


def test_all_nodes_may_be_centers() -> None:
    graph = random_graph(9, 12, 0)
    assert local_search_k_center(graph, 9, random_state=0).radius == 0.0
    result = local_search_k_center(graph, 2, must_open=[3, 1], random_state=0)
    assert result.centers.tolist() == [3, 1]


def test_without_time_the_greedy_choice_is_returned() -> None:
    graph = random_graph(200, 500, 0)
    result = local_search_k_center(graph, 5, time_limit=0, random_state=0)
    assert result.centers.tolist() == sorted(greedy_k_center(graph, 5).centers.tolist())


def test_the_random_state_decides() -> None:
    graph = random_graph(300, 500, 0)
    one, same = (local_search_k_center(graph, 8, random_state=4, n_rounds=5) for _ in range(2))
    assert one.centers.tolist() == same.centers.tolist()
    generator = np.random.default_rng(4)
    third = local_search_k_center(graph, 8, random_state=generator, n_rounds=5)
    assert third.centers.tolist() == one.centers.tolist()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"k": 0}, "k must be at least 1"),
        ({"k": 13}, "k must be at most the number of nodes, 12"),
        ({"n_starts": 0}, "n_starts must be at least 1"),
        ({"n_rounds": -1}, "n_rounds must be at least 0"),
        ({"time_limit": -1.0}, "time_limit must be at least 0"),
        ({"random_state": -1}, "random_state must be at least 0"),
        ({"demand": [1.0]}, "demand must have one entry per node"),
        ({"demand": -np.ones(12)}, "demand must not be negative"),
        ({"forbidden": range(12)}, "k must be at most the number of candidates"),
        ({"must_open": [1, 1]}, "must_open must not repeat"),
        ({"graph_or_distances": np.full((12, 12), np.nan)}, "must not hold NaN"),
        ({"graph_or_distances": np.zeros((0, 0))}, "k must be at most the number of nodes, 0"),
    ],
)
def test_errors_name_the_argument(arguments: dict[str, Any], message: str) -> None:
    settings: dict[str, Any] = {"graph_or_distances": random_graph(12, 20, 0), "k": 2}
    with pytest.raises(ValueError, match=message):
        local_search_k_center(**(settings | arguments))


# --- the published data sets ---------------------------------------------------------------------

needs_data = pytest.mark.skipif(DATA is None, reason="GRAPHOPT_DATA names no folder of data sets")


@needs_data
@pytest.mark.parametrize(
    ("name", "radii"),
    [
        ("cora_connected", {10: 6, 5: 8}),
        ("citeseer_connected", {10: 9, 5: 11}),
        ("protein_vidal_connected", {10: 5, 5: 6}),
        ("moreno", {10: 4, 5: 5}),
        ("fb_small", {10: 1, 5: 2}),
    ],
)
def test_proven_optima_are_reached(name: str, radii: dict[int, int]) -> None:
    # In any order of the nodes.
    distances = all_pairs_shortest_paths(load(name).permuted(5).graph)
    for k, radius in radii.items():
        assert local_search_k_center(distances, k, random_state=0, n_rounds=0).radius == radius


@pytest.mark.parametrize(
    ("n", "k"), [(100, k) for k in (5, 10, 20, 33)] + [(200, k) for k in (5, 10, 20, 40, 67)]
)
def test_networks_with_lengths(n: int, k: int) -> None:
    """Of the sizes of the OR-Library's first instances."""
    graph = network_with_lengths(n, n * n // 50, seed=k)
    optimum = exact_k_center(graph, k).radius
    found = local_search_k_center(graph, k, random_state=0, n_rounds=100).radius
    assert optimum <= found <= 1.05 * optimum
