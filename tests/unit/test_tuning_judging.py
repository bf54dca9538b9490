"""What a setting is judged on in the search: hidden seen edges and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from tuning_fakes import short

from graphopt import Graph, datasets
from graphopt.nn.losses import ModularityLoss
from graphopt.tuning import Inductive, SingleGraph, Space, default_space
from graphopt.tuning.judging import Progressed, hide_edges

DATA = datasets.synthetic(60, random_state=0)
MANY = [datasets.synthetic(40, random_state=seed) for seed in range(3)]


def go_on(step: int, score: float) -> bool:
    return False


def single(task: str = "community", space: Space | None = None, **settings: Any) -> SingleGraph:
    return SingleGraph(
        **{
            "seen": DATA.observed,
            "features": DATA.observed_features,
            "n_clusters": 3,
            "task": task,
            "space": space or short(),
            **settings,
        }
    )


def inductive(task: str = "community", **settings: Any) -> Inductive:
    seen = [(one.observed, one.observed_features) for one in MANY]
    return Inductive(
        **{
            "training": seen[:1],
            "validation": seen[1:],
            "n_clusters": 3,
            "task": task,
            "space": short("inductive"),
            **settings,
        }
    )


# --- hidden edges -------------------------------------------------------------------------------


def test_a_share_of_the_seen_edges_is_hidden() -> None:
    piece = hide_edges(DATA.observed, DATA.observed_features, 0.25, 0)
    n_seen = DATA.observed.n_edges
    assert piece.judged.n_edges == n_seen  # every node has features here
    assert piece.part.n_edges == round(0.75 * n_seen)
    assert piece.part.n_nodes == piece.judged.n_nodes == len(piece.features)
    kept = {tuple(edge) for edge in piece.part.edges.tolist()}
    assert kept < {tuple(edge) for edge in piece.judged.edges.tolist()}
    other = hide_edges(DATA.observed, DATA.observed_features, 0.25, 1)
    assert not np.array_equal(piece.features, other.features)


def test_nodes_of_which_nothing_is_left_take_no_part() -> None:
    seen = Graph.from_edges([(0, 1), (2, 3)], n_nodes=6)
    piece = hide_edges(seen, None, 0.5, 0)
    assert (piece.part.n_nodes, piece.part.n_edges) == (2, 1)
    assert (piece.judged.n_nodes, piece.judged.n_edges) == (2, 1)


# --- one graph ------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["community", "facility"])
def test_one_training_scores_every_length_as_its_own_training_would(task: str) -> None:
    whole = single(task, short(lengths=(2, 4, 6)))
    params = {**whole.space.landmarks[0].params, "kmeans_rise": False}
    scores = whole(params, go_on)
    assert list(scores) == [2, 4, 6]
    for length in (2, 4):
        only = replace(whole.space, iterations=tuple(range(2, length + 1, 2)))
        assert single(task, only)(params, go_on)[length] == scores[length]


def test_scores_are_repeatable_and_depend_on_the_seed() -> None:
    params = short().landmarks[0].params
    assert single()(params, go_on) == single()(params, go_on)
    assert single()(params, go_on) != single(random_state=1)(params, go_on)


def test_repeats_are_averaged() -> None:
    params = short().landmarks[0].params
    first, second = (single(random_state=seed)(params, go_on) for seed in (0, 1000))
    both = single(repeats=2)(params, go_on)
    assert both == {step: pytest.approx((first[step] + second[step]) / 2) for step in first}


def test_a_training_can_be_stopped() -> None:
    reports: list[tuple[int, float]] = []

    def stop(step: int, score: float) -> bool:
        reports.append((step, score))
        return True

    scores = single(repeats=3)(short().landmarks[0].params, stop)
    assert list(scores) == [2]
    assert reports == [(2, scores[2])]


def test_features_are_not_needed() -> None:
    scores = single(features=None)(short().landmarks[0].params, go_on)
    assert set(scores) == {2, 4}


def test_expected_edges_can_be_part_of_the_setting() -> None:
    space = replace(default_space("community"), iterations=(50,))
    params = space.landmarks[0].params
    assert params["completion"] is True
    assert single(space=space)(params, go_on)[50] > 0.0


def test_the_decision_of_the_best_training_value_is_scored() -> None:
    graph = Graph.from_edges([(0, 1), (2, 3), (1, 2)])
    reports: list[float] = []
    space = short(lengths=(2, 4))
    progressed = Progressed(
        ModularityLoss(), space, [graph], lambda step, score: bool(reports.append(score))
    )
    good, poor = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    for step, decision, value in ((0, poor, 0.1), (2, good, 0.3), (3, good, 0.3), (4, poor, 0.2)):
        assert not progressed(step, decision, value)
    objective = ModularityLoss()
    assert reports == [objective.evaluate(good, graph)] * 2
    assert list(progressed.scores) == [2, 4]


# --- many graphs ----------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["community", "facility"])
def test_settings_are_judged_on_validation_graphs(task: str) -> None:
    params = short("inductive").landmarks[0].params
    scores = inductive(task)(params, go_on)
    assert list(scores) == [2, 4]
    assert inductive(task)(params, go_on) == scores
    assert inductive(task).greater_is_better == (task == "community")


@dataclass
class Constant:
    """Learns nothing: looks at one fixed decision on each validation graph."""

    n_clusters: int
    objective: Any
    recipe: Any
    interrupted_: bool = False
    lengths: tuple[int, ...] = (0, 2, 4)

    def __init__(self, **settings: Any) -> None:
        self.n_clusters, self.objective = settings["n_clusters"], settings["objective"]

    def fit_inductive(self, graphs: Any, features: Any, **validation: Any) -> None:
        self.seen = graphs, validation["validation_graphs"]
        graphs = validation["validation_graphs"]
        decisions = [np.arange(graph.n_nodes) % self.n_clusters for graph in graphs]
        values = [
            self.objective.training_value(labels, self.objective.prepare(graph))
            for labels, graph in zip(decisions, graphs, strict=True)
        ]
        for step in self.lengths:
            validation["on_iteration"](step, decisions, np.mean(values))


def test_the_score_is_the_mean_over_validation_graphs() -> None:
    evaluation = inductive(estimator=Constant)
    scores = evaluation(short("inductive").landmarks[0].params, go_on)
    pieces = [hide_edges(*seen, 0.4, 0) for seen in evaluation.validation]
    values = [ModularityLoss().evaluate(np.arange(p.judged.n_nodes) % 3, p.judged) for p in pieces]
    assert scores == {2: pytest.approx(np.mean(values)), 4: pytest.approx(np.mean(values))}


def test_a_training_that_hides_its_looks_is_an_error() -> None:
    class Silent(Constant):
        lengths = ()

    with pytest.raises(RuntimeError, match="did not look"):
        inductive(estimator=Silent)(short("inductive").landmarks[0].params, go_on)


def test_interruption_is_passed_on() -> None:
    class Interrupted(Constant):
        interrupted_ = True

    with pytest.raises(KeyboardInterrupt):
        inductive(estimator=Interrupted)(short("inductive").landmarks[0].params, go_on)


# --- what scores depend on ----------------------------------------------------------------------


def test_the_protocol_tells_graphs_of_one_name_apart() -> None:
    same, features, graph = (
        single().protocol["data"],
        single(features=DATA.observed_features + 1).protocol["data"],
        single(seen=MANY[0].observed, features=None).protocol["data"],
    )
    assert same == single().protocol["data"]
    assert len({same, features, graph}) == 3
    words = SingleGraph(
        seen=DATA.observed,
        features=csr_array(DATA.observed_features),
        n_clusters=3,
        task="community",
        space=short(),
    )
    assert words.protocol["data"] not in (same, graph)


# --- mistakes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"task": "colouring"}, "task must be"),
        ({"hidden_fraction": 0.0}, "hidden_fraction must be between 0 and 1"),
        ({"hidden_fraction": 1.0}, "hidden_fraction must be between 0 and 1"),
        ({"repeats": 0}, "repeats must be at least 1"),
        ({"n_clusters": 0}, "n_clusters must be at least 1"),
        ({"random_state": -1}, "random_state must be at least 0"),
        ({"seen": Graph.from_edges([(0, 1)]), "features": None}, "1 are seen"),
        ({"features": np.zeros((3, 2))}, "features must have one row per node"),
    ],
)
def test_mistakes_are_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        single(**settings)


def test_graphs_are_needed() -> None:
    with pytest.raises(ValueError, match="validation must hold at least one graph"):
        inductive(validation=[])
    with pytest.raises(ValueError, match=r"training\[0\]: edges to hide"):
        inductive(training=[(Graph.from_edges([], 3), None)])
