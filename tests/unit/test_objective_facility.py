from __future__ import annotations

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from graphopt.facility import expected_distances
from graphopt.objectives import FacilityLocation, FacilityProblem


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
def test_expected_distances_are_those_of_the_function(dtype, precision):
    hops = two_paths(dtype)
    opening = torch.rand(9, dtype=precision, generator=torch.Generator().manual_seed(0))
    for charge in (None, 3):
        problem = FacilityProblem.from_distances(hops, charge=charge)
        expected = problem.expected_distances(opening)
        assert expected.dtype == precision
        exact = expected_distances(hops, opening.numpy(), charge=charge)
        np.testing.assert_array_equal(expected.numpy(), exact)


def test_the_loss_is_the_mean_or_leans_to_the_maximum():
    problem = FacilityProblem.from_distances(path_distances(5))
    opening = torch.tensor([1.0, 0, 0, 0, 0], dtype=torch.float64)
    assert FacilityLocation().loss(opening, problem).item() == pytest.approx(2.0)
    expected = np.arange(5.0)
    leaning = FacilityLocation(emphasis=0.7).loss(opening, problem).item()
    assert leaning == pytest.approx(np.log(np.mean(np.exp(0.7 * expected))) / 0.7)
    sharp = FacilityLocation(emphasis=200.0).loss(opening, problem).item()
    assert sharp == pytest.approx(4.0, abs=0.02)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
def test_customers_may_be_those_of_the_largest_component(dtype):
    everybody = FacilityProblem.from_distances(two_paths(dtype))
    assert (everybody.n_customers, everybody.n_sites, everybody.charge) == (9, 9, 6.0)
    largest = FacilityProblem.from_distances(two_paths(dtype), customers="largest-component")
    assert (largest.n_customers, largest.n_sites, largest.charge) == (6, 9, 6.0)
    value = FacilityLocation().training_value(np.array([2]), everybody)
    assert value == (6.0, 3.0, pytest.approx((2 + 1 + 0 + 1 + 2 + 3 + 18) / 9))
    value = FacilityLocation().training_value(np.array([2]), largest)
    assert value == (3.0, 1.0, pytest.approx(1.5))
    # Whatever the order of the nodes.
    flipped = two_paths(dtype)[::-1, ::-1]
    assert FacilityProblem.from_distances(flipped, customers="largest-component").n_customers == 6


def test_the_charge_caps_what_is_paid():
    problem = FacilityProblem.from_distances(two_paths(), charge=2)
    np.testing.assert_array_equal(problem.paid(np.array([0])), [0, 1, 2, 2, 2, 2, 2, 2, 2])
    np.testing.assert_array_equal(problem.paid(np.array([], int)), np.full(9, 2.0))
    wide = FacilityProblem.from_distances(two_paths(), charge=1000)
    np.testing.assert_array_equal(wide.paid(np.array([5, 6]))[[0, 8]], [5, 2])
    assert wide.paid(np.array([5]))[8] == 1000


def test_openings_sum_to_at_most_the_facilities():
    generator = torch.Generator().manual_seed(1)
    for n_nodes, n_clusters in ((50, 4), (3, 5), (1, 1)):
        embedding = torch.randn(n_nodes, 6, generator=generator)
        centers = torch.randn(n_clusters, 6, generator=generator)
        for temperature in (0.1, 100.0):
            objective = FacilityLocation(site_temperature=temperature)
            opening = objective.relax(clusters_of(embedding, centers))
            assert opening.shape == (n_nodes,)
            assert opening.min() >= 0
            assert opening.max() <= 1
            assert opening.sum() <= n_clusters * (1 + 1e-6)
    fewer = FacilityLocation(2, site_temperature=0.1).relax(clusters_of(embedding, centers))
    assert fewer.sum() <= 2


def test_relaxing_follows_the_paper():
    generator = torch.Generator().manual_seed(2)
    embedding = torch.randn(20, 6, generator=generator, dtype=torch.float64)
    centers = torch.randn(3, 6, generator=generator, dtype=torch.float64)
    clusters = clusters_of(embedding, centers)
    similarity = clusters.embedding @ centers.T
    for temperature in (1.0, 30.0):
        x = (temperature * similarity).softmax(dim=0).sum(dim=1)
        x = 2 * (torch.sigmoid(4 * x) - 0.5)
        x = 3 * x / x.sum() if x.sum() > 3 else x
        opening = FacilityLocation(site_temperature=temperature).relax(clusters)
        torch.testing.assert_close(opening, x)


def test_decoding_keeps_the_best_draw():
    problem = FacilityProblem.from_distances(path_distances(9))
    objective = FacilityLocation(2, draws=200)
    sites = objective.decode(torch.full((9,), 2 / 9), problem, random_state=0)
    assert objective.training_value(sites, problem)[0] == 2.0  # the optimum of a path of nine
    again = objective.decode(torch.full((9,), 2 / 9), problem, random_state=0)
    np.testing.assert_array_equal(again, sites)
    assert sites.dtype == np.int32


def test_decoding_always_opens_what_was_asked_for():
    problem = FacilityProblem.from_distances(path_distances(6))
    for opening in (torch.zeros(6), torch.ones(6), torch.full((6,), 0.4)):
        for k in (1, 3, 6, 10):
            sites = FacilityLocation(k, draws=3).decode(opening, problem, random_state=0)
            assert len(np.unique(sites)) == len(sites) == min(k, 6)
    assert len(FacilityLocation(draws=3).decode(torch.full((6,), 0.4), problem)) == 3


def test_training_moves_the_sites_apart():
    problem = FacilityProblem.from_distances(two_paths(), charge=9)
    objective = FacilityLocation(2)
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
    assert objective.training_value(sites, problem)[0] == 3.0


def test_a_graph_without_nodes():
    problem = FacilityProblem.from_distances(np.empty((0, 0), np.uint8))
    for objective in (FacilityLocation(3), FacilityLocation(3, emphasis=1.0)):
        opening = torch.empty(0, requires_grad=True)
        loss = objective.loss(opening, problem)
        loss.backward()
        assert loss.item() == 0.0
        assert objective.decode(opening, problem).shape == (0,)


def test_it_can_be_copied_and_stored():
    objective = FacilityLocation(3, emphasis=0.3, customers="largest-component")
    assert copy.deepcopy(objective) == pickle.loads(pickle.dumps(objective)) == objective
    opening = torch.rand(9)
    for dtype in (np.uint8, np.uint16, np.uint32, np.float64):
        problem = FacilityProblem.from_distances(two_paths(dtype))
        again = copy.deepcopy(problem)
        torch.testing.assert_close(
            objective.loss(opening, again), objective.loss(opening, problem), rtol=0, atol=0
        )


def test_read_only_distances_are_left_alone():
    hops = two_paths()
    hops.flags.writeable = False
    problem = FacilityProblem.from_distances(hops)
    assert problem.expected_distances(torch.zeros(9)).tolist() == [6.0] * 9
    writable = two_paths()
    shared = FacilityProblem.from_distances(writable)
    assert shared.distances.data_ptr() == writable.ctypes.data


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_facilities": 0}, "n_facilities must be at least 1, not 0"),
        ({"site_temperature": 0.0}, "site_temperature must be greater than 0"),
        ({"charge": -1}, "charge must be greater than 0"),
        ({"customers": "some"}, "customers must be one of all, largest-component, not 'some'"),
        ({"emphasis": -0.1}, "emphasis must be at least 0"),
        ({"draws": 0}, "draws must be at least 1"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bad_settings_are_named(settings, message):
    with pytest.raises(ValueError, match=message):
        FacilityLocation(**settings)


def test_bad_decisions_are_named():
    problem = FacilityProblem.from_distances(path_distances(4))
    with pytest.raises(ValueError, match=r"opening must have shape \(4,\), not \(3,\)"):
        FacilityLocation().loss(torch.rand(3), problem)
    with pytest.raises(TypeError, match=r"opening must be float32 or float64, not torch\.float16"):
        FacilityLocation().loss(torch.rand(4).half(), problem)
    with pytest.raises(ValueError, match="opening must be finite"):
        FacilityLocation(2).decode(torch.full((4,), torch.nan), problem)
    with pytest.raises(ValueError, match=r"decision must hold node numbers in 0\.\.3"):
        FacilityLocation().training_value(np.array([4]), problem)
