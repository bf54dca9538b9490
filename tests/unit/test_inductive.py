"""The inductive setting: learn on some graphs, decide on others."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from estimator_cases import arranged
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

from graphopt import ClusterNet, DirectGCN, Graph, LinkPredictor, TwoStage, set_num_threads
from graphopt.learning import Recipe
from graphopt.learning.base import DecisionEstimator
from graphopt.learning.groups import best_start
from graphopt.learning.inputs import Batch, Case, disjoint_union, prepare_case
from graphopt.learning.recipes import COMMUNITIES, fine_tuning_recipe, inductive_recipe
from graphopt.learning.trainer import relax, train_on
from graphopt.nn import Adjacency
from graphopt.nn import DirectGCN as DirectNetwork
from graphopt.nn.losses import KCenterLoss, ModularityLoss

K = 3
QUICK: dict[str, Any] = {
    "iterations": 6,
    "n_restarts": 1,
    "recipe": Recipe(hidden_features=8),
    "random_state": 0,
}
NETWORKS = [ClusterNet, DirectGCN]
OBJECTIVES = ["modularity", "k-center"]
LINKS: dict[str, Any] = {
    "iterations": 12,
    "recipe": Recipe(hidden_features=8, embedding_features=8),
    "random_state": 0,
}


def planted(seed: int, size: int = 12) -> tuple[Graph, np.ndarray]:
    """Return three dense groups, and features that lean towards the group."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(K), size)
    u, v = np.triu_indices(len(group), 1)
    chosen = rng.random(len(u)) < np.where(group[u] == group[v], 0.5, 0.03)
    rows = rng.random((len(group), 9), np.float32)
    rows[np.arange(len(group)), group] += 2.0
    return Graph.from_edges(np.column_stack([u, v])[chosen], len(group)), rows


def planted_list(*seeds_and_sizes: tuple[int, int]) -> tuple[list[Graph], list[np.ndarray]]:
    pairs = [planted(seed, size) for seed, size in seeds_and_sizes]
    return [graph for graph, _ in pairs], [rows for _, rows in pairs]


TRAINING = planted_list((0, 12), (1, 9), (2, 14))
VALIDATION = planted_list((3, 8), (4, 10))
UNSEEN, UNSEEN_ROWS = planted(7, 15)


def states(model: Any) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.network_.state_dict().items()}


def same_states(some: dict[str, torch.Tensor], others: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(some[name], others[name]) for name in some)


def fitted(cls: type[DecisionEstimator], objective: str = "modularity", **more: Any) -> Any:
    model = cls(K, objective, **{**QUICK, **more})
    return model.fit_inductive(
        *TRAINING, validation_graphs=VALIDATION[0], validation_features=VALIDATION[1]
    )


# --- several graphs as one ----------------------------------------------------------------------


def test_a_union_keeps_graphs_apart() -> None:
    weighted = Graph.from_edges([(0, 1)], 3, [2.5])
    union = disjoint_union([weighted, Graph.from_edges([(0, 2), (1, 2)])])
    assert union.n_nodes == 6
    np.testing.assert_array_equal(union.edges, [[0, 1], [3, 5], [4, 5]])
    np.testing.assert_array_equal(union.edge_weights, [2.5, 1.0, 1.0])
    assert disjoint_union([weighted]) is weighted


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("cls", NETWORKS)
def test_a_batch_decides_as_graphs_alone_do(cls: type[DecisionEstimator], objective: str) -> None:
    model = fitted(cls, objective)
    decided_by = model._objective()
    parts = [
        prepare_case(graph, rows, K, decided_by, model._trained_by, None)
        for graph, rows in zip(*TRAINING, strict=True)
    ]
    with torch.no_grad():
        together = relax(model.network_, Batch.of(parts), decided_by)
        for make in (Batch.of_one, lambda part: Batch.of([part])):
            for one, part in zip(together, parts, strict=True):
                [other] = relax(model.network_, make(part), decided_by)
                torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_facilities_are_counted_graph_by_graph() -> None:
    network = DirectNetwork(5, 2, decides="centers").eval()
    adjacency = Adjacency(disjoint_union([planted(0, 4)[0], planted(1, 5)[0]])).whole
    offsets = torch.tensor([0, 12, 27])
    opening = network(torch.rand(27, 5), adjacency, offsets=offsets)
    torch.testing.assert_close(opening[:12].sum(), torch.tensor(2.0))
    torch.testing.assert_close(opening[12:].sum(), torch.tensor(2.0))


# --- networks that decide -----------------------------------------------------------------------


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("cls", NETWORKS)
def test_unseen_graphs_of_any_size(cls: type[DecisionEstimator], objective: str) -> None:
    model = fitted(cls, objective)
    for seed, size in ((7, 15), (8, 4)):
        graph, rows = planted(seed, size)
        decision = model.predict(graph, rows)
        np.testing.assert_array_equal(decision, model.predict(graph, rows))
        if objective == "modularity":
            assert decision.shape == (K * size,)
            assert set(decision) <= set(range(K))
        else:
            assert decision.shape == (K,)
            assert len(set(decision)) == K
            assert decision.max() < K * size


def test_what_is_alike_in_all_graphs_is_learned() -> None:
    model = fitted(ClusterNet, iterations=30)
    truth = np.repeat(np.arange(K), 15)
    assert adjusted_rand_score(truth, model.predict(UNSEEN, UNSEEN_ROWS)) > 0.9


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("cls", NETWORKS)
def test_a_seed_decides_all(cls: type[DecisionEstimator], objective: str) -> None:
    models = [fitted(cls, objective), fitted(cls, objective)]
    assert same_states(*(states(model) for model in models))
    tuned = [model.fine_tune(UNSEEN, UNSEEN_ROWS, iterations=3) for model in models]
    np.testing.assert_array_equal(tuned[0].decision_, tuned[1].decision_)
    assert tuned[0].runs_[0].losses == tuned[1].runs_[0].losses


def test_threads_change_nothing() -> None:
    found = []
    try:
        for threads in (1, 3):
            set_num_threads(threads)
            found.append(states(fitted(ClusterNet)))
    finally:
        set_num_threads(None)
    assert same_states(*found)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("cls", NETWORKS)
def test_fine_tuning_goes_on_from_what_was_learned(
    cls: type[DecisionEstimator], objective: str
) -> None:
    model = fitted(cls, objective)
    before, decided = states(model), model.predict(UNSEEN, UNSEEN_ROWS)
    tuned = model.fine_tune(UNSEEN, UNSEEN_ROWS, iterations=8)
    assert isinstance(tuned, cls)
    assert same_states(before, states(model))
    assert not hasattr(model, "labels_")
    np.testing.assert_array_equal(decided, model.predict(UNSEEN, UNSEEN_ROWS))
    [run] = tuned.runs_
    assert len(run.losses) == 8
    sign = 1.0 if tuned._objective().greater_is_better else -1.0
    assert sign * tuned.training_value_ >= sign * run.checks[0][1]
    assert tuned.labels_.shape == (UNSEEN.n_nodes,)
    assert tuned.score(UNSEEN) == tuned._objective().evaluate(tuned.decision_, UNSEEN)
    assert hasattr(tuned, "centers_") == (objective == "k-center")
    once_more = tuned.fine_tune(*planted(8, 6), iterations=1)
    assert once_more.labels_.shape == (18,)


def case_of(model: Any) -> Case:
    return prepare_case(UNSEEN, UNSEEN_ROWS, K, ModularityLoss(), model._trained_by, None)


def test_fine_tuning_starts_no_worse_than_prediction() -> None:
    model = fitted(ClusterNet, recipe=Recipe(n_starts=4, n_restarts=1, iterations=4))
    case = case_of(model)
    decision, _ = best_start(
        model.network_,
        Batch.of_one(case).inputs,
        ModularityLoss(),
        case.problem,
        4,
        np.random.default_rng(0),
    )
    value = ModularityLoss().training_value(decision, case.problem)
    tuned = model.fine_tune(UNSEEN, UNSEEN_ROWS, iterations=1)
    assert tuned.runs_[0].checks[0][1] == value


def test_more_starts_are_no_worse() -> None:
    model = fitted(ClusterNet, iterations=1)
    case = case_of(model)
    values = [
        ModularityLoss().training_value(
            best_start(
                model.network_,
                Batch.of_one(case).inputs,
                ModularityLoss(),
                case.problem,
                n_starts,
                np.random.default_rng(0),
            )[0],
            case.problem,
        )
        for n_starts in (1, 2, 8)
    ]
    assert values == sorted(values)


def test_a_model_of_one_graph_can_be_fine_tuned_too() -> None:
    model = ClusterNet(K, **QUICK).fit(*planted(0))
    labels = model.labels_.copy()
    tuned = model.fine_tune(UNSEEN, UNSEEN_ROWS)
    assert tuned.labels_.shape == (UNSEEN.n_nodes,)
    np.testing.assert_array_equal(model.labels_, labels)


@pytest.mark.parametrize("objective", [ModularityLoss(), KCenterLoss(K)], ids=OBJECTIVES)
def test_the_state_best_on_validation_is_kept(objective: Any) -> None:
    model = ClusterNet(K, objective, **QUICK)
    recipe = replace(COMMUNITIES, iterations=9, check_every=3, n_restarts=1, learning_rate=0.1)
    batch, judged_on = (
        Batch.of(
            [prepare_case(*pair, K, objective, recipe, None) for pair in zip(*given, strict=True)]
        )
        for given in (TRAINING, VALIDATION)
    )
    random_state = np.random.default_rng(0)
    network = model._network(9, objective, recipe)
    network.initialize(batch.inputs.features, batch.inputs.adjacency.whole, random_state)
    run = train_on(network, batch, objective, recipe, random_state, judged_on=judged_on)
    values = [value for _, value in run.checks]
    assert [step for step, _ in run.checks] == [0, 3, 6, 9]
    assert run.best.value == (max if objective.greater_is_better else min)(values)
    again = [
        objective.training_value(part, problem)
        for part, problem in zip(run.best.decision, judged_on.problems, strict=True)
    ]
    assert run.best.value == pytest.approx(np.mean(again))


def test_without_validation_graphs_the_training_graphs_choose() -> None:
    alone = ClusterNet(K, **QUICK).fit_inductive(*TRAINING)
    named = ClusterNet(K, **QUICK).fit_inductive(
        *TRAINING, validation_graphs=TRAINING[0], validation_features=TRAINING[1]
    )
    assert same_states(states(alone), states(named))
    assert alone.training_value_ == named.training_value_


def test_only_what_is_given_is_read() -> None:
    """Nothing but the seen graphs reaches an objective."""
    prepared: list[Graph] = []

    class Watched(ModularityLoss):
        def prepare(self, graph: Graph) -> Any:
            prepared.append(graph)
            return super().prepare(graph)

    model = ClusterNet(K, Watched(), completion=None, **QUICK).fit_inductive(
        *TRAINING, validation_graphs=VALIDATION[0], validation_features=VALIDATION[1]
    )
    assert prepared == [*TRAINING[0], *VALIDATION[0]]
    prepared.clear()
    model.fine_tune(UNSEEN, UNSEEN_ROWS)
    assert prepared == [UNSEEN]


def test_an_earlier_decision_is_forgotten() -> None:
    model = ClusterNet(K, **QUICK).fit(*planted(0))
    model.fit_inductive(*TRAINING)
    for name in ("labels_", "decision_", "assignment_", "embedding_"):
        assert not hasattr(model, name)
    with pytest.raises(NotFittedError, match="this ClusterNet has no decision yet; call fit"):
        model.score(UNSEEN)


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("cls", NETWORKS)
def test_files(cls: Any, objective: str, tmp_path: Path) -> None:
    model = fitted(cls, objective)
    model.save(tmp_path / "model.pt")
    again = cls.load(tmp_path / "model.pt")
    assert not hasattr(again, "labels_")
    assert not hasattr(again, "centers_")
    np.testing.assert_array_equal(
        model.predict(UNSEEN, UNSEEN_ROWS), again.predict(UNSEEN, UNSEEN_ROWS)
    )
    tuned, twin = (m.fine_tune(UNSEEN, UNSEEN_ROWS) for m in (model, again))
    np.testing.assert_array_equal(tuned.decision_, twin.decision_)
    assert tuned.runs_[0].losses == twin.runs_[0].losses
    tuned.save(tmp_path / "tuned.pt")
    reread = cls.load(tmp_path / "tuned.pt")
    np.testing.assert_array_equal(reread.labels_, tuned.labels_)
    np.testing.assert_array_equal(
        reread.predict(UNSEEN, UNSEEN_ROWS), tuned.predict(UNSEEN, UNSEEN_ROWS)
    )


def test_recipes() -> None:
    for objective in (ModularityLoss(), KCenterLoss(K)):
        recipe = inductive_recipe(objective, 0.4)
        assert isinstance(recipe, Recipe)
        tuning = fine_tuning_recipe(recipe)
        assert recipe.iterations <= tuning.iterations <= 150
        assert tuning.n_restarts == 1
        assert tuning.smoothing == recipe.smoothing  # of the features, as the network knows them
    with pytest.raises(ValueError, match="iterations must be at least 1, not 0"):
        fitted(ClusterNet).fine_tune(UNSEEN, UNSEEN_ROWS, iterations=0)
    with pytest.raises(ValueError, match="n_starts must be at least 1, not 0"):
        Recipe(n_starts=0)


# --- two stages ---------------------------------------------------------------------------------


def predictor(**more: Any) -> LinkPredictor:
    return LinkPredictor(**arranged(**{**LINKS, **more})).fit_inductive(
        *TRAINING, validation_graphs=VALIDATION[0], validation_features=VALIDATION[1]
    )


def test_links_of_an_unseen_graph() -> None:
    model = predictor(iterations=60)
    with pytest.raises(NotFittedError, match="knows no graph to predict on yet; call transfer"):
        model.predict_dense()
    before = states(model)
    there = model.transfer(UNSEEN, UNSEEN_ROWS)
    assert there.graph_ is UNSEEN
    chances = there.predict_dense()
    assert chances.shape == (45, 45)
    group = np.repeat(np.arange(K), 15)
    inside = (group[:, None] == group) & ~np.eye(45, dtype=bool)
    assert chances[inside].mean() > chances[group[:, None] != group].mean() + 0.2
    assert same_states(before, states(model))
    assert same_states(before, states(there))
    assert not hasattr(model, "graph_")


def test_one_graph_is_the_inductive_case_of_one() -> None:
    alone = LinkPredictor(**LINKS).fit(*planted(0))
    listed = LinkPredictor(**LINKS).fit_inductive(*planted_list((0, 12)))
    assert alone.losses_ == listed.losses_
    np.testing.assert_array_equal(alone.embedding_, listed.transfer(*planted(0)).embedding_)


def test_links_are_seeded_and_fine_tuned() -> None:
    first, second = predictor(), predictor()
    assert same_states(states(first), states(second))
    tuned, twin = (m.fine_tune(UNSEEN, UNSEEN_ROWS, iterations=5) for m in (first, second))
    assert same_states(states(tuned), states(twin))
    assert not same_states(states(tuned), states(first))
    assert same_states(states(first), states(second))
    assert len(tuned.losses_) == 5
    assert tuned.graph_ is UNSEEN
    assert len(first.fine_tune(UNSEEN, UNSEEN_ROWS).losses_) == 3  # a quarter


def test_validation_chooses_the_links_state() -> None:
    last = LinkPredictor(**arranged(**LINKS, learning_rate=5.0)).fit_inductive(*TRAINING)
    kept = predictor(learning_rate=5.0, iterations=40)
    assert not same_states(states(last), states(kept))
    assert len(kept.losses_) == 40


@pytest.mark.parametrize("algorithm", ["cnm", "newman", "spectral", "greedy", "gonzalez"])
def test_two_stages_decide_on_unseen_graphs(algorithm: str) -> None:
    first_stage = predictor()
    model = TwoStage(K, algorithm, predictor=first_stage, random_state=0)
    model.fit_inductive(*TRAINING)
    assert model.predictor_ is first_stage
    decision = model.predict(UNSEEN, UNSEEN_ROWS)
    np.testing.assert_array_equal(decision, model.predict(UNSEEN, UNSEEN_ROWS))
    facilities = algorithm in ("greedy", "gonzalez")
    assert decision.shape == ((K,) if facilities else (UNSEEN.n_nodes,))
    with pytest.raises(NotFittedError, match="this TwoStage has no decision yet; call fit"):
        model.score(UNSEEN)
    before = states(first_stage)
    tuned = model.fine_tune(UNSEEN, UNSEEN_ROWS, iterations=4)
    assert same_states(before, states(first_stage))
    assert tuned.labels_.shape == (UNSEEN.n_nodes,)
    assert hasattr(tuned, "centers_") == facilities
    assert np.isfinite(tuned.score(UNSEEN))
    sharing = TwoStage(K, "cnm", predictor=tuned.predictor_).fit(UNSEEN)
    assert sharing.predictor_ is tuned.predictor_


def test_two_stages_train_a_predictor_of_their_own() -> None:
    model = TwoStage(K, "spectral", predictor=LinkPredictor(**LINKS), random_state=0)
    model.fit_inductive(
        *TRAINING, validation_graphs=VALIDATION[0], validation_features=VALIDATION[1]
    )
    assert same_states(states(model.predictor_), states(predictor()))


def test_two_stages_refuse_a_predictor_of_other_graphs() -> None:
    model = TwoStage(K, predictor=predictor())
    with pytest.raises(ValueError, match="predictor must be fitted on the same graphs, or not yet"):
        model.fit_inductive(*planted_list((0, 12)))


# --- errors -------------------------------------------------------------------------------------

ESTIMATORS: dict[str, Callable[[], Any]] = {
    "ClusterNet": lambda: ClusterNet(K, **QUICK),
    "DirectGCN": lambda: DirectGCN(K, **QUICK),
    "LinkPredictor": lambda: LinkPredictor(**LINKS),
    "TwoStage": lambda: TwoStage(K, predictor=LinkPredictor(**LINKS)),
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_lists_that_make_no_sense(name: str) -> None:
    graphs, features = TRAINING
    narrow = [*features[:2], features[2][:, :5]]
    directed = Graph.from_edges(graphs[1].edges, graphs[1].n_nodes, directed=True)
    cases: list[tuple[Any, Any, type[Exception], str]] = [
        ([], [], ValueError, "graphs must hold at least one graph"),
        (graphs, features[:2], ValueError, "features must hold one array per graph, 3, not 2"),
        (graphs[0], features[0], TypeError, "graphs must be a list or tuple, not Graph"),
        (graphs, features[0], TypeError, "features must be a list or tuple, not ndarray"),
        (graphs, narrow, ValueError, r"features\[2\] must have 9 columns, as features\[0\], not 5"),
        (graphs, [features[0], None, features[2]], ValueError, r"features\[1\] must be given"),
        (
            [graphs[0], directed, graphs[2]],
            features,
            ValueError,
            r"graphs\[1\]: graph must be undirected",
        ),
        (
            [graphs[0], "path", graphs[2]],
            features,
            TypeError,
            r"graphs\[1\]: graph must be a Graph, not str",
        ),
        (
            graphs,
            [features[0], features[0], features[2]],
            ValueError,
            r"graphs\[1\]: features must have one row per node, 27, not 36",
        ),
    ]
    for some, rows, kind, message in cases:
        with pytest.raises(kind, match=f"^{message}"):
            ESTIMATORS[name]().fit_inductive(some, rows)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_validation_lists_that_make_no_sense(name: str) -> None:
    graphs, features = VALIDATION
    cases: list[tuple[Any, Any, str]] = [
        (graphs, None, "validation_features must be given too, or neither of"),
        (None, features, "validation_graphs must be given too, or neither of"),
        ([], [], "validation_graphs must hold at least one graph"),
        (graphs, features[:1], "validation_features must hold one array per graph, 2, not 1"),
        (
            graphs,
            [features[0][:, :4], features[1]],
            r"validation_features\[0\] must have 9 columns, as features\[0\], not 4",
        ),
    ]
    for some, rows, message in cases:
        with pytest.raises(ValueError, match=f"^{message}"):
            ESTIMATORS[name]().fit_inductive(
                *TRAINING, validation_graphs=some, validation_features=rows
            )


@pytest.mark.parametrize("name", ["ClusterNet", "DirectGCN", "TwoStage"])
def test_graphs_with_fewer_nodes_than_clusters(name: str) -> None:
    small, rows = Graph.from_edges([(0, 1)]), np.ones((2, 9), np.float32)
    with pytest.raises(ValueError, match=r"^graphs\[1\]: .*2"):
        ESTIMATORS[name]().fit_inductive([TRAINING[0][0], small], [TRAINING[1][0], rows])
    model = ESTIMATORS[name]().fit_inductive(*TRAINING)
    with pytest.raises(ValueError, match=r"^n_clusters must be at most .*2"):
        model.predict(small, rows)
    with pytest.raises(ValueError, match=r"^n_clusters must be at most .*2"):
        model.fine_tune(small, rows)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_unseen_graphs_that_do_not_fit(name: str) -> None:
    model = ESTIMATORS[name]()
    asks = [model.fine_tune, model.transfer if name == "LinkPredictor" else model.predict]
    for ask in asks:
        with pytest.raises(NotFittedError, match="call fit first"):
            ask(UNSEEN, UNSEEN_ROWS)
    model.fit_inductive(*TRAINING)
    for ask in asks:
        with pytest.raises(ValueError, match="features must have 9 columns, as in fit, not 4"):
            ask(UNSEEN, UNSEEN_ROWS[:, :4])
        with pytest.raises(ValueError, match="features must be given, here and in fit"):
            ask(UNSEEN, None)
        with pytest.raises(TypeError, match="graph must be a Graph, not str"):
            ask("path", UNSEEN_ROWS)


def test_inputs_are_left_alone() -> None:
    graphs, features = planted_list((0, 12), (1, 9))
    kept = copy.deepcopy(features)
    for rows in features:
        rows.flags.writeable = False
    ClusterNet(K, **QUICK).fit_inductive(tuple(graphs), tuple(features))
    for rows, before in zip(features, kept, strict=True):
        np.testing.assert_array_equal(rows, before)
