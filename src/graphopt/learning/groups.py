"""Groups around a training: those it starts from, and those its restarts agree on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional

from graphopt._validation import RandomState, as_array, as_tuple
from graphopt.communities import check_strengths, leiden
from graphopt.graph import Graph
from graphopt.learning.descent import descend, seeded
from graphopt.learning.inputs import Case, EncoderInputs
from graphopt.learning.recipes import Recipe
from graphopt.learning.trainer import DecidingNetwork
from graphopt.nn import ClusterNet, DirectGCN
from graphopt.nn.functional import group_means
from graphopt.nn.losses import Loss, ModularityLoss
from graphopt.nn.sparse import product

_LEAST = 0.05
"""Weight of an edge that no partition holds together, so that the graph does not fall apart."""

# --- groups to start from -------------------------------------------------------------------------


def groups_to_start_from(
    objective: Loss,
    recipe: Recipe,
    case: Case,
    n_clusters: int,
    labels: ArrayLike | None,
) -> Callable[[np.random.Generator], NDArray[np.int64]] | None:
    """Return a function that gives a restart its groups to start from, None if there are none.

    `labels`, shape (case.graph.n_nodes,), are the user's; without them the recipe's ``start``
    counts.

    Raises
    ------
    TypeError, ValueError
        For labels that do not match, or pretraining without groups.
    """
    if labels is not None:
        given = given_groups(labels, case.nodes, case.graph.n_nodes, n_clusters)
        return lambda random_state: given
    if recipe.start == "leiden":
        return lambda random_state: leiden_groups(
            case.judged_on, n_clusters, objective, random_state
        )
    if recipe.pretraining:
        raise ValueError('pretraining needs groups: start="leiden", or start_labels given to fit')
    return None


def given_groups(
    labels: ArrayLike, nodes: NDArray[np.int32], n_nodes: int, n_groups: int
) -> NDArray[np.int64]:
    """Check a user's groups of all nodes, and return those of `nodes`, numbered from 0.

    Raises
    ------
    TypeError, ValueError
        For other than one integer per node, or more than `n_groups` groups.
    """
    array = as_array("start_labels", labels)
    if array.shape != (n_nodes,):
        raise ValueError(f"start_labels must have shape ({n_nodes},), not {array.shape}")
    if array.size and array.dtype.kind not in "iu":
        raise TypeError(f"start_labels must be integers, not {array.dtype}")
    numbered = _numbered(array[nodes])
    if numbered.size and numbered.max() >= n_groups:
        raise ValueError(
            f"start_labels must hold at most n_clusters = {n_groups} groups, "
            f"not {int(numbered.max()) + 1}"
        )
    return numbered


def leiden_groups(
    graph: Graph, n_groups: int, objective: Loss, random_state: np.random.Generator
) -> NDArray[np.int64]:
    """Return the groups that Leiden finds, at most `n_groups`, numbered from 0.

    The resolution is that of modularity as the objective.
    """
    found = leiden(
        graph, n_groups, resolution=resolution_of(objective), random_state=random_state
    ).labels
    return _numbered(found)


def resolution_of(objective: Loss) -> float:
    """Return the resolution with which Leiden serves an objective."""
    return objective.resolution if isinstance(objective, ModularityLoss) else 1.0


def _numbered(labels: NDArray[Any]) -> NDArray[np.int64]:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64).reshape(len(labels))


# --- starting a network from groups ---------------------------------------------------------------


def warm_start(
    network: DecidingNetwork,
    inputs: EncoderInputs,
    labels: NDArray[np.int64],
    recipe: Recipe,
    random_state: np.random.Generator,
) -> None:
    """Pretrain an initialised network towards groups, and let soft k-means start from them.

    `inputs` are those of one graph, and `labels`, shape (n_nodes,), its groups, numbered from 0
    without gaps.

    Raises
    ------
    ValueError
        For a network without soft k-means: if it chooses nodes, or is not pretrained.
    """
    groups = torch.from_numpy(labels)
    if isinstance(network, DirectGCN) and (network.decides != "labels" or not recipe.pretraining):
        raise ValueError(
            "a network without soft k-means can be started from groups by pretraining alone, and "
            "only if it decides on groups"
        )
    if recipe.pretraining:
        pretrain(network, inputs, groups, recipe, random_state)
    if isinstance(network, ClusterNet):
        network.start_from(inputs.features, inputs.adjacency.whole, groups, random_state)


def pretrain(
    network: DecidingNetwork,
    inputs: EncoderInputs,
    labels: Tensor,
    recipe: Recipe,
    random_state: np.random.Generator,
) -> None:
    """Teach the encoder some groups: lower the cross-entropy of what a network makes of them.

    Soft k-means with the groups' mean embeddings as centres is meant to assign every node to its
    own group. Graph and features are perturbed at each step as in training. `labels`, of int64 and
    shape (n_nodes,), are numbered from 0 without gaps.

    For ClusterNet the loss is that of J. Snell, K. Swersky and R. Zemel, "Prototypical Networks for
    Few-shot Learning", NeurIPS 2017, on the unit sphere.
    """
    n_groups = int(labels.max()) + 1 if len(labels) else 0

    def loss(step: int) -> Tensor:
        features, adjacency = inputs.perturbed(recipe.feature_dropout, recipe.masking)
        embedding = network.encoder(features, adjacency)
        if isinstance(network, DirectGCN):
            return functional.cross_entropy(embedding, labels)
        rows = functional.normalize(embedding, dim=1)
        centers, _ = group_means(rows, labels, n_groups)
        scores = product(network.cluster.temperature * rows, centers.T)
        return functional.cross_entropy(scores, labels)

    training = network.training
    with seeded(random_state):
        _, interrupted = descend(network, loss, replace(recipe, iterations=recipe.pretraining))
    network.train(training)
    if interrupted:
        raise KeyboardInterrupt


# --- the best of several starts -------------------------------------------------------------------


@torch.no_grad()
def best_start(
    network: DecidingNetwork,
    inputs: EncoderInputs,
    objective: Loss,
    problem: Any,
    n_starts: int,
    random_state: np.random.Generator,
) -> tuple[NDArray[Any], Tensor | None]:
    """Decide on one graph from several starts of soft k-means, and return the best decision.

    Groups of one graph need not lie where those of another do, so the start that was learned is
    only the first that is tried; the others are drawn from the graph's own nodes by k-means++. The
    decoded decision's value on `problem` says which is best. The network is in evaluation mode.

    Returns
    -------
    decision : array of int
    centers : Tensor, shape (n_clusters, embedding_features), or None
        The start; None: the network has no soft k-means.
    """
    output = network.encoder(inputs.features, inputs.adjacency.whole)
    if isinstance(network, DirectGCN):
        relaxed = network.decision(output)
        return objective.decode(relaxed, problem, random_state=random_state), None

    def decision_from(centers: Tensor) -> NDArray[Any]:
        relaxed = objective.relax(network.cluster(output, centers))
        return objective.decode(relaxed, problem, random_state=random_state)

    centers = network.initial_centers
    decision = decision_from(centers)
    if n_starts == 1:
        return decision, centers
    value = objective.training_value(decision, problem)
    for _ in range(n_starts - 1):
        others = network.draw_centers(output, random_state)
        its_decision = decision_from(others)
        its_value = objective.training_value(its_decision, problem)
        if objective.better(its_value, value):
            decision, centers, value = its_decision, others, its_value
    return decision, centers


def start_well(
    network: DecidingNetwork,
    inputs: EncoderInputs,
    objective: Loss,
    problem: Any,
    n_starts: int,
    random_state: np.random.Generator,
) -> None:
    """Let `network` start soft k-means where :func:`best_start` found best on a graph."""
    if n_starts > 1 and isinstance(network, ClusterNet):
        _, centers = best_start(network, inputs, objective, problem, n_starts, random_state)
        if centers is not None:
            network.initial_centers = centers.clone()


# --- after training -------------------------------------------------------------------------------


def consensus(
    graph: Graph,
    partitions: Sequence[NDArray[np.integer]],
    n_groups: int,
    *,
    resolution: float = 1.0,
    random_state: RandomState = None,
) -> NDArray[np.int64]:
    """Return the groups on which several partitions of a graph agree, at most `n_groups`.

    Every edge is weighed by the share of the partitions that have both its ends in one group, and
    Leiden decides on the weighted graph.

    Parameters
    ----------
    graph : Graph
        Undirected; weights are multiplied.
    partitions : sequence of array of int, shape (n_nodes,)
        At least one; how groups are numbered does not matter.
    n_groups : int
    resolution : float
    random_state : int, Generator or None

    Returns
    -------
    array of int64, shape (n_nodes,)

    Raises
    ------
    ValueError
        For no partition, or one of another length.

    Notes
    -----
    O(n_edges) memory, as only pairs with an edge are compared: V. Poulin and F. Théberge, "Ensemble
    Clustering for Graphs", Complex Networks 2018. All pairs: A. Lancichinetti and S. Fortunato,
    Sci. Rep. 2, 336 (2012).

    Examples
    --------
    >>> square = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])
    >>> consensus(square, [[0, 0, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0]], 2, random_state=0).tolist()
    [0, 0, 1, 1]
    """
    check_strengths("graph", graph)
    partitions = as_tuple("partitions", partitions)
    if len(partitions) == 0:
        raise ValueError("partitions must hold at least one")
    edges = graph.edges
    agreeing = np.zeros(len(edges))
    for labels in partitions:
        groups = as_array("partitions", labels)
        if groups.shape != (graph.n_nodes,):
            raise ValueError(f"partitions must have shape ({graph.n_nodes},), not {groups.shape}")
        agreeing += groups[edges[:, 0]] == groups[edges[:, 1]]
    weights = _LEAST + (1.0 - _LEAST) * agreeing / len(partitions)
    if graph.edge_weights is not None:
        weights = weights * graph.edge_weights
    weighed = Graph.from_edges(edges, graph.n_nodes, weights)
    found = leiden(weighed, n_groups, resolution=resolution, random_state=random_state)
    return found.labels.astype(np.int64)


def finished(
    objective: Loss,
    recipe: Recipe,
    case: Case,
    best: NDArray[Any],
    decisions: Sequence[NDArray[Any]],
    n_clusters: int,
    random_state: np.random.Generator,
) -> NDArray[Any]:
    """Return the decision after the consensus and polish that the recipe asks for.

    `best` is the decision of the best restart, returned itself if there is nothing to do;
    `decisions` are those of all restarts. One alone has no consensus, as when training was
    interrupted.
    """
    decision = best
    if recipe.consensus and len(decisions) > 1:
        decision = consensus(
            case.judged_on,
            decisions,
            n_clusters,
            resolution=resolution_of(objective),
            random_state=random_state,
        )
    if recipe.polish:
        decision = objective.improve(decision, case.problem, n_clusters, random_state=random_state)
    return decision
