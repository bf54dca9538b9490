"""The training loop: what it keeps, what it records, what it leaves alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from helpers import random_graph

from graphopt import Graph
from graphopt.learning import PAPER, Recipe, TrainingRun, train
from graphopt.learning.inputs import Batch, EncoderInputs
from graphopt.learning.recipes import COMMUNITIES, default_recipe
from graphopt.learning.trainer import train_on
from graphopt.nn import ClusterNet, SparseMatrix
from graphopt.nn.losses import KCenterLoss, Loss, ModularityLoss

SHORT = replace(COMMUNITIES, iterations=12, check_every=4, n_restarts=1, smoothing=0)


def planted(n_groups: int = 3, size: int = 15, seed: int = 0) -> Graph:
    """Dense groups, few edges between."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_groups), size)
    u, v = np.triu_indices(len(group), 1)
    chosen = rng.random(len(u)) < np.where(group[u] == group[v], 0.5, 0.02)
    return Graph.from_edges(np.column_stack([u, v])[chosen], len(group))


class Setup:
    """A network, initialised, with everything `train` takes."""

    def __init__(
        self,
        objective: Loss | None = None,
        recipe: Recipe = SHORT,
        graph: Graph | None = None,
        features: Any = None,
        seed: int = 0,
    ) -> None:
        self.graph = planted() if graph is None else graph
        self.objective = ModularityLoss() if objective is None else objective
        self.problem = self.objective.prepare(self.graph)
        self.inputs = EncoderInputs.make(self.graph, features, smoothing=recipe.smoothing)
        self.recipe = recipe
        self.random_state = np.random.default_rng(seed)
        self.network = ClusterNet(
            self.inputs.n_features, 3, hidden_features=8, embedding_features=6
        )
        self.network.initialize(
            self.inputs.features, self.inputs.adjacency.whole, self.random_state
        )

    def train(self, on_iteration: Any = None) -> TrainingRun:
        return train(
            self.network,
            self.inputs,
            self.objective,
            self.problem,
            self.recipe,
            self.random_state,
            on_iteration,
        )


@pytest.mark.parametrize("objective", [ModularityLoss(), KCenterLoss(3)], ids=["Q", "k-center"])
def test_the_best_look_is_kept(objective: Loss) -> None:
    setup = Setup(objective)
    run = setup.train()
    best = run.best
    values = [value for _, value in run.checks]
    assert best.value == (max if objective.greater_is_better else min)(values)
    assert (best.step, best.value) in run.checks
    assert objective.training_value(best.decision, setup.problem) == best.value

    assert not setup.network.training
    assert setup.network.cluster.iterations == best.kmeans_updates
    for name, value in setup.network.state_dict().items():
        assert torch.equal(value, best.state[name]), name
    if objective.decides == "labels":  # nothing drawn: the network left behind decides the same
        with torch.no_grad():
            clusters = setup.network(setup.inputs.features, setup.inputs.adjacency.whole)
        again = objective.decode(objective.relax(clusters), setup.problem)
        np.testing.assert_array_equal(again, best.decision)


def test_training_lowers_the_loss_and_raises_modularity() -> None:
    run = Setup(recipe=replace(SHORT, iterations=60, dropout=0.0, feature_dropout=0.0)).train()
    assert np.mean(run.losses[-5:]) < np.mean(run.losses[:5]) - 0.05
    assert run.best.value > run.checks[0][1]


@pytest.mark.parametrize(
    ("iterations", "every", "steps"),
    [(12, 4, [0, 4, 8, 12]), (10, 4, [0, 4, 8, 10]), (3, 10, [0, 3]), (2, 1, [0, 1, 2])],
)
def test_everything_is_recorded(iterations: int, every: int, steps: list[int]) -> None:
    run = Setup(recipe=replace(SHORT, iterations=iterations, check_every=every)).train()
    assert [step for step, _ in run.checks] == steps
    assert len(run.losses) == iterations
    assert np.isfinite(run.losses).all()
    assert run.seconds > 0.0
    assert run.interrupted is False


def test_a_callback_hears_of_every_step_and_of_the_last_look() -> None:
    heard: list[tuple[int, Any, float]] = []
    setup = Setup()
    run = setup.train(lambda *report: heard.append(report))
    assert [step for step, _, _ in heard] == list(range(13))
    looks = dict(run.checks)
    for step, decision, value in heard:
        assert value == looks[step - step % 4]
        assert setup.objective.training_value(decision, setup.problem) == value


def test_progress_hears_of_every_step() -> None:
    heard: list[tuple[int, float, float]] = []
    setup = Setup()
    run = train_on(
        setup.network,
        Batch(setup.inputs, (setup.problem,)),
        setup.objective,
        SHORT,
        setup.random_state,
        report=lambda *report: heard.append(report),
    )
    assert [step for step, _, _ in heard] == list(range(1, 13))
    assert [loss for _, loss, _ in heard] == run.losses
    best_so_far = [best for _, _, best in heard]
    assert best_so_far == sorted(best_so_far)
    assert best_so_far[-1] == run.best.value


@pytest.mark.parametrize(
    "recipe",
    [SHORT, replace(SHORT, masking=0.3, feature_dropout=0.0), replace(SHORT, dropout=0.0)],
    ids=["dropout", "masking", "features"],
)
def test_a_seed_fixes_every_bit(recipe: Recipe) -> None:
    one, same, other = (Setup(recipe=recipe, seed=seed).train() for seed in (0, 0, 1))
    assert one.losses == same.losses
    assert one.checks == same.checks
    for name, value in one.best.state.items():
        assert torch.equal(value, same.best.state[name])
    assert one.losses != other.losses


def test_the_global_generators_are_left_alone() -> None:
    setup = Setup(recipe=replace(SHORT, masking=0.3))
    torch.manual_seed(5)
    np.random.seed(5)  # noqa: NPY002
    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    setup.train()
    assert torch.equal(torch.get_rng_state(), before)
    assert (np.random.get_state()[1] == numpy_before).all()  # noqa: NPY002


@pytest.mark.parametrize("raised", [True, False], ids=["Ctrl-C", "callback"])
@pytest.mark.parametrize("last", [1, 6, 12])
def test_an_interrupt_keeps_the_best_so_far(last: int, raised: bool) -> None:
    setup, whole = Setup(), Setup().train()

    def interrupt(step: int, decision: Any, value: float) -> bool:
        if step == last and raised:
            raise KeyboardInterrupt
        return step == last

    before = torch.get_rng_state()
    run = setup.train(interrupt)
    assert run.interrupted is True
    assert run.losses == whole.losses[:last]
    assert run.checks == [check for check in whole.checks if check[0] <= last]
    assert run.best.value == max(value for _, value in run.checks)
    assert torch.equal(torch.get_rng_state(), before)
    assert not setup.network.training
    assert torch.equal(
        setup.network.state_dict()["encoder.out_weight"], run.best.state["encoder.out_weight"]
    )


def test_other_errors_are_raised() -> None:
    def fail(step: int, decision: Any, value: float) -> None:
        if step == 2:
            raise OSError("the disk is full")

    setup = Setup()
    before = torch.get_rng_state()
    with pytest.raises(OSError, match="the disk is full"):
        setup.train(fail)
    assert torch.equal(torch.get_rng_state(), before)


def test_soft_kmeans_follows_its_schedule() -> None:
    recipe = replace(SHORT, kmeans_schedule=((0.0, 1), (0.5, 3), (0.75, 7)))
    setup = Setup(recipe=recipe)
    seen: list[int] = []
    setup.train(lambda *_: seen.append(setup.network.cluster.iterations))
    assert seen.pop(0) == 1
    assert seen == [1] * 6 + [3] * 3 + [7] * 3
    assert [recipe.kmeans_updates(step) for step in range(12)] == seen


def test_masks_hide_seen_edges_and_are_drawn_anew() -> None:
    inputs = Setup(graph=random_graph(60, 200, 0)).inputs
    torch.manual_seed(0)
    whole = inputs.adjacency.whole.to_dense()
    masks = [inputs.perturbed(0.0, 0.5)[1].to_dense() for _ in range(2)]
    for mask in masks:
        kept = (mask > 0.0) & ~torch.eye(60, dtype=torch.bool)
        torch.testing.assert_close(mask.sum(dim=1), torch.ones(60))
        assert torch.equal(kept, kept.T)
        assert not (kept & (whole == 0.0)).any()
        assert 0.35 < kept.sum() / ((whole > 0.0).sum() - 60) < 0.65
    assert not torch.equal(*masks)
    features, adjacency = inputs.perturbed(0.0, 0.0)
    assert adjacency is inputs.adjacency.whole
    assert features is inputs.features


@pytest.mark.parametrize("kind", ["sparse", "dense"])
def test_feature_dropout_keeps_the_mean(kind: str) -> None:
    rng = np.random.default_rng(0)
    matrix = rng.random((60, 40), np.float32)
    if kind == "sparse":
        import scipy.sparse

        matrix = scipy.sparse.csr_array(matrix * (matrix < 0.2))
    inputs = EncoderInputs.make(random_graph(60, 100, 0), matrix, smoothing=0)
    assert isinstance(inputs.features, SparseMatrix) == (kind == "sparse")

    def dense(features: SparseMatrix | torch.Tensor) -> torch.Tensor:
        return features.to_dense() if isinstance(features, SparseMatrix) else features

    whole = dense(inputs.features)
    torch.manual_seed(0)
    draws = [dense(inputs.perturbed(0.5, 0.0)[0]) for _ in range(2)]
    assert not torch.equal(*draws)
    for draw in draws:
        kept = draw != 0.0
        torch.testing.assert_close(draw[kept], 2.0 * whole[kept])
        assert 0.4 < kept.sum() / (whole != 0.0).sum() < 0.6
    assert torch.equal(dense(inputs.features), whole)


def test_inputs_without_features_name_each_node() -> None:
    graph = random_graph(50, 80, 0)
    inputs = EncoderInputs.make(graph, None, smoothing=0)
    assert inputs.n_features == 50
    assert isinstance(inputs.features, SparseMatrix)
    assert torch.equal(inputs.features.to_dense(), torch.eye(50))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"iterations": 0}, "iterations must be at least 1, not 0"),
        ({"n_restarts": 0}, "n_restarts must be at least 1, not 0"),
        ({"check_every": 0}, "check_every must be at least 1, not 0"),
        ({"smoothing": -1}, "smoothing must be at least 0, not -1"),
        ({"learning_rate": 0.0}, "learning_rate must be greater than 0, not 0"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0, not -1"),
        ({"dropout": 1.0}, "dropout must be less than 1, not 1"),
        ({"feature_dropout": -0.1}, "feature_dropout must be at least 0, not -0.1"),
        ({"masking": 1.5}, "masking must be at most 1, not 1.5"),
        ({"masking": float("nan")}, "masking must be finite, not nan"),
        ({"kmeans_schedule": ()}, "kmeans_schedule must start at 0 and ascend"),
        ({"kmeans_schedule": ((0.5, 1),)}, "kmeans_schedule must start at 0 and ascend"),
        (
            {"kmeans_schedule": ((0.0, 1), (0.6, 2), (0.3, 3))},
            "kmeans_schedule must start at 0 and ascend",
        ),
        ({"kmeans_schedule": ((0.0, 0),)}, "kmeans_schedule must be at least 1, not 0"),
    ],
)
def test_recipes_refuse_what_makes_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        Recipe(**settings)


def test_recipes_refuse_other_types() -> None:
    with pytest.raises(TypeError, match="iterations must be an integer, not float"):
        Recipe(iterations=1.5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="masking must be a number, not 'half'"):
        Recipe(masking="half")  # type: ignore[arg-type]


def test_recipes_leave_out_what_is_usual() -> None:
    own = Recipe(masking=0.25, consensus=True)
    assert own.given() == {"masking": 0.25, "consensus": True}
    whole = own.over(COMMUNITIES)
    assert whole == replace(COMMUNITIES, masking=0.25, consensus=True)
    assert whole.over(PAPER) == whole
    with pytest.raises(ValueError, match="n_restarts must be at least 2 for a consensus, not 1"):
        own.over(PAPER)


def test_a_recipe_of_few_settings_trains_as_usual() -> None:
    whole = Setup(recipe=SHORT).train()
    few = Setup(recipe=Recipe(iterations=12, check_every=4, n_restarts=1, smoothing=0)).train()
    assert few.losses == whole.losses


def test_recipes_show_what_is_given() -> None:
    assert repr(Recipe()) == "Recipe()"
    recipe = Recipe(iterations=7, masking=0.25)
    assert repr(recipe) == "Recipe(iterations=7, masking=0.25)"
    assert eval(repr(PAPER)) == PAPER


def test_defaults_hide_edges_only_where_some_are_unseen() -> None:
    assert default_recipe(ModularityLoss(), 1.0).masking == 0.0
    assert default_recipe(ModularityLoss(), 0.4).masking > 0.0
    assert isinstance(default_recipe(KCenterLoss(3), 0.4), Recipe)
