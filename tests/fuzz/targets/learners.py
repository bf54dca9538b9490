"""Estimators, recipes and training."""

from __future__ import annotations

import functools
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import graphopt
from graphopt import Graph, learning
from graphopt.learning import PAPER, ClusterNet, DirectGCN, LinkPredictor, Recipe, TwoStage
from graphopt.learning.inputs import EncoderInputs
from graphopt.nn.losses import ModularityLoss

from ..draw import Draw
from ..registry import Call, require, target

WIDTH = 3
_SMALL = Recipe(hidden_features=3)
_QUICK: dict[str, Any] = {"iterations": 1, "n_restarts": 1}


# --- settings: wrong ones are refused by fit ------------------------------------------------------


def _recipe(draw: Draw) -> dict[str, Any]:
    return draw.some(
        iterations=lambda: draw.integer(1, 2, costly=True),
        learning_rate=lambda: draw.number(1e-4, 0.1, odd=(0.0,)),
        weight_decay=lambda: draw.number(0.0, 0.1),
        temperature=lambda: draw.number(0.0, 50.0),
        smoothing=lambda: draw.integer(0, 2, costly=True),
        dropout=lambda: draw.number(0.0, 0.9, odd=(1.0,)),
        feature_dropout=lambda: draw.number(0.0, 0.9, odd=(1.0,)),
        masking=lambda: draw.number(0.0, 0.9, odd=(1.0,)),
        check_every=lambda: draw.integer(1, 5, costly=True),
        n_restarts=lambda: draw.integer(1, 2, costly=True),
        n_starts=lambda: draw.integer(1, 2, costly=True),
        completion_in=lambda: draw.choice("both", "input", "loss"),
        start=lambda: draw.choice("k-means++", "leiden"),
        pretraining=lambda: draw.integer(0, 2, costly=True),
        hidden_features=lambda: draw.integer(1, 4),
        embedding_features=lambda: draw.integer(1, 4),
        gradient=lambda: draw.choice("one-step", "implicit", "unrolled"),
        polish=lambda: draw.pick(1, "x", None) if draw.odd() else draw.pick(True, False),
        kmeans_schedule=lambda: (
            draw.pick((), 3, ((0.5, 1),), ((0.0, 0),), ((0.0,),), None, "ab", ((None, 1),))
            if draw.odd()
            else draw.pick(((0.0, 1),), ((0.0, 2), (0.5, 3)))
        ),
    )


@target("graphopt.learning.Recipe")
def recipe(draw: Draw) -> Call:
    return Call(Recipe, (), _recipe(draw), repr)


@target("graphopt.learning.Recipe.over")
def over(draw: Draw) -> Call:
    odd, draw.valid = draw.valid, True
    own = Recipe(**_recipe(draw))
    draw.valid = odd
    return Call(own.over, (PAPER,), {}, repr)


@target("graphopt.learning.Recipe.given")
def given(draw: Draw) -> Call:
    return Call(PAPER.given, ())


@target("graphopt.learning.Recipe.kmeans_updates")
def kmeans_updates(draw: Draw) -> Call:
    return Call(PAPER.kmeans_updates, (draw.size(0, 999),))


def _own_recipe(draw: Draw) -> Any:
    """Return a small recipe that makes sense, or something else that an estimator must refuse."""
    if draw.odd(0.05):
        return draw.pick(3, "x", {})
    odd, draw.valid = draw.valid, True
    settings = {**_recipe(draw), "hidden_features": 3, "iterations": 1}
    draw.valid = odd
    return Recipe(**settings)


def _decides(draw: Draw) -> dict[str, Any]:
    """Return settings of an estimator that decides."""
    return {
        **_QUICK,
        "recipe": _own_recipe(draw),
        "n_clusters": draw.integer(1, 4),
        "random_state": draw.random_state(),
        **draw.some(
            objective=lambda: draw.choice("modularity", "k-center"),
            seen_fraction=lambda: draw.number(0.5, 1.0, odd=(0.0, 1.5)),
            completion=lambda: draw.pick(None, "auto") if draw.valid else draw.choice("auto"),
            features_from_edges=draw.flag,
            iterations=lambda: draw.integer(1, 2, costly=True),
        ),
    }


def _clusternet(draw: Draw) -> dict[str, Any]:
    return _decides(draw) | draw.some(encoder=lambda: draw.choice("gcn", "sgc", "appnp"))


def _predictor(draw: Draw) -> dict[str, Any]:
    return {
        "recipe": _own_recipe(draw),
        "iterations": draw.integer(1, 2, costly=True),
        "random_state": draw.random_state(),
    }


def _two_stage(draw: Draw) -> dict[str, Any]:
    predictor: Any = LinkPredictor(iterations=1, recipe=_SMALL, random_state=0)
    if draw.odd(0.1):
        predictor = draw.pick(3, "x", LinkPredictor(iterations=0, random_state=0))
    names = ("cnm", "newman", "spectral", "gonzalez", "greedy")
    return {
        "n_clusters": draw.integer(1, 4),
        "algorithm": draw.choice(*names),
        "predictor": predictor,
        "random_state": draw.random_state(),
        **draw.some(seen_fraction=lambda: draw.number(0.5, 0.9, odd=(0.0, 1.5))),
    }


_KINDS: dict[str, tuple[Any, Any]] = {
    "ClusterNet": (ClusterNet, _clusternet),
    "DirectGCN": (DirectGCN, _decides),
    "LinkPredictor": (LinkPredictor, _predictor),
    "TwoStage": (TwoStage, _two_stage),
}


def _ring(n: int) -> Graph:
    return Graph.from_edges([(i, (i + 1) % n) for i in range(n)] + [(0, n // 2)])


def rows(n: int) -> np.ndarray:
    return (np.arange(n * WIDTH, dtype=np.float32) % 5 + 1).reshape(n, WIDTH)


@functools.cache
def fitted(kind: str, variant: int = 0) -> Any:
    """Return an estimator that has learned; who changes it takes a copy."""
    maker, _ = _KINDS[kind]
    ring = _ring(9)
    if kind == "LinkPredictor":
        model = maker(iterations=2, recipe=_SMALL, random_state=0)
    elif kind == "TwoStage":
        predictor = LinkPredictor(iterations=2, recipe=_SMALL, random_state=0)
        model = maker(3, ("cnm", "greedy")[variant], predictor=predictor, random_state=0)
    else:
        objective = ("modularity", "k-center")[variant]
        model = maker(3, objective, iterations=2, n_restarts=1, recipe=_SMALL, random_state=0)
    return model.fit(ring, rows(9))


def _graph(draw: Draw) -> Any:
    if draw.chance(0.5) and draw.valid:
        return _ring(draw.size(6, 9))
    return draw.graph(5, 9, kinds="none none int")


def _features(draw: Draw, graph: Any) -> Any:
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    return draw.features(n, WIDTH)


_WORDS = (
    "graph", "features", "n_clusters", "room", "edge", "edges", "predictor",
    "algorithm", "k", "iterations", "graphs[0]", "graphs[1]", "features[0]", "features[1]",
    "objective", "completion", "encoder", "seen_fraction", "gradient", "n_restarts",
    "random_state", "hidden_features", "embedding_features", "temperature", "learning_rate",
    "weight_decay", "dropout", "feature_dropout", "masking", "smoothing", "n_facilities", "recipe",
    "pretraining", "n_starts", "polish", "propagation_steps", "teleport",
    "labels", "matrix", "growth", "features_from_edges", "n_missing", "power",
)  # fmt: skip


def _check_decision(model: Any, graph: Any) -> None:
    if hasattr(model, "labels_"):
        require(model.labels_.shape == (graph.n_nodes,), "labels' shape")
        require((model.labels_ >= -1).all(), "labels out of range")
        require((model.labels_ < model.n_clusters).all(), "labels out of range")


def _register(kind: str) -> None:
    maker, settings = _KINDS[kind]
    prefix = f"graphopt.{kind}"

    @target(prefix)
    def construct(draw: Draw) -> Call:
        return Call(maker, (), settings(draw), repr)  # judged by fit, as scikit-learn wants it

    @target(f"{prefix}.fit", weight=0.05, words=_WORDS)
    def fit(draw: Draw) -> Call:
        graph = _graph(draw)
        model = maker(**settings(draw))
        rows = None if draw.chance(0.15) else _features(draw, graph)
        args = (graph, rows)

        def fit(graph: Any, features: Any) -> Any:
            model.fit(graph, features)
            return getattr(model, "labels_", None), getattr(model, "embedding_", None)

        return Call(fit, args, {}, lambda _: _check_decision(model, graph))

    @target(f"{prefix}.fit_inductive", weight=0.05, words=_WORDS)
    def fit_inductive(draw: Draw) -> Call:
        graphs: Any = [_graph(draw) for _ in range(draw.size(1, 2))]
        features: Any = [_features(draw, graph) for graph in graphs]
        if draw.odd(0.1):
            graphs = draw.pick([], None, graphs[0], 3, graphs * 2)
        if draw.odd(0.1):
            features = draw.pick([], None, 3, [None], features * 2)
        model = maker(**settings(draw))
        kwargs: dict[str, Any] = {}
        if draw.chance(0.2):
            kwargs = {"validation_graphs": [_ring(6)], "validation_features": [rows(6)]}

        def fit_inductive(graphs: Any, features: Any, **kwargs: Any) -> None:
            model.fit_inductive(graphs, features, **kwargs)

        return Call(fit_inductive, (graphs, features), kwargs)

    @target(f"{prefix}.fine_tune", weight=0.05, words=_WORDS)
    def fine_tune(draw: Draw) -> Call:
        graph = _graph(draw)
        kwargs = {"iterations": draw.integer(1, 2, costly=True)}
        model = fitted(kind)
        return Call(model.fine_tune, (graph, _features(draw, graph)), kwargs, changes=True)

    if kind != "TwoStage":  # whose parameters are scikit-learn's business

        @target(f"{prefix}.get_params")
        def get_params(draw: Draw) -> Call:
            return Call(maker(**settings(draw)).get_params, (draw.flag(),))

        # Which names are parameters is checked by scikit-learn.
        @target(f"{prefix}.set_params", words=_WORDS, errors=(ValueError,))
        def set_params(draw: Draw) -> Call:
            given = settings(draw) | draw.some(
                recipe__temperature=lambda: draw.number(0.0, 50.0),
                recipe__start=lambda: draw.choice("k-means++", "leiden"),
            )
            if draw.odd():
                given[draw.pick("no_such", "recipe__no_such")] = 1
            return Call(maker().set_params, (), given)

    if kind == "LinkPredictor":
        return

    @target(f"{prefix}.fit_predict", weight=0.05, words=_WORDS)
    def fit_predict(draw: Draw) -> Call:
        graph = _graph(draw)
        model = maker(**settings(draw))
        return Call(model.fit_predict, (graph, _features(draw, graph)))

    @target(f"{prefix}.predict", weight=0.1, words=_WORDS)
    def predict(draw: Draw) -> Call:
        graph = _graph(draw)
        model = fitted(kind, draw.size(0, 1))
        return Call(model.predict, (graph, _features(draw, graph)))

    @target(f"{prefix}.score", words=(*_WORDS, "centers"))
    def score(draw: Draw) -> Call:
        graph = draw.graph(9, 9)
        return Call(fitted(kind, draw.size(0, 1)).score, (graph,), {}, float)

    if kind == "TwoStage":
        return

    @target(f"{prefix}.save", weight=0.2, errors=(OSError,))
    def save(draw: Draw) -> Call:
        def save(path: Any) -> bytes:
            with tempfile.TemporaryDirectory() as folder:
                name = path
                if isinstance(path, str | bytes):
                    start = f"{folder}/"
                    name = start + path if isinstance(path, str) else start.encode() + path
                fitted(kind).save(name)
                return Path(os.fsdecode(name)).read_bytes()[:0]

        name = "model.pt"
        if draw.odd(0.4):
            name = draw.pick("", "no/folder", "/", "\0", 3.5, None, b"x", "\ud800", ".")
        return Call(save, (name,))


for _kind in _KINDS:
    _register(_kind)


@target("graphopt.LinkPredictor.transfer", weight=0.2, words=_WORDS)
def transfer(draw: Draw) -> Call:
    graph = _graph(draw)
    return Call(fitted("LinkPredictor").transfer, (graph, _features(draw, graph)))


def _pairs(draw: Draw) -> Any:
    return draw.array(draw.generator.integers(0, 9, (draw.size(1, 5), 2)))


@target("graphopt.LinkPredictor.predict")
def predict_pairs(draw: Draw) -> Call:
    def check(found: Any) -> None:
        require(((found >= 0) & (found <= 1)).all(), "no probabilities")

    return Call(fitted("LinkPredictor").predict, (_pairs(draw),), {}, check)


@target("graphopt.LinkPredictor.predict_dense")
def predict_dense(draw: Draw) -> Call:
    return Call(fitted("LinkPredictor").predict_dense)


def _unseen_pairs(draw: Draw) -> Any:
    """Return pairs without an edge in the ring that was learned from."""
    seen = fitted("LinkPredictor").graph_.to_scipy().toarray() + np.eye(9)
    pairs = np.argwhere(seen == 0)
    return draw.array(pairs[draw.generator.permutation(len(pairs))[: draw.size(1, 5)]])


@target("graphopt.LinkPredictor.evaluate", weight=0.2)
def evaluate(draw: Draw) -> Call:
    kwargs = draw.some(
        hits_at=lambda: draw.pick((1,), (2, 3)) if not draw.odd() else draw.pick((0,), 3, ("a",)),
        random_state=draw.random_state,
    )
    if draw.chance(0.5):
        kwargs["others"] = _unseen_pairs(draw)
    edges = _pairs(draw) if draw.odd() else _unseen_pairs(draw)
    return Call(fitted("LinkPredictor").evaluate, (edges,), kwargs)


@target("graphopt.learning.consensus", words=("labels", "k"))
def consensus(draw: Draw) -> Call:
    graph = draw.graph(2, 9)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    partitions: Any = [draw.labels(n) for _ in range(draw.size(1, 3))]
    if draw.odd(0.15):
        partitions = draw.pick([], None, 3, "ab", [None])
    kwargs = {"random_state": draw.random_state()}
    return Call(learning.consensus, (graph, partitions, draw.integer(1, n)), kwargs)


@target("graphopt.learning.train", weight=0.05, words=_WORDS)
def train(draw: Draw) -> Call:
    # A part of the estimators, which have checked what it is given.
    graph = _ring(draw.size(6, 9))
    features = rows(graph.n_nodes)
    inputs = EncoderInputs.make(graph, features, smoothing=0)
    network = graphopt.nn.DirectGCN(inputs.n_features, 2, hidden_features=3)
    network.initialize(inputs.features, inputs.adjacency.whole, np.random.default_rng(0))
    objective = ModularityLoss()
    args = (network, inputs, objective, objective.prepare(graph), Recipe(iterations=1))
    return Call(learning.train, (*args, np.random.default_rng(0)), changes=True)


# --- completions that learn -----------------------------------------------------------------------


def _predicted(draw: Draw) -> dict[str, Any]:
    return {
        "predictor": LinkPredictor(iterations=1, recipe=_SMALL, random_state=0),
        **draw.some(
            weight=lambda: draw.number(0.0, 1.0, odd=(1e300,)),
            n_candidates=lambda: draw.integer(1, 6),
        ),
    }


@target("graphopt.learning.PredictedLinks")
def predicted_links(draw: Draw) -> Call:
    settings = _predicted(draw)
    if draw.odd():
        settings["predictor"] = draw.pick(3, "x", ClusterNet())
    return Call(learning.PredictedLinks, (), settings)


def _made(draw: Draw) -> Any:
    odd, draw.valid = draw.valid, True
    made = learning.PredictedLinks(**_predicted(draw))
    draw.valid = odd
    return made


@target("graphopt.learning.PredictedLinks.missing_edges", weight=0.05, words=_WORDS)
def missing_edges(draw: Draw) -> Call:
    graph = _graph(draw)
    return Call(_made(draw).missing_edges, (graph, _features(draw, graph)))


@target("graphopt.learning.PredictedLinks.probabilities", weight=0.05, words=_WORDS)
def probabilities(draw: Draw) -> Call:
    graph = _graph(draw)
    return Call(_made(draw).probabilities, (graph, _features(draw, graph)))


@target("graphopt.learning.PredictedLinks.sample", weight=0.05, words=_WORDS)
def sample(draw: Draw) -> Call:
    graph = _graph(draw)
    kwargs = {"n_samples": draw.integer(1, 2, costly=True), "random_state": draw.random_state()}
    return Call(_made(draw).sample, (graph, _features(draw, graph)), kwargs)
