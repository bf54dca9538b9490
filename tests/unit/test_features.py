"""Features made comparable, missing edges between like nodes, nodes that tell nothing."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

from graphopt import Graph
from graphopt.completion import FeatureNeighbours, Mixture, spread_over_groups
from graphopt.features import check_features, smoothed_features, unit_features
from graphopt.learning.inputs import informative_nodes


def words(n_nodes: int, n_words: int, seed: int = 0) -> scipy.sparse.csr_array:
    rng = np.random.default_rng(seed)
    return scipy.sparse.csr_array((rng.random((n_nodes, n_words)) < 0.3).astype(np.float32))


def test_rows_become_unit_length_and_zeros_stay() -> None:
    dense = np.array([[3.0, 4.0], [0.0, 0.0], [1e-30, 0.0]], np.float32)
    assert np.allclose(unit_features(dense), [[0.6, 0.8], [0.0, 0.0], [1.0, 0.0]])
    sparse = unit_features(scipy.sparse.csr_array(dense))
    assert np.allclose(sparse.toarray(), unit_features(dense))


def test_rare_words_weigh_more() -> None:
    matrix = scipy.sparse.csr_array(np.array([[1, 1], [1, 0], [1, 0], [0, 1]], np.float32))
    rows = unit_features(matrix).toarray()
    rare, common = np.log(4 / 2), np.log(4 / 3)
    assert np.allclose(rows[0], np.array([common, rare]) / np.hypot(rare, common))
    assert (matrix.data == 1.0).all()


def test_smoothing_averages_over_the_closed_neighbourhood() -> None:
    graph = Graph.from_edges([(0, 1)], 3)
    dense = np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]], np.float32)
    once = smoothed_features(dense, graph, 1)
    assert np.allclose(once, [[0.5**0.5, 0.5**0.5]] * 2 + [[0.6, 0.8]])
    assert np.allclose(smoothed_features(dense, graph, 0), dense)
    sparse = smoothed_features(scipy.sparse.csr_array(dense), graph, 1)
    assert np.allclose(sparse.toarray(), once)


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (np.ones((2, 2)), "features must have one row per node, 3, not 2"),
        (np.full((3, 1), np.nan), "features must be finite"),
        (scipy.sparse.csr_array(np.full((3, 1), np.inf)), "features must be finite"),
        (np.ones(3), "features must be 2D"),
    ],
)
def test_bad_features_are_refused(features: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_features(features, 3)


def test_neighbours_are_the_nearest_by_cosine() -> None:
    matrix = words(60, 25)
    graph = Graph.from_edges([], 60)
    found = FeatureNeighbours(n_neighbours=4, weight=1.0).missing_edges(graph, matrix)
    rows = unit_features(matrix).toarray()
    cosine = rows @ rows.T
    np.fill_diagonal(cosine, -1.0)
    threshold = np.sort(cosine, axis=1)[:, -4]
    for u, v in found.edges:
        assert cosine[u, v] >= min(threshold[u], threshold[v]) - 1e-6
    assert (found.degrees >= 4).all()


def test_several_numbers_of_neighbours_are_averaged() -> None:
    rng = np.random.default_rng(0)
    graph = Graph.from_edges(rng.integers(0, 60, (80, 2)), 60)
    features = rng.random((60, 8))  # no ties between neighbours
    counts = (2, 5, 100)
    together = FeatureNeighbours(counts, weight=1.5).missing_edges(graph, features)
    each = tuple(FeatureNeighbours(count, weight=1.5) for count in counts)
    average = Mixture(each).missing_edges(graph, features)
    assert np.array_equal(together.edges, average.edges)
    assert np.allclose(together.edge_weights, average.edge_weights)


@pytest.mark.parametrize("counts", [(), (5, 0)], ids=["none", "zero"])
def test_numbers_of_neighbours_must_be_some(counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="n_neighbours must"):
        FeatureNeighbours(counts)


def test_total_weight_is_what_is_missing() -> None:
    rng = np.random.default_rng(0)
    graph = Graph.from_edges(rng.integers(0, 60, (80, 2)), 60)
    found = FeatureNeighbours(n_neighbours=5, weight=1.5).missing_edges(graph, words(60, 25))
    weights = found.edge_weights
    assert weights is not None
    assert np.isclose(weights.sum(), 1.5 * graph.n_edges)
    assert graph.plus(found).strengths.sum() == pytest.approx(2 * 2.5 * graph.n_edges)


def test_well_seen_nodes_lean_less_on_features() -> None:
    star = Graph.from_edges(np.column_stack([np.zeros(9, int), np.arange(1, 10)]), 12)
    features = np.tile(np.eye(2, dtype=np.float32), (6, 1))
    found = FeatureNeighbours(n_neighbours=3, smoothing=0).missing_edges(star, features)
    assert found.strengths[0] < found.strengths[10]


@pytest.mark.parametrize("n_nodes", [0, 1, 2])
def test_tiny_graphs_have_what_neighbours_they_can(n_nodes: int) -> None:
    graph = Graph.from_edges([], n_nodes)
    found = FeatureNeighbours().missing_edges(graph, np.ones((n_nodes, 2)))
    assert found.n_edges == (1 if n_nodes == 2 else 0)


def test_informative_nodes_have_an_edge_or_features() -> None:
    graph = Graph.from_edges([(0, 1)], 5)
    features = np.array([[1.0], [1.0], [0.9], [0.01], [0.0]], np.float32)
    assert informative_nodes(graph, features).tolist() == [0, 1, 2]
    assert informative_nodes(graph, scipy.sparse.csr_array(features)).tolist() == [0, 1, 2]
    assert informative_nodes(graph, None).tolist() == [0, 1]


def test_others_are_spread_by_degree() -> None:
    edges = [(0, i) for i in range(1, 10)] + [(10, 11)]
    graph = Graph.from_edges(edges, 112)
    nodes = np.arange(12, dtype=np.int32)
    labels = np.array([0] * 10 + [1] * 2, np.int32)
    everyone = spread_over_groups(labels, nodes, graph, 3, np.random.default_rng(0))
    assert (everyone[:12] == labels).all()
    assert np.bincount(everyone[12:], minlength=3).tolist() == [90, 10, 0]


def test_extreme_rows_keep_their_direction() -> None:
    dense = np.array([[3e-45, 3e-45], [3e38, 3e38], [1e-30, 1e30]], np.float32)
    for rows in (unit_features(dense), unit_features(scipy.sparse.csr_array(dense)).toarray()):
        assert np.allclose(rows, [[0.5**0.5] * 2, [0.5**0.5] * 2, [0.0, 1.0]])
    graph = Graph.from_edges([], 3)
    assert informative_nodes(graph, np.full((3, 2), 1e-30, np.float32)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("exponent", [-900, -200, 1, 200, 900])
def test_features_beyond_single_precision_keep_their_directions(exponent: int) -> None:
    dense = np.random.default_rng(0).normal(size=(6, 3)) * [1.0, 1e-4, 1e4]
    words = (np.random.default_rng(1).random((6, 3)) < 0.5).astype(float)
    for features in (dense, words):
        for kind in (np.asarray, scipy.sparse.csr_array):
            rows, other = (
                unit_features(check_features(kind(values), 6))
                for values in (features, np.ldexp(features, exponent))
            )
            difference = rows != other
            assert not (difference.any() if isinstance(rows, np.ndarray) else difference.nnz)


def test_features_that_are_not_finite_are_refused() -> None:
    for value in (np.nan, np.inf):
        for features in (np.full((2, 1), value), scipy.sparse.csr_array(np.full((2, 1), value))):
            with pytest.raises(ValueError, match="features must be finite"):
                check_features(features, 2)


def test_features_are_left_as_they_came() -> None:
    data, indices = np.array([1, 2, 4], np.float32), np.array([1, 0, 1], np.int32)
    repeated = scipy.sparse.csr_array((data, indices, np.array([0, 3, 3])), shape=(2, 2))
    rows = check_features(repeated, 2)
    assert rows.toarray().tolist() == [[2.0, 5.0], [0.0, 0.0]]
    assert repeated.data.tolist() == [1.0, 2.0, 4.0]
    assert repeated.indices.tolist() == [1, 0, 1]

    for given in (words(4, 5), np.eye(4, dtype=np.float32)):
        before = given.copy()
        if isinstance(given, np.ndarray):
            given.flags.writeable = False
        else:
            given.data.flags.writeable = False
        smoothed_features(given, Graph.from_edges([(0, 1)], 4), 1)
        assert abs(given - before).max() == 0.0


@pytest.mark.parametrize("convert", [np.asfortranarray, lambda a: np.repeat(a, 2, 0)[::2]])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int32, np.bool_])
def test_layout_and_type_of_features_do_not_matter(convert, dtype) -> None:
    matrix = (np.random.default_rng(0).random((6, 4)) < 0.5).astype(dtype)
    graph = Graph.from_edges([(0, 1), (2, 3)], 6)
    wanted = smoothed_features(matrix.astype(np.float32), graph, 1)
    assert (smoothed_features(convert(matrix), graph, 1) == wanted).all()
    sparse = smoothed_features(scipy.sparse.coo_array(matrix), graph, 0)
    assert sparse.dtype == np.float32
