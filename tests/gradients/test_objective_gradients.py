from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from helpers import random_graph

from graphopt.nn._loss_operators import (
    expected_hops,
    expected_hops_gradient,
    expected_lengths,
    expected_lengths_gradient,
    mean_expected_hops,
    modularity,
)
from graphopt.nn.facility_distances import FacilityDistances
from graphopt.nn.losses import KCenterLoss, ModularityLoss

HOP_DTYPES = [np.uint8, np.uint16, np.uint32]
CHECKS = (
    "test_schema",
    "test_autograd_registration",
    "test_faketensor",
    "test_aot_dispatch_dynamic",
)


def distances(n_customers=12, n_sites=7, dtype=np.uint8, seed=0):
    rng = np.random.default_rng(seed)
    hops = rng.integers(0, 5, (n_customers, n_sites)).astype(dtype)
    hops[rng.random(hops.shape) < 0.2] = np.inf if dtype == np.float64 else np.iinfo(dtype).max
    return hops


def openings(n_sites=7, dtype=torch.float64):
    x = torch.linspace(0.05, 0.9, n_sites, dtype=dtype)
    return x.requires_grad_()


@pytest.mark.parametrize("weights", [None, "float"], ids=["unweighted", "weighted"])
def test_modularity_gradient(weights):
    objective = ModularityLoss(1.2)
    problem = objective.prepare(random_graph(15, 30, seed=1, weights=weights))
    logits = torch.randn(15, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: objective.loss(z.softmax(1), problem), logits)


@pytest.mark.parametrize("dtype", [*HOP_DTYPES, np.float64])
@pytest.mark.parametrize("growth", [0.0, 0.8, 20.0])
@pytest.mark.parametrize("charge", [None, 3])
def test_facility_gradient(dtype, growth, charge):
    hops = distances(dtype=dtype)
    problem = FacilityDistances.from_distances(hops, charge=charge, growth=growth)
    objective = KCenterLoss()
    assert torch.autograd.gradcheck(lambda x: objective.loss(x, problem), openings())
    assert torch.autograd.gradcheck(problem.expected_costs, openings())


@pytest.mark.parametrize("temperature", [0.5, 20.0])
def test_gradient_through_the_relaxation(temperature):
    generator = torch.Generator().manual_seed(3)
    embedding = torch.randn(7, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    centers = torch.randn(3, 4, dtype=torch.float64, generator=generator, requires_grad=True)
    problem = FacilityDistances.from_distances(distances(), growth=0.5)
    objective = KCenterLoss(site_temperature=temperature)

    def loss(embedding, centers):
        unit = torch.nn.functional.normalize(embedding, dim=1)
        clusters = SimpleNamespace(embedding=unit, centers=centers)
        return objective.loss(objective.relax(clusters), problem)

    assert torch.autograd.gradcheck(loss, (embedding, centers))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_operators_are_registered_right(dtype):
    graph = random_graph(20, 40, seed=4, weights="float")
    indptr, indices, weights = (
        torch.from_numpy(array.copy()) for array in (graph.indptr, graph.indices, graph.weights)
    )
    assignment = torch.rand(20, 3, dtype=dtype, requires_grad=True)
    for maybe in (weights, None):
        torch.library.opcheck(
            modularity.registered, (assignment, indptr, indices, maybe, 1.0), test_utils=CHECKS
        )
    steps = torch.tensor([0.5, 1, 2, 4, 8, 3], dtype=torch.float64)
    x, upstream = openings(dtype=dtype), torch.rand(12, dtype=dtype)
    for hop_dtype in HOP_DTYPES if dtype == torch.float32 else [np.uint8]:
        hops = torch.from_numpy(distances(dtype=hop_dtype))
        torch.library.opcheck(mean_expected_hops.registered, (x, hops, steps), test_utils=CHECKS)
        torch.library.opcheck(expected_hops.registered, (x, hops, steps), test_utils=CHECKS)
        arguments = upstream, x.detach(), hops, steps
        torch.library.opcheck(expected_hops_gradient.registered, arguments, test_utils=CHECKS)
    problem = FacilityDistances.from_distances(distances(dtype=np.float64))
    given = x, problem.distances, problem.order, 6.0
    torch.library.opcheck(expected_lengths.registered, given, test_utils=CHECKS)
    given = upstream, x.detach(), problem.distances, problem.order, 6.0
    torch.library.opcheck(expected_lengths_gradient.registered, given, test_utils=CHECKS)


def test_losses_compile():
    facility, communities = KCenterLoss(), ModularityLoss()
    hops = FacilityDistances.from_distances(distances(), growth=0.5)
    lengths = FacilityDistances.from_distances(distances(dtype=np.float64), growth=0.5)
    # Costs that float32 does not hold are computed in float64.
    steep = FacilityDistances.from_distances(distances(), growth=20.0)
    graph = communities.prepare(random_graph(15, 30, seed=5))
    shares = torch.rand(15, 3, dtype=torch.float64, requires_grad=True)
    for objective, problem, decision in (
        (facility, hops, openings()),
        (facility, lengths, openings()),
        (facility, steep, openings(dtype=torch.float32)),
        (communities, graph, shares),
    ):
        compiled = torch.compile(objective.loss, backend="aot_eager", fullgraph=True)
        (expected,) = torch.autograd.grad(objective.loss(decision, problem), decision)
        (actual,) = torch.autograd.grad(compiled(decision, problem), decision)
        torch.testing.assert_close(actual, expected)
