"""What is no graph, no array, no sequence and no real number is refused by its argument's name."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
import torch
from scipy.sparse import eye_array

import graphopt
from graphopt import Graph, completion, datasets, evaluation, features, learning, paths
from graphopt.clustering import stack_rows
from graphopt.communities import check_strengths
from graphopt.objectives import FacilityLocation, FacilityProblem, Modularity

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
    "distance_tail": lambda graph: evaluation.distance_tail(graph, [0]),
    "exact_within_reach": lambda graph: evaluation.exact_within_reach(graph, 2),
    "clean_splits": lambda graph: list(evaluation.clean_splits(graph)),
    "consensus": lambda graph: learning.consensus(graph, [[0] * 8], 2),
    "Modularity.prepare": Modularity().prepare,
    "FacilityLocation.prepare": FacilityLocation().prepare,
    "FacilityLocation.evaluate": lambda graph: FacilityLocation().evaluate(np.array([0]), graph),
    "quality": lambda graph: evaluation.quality("facility", graph, [0]),
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
        evaluation.judge("community", [0] * 8, RING, RING, np.eye(8))


TAKE_AN_ARRAY = {
    "centers": lambda given: graphopt.evaluate_centers(RING, given),
    "graph_or_distances": lambda given: graphopt.greedy_k_center(given, 1),
    "labels": lambda given: graphopt.modularity(RING, given),
    "x": lambda given: graphopt.soft_kmeans(given, np.eye(2), temperature=1.0, iterations=1),
    "distances": lambda given: graphopt.expected_distances(given, [1.0]),
    "indptr": lambda given: Graph(given, [0]),
    "weights": lambda given: Graph.from_edges([(0, 1)], weights=given),
    "edge_index": Graph.from_edge_index,
    "truth": lambda given: evaluation.agreement([0, 1], given),
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
    plain, scaled = evaluation.summarize(values), evaluation.summarize(values * unit)
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
        evaluation.compare(["leiden"], RING, k=2, n_jobs=0)


@pytest.mark.parametrize("random_state", [-1, 2.5, "0"])
def test_seeds_of_statistics_are_integers(random_state):
    for function in (evaluation.summarize, evaluation.signed_rank_p_value):
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
    assert FacilityProblem.from_distances(hops).n_sites == 3


def test_an_opening_has_one_axis():
    objective = FacilityLocation(2)
    with pytest.raises(ValueError, match="decision must be 1D, one opening per site, not 0D"):
        objective.decode(torch.tensor(0.5), objective.prepare(RING))
