"""Learning on several graphs, to decide on others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt.features import node_features
from graphopt.graph import Graph
from graphopt.learning.cases import Case
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.parameters import check_graph
from graphopt.learning.recipes import Recipe
from graphopt.learning.trainer import Progress, TrainingRun, descend
from graphopt.nn import ClusterNet, DirectGCN, SoftKMeansOutput
from graphopt.nn.losses import Loss


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Where soft k-means may start on a graph, and what comes of it.

    Attributes
    ----------
    centers : Tensor, shape (n_clusters, embedding_features), or None
        None: the network has no soft k-means.
    decision : array of int
    """

    centers: Tensor | None
    decision: NDArray[Any]


@torch.no_grad()
def best_start(
    network: ClusterNet | DirectGCN,
    inputs: EncoderInputs,
    objective: Loss,
    problem: Any,
    n_starts: int,
    random_state: np.random.Generator,
) -> Start:
    """Decide on a graph from several starts of soft k-means, and return the best.

    Groups of one graph need not lie where those of another do, so the start that was learned is
    only the first that is tried; the others are drawn from the graph's own nodes by k-means++.

    Parameters
    ----------
    network : ClusterNet or DirectGCN
        In evaluation mode.
    inputs : EncoderInputs
        Of one graph.
    objective : Loss
    problem : object
        Of the objective; the decoded decision's value on it says which start is best.
    n_starts : int
    random_state : numpy.random.Generator

    Returns
    -------
    Start
    """
    output = network.encoder(inputs.features, inputs.adjacency.whole)
    if isinstance(network, DirectGCN):
        relaxed = network.decision(output)
        return Start(None, objective.decode(relaxed, problem, random_state=random_state))

    def start_from(centers: Tensor) -> Start:
        relaxed = objective.relax(network.cluster(output, centers))
        return Start(centers, objective.decode(relaxed, problem, random_state=random_state))

    best = start_from(network.initial_centers)
    if n_starts == 1:
        return best
    value = objective.training_value(best.decision, problem)
    for _ in range(n_starts - 1):
        other = start_from(network.draw_centers(output, random_state))
        its_value = objective.training_value(other.decision, problem)
        if objective.better(its_value, value):
            best, value = other, its_value
    return best


def start_well(
    network: ClusterNet | DirectGCN,
    inputs: EncoderInputs,
    objective: Loss,
    problem: Any,
    n_starts: int,
    random_state: np.random.Generator,
) -> None:
    """Let `network` start soft k-means where :func:`best_start` found best on a graph."""
    if n_starts > 1 and isinstance(network, ClusterNet):
        start = best_start(network, inputs, objective, problem, n_starts, random_state)
        if start.centers is not None:
            network.initial_centers = start.centers.clone()


class Described(Protocol):
    """Anything that has rows of features."""

    @property
    def rows(self) -> Any:
        """One per node."""


Prepared = TypeVar("Prepared", bound=Described)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Checked features of a graph's nodes, and nothing else yet."""

    rows: Any

    @classmethod
    def of(cls, graph: Graph, features: Any) -> Rows:
        """Check features, or compute them of the graph."""
        check_graph(graph)
        return cls(node_features(graph, features))


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Several cases, whose nodes go through a network together.

    Attributes
    ----------
    inputs : EncoderInputs
    offsets : Tensor of int64, shape (n_graphs + 1,)
        First node of each graph.
    problems : tuple
        Of the objective, one per graph.
    """

    inputs: EncoderInputs
    offsets: Tensor
    problems: tuple[Any, ...]

    @classmethod
    def of(cls, cases: Sequence[Case]) -> Batch:
        """Put cases one after another."""
        inputs = EncoderInputs.stack(
            [case.rows for case in cases],
            [case.seen for case in cases],
            [case.missing for case in cases],
        )
        offsets = torch.tensor(list(accumulate((len(case.nodes) for case in cases), initial=0)))
        return cls(inputs, offsets, tuple(case.problem for case in cases))

    def decide(
        self,
        network: ClusterNet | DirectGCN,
        objective: Loss,
        feature_dropout: float = 0.0,
        masking: float = 0.0,
    ) -> list[Tensor]:
        """Return the relaxed decision on every graph, with what the encoder sees perturbed."""
        features, adjacency = self.inputs.perturbed(feature_dropout, masking)
        output = network(features, adjacency, offsets=self.offsets)
        sizes = self.offsets.diff().tolist()
        if isinstance(output, Tensor):
            return list(torch.split(output, sizes))
        parts = (
            output.centers,
            torch.split(output.assignment, sizes),
            torch.split(output.embedding, sizes),
        )
        return [objective.relax(SoftKMeansOutput(*part)) for part in zip(*parts, strict=True)]


def train_on_many(
    network: ClusterNet | DirectGCN,
    batch: Batch,
    objective: Loss,
    recipe: Recipe,
    random_state: np.random.Generator,
    progress: Progress | None = None,
    judged_on: Batch | None = None,
) -> TrainingRun:
    """Train one network on all graphs of a batch, and keep its best state.

    Every step lowers the mean loss over all graphs. The state is best in which the decoded
    decisions have the best mean training value on `judged_on`.

    Parameters
    ----------
    network : ClusterNet or DirectGCN
        Already initialised.
    batch : Batch
    objective : Loss
    recipe : Recipe
    random_state : numpy.random.Generator
    progress : callable, optional
    judged_on : Batch, optional
        Default: `batch`.

    Returns
    -------
    TrainingRun
        As of :func:`graphopt.learning.train`.
    """
    others = batch if judged_on is None else judged_on

    def loss() -> Tensor:
        relaxed = batch.decide(network, objective, recipe.feature_dropout, recipe.masking)
        losses = [objective.loss(r, p) for r, p in zip(relaxed, batch.problems, strict=True)]
        return torch.stack(losses).mean()

    def judge() -> tuple[float, NDArray[Any]]:
        decisions, values = [], []
        for relaxed, problem in zip(
            others.decide(network, objective), others.problems, strict=True
        ):
            decisions.append(objective.decode(relaxed, problem, random_state=random_state))
            values.append(objective.training_value(decisions[-1], problem))
        return float(np.mean(values)), np.concatenate(decisions)

    return descend(network, loss, judge, objective.better, recipe, random_state, progress)


def batches(
    graphs: Sequence[Graph],
    features: Sequence[Any],
    validation_graphs: Sequence[Graph] | None,
    validation_features: Sequence[Any] | None,
    prepare: Callable[[Graph, Any], Case],
) -> tuple[Batch, Batch]:
    """Return the batch to train on and the batch to choose on; see :func:`prepare_each`."""
    cases = prepare_each(("graphs", "features"), graphs, features, prepare)
    batch = Batch.of(cases)
    others = prepare_validation(cases, validation_graphs, validation_features, prepare)
    return batch, Batch.of(others) if others else batch


def prepare_validation(
    training: Sequence[Prepared],
    graphs: Sequence[Graph] | None,
    features: Sequence[Any] | None,
    prepare: Callable[[Graph, Any], Prepared],
) -> list[Prepared]:
    """Prepare the graphs to choose on, if any, as those to train on have been."""
    if graphs is None and features is None:
        return []
    names = "validation_graphs", "validation_features"
    for name, thing in zip(names, (graphs, features), strict=True):
        if thing is None:
            raise ValueError(f"{name} must be given too, or neither of {' and '.join(names)}")
    return prepare_each(names, graphs or [], features or [], prepare, training[0].rows.shape[1])


def prepare_each(
    names: tuple[str, str],
    graphs: Sequence[Graph],
    features: Sequence[Any],
    prepare: Callable[[Graph, Any], Prepared],
    width: int | None = None,
) -> list[Prepared]:
    """Prepare every graph with its features; an error says which graph it is about.

    Parameters
    ----------
    names : (str, str)
        What the caller calls `graphs` and `features`.
    graphs : sequence of Graph
    features : sequence of array
    prepare : callable
    width : int, optional
        Columns that the features must have. Default: those of the first.

    Raises
    ------
    TypeError, ValueError
        For no graphs, other than one feature array for each, or widths that differ; and whatever
        `prepare` raises.
    """
    for name, things in zip(names, (graphs, features), strict=True):
        if isinstance(things, Graph | np.ndarray) or not isinstance(things, Sequence):
            raise TypeError(f"{name} must be a list or tuple, not {type(things).__name__}")
    if len(graphs) == 0:
        raise ValueError(f"{names[0]} must hold at least one graph")
    if len(features) != len(graphs):
        raise ValueError(
            f"{names[1]} must hold one array per graph, {len(graphs)}, not {len(features)}"
        )
    prepared: list[Prepared] = []
    for i, (graph, rows) in enumerate(zip(graphs, features, strict=True)):
        if rows is None:
            raise ValueError(f"{names[1]}[{i}] must be given: it is what graphs have in common")
        try:
            prepared.append(prepare(graph, rows))
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"{names[0]}[{i}]: {error}") from error
        here = prepared[-1].rows.shape[1]
        width = width or here
        if here != width:
            raise ValueError(
                f"{names[1]}[{i}] must have {width} columns, as features[0], not {here}"
            )
    return prepared
