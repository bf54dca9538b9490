"""Training ClusterNet on communities, beside the same training in plain sparse PyTorch.

The graph has cora's size; with ``GRAPHOPT_DATA`` set it is cora. Both sides run the published
settings (1,000 steps with ``GRAPHOPT_BENCH_STEPS=1000``; fewer by default), start from the same
weights and see as many edges.
"""

from __future__ import annotations

import os

import numpy as np
import pytest
import scipy.sparse
import torch

import graphopt
from graphopt import Graph, datasets
from graphopt.learning import Recipe, train
from graphopt.learning.inputs import EncoderInputs
from graphopt.nn import ClusterNet
from graphopt.objectives import Modularity
from graphopt.reference.clusternet import train_communities

STEPS = int(os.environ.get("GRAPHOPT_BENCH_STEPS", "40"))
RECIPE = Recipe(
    iterations=STEPS,
    learning_rate=0.01,
    kmeans_schedule=((0.0, 1), (0.5, 5)),
    smoothing=0,
    feature_dropout=0.0,
    masking=0.4,
    check_every=STEPS,
    n_restarts=1,
)


def observed() -> tuple[Graph, scipy.sparse.csr_array, str]:
    if os.environ.get("GRAPHOPT_DATA"):
        data = datasets.load("cora")
        return data.observed, data.observed_features, "cora"
    rng = np.random.default_rng(0)
    group = rng.integers(7, size=2708)
    edges = rng.integers(2708, size=(12000, 2))
    alike = group[edges[:, 0]] == group[edges[:, 1]]
    graph = Graph.from_edges(edges[alike | (rng.random(12000) < 0.04)][:2150], 2708)
    words = (rng.random((2708, 1433)) < 0.0127).astype(np.float32)
    return graph, scipy.sparse.csr_array(words), "planted, of cora's size"


@pytest.fixture(scope="module")
def problem():
    graph, features, name = observed()
    inputs = EncoderInputs.make(graph, features, smoothing=0)
    network = ClusterNet(inputs.n_features, 10)
    network.initialize(inputs.features, inputs.adjacency.whole, np.random.default_rng(0))
    return graph, inputs, network, name


def describe(benchmark, graph: Graph, name: str) -> None:
    config = graphopt.build_config()
    benchmark.extra_info.update(
        graph=name,
        n=graph.n_nodes,
        m=graph.n_edges,
        steps=STEPS,
        threads=config["threads"],
        isa=config["isa"],
    )


@pytest.mark.benchmark(group="train communities")
def test_graphopt(benchmark, problem):
    graph, inputs, network, name = problem
    describe(benchmark, graph, name)
    objective = Modularity()
    state = {key: value.clone() for key, value in network.state_dict().items()}

    def run():
        network.load_state_dict(state)
        rng = np.random.default_rng(0)
        return train(network, inputs, objective, objective.prepare(graph), RECIPE, rng)

    result = benchmark.pedantic(run, rounds=3, iterations=1)
    network.load_state_dict(state)
    assert result.losses[-1] < result.losses[0]


@pytest.mark.benchmark(group="train communities")
def test_plain_pytorch(benchmark, problem):
    graph, inputs, network, name = problem
    describe(benchmark, graph, name)
    features = inputs.features.to_dense().to_sparse_coo()
    edges = torch.from_numpy(graph.edges.astype(np.int64))
    encoder = network.encoder
    initial = tuple(
        weight.detach()
        for weight in (
            encoder.hidden_weight,
            encoder.hidden_bias,
            encoder.out_weight,
            encoder.out_bias,
        )
    )

    def run():
        torch.manual_seed(0)
        return train_communities(
            features,
            edges,
            initial,
            network.initial_centers,
            temperature=30.0,
            kmeans_updates=[RECIPE.kmeans_updates(step) for step in range(STEPS)],
            learning_rate=0.01,
            dropout=0.5,
            masking=0.4,
        )

    losses = benchmark.pedantic(run, rounds=3, iterations=1)
    assert losses[-1] < losses[0]
