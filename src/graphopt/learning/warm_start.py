"""Start from groups that are good already: centres where they are, an encoder that knows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional

from graphopt._validation import as_array
from graphopt.communities import leiden
from graphopt.graph import Graph
from graphopt.learning.adam import Adam
from graphopt.learning.cases import Case
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.recipes import Recipe
from graphopt.nn import ClusterNet, DirectGCN
from graphopt.nn.functional import group_means
from graphopt.nn.losses import Loss, ModularityLoss
from graphopt.nn.sparse import product


def warm_start(
    network: ClusterNet | DirectGCN,
    inputs: EncoderInputs,
    labels: NDArray[np.int64],
    recipe: Recipe,
    random_state: np.random.Generator,
) -> None:
    """Pretrain an initialised network towards groups, and let soft k-means start from them.

    Parameters
    ----------
    network : ClusterNet or DirectGCN
        Changed.
    inputs : EncoderInputs
        Of one graph.
    labels : array of int64, shape (n_nodes,)
        Groups, numbered from 0 without gaps.
    recipe : Recipe
        ``pretraining`` steps, with its steps' size, dropout and masking.
    random_state : numpy.random.Generator

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
    network: ClusterNet | DirectGCN,
    inputs: EncoderInputs,
    labels: Tensor,
    recipe: Recipe,
    random_state: np.random.Generator,
) -> None:
    """Teach the encoder some groups: lower the cross-entropy of what a network makes of them.

    Soft k-means whose centres are the groups' mean embeddings is to assign every node to its own
    group. Graph and features are perturbed at each step as in training.

    Parameters
    ----------
    network : ClusterNet or DirectGCN
    inputs : EncoderInputs
    labels : Tensor of int64, shape (n_nodes,)
        Groups, numbered from 0 without gaps.
    recipe : Recipe
    random_state : numpy.random.Generator

    Notes
    -----
    For ClusterNet the loss is that of J. Snell, K. Swersky and R. Zemel, "Prototypical Networks for
    Few-shot Learning", NeurIPS 2017, on the unit sphere.
    """
    n_groups = int(labels.max()) + 1 if len(labels) else 0

    def loss() -> Tensor:
        features, adjacency = inputs.perturbed(recipe.feature_dropout, recipe.masking)
        embedding = network.encoder(features, adjacency)
        if isinstance(network, DirectGCN):
            return functional.cross_entropy(embedding, labels)
        rows = functional.normalize(embedding, dim=1)
        centers, _ = group_means(rows, labels, n_groups)
        scores = product(network.cluster.temperature * rows, centers.T)
        return functional.cross_entropy(scores, labels)

    training = network.training
    network.train()
    optimizer = Adam(network.parameters(), recipe.learning_rate, recipe.weight_decay)
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
        torch.manual_seed(int(random_state.integers(2**63)))
        for _ in range(recipe.pretraining):
            optimizer.zero_grad()
            loss().backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    network.train(training)


def leiden_groups(
    graph: Graph, n_groups: int, objective: Loss, random_state: np.random.Generator
) -> NDArray[np.int64]:
    """Return the groups that Leiden finds, at most `n_groups`, numbered from 0.

    Parameters
    ----------
    graph : Graph
        Of the loss: seen and, where they count, expected edges.
    n_groups : int
    objective : Loss
        Its resolution counts if it is modularity.
    random_state : numpy.random.Generator
    """
    found = leiden(
        graph, n_groups, resolution=resolution_of(objective), random_state=random_state
    ).labels
    return _numbered(found)


def groups_to_start_from(
    objective: Loss,
    recipe: Recipe,
    case: Case,
    n_clusters: int,
    labels: ArrayLike | None,
) -> Callable[[np.random.Generator], NDArray[np.int64]] | None:
    """Return what tells a restart the groups to start from, None if there are none.

    Parameters
    ----------
    objective : Loss
    recipe : Recipe
        ``start`` counts where there are no `labels`.
    case : Case
    n_clusters : int
    labels : array of int, shape (case.graph.n_nodes,), or None
        A user's.

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


def resolution_of(objective: Loss) -> float:
    """Return the resolution that Leiden is to have for an objective."""
    return objective.resolution if isinstance(objective, ModularityLoss) else 1.0


def _numbered(labels: NDArray[Any]) -> NDArray[np.int64]:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64).reshape(len(labels))
