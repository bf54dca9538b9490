"""Calls with arguments that no machine can serve; run as a program, it says what became of each.

Its address space is limited before the first call, so that whatever is allocated after all fails at
once, on any machine. Each call is one line of JSON: its name, the error's type and text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse
import torch
from estimator_cases import arranged

import graphopt as g
from graphopt import completion, datasets, decision, features, learning, nn
from graphopt.clustering import kmeans_plus_plus, soft_kmeans_vjp
from graphopt.facility import expected_distances_gradient
from graphopt.nn import facility_distances, losses
from graphopt.paths import all_pairs_shortest_paths

SPARE_BYTES = 2**30  # of address space, beyond what is in use when the calls begin
BEYOND_ALL = 10**400  # more than a float holds; 10**5000 is more than Python writes

Call = Callable[[Any], object]

N = 40
GRAPH = g.Graph.from_edges(np.random.default_rng(0).integers(0, N, (120, 2)), N)
X = np.random.default_rng(1).standard_normal((N, 4))
CENTERS = X[:3]
LABELS = np.arange(N) % 3
HOPS = all_pairs_shortest_paths(GRAPH)
EVEN = np.full(N, 0.1)
LIKELY = completion.EdgeProbabilities(GRAPH, np.empty((0, 2)), [], background=0.1)
ONE_LONG_WAY = np.array([[5 * 10**8]], np.uint32)
FAST: dict[str, Any] = {"completion": None, "iterations": 1, "n_restarts": 1, "random_state": 0}


def wide(n_columns: int) -> scipy.sparse.csr_array:
    """Return features that are said to be so wide, and hold three entries."""
    ends = np.append([0, 1, 2], np.full(N - 2, 3))
    return scipy.sparse.csr_array((np.ones(3), np.arange(3), ends), shape=(N, n_columns))


def _networks(name: str) -> Call:
    return lambda v: g.ClusterNet(**arranged(**{"n_clusters": 3, **FAST, name: v})).fit(GRAPH, X)


def _direct(name: str) -> Call:
    return lambda v: g.DirectGCN(**arranged(**{"n_clusters": 3, **FAST, name: v})).fit(GRAPH, X)


def _links(name: str) -> Call:
    settings: dict[str, Any] = {"iterations": 1, "random_state": 0}
    return lambda v: g.LinkPredictor(**arranged(**{**settings, name: v})).fit(GRAPH, X)


def _recipe(name: str) -> Call:
    settings: dict[str, Any] = {"iterations": 1, "n_restarts": 1}
    return lambda v: learning.Recipe(**{**settings, name: v})


def _roles(name: str) -> Call:
    return lambda v: features.role2vec(GRAPH, **{name: v})


def _drawn(name: str) -> Call:
    return lambda v: datasets.synthetic(**{"n_nodes": 30, name: v})


def _distribution(name: str) -> Call:
    settings: dict[str, Any] = {"n_nodes": 30, "n_train": 1, "n_validation": 1, "n_test": 1}
    return lambda v: datasets.synthetic_distribution(**{**settings, name: v})


def _bags(name: str) -> Call:
    return lambda v: completion.Bagging(**{name: v}).missing_edges(GRAPH)


def _model(name: str) -> Call:
    return lambda v: completion.LinkModel(**{name: v}).missing_edges(GRAPH, X)


def _compared(name: str) -> Call:
    return lambda v: decision.compare(["leiden"], GRAPH, **{"k": 3, "splits": 2, name: v})


def _decided(name: str) -> Call:
    return lambda v: g.decide(GRAPH, X, **{"k": 3, "n_trials": 1, name: v})


def _encoder(name: str) -> Call:
    widths = {"in_features": 4, "hidden_features": 4, "out_features": 4}
    return lambda v: nn.GCN(**{**widths, name: v})


def _network(name: str) -> Call:
    return lambda v: nn.ClusterNet(**{"in_features": 4, "n_clusters": 3, name: v})


def _facility(name: str) -> Call:
    def call(v: Any) -> object:
        objective = losses.KCenterLoss(**{"n_facilities": 4, name: v})
        return objective.decode(torch.full((N,), 0.1), objective.prepare(GRAPH), random_state=0)

    return call


# Integer arguments, none of which can be 10**400.
INTEGERS: dict[str, Call] = {
    "Graph.from_edges n_nodes": lambda v: g.Graph.from_edges([(0, 1)], v),
    "Graph.from_edges edges": lambda v: g.Graph.from_edges([(0, v)]),
    "Graph.from_edge_index n_nodes": lambda v: g.Graph.from_edge_index(np.eye(2, dtype=int), v),
    "Graph.neighbors node": GRAPH.neighbors,
    "cnm k": lambda v: g.cnm(GRAPH, v),
    "newman k": lambda v: g.newman(GRAPH, v),
    "leiden k": lambda v: g.leiden(GRAPH, v),
    "leiden starts": lambda v: g.leiden(GRAPH, 3, starts=v),
    "leiden iterations": lambda v: g.leiden(GRAPH, 3, iterations=v),
    "leiden perturbations": lambda v: g.leiden(GRAPH, 3, perturbations=v),
    "leiden num_threads": lambda v: g.leiden(GRAPH, 3, num_threads=v),
    "polish k": lambda v: g.polish(GRAPH, LABELS, v),
    "polish perturbations": lambda v: g.polish(GRAPH, LABELS, 3, perturbations=v),
    "spectral k": lambda v: g.spectral(GRAPH, v),
    "spectral n_init": lambda v: g.spectral(GRAPH, 3, n_init=v),
    "gonzalez k": lambda v: g.gonzalez(GRAPH, v),
    "gonzalez first": lambda v: g.gonzalez(GRAPH, 3, first=v),
    "greedy_k_center k": lambda v: g.greedy_k_center(GRAPH, v),
    "exact_k_center k": lambda v: g.exact_k_center(GRAPH, v),
    "local_search_k_center k": lambda v: g.local_search_k_center(GRAPH, v),
    "local_search_k_center n_starts": lambda v: g.local_search_k_center(GRAPH, 3, n_starts=v),
    "local_search_k_center n_rounds": lambda v: g.local_search_k_center(GRAPH, 3, n_rounds=v),
    "robust_k_center k": lambda v: g.robust_k_center([GRAPH], v),
    "robust_k_center n_starts": lambda v: g.robust_k_center([GRAPH], 3, n_starts=v),
    "all_pairs_shortest_paths cutoff": lambda v: g.all_pairs_shortest_paths(GRAPH, cutoff=-v),
    "all_pairs_shortest_paths num_threads": (
        lambda v: g.all_pairs_shortest_paths(GRAPH, num_threads=v)
    ),
    "set_num_threads": g.set_num_threads,
    "expected_distances charge": lambda v: g.expected_distances(HOPS, EVEN, charge=v),
    "pipage_rounding k": lambda v: g.pipage_rounding(EVEN, k=v),
    "pipage_rounding draws": lambda v: g.pipage_rounding(EVEN, draws=v),
    "soft_kmeans iterations": lambda v: g.soft_kmeans(X, CENTERS, temperature=1.0, iterations=v),
    "kmeans_plus_plus n_clusters": lambda v: kmeans_plus_plus(X, v),
    "nn.SoftKMeans n_clusters": lambda v: nn.SoftKMeans(v)(torch.from_numpy(X)),
    "nn.SGC steps": lambda v: nn.SGC(4, 4, steps=v),
    "nn.APPNP steps": lambda v: nn.APPNP(4, 4, 4, steps=v),
    "FeatureNeighbours n_neighbours": completion.FeatureNeighbours,
    "EdgeProbabilities.expected": LIKELY.expected,
    "EdgeProbabilities.sample": LIKELY.sample,
    "structural_features n_features": lambda v: datasets.structural_features(GRAPH, v),
    "smoothed_features steps": lambda v: features.smoothed_features(X, GRAPH, v),
    "check_features n_nodes": lambda v: features.check_features(X, v),
    "clean_splits splits": lambda v: datasets.clean_splits(GRAPH, splits=v),
    **{f"Bagging {n}": _bags(n) for n in ("n_bags", "n_groups", "draws")},
    **{
        f"LinkModel {n}": _model(n) for n in ("smoothing", "n_candidates", "n_maskings", "n_others")
    },
    **{
        f"synthetic {n}": _drawn(n)
        for n in ("n_nodes", "n_graphs", "n_attributes", "n_groups", "n_features")
    },
    **{
        f"synthetic_distribution {n}": _distribution(n)
        for n in ("n_train", "n_validation", "n_test", "n_nodes", "n_features", "num_threads")
    },
    **{
        f"role2vec {n}": _roles(n)
        for n in ("n_features", "walk_length", "n_walks", "window", "n_motif_bins", "num_threads")
    },
    **{f"compare {n}": _compared(n) for n in ("k", "splits", "seeds", "n_jobs")},
    **{f"decide {n}": _decided(n) for n in ("k", "n_trials")},
    **{f"GCN {n}": _encoder(n) for n in ("in_features", "hidden_features", "out_features")},
    **{
        f"nn.ClusterNet {n}": _network(n)
        for n in ("in_features", "n_clusters", "hidden_features", "embedding_features")
    },
    **{f"KCenterLoss {n}": _facility(n) for n in ("n_facilities", "draws")},
    **{
        f"ClusterNet {n}": _networks(n)
        for n in ("n_clusters", "hidden_features", "embedding_features", "iterations", "n_restarts")
    },
    **{f"DirectGCN {n}": _direct(n) for n in ("n_clusters", "hidden_features", "n_restarts")},
    **{
        f"LinkPredictor {n}": _links(n)
        for n in ("hidden_features", "embedding_features", "iterations", "smoothing")
    },
    **{
        f"Recipe {n}": _recipe(n)
        for n in ("iterations", "smoothing", "check_every", "n_restarts", "n_starts", "pretraining")
    },
}

# Numbers that need not be integers.
NUMBERS: dict[str, Call] = {
    "leiden resolution": lambda v: g.leiden(GRAPH, 3, resolution=v),
    "spectral regularization": lambda v: g.spectral(GRAPH, 3, regularization=v),
    "local_search_k_center time_limit": lambda v: g.local_search_k_center(GRAPH, 3, time_limit=v),
    "soft_kmeans temperature": lambda v: g.soft_kmeans(X, CENTERS, temperature=v, iterations=1),
    "synthetic rho": _drawn("rho"),
    "synthetic edges_per_node": _drawn("edges_per_node"),
    "role2vec negatives": _roles("negatives"),
    "Bagging weight": _bags("weight"),
    "LinkModel weight": _model("weight"),
    "EdgeProbabilities.sharpened": LIKELY.sharpened,
    "EdgeProbabilities.with_total": LIKELY.with_total,
    "KCenterLoss growth": _facility("growth"),
    "KCenterLoss charge": _facility("charge"),
    "ClusterNet temperature": _networks("temperature"),
    "decide time_budget": _decided("time_budget"),
    "nn.dropout share": lambda v: nn.dropout(torch.ones(3), v),
}

MANY = 10**8
# Sizes that integers of 64 bits hold, and the memory does not.
SIZES: dict[str, Callable[[], object]] = {
    "edges of int8": lambda: g.Graph.from_edges(np.zeros((MANY // 2, 2), np.int8)),
    "edges that take no memory": lambda: g.Graph.from_edges(np.broadcast_to(1, (10**12, 2))),
    "edge_index that takes no memory": (
        lambda: g.Graph.from_edge_index(np.broadcast_to(1, (2, 10**12)))
    ),
    "indices that take no memory": (
        lambda: g.Graph([0, 10**12], np.broadcast_to(np.int32(1), 10**12), directed=True)
    ),
    "expected_distances of one long way": lambda: g.expected_distances(ONE_LONG_WAY, [0.5]),
    "expected_distances_gradient of one long way": (
        lambda: expected_distances_gradient(ONE_LONG_WAY, [0.5], [1.0])
    ),
    "FacilityDistances of one long way": (
        lambda: facility_distances.FacilityDistances.from_distances(ONE_LONG_WAY)
    ),
    "unrolled gradient": lambda: soft_kmeans_vjp(
        X, CENTERS, temperature=1.0, iterations=MANY, gradient="unrolled", grad_centers=CENTERS
    ),
    "soft_kmeans of many centres": lambda: g.soft_kmeans(
        X, np.ones((3 * 10**6, 4)), temperature=1.0, iterations=1
    ),
    "x that takes no memory": lambda: g.soft_kmeans(
        np.broadcast_to(1.0, (10**12, 4)), CENTERS, temperature=1.0, iterations=1
    ),
    "features of int8": lambda: features.check_features(np.ones((MANY * 2, 1), np.int8), 2 * MANY),
    "distances of float16": lambda: g.expected_distances(
        np.zeros((MANY * 2, 1), np.float16), [0.5]
    ),
    "wide features": lambda: features.check_features(wide(MANY), N),
    "wide features, smoothed": lambda: features.smoothed_features(wide(MANY), GRAPH, 1),
    "wide SparseMatrix": lambda: nn.SparseMatrix.from_scipy(wide(2**30)),
    "wide features of ClusterNet": lambda: g.ClusterNet(3, **FAST).fit(GRAPH, wide(MANY)),
    "wide features of decide": lambda: g.decide(GRAPH, wide(MANY), k=3, n_trials=1),
    "names by range": lambda: g.Graph.from_edges([(0, 1)], names=range(10**9)),
    "a tall adjacency matrix": lambda: g.Graph.from_scipy(
        scipy.sparse.coo_array(([1.0], ([0], [1])), shape=(2**31 - 1, 2**31 - 1))
    ),
    "reliability_curve n_bins": lambda: completion.reliability_curve(
        completion.LinkModel(), GRAPH, X, seen_fraction=0.5, n_bins=MANY
    ),
    **{
        name: (lambda name=name: INTEGERS[name](MANY))
        for name in (
            "Graph.from_edges n_nodes",
            "Graph.from_edges edges",
            "leiden starts",
            "kmeans_plus_plus n_clusters",
            "Bagging n_bags",
            "Bagging draws",
            "EdgeProbabilities.sample",
            "structural_features n_features",
            "synthetic n_nodes",
            "synthetic n_graphs",
            "synthetic n_attributes",
            "synthetic n_groups",
            "synthetic n_features",
            "synthetic_distribution n_train",
            "synthetic_distribution n_features",
            "role2vec n_features",
            "role2vec walk_length",
            "clean_splits splits",
            "compare splits",
            "compare seeds",
            "GCN in_features",
            "GCN hidden_features",
            "GCN out_features",
            "nn.ClusterNet n_clusters",
            "nn.ClusterNet embedding_features",
            "KCenterLoss draws",
            "ClusterNet hidden_features",
            "ClusterNet embedding_features",
            "DirectGCN hidden_features",
            "LinkPredictor hidden_features",
            "LinkPredictor embedding_features",
        )
    },
}


def calls() -> dict[str, Callable[[], object]]:
    """Return every call by name; the part before the colon is its group."""
    found = {f"size: {name}": call for name, call in SIZES.items()}
    for name, of in {**INTEGERS, **NUMBERS}.items():
        group = "integer" if name in INTEGERS else "number"
        for text, value in (("10**400", BEYOND_ALL), ("10**5000", 10**5000)):
            found[f"{group}: {name}={text}"] = lambda of=of, value=value: of(value)
    for name in INTEGERS:
        if name.endswith("num_threads"):
            found[f"integer: {name}=2**31"] = lambda name=name: INTEGERS[name](2**31)
    return found


def _limit_address_space() -> None:
    import resource

    with open("/proc/self/status", encoding="ascii") as lines:
        used = next(int(line.split()[1]) for line in lines if line.startswith("VmSize:"))
    limit = used * 1024 + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Make every call and print what became of it."""
    g.set_num_threads(1)
    torch.set_num_threads(1)
    # Threads and modules that are wanted for the first time.
    g.ClusterNet(3, **FAST).fit(GRAPH, X)
    g.decide(GRAPH, X, k=3, n_trials=1, random_state=0)
    _limit_address_space()
    for name, call in calls().items():
        try:
            call()
            said = ("nothing", "")
        except BaseException as error:
            said = (type(error).__name__, str(error))
        print(json.dumps([name, *said]), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
