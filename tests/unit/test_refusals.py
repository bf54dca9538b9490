"""What is no graph, no array, no sequence and no real number is refused by its argument's name."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
import torch
from scipy.sparse import eye_array

import graphopt
from graphopt import (
    Graph,
    clustering,
    completion,
    datasets,
    decision,
    features,
    learning,
    objectives,
    paths,
)
from graphopt.clustering import stack_rows
from graphopt.communities import check_strengths
from graphopt.datasets import sources
from graphopt.nn.facility_distances import FacilityDistances
from graphopt.nn.losses import KCenterLoss, ModularityLoss

RING = Graph.from_edges([(i, (i + 1) % 8) for i in range(8)])
RAGGED = [[0], [1, 2]]

TAKE_A_GRAPH = {
    "all_pairs_shortest_paths": graphopt.all_pairs_shortest_paths,
    "distances_to_nearest": lambda graph: paths.distances_to_nearest(graph, [0]),
    "leiden": graphopt.leiden,
    "check_strengths": lambda graph: check_strengths("graph", graph),
    "motif_counts": features.motif_counts,
    "structural_features": lambda graph: datasets.structural_features(graph, 8),
    "node_features": lambda graph: features.node_features(graph, np.eye(8)),
    "split_edges": datasets.split_edges,
    "distance_tail": lambda graph: objectives.distance_tail(graph, [0]),
    "exact_within_reach": lambda graph: objectives.exact_within_reach(graph, 2),
    "clean_splits": lambda graph: list(datasets.clean_splits(graph)),
    "consensus": lambda graph: learning.consensus(graph, [[0] * 8], 2),
    "Modularity.prepare": ModularityLoss().prepare,
    "KCenterLoss.prepare": KCenterLoss().prepare,
    "KCenterLoss.evaluate": lambda graph: KCenterLoss().evaluate(np.array([0]), graph),
    "evaluate": lambda graph: objectives.KCenter().evaluate(np.array([0]), graph),
    "EdgeProbabilities": lambda graph: completion.EdgeProbabilities(graph, [(0, 2)], [0.5]),
    "Chosen": lambda graph: completion.Chosen(2, 0.5).missing_edges(graph),
    "Bagging": lambda graph: completion.Bagging().missing_edges(graph),
}


@pytest.mark.parametrize("function", TAKE_A_GRAPH.values(), ids=TAKE_A_GRAPH.keys())
@pytest.mark.parametrize("graph", [None, "ring", networkx.path_graph(3), np.eye(3)], ids=str)
def test_what_is_no_graph_is_named(function, graph):
    with pytest.raises(TypeError, match=f"graph must be a Graph, not {type(graph).__name__}"):
        function(graph)


def test_plus_names_the_other_graph():
    with pytest.raises(TypeError, match="other must be a Graph, not int"):
        RING.plus(3)


def test_judge_names_the_unseen_graph():
    with pytest.raises(TypeError, match="unseen must be a Graph, not ndarray"):
        objectives.Modularity().measures(np.zeros(8, int), RING, RING, np.eye(8))


TAKE_AN_ARRAY = {
    "centers": lambda given: graphopt.evaluate_centers(RING, given),
    "graph_or_distances": lambda given: graphopt.greedy_k_center(given, 1),
    "labels": lambda given: graphopt.modularity(RING, given),
    "x": lambda given: graphopt.soft_kmeans(given, np.eye(2), temperature=1.0, iterations=1),
    "distances": lambda given: graphopt.expected_distances(given, [1.0]),
    "indptr": lambda given: Graph(given, [0]),
    "weights": lambda given: Graph.from_edges([(0, 1)], weights=given),
    "edge_index": Graph.from_edge_index,
    "truth": lambda given: decision.agreement([0, 1], given),
}


@pytest.mark.parametrize(("name", "function"), TAKE_AN_ARRAY.items(), ids=TAKE_AN_ARRAY.keys())
def test_what_numpy_makes_no_array_of_is_named(name, function):
    with pytest.raises(TypeError, match=rf"{name} must be an array, and this list is none: \w"):
        function(RAGGED)


@pytest.mark.parametrize("weights", [[1j, 1.0], ["a", "b"], [None, 1.0], [10**400, 1.0]], ids=str)
def test_weights_of_a_graph_are_real(weights):
    with pytest.raises(TypeError, match="weights must be a numeric array"):
        Graph([0, 1, 2], [1, 0], weights)


def test_a_tensor_that_wants_a_gradient_is_named():
    with pytest.raises(TypeError, match="x must be an array, and this Tensor is none"):
        graphopt.soft_kmeans(
            torch.eye(2, requires_grad=True), np.eye(2), temperature=1.0, iterations=1
        )


def test_what_a_mask_hides_is_not_read():
    hidden = np.ma.masked_array([0, 1], mask=[False, True])
    with pytest.raises(ValueError, match="centers must not have masked entries"):
        graphopt.evaluate_centers(RING, hidden)
    nothing_hidden = np.ma.masked_array([0, 1], mask=False)
    assert graphopt.evaluate_centers(RING, nothing_hidden).radius == 3.0


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("arrays", stack_rows),
        ("names", lambda given: Graph.from_edges([(0, 1)], names=given)),
        ("graphs", features.learn_roles),
        ("parts", completion.Mixture),
        ("partitions", lambda given: learning.consensus(RING, given, 2)),
        ("kmeans_schedule", lambda given: learning.Recipe(kmeans_schedule=given)),
        (
            "candidates",
            lambda given: completion.choose(RING, k=2, seen_fraction=0.5, candidates=given),
        ),
    ],
)
def test_what_is_no_sequence_is_named(name, function):
    with pytest.raises(TypeError, match=f"{name} must be a sequence, not int"):
        function(3)


@pytest.mark.parametrize("resolution", [1j, np.complex64(1), b"1"])
def test_numbers_are_real(resolution):
    with pytest.raises(TypeError, match="resolution must be a number"):
        graphopt.leiden(RING, resolution=resolution)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.int64])
def test_narrow_integers_are_as_good_as_python_s(kind):
    for narrow, plain in (
        (
            completion.Bagging(n_bags=kind(2), draws=kind(100)),
            completion.Bagging(n_bags=2, draws=100),
        ),
        (completion.FeatureNeighbours(kind(3)), completion.FeatureNeighbours(3)),
        (
            completion.LinkModel(n_candidates=kind(100), n_others=kind(4)),
            completion.LinkModel(n_candidates=100, n_others=4),
        ),
    ):
        assert narrow == plain
        rows = np.eye(8, dtype=np.float32)
        assert narrow.missing_edges(RING, rows) == plain.missing_edges(RING, rows)


def test_a_narrow_k_does_not_overflow():
    sets = graphopt.pipage_rounding(np.full(200, 0.5), k=np.uint8(150), draws=3, random_state=0)
    assert sets.shape == (3, 150)


@pytest.mark.parametrize("unit", [2.0**1000, 2.0**-1000])
def test_a_summary_is_the_same_in_any_unit(unit):
    values = np.array([1.0, 2.5, 3.0, 7.0])
    plain, scaled = decision.summarize(values), decision.summarize(values * unit)
    for name in ("mean", "median", "low", "high"):
        assert getattr(scaled, name) == unit * getattr(plain, name)


def test_a_share_whose_inverse_is_infinite_is_refused():
    with pytest.raises(ValueError, match="seen_fraction must not be so small, 1e-310"):
        completion.default_candidates(1e-310)


@pytest.mark.parametrize("schedule", [((0.0,),), (3,), ("ab",)])
def test_a_schedule_holds_pairs(schedule):
    with pytest.raises((TypeError, ValueError), match="kmeans_schedule must"):
        learning.Recipe(kmeans_schedule=schedule)


def test_no_processes_at_all_are_refused():
    with pytest.raises(ValueError, match="n_jobs must not be 0"):
        decision.compare(["leiden"], RING, k=2, n_jobs=0)


@pytest.mark.parametrize("random_state", [-1, 2.5, "0"])
def test_seeds_of_statistics_are_integers(random_state):
    for function in (decision.summarize, decision.signed_rank_p_value):
        with pytest.raises((TypeError, ValueError), match="random_state must be"):
            function([1.0, 2.0, 3.0], random_state=random_state)


def test_an_estimator_with_an_odd_parameter_can_be_printed():
    assert "n_clusters=array([1, 2])" in repr(graphopt.ClusterNet(np.array([1, 2])))
    assert repr(graphopt.ClusterNet(3)) == "ClusterNet(n_clusters=3)"


@pytest.mark.parametrize("share", [1.5, -0.1, "0.5", 1j, None])
def test_a_dropped_share_is_a_number_below_one(share):
    entries = graphopt.nn.SparseMatrix.from_scipy(eye_array(3, dtype=np.float32))
    for function in (
        lambda: graphopt.nn.dropout(torch.ones(3), share),
        lambda: graphopt.nn.Adjacency(RING).masked(share),
        lambda: entries.dropout(share),
    ):
        with pytest.raises((TypeError, ValueError), match="share must be"):
            function()


def test_what_is_dropped_is_real():
    with pytest.raises(TypeError, match=r"values must be float32 or float64, not torch\.int64"):
        graphopt.nn.dropout(torch.arange(3), 0.5)


def test_networks_name_the_width_that_is_wrong():
    for make in (
        lambda width: graphopt.nn.ClusterNet(3, 2, embedding_features=width),
        lambda width: graphopt.nn.LinkPredictor(3, embedding_features=width),
    ):
        with pytest.raises(TypeError, match="embedding_features must be an integer"):
            make("3")


def test_one_row_that_runs_backwards_is_read():
    hops = np.array([[0, 1, 2], [1, 0, 1]], np.uint8)[::-1][:1]
    assert hops.strides[0] < 0
    assert FacilityDistances.from_distances(hops).n_sites == 3


def test_an_opening_has_one_axis():
    objective = KCenterLoss(2)
    with pytest.raises(ValueError, match="decision must be 1D, one opening per site, not 0D"):
        objective.decode(torch.tensor(0.5), objective.prepare(RING))


@pytest.mark.parametrize("path", [None, 3.5, ["model.pt"]], ids=str)
def test_what_is_no_path_is_named(path):
    model = graphopt.DirectGCN(2, iterations=1, n_restarts=1).fit(RING)
    with pytest.raises(TypeError, match="path must be a path, not"):
        model.save(path)
    with pytest.raises(TypeError, match="path must be a path, not"):
        graphopt.DirectGCN.load(path)


@pytest.mark.parametrize(
    ("path", "message"),
    [("a\0b", "must not hold a NUL character"), ("\ud800", "must be one that files can have")],
)
def test_paths_that_no_file_has(path, message):
    with pytest.raises(ValueError, match=f"path {message}"):
        graphopt.ClusterNet.load(path)
    with pytest.raises(ValueError, match=f"data_home {message}"):
        datasets.load("cora", data_home=path)


def test_centers_of_a_gradient_stay_in_the_type_of_x():
    x = np.eye(2, dtype=np.float32)
    with pytest.raises(ValueError, match="grad_centers must be within the range of float32"):
        clustering.soft_kmeans_vjp(
            x, x, temperature=1.0, iterations=1, grad_centers=np.full((2, 2), 1e308)
        )


@pytest.mark.parametrize("function", [graphopt.soft_kmeans, clustering.fixed_point_residual])
def test_ragged_centers_are_named(function):
    kwargs = {"iterations": 1} if function is graphopt.soft_kmeans else {}
    with pytest.raises(TypeError, match="centers must be an array, and this list is none"):
        function(np.eye(2), RAGGED, temperature=1.0, **kwargs)


def test_no_site_is_chosen_at_once_however_often():
    assert graphopt.pipage_rounding([0.0], draws=2**40, random_state=0).shape == (2**40, 0)
    with pytest.raises(ValueError, match="draws must be at most"):
        graphopt.pipage_rounding([0.0], draws=2**62)


def test_the_type_of_an_empty_array_is_no_matter():
    nothing = np.empty(0, complex)
    assert Graph([0, 0], nothing).n_edges == 0
    assert Graph.from_edges(np.empty((0, 2), complex), 2, nothing).n_edges == 0
    assert Graph.from_edge_index(np.empty((2, 0), complex), 2, nothing).n_edges == 0


def test_names_are_hashable():
    with pytest.raises(TypeError, match="names must be hashable"):
        Graph.from_edges([(0, 1)], names=[[], []])


def test_shares_of_a_mixture_are_a_sequence_of_numbers():
    parts = (completion.Bagging(), completion.FeatureNeighbours())
    with pytest.raises(TypeError, match="shares must be a sequence, not ndarray"):
        completion.Mixture(parts, shares=np.array(3.0))
    with pytest.raises(TypeError, match="shares must be a number, not a masked entry"):
        completion.Mixture(parts, shares=np.ma.masked_array([1.0, 2.0], mask=[False, True]))


def test_candidates_are_completions():
    with pytest.raises(TypeError, match="candidates must be completions, not int"):
        completion.choose(RING, k=2, seen_fraction=0.5, candidates=[3])


@pytest.mark.parametrize("power", [0.0, "a", np.array([1.0, 2.0])], ids=str)
def test_a_sharpness_is_a_number_above_zero(power):
    part, rows = completion.FeatureNeighbours(), np.eye(8, dtype=np.float32)
    with pytest.raises((TypeError, ValueError), match="sharpness must be"):
        part.sample(RING, rows, sharpness=power)
    with pytest.raises((TypeError, ValueError), match="powers must be"):
        completion.choose_sharpness(part, RING, rows, seen_fraction=0.5, powers=[power])


def test_an_estimator_is_not_told_that_next_to_nothing_was_seen():
    for model in (
        graphopt.ClusterNet(2, seen_fraction=1e-310),
        graphopt.TwoStage(2, seen_fraction=1e-310),
    ):
        with pytest.raises(ValueError, match="seen_fraction must not be so small"):
            model.fit(RING, np.eye(8))


def test_methods_are_a_sequence():
    with pytest.raises(TypeError, match="methods must be a sequence, not int"):
        decision.portfolio_decisions(RING, k=2, methods=3)


@pytest.mark.parametrize("graph", [None, 3, np.eye(8)], ids=str)
def test_an_adjacency_is_made_of_graphs(graph):
    with pytest.raises(TypeError, match="graph must be a Graph"):
        graphopt.nn.Adjacency(graph)
    if graph is not None:
        with pytest.raises(TypeError, match="missing must be a Graph"):
            graphopt.nn.Adjacency(RING, graph)


@pytest.mark.parametrize("offsets", [torch.tensor(8), torch.zeros(2, 1, dtype=torch.int64)])
def test_offsets_of_networks_have_one_axis(offsets):
    rows, adjacency = torch.eye(8), graphopt.nn.Adjacency(RING).whole
    for network in (graphopt.nn.ClusterNet(8, 2), graphopt.nn.DirectGCN(8, 2, decides="centers")):
        with pytest.raises(ValueError, match="offsets must be a 1D int64 tensor"):
            network(rows, adjacency, offsets=offsets)


def test_an_embedding_that_is_not_finite_is_no_start():
    network = graphopt.nn.ClusterNet(8, 2)
    rows, adjacency = torch.full((8, 8), torch.inf), graphopt.nn.Adjacency(RING).whole
    labels = torch.arange(8) % 2
    with pytest.raises(ValueError, match="the embedding of features must be finite"):
        network.start_from(rows, adjacency, labels, np.random.default_rng(0))


def test_pairs_without_memory_have_no_scores():
    network = graphopt.nn.LinkPredictor(3)
    pairs = torch.zeros(2, 2, dtype=torch.int64, device="meta")
    with pytest.raises(ValueError, match="pairs must be on the device of embedding, cpu, not meta"):
        network.score(torch.zeros(4, network.relation.shape[0]), pairs)


def test_held_out_edges_are_named():
    model = graphopt.LinkPredictor(iterations=1, random_state=0).fit(RING)
    with pytest.raises(TypeError, match="edges must be an array, and this list is none"):
        model.evaluate(RAGGED)
    with pytest.raises(ValueError, match="others must not have masked entries"):
        model.evaluate([(0, 2)], np.ma.masked_array([[0, 3]], mask=[[True, False]]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 0 1 a\n2 0 b\n", "the number of columns changed from 2 to 1 at row 2"),
        ("1 0 1 a\n2 0 x b\n", "could not convert string 'x' to float32 at row 1, column 2"),
        (f"1 {'x' * 9000} a\n", "could not convert string 'xxx"),
    ],
    ids=["ragged", "word", "long word"],
)
def test_a_table_of_features_that_is_none(content, message):
    with pytest.raises(ValueError, match=r"a \.content file holds no table of numbers: ") as caught:
        sources.parse_content(content)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def test_row_boundaries_are_never_empty():
    one = (torch.zeros(1, dtype=torch.int64), torch.zeros(0, dtype=torch.int32), torch.zeros(0))
    with pytest.raises(ValueError, match="indptr must start at 0, and is empty"):
        graphopt.nn.SparseMatrix(*one, (torch.zeros(0, dtype=torch.int64), *one[1:]))


def test_training_on_lengths_next_to_nothing_names_the_graph():
    tiny = Graph.from_edges(RING.edges, 8, np.full(8, 5e-324))
    problem = KCenterLoss(7).prepare(tiny)
    with pytest.raises(ValueError, match=r"problem \(or weights of graph\) must be larger"):
        KCenterLoss(7).training_value(np.arange(7), problem)
