"""Modularity: of a soft assignment, with its gradient, and of the best k communities found."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import igraph
import networkx as nx
import numpy as np
import torch

from benchmarks.race import workloads
from benchmarks.race.contest import (
    Agree,
    Call,
    Contest,
    Contestant,
    Faster,
    LineUp,
    Size,
    Within,
)
from benchmarks.race.torch_peers import SparseModularity, value_and_gradient
from benchmarks.race.workloads import like, size_of
from graphopt import CommunityResult, cnm, leiden, newman
from graphopt import modularity as modularity_of
from graphopt.nn.losses import ModularityLoss

K = 10


def same_value(ours: tuple[Any, Any], theirs: tuple[Any, Any]) -> None:
    """Compare values and gradients in float32."""
    np.testing.assert_allclose(theirs[0], ours[0], rtol=1e-4, atol=1e-6)
    largest = float(np.abs(np.asarray(ours[1])).max())
    np.testing.assert_allclose(theirs[1], ours[1], rtol=1e-4, atol=1e-4 * largest)


def modularity(scale: float, name: str, size: tuple[int, int]) -> LineUp:
    """Race through the value of a soft assignment and its gradient."""
    n, source = like(name, size, scale)

    def assignment() -> Any:
        return torch.from_numpy(workloads.assignment(n, K))

    def ours() -> Call:
        objective, r = ModularityLoss(), assignment()
        problem = objective.prepare(source()[0])
        return lambda: value_and_gradient(lambda at: objective.loss(at, problem), r)

    def torch_sparse() -> Call:
        loss, r = SparseModularity(source()[0]), assignment()
        return lambda: value_and_gradient(loss, r)

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("torch, sparse", torch_sparse),
    )
    return LineUp(size_of(source), contestants, same_value)


# --- k communities ------------------------------------------------------------------------------


def no_better(ours: float, theirs: float) -> None:
    """Compare what was reached: nobody's groups are better than ours."""
    if not theirs <= ours + 1e-12:
        raise AssertionError(f"modularity {theirs:.4f}, ours {ours:.4f}")


def as_good(ours: float, theirs: float) -> None:
    """Compare two runs of one method, which break ties in their own way."""
    np.testing.assert_allclose(theirs, ours, rtol=0.05)


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
        graph, _ = source()
        peer = graph.to_networkx()

        greedy = nx.community.greedy_modularity_communities
        return lambda: judged(_labels(graph.n_nodes, greedy(peer, cutoff=K, best_n=K)))

    def networkx_louvain() -> Call:
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


# --- every pair weighted ------------------------------------------------------------------------


def _every_pair(
    scale: float,
    ours: Callable[..., CommunityResult],
    theirs: Callable[[igraph.Graph, Any], Any],
    agree: Agree,
) -> LineUp:
    """Race on the probabilities of a link predictor; igraph takes minutes from 2,000 nodes on."""
    n = max(60, round(scale * 800))
    weights = workloads.link_probabilities(n)

    def graphopt_call() -> Call:
        return lambda: np.float64(ours(weights, K).modularity)

    def igraph_call() -> Call:
        ends = np.triu_indices(n, 1)
        peer = igraph.Graph(n=n, edges=np.column_stack(ends))
        return lambda: np.float64(modularity_of(weights, theirs(peer, weights[ends])))

    contestants = (
        Contestant("graphopt", graphopt_call, peer=False),
        Contestant("igraph", igraph_call),
    )
    return LineUp(lambda: Size(n, n * (n - 1) // 2), contestants, agree)


def cnm_matrix(scale: float) -> LineUp:
    """Race through greedy merging."""
    return _every_pair(
        scale,
        cnm,
        lambda peer, weights: (
            peer.community_fastgreedy(weights=weights).as_clustering(K).membership
        ),
        as_good,
    )


def newman_matrix(scale: float) -> LineUp:
    """Race through divisions by leading eigenvectors."""
    return _every_pair(
        scale,
        newman,
        lambda peer, weights: peer.community_leading_eigenvector(K, weights=weights).membership,
        no_better,
    )


def _labels(n_nodes: int, groups: Any) -> Any:
    labels = np.empty(n_nodes, np.int64)
    for number, group in enumerate(groups):
        labels[list(group)] = number
    return labels


CONTESTS = (
    Contest(
        "modularity",
        "modularity and its gradient",
        partial(modularity, name="cora", size=workloads.CORA),
        (Faster(3.0),),
        quick=True,
    ),
    Contest(
        "modularity-20k",
        "modularity and its gradient",
        partial(modularity, name="pubmed", size=workloads.PUBMED),
        (Faster(3.0),),
        quick=True,
    ),
    Contest("communities", "the best 10 groups, k held", communities, (Within(2.0),), quick=True),
    Contest("cnm-matrix", "greedy merging to 10 groups, every pair weighted", cnm_matrix),
    Contest("newman-matrix", "leading eigenvectors, 10 groups, every pair weighted", newman_matrix),
)
