"""Communities of a complete weighted graph, beside igraph's.

The weights are probabilities as a link predictor gives them: every pair has one. igraph takes
minutes from 2,000 nodes on, so the graph is smaller.
"""

from __future__ import annotations

import igraph
import numpy as np
import pytest

import graphopt
from graphopt import cnm, modularity, newman

N_NODES = 800
K = 10


@pytest.fixture(scope="module")
def probabilities() -> np.ndarray:
    points = np.random.default_rng(0).standard_normal((N_NODES, 16))
    weights = 1.0 / (1.0 + np.exp(4.0 - 0.5 * (points @ points.T)))
    weights = (weights + weights.T) / 2.0
    np.fill_diagonal(weights, 0.0)
    return weights


@pytest.fixture(scope="module")
def peer(probabilities) -> tuple[igraph.Graph, np.ndarray]:
    ends = np.triu_indices(N_NODES, 1)
    return igraph.Graph(n=N_NODES, edges=np.column_stack(ends)), probabilities[ends]


def describe(benchmark) -> None:
    benchmark.extra_info.update(
        n=N_NODES,
        m=N_NODES * (N_NODES - 1) // 2,
        threads=1,
        isa=graphopt.build_config()["isa"],
    )


@pytest.mark.benchmark(group="greedy agglomeration, complete graph")
def test_cnm(benchmark, probabilities, peer):
    describe(benchmark)
    found = benchmark.pedantic(cnm, (probabilities, K), rounds=5, iterations=1)
    graph, weights = peer
    labels = graph.community_fastgreedy(weights=weights).as_clustering(K).membership
    assert found.n_communities == K
    assert found.modularity == pytest.approx(modularity(probabilities, labels), rel=0.05)


@pytest.mark.benchmark(group="greedy agglomeration, complete graph")
def test_igraph_fastgreedy(benchmark, peer):
    describe(benchmark)
    graph, weights = peer
    merging = benchmark.pedantic(
        graph.community_fastgreedy, kwargs={"weights": weights}, rounds=1, iterations=1
    )
    assert len(merging.as_clustering(K)) == K


@pytest.mark.benchmark(group="leading eigenvectors, complete graph")
def test_newman(benchmark, probabilities, peer):
    describe(benchmark)
    found = benchmark.pedantic(newman, (probabilities, K), rounds=3, iterations=1)
    assert found.n_communities == K
    graph, weights = peer
    labels = graph.community_leading_eigenvector(K, weights=weights).membership
    assert found.modularity >= modularity(probabilities, labels)


@pytest.mark.benchmark(group="leading eigenvectors, complete graph")
def test_igraph_leading_eigenvector(benchmark, peer):
    describe(benchmark)
    graph, weights = peer
    found = benchmark.pedantic(
        graph.community_leading_eigenvector,
        (K,),
        kwargs={"weights": weights},
        rounds=1,
        iterations=1,
    )
    assert len(found) <= K
