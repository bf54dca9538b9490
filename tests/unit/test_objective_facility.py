from __future__ import annotations

import copy
import pickle
from itertools import combinations, pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import random_graph

from graphopt import Graph
from graphopt.errors import MemoryLimitError
from graphopt.facility import expected_distances
from graphopt.nn.facility_distances import FacilityDistances
from graphopt.nn.losses import KCenterLoss
from tests.reference import facility as twin


def path_distances(n_nodes, dtype=np.uint8):
    nodes = np.arange(n_nodes)
    return np.abs(np.subtract.outer(nodes, nodes)).astype(dtype)


def two_paths(dtype=np.uint8):
    """Return hops of a path of 6 nodes and, apart from it, one of 3."""
    hops = np.full((9, 9), np.inf if dtype == np.float64 else np.iinfo(dtype).max, dtype)
    hops[:6, :6], hops[6:, 6:] = path_distances(6), path_distances(3)
    return hops


def clusters_of(embedding, centers):
    unit = torch.nn.functional.normalize(embedding, dim=1)
    return SimpleNamespace(embedding=unit, centers=centers, assignment=None)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float64])
@pytest.mark.parametrize("precision", [torch.float32, torch.float64])
def test_without_growth_costs_are_those_of_the_function(dtype, precision):
    hops = two_paths(dtype)
    opening = torch.rand(9, dtype=precision, generator=torch.Generator().manual_seed(0))
    for charge in (None, 3):
        problem = FacilityDistances.from_distances(hops, charge=charge)
        expected = problem.expected_costs(opening)
        assert expected.dtype == precision
        exact = expected_distances(hops, opening.numpy(), charge=charge)
        np.testing.assert_array_equal(expected.numpy(), exact)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.float64])
@pytest.mark.parametrize("charge", [1, 3, 6, 20])
@pytest.mark.parametrize("growth", [0.01, 0.5, 4.0])
def test_growing_costs_equal_the_twin(dtype, charge, growth):
    lengths = two_paths(np.float64)
    costs = twin.distance_costs(lengths, charge, growth)
    limit = twin.distance_costs(np.array(charge), charge, growth)
    generator = torch.Generator().manual_seed(0)
    opening = (torch.rand(9, dtype=torch.float64, generator=generator) * 1.2).clamp(max=1.0)
    problem = FacilityDistances.from_distances(two_paths(dtype), charge=charge, growth=growth)
    expected = twin.expected_distances(costs, opening.numpy(), limit)
    np.testing.assert_allclose(problem.expected_costs(opening), expected, rtol=1e-11)
    single = problem.expected_costs(opening.float())
    assert single.dtype == (torch.float32 if growth * charge <= 60 else torch.float64)
    np.testing.assert_allclose(single, expected, rtol=2e-6)

    loss = KCenterLoss().loss(opening.requires_grad_(), problem)
    mean = twin.mean_distance(expected, charge, growth)
    assert loss.item() == pytest.approx(mean, rel=1e-11)
    loss.backward()
    per_cost = np.exp(-growth * (mean - charge)) / growth  # how the mean distance answers the mean
    slopes = twin.expected_distances_gradient(
        costs, opening.detach().numpy(), np.full(9, per_cost / 9), limit
    )
    np.testing.assert_allclose(opening.grad, slopes, rtol=1e-8, atol=1e-12)


def test_real_lengths_equal_the_twin_with_growth():
    rng = np.random.default_rng(3)
    lengths = rng.uniform(0, 3, (20, 7))
    lengths[rng.random(lengths.shape) < 0.2] = np.inf
    opening = rng.uniform(0, 1, 7)
    for charge in (0.5, 2.5, 10.0):
        problem = FacilityDistances.from_distances(lengths, charge=charge, growth=1.5)
        costs = twin.distance_costs(lengths, charge, 1.5)
        limit = twin.distance_costs(np.array(charge), charge, 1.5)
        np.testing.assert_allclose(
            problem.expected_costs(torch.from_numpy(opening)),
            twin.expected_distances(costs, opening, limit),
            rtol=1e-11,
        )


def test_the_loss_is_the_mean_or_leans_to_the_maximum():
    opening = torch.tensor([1.0, 0, 0, 0, 0], dtype=torch.float64)

    def loss(growth):
        problem = FacilityDistances.from_distances(path_distances(5), growth=growth)
        value = KCenterLoss().loss(opening, problem).item()
        assert KCenterLoss().training_value(np.array([0]), problem) == pytest.approx(value)
        return value

    assert loss(0.0) == pytest.approx(2.0)
    assert loss(0.7) == pytest.approx(np.log(np.mean(np.exp(0.7 * np.arange(5)))) / 0.7)
    for nearly_none in (1e-6, 1e-9, 1e-12):
        assert loss(nearly_none) == pytest.approx(2.0, abs=2 * nearly_none + 1e-12)
    assert loss(100.0) == pytest.approx(4.0, abs=0.02)
    values = [loss(growth) for growth in (0.0, 0.1, 0.5, 2.0, 10.0, 100.0)]
    assert values == sorted(values)


def test_the_cost_of_a_lottery_is_not_that_of_its_mean():
    # One customer, 0 or 4 away by the toss of a coin: growth is inside the expectation.
    problem = FacilityDistances.from_distances(np.zeros((1, 1), np.uint8), charge=4, growth=1.0)
    value = KCenterLoss().loss(torch.tensor([0.5], dtype=torch.float64), problem).item()
    assert value == pytest.approx(np.log((1 + np.exp(4)) / 2))


@pytest.mark.parametrize("growth", [0.0, 0.5, 9.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_more_opening_never_costs(dtype, growth):
    problem = FacilityDistances.from_distances(two_paths(dtype), growth=growth)
    objective = KCenterLoss()
    opening = torch.linspace(0.0, 0.9, 9, dtype=torch.float64).requires_grad_()
    values = [objective.loss(opening * share, problem) for share in (0.0, 0.3, 0.6, 1.0)]
    assert values[0].item() == pytest.approx(problem.charge)
    assert all(after < before for before, after in pairwise(values))
    (slopes,) = torch.autograd.grad(values[-1], opening)
    assert (slopes <= 0).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_customers_may_be_those_of_the_largest_component(dtype):
    everybody = FacilityDistances.from_distances(two_paths(dtype))
    assert (everybody.n_customers, everybody.n_sites, everybody.charge) == (9, 9, 6.0)
    largest = FacilityDistances.from_distances(two_paths(dtype), customers="largest-component")
    assert (largest.n_customers, largest.n_sites, largest.charge) == (6, 9, 6.0)
    sites = np.array([2])
    np.testing.assert_array_equal(everybody.paid(sites), [2, 1, 0, 1, 2, 3, 6, 6, 6])
    value = KCenterLoss().training_value(sites, everybody)
    assert value == pytest.approx((2 + 1 + 0 + 1 + 2 + 3 + 18) / 9)
    np.testing.assert_array_equal(largest.paid(sites), [2, 1, 0, 1, 2, 3])
    assert KCenterLoss().training_value(sites, largest) == pytest.approx(1.5)
    # Whatever the order of the nodes.
    flipped = two_paths(dtype)[::-1, ::-1]
    assert FacilityDistances.from_distances(flipped, customers="largest-component").n_customers == 6


def test_the_charge_caps_what_is_paid():
    problem = FacilityDistances.from_distances(two_paths(), charge=2)
    np.testing.assert_array_equal(problem.paid(np.array([0])), [0, 1, 2, 2, 2, 2, 2, 2, 2])
    np.testing.assert_array_equal(problem.paid(np.array([], int)), np.full(9, 2.0))
    wide = FacilityDistances.from_distances(two_paths(), charge=1000)
    np.testing.assert_array_equal(wide.paid(np.array([5, 6]))[[0, 8]], [5, 2])
    assert wide.paid(np.array([5]))[8] == 1000


def test_openings_sum_to_at_most_the_facilities():
    generator = torch.Generator().manual_seed(1)
    for n_nodes, n_clusters in ((50, 4), (3, 5), (1, 1)):
        embedding = torch.randn(n_nodes, 6, generator=generator)
        centers = torch.randn(n_clusters, 6, generator=generator)
        for temperature in (0.1, 100.0):
            objective = KCenterLoss(site_temperature=temperature)
            opening = objective.relax(clusters_of(embedding, centers))
            assert opening.shape == (n_nodes,)
            assert opening.min() >= 0
            assert opening.max() <= 1
            assert opening.sum() <= n_clusters * (1 + 1e-6)
    fewer = KCenterLoss(2, site_temperature=0.1).relax(clusters_of(embedding, centers))
    assert fewer.sum() <= 2


def test_relaxing_follows_the_paper():
    generator = torch.Generator().manual_seed(2)
    embedding = torch.randn(20, 6, generator=generator, dtype=torch.float64)
    centers = torch.randn(3, 6, generator=generator, dtype=torch.float64)
    clusters = clusters_of(embedding, centers)
    lengths = clusters.embedding.norm(dim=1)[:, None] * centers.norm(dim=1)
    similarity = clusters.embedding @ centers.T / lengths
    for temperature in (1.0, 30.0):
        x = (temperature * similarity).softmax(dim=0).sum(dim=1)
        x = 2 * (torch.sigmoid(4 * x) - 0.5)
        x = 3 * x / x.sum() if x.sum() > 3 else x
        opening = KCenterLoss(site_temperature=temperature).relax(clusters)
        torch.testing.assert_close(opening, x)
        longer = KCenterLoss(site_temperature=temperature).relax(
            clusters_of(embedding, 7 * centers)
        )
        torch.testing.assert_close(longer, x)


def test_a_center_at_the_origin_spreads_evenly():
    centers = torch.zeros(1, 6, requires_grad=True)
    opening = KCenterLoss(1).relax(clusters_of(torch.randn(4, 6), centers))
    torch.testing.assert_close(opening, opening[0].expand(4))
    opening.sum().backward()
    assert centers.grad.isfinite().all()


@pytest.mark.parametrize("growth", [0.0, 2.0])
def test_decoding_keeps_the_best_draw(growth):
    problem = FacilityDistances.from_distances(path_distances(9), growth=growth)
    objective = KCenterLoss(2, draws=200)
    sites = objective.decode(torch.full((9,), 2 / 9), problem, random_state=0)
    pairs = [objective.training_value(pair, problem) for pair in combinations(range(9), 2)]
    assert objective.training_value(sites, problem) == min(pairs)
    assert problem.paid(sites).max() == 2.0  # the optimum of a path of nine
    again = objective.decode(torch.full((9,), 2 / 9), problem, random_state=0)
    np.testing.assert_array_equal(again, sites)
    assert sites.dtype == np.int32


def test_decoding_always_opens_what_was_asked_for():
    problem = FacilityDistances.from_distances(path_distances(6))
    for opening in (torch.zeros(6), torch.ones(6), torch.full((6,), 0.4)):
        for k in (1, 3, 6, 10):
            sites = KCenterLoss(k, draws=3).decode(opening, problem, random_state=0)
            assert len(np.unique(sites)) == len(sites) == min(k, 6)
    assert len(KCenterLoss(draws=3).decode(torch.full((6,), 0.4), problem)) == 3


@pytest.mark.parametrize("growth", [0.0, 0.5])
def test_training_moves_the_sites_apart(growth):
    problem = FacilityDistances.from_distances(two_paths(), charge=9, growth=growth)
    objective = KCenterLoss(2)
    logits = torch.linspace(0.1, 0.0, 9).requires_grad_()
    optimizer = torch.optim.Adam([logits], lr=0.1)
    for _ in range(200):
        optimizer.zero_grad()
        opening = 2 * logits.softmax(dim=0).clamp(max=0.5)
        objective.loss(opening, problem).backward()
        optimizer.step()
    opening = 2 * logits.detach().softmax(dim=0).clamp(max=0.5)
    sites = objective.decode(opening, problem, random_state=0)
    assert (sites < 6).tolist() == [True, False]
    assert problem.paid(sites).max() == 3.0


@pytest.mark.parametrize("growth", [0.0, 1.0])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_a_graph_without_nodes(growth, dtype):
    objective = KCenterLoss(3)
    problem = FacilityDistances.from_distances(np.empty((0, 0), dtype), growth=growth)
    opening = torch.empty(0, requires_grad=True)
    loss = objective.loss(opening, problem)
    loss.backward()
    assert loss.item() == 0.0
    sites = objective.decode(opening, problem)
    assert sites.shape == (0,)
    assert objective.training_value(sites, problem) == 0.0
    graph = Graph.from_edges([], 0)
    assert objective.prepare(graph).n_sites == 0


def test_it_can_be_copied_and_stored():
    objective = KCenterLoss(3, growth=0.3, reach=0.7, customers="largest-component")
    assert copy.deepcopy(objective) == pickle.loads(pickle.dumps(objective)) == objective
    opening = torch.rand(9)
    for dtype in (np.uint8, np.uint16, np.uint32, np.float64):
        problem = FacilityDistances.from_distances(two_paths(dtype), growth=0.3)
        again = copy.deepcopy(problem)
        torch.testing.assert_close(
            objective.loss(opening, again), objective.loss(opening, problem), rtol=0, atol=0
        )


def test_read_only_distances_are_left_alone():
    hops = two_paths()
    hops.flags.writeable = False
    problem = FacilityDistances.from_distances(hops)
    assert problem.expected_costs(torch.zeros(9)).tolist() == [6.0] * 9
    writable = two_paths()
    shared = FacilityDistances.from_distances(writable)
    assert shared.distances.data_ptr() == writable.ctypes.data


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_facilities": 0}, "n_facilities must be at least 1, not 0"),
        ({"site_temperature": 0.0}, "site_temperature must be greater than 0"),
        ({"charge": -1}, "charge must be greater than 0"),
        ({"customers": "some"}, "customers must be one of all, largest-component, not 'some'"),
        ({"growth": -0.1}, "growth must be at least 0"),
        ({"growth": np.nan}, "growth must be"),
        ({"reach": 0.0}, "reach must be greater than 0"),
        ({"reach": np.inf}, "reach must be finite"),
        ({"draws": 0}, "draws must be at least 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        KCenterLoss(**settings)


def test_growth_that_no_float_holds_is_named():
    with pytest.raises(ValueError, match=r"growth must be at most 0\.3, 600 / charge, not 0\.5"):
        FacilityDistances.from_distances(path_distances(4), charge=2000, growth=0.5)
    with pytest.raises(ValueError, match="growth must be at least 0"):
        FacilityDistances.from_distances(path_distances(4), growth=-1.0)
    problem = FacilityDistances.from_distances(path_distances(4), charge=2000, growth=0.3)
    for x in (0.0, 0.5, 1.0):
        opening = torch.full((4,), x, requires_grad=True)
        loss = KCenterLoss().loss(opening, problem)
        loss.backward()
        assert loss.isfinite()
        assert opening.grad.isfinite().all()


def test_bad_decisions_are_named():
    problem = FacilityDistances.from_distances(path_distances(4))
    with pytest.raises(ValueError, match=r"opening must have shape \(4,\), not \(3,\)"):
        KCenterLoss().loss(torch.rand(3), problem)
    with pytest.raises(TypeError, match=r"opening must be float32 or float64, not torch\.float16"):
        KCenterLoss().loss(torch.rand(4).half(), problem)
    with pytest.raises(ValueError, match="opening must be finite"):
        KCenterLoss(2).decode(torch.full((4,), torch.nan), problem)
    with pytest.raises(ValueError, match=r"decision must hold node numbers in 0\.\.3"):
        KCenterLoss().training_value(np.array([4]), problem)


def test_a_table_that_does_not_fit_is_refused_with_its_size(monkeypatch):
    hops, roads = random_graph(100, 200, seed=0), random_graph(100, 200, seed=0, weights="float")
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 1_000)
    with pytest.raises(MemoryLimitError, match=r"10,000 bytes and 1,000 are.*sources=sample\)\)$"):
        KCenterLoss().prepare(hops)
    with pytest.raises(MemoryLimitError, match=r"200,000 bytes.*or on hops, a byte each$"):
        KCenterLoss().prepare(roads)
    with pytest.raises(MemoryLimitError, match=r"costs and the order .* 4,800 bytes.*fewer cust"):
        FacilityDistances.from_distances(np.ones((20, 20)), growth=0.1)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("growth", [0.0, 0.5])
def test_a_problem_of_some_sites_charges_the_same(dtype, growth):
    problem = FacilityDistances.from_distances(two_paths(dtype), charge=3, growth=growth)
    few = problem.with_sites(np.array([1, 4, 8]))
    assert (few.n_customers, few.n_sites) == (9, 3)
    for sites in ([0], [2, 1], [0, 1, 2], []):
        chosen = np.array([1, 4, 8])[sites] if sites else np.empty(0, np.int64)
        expected = problem.paid(chosen)
        np.testing.assert_array_equal(few.paid(np.array(sites, dtype=np.int64)), expected)
        objective = KCenterLoss()
        value = objective.training_value(np.array(sites, dtype=np.int64), few)
        assert value == objective.training_value(chosen, problem)


@pytest.mark.parametrize("growth", [0.0, 0.5])
@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("customers", ["all", "largest-component", "rectangle"])
def test_no_exchange_improves_polished_sites(customers, dtype, growth):
    hops = np.full((40, 40), np.inf)
    hops[:25, :25], hops[25:, 25:] = path_distances(25), path_distances(15)
    if dtype == np.uint8:
        hops = np.where(np.isinf(hops), 255, hops).astype(dtype)
    if customers == "rectangle":
        problem = FacilityDistances.from_distances(hops[::3], charge=6, growth=growth)
    else:
        problem = FacilityDistances.from_distances(
            hops, charge=6, growth=growth, customers=customers
        )
    opening = torch.full((40,), 3 / 40)
    rough = KCenterLoss(3, draws=1, polish=False)
    polished = KCenterLoss(3, draws=1)
    for seed in range(3):
        before = rough.decode(opening, problem, random_state=seed)
        sites = polished.decode(opening, problem, random_state=seed)
        assert sites.dtype == np.int32
        assert sites.tolist() == sorted(set(sites.tolist()))
        value = polished.training_value(sites, problem)
        assert value < rough.training_value(before, problem)
        for place in range(3):
            for site in set(range(40)) - set(sites.tolist()):
                other = sites.copy()
                other[place] = site
                assert polished.training_value(other, problem) >= value - 1e-9
