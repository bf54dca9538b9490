"""A partly seen graph, ready for a network: what its encoder sees and what its loss is taken on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt.completion import Completion
from graphopt.features import node_features
from graphopt.graph import Graph
from graphopt.learning.inputs import EncoderInputs, encoder_rows
from graphopt.learning.placement import informative_nodes
from graphopt.learning.recipes import Recipe
from graphopt.nn.losses import Loss


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A partly seen graph, ready for a network.

    Attributes
    ----------
    graph : Graph
        As it was given, with all nodes.
    nodes : array of int32
        The nodes of which something is known, ascending; the rest is about these.
    seen : Graph
    missing : Graph or None
        Expected further edges that the encoder averages over.
    judged_on : Graph
        What the loss is taken on: seen and, where they count, expected edges.
    rows : array or sparse array, shape (len(nodes), n_features)
        Of the encoder.
    problem : object
        Of the objective.
    """

    graph: Graph
    nodes: NDArray[np.int32]
    seen: Graph
    missing: Graph | None
    judged_on: Graph
    rows: Any
    problem: Any

    @property
    def inputs(self) -> EncoderInputs:
        """What the encoder takes."""
        return EncoderInputs.stack([self.rows], [self.seen], [self.missing])


def prepare_case(
    graph: Graph,
    features: Any,
    n_clusters: int,
    objective: Loss,
    recipe: Recipe,
    completion: Completion | None,
) -> Case:
    """Return what the encoder sees of a graph and what the loss is taken on.

    Parameters
    ----------
    graph : Graph
    features : array, sparse array, tensor, callable or None
    n_clusters : int
    objective : Loss
    recipe : Recipe
        ``smoothing`` and ``completion_in`` count.
    completion : Completion or None
        Tells missing edges.

    Raises
    ------
    ValueError
        For features that do not match, or fewer nodes than clusters of which anything is known.
    """
    rows = node_features(graph, features)
    nodes = informative_nodes(graph, rows)
    if n_clusters > len(nodes):
        raise ValueError(
            f"n_clusters must be at most the number of nodes with an edge or features, "
            f"{len(nodes)}, not {n_clusters}"
        )
    seen = graph if len(nodes) == graph.n_nodes else graph.subgraph(nodes)
    rows = None if rows is None else rows[nodes]
    missing = None if completion is None else completion.missing_edges(seen, rows)
    judged_on = seen
    if missing is not None and recipe.completion_in != "input":
        judged_on = seen.plus(missing)
    return Case(
        graph,
        nodes,
        seen,
        None if recipe.completion_in == "loss" else missing,
        judged_on,
        encoder_rows(seen, rows, recipe.smoothing),
        objective.prepare(judged_on),
    )
