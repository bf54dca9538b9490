"""Completions of partly seen graphs, and data sets drawn or split."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphopt import Graph, completion, datasets
from graphopt.completion import EdgeProbabilities
from graphopt.completion.unseen_pairs import UnseenPairs

from ..draw import Draw
from ..registry import Call, require, target
from .graphs import check_graph

_WEIGHTS = "none none int float"


def seen_graph(draw: Draw, low: int = 3, high: int = 10) -> Any:
    return draw.graph(low, high, kinds=_WEIGHTS)


def rows_for(draw: Draw, graph: Any) -> Any:
    """Return features for a graph as an argument: none, a matrix or a function."""
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    if draw.chance(0.3):
        return None
    rows = draw.features(n)
    return (lambda seen: draw_rows(seen.n_nodes)) if draw.chance(0.1) else rows


def draw_rows(n: int) -> np.ndarray:
    return np.arange(3 * n, dtype=np.float32).reshape(n, 3) % 7


# --- settings -------------------------------------------------------------------------------------


def _bagging(draw: Draw) -> dict[str, Any]:
    return {
        "n_bags": draw.integer(1, 3, costly=True),
        "draws": draw.integer(1, 4, costly=True),
        **draw.some(
            weight=lambda: draw.number(0.0, 1.0, odd=(1e300,)),
            keep=lambda: draw.number(0.3, 0.9, odd=(0.0, 1.5)),
            n_groups=lambda: draw.integer(1, 3),
            random_state=draw.random_state,
        ),
    }


def _neighbours(draw: Draw) -> dict[str, Any]:
    return draw.some(
        n_neighbours=lambda: draw.integer(1, 9) if draw.chance(0.6) else (1, 3),
        weight=lambda: draw.number(0.0, 1.0, odd=(1e300,)),
        smoothing=lambda: draw.integer(0, 2, costly=True),
    )


def _link_model(draw: Draw) -> dict[str, Any]:
    return {
        "n_candidates": draw.integer(1, 8),
        "n_maskings": draw.integer(1, 2, costly=True),
        "n_others": draw.integer(1, 4),
        **draw.some(
            weight=lambda: draw.number(0.0, 1.0, odd=(1e300,)),
            features_from_edges=draw.flag,
            smoothing=lambda: draw.integer(0, 2, costly=True),
            random_state=draw.random_state,
        ),
    }


_KINDS = {
    "Bagging": (completion.Bagging, _bagging, 0.1),
    "FeatureNeighbours": (completion.FeatureNeighbours, _neighbours, 0.3),
    "LinkModel": (completion.LinkModel, _link_model, 0.1),
}


def _valid(draw: Draw, kind: str) -> Any:
    """Return a completion that nothing is wrong with; what else is drawn may be odd."""
    maker, settings, _ = _KINDS[kind]
    odd, draw.valid = draw.valid, True
    try:
        return maker(**settings(draw))
    finally:
        draw.valid = odd


def _register(kind: str) -> None:
    maker, settings, weight = _KINDS[kind]
    prefix = f"graphopt.completion.{kind}"
    words = ("room", "graph", "power")

    @target(prefix)
    def construct(draw: Draw) -> Call:
        return Call(maker, (), settings(draw), repr)

    @target(f"{prefix}.missing_edges", weight=weight, words=words)
    def missing_edges(draw: Draw) -> Call:
        graph = seen_graph(draw)
        made = _valid(draw, kind)
        return Call(made.missing_edges, (graph, rows_for(draw, graph)), {}, check_graph)

    @target(f"{prefix}.probabilities", weight=weight, words=words)
    def probabilities(draw: Draw) -> Call:
        graph = seen_graph(draw)
        made = _valid(draw, kind)
        check = _check_chances
        return Call(made.probabilities, (graph, rows_for(draw, graph)), {}, check)

    @target(f"{prefix}.sample", weight=weight, words=words)
    def sample(draw: Draw) -> Call:
        graph = seen_graph(draw)
        kwargs = _samples(draw) | draw.some(
            sharpness=lambda: draw.number(0.5, 3.0, odd=(0.0, 1e300))
        )
        made = _valid(draw, kind)
        return Call(made.sample, (graph, rows_for(draw, graph)), kwargs, _check_samples(kwargs))


def _samples(draw: Draw) -> dict[str, Any]:
    return {
        "random_state": draw.random_state(),
        "n_samples": draw.integer(1, 3, costly=True),
        **draw.some(join=draw.flag),
    }


def _check_samples(kwargs: dict[str, Any]) -> Any:
    def check(found: list[Graph]) -> None:
        require(len(found) == kwargs["n_samples"], "number of samples")
        for graph in found:
            check_graph(graph)

    return check


def _check_chances(found: EdgeProbabilities) -> None:
    chances = found.probabilities
    require(((chances >= 0) & (chances <= 1)).all(), "no probabilities")
    require(0.0 <= found.background <= 1.0, "background is no probability")
    require(np.isfinite(found.n_missing), "n_missing is not finite")


for _kind in _KINDS:
    _register(_kind)


@target("graphopt.completion.Mixture")
def mixture(draw: Draw) -> Call:
    parts: Any = (_valid(draw, "FeatureNeighbours"), _valid(draw, "Bagging"))
    if draw.odd():
        parts = draw.pick((), None, 3, (None,), ("a", "b"), parts[0])
    kwargs = draw.some(shares=lambda: draw.array(draw.pick([0.5, 0.5], [1.0, 0.0], [0.2, 0.8])))
    return Call(completion.Mixture, (parts,), kwargs)


@target("graphopt.completion.Mixture.missing_edges", weight=0.1, words=("graph",))
def mixture_missing_edges(draw: Draw) -> Call:
    made = completion.Mixture((_valid(draw, "FeatureNeighbours"), _valid(draw, "Bagging")))
    graph = seen_graph(draw)
    rows = draw.features(graph.n_nodes if isinstance(graph, Graph) else 5)
    return Call(made.missing_edges, (graph, rows), {}, check_graph)


# --- edge probabilities ---------------------------------------------------------------------------


def _chances(draw: Draw, odd: bool = False) -> tuple[Graph, Any, Any, dict[str, Any]]:
    graph = draw.plain_graph(2, 9, kinds=_WEIGHTS)
    n = graph.n_nodes
    u, v = np.triu_indices(n, 1)
    seen = {(int(a), int(b)) for a, b in graph.edges}
    free = np.array([(a, b) for a, b in zip(u, v, strict=True) if (int(a), int(b)) not in seen])
    free = free.reshape(-1, 2)[: draw.size(0, len(free))]
    kwargs = draw.some(background=lambda: draw.number(0.0, 1.0, odd=(1.5,)))
    return graph, draw.array(free), draw.array(draw.probabilities(len(free))), kwargs


@target("graphopt.completion.EdgeProbabilities")
def edge_probabilities(draw: Draw) -> Call:
    graph, pairs, chances, kwargs = _chances(draw)
    whole = draw.graph(2, 9, kinds=_WEIGHTS) if draw.odd(0.1) else graph
    return Call(EdgeProbabilities, (whole, pairs, chances), kwargs, _check_chances)


def _made(draw: Draw) -> EdgeProbabilities:
    odd, draw.valid = draw.valid, True
    graph, pairs, chances, kwargs = _chances(draw)
    draw.valid = odd
    return EdgeProbabilities(graph, pairs, chances, **kwargs)


@target("graphopt.completion.EdgeProbabilities.expected")
def expected(draw: Draw) -> Call:
    kwargs = draw.some(
        max_pairs=lambda: draw.pick(None, draw.integer(1, 20)), random_state=draw.random_state
    )
    return Call(_made(draw).expected, (), kwargs, check_graph)


@target("graphopt.completion.EdgeProbabilities.sample")
def sample_chances(draw: Draw) -> Call:
    kwargs = _samples(draw)
    return Call(_made(draw).sample, (), kwargs, _check_samples(kwargs))


@target("graphopt.completion.EdgeProbabilities.sharpened", words=("room", "graph"))
def sharpened(draw: Draw) -> Call:
    power = draw.number(0.5, 3.0, odd=(0.0, 1e300))
    return Call(_made(draw).sharpened, (power,), {}, _check_chances)


@target("graphopt.completion.EdgeProbabilities.with_total")
def with_total(draw: Draw) -> Call:
    made = _made(draw)
    most = made.n_others * (made.background > 0) + np.count_nonzero(made.probabilities)
    return Call(made.with_total, (draw.number(0.0, float(most)),), {}, _check_chances)


@target("graphopt.completion.unseen_pairs.UnseenPairs.draw")
def unseen_pairs(draw: Draw) -> Call:
    # Used inside; takes what its callers checked.
    graph = draw.plain_graph(2, 9)
    pairs = UnseenPairs(graph.n_nodes, graph.edges)
    distinct = draw.chance(0.5)
    size = draw.size(0, pairs.count if distinct else 5) if pairs.count else 0

    def check(found: Any) -> None:
        seen = {tuple(edge) for edge in graph.edges.tolist()}
        require(found.shape == (size, 2), "shape")
        require(not seen & {tuple(pair) for pair in found.tolist()}, "a pair that is joined")

    if size == 0 and pairs.count == 0:
        distinct = True
    return Call(pairs.draw, (size, draw.generator), {"distinct": distinct}, check)


@target("graphopt.completion.unseen_pairs.UnseenPairs.pairs")
def ranked_pairs(draw: Draw) -> Call:
    graph = draw.plain_graph(2, 9)
    pairs = UnseenPairs(graph.n_nodes, graph.edges)

    def check(found: Any) -> None:
        require(len(np.unique(found, axis=0)) == pairs.count, "pairs repeat")

    return Call(pairs.pairs, (np.arange(pairs.count),), {}, check)


# --- choices --------------------------------------------------------------------------------------


def _hidden(draw: Draw) -> dict[str, Any]:
    """Return settings of what hides edges of a seen graph."""
    return {
        "seen_fraction": draw.number(0.5, 0.9, odd=(0.0, 1.5, 1e-300)),
        "n_splits": draw.integer(1, 2, costly=True),
        "random_state": draw.random_state(),
    }


def _by_degree(graph: Graph, rng: np.random.Generator) -> np.ndarray:
    return (graph.degrees > 1).astype(np.int64)


@target("graphopt.completion.choose", weight=0.1, words=("room",))
def choose(draw: Draw) -> Call:
    graph = draw.graph(4, 10, kinds=_WEIGHTS)
    rows = draw.features(graph.n_nodes) if isinstance(graph, Graph) else None
    kwargs = _hidden(draw) | draw.some(features_from_edges=draw.flag)
    kwargs["candidates"] = draw.pick(
        (None,), (None, _valid(draw, "FeatureNeighbours")), [_valid(draw, "Bagging")]
    )
    if draw.odd(0.15):
        kwargs["candidates"] = draw.pick((), None, 3, "ab", [object()])
    if draw.odd(0.15):
        kwargs["placements"] = draw.pick((), 3, "ab", ["x"], [None])
    if draw.chance(0.3):
        kwargs |= {"decide": _by_degree}
        return Call(completion.choose, (graph, rows), kwargs)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    return Call(completion.choose, (graph, rows, draw.integer(1, n)), kwargs)


@target("graphopt.completion.choose_sharpness", weight=0.1, words=("room", "graph"))
def choose_sharpness(draw: Draw) -> Call:
    graph = draw.graph(4, 10, kinds=_WEIGHTS)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    kwargs = _hidden(draw) | draw.some(join=draw.flag, powers=lambda: (1.0, 2.0))
    if draw.odd(0.1):
        kwargs["powers"] = draw.pick((), 3, "ab", (0.0,), (-1.0,), (float("nan"),), None)
    made = _valid(draw, "FeatureNeighbours")
    return Call(completion.choose_sharpness, (made, graph, draw.features(n)), kwargs)


@target("graphopt.completion.reliability_curve", weight=0.2, words=("room", "graph"))
def reliability_curve(draw: Draw) -> Call:
    graph = draw.graph(4, 10, kinds=_WEIGHTS)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    kwargs = _hidden(draw) | draw.some(n_bins=lambda: draw.integer(2, 5))
    made = _valid(draw, "FeatureNeighbours")
    return Call(completion.reliability_curve, (made, graph, draw.features(n)), kwargs)


@target("graphopt.completion.default_candidates")
def default_candidates(draw: Draw) -> Call:
    kwargs = draw.some(with_features=draw.flag, features_from_edges=draw.flag)
    share = draw.number(0.1, 1.0, odd=(0.0, 1.5, 1e-320))
    return Call(completion.default_candidates, (share,), kwargs)


@target("graphopt.completion.decide_under", words=("other", "edge"))
def decide_under(draw: Draw) -> Call:
    graph = draw.graph(0, 9, kinds=_WEIGHTS)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    missing: Any = None
    if draw.chance(0.6):
        missing = draw.graph(n, n, kinds="float")
    kwargs = {"random_state": draw.random_state()}
    kwargs |= draw.some(placement=lambda: draw.choice("expected", "together", "spread"))
    return Call(completion.decide_under, (graph, missing, _by_degree), kwargs)


@target("graphopt.completion.spread_over_groups")
def spread_over_groups(draw: Draw) -> Call:
    # Takes what its callers checked.
    graph = draw.plain_graph(1, 9)
    nodes = np.flatnonzero(draw.generator.random(graph.n_nodes) < 0.5).astype(np.int32)
    k = draw.size(1, 4)
    labels = draw.generator.integers(0, k, len(nodes))

    def check(found: Any) -> None:
        require(found.shape == (graph.n_nodes,), "shape")
        require(((found >= 0) & (found < k)).all(), "no group")

    args = (labels, nodes, graph, k, draw.generator)
    return Call(completion.spread_over_groups, args, {}, check)


_CHOICES: dict[int, completion.Choice] = {}


def _choice(draw: Draw) -> completion.Choice:
    number = draw.size(0, 2)
    if number not in _CHOICES:
        ring = Graph.from_edges([(i, (i + 1) % 12) for i in range(12)] + [(0, 5), (2, 9)])
        candidates = [(None,), (completion.FeatureNeighbours(3),), (completion.Bagging(n_bags=2),)]
        _CHOICES[number] = completion.choose(
            ring,
            draw_rows(12),
            3,
            seen_fraction=0.6,
            candidates=candidates[number],
            n_splits=1,
            random_state=0,
        )
    return _CHOICES[number]


@target("graphopt.completion.Choice.missing_edges", weight=0.2, words=("room",))
def choice_missing_edges(draw: Draw) -> Call:
    graph = seen_graph(draw)
    rows = draw.features(graph.n_nodes if isinstance(graph, Graph) else 5)
    return Call(_choice(draw).missing_edges, (graph, rows), {}, check_graph)


@target("graphopt.completion.Choice.labels", weight=0.2, words=("room", "edge"))
def choice_labels(draw: Draw) -> Call:
    graph = seen_graph(draw)
    rows = draw.features(graph.n_nodes if isinstance(graph, Graph) else 5)
    kwargs = {"random_state": draw.random_state()}
    return Call(_choice(draw).labels, (graph, rows), kwargs)


@target("graphopt.completion.Chosen")
def chosen(draw: Draw) -> Call:
    args = (draw.integer(1, 5), draw.number(0.1, 1.0, odd=(0.0, 1.5)))
    kwargs = draw.some(
        n_splits=lambda: draw.integer(1, 3, costly=True), random_state=draw.random_state
    )
    return Call(completion.Chosen, args, kwargs)


@target("graphopt.completion.Chosen.missing_edges", weight=0.1, words=("room", "k", "edge"))
def chosen_missing_edges(draw: Draw) -> Call:
    graph = draw.graph(4, 10, kinds=_WEIGHTS)
    rows = draw.features(graph.n_nodes if isinstance(graph, Graph) else 5)
    made = completion.Chosen(3, 0.6, (None, completion.FeatureNeighbours(2, 0.5)), n_splits=1)
    return Call(made.missing_edges, (graph, rows), {}, check_graph)


# --- data sets ------------------------------------------------------------------------------------


@target("graphopt.datasets.split_edges")
def split_edges(draw: Draw) -> Call:
    graph = draw.graph()
    kwargs: dict[str, Any] = {"random_state": draw.random_state()}
    if draw.chance(0.3):
        kwargs |= {"keep": draw.choice("connected", "none"), "fraction": draw.number(0.9, 1.0)}
        if draw.valid:
            kwargs["fraction"] = 1.0
    else:
        kwargs |= draw.some(fraction=lambda: draw.number(0.0, 1.0, odd=(1.5,)))

    def check(found: Any) -> None:
        parts = np.concatenate([found.train, found.unseen])
        require(len(parts) == graph.n_edges, "edges lost")
        require(len(np.unique(parts, axis=0)) == graph.n_edges, "an edge in both parts")

    return Call(datasets.split_edges, (graph,), kwargs, check)


@target("graphopt.datasets.observed_graph", words=("split.train",))
def observed_graph(draw: Draw) -> Call:
    graph = draw.plain_graph()
    split = datasets.split_edges(graph, 0.5, random_state=0)
    if draw.odd(0.15):
        strange = draw.plain_graph(directed=None)
        split = datasets.EdgeSplit(strange.edges, strange.edges)
    whole = draw.graph() if draw.odd(0.15) else graph
    return Call(datasets.observed_graph, (whole, split), {}, check_graph)


@target("graphopt.datasets.structural_features", weight=0.3)
def structural_features(draw: Draw) -> Call:
    graph = draw.graph(0, 10)
    kwargs = {"random_state": draw.random_state()}
    kwargs |= draw.some(n_features=lambda: draw.integer(7, 12))

    def check(found: Any) -> None:
        require(found.shape == (graph.n_nodes, kwargs.get("n_features", 64)), "shape")
        require(found.dtype == np.float32 and np.isfinite(found).all(), "not finite")

    return Call(datasets.structural_features, (graph,), kwargs, check)


def _check_dataset(data: Any) -> None:
    if isinstance(data, list):
        for one in data:
            _check_dataset(one)
        return
    check_graph(data.graph)
    check_graph(data.observed)
    require(data.features.shape[0] == data.n_nodes, "features' shape")
    repr(data)


def _synthetic(draw: Draw) -> dict[str, Any]:
    return {
        "n_nodes": draw.integer(2, 15, costly=True),
        "random_state": draw.random_state(),
        **draw.some(
            rho=lambda: draw.number(0.01, 1.0, odd=(0.0, 1e-300, 1e300)),
            edges_per_node=lambda: draw.number(1.0, 3.0, odd=(0.5,)),
            n_attributes=lambda: draw.integer(1, 3, costly=True),
            n_groups=lambda: draw.integer(1, 4, costly=True),
            features=lambda: draw.choice("structural", "attributes"),
            n_features=lambda: draw.integer(7, 12),
            seen_fraction=lambda: draw.number(0.0, 1.0, odd=(1.5,)),
        ),
    }


@target("graphopt.datasets.synthetic", weight=0.2)
def synthetic(draw: Draw) -> Call:
    kwargs = _synthetic(draw)
    if draw.chance(0.2):
        kwargs["n_graphs"] = draw.integer(1, 2, costly=True)
    return Call(datasets.synthetic, (), kwargs, _check_dataset)


@target("graphopt.datasets.synthetic_distribution", weight=0.1)
def synthetic_distribution(draw: Draw) -> Call:
    kwargs = {
        "n_train": draw.integer(1, 1, costly=True),
        "n_validation": draw.integer(1, 1, costly=True),
        "n_test": draw.integer(1, 1, costly=True),
        "n_nodes": draw.integer(5, 9, costly=True),
        "random_state": draw.random_state(),
        "features": draw.choice("structural", "role2vec", "attributes"),
        "n_features": draw.integer(7, 9),
        **draw.some(
            seen_fraction=lambda: draw.number(0.2, 1.0, odd=(1.5,)), num_threads=draw.num_threads
        ),
    }
    return Call(datasets.synthetic_distribution, (), kwargs, len)


_DATA: list[datasets.Dataset] = []


@target("graphopt.datasets.Dataset.permuted")
def permuted(draw: Draw) -> Call:
    if not _DATA:
        _DATA.append(datasets.synthetic(12, features="attributes", random_state=0))
    return Call(_DATA[0].permuted, (draw.random_state(),), {}, _check_dataset)
