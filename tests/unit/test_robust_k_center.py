"""k-center on sampled graphs: against the twin and brute force; types, risk, errors."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from helpers import random_graph
from numpy.typing import NDArray

from graphopt import (
    Graph,
    RobustKCenterResult,
    all_pairs_shortest_paths,
    evaluate_centers,
    robust_k_center,
)
from graphopt.errors import MemoryLimitError
from tests.reference import shortest_paths
from tests.reference import swap_search as twin


def samples_of(seed: int, n_samples: int, n_nodes: int, weights: str | None = None) -> list[Graph]:
    """Return connected graphs: a path in a random order and random edges."""
    graphs = []
    for i in range(n_samples):
        rng = np.random.default_rng([seed, i])
        order = rng.permutation(n_nodes)
        path = np.column_stack([order[:-1], order[1:]])
        edges = np.concatenate([path, rng.integers(0, n_nodes, (n_nodes // 2, 2))])
        lengths = None if weights is None else rng.integers(1, 9, len(edges)).astype(float)
        graphs.append(Graph.from_edges(edges, n_nodes, lengths))
    return graphs


def smoothed(graphs: list[Graph], growth: float, charge: float = np.inf) -> NDArray[np.float64]:
    hops = [shortest_paths.all_pairs_shortest_paths(graph) for graph in graphs]
    return np.exp(growth * np.minimum(np.concatenate(hops, axis=1), charge))


@pytest.mark.parametrize(("risk", "tail"), [("mean", 5.0), ("cvar", 1.5)])
@pytest.mark.parametrize("seed", range(6))
def test_no_exchange_improves(seed: int, risk: str, tail: float) -> None:
    graphs = samples_of(seed, 5, 12)
    result = robust_k_center(graphs, 3, risk=risk, alpha=0.7, random_state=seed)
    costs = smoothed(graphs, 0.6)
    value = twin.objective(costs, result.centers.tolist(), 5, tail)
    for place in range(3):
        for site in set(range(12)) - set(result.centers.tolist()):
            other = result.centers.tolist()
            other[place] = site
            assert twin.objective(costs, other, 5, tail) >= value * (1 - 1e-12)
    assert result.centers.tolist() == sorted(set(result.centers.tolist()))
    radii = [evaluate_centers(graph, result.centers).radius for graph in graphs]
    assert result.radii.tolist() == radii
    assert result.mean_radius == pytest.approx(np.mean(radii))


def test_the_charge_limits_what_far_nodes_cost() -> None:
    graphs = samples_of(3, 4, 12)
    graphs[0] = Graph.from_edges(graphs[0].edges[:3], 12)  # mostly isolated nodes
    result = robust_k_center(graphs, 2, charge=2, random_state=0)
    costs = smoothed(graphs, 0.6, charge=2)
    value = twin.objective(costs, result.centers.tolist(), 4)
    best = min(twin.objective(costs, list(c), 4) for c in combinations(range(12), 2))
    assert value == pytest.approx(best)
    assert np.isinf(result.radii[0])
    assert result.quantile(0.75) == max(result.radii[1:])
    assert np.isinf(result.quantile(1.0))


def test_the_worst_samples_count_more_the_higher_alpha() -> None:
    graphs = samples_of(1, 8, 40)
    mean = robust_k_center(graphs, 3, random_state=0)
    same = robust_k_center(graphs, 3, risk="cvar", alpha=0.0, random_state=0)
    assert same.centers.tolist() == mean.centers.tolist()
    costs = smoothed(graphs, 0.6)
    worst = robust_k_center(graphs, 3, risk="cvar", alpha=0.95, random_state=0)
    assert twin.objective(costs, worst.centers.tolist(), 8, 1.0) <= twin.objective(
        costs, mean.centers.tolist(), 8, 1.0
    )
    assert twin.objective(costs, mean.centers.tolist(), 8) <= twin.objective(
        costs, worst.centers.tolist(), 8
    )


@pytest.mark.parametrize("dtypes", [(np.uint8, np.uint16, np.uint8), (np.float32, np.uint8)])
def test_samples_of_different_types(dtypes: tuple[Any, ...]) -> None:
    graphs = samples_of(2, len(dtypes), 30)
    graphs[0] = random_graph(30, 30, 0)  # not connected
    matrices = []
    for graph, dtype in zip(graphs, dtypes, strict=True):
        hops = all_pairs_shortest_paths(graph)
        matrix = hops.astype(dtype)
        matrix[hops == 255] = np.inf if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
        matrices.append(matrix)
    result = robust_k_center(matrices, 4, random_state=0)
    assert result.radii.tolist() == [evaluate_centers(g, result.centers).radius for g in graphs]
    if all(np.dtype(dtype).kind == "u" for dtype in dtypes):
        assert (
            result.centers.tolist() == robust_k_center(graphs, 4, random_state=0).centers.tolist()
        )


def test_constraints_and_lengths() -> None:
    graphs = samples_of(4, 3, 20, weights="int")
    result = robust_k_center(
        graphs, 3, must_open=[7], forbidden=[0, 1], candidates=range(10), random_state=0
    )
    assert result.centers[0] == 7
    assert set(result.centers[1:].tolist()) <= set(range(2, 10)) - {7}
    everything = robust_k_center(graphs, 20, random_state=0)
    assert everything.radii.tolist() == [0.0, 0.0, 0.0]


def test_any_number_of_threads_and_any_seed() -> None:
    graphs = samples_of(0, 4, 60)
    first = robust_k_center(graphs, 4, risk="cvar", random_state=7, num_threads=1)
    for threads in (2, 3, 8):
        again = robust_k_center(graphs, 4, risk="cvar", random_state=7, num_threads=threads)
        assert again.centers.tolist() == first.centers.tolist()


def test_the_quantile_is_a_radius_that_so_many_samples_keep() -> None:
    result = RobustKCenterResult(np.array([0], np.int32), np.array([4.0, 2.0, 9.0, 3.0]))
    assert [result.quantile(share) for share in (0.0, 0.25, 0.26, 0.75, 1.0)] == [2, 2, 3, 4, 9]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"samples": []}, ValueError, "samples must hold at least one graph"),
        ({"samples": random_graph(5, 5, 0)}, TypeError, "samples must be a sequence"),
        (
            {"samples": [random_graph(5, 5, 0), random_graph(6, 5, 0)]},
            ValueError,
            r"same nodes; the first has 5 and samples\[1\] 6",
        ),
        ({"risk": "worst"}, ValueError, "risk must be one of cvar, mean"),
        ({"alpha": 1.0}, ValueError, "alpha must be less than 1"),
        ({"alpha": -0.1}, ValueError, "alpha must be at least 0"),
        ({"growth": 0.0}, ValueError, "growth must be greater than 0"),
        ({"charge": 0.0}, ValueError, "charge must be greater than 0"),
        ({"n_starts": 0}, ValueError, "n_starts must be at least 1"),
        ({"k": 13}, ValueError, "k must be at most the number of nodes, 12"),
    ],
)
def test_errors_name_the_argument(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    settings: dict[str, Any] = {"samples": samples_of(0, 2, 12), "k": 2}
    with pytest.raises(error, match=message):
        robust_k_center(**(settings | arguments))


def test_samples_that_do_not_fit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    matrices = [np.zeros((100, 100), np.uint8)] * 3
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 20_000)
    with pytest.raises(MemoryLimitError, match=r"3 samples needs 30,000 bytes .* fewer samples"):
        robust_k_center(matrices, 2)


@pytest.mark.parametrize("growth", [0.6, 1e-320, 1e300])
def test_lengths_far_apart_cost_something_each(growth: float) -> None:
    long = np.array([[0, 0, 0, 2], [2, 0, 0, 3], [0, 3, 1e308, 0], [2, 2, 2, 0.0]])
    hops = np.array([[0, 5, 1, 2], [1, 0, 65535, 4], [2, 65535, 0, 4], [1, 4, 1, 0]], np.uint16)
    path = Graph.from_edges([(0, 1), (1, 2), (2, 3)])
    found = robust_k_center([path, long, hops], 3, growth=growth, n_starts=1, random_state=79)
    assert len(found.centers) == 3
    assert found.radii.tolist() == [1.0, 0.0, 2.0]
