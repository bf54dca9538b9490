"""Choose a completion by a contest on seen edges that are hidden."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import (
    RandomState,
    as_tuple,
    check_choice,
    check_integer,
    check_random_state,
)
from graphopt.communities import leiden, modularity
from graphopt.completion._bagging import Bagging
from graphopt.completion._base import Completion, check_completion
from graphopt.completion._link_model import LinkModel
from graphopt.completion._mixture import Mixture
from graphopt.completion._neighbours import FeatureNeighbours
from graphopt.completion._placement import spread_over_groups
from graphopt.contest import Seed, contest
from graphopt.datasets.hiding import check_seen_graph, check_share, masked_graphs
from graphopt.features import node_features
from graphopt.graph import Graph
from graphopt.objectives import Judgement, Modularity, Problem, Trial

PLACEMENTS = ("together", "spread", "expected")
"""What becomes of nodes without a seen edge, the simpler first; see :func:`decide_under`."""

Decide: TypeAlias = Callable[[Graph, np.random.Generator], NDArray[Any]]
Judge: TypeAlias = Callable[[Graph, NDArray[Any]], float]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How good one way to decide was on the inner splits.

    Attributes
    ----------
    completion : Completion or None
    placement : {"expected", "together", "spread"}
    values : tuple of float
        Of the decision from the edges kept, judged on all seen edges, one for each split of each
        graph.
    """

    completion: Completion | None
    placement: str
    values: tuple[float, ...]

    @property
    def value(self) -> float:
        """Mean of the values."""
        return float(np.mean(self.values))


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """The best of several ways to decide, and how all of them did.

    Attributes
    ----------
    best : Outcome
        The first of those that are as good as the one of the highest mean value: their mean
        difference to it is at most one standard error of that difference over the splits.
    outcomes : tuple of Outcome
        All of them, in the order they were given: all placements of the first candidate, of the
        second, ...
    decide : callable
        The algorithm they were judged with.
    """

    best: Outcome
    outcomes: tuple[Outcome, ...]
    decide: Decide

    @property
    def completion(self) -> Completion | None:
        """The best completion; None where it is best to decide on the seen edges alone."""
        return self.best.completion

    @property
    def placement(self) -> str:
        """What it is best to do with nodes without a seen edge."""
        return self.best.placement

    def missing_edges(self, graph: Graph, features: Any = None) -> Graph:
        """Return what the best completion expects; without one, a graph without edges."""
        check_seen_graph(graph)
        if self.completion is None:
            return Graph.from_edges(np.empty((0, 2), np.int32), graph.n_nodes, np.empty(0))
        return self.completion.missing_edges(graph, node_features(graph, features))

    def labels(
        self, graph: Graph, features: Any = None, *, random_state: RandomState = None
    ) -> NDArray[Any]:
        """Decide on a seen graph in the best way.

        Parameters
        ----------
        graph : Graph
        features : array, sparse array or callable, optional
            As for :func:`choose`.
        random_state : int, Generator or None

        Returns
        -------
        array
            What `decide` returns: for communities the group of each node.
        """
        missing = None if self.completion is None else self.missing_edges(graph, features)
        return decide_under(
            graph, missing, self.decide, placement=self.placement, random_state=random_state
        )


def choose(
    graph: Graph | Sequence[Graph],
    features: Any = None,
    k: int | None = None,
    *,
    seen_fraction: float,
    candidates: Sequence[Completion | None] | None = None,
    placements: Sequence[str] | None = None,
    decide: Decide | None = None,
    judge: Judge = modularity,
    features_from_edges: bool = False,
    n_splits: int = 5,
    random_state: RandomState = None,
) -> Choice:
    """Choose a completion by how good decisions are that follow from it.

    A share `seen_fraction` of the seen edges is kept, as if the rest had not been seen; each
    candidate completes what is left, a decision follows, and it is judged on all seen edges. Edges
    that were never seen are not needed.

    Parameters
    ----------
    graph : Graph, or list of Graph
        The seen graph, undirected. Of several of a kind one completion is chosen for all, that of
        the best mean value.
    features : array, sparse array or callable, optional
        Of shape (n_nodes, n_features). A callable makes them of a graph: it is called on what is
        left of the edges, so that it cannot know those that are hidden. Of several graphs, a list
        of the features of each.
    k : int, optional
        Most groups; not needed with `decide`.
    seen_fraction : float
        Share of all edges that `graph` holds, in (0, 1]. A graph does not tell how much of it was
        seen, so this must be known, if roughly.
    candidates : sequence of Completion or None, optional
        By preference: the first wins of those between which the splits cannot tell. None among them
        decides on the seen edges alone. Default: :func:`default_candidates`.
    placements : sequence of {"together", "spread", "expected"}, optional
        What to try with nodes without a seen edge, by preference, see :func:`decide_under`.
        Default: all three in this order, as the first two make do without a guess for every node;
        with a `decide` of your own ``("expected",)``, as it need not return labels.
    decide : callable, optional
        ``decide(graph, generator)`` returns a decision. Default: :func:`graphopt.leiden`, at most
        `k` groups.
    judge : callable
        ``judge(graph, decision)`` returns its value, the higher the better. Default:
        :func:`graphopt.modularity`.
    features_from_edges : bool
        Whether the features were computed from the seen edges, as embeddings are. They know the
        edges hidden here, so a candidate that looks at them would seem better than it is: True
        leaves features out of the default candidates and of everything that is tried. A callable
        that computes them is better, if there is one.
    n_splits : int
        Of each graph.
    random_state : int, Generator or None

    Returns
    -------
    Choice

    Raises
    ------
    ValueError
        For a directed graph, no graphs, a share out of range, no candidates, or neither `k` nor
        `decide`.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(80, random_state=0)
    >>> choice = choose(
    ...     data.observed, data.observed_features, 4, seen_fraction=0.4, n_splits=1, random_state=0
    ... )
    >>> choice.labels(data.observed, data.observed_features, random_state=0).shape
    (80,)
    """
    graphs, described = _listed(graph, features)
    share = check_share(seen_fraction)
    if features_from_edges:
        described = [None] * len(graphs)
    if candidates is None:
        candidates = default_candidates(
            share,
            with_features=all(rows is not None for rows in described),
            features_from_edges=any(callable(rows) for rows in described),
        )
    candidates = as_tuple("candidates", candidates)
    for candidate in candidates:
        if candidate is not None:
            check_completion("candidates", candidate)
    if placements is None:
        placements = PLACEMENTS if decide is None else ("expected",)
    placements = as_tuple("placements", placements)
    for placement in placements:
        check_choice("placements", placement, PLACEMENTS)
    if len(candidates) == 0 or len(placements) == 0:
        raise ValueError("candidates and placements must hold at least one each")
    if decide is None:
        decide = _partition(min(whole.n_nodes for whole in graphs), k)
    rng = check_random_state(random_state)
    ways = [
        _Way(f"{i} {placement}", i, candidate, placement, decide)
        for i, candidate in enumerate(candidates)
        for placement in placements
    ]

    def seeds() -> Iterator[list[list[Seed]]]:
        while True:
            seed = int(rng.integers(2**63))  # of all candidates alike
            yield [[seed]] * len(ways)

    table = contest(ways, _trials(graphs, described, share, n_splits, k, judge, rng), seeds())
    outcomes = {
        way.name: Outcome(way.completion, way.placement, tuple(table.values(way.name)))
        for way in ways
    }
    return Choice(outcomes[table.best()], tuple(outcomes.values()), decide)


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """A completion and a placement, as a method."""

    name: str
    number: int
    completion: Completion | None
    placement: str
    algorithm: Decide

    def decide(self, problem: Problem, random_state: Seed) -> NDArray[Any]:
        missing = problem.once(self.number, partial(_missing, self.completion, problem))
        return decide_under(
            problem.graph,
            missing,
            self.algorithm,
            placement=self.placement,
            random_state=random_state,
        )


def _missing(completion: Completion | None, problem: Problem) -> Graph | None:
    """Return what a completion expects; placements share it."""
    if completion is None:
        return None
    return completion.missing_edges(problem.graph, problem.features)


def _trials(
    graphs: list[Graph],
    features: list[Any],
    seen_fraction: float,
    n_splits: int,
    k: int | None,
    judge: Judge,
    rng: np.random.Generator,
) -> Iterator[Trial]:
    """Yield trials made of each graph.

    As large a share of the seen edges is hidden as is missing, and all of them judge.
    """
    for whole, given in zip(graphs, features, strict=True):
        judged = partial(_judged, judge, whole)
        most = whole.n_nodes if k is None else k
        for hiding in masked_graphs(whole, seen_fraction, n_splits, rng):
            kept = hiding.seen
            rows = node_features(kept, given) if callable(given) else given
            problem = Problem(kept, most, Modularity(), rows, seen_fraction)
            yield Trial(problem, judged, hiding.order)


def _judged(judge: Judge, whole: Graph, decision: NDArray[Any]) -> Judgement:
    return Judgement(float(judge(whole, decision)), decision)


def _listed(graph: Graph | Sequence[Graph], features: Any) -> tuple[list[Graph], list[Any]]:
    """Return all graphs, and the features of each."""
    graphs: list[Graph]
    if isinstance(graph, list | tuple):
        graphs = list(graph)
        described = [None] * len(graphs) if features is None else list(features)
        if len(graphs) == 0:
            raise ValueError("graph must hold at least one graph")
        if len(described) != len(graphs):
            raise ValueError(
                f"features must be one array per graph, {len(graphs)}, not {len(described)}"
            )
    else:
        graphs, described = [cast(Graph, graph)], [features]
    for each in graphs:
        check_seen_graph(each)
    return graphs, described


def default_candidates(
    seen_fraction: float, *, with_features: bool = True, features_from_edges: bool = False
) -> tuple[Completion | None, ...]:
    """Return the completions that :func:`choose` chooses from.

    :class:`Bagging`, with features :class:`FeatureNeighbours` near and far together and their
    average with :class:`Bagging`, then :class:`LinkModel`, and no completion at all: those first
    that average more and learn less.

    Parameters
    ----------
    seen_fraction : float
        Share of all edges that is seen, in (0, 1]; at 1 nothing is missing, and there is only None.
    with_features : bool
    features_from_edges : bool
        Whether they are computed from the seen edges, as role2vec is, if anew for every split. What
        learns by hiding some of these must then do without.
    """
    share = check_share(seen_fraction)
    if share == 1.0:
        return (None,)
    weight = 1.0 / share - 1.0
    bagging, model = Bagging(weight), LinkModel(weight, features_from_edges)
    if not with_features:
        return bagging, model, None
    alike = FeatureNeighbours((20, 80, 160), weight)
    return bagging, alike, Mixture((alike, bagging)), model, None


def decide_under(
    graph: Graph,
    missing: Graph | None,
    decide: Decide,
    *,
    placement: str = "expected",
    random_state: RandomState = None,
) -> NDArray[Any]:
    """Decide on seen and expected edges together.

    Parameters
    ----------
    graph : Graph
        The seen graph, undirected.
    missing : Graph or None
        The expected further edges.
    decide : callable
        ``decide(graph, generator)`` returns a decision.
    placement : {"expected", "together", "spread"}
        What becomes of nodes without a seen edge. ``"expected"``: what follows from the expected
        edges. ``"together"``: they are one node while `decide` runs, and share its group; best
        where they have most of their missing edges among themselves. ``"spread"``: they are dealt
        over the groups in proportion to seen edges; best where a few hubs have most edges. The
        latter two are for decisions that are labels.
    random_state : int, Generator or None

    Returns
    -------
    array
        What `decide` returned; its labels with the nodes placed.
    """
    check_choice("placement", placement, PLACEMENTS)
    check_seen_graph(graph)
    rng = check_random_state(random_state)
    whole = graph if missing is None else graph.plus(missing)
    alone = np.flatnonzero(graph.degrees == 0)
    if placement == "expected" or len(alone) == 0 or len(alone) == graph.n_nodes:
        return decide(whole, rng)
    connected = np.flatnonzero(graph.degrees > 0).astype(np.int32)
    if placement == "spread":
        labels = decide(whole, rng)
        n_groups = int(labels.max()) + 1
        return spread_over_groups(labels[connected], connected, graph, n_groups, rng)
    number = np.empty(graph.n_nodes, np.int64)
    number[connected] = np.arange(len(connected))
    number[alone] = len(connected)
    merged = Graph.from_edges(
        number[whole.edges], len(connected) + 1, whole.edge_weights, duplicates="sum"
    )
    return decide(merged, rng)[number]


def _partition(n_nodes: int, k: int | None) -> Decide:
    if k is None:
        raise ValueError("k must be given, or a decide of your own")
    most = check_integer("k", k, minimum=1, maximum=max(n_nodes, 1))

    def decide(whole: Graph, rng: np.random.Generator) -> NDArray[np.int32]:
        if whole.n_nodes == 0:
            return np.empty(0, np.int32)
        return leiden(whole, min(most, whole.n_nodes), random_state=rng).labels

    return decide


@dataclass(frozen=True, slots=True)
class Chosen:
    """A completion that is chosen anew for each graph, by :func:`choose`.

    For whatever takes a completion, such as :class:`graphopt.ClusterNet`, whose own word "auto" is
    a quicker choice between two of them.

    Parameters
    ----------
    k : int
        Most groups of the decisions it is chosen by.
    seen_fraction : float
        Share of all edges that is seen, in (0, 1].
    candidates : tuple of Completion or None, optional
        Default: :func:`default_candidates`.
    features_from_edges : bool
        Whether the features were computed from the seen edges; they are then not looked at.
    n_splits : int
    random_state : int, Generator or None

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(80, random_state=0)
    >>> completion = Chosen(4, 0.4, n_splits=1)
    >>> completion.missing_edges(data.observed, data.observed_features).n_nodes
    80
    """

    k: int
    seen_fraction: float
    candidates: tuple[Completion | None, ...] | None = None
    features_from_edges: bool = False
    n_splits: int = 5
    random_state: RandomState = 0

    def __post_init__(self) -> None:
        # Python's numbers: those of NumPy may be of a type that their products do not fit.
        for name, value in (
            ("k", check_integer("k", self.k, minimum=1)),
            ("seen_fraction", check_share(self.seen_fraction)),
            ("n_splits", check_integer("n_splits", self.n_splits, minimum=1)),
        ):
            object.__setattr__(self, name, value)

    def missing_edges(self, graph: Graph, features: Any = None) -> Graph:
        """Choose on the seen edges, and return what the best completion expects.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : array or sparse array, shape (n_nodes, n_features), optional

        Returns
        -------
        Graph
            On the same nodes; without an edge where no completion was best.
        """
        check_seen_graph(graph)
        choice = choose(
            graph,
            features,
            min(self.k, max(graph.n_nodes, 1)),
            seen_fraction=self.seen_fraction,
            candidates=self.candidates,
            placements=("expected",),
            features_from_edges=self.features_from_edges,
            n_splits=self.n_splits,
            random_state=self.random_state,
        )
        return choice.missing_edges(graph, None if self.features_from_edges else features)
