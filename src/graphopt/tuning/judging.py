"""How a setting is judged in the search: on seen edges that were hidden from its training.

Nothing here is ever given an edge that a data set holds out, or a test graph. A share of the *seen*
edges is hidden once more; ClusterNet trains on the rest; its decoded decision is judged on all seen
edges, as a decision made from the seen edges is judged on all edges.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from graphopt._sparse import checked_rows, is_sparse
from graphopt._validation import check_choice, check_integer, check_number
from graphopt.datasets import observed_graph, split_edges
from graphopt.features import check_features
from graphopt.graph import Graph
from graphopt.learning import ClusterNet, OnIteration
from graphopt.learning.inputs import informative_nodes
from graphopt.nn.losses import KCenterLoss, Loss, ModularityLoss
from graphopt.tuning.spaces import TASKS, Space, Value

Report = Callable[[int, float], bool]
"""Called with (training steps, score so far); returns whether to stop here."""


class Evaluation(Protocol):
    """What the search asks for scores."""

    @property
    def greater_is_better(self) -> bool:
        """Whether high scores are good."""
        ...

    @property
    def protocol(self) -> dict[str, Any]:
        """What scores depend on besides the setting; studies that differ in it do not mix."""
        ...

    def __call__(self, params: Mapping[str, Value], report: Report) -> dict[int, float]:
        """Return the score after each number of training steps, as far as training came."""
        ...


class Progressed:
    """Follows one training and scores the decisions it would return at each length.

    Those are the decisions of the best training value so far, which an estimator keeps.

    Parameters
    ----------
    objective : Loss
    space : Space
    judged : sequence of Graph
        One for each decision of a look.
    report : callable

    Attributes
    ----------
    scores : dict of int to float
        By number of training steps.
    stopped : bool
        Whether `report` asked to stop.
    """

    def __init__(
        self, objective: Loss, space: Space, judged: Sequence[Graph], report: Report
    ) -> None:
        self._objective, self._space, self._report = objective, space, report
        self._problems = [objective.prepare(graph) for graph in judged]
        self._best: tuple[float, list[NDArray[Any]]] | None = None
        self.scores: dict[int, float] = {}
        self.stopped = False

    def __call__(self, step: int, decision: Any, value: float) -> bool:
        """Take what a training tells after each step; return whether it is to stop."""
        if self._best is None or self._objective.better(value, self._best[0]):
            self._best = value, decision if isinstance(decision, list) else [decision]
        if step in self._space.iterations:
            pairs = zip(self._best[1], self._problems, strict=True)
            values = [self._objective.training_value(*pair) for pair in pairs]
            self.scores[step] = float(np.mean(values))
            self.stopped = self._report(step, self.scores[step])
        return self.stopped


@dataclass(eq=False, kw_only=True)
class HiddenEdges(ABC):
    """What judging on one graph and on many have in common.

    Parameters
    ----------
    n_clusters : int
        Groups or facilities.
    task : {"community", "facility"}
    space : Space
        Its lengths of training are what is scored.
    name : str
        Of the graph or the graphs.
    hidden_fraction : float
        Share of the seen edges hidden from training, in (0, 1).
    repeats : int
        Trainings per setting, each with its own hidden edges and start; scores are averaged.
    random_state : int
        The same hidden edges and starts for every setting, so that settings are compared in
        pairs. Also renumbers the nodes, as published numberings may carry an answer.

    Notes
    -----
    Score: the objective's training value on all seen edges. For communities the modularity
    (higher is better). For facilities the distance charged (lower is better), which leans towards
    the largest one and is finite where the seen graph falls apart; see
    :meth:`graphopt.nn.losses.KCenterLoss.training_value`.

    Nodes of which neither an edge that is not hidden nor features tell anything take no part.
    Features computed from the seen graph know its hidden edges a little; all settings profit alike.
    """

    n_clusters: int
    task: str
    space: Space
    name: str = "graph"
    hidden_fraction: float = 0.4
    repeats: int = 1
    random_state: int = 0

    def __post_init__(self) -> None:
        check_choice("task", self.task, TASKS)
        check_integer("repeats", self.repeats, minimum=1)
        check_integer("n_clusters", self.n_clusters, minimum=1)
        check_integer("random_state", self.random_state, minimum=0)
        if not 0.0 < check_number("hidden_fraction", self.hidden_fraction) < 1.0:
            raise ValueError(
                f"hidden_fraction must be between 0 and 1, both excluded, "
                f"not {self.hidden_fraction}"
            )

    @property
    def objective(self) -> Loss:
        """What decisions are judged by."""
        return ModularityLoss() if self.task == "community" else KCenterLoss(self.n_clusters)

    @property
    def greater_is_better(self) -> bool:
        """Whether high scores are good."""
        return self.objective.greater_is_better

    @property
    def protocol(self) -> dict[str, Any]:
        """What scores depend on besides the setting."""
        return {
            "graph": self.name,
            **self._facts(),
            "task": self.task,
            "k": self.n_clusters,
            "space": self.space.name,
            "hidden_fraction": self.hidden_fraction,
            "repeats": self.repeats,
            "seed": self.random_state,
        }

    def __call__(self, params: Mapping[str, Value], report: Report) -> dict[int, float]:
        """Return the score after each length of training; the first repeat may be stopped early."""
        runs = [self._run(params, self.random_state, report)]
        if self.space.iterations[-1] in runs[0]:
            for repeat in range(1, self.repeats):
                seed = self.random_state + 1000 * repeat
                runs.append(self._run(params, seed, lambda step, score: False))
        return {step: float(np.mean([run[step] for run in runs])) for step in runs[0]}

    def _run(self, params: Mapping[str, Value], seed: int, report: Report) -> dict[int, float]:
        pieces = [hide_edges(*piece, self.hidden_fraction, seed) for piece in self._hidden_in()]
        judged = [piece.judged for piece in pieces]
        progressed = Progressed(self.objective, self.space, judged, report)
        length = self.space.iterations[-1]
        settings = {
            "n_clusters": self.n_clusters,
            "objective": self.objective,
            "random_state": seed,
            **self.space.estimator_params(params, length, 1.0 - self.hidden_fraction),
        }
        interrupted = self._train(settings, pieces, progressed)
        if progressed.stopped:
            return progressed.scores
        if interrupted:
            raise KeyboardInterrupt
        if length not in progressed.scores:
            raise RuntimeError(f"the training did not look at its decisions after {length} steps")
        return progressed.scores

    @abstractmethod
    def _facts(self) -> dict[str, Any]:
        """Return what tells these graphs from others."""

    @abstractmethod
    def _hidden_in(self) -> Sequence[tuple[Graph, Any]]:
        """Return the seen graphs in which edges are hidden, with their features."""

    @abstractmethod
    def _train(
        self, settings: dict[str, Any], pieces: Sequence[Piece], on_iteration: OnIteration
    ) -> bool:
        """Train an estimator of these settings, watched, and return whether it was interrupted.

        It looks at decisions on the pieces.
        """


@dataclass(eq=False, kw_only=True)
class SingleGraph(HiddenEdges):
    """Judges settings on one graph, of which only the seen part is known here.

    Parameters
    ----------
    seen : Graph
        The seen edges on all nodes; what is not in it cannot influence the search.
    features : array, sparse array or None
        Node features that belong to `seen`.
    **others
        See :class:`HiddenEdges`.
    """

    seen: Graph
    features: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_seen(self.name, self.seen)
        if self.features is not None:
            self.features = check_features(self.features, self.seen.n_nodes)

    def _facts(self) -> dict[str, Any]:
        return {
            "kind": "single",
            "n_nodes": self.seen.n_nodes,
            "n_seen_edges": self.seen.n_edges,
            "data": _fingerprint([(self.seen, self.features)]),
        }

    def _hidden_in(self) -> Sequence[tuple[Graph, Any]]:
        return [(self.seen, self.features)]

    def _train(
        self, settings: dict[str, Any], pieces: Sequence[Piece], on_iteration: OnIteration
    ) -> bool:
        [piece] = pieces
        model = ClusterNet(**settings).fit(piece.part, piece.features, on_iteration=on_iteration)
        return model.interrupted_


class InductiveEstimator(Protocol):
    """What learns on several graphs; :class:`graphopt.ClusterNet` does."""

    interrupted_: bool

    def fit_inductive(
        self,
        graphs: Sequence[Graph],
        features: Sequence[Any],
        *,
        validation_graphs: Sequence[Graph] | None = None,
        validation_features: Sequence[Any] | None = None,
        on_iteration: OnIteration | None = None,
    ) -> Any:
        """Train on `graphs`, and choose the state of the network on the validation graphs."""
        ...


@dataclass(eq=False, kw_only=True)
class Inductive(HiddenEdges):
    """Judges settings on validation graphs, of which only the seen parts are known here.

    The network learns on the seen edges of the training graphs. A share of the validation graphs'
    seen edges is hidden; from the rest the state of the network is chosen and decisions are made,
    which are judged on all seen edges of the validation graphs, in the mean.

    Parameters
    ----------
    training, validation : sequence of (Graph, features)
        What is seen of each graph, and features that belong to it. Test graphs have no place here.
    estimator : callable
        Makes what learns; :class:`graphopt.ClusterNet`.
    **others
        See :class:`HiddenEdges`.
    """

    training: Sequence[tuple[Graph, Any]]
    validation: Sequence[tuple[Graph, Any]]
    estimator: Callable[..., InductiveEstimator] = ClusterNet

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("training", "validation"):
            graphs = getattr(self, name)
            if not graphs:
                raise ValueError(f"{name} must hold at least one graph")
            for i, (seen, _) in enumerate(graphs):
                _check_seen(f"{name}[{i}]", seen)

    def _facts(self) -> dict[str, Any]:
        return {
            "kind": "inductive",
            "n_training_graphs": len(self.training),
            "n_validation_graphs": len(self.validation),
            "n_seen_edges": sum(seen.n_edges for seen, _ in (*self.training, *self.validation)),
            "data": _fingerprint([*self.training, *self.validation]),
        }

    def _hidden_in(self) -> Sequence[tuple[Graph, Any]]:
        return self.validation

    def _train(
        self, settings: dict[str, Any], pieces: Sequence[Piece], on_iteration: OnIteration
    ) -> bool:
        model = self.estimator(**settings)
        model.fit_inductive(
            [seen for seen, _ in self.training],
            [features for _, features in self.training],
            validation_graphs=[piece.part for piece in pieces],
            validation_features=[piece.features for piece in pieces],
            on_iteration=on_iteration,
        )
        return model.interrupted_


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A seen graph with some of its edges hidden.

    Attributes
    ----------
    part : Graph
        What training is shown.
    features : array, sparse array or None
    judged : Graph
        All seen edges, on the same nodes.
    """

    part: Graph
    features: Any
    judged: Graph


def hide_edges(seen: Graph, features: Any, hidden_fraction: float, seed: int) -> Piece:
    """Hide edges of a seen graph from training.

    Nodes are renumbered at random; those of which what is left tells nothing are taken out.
    """
    order = np.random.default_rng(seed).permutation(seen.n_nodes)
    judged = seen.subgraph(order)
    rows = None if features is None else check_features(features, seen.n_nodes)[order]
    part = observed_graph(judged, split_edges(judged, 1.0 - hidden_fraction, random_state=seed))
    nodes = informative_nodes(part, rows)
    if len(nodes) < seen.n_nodes:
        part, judged = part.subgraph(nodes), judged.subgraph(nodes)
        rows = None if rows is None else rows[nodes]
    return Piece(part, rows, judged)


def _fingerprint(graphs: Sequence[tuple[Graph, Any]]) -> str:
    """Return a word that tells these graphs and features from others of the same name."""
    code = 0
    for seen, features in graphs:
        parts = [seen.edges, seen.edge_weights]
        if is_sparse(features):
            rows = checked_rows("features", features)
            parts += [rows.indptr, rows.indices, rows.data]
        elif features is not None:
            parts.append(np.asarray(features))
        for part in parts:
            if part is not None:
                code = zlib.crc32(np.ascontiguousarray(part).tobytes(), code)
    return f"{code:08x}"


def _check_seen(name: str, seen: Graph) -> None:
    if seen.n_edges < 2:
        raise ValueError(
            f"{name}: edges to hide and others to train on are needed; {seen.n_edges} are seen"
        )
