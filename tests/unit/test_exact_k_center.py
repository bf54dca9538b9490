"""Exact k-center: against brute force under every constraint, known optima, limits, errors."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from helpers import random_graph
from numpy.typing import NDArray

from benchmarks.race.exact import read_orlib
from graphopt import (
    Graph,
    RobustKCenterResult,
    all_pairs_shortest_paths,
    evaluate_centers,
    exact_k_center,
    gonzalez,
    greedy_k_center,
    local_search_k_center,
    robust_k_center,
)
from graphopt._native import _core
from graphopt.centers import _cover, _exact, _problem
from graphopt.centers._cover import Cover, Prices, best_prices, cheap_prices
from graphopt.centers._problem import Clock
from graphopt.errors import InfeasibleError, MemoryLimitError
from tests.reference import k_center, set_cover, shortest_paths

TYPES = [np.uint8, np.uint16, np.uint32, np.float32, np.float64]


def constraints(n: int, rng: np.random.Generator) -> tuple[int, dict[str, Any]]:
    """Draw k and constraints that can be kept together."""
    k = int(rng.integers(1, min(n, 4) + 1))
    order = rng.permutation(n)
    n_sites = int(rng.integers(k, n + 1))
    chosen: dict[str, Any] = {
        "must_open": order[: rng.integers(0, k + 1)],
        "forbidden": order[n_sites:],
        "candidates": None if rng.random() < 0.5 else order[: max(k, n - 1)],
    }
    return k, chosen


def allowed(n: int, rules: dict[str, Any]) -> set[int]:
    named = range(n) if rules["candidates"] is None else rules["candidates"].tolist()
    return set(named) - set(rules["forbidden"].tolist())


def random_distances(seed: int) -> tuple[Graph, NDArray[np.float64]]:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 11))
    graph = random_graph(n, int(rng.integers(0, 4 * n)), seed, directed=bool(seed % 2))
    if seed % 3 == 0:
        graph = Graph.from_edges(
            graph.edges, n, rng.integers(0, 30, graph.n_edges) / 8, graph.directed
        )
    return graph, shortest_paths.all_pairs_shortest_paths(graph)


@pytest.mark.parametrize("seed", range(150))
def test_equals_brute_force(seed: int) -> None:
    graph, distances = random_distances(seed)
    n = graph.n_nodes
    rng = np.random.default_rng(seed)
    k, rules = constraints(n, rng)
    demand = [None, rng.integers(0, 2, n), rng.integers(0, 9, n) / 4][seed % 3]
    weights = np.ones(n) if demand is None else demand.astype(float)
    may_open = allowed(n, rules)
    best = set_cover.exact_k_center(
        distances,
        k,
        candidates=sorted(may_open),
        must_open=rules["must_open"].tolist(),
        demand=weights,
    )
    for source in (graph, distances):
        if np.isinf(best):
            with pytest.raises(InfeasibleError, match="no radius is finite"):
                exact_k_center(source, k, demand=demand, **rules)
            continue
        result = exact_k_center(source, k, demand=demand, **rules)
        assert result.radius == result.lower_bound == best
        assert (result.status, result.gap) == ("optimal", 0.0)
        centers = result.centers.tolist()
        assert len(set(centers)) == k
        assert centers == sorted(centers)
        assert set(rules["must_open"].tolist()) <= set(centers) <= may_open
        assert result.assignment.tolist() == k_center.assignment(distances, centers)


@pytest.mark.parametrize("seed", range(80))
def test_constraints_of_greedy_and_gonzalez_equal_their_twins(seed: int) -> None:
    graph, distances = random_distances(seed)
    k, rules = constraints(graph.n_nodes, np.random.default_rng(seed))
    must_open, may_open = tuple(rules["must_open"].tolist()), allowed(graph.n_nodes, rules)
    first = max(may_open)
    greedy = k_center.greedy_k_center(distances, k, must_open=must_open, may_open=may_open)
    far = k_center.gonzalez(distances, k, first, must_open=must_open, may_open=may_open)
    for source in (graph, distances):
        assert greedy_k_center(source, k, **rules).centers.tolist() == greedy
        assert gonzalez(source, k, first=first, **rules).centers.tolist() == far
        drawn = gonzalez(source, k, random_state=0, **rules).centers.tolist()
        assert drawn[: len(must_open)] == list(must_open)
        assert set(drawn) <= may_open
        if must_open:
            assert drawn == k_center.gonzalez(
                distances, k, None, must_open=must_open, may_open=may_open
            )


@pytest.mark.parametrize("seed", range(120))
def test_reduction_keeps_what_is_asked(seed: int) -> None:
    rng = np.random.default_rng(seed)
    serves = rng.random((int(rng.integers(1, 9)), int(rng.integers(1, 9)))) < rng.uniform(0.1, 0.7)
    dtype = TYPES[seed % 5]
    feasible, finished, forced, sites, customers, indptr, serving = _core.reduce_cover(
        np.where(serves, 1, 2).astype(dtype),
        np.ones(serves.shape[1], dtype),
        np.ones(serves.shape[0], np.uint8),
        np.ones(serves.shape[1], np.uint8),
        np.inf,
        10**6,
        1 + seed % 3,
    )
    expected = set_cover.reduce_cover(serves)
    assert feasible == (expected is not None)
    if expected is None:
        assert set_cover.smallest_cover(serves) is None
        return
    assert finished
    rest = np.zeros((len(customers), len(sites)), bool)
    for j in range(len(customers)):
        rest[j, serving[indptr[j] : indptr[j + 1]]] = True
    np.testing.assert_array_equal(rest, serves[np.ix_(sites, customers)].T)
    for n_forced, left in (
        (len(forced), rest.T),
        (len(expected[0]), serves[np.ix_(expected[1], expected[2])]),
    ):
        smallest = set_cover.smallest_cover(left)
        assert smallest is not None
        assert n_forced + smallest == set_cover.smallest_cover(serves)


@pytest.mark.parametrize("dtype", TYPES)
def test_every_type_of_matrix(dtype: Any) -> None:
    hops = all_pairs_shortest_paths(random_graph(60, 150, 1, directed=True))
    distances = np.where(hops == 255, np.inf, hops)
    missing = np.isinf(distances)
    matrix = np.where(missing, 0, distances).astype(dtype)
    matrix[missing] = np.inf if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    matrix.flags.writeable = False
    expected = exact_k_center(distances, 12)
    for source in (matrix, np.asfortranarray(matrix)):
        result = exact_k_center(source, 12)
        assert result.radius == expected.radius == result.lower_bound
        assert evaluate_centers(source, result.centers).radius == result.radius


def test_prices_are_cut_to_be_feasible() -> None:
    from scipy.sparse import csr_array

    # Each of three customers is served by two of three sites: 1.5 sites in fractions, so 2.
    incidence = csr_array(np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 1]]))
    assert Prices(incidence, np.full(3, 0.5)).n_sites == 2
    assert Prices(incidence, np.full(3, 5.0)).n_sites == 2  # no more, whatever is offered
    assert Prices(incidence, np.array([-3.0, np.nan, np.inf])).n_sites == 0
    nobody = np.empty(0, np.int32)
    cover = Cover(nobody, np.arange(3, dtype=np.int32), incidence, 1)
    assert cover.refute(Clock()).kept is False
    assert cover.search(Clock()).kept is False
    two = Cover(nobody, cover.sites, incidence, 2)
    assert two.refute(Clock()).kept is None
    verdict = two.search(Clock())
    assert verdict.kept
    assert verdict.choice is not None
    assert len(verdict.choice) == 2


def smallest_with(serves: NDArray[np.bool_], site: int) -> int | None:
    rest = serves[:, ~serves[site]]
    size = set_cover.smallest_cover(rest)
    return None if size is None else size + 1


@pytest.mark.parametrize("seed", range(60))
def test_prices_drop_only_sites_that_no_small_cover_has(seed: int) -> None:
    from scipy.sparse import csr_array

    rng = np.random.default_rng(seed)
    serves = rng.random((int(rng.integers(2, 10)), int(rng.integers(2, 12)))) < 0.35
    serves[rng.integers(len(serves), size=serves.shape[1]), np.arange(serves.shape[1])] = True
    incidence = csr_array(serves.T.astype(float))
    optimum = set_cover.smallest_cover(serves)
    assert optimum is not None
    found = best_prices(incidence, optimum, Clock())
    assert found is not None
    for prices in (found[0], cheap_prices(incidence), Prices(incidence, rng.random(len(serves.T)))):
        assert prices.n_sites <= optimum
        for k in range(optimum, optimum + 2):
            for site in np.flatnonzero(~prices.useful(k)).tolist():
                with_it = smallest_with(serves, site)
                assert with_it is None or with_it > k


@pytest.mark.parametrize("seed", range(8))
def test_prices_of_some_customers_are_the_best_of_all(seed: int) -> None:
    from scipy.optimize import linprog
    from scipy.sparse import csr_array

    rng = np.random.default_rng(seed)
    serves = rng.random((80, 300)) < rng.uniform(0.03, 0.3)
    serves[rng.integers(80, size=300), np.arange(300)] = True
    incidence = csr_array(serves.T.astype(float))
    whole = linprog(np.ones(80), A_ub=-incidence, b_ub=-np.ones(300)).fun
    found = best_prices(incidence, 80, Clock())
    assert found is not None
    prices, opening = found
    assert opening.sum() == pytest.approx(whole, abs=1e-4)
    assert prices.n_sites == np.ceil(whole - 1e-7)
    assert (incidence @ opening).min() > 1 - 2e-6
    early = best_prices(incidence, 1, Clock())
    assert early is not None
    assert 1 < early[0].n_sites <= prices.n_sites
    assert best_prices(incidence, 80, Clock(0.0)) is None


@pytest.mark.parametrize("seed", range(60))
@pytest.mark.parametrize("most_programs", [400, 0], ids=["branching", "solver"])
def test_search_equals_brute_force(
    seed: int, most_programs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    from scipy.sparse import csr_array

    monkeypatch.setattr(_cover, "_MOST_PROGRAMS", most_programs)
    rng = np.random.default_rng(seed)
    serves = rng.random((int(rng.integers(3, 11)), int(rng.integers(3, 14)))) < 0.3
    serves[rng.integers(len(serves), size=serves.shape[1]), np.arange(serves.shape[1])] = True
    smallest = set_cover.smallest_cover(serves)
    assert smallest is not None
    sites = 100 + np.arange(len(serves), dtype=np.int32)
    required = np.array([7], np.int32)
    for k in range(1, smallest + 2):
        cover = Cover(required, sites, csr_array(serves.T.astype(float)), k)
        verdict = cover.search(Clock())
        assert verdict.kept is (k >= smallest)
        assert verdict.n_programs <= most_programs
        if verdict.choice is None:
            assert k < smallest
            continue
        assert verdict.choice[0] == 7
        assert len(set(verdict.choice.tolist())) == len(verdict.choice) <= k + 1
        assert serves[verdict.choice[1:] - 100].any(axis=0).all()


def test_without_time_a_search_says_nothing() -> None:
    from scipy.sparse import csr_array

    incidence = csr_array(np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 1]]))
    cover = Cover(np.empty(0, np.int32), np.arange(3, dtype=np.int32), incidence, 2)
    verdict = cover.search(Clock(0.0))
    assert (verdict.kept, verdict.choice, verdict.how) == (None, None, "open")


@pytest.mark.parametrize("most_programs", [400, 1, 0])
def test_reductions_tell_how_the_radius_was_proven(
    most_programs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cover, "_MOST_PROGRAMS", most_programs)
    points = np.random.default_rng(3).random((150, 2))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    result = exact_k_center(distances, 12)
    found = result.reductions
    radii = [reduction.radius for reduction in found]
    assert radii == sorted(set(radii))
    assert {one.settled_by for one in found if one.kept is None} <= {"open"}
    for one in found:
        if one.kept is not None:
            assert one.kept is (one.radius >= result.radius)
            assert one.settled_by != "open"
        if one.customers is not None:
            assert one.sites is not None
            assert max(one.customers, one.sites) <= 150
            assert (one.customers == 0) == (one.sites == 0)
    last_refuted = max(one.radius for one in found if one.kept is False)
    assert np.unique(distances[distances > last_refuted])[0] == result.radius
    assert sum(one.linear_programs for one in found) > 0
    ways = {one.settled_by for one in found}
    assert ("solver" in ways) == (most_programs < 400)
    assert ("branching" in ways) == (most_programs == 400)


def test_all_may_open_and_one_node() -> None:
    graph = random_graph(20, 60, 0)
    result = exact_k_center(graph, 20)
    assert (result.centers.tolist(), result.radius) == (list(range(20)), 0.0)
    one = exact_k_center(np.zeros((1, 1)), 1)
    assert (one.centers.tolist(), one.radius, one.assignment.tolist()) == ([0], 0.0, [0])
    assert exact_k_center(np.zeros((4, 4), np.uint8), 3).centers.tolist() == [0, 1, 2]


def test_nobody_to_serve() -> None:
    result = exact_k_center(Graph.from_edges([(0, 1)], 4), 2, demand=np.zeros(4), forbidden=[0])
    assert (result.radius, result.lower_bound, len(result.centers)) == (0.0, 0.0, 2)


@pytest.mark.parametrize("weights", ["int", None], ids=["lengths", "hops"])
def test_packings_and_exchanges_settle_radii(
    weights: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    graph = random_graph(120, 200, 3, weights=weights)
    distances = all_pairs_shortest_paths(graph)
    served = np.bincount(graph.connected_components()[1]).argmax()
    demand = (graph.connected_components()[1] == served) & (np.arange(120) % 7 > 0)
    rules: dict[str, Any] = {"must_open": [5], "forbidden": [3, 4], "demand": demand.astype(float)}
    expected = exact_k_center(distances, 8, **rules)
    monkeypatch.setattr(_exact, "_LARGE", 0)
    monkeypatch.setattr(_exact, "_BLOCK", 500)
    monkeypatch.setattr(_exact, "_MANY", 1)
    result = exact_k_center(distances, 8, **rules)
    assert (result.radius, result.status) == (expected.radius, "optimal")
    assert {5} <= set(result.centers.tolist()) <= set(range(120)) - {3, 4}
    assert "packing" in {one.settled_by for one in result.reductions if one.kept is False}


def test_exchanges_find_a_better_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    side = 24
    cells = np.arange(side * side).reshape(side, side)
    edges = [*zip(cells[:, 1:].flat, cells[:, :-1].flat, strict=True)]
    edges += [*zip(cells[1:].flat, cells[:-1].flat, strict=True)]
    grid = Graph.from_edges(edges)
    start = greedy_k_center(grid, 10).radius
    monkeypatch.setattr(_exact, "_LARGE", 0)
    monkeypatch.setattr(_exact.Search, "_test", lambda *_: None)
    monkeypatch.setattr(_exact.Search, "_search", lambda *_: None)
    result = exact_k_center(grid, 10)
    assert result.radius < start
    assert result.lower_bound < result.radius
    found = [one.radius for one in result.reductions if one.settled_by == "exchanges"]
    assert found == [result.radius]


def test_same_at_any_number_of_threads() -> None:
    graph = random_graph(400, 900, 3, weights="int")
    one = exact_k_center(graph, 60, num_threads=1)
    for threads in (2, 3, 8):
        more = exact_k_center(graph, 60, num_threads=threads)
        assert more.centers.tobytes() == one.centers.tobytes()
        assert more.assignment.tobytes() == one.assignment.tobytes()
        assert (more.radius, more.lower_bound) == (one.radius, one.lower_bound)


def test_no_time_gives_a_valid_answer() -> None:
    graph = random_graph(300, 1000, 1, weights="float")
    distances = np.minimum(all_pairs_shortest_paths(graph), 99.0)
    result = exact_k_center(distances, 5, time_limit=0, must_open=[7])
    optimum = exact_k_center(distances, 5, must_open=[7])
    assert result.status == "time_limit"
    assert 7 in result.centers
    assert result.lower_bound <= optimum.radius <= result.radius
    assert result.radius == evaluate_centers(distances, result.centers).radius
    assert 0 < result.gap <= 1
    lost = exact_k_center(Graph.from_edges([(0, 1), (2, 3), (4, 5)]), 2, time_limit=0)
    assert (lost.radius, lost.gap, lost.status) == (np.inf, 1.0, "time_limit")


def test_a_time_limit_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = itertools.count()
    slow = SimpleNamespace(monotonic=lambda: next(looks) / 16)  # time passes as one looks at it
    monkeypatch.setattr(_problem, "time", slow)
    rng = np.random.default_rng(0)
    points = rng.random((1500, 2))
    distances = np.linalg.norm(points[:, None] - points[None], axis=2)
    result = exact_k_center(distances, 40, time_limit=1.0)
    assert result.status == "time_limit"
    assert next(looks) < 16 + 30
    assert 0 <= result.lower_bound <= result.radius


def test_what_makes_it_infeasible_is_told() -> None:
    graph = Graph.from_edges([(0, 1), (2, 3)], n_nodes=5)
    with pytest.raises(InfeasibleError, match=r"k = 2 reaches every .* in 3 components"):
        exact_k_center(graph, 2)
    with pytest.raises(InfeasibleError, match="no node that may become a centre reaches node 4"):
        exact_k_center(graph, 2, forbidden=[4])
    with pytest.raises(InfeasibleError, match=r"reaches node 2 or 2 others"):
        exact_k_center(graph, 2, candidates=[0, 1])
    assert exact_k_center(graph, 2, demand=[1, 1, 1, 1, 0]).radius == 1.0


def robust(sample: Any, k: int, **rules: Any) -> RobustKCenterResult:
    return robust_k_center([sample], k, **rules)


def test_errors_name_the_argument() -> None:
    graph = random_graph(5, 20, 0)
    algorithms: tuple[Callable[..., object], ...] = (
        gonzalez,
        greedy_k_center,
        local_search_k_center,
        exact_k_center,
        robust,
    )
    for function in algorithms:
        for arguments, message in (
            ({"k": 0}, "k must be at least 1, not 0"),
            ({"k": 6}, "k must be at most the number of nodes, 5, not 6"),
            ({"k": 4, "forbidden": [0, 1]}, "k must be at most the number of candidates"),
            ({"k": 1, "must_open": [0, 1]}, "must_open must hold at most k = 1 nodes, not 2"),
            ({"k": 2, "must_open": [1, 1]}, "must_open must not repeat"),
            ({"k": 2, "must_open": [9]}, "must_open must hold node numbers"),
            ({"k": 2, "must_open": [1], "forbidden": [1]}, "node 1 is none"),
            ({"k": 1, "must_open": [1], "candidates": [0]}, "node 1 is none"),
            ({"k": 1, "candidates": [5]}, r"candidates must hold node numbers in 0\.\.4"),
            ({"k": 1, "forbidden": [-1]}, r"forbidden must hold node numbers in 0\.\.4"),
        ):
            with pytest.raises(ValueError, match=message):
                function(graph, **arguments)
        with pytest.raises(ValueError, match="must not hold NaN"):
            function(np.full((2, 2), np.nan), 1)
        with pytest.raises(ValueError, match="k must be at most the number of nodes, 0, not 1"):
            function(np.empty((0, 0)), 1)
    with pytest.raises(ValueError, match="first must be a candidate that is not forbidden, not 2"):
        gonzalez(graph, 1, first=2, forbidden=[2])
    for function in (local_search_k_center, exact_k_center):
        for arguments, message in (
            ({"demand": [1, 2]}, "demand must have one entry per node, 5, not 2"),
            ({"demand": [1, -2, 0, 0, 0]}, r"demand must not be negative; demand\[1\] is -2"),
            ({"demand": [np.nan, 1, 1, 1, 1]}, r"demand must be finite; demand\[0\] is nan"),
            ({"time_limit": -1}, "time_limit must be at least 0, not -1"),
            ({"num_threads": 0}, "num_threads must be at least 1, not 0"),
        ):
            with pytest.raises(ValueError, match=message):
                function(graph, 1, **arguments)
        with pytest.raises(TypeError, match="time_limit must be a number"):
            function(graph, 1, time_limit="1")


def test_what_does_not_fit_in_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 999)
    matrix = np.zeros((12, 12))
    with pytest.raises(MemoryLimitError, match="distances times demand, in float64, needs 1,152"):
        exact_k_center(matrix, 2, demand=np.full(12, 2.0))
    assert exact_k_center(matrix, 2, demand=np.arange(12) % 2).radius == 0.0


DATA = os.environ.get("GRAPHOPT_DATA")
needs_data = pytest.mark.skipif(
    DATA is None, reason="GRAPHOPT_DATA does not name the folder of the data sets"
)


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
def test_optima_of_the_data_sets(name: str, radii: dict[int, int]) -> None:
    with np.load(Path(DATA or "") / f"{name}.npz") as archive:
        graph = Graph.from_edges(archive["edges"], len(archive["node_ids"]))
    distances = all_pairs_shortest_paths(graph)
    for k, radius in radii.items():
        result = exact_k_center(distances, k)
        assert (result.radius, result.status) == (radius, "optimal")
        assert evaluate_centers(graph, result.centers).radius == radius


@needs_data
@pytest.mark.parametrize(
    ("number", "radius"), list(enumerate((127, 98, 93, 74, 48, 84, 64, 55, 37, 20), start=1))
)
def test_optima_of_orlib(number: int, radius: int) -> None:
    path = Path(DATA or "") / "orlib" / f"pmed{number}.txt"
    if not path.exists():
        pytest.skip("the folder of the data sets has no OR-Library instances")
    graph, k = read_orlib(path)
    result = exact_k_center(graph, k)
    assert (result.radius, result.lower_bound, result.status) == (radius, radius, "optimal")
