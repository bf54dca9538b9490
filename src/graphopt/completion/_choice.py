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
from graphopt.completion._base import Completion, Mixture, check_completion
from graphopt.completion._link_model import LinkModel
from graphopt.completion._neighbours import FeatureNeighbours
from graphopt.completion._placement import PLACEMENTS, Decide, decide_under
from graphopt.contest import Seed, contest
from graphopt.datasets.hiding import check_seen_graph, check_share, masked_graphs
from graphopt.features import node_features
from graphopt.graph import Graph
from graphopt.objectives import Judgement, Modularity, Problem, Trial

Judge: TypeAlias = Callable[[Graph, NDArray[Any]], float]


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """How good one way to decide was on the inner splits.

    Attributes
    ----------
    completion : Completion or None
    placement : {"expected", "together", "spread"}
    values : tuple of float
        Values of the decisions from the kept edges, judged on all seen edges; one for each split of
        each graph.
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
    """The best of several ways to decide, and the results of all.

    Attributes
    ----------
    best : Outcome
        The first way that is as good as the one with the highest mean value: their mean difference
        is at most one standard error of this difference over the splits.
    outcomes : tuple of Outcome
        All ways, in the order in which they were passed: all placements of the first candidate, of
        the second, ...
    decide : callable
        The algorithm with which they were judged.
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
        """The best placement of nodes without a seen edge."""
        return self.best.placement

    def missing_edges(self, graph: Graph, features: Any = None) -> Graph:
        """Return the edges that the best completion expects; no edges if no completion is best."""
        check_seen_graph(graph)
        if self.completion is None:
            return Graph.from_edges(np.empty((0, 2), np.int32), graph.n_nodes, np.empty(0))
        return self.completion.missing_edges(graph, node_features(graph, features))

    def labels(
        self, graph: Graph, features: Any = None, *, random_state: RandomState = None
    ) -> NDArray[Any]:
        """Decide on a seen graph with the best completion and placement.

        Parameters
        ----------
        graph : Graph
        features : array, sparse array or callable, optional
            As for :func:`choose`.
        random_state : int, Generator or None

        Returns
        -------
        array
            What `decide` returns: for communities, the group of each node.
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
    """Choose a completion by how good the decisions are that are made with it.

    A share `seen_fraction` of the seen edges is kept, as if the rest had not been seen; each
    candidate completes what is left, a decision follows, and it is judged on all seen edges. Edges
    that were never seen are not needed.

    Parameters
    ----------
    graph : Graph, or list of Graph
        The seen graph, undirected. For a list of similar graphs, one completion is chosen for all:
        the one with the best mean value.
    features : array, sparse array or callable, optional
        Of shape (n_nodes, n_features). A callable computes them from a graph. It is called on the
        kept edges only, so the features cannot reveal the hidden ones. For several graphs, a list
        with the features of each.
    k : int, optional
        The largest number of groups; not needed with `decide`.
    seen_fraction : float
        Share of all edges that `graph` holds, in (0, 1]. The graph does not show how much of it was
        seen, so you must know this share, at least roughly.
    candidates : sequence of Completion or None, optional
        The preferred ones first: if the splits cannot tell several candidates apart, the first of
        them wins. The candidate None decides on the seen edges alone. Default:
        :func:`default_candidates`.
    placements : sequence of {"together", "spread", "expected"}, optional
        The placements to try for nodes without a seen edge, the preferred ones first; see
        :func:`decide_under`. Default: all three in this order, because the first two need no guess
        for every node. If you pass `decide`, the default is ``("expected",)``, because `decide` may
        return something other than labels.
    decide : callable, optional
        ``decide(graph, generator)`` returns a decision. Default: :func:`graphopt.leiden`, at most
        `k` groups.
    judge : callable
        ``judge(graph, decision)`` returns its value, the higher the better. Default:
        :func:`graphopt.modularity`.
    features_from_edges : bool
        Whether the features were computed from the seen edges, as embeddings are. They then reveal
        the edges hidden here, and a candidate that uses them would seem better than it is. If True,
        no candidate uses features. If possible, pass a callable that computes the features instead.
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
    """A completion and a placement, as a method of a contest."""

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
    """Return the edges that a completion expects; all placements share them."""
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

    A trial hides as large a share of the seen edges as is missing, and all seen edges judge.
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

    They are :class:`Bagging`; with features, also :class:`FeatureNeighbours` (near and far
    neighbours together) and its average with :class:`Bagging`; :class:`LinkModel`; and None, no
    completion. Those that average more and learn less come first.

    Parameters
    ----------
    seen_fraction : float
        Share of all edges that is seen, in (0, 1]; at 1 no edge is missing, and the only candidate
        is None.
    with_features : bool
    features_from_edges : bool
        Whether the features are computed from the seen edges, as those of role2vec are, even if
        they are computed again for each split. A completion that learns by hiding some of these
        edges then does not use features.
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
    """A completion that :func:`choose` chooses for each graph.

    Pass it wherever a completion is accepted, for example to :class:`graphopt.ClusterNet`. (Its own
    setting "auto" is a quicker choice between two completions.)

    Parameters
    ----------
    k : int
        The largest number of groups in the decisions by which it is chosen.
    seen_fraction : float
        Share of all edges that is seen, in (0, 1].
    candidates : tuple of Completion or None, optional
        Default: :func:`default_candidates`.
    features_from_edges : bool
        Whether the features were computed from the seen edges; they are then not used.
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
        """Choose a completion on the seen edges, and return the edges that it expects.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected.
        features : array or sparse array, shape (n_nodes, n_features), optional

        Returns
        -------
        Graph
            On the same nodes; without edges if no completion was best.
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
