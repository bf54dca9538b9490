"""k-center: against the twin and brute force; types, unreachable nodes, ties, errors."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import random_graph
from numpy.typing import NDArray
from sized_graphs import sized_graphs

from graphopt import (
    Graph,
    KCenterResult,
    all_pairs_shortest_paths,
    evaluate_centers,
    gonzalez,
    greedy_k_center,
)
from graphopt.errors import MemoryLimitError
from tests.reference import k_center as reference
from tests.reference import shortest_paths

TYPES = [np.uint8, np.uint16, np.uint32, np.float32, np.float64]


def small_graph(seed: int, weights: str | None = None) -> Graph:
    """Return 1 to 11 nodes, about half of the time disconnected."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    graph = random_graph(n, int(rng.integers(0, 3 * n)), seed, weights=weights)
    if weights != "float":
        return graph
    # Lengths in eighths: sums are exact in any order, so ties are ties for the twin too.
    eighths = rng.integers(0, 30, graph.n_edges) / 8
    return Graph.from_edges(graph.edges, n, eighths)


def typed(distances: NDArray[np.float64], dtype: Any) -> NDArray[Any]:
    """Return float distances in another type, with its own mark for unreachable."""
    if np.dtype(dtype).kind == "f":
        return distances.astype(dtype)
    missing = np.isinf(distances)
    result = np.where(missing, 0, distances).astype(dtype)
    result[missing] = np.iinfo(dtype).max
    return result


def check(result: KCenterResult, distances: NDArray[np.float64], centers: list[int]) -> None:
    assert result.centers.tolist() == centers
    assert result.radius == reference.radius(distances, centers)
    assert result.assignment.tolist() == reference.assignment(distances, centers)
    assert result.centers.dtype == result.assignment.dtype == np.int32
    assert isinstance(result.radius, float)


# 200 random graphs in all: 100 with hops, 50 with whole lengths, 50 with eighths, zero included.
@pytest.mark.parametrize(
    ("seed", "weights"),
    [(s, None) for s in range(100)] + [(s, kind) for s in range(50) for kind in ("int", "float")],
)
def test_equals_twin_and_brute_force(seed: int, weights: str | None) -> None:
    graph = small_graph(seed, weights)
    n = graph.n_nodes
    distances = shortest_paths.all_pairs_shortest_paths(graph)
    rng = np.random.default_rng(seed)
    k, first = int(rng.integers(1, min(n, 4) + 1)), int(rng.integers(n))

    farthest = reference.gonzalez(distances, k, first)
    check(gonzalez(graph, k, first=first), distances, farthest)
    check(gonzalez(distances, k, first=first), distances, farthest)
    greedy = reference.greedy_k_center(distances, k)
    check(greedy_k_center(graph, k), distances, greedy)
    check(greedy_k_center(distances, k), distances, greedy)
    check(evaluate_centers(graph, greedy), distances, greedy)
    check(evaluate_centers(distances, greedy), distances, greedy)

    optimum = reference.optimal_radius(distances, k)
    assert optimum <= reference.radius(distances, greedy)
    assert optimum <= reference.radius(distances, farthest) <= 2 * optimum


@pytest.mark.parametrize("dtype", [*TYPES, np.uint64])
@pytest.mark.parametrize("n_edges", [50, 120, 400])
def test_every_type_of_matrix(n_edges: int, dtype: Any) -> None:
    distances = shortest_paths.all_pairs_shortest_paths(random_graph(90, n_edges, 7))
    matrix = typed(distances, dtype)
    before = matrix.copy()
    check(greedy_k_center(matrix, 4), distances, reference.greedy_k_center(distances, 4))
    check(gonzalez(matrix, 9, first=5), distances, reference.gonzalez(distances, 9, 5))
    check(evaluate_centers(matrix, [8, 3]), distances, [8, 3])
    np.testing.assert_array_equal(matrix, before)


@pytest.mark.parametrize("dtype", TYPES)
def test_distances_need_not_be_symmetric(dtype: Any) -> None:
    distances = shortest_paths.all_pairs_shortest_paths(random_graph(70, 200, 1, directed=True))
    matrix = typed(distances, dtype)
    check(greedy_k_center(matrix, 3), distances, reference.greedy_k_center(distances, 3))
    check(gonzalez(matrix, 5, first=0), distances, reference.gonzalez(distances, 5, 0))


@pytest.mark.parametrize("weights", [None, "float"])
def test_directed_graph_equals_its_matrix(weights: str | None) -> None:
    graph = random_graph(60, 200, 4, weights=weights, directed=True)
    distances = shortest_paths.all_pairs_shortest_paths(graph)
    check(gonzalez(graph, 6, first=2), distances, reference.gonzalez(distances, 6, 2))
    check(evaluate_centers(graph, [5, 50]), distances, [5, 50])


def greedy_by_columns(distances: NDArray[np.float64], k: int) -> list[int]:
    """Return what the twin does, all candidates of a step at once."""
    current, centers = np.full(len(distances), np.inf), []
    for _ in range(k):
        near = np.minimum(distances, current)
        largest = near.max(axis=1)
        at_largest = (near == largest[:, None]).sum(axis=1)
        sums = np.where(np.isfinite(near), near, 0.0).sum(axis=1)
        chosen = np.isin(np.arange(len(distances)), centers)
        centers.append(int(np.lexsort((sums, at_largest, largest, chosen))[0]))
        current = near[centers[-1]]
    return centers


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("n_edges", [250, 700, 1500])
def test_greedy_with_many_candidates_and_ties(n_edges: int, dtype: Any) -> None:
    # Several chunks of candidates; from disconnected to dense enough that most candidates tie.
    hops = all_pairs_shortest_paths(random_graph(500, n_edges, n_edges))
    distances = np.where(hops == 255, np.inf, hops)
    part = distances[:40, :40]
    assert greedy_by_columns(part, 3) == reference.greedy_k_center(part, 3)
    expected = greedy_by_columns(distances, 8)
    for threads in (1, 2):
        result = greedy_k_center(typed(distances, dtype), 8, num_threads=threads)
        assert result.centers.tolist() == expected


def test_signed_integers_have_no_mark_for_unreachable() -> None:
    matrix = np.array([[0, 127], [127, 0]], dtype=np.int8)
    assert greedy_k_center(matrix, 1).radius == 127.0
    assert evaluate_centers(matrix, [0]).radius == 127.0
    assert np.isinf(
        greedy_k_center(matrix.astype(np.uint8) + np.uint8(128) * (matrix > 0), 1).radius
    )


def test_greedy_reaches_as_many_as_it_can() -> None:
    # A triangle, a pair and a single node: biggest parts first, radius infinite until all have one.
    graph = Graph.from_edges([(0, 1), (2, 3), (3, 4), (4, 2)], n_nodes=6)
    assert greedy_k_center(graph, 1).centers.tolist() == [2]
    assert greedy_k_center(graph, 2).centers.tolist() == [2, 0]
    assert np.isinf(greedy_k_center(graph, 2).radius)
    assert greedy_k_center(graph, 2).assignment.tolist() == [1, 1, 0, 0, 0, -1]
    assert greedy_k_center(graph, 3).radius == 1.0


def test_gonzalez_visits_every_component_first() -> None:
    graph = Graph.from_edges([(0, 1), (2, 3), (3, 4)], n_nodes=6)
    assert gonzalez(graph, 6, first=3).centers.tolist() == [3, 0, 5, 1, 2, 4]


def test_all_nodes_may_be_chosen() -> None:
    graph = random_graph(20, 60, 0)
    for result in (gonzalez(graph, 20, first=4), greedy_k_center(graph, 20)):
        assert sorted(result.centers.tolist()) == list(range(20))
        assert result.radius == 0.0
        np.testing.assert_array_equal(result.centers[result.assignment], np.arange(20))


def test_points_at_distance_zero() -> None:
    zeros = np.zeros((4, 4))
    assert gonzalez(zeros, 3, first=2).centers.tolist() == [2, 0, 1]
    assert greedy_k_center(zeros, 3).centers.tolist() == [0, 1, 2]
    graph = Graph.from_edges([(0, 1), (1, 2)], weights=[0.0, 0.0])
    assert gonzalez(graph, 3, first=1).centers.tolist() == [1, 0, 2]


def test_one_node() -> None:
    graph = Graph.from_edges(np.empty((0, 2), int), 1)
    for result in (gonzalez(graph, 1), greedy_k_center(graph, 1), evaluate_centers(graph, [0])):
        assert (result.centers.tolist(), result.radius, result.assignment.tolist()) == ([0], 0, [0])


def test_strided_and_read_only_matrices() -> None:
    distances = shortest_paths.all_pairs_shortest_paths(random_graph(40, 80, 0))
    wide = np.repeat(np.repeat(distances, 2, axis=0), 3, axis=1)[::2, ::3]
    wide.flags.writeable = False
    for matrix in (wide, np.asfortranarray(distances), distances.tolist()):
        check(greedy_k_center(matrix, 3), distances, reference.greedy_k_center(distances, 3))


def test_same_at_any_number_of_threads() -> None:
    for weights in (None, "float"):
        graph = random_graph(700, 1500, 3, weights=weights)
        one = greedy_k_center(graph, 12, num_threads=1)
        for threads in (2, 3, 8):
            more = greedy_k_center(graph, 12, num_threads=threads)
            assert more.centers.tobytes() == one.centers.tobytes()
            assert more.assignment.tobytes() == one.assignment.tobytes()
            assert more.radius == one.radius


def test_random_state() -> None:
    graph = random_graph(50, 100, 0)
    same = [gonzalez(graph, 4, random_state=3).centers.tolist() for _ in range(3)]
    assert same[0] == same[1] == same[2]
    firsts = {int(gonzalez(graph, 1, random_state=s).centers[0]) for s in range(30)}
    assert len(firsts) > 5
    assert gonzalez(graph, 2, first=7, random_state=3).centers[0] == 7


DATA = os.environ.get("GRAPHOPT_DATA")


@pytest.mark.skipif(DATA is None, reason="GRAPHOPT_DATA does not name the folder of the data sets")
@pytest.mark.parametrize(
    ("name", "radius"),
    [
        ("cora_connected", 7),
        ("citeseer_connected", 10),
        ("protein_vidal_connected", 5),
        ("moreno", 5),
        ("fb_small", 1),
    ],
)
def test_radii_on_data_set(name: str, radius: int) -> None:
    with np.load(Path(DATA or "") / f"{name}.npz") as archive:
        graph = Graph.from_edges(archive["edges"], len(archive["node_ids"]))
    assert greedy_k_center(graph, 10).radius == radius


@pytest.mark.parametrize("name", ["cora_connected", "protein_vidal_connected", "moreno"])
def test_a_large_graph_equals_its_matrix(name: str) -> None:
    graph, _ = sized_graphs(name)
    distances = all_pairs_shortest_paths(graph)
    result = greedy_k_center(distances, 10)
    assert result.centers.tolist() == greedy_k_center(graph, 10).centers.tolist()
    assert result.radius == evaluate_centers(graph, result.centers).radius
    farthest = gonzalez(graph, 10, first=0)
    assert farthest.centers.tolist() == gonzalez(distances, 10, first=0).centers.tolist()
    assert farthest.radius == evaluate_centers(graph, farthest.centers).radius


def test_errors_name_the_argument() -> None:
    graph = random_graph(5, 8, 0)
    for function in (gonzalez, greedy_k_center):
        with pytest.raises(ValueError, match="k must be at least 1, not 0"):
            function(graph, 0)
        with pytest.raises(ValueError, match="k must be at most the number of nodes, 5, not 6"):
            function(graph, 6)
        with pytest.raises(TypeError, match="k must be an integer, not float"):
            function(graph, 2.0)  # type: ignore[operator]
    with pytest.raises(ValueError, match="k must be at most the number of nodes, 0, not 1"):
        gonzalez(np.empty((0, 0)), 1)
    with pytest.raises(ValueError, match=r"first must be a node number in 0\.\.4, not 5"):
        gonzalez(graph, 1, first=5)
    with pytest.raises(ValueError, match=r"must be a square matrix, not of shape \(2, 3\)"):
        greedy_k_center(np.zeros((2, 3)), 1)
    with pytest.raises(ValueError, match="graph_or_distances must not hold NaN"):
        greedy_k_center(np.array([[0.0, np.nan], [1.0, 0.0]]), 1)
    with pytest.raises(ValueError, match="graph_or_distances must not be negative"):
        gonzalez(np.array([[0, -1], [1, 0]]), 1)
    with pytest.raises(TypeError, match="must be a Graph or a numeric array, not <U1"):
        gonzalez(np.array([["a"]]), 1)
    with pytest.raises(ValueError, match="graph must have weights that are lengths"):
        gonzalez(Graph.from_edges([(0, 1)], weights=[-1.0]), 1)


def test_centers_to_evaluate_are_checked() -> None:
    graph = random_graph(5, 8, 0)
    with pytest.raises(ValueError, match="centers must not repeat"):
        evaluate_centers(graph, [1, 1])
    with pytest.raises(ValueError, match="centers must hold at least one node"):
        evaluate_centers(graph, [])
    with pytest.raises(ValueError, match=r"centers must hold node numbers in 0\.\.4"):
        evaluate_centers(graph, [5])


def test_what_does_not_fit_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    graphs = [random_graph(100, 300, 0, weights=weights) for weights in (None, "float")]
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 999)
    for graph in graphs:
        with pytest.raises(
            MemoryLimitError, match=r"needs .* 999 are available; gonzalez needs no"
        ):
            greedy_k_center(graph, 3)
        assert len(gonzalez(graph, 3, first=0).centers) == 3
    matrix = np.zeros((12, 12))
    message = "a copy of graph_or_distances as contiguous float64 needs 1,152 bytes and 999 are"
    for copied in (matrix.astype(np.int64), np.zeros((12, 24))[:, ::2]):
        with pytest.raises(MemoryLimitError, match=message):
            gonzalez(copied, 3, first=0)
    assert gonzalez(matrix, 3, first=0).radius == 0.0


def test_gonzalez_far_beyond_a_byte() -> None:
    # Hops above 254 take the wider type; a long path is halved again and again.
    n = 1001
    graph = Graph.from_edges(np.column_stack([np.arange(n - 1), np.arange(1, n)]))
    result = gonzalez(graph, 3, first=0)
    assert (result.centers.tolist(), result.radius) == ([0, 1000, 500], 250.0)
    assert gonzalez(graph, 1, first=0).radius == 1000.0


@pytest.mark.parametrize("directed", [False, True])
def test_gonzalez_on_a_graph_with_large_levels(directed: bool) -> None:
    # Levels of a large part of the nodes are searched in the order of the nodes.
    graph = random_graph(3000, 9000, 1, directed=directed)
    distances = all_pairs_shortest_paths(graph)
    found, expected = gonzalez(graph, 12, first=5), gonzalez(distances, 12, first=5)
    assert found.centers.tolist() == expected.centers.tolist()
    assert found.assignment.tolist() == expected.assignment.tolist()
    assert found.radius == expected.radius
