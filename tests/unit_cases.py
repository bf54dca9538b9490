"""Calls of all public functions on data in any unit, and which values carry the unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import networkx as nx
import numpy as np
import torch
from estimator_cases import QUICK
from numpy.typing import NDArray

import graphopt
from graphopt import (
    Graph,
    clustering,
    completion,
    datasets,
    decision,
    facility,
    features,
    learning,
    nn,
    objectives,
)
from graphopt.datasets.hiding import hide_edges
from graphopt.learning.predicted_links import expected_distances, expected_weights
from graphopt.nn import losses
from graphopt.nn.facility_distances import FacilityDistances
from graphopt.objectives import KCenter, Modularity
from graphopt.paths import distances_to_nearest

#: What a case returns: values, each with the power of the unit it carries; 0: none.
Values = Sequence[tuple[Any, int]]
Case = Callable[[int], Values]

EXPONENTS = (-900, -600, -300, -50, 1, 50, 300, 600, 900)
FEW = (-900, 1, 900)  # for what takes long

EDGES = np.array(nx.karate_club_graph().edges())
# Magnitudes from 1e-6 to 1e6, every bit in use.
WEIGHTS = 10.0 ** np.random.default_rng(0).uniform(-6.0, 6.0, len(EDGES))
TAME = np.random.default_rng(1).uniform(0.5, 3.0, len(EDGES))
ROWS = np.random.default_rng(2).normal(size=(34, 5)) + 3.0 * np.eye(34, 5)
LABELS = np.arange(34) % 5
DENSE = np.random.default_rng(3).uniform(1e-3, 1.0, (130, 130))
SHARES = np.random.default_rng(4).dirichlet(np.ones(3), 34)
DEMAND = np.random.default_rng(5).uniform(0.0, 2.0, 34)


def club(exponent: int, weights: NDArray[np.float64] = WEIGHTS) -> Graph:
    return Graph.from_edges(EDGES, 34, np.ldexp(weights, exponent))


def sparse_club(exponent: int) -> Graph:
    """Return 10 clubs, each tied to the next by an edge: too many nodes for a full matrix."""
    edges = np.concatenate([EDGES + 34 * i for i in range(10)])
    between = np.column_stack([34 * np.arange(9), 34 * np.arange(1, 10)])
    weights = np.concatenate([np.tile(TAME, 10), np.full(9, 0.3)])
    return Graph.from_edges(np.concatenate([edges, between]), 340, np.ldexp(weights, exponent))


def matrix(exponent: int) -> NDArray[np.float64]:
    return club(exponent).to_scipy().toarray()


def table(exponent: int) -> NDArray[np.float64]:
    """Return distances: another graph's in another unit, one node out of reach."""
    distances = np.ldexp(graphopt.all_pairs_shortest_paths(club(0)), exponent)
    distances[7] = np.where(np.arange(34) == 7, 0.0, np.inf)
    return distances


def partition(found: graphopt.CommunityResult) -> Values:
    return [(found.labels, 0), (found.modularity, 0)]


def chosen(found: graphopt.KCenterResult) -> Values:
    return [(found.centers, 0), (found.radius, 1), (found.assignment, 0)]


def proven(found: graphopt.ExactKCenterResult) -> Values:
    radii = [reduction.radius for reduction in found.reductions]
    return [*chosen(found), (found.lower_bound, 1), (found.gap, 0), (radii, 1)]


def robust(exponent: int) -> Values:
    samples = [club(exponent), club(exponent, TAME)]
    found = [
        graphopt.robust_k_center(samples, 3, random_state=0),
        graphopt.robust_k_center([table(exponent)], 3, risk="cvar", random_state=0),
        graphopt.robust_k_center(samples, 3, charge=float(np.ldexp(5.0, exponent)), random_state=0),
    ]
    return [(value, p) for one in found for value, p in ((one.centers, 0), (one.radii, 1))] + [
        (found[0].mean_radius, 1),
        (found[0].quantile(0.5), 1),
    ]


def with_demand(exponent: int) -> Values:
    """Return radii that carry the unit of the lengths or that of the demand."""
    lengths, demand = club(exponent), np.ldexp(DEMAND, exponent)
    return [
        *chosen(graphopt.local_search_k_center(lengths, 3, demand=DEMAND, random_state=0)),
        *chosen(graphopt.local_search_k_center(club(0), 3, demand=demand, random_state=0)),
        *proven(graphopt.exact_k_center(lengths, 3, demand=DEMAND)),
        *proven(graphopt.exact_k_center(club(0), 3, demand=demand)),
    ]


def dense_graph(exponent: int) -> Graph:
    return Graph.from_scipy(np.ldexp(DENSE, exponent), directed=True)


def paths(exponent: int) -> Values:
    graph = club(exponent)
    near = float(np.ldexp(2.0, exponent))
    directed = Graph.from_edges(EDGES, 40, np.ldexp(WEIGHTS, exponent), directed=True)
    return [
        (graphopt.all_pairs_shortest_paths(graph), 1),
        (graphopt.all_pairs_shortest_paths(graph, cutoff=near), 1),
        (graphopt.all_pairs_shortest_paths(directed, sources=[0, 33]), 1),
        (graphopt.all_pairs_shortest_paths(dense_graph(exponent)), 1),  # Floyd-Warshall
        (distances_to_nearest(graph, [3, 5])[0], 1),
        (distances_to_nearest(graph, [3, 5])[1], 0),
    ]


def opened(exponent: int) -> Values:
    lengths, opening = table(exponent), np.random.default_rng(0).random(34)
    charge = float(np.ldexp(20.0, exponent))
    upstream = np.random.default_rng(1).normal(size=34)
    hops = np.minimum(table(0), 9.0).astype(np.uint8)
    gradient = facility.expected_distances_gradient
    return [
        (graphopt.expected_distances(lengths, opening, charge=charge), 1),
        (gradient(lengths, opening, upstream, charge=charge), 1),
        (gradient(table(0), opening, np.ldexp(upstream, exponent), charge=20.0), 1),
        (gradient(hops, opening, np.ldexp(upstream, exponent)), 1),
    ]


def soft_clusters(exponent: int) -> Values:
    x = np.ldexp(ROWS, exponent)
    start = np.eye(3, 5)
    settings: dict[str, Any] = {"temperature": 5.0, "iterations": 3}
    found = clustering.soft_kmeans(x, start, **settings)
    values: list[tuple[Any, int]] = [(found.centers, 0), (found.assignment, 0)]
    for gradient in ("one-step", "implicit", "unrolled", "auto"):
        back = clustering.soft_kmeans_vjp(
            x, start, grad_centers=np.ones((3, 5)), gradient=gradient, **settings
        )
        values += [(back.x, -1), (back.centers, 0)]
    return [
        *values,
        (clustering.fixed_point_residual(x, start, temperature=5.0), 0),
        (clustering.kmeans_plus_plus(x, 3, random_state=0), 0),
        (clustering.kmeans_plus_plus(x, 3, random_state=0, normalize=False), 1),
    ]


def soft_kmeans_module(exponent: int) -> Values:
    layer = nn.SoftKMeans(3, 5.0, 3, "implicit")
    x = torch.from_numpy(np.ldexp(ROWS, exponent)).requires_grad_()
    found = layer(x, torch.eye(3, 5, dtype=torch.float64))
    found.centers.square().sum().backward()
    return [*((part.detach(), 0) for part in found), (x.grad, -1)]


def sums(exponent: int) -> Values:
    graph = club(exponent)
    twice = Graph.from_edges(
        np.concatenate([EDGES, EDGES]),
        34,
        np.ldexp(np.concatenate([WEIGHTS, TAME]), exponent),
        duplicates="sum",
    )
    return [
        (graph.strengths, 1),
        (graph.plus(club(exponent, TAME)).weights, 1),
        (twice.weights, 1),
        (graph.subgraph([3, 0, 1, 2]).weights, 1),
    ]


def dense_entries(sparse: nn.SparseMatrix) -> torch.Tensor:
    return sparse.to_dense()


def adjacency(exponent: int) -> Values:
    both = nn.Adjacency(club(exponent), club(exponent, TAME))
    torch.manual_seed(0)
    return [
        (dense_entries(both.whole), 0),
        (dense_entries(both.whole.T), 0),
        (dense_entries(both.masked(0.3)), 0),
    ]


def modularity_objective(exponent: int) -> Values:
    objective, values = losses.ModularityLoss(), []
    problem = objective.prepare(club(exponent))
    for dtype in (torch.float32, torch.float64):
        shares = torch.tensor(SHARES, dtype=dtype, requires_grad=True)
        loss = objective.loss(shares, problem)
        loss.backward()
        values += [(loss.detach(), 0), (shares.grad, 0)]
    improved = objective.improve(LABELS, problem, 5, random_state=0)
    return [*values, (objective.training_value(LABELS, problem), 0), (improved, 0)]


def facility_objective(exponent: int) -> Values:
    values: list[tuple[Any, int]] = []
    for growth in (0.0, 0.5):
        objective = losses.KCenterLoss(3, growth=growth)
        graph = club(exponent, TAME)
        problem = objective.prepare(graph)
        for dtype in (torch.float32, torch.float64):
            opening = torch.full((34,), 0.1, dtype=dtype, requires_grad=True)
            loss = objective.loss(opening, problem)
            loss.backward()
            values += [(loss.detach(), 0), (opening.grad, 0)]
        sites = objective.decode(opening, problem, random_state=0)
        values += [
            (sites, 0),
            (objective.training_value(sites, problem), 1),
            (objective.evaluate(sites, graph), 1),
        ]
    given = FacilityDistances.from_distances(
        table(exponent),
        charge=float(np.ldexp(20.0, exponent)),
        growth=float(np.ldexp(1, -exponent)),
    )
    return [*values, (losses.KCenterLoss().training_value(np.array([1, 2]), given), 1)]


def of_edges(graph: Graph) -> Values:
    return [(graph.edges, 0), (graph.edge_weights, 1)]


def rows_of_features(exponent: int) -> Values:
    x = np.ldexp(ROWS, exponent)
    graph = club(exponent)
    return [
        (features.smoothed_features(ROWS, graph, 2), 0),
        (features.smoothed_features(x, graph, 1), 0),
        (features.unit_features(features.check_features(x, 34)), 0),
        (features.role2vec(graph, n_features=4), 0),
        (features.learn_roles([graph], n_features=4).transform(graph), 0),
        (features.motif_counts(graph), 0),
        (datasets.structural_features(graph, 8), 0),
    ]


def completed(exponent: int) -> Values:
    graph = club(exponent, TAME)
    neighbours, bagging = completion.FeatureNeighbours(3), completion.Bagging(n_bags=3)
    both = completion.Mixture((neighbours, bagging))
    sampled = neighbours.probabilities(graph, ROWS).sample(2, join=True, random_state=0)
    return [
        *(
            entry
            for part in (neighbours, bagging, both)
            for entry in of_edges(part.missing_edges(graph, ROWS))
        ),
        *(entry for one in sampled for entry in of_edges(one)),
        *of_edges(neighbours.probabilities(graph, ROWS).expected(random_state=0)),
        (neighbours.probabilities(graph, np.ldexp(ROWS, exponent)).probabilities, 0),
    ]


def link_model(exponent: int) -> Values:
    graph = club(exponent, TAME)
    model = completion.LinkModel(n_maskings=1, n_candidates=20)
    return [*of_edges(model.missing_edges(graph, ROWS))]


def choice(exponent: int) -> Values:
    graph = club(exponent, TAME)
    found = completion.choose(
        graph,
        ROWS,
        3,
        seen_fraction=0.5,
        candidates=[None, completion.FeatureNeighbours(3)],
        n_splits=2,
        random_state=0,
    )
    spread = completion.spread_over_groups(
        LABELS[:20], np.arange(20, dtype=np.int32), graph, 5, np.random.default_rng(0)
    )
    return [
        (found.labels(graph, ROWS, random_state=0), 0),
        *((outcome.values, 0) for outcome in found.outcomes),
        (spread, 0),
    ]


def calibration(exponent: int) -> Values:
    graph, neighbours = club(exponent, TAME), completion.FeatureNeighbours(3)
    settings: dict[str, Any] = {"seen_fraction": 0.5, "random_state": 0}
    curve = completion.reliability_curve(neighbours, graph, ROWS, n_splits=1, **settings)
    return [
        ((curve.brier, curve.expected_edges), 0),
        (curve.predicted, 0),
        (completion.choose_sharpness(neighbours, graph, ROWS, n_splits=1, **settings), 0),
    ]


def hidden(exponent: int) -> Values:
    graph = club(exponent)
    found = hide_edges(graph, 0.5, np.random.default_rng(0))
    observed = datasets.observed_graph(graph, datasets.split_edges(graph, random_state=0))
    return [*of_edges(found.seen), *of_edges(found.as_whole(0.4)), *of_edges(observed)]


def judged(exponent: int) -> Values:
    graph, seen = club(exponent), club(exponent, TAME)
    community = Modularity().measures(LABELS, graph, seen, graph)
    sites = KCenter().measures(np.array([1, 2]), graph, seen)
    tail = objectives.distance_tail(graph, [0, 5])
    of_sites = ("score", "seen_score", "mean_distance", "p95_distance", "p99_distance")
    return [
        ([community[name] for name in ("score", "seen_score", "unseen_score")], 0),
        ([sites[name] for name in of_sites], 1),
        ((tail.mean, tail.p95, tail.p99, tail.max), 1),
        (Modularity().evaluate(LABELS, graph), 0),
        (KCenter().evaluate(np.array([4]), graph), 1),
        *proven(objectives.exact_within_reach(graph, 2)),
    ]


def compared(exponent: int) -> Values:
    graph = club(exponent, TAME)
    values: list[tuple[Any, int]] = []
    for objective, methods in (("modularity", ["cnm", "spectral"]), ("k-center", ["greedy"])):
        found = decision.compare(methods, graph, k=3, objective=objective, seen=0.8, splits=2)
        unit = 1 if objective == "k-center" else 0
        for result in found.results.values():
            values.append(([run.regret for run in result.runs], unit))
            values.append(([run.score for run in result.runs], unit))
    return values


def decided(exponent: int) -> Values:
    graph = club(exponent, TAME)
    found = graphopt.decide(graph, ROWS, k=3, seen_fraction=0.6, n_trials=1, random_state=0)
    sites = graphopt.decide(graph, objective="k-center", k=3, random_state=0)
    each = decision.portfolio_decisions(graph, k=3, random_state=0)
    return [
        (found.labels, 0),
        (found.seen_value, 0),
        (found.expected_value, 0),
        (sites.centers, 0),
        *((one.decision, 0) for one in each),
    ]


def estimators(exponent: int) -> Values:
    graph = club(exponent, TAME)
    x = np.ldexp(ROWS, exponent)
    quick = {**QUICK, "recipe": learning.Recipe(hidden_features=8)}
    labels = [
        learning.ClusterNet(3, **QUICK).fit(graph, x).labels_,
        learning.DirectGCN(3, **quick).fit(graph, x).labels_,
    ]
    sites = [
        learning.ClusterNet(3, "k-center", **QUICK).fit(graph, x).centers_,
        learning.DirectGCN(3, "k-center", **quick).fit(graph, x).centers_,
    ]
    return [(one, 0) for one in [*labels, *sites]]


def link_prediction(exponent: int) -> Values:
    graph = club(exponent, TAME)
    predictor = learning.LinkPredictor(iterations=3, random_state=0)
    fitted = learning.LinkPredictor(iterations=3, random_state=0).fit(graph, ROWS)
    linked = learning.PredictedLinks(predictor=predictor, n_candidates=20)
    two_stage = [
        learning.TwoStage(3, algorithm, predictor=predictor, random_state=0).fit(graph, ROWS)
        for algorithm in ("cnm", "newman", "spectral", "greedy")
    ]
    return [
        (fitted.predict_dense(), 0),
        (expected_weights(fitted, 0.5), 1),
        (expected_distances(fitted, 0.5), 1),
        *of_edges(linked.missing_edges(graph, ROWS)),
        *((getattr(one, "labels_", getattr(one, "centers_", None)), 0) for one in two_stage),
        (learning.consensus(graph, [LABELS, LABELS // 2], 3, random_state=0), 0),
    ]
