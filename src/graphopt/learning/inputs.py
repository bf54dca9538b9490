"""From partly seen graphs and node features to what a network takes and its loss is taken on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt._loading import load_whole
from graphopt._weights import edge_weights
from graphopt.completion import Completion
from graphopt.features import node_features, row_norms, smoothed_features
from graphopt.graph import Graph, check_graph
from graphopt.learning.recipes import Recipe
from graphopt.nn import Adjacency, SparseMatrix, dropout
from graphopt.nn.losses import Loss

_NEGLIGIBLE = 0.1
"""A feature row this small compared with the median one is noise: embeddings by random walks leave
nodes without an edge at their initial values."""

# --- what an encoder takes ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EncoderInputs:
    """Features and adjacency, in the form the encoder multiplies: of a graph, or of several.

    Attributes
    ----------
    features : SparseMatrix or Tensor, shape (n_nodes, n_features)
        Unit rows.
    adjacency : Adjacency
    """

    features: SparseMatrix | Tensor
    adjacency: Adjacency

    @classmethod
    def make(
        cls, graph: Graph, features: Any, *, smoothing: int, missing: Graph | None = None
    ) -> EncoderInputs:
        """Weigh, smooth and normalise features (None: every node is its own feature).

        `missing` holds expected further edges, which the encoder averages over too.
        """
        return cls(_operand(encoder_rows(graph, features, smoothing)), Adjacency(graph, missing))

    @classmethod
    def stack(
        cls, rows: Sequence[Any], graphs: Sequence[Graph], missing: Sequence[Graph | None]
    ) -> EncoderInputs:
        """Put graphs one after another: no edge joins two of them.

        Parameters
        ----------
        rows : sequence of array or sparse array
            Of each graph, as :func:`encoder_rows` returns them.
        graphs, missing : sequence of Graph
            Expected further edges may be None, but for all graphs.
        """
        expected = [graph for graph in missing if graph is not None]
        return cls(
            _operand(_stacked(rows)),
            Adjacency(disjoint_union(graphs), disjoint_union(expected) if expected else None),
        )

    @property
    def n_features(self) -> int:
        """Width of the features."""
        return int(self.features.shape[1])

    def perturbed(
        self, feature_dropout: float, masking: float
    ) -> tuple[SparseMatrix | Tensor, SparseMatrix]:
        """Return features with entries dropped, and the adjacency with seen edges hidden.

        Draws from PyTorch's global generator.
        """
        features: SparseMatrix | Tensor = self.features
        if feature_dropout > 0.0:
            if isinstance(features, SparseMatrix):
                features = features.dropout(feature_dropout)
            else:
                features = dropout(features, feature_dropout)
        adjacency = self.adjacency.whole if masking == 0.0 else self.adjacency.masked(masking)
        return features, adjacency


def rows_of_a_kind(graph: Graph, features: Any, n_features: int | None) -> Any:
    """Return features as checked rows that a network trained on `n_features` columns can take.

    `n_features` is None if there were no features in training.

    Raises
    ------
    ValueError
        For no features, here or in training, or another number of columns.
    """
    if features is None or n_features is None:
        raise ValueError(
            "features must be given, here and in fit: without them a network knows only the "
            "nodes it was trained on"
        )
    rows = node_features(graph, features)
    if rows.shape[1] != n_features:
        raise ValueError(f"features must have {n_features} columns, as in fit, not {rows.shape[1]}")
    return rows


def encoder_rows(graph: Graph, features: Any, smoothing: int) -> Any:
    """Return features weighed, smoothed and of unit length (None: each node is its own)."""
    rows = _identity(graph.n_nodes) if features is None else features
    return smoothed_features(rows, graph, smoothing)


def _stacked(rows: Sequence[Any]) -> Any:
    if len(rows) == 1:
        return rows[0]
    if all(isinstance(part, np.ndarray) for part in rows):
        return np.concatenate(rows)
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array, vstack

    return csr_array(vstack([csr_array(part) for part in rows]))


def _identity(n_nodes: int) -> Any:
    load_whole("scipy.sparse")
    from scipy.sparse import eye_array

    return eye_array(n_nodes, format="csr", dtype="float32")


def _operand(rows: Any) -> SparseMatrix | Tensor:
    """Keep sparse what is sparse: from a quarter of the entries on, a dense product is faster."""
    if isinstance(rows, np.ndarray):
        return torch.from_numpy(rows)
    if rows.nnz > 0.25 * rows.shape[0] * rows.shape[1]:
        return torch.from_numpy(rows.toarray())
    return SparseMatrix.from_scipy(rows)


# --- what is known of a graph ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """A graph and one row of features for each node, as the encoder takes them.

    Attributes
    ----------
    graph : Graph
    rows : array or sparse array
    """

    graph: Graph
    rows: Any


@dataclass(frozen=True, slots=True, eq=False)
class Case(Described):
    """A partly seen graph, ready for a network that decides.

    Attributes
    ----------
    graph : Graph
        As it was given, with all nodes.
    rows : array or sparse array, shape (len(nodes), n_features)
        Of the encoder.
    nodes : array of int32
        The informative nodes, ascending; everything but `graph` is about these.
    seen : Graph
    missing : Graph or None
        Expected further edges that the encoder averages over.
    judged_on : Graph
        What the loss is taken on: seen and, where they count, expected edges.
    problem : object
        Of the objective.
    """

    nodes: NDArray[np.int32]
    seen: Graph
    missing: Graph | None
    judged_on: Graph
    problem: Any


def prepare_case(
    graph: Graph,
    features: Any,
    n_clusters: int,
    objective: Loss,
    recipe: Recipe,
    completion: Completion | None,
) -> Case:
    """Return what the encoder sees of a graph and what the loss is taken on.

    `features` are those given to ``fit``; `completion` tells missing edges. Of the recipe,
    ``smoothing`` and ``completion_in`` count.

    Raises
    ------
    TypeError
        For something other than a graph.
    ValueError
        For features that do not match, or fewer informative nodes than clusters.
    """
    check_graph("graph", graph)
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
        encoder_rows(seen, rows, recipe.smoothing),
        nodes,
        seen,
        None if recipe.completion_in == "loss" else missing,
        judged_on,
        objective.prepare(judged_on),
    )


def informative_nodes(graph: Graph, features: Any) -> NDArray[np.int32]:
    """Return the nodes that have a seen edge or more than negligible features, ascending.

    Parameters
    ----------
    graph : Graph
    features : array or CSR array, shape (n_nodes, n_features), or None
        None: only nodes with an edge are informative.
    """
    connected = graph.degrees > 0
    if features is None:
        return np.flatnonzero(connected).astype(np.int32)
    norms = row_norms(features)
    usual = float(np.median(norms[connected])) if connected.any() else 0.0
    described = norms > _NEGLIGIBLE * usual
    return np.flatnonzero(connected | described).astype(np.int32)


# --- several graphs at once -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One case or several, whose nodes go through a network together.

    Attributes
    ----------
    inputs : EncoderInputs
    problems : tuple
        Of the objective, one per graph.
    offsets : Tensor of int64, shape (n_graphs + 1,), or None
        First node of each graph; None: there is one graph, outside a list.
    """

    inputs: EncoderInputs
    problems: tuple[Any, ...]
    offsets: Tensor | None = None

    @classmethod
    def of_one(cls, case: Case) -> Batch:
        """Return a batch of a single graph."""
        return cls(_stacked_inputs([case]), (case.problem,))

    @classmethod
    def of(cls, cases: Sequence[Case]) -> Batch:
        """Put cases one after another."""
        offsets = torch.tensor(list(accumulate((len(case.nodes) for case in cases), initial=0)))
        return cls(_stacked_inputs(cases), tuple(case.problem for case in cases), offsets)


def _stacked_inputs(cases: Sequence[Case]) -> EncoderInputs:
    return EncoderInputs.stack(
        [case.rows for case in cases],
        [case.seen for case in cases],
        [case.missing for case in cases],
    )


Prepared = TypeVar("Prepared", bound=Described)


def prepare_each(
    names: tuple[str, str],
    graphs: Sequence[Graph],
    features: Sequence[Any],
    prepare: Callable[[Graph, Any], Prepared],
    width: int | None = None,
) -> list[Prepared]:
    """Prepare every graph with its features; an error says which graph it is about.

    `names` are what the caller calls `graphs` and `features`. All features must have `width`
    columns, by default those of the first.

    Raises
    ------
    TypeError, ValueError
        For no graphs, a number of feature arrays other than one per graph, or widths that differ;
        and as `prepare`.
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


def disjoint_union(graphs: Sequence[Graph]) -> Graph:
    """Return one graph that holds all, their nodes one after another; all are undirected.

    Examples
    --------
    >>> pair, path = Graph.from_edges([(0, 1)]), Graph.from_edges([(0, 1), (1, 2)])
    >>> disjoint_union([pair, path]).edges.tolist()
    [[0, 1], [2, 3], [3, 4]]
    """
    if len(graphs) == 1:
        return graphs[0]
    *starts, n_nodes = accumulate((graph.n_nodes for graph in graphs), initial=0)
    edges = np.concatenate(
        [graph.edges + start for graph, start in zip(graphs, starts, strict=True)]
    )
    weights = None
    if any(graph.weighted for graph in graphs):
        weights = np.concatenate([edge_weights(graph) for graph in graphs])
    return Graph.from_edges(edges, n_nodes, weights)
