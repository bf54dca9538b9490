"""Objectives and the problems they prepare."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from graphopt import Graph
from graphopt.nn import losses
from graphopt.nn.facility_distances import FacilityDistances
from graphopt.nn.losses import KCenterLoss, ModularityLoss

from ..draw import Draw
from ..registry import Call, require, target
from .networks import SHAPES, tensor

_GRAPH_WORDS = ("graph", "edge", "distances", "matrix")


@target("graphopt.nn.losses.ModularityLoss")
def modularity(draw: Draw) -> Call:
    return Call(ModularityLoss, (draw.number(0.0, 3.0),))


@target("graphopt.nn.losses.loss_of")
def loss_of(draw: Draw) -> Call:
    return Call(losses.loss_of, (draw.choice("modularity", "k-center"), draw.integer(1, 4)))


@target("graphopt.nn.losses.ModularityLoss.prepare")
def modularity_prepare(draw: Draw) -> Call:
    return Call(ModularityLoss().prepare, (draw.graph(),))


def _communities(draw: Draw) -> tuple[ModularityLoss, Any, int]:
    graph = draw.plain_graph(1, 10)
    objective = ModularityLoss(draw.pick(1.0, 0.5))
    return objective, objective.prepare(graph), graph.n_nodes


@target("graphopt.nn.losses.ModularityLoss.loss", words=("assignment",), errors=SHAPES)
def modularity_loss(draw: Draw) -> Call:
    objective, problem, n = _communities(draw)
    decision = tensor(draw, torch.softmax(tensor(draw, None, n, draw.size(1, 4), plain=True), 1))

    def loss_and_gradient(decision: Any, problem: Any) -> Any:
        if draw.valid:
            decision = decision.detach().clone().requires_grad_()
        value = objective.loss(decision, problem)
        if draw.valid:
            value.backward()
            require(torch.isfinite(decision.grad).all(), "the gradient is not finite")
        return value

    return Call(loss_and_gradient, (decision, problem))


@target("graphopt.nn.losses.ModularityLoss.decode", errors=SHAPES)
def modularity_decode(draw: Draw) -> Call:
    objective, problem, n = _communities(draw)
    decision = tensor(draw, None, n, draw.size(1, 4))
    return Call(objective.decode, (decision, problem))


@target("graphopt.nn.losses.ModularityLoss.relax", errors=SHAPES)
def modularity_relax(draw: Draw) -> Call:
    clusters = SimpleNamespace(assignment=tensor(draw, None, 4, 3, plain=True))
    return Call(ModularityLoss().relax, (clusters,))


@target("graphopt.nn.losses.ModularityLoss.evaluate", words=("labels",))
def modularity_evaluate(draw: Draw) -> Call:
    objective, _, n = _communities(draw)
    return Call(objective.evaluate, (draw.labels(n), draw.graph(n, n)), {}, float)


@target("graphopt.nn.losses.ModularityLoss.improve", words=("labels", "k"))
def modularity_improve(draw: Draw) -> Call:
    objective, problem, n = _communities(draw)
    kwargs = {"random_state": draw.random_state()}
    k = draw.integer(1, n)
    return Call(objective.improve, (draw.labels(n, 2), problem, k), kwargs)


@target("graphopt.nn.losses.ModularityLoss.training_value", words=("labels",))
def modularity_training_value(draw: Draw) -> Call:
    objective, problem, n = _communities(draw)
    return Call(objective.training_value, (draw.labels(n), problem), {}, float)


@target("graphopt.nn.losses.ModularityLoss.better")
def modularity_better(draw: Draw) -> Call:
    return Call(ModularityLoss().better, (draw.random.random(), draw.random.random()))


# --- facilities -----------------------------------------------------------------------------------


def _location(draw: Draw) -> dict[str, Any]:
    return draw.some(
        n_facilities=lambda: draw.integer(1, 3),
        site_temperature=lambda: draw.number(1.0, 100.0, odd=(0.0,)),
        reach=lambda: draw.number(0.1, 2.0, odd=(0.0, 1e300)),
        charge=lambda: draw.pick(None, draw.integer(1, 5)),
        growth=lambda: draw.number(0.0, 2.0, odd=(1e300,)),
        customers=lambda: draw.choice("all", "largest-component"),
        draws=lambda: draw.integer(1, 4, costly=True),
        polish=draw.flag,
    )


@target("graphopt.nn.losses.KCenterLoss")
def facility_location(draw: Draw) -> Call:
    return Call(KCenterLoss, (), _location(draw))


def _objective(draw: Draw) -> KCenterLoss:
    odd, draw.valid = draw.valid, True
    made = KCenterLoss(**_location(draw) | {"draws": 3, "growth": draw.pick(0.0, 0.5)})
    draw.valid = odd
    return made


@target("graphopt.nn.losses.KCenterLoss.prepare", words=("edge", "growth"))
def facility_prepare(draw: Draw) -> Call:
    return Call(_objective(draw).prepare, (draw.graph(0, 9),))


def _facilities(draw: Draw) -> tuple[KCenterLoss, FacilityDistances, int]:
    graph = draw.plain_graph(1, 9)
    objective = _objective(draw)
    return objective, objective.prepare(graph), graph.n_nodes


def _opening(draw: Draw, n: int) -> Any:
    dtype = draw.pick(np.float64, np.float32)
    return tensor(draw, torch.from_numpy(draw.probabilities(n, dtype)))


@target("graphopt.nn.losses.KCenterLoss.loss", words=("opening",), errors=SHAPES)
def facility_loss(draw: Draw) -> Call:
    objective, problem, n = _facilities(draw)
    return Call(objective.loss, (_opening(draw, n), problem))


@target("graphopt.nn.losses.KCenterLoss.decode", words=("opening",), errors=SHAPES)
def facility_decode(draw: Draw) -> Call:
    objective, problem, n = _facilities(draw)
    kwargs = {"random_state": draw.random_state()}

    def check(sites: Any) -> None:
        require(((sites >= 0) & (sites < n)).all(), "no site")
        require(len(np.unique(sites)) == len(sites), "sites repeat")

    opening = torch.from_numpy(draw.probabilities(n))
    if objective.n_facilities is not None and float(opening.sum()) > objective.n_facilities:
        opening = opening * (objective.n_facilities / float(opening.sum()))
    return Call(objective.decode, (tensor(draw, opening), problem), kwargs, check)


@target("graphopt.nn.losses.KCenterLoss.relax", errors=SHAPES)
def facility_relax(draw: Draw) -> Call:
    p = draw.size(1, 4)
    embedding = tensor(draw, None, draw.size(1, 6), p, plain=True)
    clusters = SimpleNamespace(
        embedding=embedding, centers=tensor(draw, None, draw.size(1, 3), p, plain=True)
    )
    return Call(_objective(draw).relax, (clusters,))


@target("graphopt.nn.losses.KCenterLoss.evaluate", words=("centers", "edge"))
def facility_evaluate(draw: Draw) -> Call:
    graph = draw.graph(1, 9)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    nodes = draw.nodes(n, draw.size(1, 3))
    return Call(KCenterLoss().evaluate, (nodes, graph), {}, float)


@target("graphopt.nn.losses.KCenterLoss.improve", words=("sites",))
def facility_improve(draw: Draw) -> Call:
    objective, problem, n = _facilities(draw)
    kwargs = {"random_state": draw.random_state()}
    return Call(objective.improve, (draw.nodes(n, draw.size(1, 3)), problem, 3), kwargs)


@target("graphopt.nn.losses.KCenterLoss.training_value")
def facility_training_value(draw: Draw) -> Call:
    objective, problem, n = _facilities(draw)
    return Call(objective.training_value, (draw.nodes(n, draw.size(0, 3)), problem), {}, float)


@target("graphopt.nn.losses.KCenterLoss.better")
def facility_better(draw: Draw) -> Call:
    return Call(KCenterLoss().better, (draw.random.random(), draw.random.random()))


@target("graphopt.nn.facility_distances.FacilityDistances.from_distances")
def from_distances(draw: Draw) -> Call:
    distances = draw.distances(draw.size(0, 6), draw.size(0, 6))
    kwargs = draw.some(
        growth=lambda: draw.number(0.0, 2.0, odd=(1e300,)),
        customers=lambda: draw.choice("all", "largest-component"),
        charge=lambda: draw.pick(None, draw.integer(1, 5)),
    )
    return Call(FacilityDistances.from_distances, (distances,), kwargs)


def _whole(draw: Draw, n: int, m: int) -> Any:
    """Return distances of a kind that the prepared problem takes: not big-endian ones."""
    values = np.asarray(draw.distances(n, m))
    return values.astype(values.dtype.newbyteorder("="))


def _problem(draw: Draw) -> FacilityDistances:
    odd, draw.valid = draw.valid, True
    n, m = draw.size(1, 6), draw.size(1, 6)
    made = FacilityDistances.from_distances(
        np.asarray(_whole(draw, n, m)), growth=draw.pick(0.0, 0.5)
    )
    draw.valid = odd
    return made


@target("graphopt.nn.facility_distances.FacilityDistances.expected_costs", errors=SHAPES)
def expected_costs(draw: Draw) -> Call:
    problem = _problem(draw)

    def check(found: Any) -> None:
        require(found.shape == (problem.n_customers,), "shape")

    return Call(problem.expected_costs, (_opening(draw, problem.n_sites),), {}, check)


@target("graphopt.nn.facility_distances.FacilityDistances.mean_expected_cost", errors=SHAPES)
def mean_expected_cost(draw: Draw) -> Call:
    problem = _problem(draw)
    return Call(problem.mean_expected_cost, (_opening(draw, problem.n_sites),))


@target("graphopt.nn.facility_distances.FacilityDistances.distance_at", errors=SHAPES)
def distance_at(draw: Draw) -> Call:
    return Call(_problem(draw).distance_at, (torch.rand(3, dtype=torch.float64) * 0 + 0.5,))


def _some_sites(draw: Draw, problem: FacilityDistances) -> np.ndarray:
    """Return sites as the objective, which has checked them, hands them on."""
    n = problem.n_sites
    return draw.generator.permutation(n)[: draw.size(1, n)].astype(np.int32)


@target("graphopt.nn.facility_distances.FacilityDistances.improved_by_swaps")
def improved_by_swaps(draw: Draw) -> Call:
    problem = _problem(draw)
    return Call(problem.improved_by_swaps, (_some_sites(draw, problem),))


@target("graphopt.nn.facility_distances.FacilityDistances.paid")
def paid(draw: Draw) -> Call:
    problem = _problem(draw)

    def check(found: Any) -> None:
        require(found.shape == (problem.n_customers,), "shape")
        require((found <= problem.charge).all(), "above the charge")

    return Call(problem.paid, (_some_sites(draw, problem),), {}, check)


@target("graphopt.nn.facility_distances.FacilityDistances.with_sites")
def with_sites(draw: Draw) -> Call:
    problem = _problem(draw)
    return Call(problem.with_sites, (_some_sites(draw, problem),))
