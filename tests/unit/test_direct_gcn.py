"""GCN-e2e: the network that decides directly, and its estimator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from estimator_cases import arranged, in_first_format
from helpers import random_graph
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score

from graphopt import ClusterNet, DirectGCN, Graph, evaluate_centers, modularity, set_num_threads
from graphopt.learning import Recipe, train
from graphopt.learning.inputs import EncoderInputs
from graphopt.nn import GCN, Adjacency
from graphopt.nn import DirectGCN as Network
from graphopt.nn.losses import KCenterLoss, Loss, ModularityLoss

QUICK: dict[str, Any] = {
    "iterations": 12,
    "n_restarts": 1,
    "recipe": Recipe(hidden_features=8),
    "random_state": 0,
}
GROUPS = np.repeat(np.arange(3), 20)
OBJECTIVES = ["modularity", "k-center"]


def planted(seed: int = 0) -> Graph:
    """Three groups of 20 nodes, dense inside."""
    rng = np.random.default_rng(seed)
    u, v = np.triu_indices(60, 1)
    chosen = rng.random(len(u)) < np.where(GROUPS[u] == GROUPS[v], 0.4, 0.02)
    return Graph.from_edges(np.column_stack([u, v])[chosen], 60)


def described(seed: int = 0) -> np.ndarray:
    """Features that lean towards the node's group."""
    rows = np.random.default_rng(seed).random((60, 9), np.float32)
    rows[np.arange(60), GROUPS] += 2.0
    return rows


# --- the module ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n_clusters", [1, 3, 7])
def test_the_label_head_is_a_softmax_of_the_encoder(n_clusters: int) -> None:
    features, adjacency = torch.rand(20, 5), Adjacency(random_graph(20, 40, 0)).whole
    network = Network(5, n_clusters, hidden_features=6).eval()
    assert isinstance(network.encoder, GCN)
    assignment = network(features, adjacency)
    assert assignment.shape == (20, n_clusters)
    torch.testing.assert_close(assignment.sum(dim=1), torch.ones(20))
    logits = network.encoder(features, adjacency)
    torch.testing.assert_close(assignment, logits.exp() / logits.exp().sum(1, keepdim=True))


def test_the_center_head_opens_at_most_as_many() -> None:
    features, adjacency = torch.rand(20, 5), Adjacency(random_graph(20, 40, 0)).whole
    network = Network(5, 4, decides="centers", hidden_features=6).eval()
    opening = network(features, adjacency)
    single = torch.sigmoid(network.encoder(features, adjacency)[:, 0])
    assert single.sum() > 4.0
    torch.testing.assert_close(opening, single * 4.0 / single.sum())
    with torch.no_grad():
        network.encoder.out_bias.fill_(-9.0)  # few enough: nothing is scaled
    opening = network(features, adjacency)
    assert opening.sum() < 1.0
    single = torch.sigmoid(network.encoder(features, adjacency)[:, 0])
    torch.testing.assert_close(opening, single)


@pytest.mark.parametrize("decides", ["labels", "centers"])
def test_gradients_are_right(decides: str) -> None:
    adjacency = Adjacency(random_graph(7, 12, 0), dtype=torch.float64).whole
    network = Network(3, 2, decides=decides, hidden_features=4, dropout=0.0).double()
    network.initialize(torch.rand(7, 3).double(), adjacency, np.random.default_rng(0))
    weights = list(network.parameters())
    features = torch.rand(7, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    assert torch.autograd.gradcheck(lambda *_: network(features, adjacency), weights)


def test_initialising_is_seeded_and_leaves_the_global_generator_alone() -> None:
    features, adjacency = torch.rand(20, 5), Adjacency(random_graph(20, 40, 0)).whole
    network = Network(5, 3)
    before = torch.get_rng_state()
    drawn = []
    for seed in (0, 0, 1):
        network.initialize(features, adjacency, np.random.default_rng(seed))
        drawn.append(network.encoder.out_weight.detach().clone())
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_modules_refuse_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="n_clusters must be at least 1, not 0"):
        Network(5, 0)
    with pytest.raises(ValueError, match="decides must be one of centers, labels, not 'sites'"):
        Network(5, 3, decides="sites")


# --- training -----------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", [ModularityLoss(), KCenterLoss(3)], ids=OBJECTIVES)
def test_training_moves_every_weight_and_lowers_the_loss(objective: Loss) -> None:
    recipe = Recipe(iterations=80, learning_rate=0.03, dropout=0.0, feature_dropout=0.0)
    graph, rows = planted(), described()
    if objective.decides == "centers":  # among dense groups every choice is about as good
        graph, rows = Graph.from_edges([(i, i + 1) for i in range(59)]), None
    inputs = EncoderInputs.make(graph, rows, smoothing=0)
    network = Network(inputs.n_features, 3, decides=objective.decides, hidden_features=8)
    random_state = np.random.default_rng(0)
    network.initialize(inputs.features, inputs.adjacency.whole, random_state)
    start = {name: value.clone() for name, value in network.state_dict().items()}
    moved = dict.fromkeys(start, 0.0)

    def watch(step: int, decision: Any, value: float) -> None:
        for name, value in network.state_dict().items():
            moved[name] = (value - start[name]).abs().max().item()

    problem = objective.prepare(graph)
    losses = train(network, inputs, objective, problem, recipe, random_state, watch).losses
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) - 0.1
    assert min(moved.values()) > 0.01


def test_planted_groups_are_found() -> None:
    graph = planted()
    model = DirectGCN(3, random_state=0, iterations=100, n_restarts=2)
    labels = model.fit_predict(graph, described())
    assert adjusted_rand_score(GROUPS, labels) > 0.8
    assert model.decision_ is labels
    assert model.score(graph) == modularity(graph, labels)
    np.testing.assert_array_equal(model.assignment_.argmax(axis=1), labels)
    assert not hasattr(model, "centers_")
    assert not hasattr(model, "opening_")


def test_facilities_are_near() -> None:
    path = Graph.from_edges([(i, i + 1) for i in range(44)])
    model = DirectGCN(3, "k-center", random_state=0, iterations=60, n_restarts=2).fit(path)
    assert model.centers_.shape == (3,)
    assert 7 <= model.score(path) <= 14
    assert model.opening_.shape == (45,)
    assert model.opening_.sum() <= 3.0001
    np.testing.assert_array_equal(model.labels_, evaluate_centers(path, model.centers_).assignment)
    assert not hasattr(model, "assignment_")


def test_another_fit_replaces_everything() -> None:
    model = DirectGCN(3, "k-center", **QUICK).fit(planted())
    model.set_params(objective=ModularityLoss(2.0), n_clusters=2).fit(planted())
    assert not hasattr(model, "centers_")
    assert not hasattr(model, "opening_")
    assert model.assignment_.shape == (60, 2)


def test_an_objective_of_ones_own() -> None:
    class Cut(Loss):
        def loss(self, decision: torch.Tensor, problem: Graph) -> torch.Tensor:
            u, v = torch.from_numpy(problem.edges.astype(np.int64)).T
            return (decision[u] * decision[v]).sum() / problem.n_edges

        def decode(self, decision: torch.Tensor, problem: Any, *, random_state: Any = None) -> Any:
            return decision.argmax(dim=1).numpy()

        def evaluate(self, decision: np.ndarray, graph: Graph) -> float:
            u, v = graph.edges.T
            return float((decision[u] != decision[v]).sum())

    square = Graph.from_edges([(u, v) for u in range(6) for v in range(6, 12)])
    sides = np.repeat(np.eye(2, dtype=np.float32), 6, axis=0)
    model = DirectGCN(2, Cut(), iterations=40, n_restarts=3, random_state=0).fit(square, sides)
    assert model.score(square) == model.training_value_ > 18


def test_unknown_nodes_stay_out() -> None:
    graph = Graph.from_edges(planted().edges, 70)
    model = DirectGCN(3, **QUICK).fit(graph)
    np.testing.assert_allclose(model.assignment_[60:], 1 / 3)
    model = DirectGCN(3, KCenterLoss(3), **QUICK).fit(graph)
    assert (model.opening_[60:] == 0.0).all()
    assert model.centers_.max() < 60


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_seed_repeats_every_bit_at_any_number_of_threads(objective: str) -> None:
    fitted = []
    try:
        for threads in (1, 2, 3, 8):
            set_num_threads(threads)
            model = DirectGCN(3, objective, **QUICK, seen_fraction=0.5)
            fitted.append(model.fit(planted(), described()))
    finally:
        set_num_threads(None)
    for model in fitted:
        np.testing.assert_array_equal(model.decision_, fitted[0].decision_)
        assert model.runs_[0].losses == fitted[0].runs_[0].losses


# --- habits shared with ClusterNet --------------------------------------------------------------


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_files_hold_everything(objective: str, tmp_path: Path) -> None:
    graph, rows = planted(), described()
    model = DirectGCN(3, objective, **QUICK).fit(graph, rows)
    model.save(tmp_path / "model.pt")
    again = DirectGCN.load(tmp_path / "model.pt")
    kept = {"labels_", "decision_", "assignment_", "opening_", "centers_"} & set(dir(model))
    assert {"labels_", "decision_"} < kept <= set(dir(again))
    for name in kept:
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
    assert again.score(graph) == model.score(graph)
    np.testing.assert_array_equal(again.predict(graph, rows), model.predict(graph, rows))
    np.testing.assert_array_equal(again.fit(graph, rows).decision_, model.decision_)


def test_one_estimator_does_not_read_the_others_files(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    DirectGCN(3, **QUICK).fit(planted()).save(file)
    with pytest.raises(ValueError, match="does not hold a ClusterNet, but a 'DirectGCN'"):
        ClusterNet.load(file)
    ClusterNet(3, **QUICK).fit(planted()).save(file)
    with pytest.raises(ValueError, match="does not hold a DirectGCN, but a 'ClusterNet'"):
        DirectGCN.load(file)
    saved = in_first_format(file)
    del saved["estimator"]  # as written before there was another one
    torch.save(saved, file)
    assert ClusterNet.load(file).labels_.shape == (60,)


def test_parameters_clone_and_repr() -> None:
    model = DirectGCN(3, "k-center", n_restarts=8)
    assert repr(model) == "DirectGCN(n_clusters=3, n_restarts=8, objective='k-center')"
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(ValueError, match="Invalid parameter 'temperature' for estimator DirectGCN"):
        model.set_params(temperature=3.0)
    with pytest.raises(NotFittedError, match="this DirectGCN has no decision yet; call fit first"):
        model.score(planted())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n_clusters": 0}, "n_clusters must be at least 1, not 0"),
        ({"n_clusters": 61}, "n_clusters must be at most .*, 60, not 61"),
        ({"objective": "median"}, "objective must be one of k-center, modularity, not 'median'"),
        ({"hidden_features": 0}, "hidden_features must be at least 1, not 0"),
    ],
)
def test_parameters_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        DirectGCN(**{"n_clusters": 3, **arranged(**{**QUICK, **settings})}).fit(planted())
