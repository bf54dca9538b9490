"""How a setting is judged in the search: on seen edges that were hidden from its training.

Nothing here is ever given an edge that a data set holds out, or a test graph. A share of the *seen*
edges is hidden once more; ClusterNet trains on the rest; its decoded decision is judged on all seen
edges, as the paper judges a decision made from the seen edges on all edges.
"""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.paper.search.spaces import TASKS, Space, Value, choose_space
from graphopt._sparse import checked_rows, is_sparse
from graphopt._validation import check_choice, check_integer, check_number
from graphopt.datasets import Dataset, InductiveDataset, observed_graph, split_edges
from graphopt.features import check_features
from graphopt.graph import Graph
from graphopt.learning import ClusterNet
from graphopt.learning.placement import informative_nodes
from graphopt.nn.losses import KCenterLoss, Loss, ModularityLoss, SoftClusters

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


class StoppedError(Exception):
    """A training was told to stop."""


class Watched(Loss):
    """An objective that tells of every look which the training takes at its decision.

    Parameters
    ----------
    inner : Loss
        Does the work.
    look : callable
        Called with (decision, training value).
    """

    def __init__(self, inner: Loss, look: Callable[[NDArray[Any], float], None]) -> None:
        self.inner, self.look = inner, look
        for name in ("greater_is_better", "decides", "uses_expected_edges"):
            setattr(self, name, getattr(inner, name))

    def prepare(self, graph: Graph) -> Any:
        """As `inner`."""
        return self.inner.prepare(graph)

    def relax(self, clusters: SoftClusters) -> Tensor:
        """As `inner`."""
        return self.inner.relax(clusters)

    def loss(self, decision: Tensor, problem: Any) -> Tensor:
        """As `inner`."""
        return self.inner.loss(decision, problem)

    def decode(self, decision: Tensor, problem: Any, *, random_state: Any = None) -> NDArray[Any]:
        """As `inner`."""
        return self.inner.decode(decision, problem, random_state=random_state)

    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        """As `inner`."""
        return self.inner.evaluate(decision, graph)

    def training_value(self, decision: NDArray[Any], problem: Any) -> float:
        """As `inner`, and tell of it."""
        value = self.inner.training_value(decision, problem)
        self.look(decision, value)
        return value


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
    """

    def __init__(
        self, objective: Loss, space: Space, judged: Sequence[Graph], report: Report
    ) -> None:
        self._objective, self._space, self._report = objective, space, report
        self._problems = [objective.prepare(graph) for graph in judged]
        self._looks = 0
        self._look: list[tuple[float, NDArray[Any]]] = []
        self._best: tuple[float, list[NDArray[Any]]] | None = None
        self.scores: dict[int, float] = {}

    def take(self, decision: NDArray[Any], value: float) -> None:
        """Take the next decoded decision and its training value."""
        self._look.append((value, decision))
        if len(self._look) == len(self._problems):
            self._end_look(
                float(np.mean([value for value, _ in self._look])),
                [decision for _, decision in self._look],
            )
            self._look = []

    def _end_look(self, value: float, decisions: list[NDArray[Any]]) -> None:
        step = min(self._looks * self._space.check_every, self._space.iterations[-1])
        self._looks += 1
        if self._best is None or self._objective.better(value, self._best[0]):
            self._best = value, decisions
        if step in self._space.iterations:
            pairs = zip(self._best[1], self._problems, strict=True)
            values = [self._objective.training_value(*pair) for pair in pairs]
            self.scores[step] = float(np.mean(values))
            if self._report(step, self.scores[step]):
                raise StoppedError


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
    :meth:`graphopt.losses.KCenterLoss.training_value`.

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
            "objective": Watched(self.objective, progressed.take),
            "random_state": seed,
            **self.space.estimator_params(params, length, 1.0 - self.hidden_fraction),
        }
        try:
            self._train(settings, pieces)
        except StoppedError:
            return progressed.scores
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
    def _train(self, settings: dict[str, Any], pieces: Sequence[Piece]) -> None:
        """Train an estimator of these settings; its looks are at decisions on the pieces."""


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

    def _train(self, settings: dict[str, Any], pieces: Sequence[Piece]) -> None:
        model = ClusterNet(**settings).fit(pieces[0].part, pieces[0].features)
        if model.interrupted_:
            raise KeyboardInterrupt


class InductiveEstimator(Protocol):
    """What learns on several graphs; :class:`graphopt.ClusterNet` does.

    Every look of the training decodes a decision for each validation graph, in their order, and
    asks the objective for its training value once.
    """

    interrupted_: bool

    def fit_inductive(
        self,
        graphs: Sequence[Graph],
        features: Sequence[Any],
        *,
        validation_graphs: Sequence[Graph] | None = None,
        validation_features: Sequence[Any] | None = None,
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

    def _train(self, settings: dict[str, Any], pieces: Sequence[Piece]) -> None:
        model = self.estimator(**settings)
        model.fit_inductive(
            [seen for seen, _ in self.training],
            [features for _, features in self.training],
            validation_graphs=[piece.part for piece in pieces],
            validation_features=[piece.features for piece in pieces],
        )
        if model.interrupted_:
            raise KeyboardInterrupt


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


def of_dataset(
    data: Dataset | InductiveDataset,
    *,
    extent: str,
    task: str,
    quick: bool = False,
    graph: int | None = None,
    **settings: Any,
) -> HiddenEdges:
    """Return the evaluation of a data set, made from nothing but what is observed of it.

    Parameters
    ----------
    data : Dataset or InductiveDataset
        Only `observed` and `observed_features` are read, and of many graphs those to train and to
        validate on.
    extent : {"paper", "extended"}
    task : {"community", "facility"}
    quick : bool
    graph : int, optional
        Of many graphs, search for this one alone, as if it were all there is.
    **settings
        The others of :class:`HiddenEdges`.

    Raises
    ------
    ValueError
        For a `graph` that is there to be tested on, or is not there.
    """
    if graph is not None:
        data = _member(data, graph)

    def observed(one: Dataset) -> tuple[Graph, Any]:
        return one.observed, one.observed_features

    if isinstance(data, InductiveDataset):
        distribution = "pubmed" if data.name.startswith("pubmed") else "synthetic"
        space = choose_space(extent, "inductive", task, distribution=distribution, quick=quick)
        return Inductive(
            training=[observed(one) for one in data.train],
            validation=[observed(one) for one in data.validation],
            name=data.name,
            task=task,
            space=space,
            **settings,
        )
    seen, features = observed(data)
    space = choose_space(extent, "single", task, quick=quick)
    return SingleGraph(
        seen=seen, features=features, name=data.name, task=task, space=space, **settings
    )


def _member(data: Dataset | InductiveDataset, number: int) -> Dataset:
    if not isinstance(data, InductiveDataset):
        raise ValueError(f"graph is for a data set of many graphs; {data.name} is one")
    known = sorted({*data.train_indices, *data.validation_indices})
    if number not in known:
        numbers = ", ".join(map(str, known))
        raise ValueError(
            f"graph must be one that {data.name} has to learn or to choose on, {numbers}; "
            f"not {number}"
        )
    return data[number]
