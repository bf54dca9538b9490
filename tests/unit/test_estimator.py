"""ClusterNet as an estimator: decisions, determinism, other graphs, errors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch
from estimator_cases import (
    GROUPS,
    QUICK,
    LargestCut,
    Planned,
    arranged,
    described,
    grid,
    path,
    planted,
)
from helpers import random_graph
from sklearn.base import BaseEstimator, clone, is_clusterer
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.validation import check_is_fitted

from graphopt import ClusterNet, Graph, evaluate_centers, modularity, set_num_threads
from graphopt.completion import FeatureNeighbours
from graphopt.learning import Recipe, trainer
from graphopt.nn.losses import KCenterLoss, ModularityLoss

# --- decisions ----------------------------------------------------------------------------------


def test_planted_groups_are_found() -> None:
    graph = planted()
    model = ClusterNet(3, random_state=0, iterations=60, n_restarts=2)
    labels = model.fit_predict(graph)
    assert adjusted_rand_score(GROUPS, labels) > 0.8
    assert model.labels_ is labels
    assert model.decision_ is labels
    assert labels.dtype == np.int32
    assert model.score(graph) == modularity(graph, labels)
    assert model.training_value_ == pytest.approx(model.score(graph))
    assert not hasattr(model, "centers_")


@pytest.mark.parametrize(
    ("graph", "k", "optimum"),
    [(path(45), 3, 7), (grid(7), 1, 6), (grid(8), 4, 3)],
    ids=["path", "grid-1", "grid-4"],
)
def test_facilities_are_within_twice_the_optimum(graph: Graph, k: int, optimum: int) -> None:
    model = ClusterNet(k, "k-center", random_state=0, iterations=60, n_restarts=2).fit(graph)
    assert model.centers_.shape == (k,)
    assert model.centers_.dtype == np.int32
    assert len(np.unique(model.centers_)) == k
    assert optimum <= model.score(graph) <= 2 * optimum
    judged = evaluate_centers(graph, model.centers_)
    assert model.score(graph) == judged.radius
    np.testing.assert_array_equal(model.labels_, judged.assignment)
    assert model.decision_ is model.centers_


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_everything_published_has_its_shape(objective: str) -> None:
    model = ClusterNet(4, objective, **QUICK)
    assert model.fit(planted(), described()) is model
    assert model.labels_.shape == (60,)
    assert model.assignment_.shape == (60, 4)
    assert model.cluster_centers_.shape == (4, 6)
    assert model.embedding_.shape == (60, 6)
    for array in (model.assignment_, model.cluster_centers_, model.embedding_):
        assert array.dtype == np.float32
        assert isinstance(array, np.ndarray)
    np.testing.assert_allclose(model.assignment_.sum(axis=1), 1.0, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(model.embedding_, axis=1), 1.0, rtol=1e-5)
    if objective == "modularity":
        np.testing.assert_array_equal(model.assignment_.argmax(axis=1), model.labels_)
    assert len(model.runs_) == 1
    assert model.interrupted_ is False
    assert not model.network_.training


def test_features_may_come_in_any_form() -> None:
    graph, rows = planted(), described()
    rows[rows < 0.5] = 0.0
    wanted = ClusterNet(3, **QUICK).fit(graph, rows)
    forms = [
        torch.from_numpy(rows),
        rows.astype(np.float64),
        np.asfortranarray(rows),
        rows.tolist(),
    ]
    forms += [scipy.sparse.csr_array(rows), scipy.sparse.coo_matrix(rows)]
    for form in forms:
        model = ClusterNet(3, **QUICK).fit(graph, form)
        np.testing.assert_array_equal(model.assignment_, wanted.assignment_)
    few = rows * (np.random.default_rng(0).random(rows.shape) < 0.1)
    sparse = ClusterNet(3, **QUICK).fit(graph, scipy.sparse.csr_array(few))
    np.testing.assert_array_equal(sparse.labels_, ClusterNet(3, **QUICK).fit(graph, few).labels_)


def test_a_share_of_edges_seen_asks_for_the_missing_ones(monkeypatch: Any) -> None:
    asked: list[FeatureNeighbours] = []

    def spy(self: FeatureNeighbours, graph: Graph, features: Any) -> Graph:
        asked.append(self)
        return original(self, graph, features)

    original = FeatureNeighbours.missing_edges
    monkeypatch.setattr(FeatureNeighbours, "missing_edges", spy)
    graph, rows = planted(), described()
    ClusterNet(3, **QUICK, seen_fraction=0.4, completion="features").fit(graph, rows)
    assert [completion.weight for completion in asked] == [1.5]
    ClusterNet(3, **QUICK, seen_fraction=0.4).fit(graph)  # no features to compare
    ClusterNet(3, **QUICK, seen_fraction=0.4, completion=None).fit(graph, rows)
    ClusterNet(3, "k-center", **QUICK, seen_fraction=0.4).fit(graph, rows)
    ClusterNet(3, **QUICK).fit(graph, rows)
    assert len(asked) == 1
    given = FeatureNeighbours(n_neighbours=3)
    ClusterNet(3, **QUICK, completion=given).fit(graph, rows)
    assert asked[1:] == [given]


@pytest.mark.parametrize("features", [None, described()], ids=["bare", "described"])
def test_a_completion_of_ones_own_is_asked(features: Any) -> None:
    planned = Planned()
    model = ClusterNet(3, **QUICK, completion=planned).fit(planted(), features)
    assert planned.asked == [(60, features is None)]
    more = planted().plus(Graph.from_edges([(0, 1)], 60, [0.5]))
    assert model.training_value_ == pytest.approx(modularity(more, model.labels_))


def test_an_objective_of_ones_own() -> None:
    rng = np.random.default_rng(0)
    edges = np.array([(u, v) for u in range(15) for v in range(15, 30) if rng.random() < 0.5])
    graph, side = Graph.from_edges(edges, 30), np.repeat(np.eye(2, dtype=np.float32), 15, axis=0)
    model = ClusterNet(2, LargestCut(), random_state=0, iterations=40, n_restarts=2)
    model.fit(graph, side)
    assert model.score(graph) > 0.9 * len(edges)
    assert model.score(graph) == model.training_value_
    assert model.score(graph) == LargestCut().evaluate(model.labels_, graph)
    assert not hasattr(model, "centers_")


@pytest.mark.parametrize("task", ["modularity", "k-center"])
def test_the_best_restart_wins(task: str) -> None:
    settings = {**QUICK, "n_restarts": 4, "iterations": 5}
    # Polished, all restarts would end at the same sites.
    objective = task if task == "modularity" else KCenterLoss(3, polish=False)
    model = ClusterNet(3, objective, **settings).fit(random_graph(60, 150, 0))
    values = [run.best.value for run in model.runs_]
    assert len(values) == 4
    assert len(set(values)) > 1
    assert model.training_value_ == (max if task == "modularity" else min)(values)
    chosen = model.runs_[values.index(model.training_value_)]
    np.testing.assert_array_equal(chosen.best.decision, model.decision_)


# --- determinism --------------------------------------------------------------------------------


def test_a_seed_repeats_every_bit_at_any_number_of_threads() -> None:
    graph, rows = planted(), described()
    fitted = []
    try:
        for threads in (1, 2, 3, 8, 1):
            set_num_threads(threads)
            for objective in ("modularity", "k-center"):
                model = ClusterNet(3, objective, **QUICK, seen_fraction=0.5).fit(graph, rows)
                fitted.append(model)
    finally:
        set_num_threads(None)
    for i, model in enumerate(fitted):
        first = fitted[i % 2]
        for name in ("labels_", "decision_", "assignment_", "cluster_centers_", "embedding_"):
            np.testing.assert_array_equal(getattr(model, name), getattr(first, name))
        assert model.runs_[0].losses == first.runs_[0].losses


def test_generators_are_used_and_advance() -> None:
    graph = planted()
    settings = {**QUICK, "random_state": np.random.default_rng(0)}
    model = ClusterNet(3, **settings)
    first = model.fit(graph).assignment_
    np.testing.assert_array_equal(first, ClusterNet(3, **QUICK).fit(graph).assignment_)
    assert (model.fit(graph).assignment_ != first).any()


def test_fitting_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()
    ClusterNet(3, **QUICK).fit(planted(), described())
    assert torch.equal(torch.get_rng_state(), before)


# --- nodes that tell nothing, graphs in pieces ------------------------------------------------


def test_unknown_nodes_are_spread_by_degree() -> None:
    graph = Graph.from_edges(planted().edges, 90)  # 30 more without an edge
    model = ClusterNet(3, **QUICK).fit(graph)
    volumes = np.bincount(model.labels_[:60], weights=graph.degrees[:60], minlength=3)
    spread = np.bincount(model.labels_[60:], minlength=3)
    np.testing.assert_allclose(spread, 30 * volumes / volumes.sum(), atol=1.0)
    np.testing.assert_allclose(model.assignment_[60:], 1 / 3)
    assert (model.embedding_[60:] == 0.0).all()


def test_unknown_nodes_are_never_chosen() -> None:
    graph = Graph.from_edges(path(12).edges + 20, 60)  # 0..19 and 32..59 have no edge
    for k in (1, 5, 12):
        model = ClusterNet(k, "k-center", **QUICK).fit(graph)
        assert len(model.centers_) == k
        assert ((model.centers_ >= 20) & (model.centers_ < 32)).all()
        assert (model.labels_[:20] == -1).all()
        assert model.score(graph) == np.inf
        assert model.score(Graph.from_edges(np.column_stack([np.zeros(59, int), np.arange(1, 60)])))


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_graphs_in_pieces(objective: str) -> None:
    edges = np.concatenate([path(10).edges + 10 * i for i in range(4)])
    graph = Graph.from_edges(edges, 40)
    model = ClusterNet(4, objective, **{**QUICK, "iterations": 40}).fit(graph)
    assert np.isfinite(model.assignment_).all()
    if objective == "modularity":
        assert model.score(graph) > 0.5
    else:
        assert model.centers_.shape == (4,)
        assert set(model.centers_) <= set(range(40))
        assert model.score(graph) == evaluate_centers(graph, model.centers_).radius


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_as_many_clusters_as_nodes_and_one(objective: str) -> None:
    for k in (1, 6):
        model = ClusterNet(k, objective, **QUICK).fit(path(6))
        assert np.isfinite(model.assignment_).all()
        if objective == "k-center" and k == 6:
            assert model.score(path(6)) == 0.0
        if objective == "modularity" and k == 1:
            assert model.score(path(6)) == pytest.approx(0.0)


def test_weights_and_names_are_welcome() -> None:
    names = [f"node {i}" for i in range(60)]
    edges = planted().edges
    graph = Graph.from_edges(edges, 60, np.full(len(edges), 2.0), names=names)
    bare = ClusterNet(3, **QUICK).fit(planted())
    assert ClusterNet(3, **QUICK).fit(graph).score(graph) == pytest.approx(bare.score(planted()))


def test_another_fit_replaces_everything() -> None:
    model = ClusterNet(3, "k-center", **QUICK).fit(planted())
    assert hasattr(model, "centers_")
    model.set_params(objective="modularity", n_clusters=2).fit(path(10))
    assert not hasattr(model, "centers_")
    assert model.assignment_.shape == (10, 2)
    assert len(model.runs_) == 1


# --- another graph --------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_decisions_on_another_graph(objective: str) -> None:
    model = ClusterNet(3, objective, **{**QUICK, "iterations": 60}).fit(planted(), described())
    np.testing.assert_array_equal(
        model.predict(planted(), described()).shape, model.decision_.shape
    )
    other = Graph.from_edges(planted(seed=5).edges, 63)
    rows = np.vstack([described(seed=5), np.zeros((3, 9), np.float32)])
    before = model.labels_
    decision = model.predict(other, rows)
    assert decision.dtype == np.int32
    np.testing.assert_array_equal(decision, model.predict(other, rows))
    assert model.labels_ is before
    if objective == "modularity":
        assert decision.shape == (63,)
        assert adjusted_rand_score(GROUPS, decision[:60]) > 0.6
        np.testing.assert_array_equal(model.predict(planted(), described()), model.labels_)
    else:
        assert decision.shape == (3,)
        assert decision.max() < 60


# --- scikit-learn's habits -----------------------------------------------------------------------


def test_clones_are_unfitted_and_alike() -> None:
    model = ClusterNet(3, ModularityLoss(resolution=2.0), **arranged(**QUICK, masking=0.1))
    model.fit(planted())
    twin = clone(model)
    assert not hasattr(twin, "labels_")
    assert twin.get_params() == model.get_params()
    np.testing.assert_array_equal(twin.fit(planted()).labels_, model.labels_)


def test_parameters_can_be_read_and_set() -> None:
    model = ClusterNet(7, "k-center", encoder="sgc")
    params = model.get_params()
    assert (params["n_clusters"], params["objective"], params["encoder"]) == (7, "k-center", "sgc")
    assert set(params) == set(clone(model).get_params(deep=False))
    assert ClusterNet(**params).get_params() == params
    assert model.set_params(n_clusters=2, verbose=True) is model
    assert model.n_clusters == 2
    with pytest.raises(ValueError, match="Invalid parameter 'k' for estimator ClusterNet"):
        model.set_params(k=3)


def test_settings_of_the_recipe_can_be_read_and_set_one_by_one() -> None:
    model = ClusterNet(recipe=Recipe(masking=0.1))
    assert model.get_params()["recipe__masking"] == 0.1
    assert model.set_params(recipe__temperature=3.0) is model
    assert model.recipe == Recipe(masking=0.1, temperature=3.0)
    assert clone(model).recipe == model.recipe
    assert ClusterNet().set_params(recipe__polish=True).recipe == Recipe(polish=True)
    model.set_params(recipe=Recipe(dropout=0.2), recipe__smoothing=1)
    assert model.recipe == Recipe(dropout=0.2, smoothing=1)
    with pytest.raises(ValueError, match="'heat' is not a setting of Recipe; these are: iter"):
        model.set_params(recipe__heat=3.0)
    with pytest.raises(ValueError, match="temperature must be at least 0, not -1"):
        model.set_params(recipe__temperature=-1.0)
    with pytest.raises(TypeError, match="recipe must be a Recipe or None, not str"):
        model.set_params(recipe="paper", recipe__temperature=1.0)


def test_what_a_recipe_leaves_out_is_as_usual_for_the_objective() -> None:
    graph, few = planted(), {"iterations": 4, "n_restarts": 1, "random_state": 0}
    for objective in ("modularity", "k-center"):
        plain = ClusterNet(3, objective, **few, seen_fraction=0.5).fit(graph)
        cold = ClusterNet(
            3, objective, **few, seen_fraction=0.5, recipe=Recipe(temperature=1.0)
        ).fit(graph)
        assert cold._trained_by == replace(plain._trained_by, temperature=1.0)
        assert (plain._trained_by.masking > 0.0) == (objective == "modularity")


def test_scikit_learn_knows_what_it_is() -> None:
    model = ClusterNet(3, **QUICK)
    assert isinstance(model, BaseEstimator)
    assert is_clusterer(model)
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    check_is_fitted(model.fit(planted()))
    page = model._repr_html_()
    assert "ClusterNet" in page
    assert "n_clusters" in page
    assert "graph" not in repr(model.get_metadata_routing())
    tags = model.__sklearn_tags__()
    assert tags.estimator_type == "clusterer"
    assert not tags.input_tags.two_d_array


def test_repr_shows_what_is_not_default() -> None:
    assert repr(ClusterNet()) == "ClusterNet()"
    assert repr(ClusterNet(3, "k-center")) == "ClusterNet(n_clusters=3, objective='k-center')"
    recipe = Recipe(iterations=7)
    assert repr(ClusterNet(recipe=recipe)) == "ClusterNet(recipe=Recipe(iterations=7))"


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be at least 1, not 0"),
        ({"n_clusters": 0, "objective": "k-center"}, "n_clusters must be at least 1, not 0"),
        ({"n_clusters": 61}, "n_clusters must be at most .*, 60, not 61"),
        ({"objective": "median"}, "objective must be one of k-center, modularity, not 'median'"),
        ({"objective": 3}, "objective must be one of k-center, modularity, not 3"),
        ({"completion": "all"}, "completion must be one of auto, features, not 'all'"),
        ({"seen_fraction": 0.0}, "seen_fraction must be greater than 0, not 0"),
        ({"seen_fraction": 1.2}, "seen_fraction must be at most 1, not 1.2"),
        ({"iterations": 0}, "iterations must be at least 1, not 0"),
        ({"n_restarts": 0}, "n_restarts must be at least 1, not 0"),
        ({"temperature": -1.0}, "temperature must be at least 0, not -1"),
        ({"encoder": "mlp"}, "encoder must be one of .*, not 'mlp'"),
        ({"gradient": "exact"}, "gradient must be one of .*, not 'exact'"),
        ({"hidden_features": 0}, "hidden_features must be at least 1, not 0"),
        ({"random_state": -1}, "random_state must be at least 0, not -1"),
    ],
)
def test_parameters_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        ClusterNet(**{"n_clusters": 3, **arranged(**{**QUICK, **settings})}).fit(planted())


def test_parameters_of_other_types() -> None:
    for settings, message in (
        ({"n_clusters": 2.5}, "n_clusters must be an integer, not float"),
        ({"n_clusters": None, "objective": "k-center"}, "n_clusters must be an integer"),
        (
            {"completion": 3},
            'completion must be "auto", "features", None or an object with missing_edges',
        ),
        ({"recipe": "paper"}, "recipe must be a Recipe or None, not str"),
    ):
        with pytest.raises(TypeError, match=f"^{message}"):
            ClusterNet(**{"n_clusters": 3, **QUICK, **settings}).fit(planted())


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (described(59), "features must have one row per node, 60, not 59"),
        (scipy.sparse.csr_array((61, 4)), "features must have one row per node, 60, not 61"),
        (np.full((60, 2), np.inf), "features must be finite"),
        (np.ones(60), "features must be 2D, not 1D"),
        (np.ones((60, 0)), "features must have at least one column"),
        (scipy.sparse.csr_array((60, 0)), "features must have at least one column"),
    ],
)
def test_features_that_do_not_fit(features: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        ClusterNet(3, **QUICK).fit(planted(), features)


def test_graphs_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="graph must be undirected"):
        ClusterNet(3, **QUICK).fit(Graph.from_edges(planted().edges, 60, directed=True))
    with pytest.raises(TypeError, match="graph must be a Graph, not csr_array"):
        ClusterNet(3, **QUICK).fit(planted().to_scipy())
    with pytest.raises(ValueError, match=r"n_clusters must be at most .*, 4, not 5"):
        ClusterNet(5, **QUICK).fit(Graph.from_edges(path(4).edges, 60))
    with pytest.raises(ValueError, match=r"n_clusters must be at most .*, 0, not 1"):
        ClusterNet(1, **QUICK).fit(Graph.from_edges([], 5))


def test_nothing_to_ask_before_a_fit(tmp_path: Path) -> None:
    model = ClusterNet(3)
    for ask in (
        lambda: model.score(planted()),
        lambda: model.predict(planted(), described()),
        lambda: model.save(tmp_path / "model.pt"),
    ):
        with pytest.raises(NotFittedError, match="call fit first"):
            ask()
    assert not (tmp_path / "model.pt").exists()


def test_predictions_need_features_of_the_same_width() -> None:
    model = ClusterNet(3, **QUICK).fit(planted(), described())
    with pytest.raises(ValueError, match="features must have 9 columns, as in fit, not 5"):
        model.predict(planted(), described(n_features=5))
    with pytest.raises(ValueError, match="features must have one row per node, 60, not 20"):
        model.predict(planted(), described(20))
    with pytest.raises(ValueError, match="features must be given, here and in fit"):
        model.predict(planted(), None)
    bare = ClusterNet(3, **QUICK).fit(planted())
    with pytest.raises(ValueError, match="features must be given, here and in fit"):
        bare.predict(planted(), np.eye(60))


# --- interrupts -----------------------------------------------------------------------------------


@pytest.fixture
def interrupted_in_run(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Raise KeyboardInterrupt on entering the restarts whose numbers are in the list."""
    numbers: list[int] = []
    entered = iter(range(10))
    original = trainer.train_on

    def train(*arguments: Any, **keywords: Any) -> Any:
        if next(entered) in numbers:
            raise KeyboardInterrupt
        return original(*arguments, **keywords)

    monkeypatch.setattr(trainer, "train_on", train)
    return numbers


def test_an_interrupt_between_restarts_keeps_the_best_so_far(interrupted_in_run: list[int]) -> None:
    interrupted_in_run.append(2)
    model = ClusterNet(3, **{**QUICK, "n_restarts": 4}).fit(planted())
    assert model.interrupted_ is True
    assert len(model.runs_) == 2
    assert model.training_value_ == max(run.best.value for run in model.runs_)


def test_an_interrupt_before_any_decision_is_raised(interrupted_in_run: list[int]) -> None:
    interrupted_in_run.append(0)
    model = ClusterNet(3, **QUICK)
    with pytest.raises(KeyboardInterrupt):
        model.fit(planted())
    assert not hasattr(model, "runs_")


def ctrl_c(step: int, decision: Any, value: float) -> None:
    if step == 3:
        raise KeyboardInterrupt


def told_to_stop(step: int, decision: Any, value: float) -> bool:
    return step == 3


@pytest.mark.parametrize("stop", [ctrl_c, told_to_stop])
def test_an_interrupt_in_training_ends_all_restarts(stop: Any) -> None:
    model = ClusterNet(3, **{**QUICK, "n_restarts": 4}).fit(planted(), on_iteration=stop)
    assert model.interrupted_ is True
    assert len(model.runs_) == 1
    assert len(model.runs_[0].losses) == 3
    assert model.labels_.shape == (60,)


def test_a_callback_watches_every_restart() -> None:
    seen: list[tuple[int, float]] = []

    def watch(step: int, decision: Any, value: float) -> None:
        assert value == pytest.approx(modularity(graph, decision))
        seen.append((step, value))

    graph = planted()
    model = ClusterNet(3, **{**QUICK, "n_restarts": 2}).fit(graph, on_iteration=watch)
    assert [step for step, _ in seen] == [*range(13), *range(13)]
    assert max(value for _, value in seen) == model.training_value_
    assert model.interrupted_ is False


def test_a_callback_may_stop_before_the_first_step() -> None:
    model = ClusterNet(3, **QUICK).fit(planted(), on_iteration=lambda *_: True)
    assert model.interrupted_ is True
    assert model.runs_[0].losses == []
    assert model.labels_.shape == (60,)


def test_progress_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    ClusterNet(3, **QUICK, verbose=True).fit(planted())
    output, _ = capsys.readouterr()
    assert output == ""
