"""The grids of the paper's search, and what of a data set it may read."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from benchmarks.paper.search.spaces import (
    choose_space,
    extended_space,
    of_dataset,
    paper_space,
)
from graphopt import datasets
from graphopt.datasets import InductiveDataset
from graphopt.learning import PAPER, Recipe
from graphopt.learning.recipes import PAPER_INDUCTIVE, default_recipe, inductive_recipe
from graphopt.nn.losses import KCenterLoss, ModularityLoss
from graphopt.tuning import HiddenEdges, Space

DATA = datasets.synthetic(60, random_state=0)
MANY = [datasets.synthetic(40, random_state=seed) for seed in range(3)]

EVERY = [
    choose_space(extent, kind, task, distribution=distribution, quick=quick)
    for extent in ("paper", "extended")
    for kind in ("single", "inductive")
    for task in ("community", "facility")
    for distribution in ("synthetic", "pubmed")
    for quick in (False, True)
]


def test_the_paper_s_grids() -> None:
    single = paper_space("single")
    assert dict(single.choices) == {
        "temperature": (1, 10, 30, 50),
        "learning_rate": (0.01, 0.001),
        "kmeans_updates": (1, 3),
        "kmeans_rise": (False, True),
        "hidden_features": (20, 50, 100),
        "embedding_features": (20, 50, 100),
    }
    assert single.iterations == tuple(range(100, 1001, 100))
    assert single.rise == 500
    many = paper_space("inductive")
    assert dict(many.choices) == {
        "temperature": (30, 50, 70, 100),
        "learning_rate": (0.01, 0.001),
        "dropout": (0.5, 0.2),
        "kmeans_updates": (1, 5, 10, 15),
        "hidden_features": (20, 50, 100),
        "embedding_features": (20, 50, 100),
    }
    assert many.iterations == tuple(range(10, 301, 10))
    assert (single.size, many.size) == (288, 576)


def test_the_published_choices() -> None:
    (single,) = paper_space("single").landmarks
    assert (single.name, single.iterations) == ("published", 1000)
    space = paper_space("single")
    recipe = space.recipe(single.params, 1000)
    assert recipe.kmeans_schedule == PAPER.kmeans_schedule == ((0.0, 1), (0.5, 5))
    assert recipe.learning_rate == PAPER.learning_rate == 0.01
    assert single.params["temperature"] == 30
    for distribution, steps, updates in (("synthetic", 70, 10), ("pubmed", 220, 1)):
        (chosen,) = paper_space("inductive", distribution=distribution).landmarks
        assert (chosen.iterations, chosen.params["kmeans_updates"]) == (steps, updates)
        assert (chosen.params["temperature"], chosen.params["dropout"]) == (70, 0.2)
        assert chosen.params["learning_rate"] == 0.001


@pytest.mark.parametrize("space", EVERY, ids=lambda space: space.name)
def test_every_grid_is_consistent(space: Space) -> None:
    assert space.landmarks[0].name == "published"
    for landmark in space.landmarks:
        assert list(space.choices) == sorted(
            landmark.params, key=list(space.choices).index
        )  # the same names
        for name, value in landmark.params.items():
            assert value in space.choices[name]
        assert landmark.iterations in space.iterations
    assert all(length % space.check_every == 0 for length in space.iterations)
    assert space.iterations == tuple(sorted(set(space.iterations)))
    assert space.rise > 0


def test_points_enumerate_the_grid() -> None:
    space = paper_space("single")
    points = [space.point(i) for i in range(space.size)]
    assert len({tuple(point.items()) for point in points}) == space.size
    assert points[0]["embedding_features"] == 20
    assert points[1]["embedding_features"] == 50
    assert points[1]["temperature"] == 1


@pytest.mark.parametrize("rise", [False, True])
def test_a_long_training_passes_through_the_shorter_ones(rise: bool) -> None:
    space = paper_space("single")
    params = {**space.landmarks[0].params, "kmeans_updates": 3, "kmeans_rise": rise}
    longest = space.recipe(params, space.iterations[-1])
    for length in space.iterations:
        recipe = space.recipe(params, length)
        assert recipe.iterations == length
        for step in range(length):
            assert recipe.kmeans_updates(step) == longest.kmeans_updates(step)
    assert longest.kmeans_updates(499) == 3
    assert longest.kmeans_updates(500) == (5 if rise else 3)


@pytest.mark.parametrize("kind", ["single", "inductive"])
@pytest.mark.parametrize("task", ["community", "facility"])
def test_the_extended_grid_holds_our_own_settings(task: str, kind: str) -> None:
    space = extended_space(kind, task)
    published, default = space.landmarks
    assert (published.name, default.name) == ("published", "default")
    recipe = space.recipe(default.params, default.iterations)
    objective = ModularityLoss() if task == "community" else KCenterLoss(10)
    usual = (default_recipe if kind == "single" else inductive_recipe)(objective, 0.4)
    elsewhere = {"check_every", "n_restarts", "n_starts"}  # what they cost, not what they are
    for field in fields(Recipe):
        if field.name not in elsewhere:
            assert getattr(recipe, field.name) == getattr(usual, field.name), field.name
    words = space.estimator_params(default.params, default.iterations, 0.4)
    assert words["completion"] == ("features" if task == "community" else None)
    assert words["seen_fraction"] == (0.4 if task == "community" else 1.0)


@pytest.mark.parametrize("distribution", ["synthetic", "pubmed"])
def test_the_published_inductive_choice_is_the_library_s(distribution: str) -> None:
    space = paper_space("inductive", distribution=distribution)
    (landmark,) = space.landmarks
    paper = PAPER_INDUCTIVE
    if distribution == "synthetic":
        paper = replace(paper, iterations=70, kmeans_schedule=((0.0, 10),))
    assert space.recipe(landmark.params, landmark.iterations) == paper


def test_quick_trains_a_tenth() -> None:
    space = paper_space("single").quick()
    assert space.iterations == tuple(range(10, 101, 10))
    assert space.rise == 50
    assert space.landmarks[0].iterations == 100
    assert paper_space("inductive", distribution="pubmed").quick().landmarks[0].iterations == 21


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ValueError, match="kind must be"):
        paper_space("double")
    with pytest.raises(ValueError, match="distribution must be"):
        paper_space("inductive", distribution="cora")
    with pytest.raises(ValueError, match="task must be"):
        extended_space("single", "colouring")
    with pytest.raises(ValueError, match="extent must be"):
        choose_space("all", "single", "community")


# --- what must not be read ------------------------------------------------------------------------


class Sealed:
    """A data set of which only what is observed may be read, or not even that."""

    def __init__(self, data: Any, *, closed: bool = False) -> None:
        self._data, self._closed = data, closed

    def __getattr__(self, name: str) -> Any:
        if name in ("observed", "observed_features", "name") and not self._closed:
            return getattr(self._data, name)
        raise AssertionError(f"{name} must not be read")


def scores_of(evaluation: HiddenEdges) -> dict[int, float]:
    lengths = evaluation.space.iterations[:2]
    evaluation.space = replace(evaluation.space, iterations=lengths)
    params = evaluation.space.landmarks[0].params
    return evaluation(params, lambda step, score: False)


@pytest.mark.parametrize("task", ["community", "facility"])
def test_held_out_edges_are_never_read(task: str) -> None:
    data: Any = Sealed(DATA)
    with pytest.raises(AssertionError, match="graph must not be read"):
        _ = data.graph
    evaluation = of_dataset(data, extent="paper", task=task, quick=True, n_clusters=3)
    assert evaluation.protocol["n_seen_edges"] == DATA.observed.n_edges
    assert len(scores_of(evaluation)) == 2


def test_test_graphs_are_never_read() -> None:
    members: Any = (*map(Sealed, MANY), Sealed(DATA, closed=True))
    many = InductiveDataset("some", members, (0,), (1, 2), (3,))
    evaluation = of_dataset(many, extent="paper", task="community", quick=True, n_clusters=3)
    assert evaluation.protocol["n_validation_graphs"] == 2
    assert len(scores_of(evaluation)) == 2


def test_the_published_choice_follows_the_distribution() -> None:
    for name, updates in (("pubmed_inductive", 1), ("synthetic_spa", 10)):
        data = InductiveDataset(name, tuple(MANY), (0,), (1,), (2,))
        evaluation = of_dataset(data, extent="paper", task="community", n_clusters=3)
        assert evaluation.space.landmarks[0].params["kmeans_updates"] == updates
