"""The same bits from every fit, at any number of threads and wherever operands lie in memory.

torch gives work to several threads from 32,768 elements on, so there are more than that here. A
failure names the torch operation whose bits differ.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from estimator_cases import arranged
from threadpoolctl import threadpool_limits
from torch_operations import Misaligned, first_difference, moved

from graphopt import ClusterNet, DirectGCN, Graph, LinkPredictor, TwoStage, set_num_threads
from graphopt.completion import Bagging, Chosen, FeatureNeighbours, LinkModel, Mixture
from graphopt.learning import Recipe
from graphopt.learning.recipes import COMMUNITIES
from graphopt.nn.losses import KCenterLoss

N_NODES, N_FEATURES, N_GROUPS = 840, 90, 40
QUICK: dict[str, Any] = {
    "iterations": 2,
    "n_restarts": 1,
    "random_state": 0,
    "seen_fraction": 0.5,
    "completion": None,
}
RECIPE = replace(COMMUNITIES, kmeans_schedule=((0.0, 3),), masking=0.3)
# Of torch, of our kernels and of BLAS: each has had 1, 2, 3 and 8, in different company.
THREADS = [(1, 1, 1), (2, 3, 8), (3, 8, 2), (8, 2, 3)]


@cache
def graph(seed: int = 0, n_nodes: int = N_NODES) -> Graph:
    """Groups that hold together, each node with a handful of edges."""
    rng = np.random.default_rng(seed)
    group = np.arange(n_nodes) % N_GROUPS
    u = rng.integers(0, n_nodes, 4 * n_nodes)
    near = (rng.integers(0, n_nodes // N_GROUPS, len(u)) * N_GROUPS + group[u]) % n_nodes
    v = np.where(rng.random(len(u)) < 0.7, near, rng.integers(0, n_nodes, len(u)))
    return Graph.from_edges(np.column_stack([u, v])[u != v], n_nodes)


@cache
def dense(seed: int = 0, n_nodes: int = N_NODES) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n_nodes, N_FEATURES)).astype(np.float32)
    rows[np.arange(n_nodes), np.arange(n_nodes) % N_GROUPS] += 2.0
    return rows


@cache
def sparse(seed: int = 0, n_nodes: int = N_NODES) -> Any:
    rows = dense(seed, n_nodes)
    return scipy.sparse.csr_array(np.where(rows > 1.5, rows, 0.0))


def cluster_net(objective: Any = "modularity", **settings: Any) -> ClusterNet:
    return ClusterNet(N_GROUPS, objective, **arranged(**{"recipe": RECIPE, **QUICK, **settings}))


def direct_gcn(objective: Any = "modularity", **settings: Any) -> DirectGCN:
    return DirectGCN(N_GROUPS, objective, **arranged(**{"recipe": RECIPE, **QUICK, **settings}))


def link_predictor() -> LinkPredictor:
    return LinkPredictor(iterations=2, recipe=Recipe(feature_dropout=0.3), random_state=0)


def two_stage(algorithm: str, n_clusters: int = 5) -> Callable[[Any], TwoStage]:
    """On fewer nodes: it looks at all pairs."""

    def fit(rows: Callable[..., Any]) -> TwoStage:
        model = TwoStage(
            n_clusters, algorithm, predictor=link_predictor(), seen_fraction=0.5, random_state=0
        )
        return model.fit(graph(n_nodes=400), rows(n_nodes=400))

    return fit


def fitted(model: Any, **more: Any) -> Callable[[Any], Any]:
    return lambda rows: model.fit(graph(), rows(), **more)


def inductive(model: Any) -> Callable[[Any], Any]:
    def fit(rows: Callable[..., Any]) -> Any:
        seeds = 1, 2
        learned = model.fit_inductive([graph(s, 420) for s in seeds], [rows(s, 420) for s in seeds])
        return learned.fine_tune(graph(), rows(), iterations=2)

    return fit


CHOSEN = Chosen(N_GROUPS, 0.5, candidates=(FeatureNeighbours(), None), n_splits=1)
START_LABELS = np.arange(N_NODES) % N_GROUPS
CASES: dict[str, Callable[[Any], Any]] = {
    "clusternet": fitted(cluster_net()),
    "k-center": fitted(cluster_net("k-center")),
    "k-center on the mean": fitted(cluster_net(KCenterLoss(growth=0.0))),
    "appnp": fitted(cluster_net(encoder="appnp")),
    "sgc": fitted(cluster_net(encoder="sgc")),
    "implicit": fitted(cluster_net(gradient="implicit")),
    "dense gradient": fitted(ClusterNet(4, recipe=replace(RECIPE, gradient="dense"), **QUICK)),
    "unrolled": fitted(cluster_net(gradient="unrolled")),
    "auto gradient": fitted(cluster_net(gradient="auto")),
    "auto completion": fitted(cluster_net(completion="auto")),
    "features": fitted(cluster_net(completion="features")),
    "chosen": fitted(cluster_net(completion=CHOSEN)),
    "link model": fitted(cluster_net(completion=LinkModel(random_state=0))),
    "mixture": fitted(cluster_net(completion=Mixture((FeatureNeighbours(), LinkModel())))),
    "bagging": fitted(cluster_net(completion=Bagging(n_bags=2, random_state=0))),
    "leiden and pretraining": fitted(
        cluster_net(start="leiden", pretraining=2, n_restarts=2, consensus=True, polish=True)
    ),
    "start labels": fitted(cluster_net(pretraining=1), start_labels=START_LABELS),
    "no smoothing": fitted(cluster_net(recipe=replace(RECIPE, smoothing=0))),
    "inductive": inductive(cluster_net(n_restarts=2)),
    "inductive k-center": inductive(cluster_net("k-center")),
    "direct": fitted(direct_gcn()),
    "direct k-center": fitted(direct_gcn("k-center")),
    "direct inductive": inductive(direct_gcn()),
    "link predictor": fitted(link_predictor()),
    "link predictor inductive": inductive(link_predictor()),
    **{a: two_stage(a) for a in ("cnm", "newman", "spectral", "greedy", "gonzalez")},
}


SPARSE_TOO = ("clusternet", "k-center", "appnp", "sgc", "features", "direct", "link predictor")


@contextmanager
def threads(of_torch: int, of_kernels: int, of_blas: int) -> Iterator[None]:
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(of_torch)
        set_num_threads(of_kernels)
        with threadpool_limits(of_blas, user_api="blas"):
            yield
    finally:
        set_num_threads(None)
        torch.set_num_threads(before)


def bits(model: Any) -> dict[str, str]:
    """Return what tells the bits of everything that a fit leaves behind."""
    found = {name: value for name, value in vars(model).items() if isinstance(value, np.ndarray)}
    for name in ("losses_", "training_value_"):
        if hasattr(model, name):
            found[name] = np.array(getattr(model, name))
    for i, run in enumerate(getattr(model, "runs_", [])):
        found[f"runs_[{i}].losses"] = np.array(run.losses)
        found[f"runs_[{i}].checks"] = np.array(run.checks)
    if hasattr(model, "network_"):
        for name, tensor in model.network_.state_dict().items():
            found[f"network_.{name}"] = tensor.numpy()
    for name, part in vars(model).items():
        if name == "predictor_":
            found |= {f"predictor_.{key}": value for key, value in bits(part).items()}
    return {
        name: value if isinstance(value, str) else hashlib.sha256(value.tobytes()).hexdigest()
        for name, value in found.items()
    }


@pytest.mark.parametrize(
    ("name", "rows"),
    [(name, dense) for name in CASES] + [(name, sparse) for name in SPARSE_TOO],
    ids=lambda part: part if isinstance(part, str) else part.__name__,
)
def test_the_bits_do_not_depend_on_threads(name: str, rows: Callable[..., Any]) -> None:
    def run(numbers: tuple[int, int, int]) -> Any:
        with threads(*numbers):
            return CASES[name](rows)

    first = bits(run(THREADS[0]))
    assert len(first) > 3
    for numbers in THREADS[1:]:
        found = bits(run(numbers))
        if found != first:
            differing = [key for key in first if found[key] != first[key]]
            cause = first_difference(lambda: run(THREADS[0]), lambda n=numbers: run(n))
            pytest.fail(f"{differing} differ with {numbers} threads; {cause}")


@pytest.mark.parametrize("name", ["clusternet", "k-center", "appnp", "direct", "link predictor"])
def test_the_bits_do_not_depend_on_where_operands_lie(name: str) -> None:
    def rows(*args: Any, **more: Any) -> np.ndarray:
        return moved(dense(*args, **more), 0)

    def rows_elsewhere(*args: Any, **more: Any) -> np.ndarray:
        return moved(dense(*args, **more), 16)

    expected = bits(CASES[name](rows))
    assert bits(CASES[name](rows_elsewhere)) == expected
    for offset in (0, 16, 48):  # NumPy's memory starts at any multiple of 16
        with Misaligned(offset):
            found = bits(CASES[name](rows_elsewhere))
        assert found == expected
