"""Modularity: of a soft assignment, with its gradient, and of the best k communities found."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.race import workloads
from benchmarks.race.contest import Call, Contest, Contestant, Faster, LineUp, Within
from benchmarks.race.workloads import like, size_of
from graphopt.communities import leiden
from graphopt.communities import modularity as modularity_of

K = 10


def same_value(ours: tuple[Any, Any], theirs: tuple[Any, Any]) -> None:
    """Compare values and gradients in float32."""
    np.testing.assert_allclose(theirs[0], ours[0], rtol=1e-4, atol=1e-6)
    largest = float(np.abs(np.asarray(ours[1])).max())
    np.testing.assert_allclose(theirs[1], ours[1], rtol=1e-4, atol=1e-4 * largest)


def _modularity(name: str, size: tuple[int, int], scale: float) -> LineUp:
    n, source = like(name, size, scale)

    def assignment() -> Any:
        import torch

        return torch.from_numpy(workloads.assignment(n, K))

    def ours() -> Call:
        from benchmarks.race.torch_peers import value_and_gradient
        from graphopt.nn.losses import ModularityLoss

        objective, r = ModularityLoss(), assignment()
        problem = objective.prepare(source()[0])
        return lambda: value_and_gradient(lambda at: objective.loss(at, problem), r)

    def torch_sparse() -> Call:
        from benchmarks.race.torch_peers import SparseModularity, value_and_gradient

        loss, r = SparseModularity(source()[0]), assignment()
        return lambda: value_and_gradient(loss, r)

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("torch, sparse", torch_sparse),
    )
    return LineUp(size_of(source), contestants, same_value)


def modularity(scale: float) -> LineUp:
    """Race on cora."""
    return _modularity("cora", workloads.CORA, scale)


def modularity_20k(scale: float) -> LineUp:
    """Race on pubmed."""
    return _modularity("pubmed", workloads.PUBMED, scale)


# --- k communities ------------------------------------------------------------------------------


def no_better(ours: float, theirs: float) -> None:
    """Compare what was reached: nobody's groups are better than ours."""
    if not theirs <= ours + 1e-12:
        raise AssertionError(f"modularity {theirs:.4f}, ours {ours:.4f}")


def plausible(ours: float, theirs: float) -> None:
    """Compare with somebody who is free to make more groups: what these gain is little."""
    if not abs(theirs - ours) < 0.1:
        raise AssertionError(f"modularity {theirs:.4f}, ours {ours:.4f}")


def communities(scale: float) -> LineUp:
    """Race for the best ten groups of cora, beside peers that cannot hold k."""
    _, source = like("cora", workloads.CORA, scale)

    def judged(labels: Any) -> np.float64:
        return np.float64(modularity_of(source()[0], labels))

    def ours() -> Call:
        graph, _ = source()
        return lambda: judged(leiden(graph, K, random_state=0).labels)

    def igraph_leiden() -> Call:
        graph, _ = source()
        peer = graph.to_igraph()

        return lambda: judged(peer.community_leiden("modularity", n_iterations=-1).membership)

    def networkx_greedy() -> Call:
        import networkx as nx

        graph, _ = source()
        peer = graph.to_networkx()

        greedy = nx.community.greedy_modularity_communities
        return lambda: judged(_labels(graph.n_nodes, greedy(peer, cutoff=K, best_n=K)))

    def networkx_louvain() -> Call:
        import networkx as nx

        graph, _ = source()
        peer = graph.to_networkx()
        louvain = nx.community.louvain_communities
        return lambda: judged(_labels(graph.n_nodes, louvain(peer, seed=0)))

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant(
            "igraph",
            igraph_leiden,
            note="Leiden, any number of groups",
            peer=False,
            agree=plausible,
        ),
        Contestant(
            "networkx, greedy", networkx_greedy, note="greedy merging to 10 groups", slow=True
        ),
        Contestant(
            "networkx, Louvain",
            networkx_louvain,
            note="any number of groups",
            peer=False,
            agree=plausible,
        ),
    )
    return LineUp(size_of(source), contestants, no_better)


def _labels(n_nodes: int, groups: Any) -> Any:
    labels = np.empty(n_nodes, np.int64)
    for number, group in enumerate(groups):
        labels[list(group)] = number
    return labels


CONTESTS = (
    Contest("modularity", "modularity and its gradient", modularity, (Faster(3.0),), quick=True),
    Contest(
        "modularity-20k", "modularity and its gradient", modularity_20k, (Faster(3.0),), quick=True
    ),
    Contest("communities", "the best 10 groups, k held", communities, (Within(2.0),), quick=True),
)
