"""What training starts from and what follows it: groups, pretraining, consensus, polish."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from estimator_cases import arranged, in_first_format
from helpers import random_graph
from sklearn.base import clone
from sklearn.metrics import adjusted_rand_score
from torch.nn import functional

from graphopt import ClusterNet, DirectGCN, Graph, leiden, modularity
from graphopt.completion import FeatureNeighbours
from graphopt.learning import consensus, train
from graphopt.learning.groups import pretrain
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.recipes import COMMUNITIES, default_recipe, fine_tuning_recipe
from graphopt.nn import ClusterNet as Network
from graphopt.nn.losses import Loss, ModularityLoss

GROUPS = np.repeat(np.arange(3), 20)
RECIPE = replace(
    COMMUNITIES, iterations=4, n_restarts=2, check_every=2, hidden_features=8, embedding_features=6
)
QUICK: dict[str, Any] = {
    "recipe": RECIPE,
    "random_state": 0,
}


def planted(seed: int = 0) -> Graph:
    rng = np.random.default_rng(seed)
    u, v = np.triu_indices(60, 1)
    chosen = rng.random(len(u)) < np.where(GROUPS[u] == GROUPS[v], 0.4, 0.02)
    return Graph.from_edges(np.column_stack([u, v])[chosen], 60)


def described(seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).random((60, 9), np.float32)
    rows[np.arange(60), GROUPS] += 2.0
    return rows


def inputs_of(graph: Graph, features: Any = None) -> EncoderInputs:
    return EncoderInputs.make(graph, features, smoothing=RECIPE.smoothing)


def network(n_features: int, k: int = 3) -> Network:
    return Network(n_features, k, hidden_features=8, embedding_features=6)


class Cut(Loss):
    """A user's own, which cannot improve a decision."""

    def loss(self, decision: torch.Tensor, problem: Graph) -> torch.Tensor:
        u, v = torch.from_numpy(problem.edges.astype(np.int64)).T
        return (decision[u] * decision[v]).sum()

    def decode(self, decision: torch.Tensor, problem: Graph, *, random_state: Any = None) -> Any:
        return decision.argmax(dim=1).numpy()

    def evaluate(self, decision: np.ndarray, graph: Graph) -> float:
        u, v = graph.edges.T
        return float((decision[u] != decision[v]).sum())


# --- everything off -------------------------------------------------------------------------------


def test_with_all_switches_off_nothing_is_drawn_beside_initialisation_and_training() -> None:
    graph = planted()
    model = ClusterNet(3, **QUICK).fit(graph, described())
    inputs, objective, rng = (
        inputs_of(graph, described()),
        ModularityLoss(),
        np.random.default_rng(0),
    )
    problem = objective.prepare(graph)
    values = []
    for run in model.runs_:
        net = network(inputs.n_features)
        net.cluster.iterations = 6
        net.initialize(inputs.features, inputs.adjacency.whole, rng)
        mine = train(net, inputs, objective, problem, RECIPE, rng)
        assert mine.losses == run.losses
        np.testing.assert_array_equal(mine.best.decision, run.best.decision)
        values.append(mine.best.value)
    assert model.training_value_ == max(values)


# --- first centres --------------------------------------------------------------------------------


def test_centres_are_the_groups_mean_embeddings() -> None:
    inputs = inputs_of(planted())
    net = network(inputs.n_features, 4)
    net.initialize(inputs.features, inputs.adjacency.whole, np.random.default_rng(0))
    labels = torch.from_numpy(GROUPS.astype(np.int64))
    net.start_from(inputs.features, inputs.adjacency.whole, labels, np.random.default_rng(1))
    assert net.training
    with torch.no_grad():
        embedding = net.eval().encoder(inputs.features, inputs.adjacency.whole)
    unit = functional.normalize(embedding, dim=1)
    for group in range(3):
        torch.testing.assert_close(net.initial_centers[group], unit[group == GROUPS].mean(dim=0))
    # Nobody is in the last group: it starts at a node.
    assert (net.initial_centers[3] @ unit.T).max() == pytest.approx(1.0, abs=1e-5)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (torch.zeros(59, dtype=torch.int64), "labels must have shape (60,), not (59,)"),
        (torch.full((60,), 3), "labels must be in 0..2"),
        (torch.full((60,), -1), "labels must be in 0..2"),
    ],
    ids=["short", "many", "negative"],
)
def test_groups_that_do_not_fit_the_network(labels: torch.Tensor, message: str) -> None:
    inputs, rng = inputs_of(planted()), np.random.default_rng(0)
    with pytest.raises(ValueError, match=re.escape(message)):
        network(inputs.n_features).start_from(inputs.features, inputs.adjacency.whole, labels, rng)


def test_leiden_s_groups_start_every_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[torch.Tensor] = []
    original = Network.start_from

    def spy(self: Network, features: Any, adjacency: Any, labels: Any, rng: Any) -> None:
        started.append(labels)
        original(self, features, adjacency, labels, rng)

    monkeypatch.setattr(Network, "start_from", spy)
    graph = planted()
    model = ClusterNet(3, **arranged(start="leiden", **QUICK)).fit(graph)
    assert len(started) == 2
    best = modularity(graph, leiden(graph, 3, random_state=0).labels)
    for labels in started:
        assert modularity(graph, labels.numpy()) == pytest.approx(best)
    plain = ClusterNet(3, **QUICK).fit(graph)
    assert len(started) == 2
    assert plain.runs_[0].losses != model.runs_[0].losses


def test_labels_of_ones_own_come_before_leiden_s(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[torch.Tensor] = []
    monkeypatch.setattr(Network, "start_from", lambda self, x, a, labels, r: started.append(labels))
    graph = Graph.from_edges(planted().edges, 63)  # three nodes of which nothing is known
    mine = np.concatenate([GROUPS * 10 - 7, [99, 99, 99]])
    ClusterNet(3, **arranged(start="leiden", **QUICK)).fit(graph, start_labels=mine)
    assert len(started) == 2
    for labels in started:
        np.testing.assert_array_equal(labels.numpy(), GROUPS)


def test_facilities_may_start_from_labels_too() -> None:
    settings = {**QUICK, "objective": "k-center"}
    plain = ClusterNet(3, **settings).fit(planted())
    model = ClusterNet(3, **settings).fit(planted(), start_labels=GROUPS)
    assert model.centers_.shape == (3,)
    assert model.runs_[0].losses != plain.runs_[0].losses


# --- pretraining ----------------------------------------------------------------------------------


def test_pretraining_teaches_the_groups() -> None:
    # Arcs of a ring: nothing in a random encoder puts their ends where their middles are.
    ring = Graph.from_edges([(i, (i + 1) % 60) for i in range(60)])
    inputs, labels = inputs_of(ring), torch.from_numpy(GROUPS.astype(np.int64))
    found = []
    for steps in (0, 100):
        net, rng = network(inputs.n_features).eval(), np.random.default_rng(0)
        net.initialize(inputs.features, inputs.adjacency.whole, rng)
        state = torch.get_rng_state()
        if steps:
            pretrain(net, inputs, labels, replace(RECIPE, pretraining=steps), rng)
        assert torch.equal(torch.get_rng_state(), state)
        assert not net.training
        net.start_from(inputs.features, inputs.adjacency.whole, labels, rng)
        net.cluster.iterations = 0
        with torch.no_grad():
            assignment = net(inputs.features, inputs.adjacency.whole).assignment
        found.append(float((assignment.argmax(dim=1) == labels).float().mean()))
    assert found[0] < 0.8
    assert found[1] > 0.9


def test_pretraining_changes_the_fit_and_gcn_e2e_can_be_pretrained() -> None:
    graph = random_graph(60, 150, 0)
    plain = ClusterNet(3, **arranged(start="leiden", **QUICK)).fit(graph)
    taught = ClusterNet(3, **arranged(start="leiden", pretraining=20, **QUICK)).fit(graph)
    assert taught.runs_[0].checks[0] != plain.runs_[0].checks[0]
    recipe = replace(RECIPE, start="leiden", pretraining=60)
    direct = DirectGCN(3, recipe=recipe, random_state=0).fit(graph)
    first_looks = [run.checks[0][1] for run in direct.runs_]
    untaught = DirectGCN(3, recipe=RECIPE, random_state=0).fit(graph)
    assert min(first_looks) > max(run.checks[0][1] for run in untaught.runs_)


# --- completion as input, in the loss, or both ----------------------------------------------------


def test_completion_counts_where_it_is_asked_to() -> None:
    graph, rows = planted(), described()
    completion = FeatureNeighbours(n_neighbours=5)
    more = graph.plus(completion.missing_edges(graph, rows))
    fitted = {
        where: ClusterNet(3, **arranged(completion=completion, completion_in=where, **QUICK)).fit(
            graph, rows
        )
        for where in ("both", "input", "loss")
    }
    for where, model in fitted.items():
        judged = graph if where == "input" else more
        assert model.training_value_ == pytest.approx(modularity(judged, model.labels_))
    default = ClusterNet(3, completion=completion, **QUICK).fit(graph, rows)
    assert default.runs_[0].losses == fitted["both"].runs_[0].losses
    bare = ClusterNet(3, completion=None, **QUICK).fit(graph, rows)
    # The same first network: its embedding, before any step, tells what the encoder averages over.
    starts = {
        name: model.runs_[0].best.state["initial_centers"]
        for name, model in {**fitted, "bare": bare}.items()
    }
    assert torch.equal(starts["loss"], starts["bare"])
    assert torch.equal(starts["both"], starts["input"])
    assert not torch.equal(starts["both"], starts["bare"])


# --- consensus ------------------------------------------------------------------------------------


def test_a_consensus_outvotes_a_dissenter() -> None:
    graph = planted()
    shifted = (GROUPS + 1) % 3
    dissent = np.random.default_rng(0).integers(0, 3, 60)
    found = consensus(graph, [GROUPS, shifted, dissent], 3, random_state=0)
    assert adjusted_rand_score(GROUPS, found) == 1.0
    again = consensus(graph, [GROUPS, shifted, dissent], 3, random_state=0)
    np.testing.assert_array_equal(found, again)


def test_unanimity_is_followed_where_edges_say_otherwise() -> None:
    triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    odd = [0, 0, 1, 1, 0, 0]
    found = consensus(triangles, [odd, odd], 2, random_state=0)
    assert found[2] == found[3]
    plain = leiden(triangles, 2, random_state=0).labels
    assert plain[2] != plain[3]


def test_a_consensus_weighs_the_graph_s_own_weights() -> None:
    edges = [(0, 1), (1, 2), (2, 3)]
    one = [[0, 0, 0, 0]]
    heavy = Graph.from_edges(edges, weights=[1.0, 9.0, 1.0])
    assert consensus(heavy, one, 2, random_state=0)[1] == consensus(heavy, one, 2)[2]


@pytest.mark.parametrize(
    ("partitions", "message"),
    [([], "partitions must hold at least one"), ([[0, 1]], r"partitions must have shape \(60,\)")],
    ids=["none", "short"],
)
def test_partitions_that_do_not_fit(partitions: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        consensus(planted(), partitions, 3)


def test_the_estimator_decides_by_consensus() -> None:
    graph = random_graph(60, 150, 0)
    best = ClusterNet(3, **QUICK).fit(graph)
    model = ClusterNet(3, **arranged(consensus=True, **QUICK)).fit(graph)
    decisions = [run.best.decision for run in model.runs_]
    assert [run.losses for run in model.runs_] == [run.losses for run in best.runs_]
    assert model.training_value_ == pytest.approx(model.score(graph))
    # The generator stands where training has left it.
    rng = np.random.default_rng(0)
    ClusterNet(3, **{**QUICK, "random_state": rng}).fit(
        graph.subgraph(np.flatnonzero(graph.degrees))
    )
    nodes = np.flatnonzero(graph.degrees)
    wanted = consensus(graph.subgraph(nodes), decisions, 3, random_state=rng)
    assert adjusted_rand_score(wanted, model.labels_[nodes]) == 1.0


# --- polish ---------------------------------------------------------------------------------------


def test_polish_raises_the_training_value_and_keeps_the_training() -> None:
    graph = random_graph(80, 200, 1)
    plain = ClusterNet(4, **QUICK).fit(graph)
    model = ClusterNet(4, **arranged(polish=True, **QUICK)).fit(graph)
    assert [run.losses for run in model.runs_] == [run.losses for run in plain.runs_]
    assert model.training_value_ > plain.training_value_
    assert model.training_value_ == pytest.approx(model.score(graph))
    assert len(np.unique(model.labels_)) <= 4
    assert model.labels_.dtype == np.int32


def test_polish_is_on_the_graph_of_the_loss() -> None:
    graph, rows = planted(), described()
    completion = FeatureNeighbours(n_neighbours=8, weight=4.0)
    more = graph.plus(completion.missing_edges(graph, rows))
    model = ClusterNet(3, **arranged(completion=completion, polish=True, **QUICK)).fit(graph, rows)
    assert model.training_value_ == pytest.approx(modularity(more, model.labels_))


def test_predictions_and_fine_tuning_are_polished() -> None:
    graph, rows = planted(), described()
    plain = ClusterNet(3, **QUICK).fit(graph, rows)
    model = ClusterNet(3, **arranged(polish=True, **QUICK)).fit(graph, rows)
    other = random_graph(60, 150, 2)
    found, unpolished = model.predict(other, rows), plain.predict(other, rows)
    assert modularity(other, found) > modularity(other, unpolished)
    tuned = model.fine_tune(other, rows, iterations=2)
    assert tuned.training_value_ > plain.fine_tune(other, rows, iterations=2).training_value_
    inductive = ClusterNet(3, **arranged(polish=True, **QUICK)).fit_inductive([graph], [rows])
    assert modularity(other, inductive.predict(other, rows)) > modularity(other, unpolished)


def test_the_resolution_of_the_objective_counts() -> None:
    graph = random_graph(80, 200, 1)
    fine = ModularityLoss(resolution=3.0)
    problem = fine.prepare(graph)
    start = np.zeros(80, np.int64)
    assert fine.training_value(fine.improve(start, problem, 10, random_state=0), problem) > (
        fine.training_value(
            ModularityLoss().improve(start, ModularityLoss().prepare(graph), 10, random_state=0),
            problem,
        )
    )
    assert fine.improves
    assert not Cut().improves
    assert Cut().improve(start, graph, 3) is start


# --- all of it ------------------------------------------------------------------------------------

EVERYTHING: dict[str, Any] = {
    "encoder": "appnp",
    "propagation_steps": 3,
    "teleport": 0.2,
    "gradient": "implicit",
    "completion_in": "loss",
    "start": "leiden",
    "pretraining": 3,
    "consensus": True,
    "polish": True,
    "seen_fraction": 0.5,
}


def test_everything_together_repeats_and_survives_files_and_clones(tmp_path: Path) -> None:
    graph, rows = planted(), described()
    model = ClusterNet(3, **arranged(**EVERYTHING, **QUICK)).fit(graph, rows)
    assert adjusted_rand_score(GROUPS, model.labels_) > 0.8
    twin = clone(model)
    assert twin.get_params() == model.get_params()
    np.testing.assert_array_equal(twin.fit(graph, rows).labels_, model.labels_)
    np.testing.assert_array_equal(twin.assignment_, model.assignment_)
    model.save(tmp_path / "model.pt")
    again = ClusterNet.load(tmp_path / "model.pt")
    np.testing.assert_array_equal(again.labels_, model.labels_)
    np.testing.assert_array_equal(again.predict(graph, rows), model.predict(graph, rows))
    assert again._trained_by == model._trained_by
    assert again.training_value_ == model.training_value_
    unset = {"recipe": None}
    assert again.get_params(deep=False) | unset == model.get_params(deep=False) | unset
    assert again.fine_tune(graph, rows, iterations=2).labels_.shape == (60,)


@pytest.mark.parametrize("encoder", ["gcn", "sgc", "appnp"])
def test_files_hold_each_encoder(encoder: str, tmp_path: Path) -> None:
    graph, rows = planted(), described()
    model = ClusterNet(3, encoder=encoder, **QUICK).fit(graph, rows)
    model.save(tmp_path / "model.pt")
    again = ClusterNet.load(tmp_path / "model.pt")
    assert type(again.network_.encoder) is type(model.network_.encoder)
    np.testing.assert_array_equal(again.predict(graph, rows), model.predict(graph, rows))
    inductive = ClusterNet(3, encoder=encoder, **QUICK).fit_inductive([graph, graph], [rows, rows])
    assert inductive.predict(graph, rows).shape == (60,)


def test_files_of_one_encoder_only_still_open(tmp_path: Path) -> None:
    graph, rows = planted(), described()
    model = ClusterNet(3, **QUICK).fit(graph, rows)
    model.save(tmp_path / "model.pt")
    saved = in_first_format(tmp_path / "model.pt")
    del saved["n_inputs"], saved["expects_edges"]
    for name in ("hidden_features", "embedding_features", "gradient"):  # once the constructor's
        saved["params"][name] = saved["recipe"].pop(name)
    for name in ("completion_in", "start", "pretraining", "consensus", "polish"):
        del saved["recipe"][name]
    for name in ("propagation_steps", "teleport"):
        del saved["recipe"][name]
    del saved["params"]["encoder"]
    torch.save(saved, tmp_path / "old.pt")
    again = ClusterNet.load(tmp_path / "old.pt")
    np.testing.assert_array_equal(again.predict(graph, rows), model.predict(graph, rows))
    again.save(tmp_path / "again.pt")


@pytest.mark.parametrize("gradient", ["implicit", "dense", "unrolled", "auto"])
def test_the_gradient_reaches_the_training(gradient: str) -> None:
    one = ClusterNet(3, **QUICK).fit(planted())
    other = ClusterNet(3, **arranged(gradient=gradient, **QUICK)).fit(planted())
    assert other.runs_[0].losses[0] == one.runs_[0].losses[0]
    if gradient != "auto":  # which may find one step good enough
        assert other.runs_[0].losses[1] != one.runs_[0].losses[1]
    assert other.network_.cluster.gradient == gradient


def test_fine_tuning_starts_from_what_is_learned() -> None:
    recipe = replace(RECIPE, start="leiden", pretraining=9, consensus=True, polish=True)
    tuning = fine_tuning_recipe(recipe)
    assert (tuning.start, tuning.pretraining, tuning.consensus, tuning.polish) == (
        "k-means++",
        0,
        False,
        True,
    )


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_switches_are_off_by_default(share: float) -> None:
    recipe = default_recipe(ModularityLoss(), share)
    assert (recipe.completion_in, recipe.start, recipe.pretraining) == ("both", "k-means++", 0)
    assert not recipe.consensus
    assert not recipe.polish


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"encoder": "gat"}, "encoder must be one of appnp, gcn, sgc, not 'gat'"),
        ({"propagation_steps": 2}, "propagation_steps are for encoder sgc or appnp, not gcn"),
        ({"teleport": 0.5, "encoder": "sgc"}, "teleport is for encoder appnp, not sgc"),
        ({"teleport": 2.0, "encoder": "appnp"}, "teleport must be at most 1, not 2"),
        ({"completion_in": "loss only"}, "completion_in must be one of both, input, loss"),
        ({"start": "louvain"}, r"start must be one of k-means\+\+, leiden, not 'louvain'"),
        ({"pretraining": -1}, "pretraining must be at least 0, not -1"),
        ({"pretraining": 5}, 'pretraining needs groups: start="leiden", or start_labels'),
        ({"consensus": True, "n_restarts": 1}, "n_restarts must be at least 2 for a consensus"),
        ({"consensus": True, "objective": "k-center"}, "consensus is of groups; the objective"),
        ({"polish": True, "objective": "k-center"}, "polish needs an objective with a method"),
        ({"polish": True, "objective": Cut()}, "polish needs .* which Cut does not have"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        ClusterNet(**{"n_clusters": 3, **arranged(**{**QUICK, **settings})}).fit(planted())


@pytest.mark.parametrize("name", ["consensus", "polish"])
def test_switches_are_booleans(name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name} must be a bool, not int"):
        ClusterNet(3, **arranged(**QUICK, **{name: 1})).fit(planted())


@pytest.mark.parametrize(
    ("labels", "kind", "message"),
    [
        (GROUPS[:59], ValueError, r"start_labels must have shape \(60,\), not \(59,\)"),
        (GROUPS + 0.5, TypeError, "start_labels must be integers, not float64"),
        (np.arange(60), ValueError, "start_labels must hold at most n_clusters = 3 groups, not 60"),
    ],
    ids=["short", "float", "many"],
)
def test_labels_that_do_not_fit(labels: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"^{message}"):
        ClusterNet(3, **QUICK).fit(planted(), start_labels=labels)


@pytest.mark.parametrize(
    "settings", [{"start": "leiden"}, {"consensus": True}], ids=["start", "consensus"]
)
def test_many_graphs_have_no_groups_in_common(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="are about the groups of one graph"):
        ClusterNet(3, **arranged(**QUICK, **settings)).fit_inductive([planted()], [described()])


def test_a_network_without_soft_k_means_needs_pretraining_to_start_from_groups() -> None:
    with pytest.raises(ValueError, match="can be started from groups by pretraining alone"):
        DirectGCN(3, recipe=RECIPE).fit(planted(), start_labels=GROUPS)
    model = DirectGCN(3, "k-center", recipe=replace(RECIPE, pretraining=2))
    with pytest.raises(ValueError, match="only if it decides on groups"):
        model.fit(planted(), start_labels=GROUPS)
