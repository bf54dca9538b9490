"""Trainings from several starts, and one decision from theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import RandomState, as_array, as_tuple
from graphopt.communities import check_strengths, leiden
from graphopt.graph import Graph
from graphopt.learning.inputs import Batch, Case
from graphopt.learning.recipes import Recipe
from graphopt.learning.starts import resolution_of
from graphopt.learning.trainer import (
    Checkpoint,
    DecidingNetwork,
    OnIteration,
    ProgressBar,
    TrainingRun,
    train_on,
)
from graphopt.objectives import Objective

_LEAST = 0.05
"""Weight of an edge that no partition holds together, so that the graph does not fall apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """The best of several trainings.

    Attributes
    ----------
    network : ClusterNet or DirectGCN
        In its best state.
    best : Checkpoint
        Of that network.
    runs : list of TrainingRun
        One per restart.
    interrupted : bool
        Whether Ctrl-C or a callback ended the last of them early.
    """

    network: DecidingNetwork
    best: Checkpoint
    runs: list[TrainingRun]
    interrupted: bool


def train_restarts(
    new_network: Callable[[], DecidingNetwork],
    batch: Batch,
    objective: Objective,
    recipe: Recipe,
    random_state: np.random.Generator,
    *,
    judged_on: Batch | None = None,
    on_iteration: OnIteration | None = None,
    verbose: bool = False,
) -> Trained:
    """Train as often as the recipe says and keep the best.

    Parameters
    ----------
    new_network : callable
        Returns an initialised network.
    batch, objective, recipe, random_state, judged_on, on_iteration
        As for :func:`graphopt.learning.trainer.train_on`.
    verbose : bool
        Show a progress bar.

    Returns
    -------
    Trained

    Raises
    ------
    KeyboardInterrupt
        Only before there is anything to keep.
    """
    networks: list[DecidingNetwork] = []
    runs: list[TrainingRun] = []
    interrupted = False
    with ProgressBar(recipe.n_restarts * recipe.iterations, verbose) as progress:
        while len(runs) < recipe.n_restarts and not interrupted:
            try:
                network = new_network()
                run = train_on(
                    network,
                    batch,
                    objective,
                    recipe,
                    random_state,
                    judged_on=judged_on,
                    on_iteration=on_iteration,
                    report=progress,
                )
            except KeyboardInterrupt:  # between two trainings
                if not runs:
                    raise
                interrupted = True
            else:
                progress.next_restart(recipe.iterations)
                networks.append(network)
                runs.append(run)
                interrupted = run.interrupted
    chosen = 0
    for i, run in enumerate(runs):
        if objective.better(run.best.value, runs[chosen].best.value):
            chosen = i
    return Trained(networks[chosen], runs[chosen].best, runs, interrupted)


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
    objective: Objective,
    recipe: Recipe,
    case: Case,
    best: NDArray[Any],
    decisions: Sequence[NDArray[Any]],
    n_clusters: int,
    random_state: np.random.Generator,
) -> NDArray[Any]:
    """Return the decision after consensus and polish, as far as the recipe asks for them.

    Parameters
    ----------
    objective : Objective
    recipe : Recipe
    case : Case
    best : array of int
        Decision of the best restart; itself if there is nothing to do.
    decisions : sequence of array of int
        Of all restarts; of one alone there is no consensus, as when training was interrupted.
    n_clusters : int
    random_state : numpy.random.Generator

    Returns
    -------
    array of int
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
