"""Edges hidden from a graph, nodes renumbered, and decisions numbered back."""

import numpy as np
import pytest

from graphopt import Graph
from graphopt.datasets.hiding import Hiding, hide_edges
from graphopt.objectives import KCenter, Modularity

RING = Graph.from_edges(
    [(i, (i + 1) % 20) for i in range(20)],
    weights=np.arange(1.0, 21.0),
    names=[f"n{i}" for i in range(20)],
)


@pytest.mark.parametrize("renumber", [False, True], ids=["same numbers", "other numbers"])
def test_every_edge_is_kept_or_hidden(renumber: bool) -> None:
    found = hide_edges(RING, 0.4, np.random.default_rng(3), renumber=renumber)
    assert (found.seen.n_edges, found.unseen.n_edges, len(found.hidden)) == (8, 12, 12)
    assert np.array_equal(found.order, np.arange(20)) is not renumber
    assert found.seen.names == tuple(f"n{i}" for i in found.order)
    before = {
        (u, v): weight
        for (u, v), weight in zip(RING.edges.tolist(), RING.edge_weights, strict=True)
    }
    after = {
        tuple(sorted(found.order[edge].tolist())): weight
        for part in (found.seen, found.unseen)
        for edge, weight in zip(part.edges, part.edge_weights, strict=True)
    }
    assert after == before
    again = hide_edges(RING, 0.4, np.random.default_rng(3), renumber=renumber)
    np.testing.assert_array_equal(found.seen.edges, again.seen.edges)


def test_features_follow_their_nodes_and_callables_know_only_what_is_seen() -> None:
    def hidden(features: object) -> Hiding:
        rng = np.random.default_rng(0)
        return hide_edges(RING, 0.4, rng, renumber=True, features=features)

    found = hidden(np.arange(20.0)[:, None])
    np.testing.assert_array_equal(found.features[:, 0], found.order)
    found = hidden(lambda graph: graph.degrees[:, None])
    np.testing.assert_array_equal(found.features[:, 0], found.seen.degrees)
    assert hidden(None).features is None
    with pytest.raises(ValueError, match="features"):
        hidden(lambda graph: np.zeros((3, 2)))


@pytest.mark.parametrize("kind", [np.int32, np.int64], ids=["int32", "int64"])
def test_renumbering_back_undoes_the_order(kind: type) -> None:
    order = np.array([2, 0, 1])
    groups = Modularity().renumber(np.array([5, 6, 7], kind), order)
    centers = KCenter().renumber(np.array([0, 2], kind), order)
    assert (groups.tolist(), centers.tolist()) == ([6, 7, 5], [2, 1])
    assert groups.dtype == centers.dtype == kind


@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_hidden_edges_stand_for_all_that_are_missing(weighted: bool) -> None:
    rng = np.random.default_rng(0)
    edges = np.unique(np.sort(rng.integers(0, 40, (200, 2)), axis=1), axis=0)
    edges = edges[edges[:, 0] != edges[:, 1]]
    weights = rng.random(len(edges)) + 0.5 if weighted else None
    graph = Graph.from_edges(edges, 40, weights)
    total = graph.strengths.sum() / 2
    found = hide_edges(graph, 0.8, rng, renumber=True)
    whole = found.as_whole(0.4)
    assert np.array_equal(whole.edges, graph.edges)
    assert whole.edge_weights is not None
    assert whole.edge_weights.sum() == pytest.approx(total)
    kept = Graph.from_edges(found.order[found.seen.edges], 40)
    is_kept = np.isin(whole.edges @ [40, 1], kept.edges @ [40, 1])
    assert whole.edge_weights[is_kept].sum() == pytest.approx(0.4 * total)
    given = np.ones(len(edges)) if graph.edge_weights is None else graph.edge_weights
    for part in (is_kept, ~is_kept):
        ratio = whole.edge_weights[part] / given[part]
        assert ratio == pytest.approx(ratio[0])


def test_nothing_hidden_stands_for_nothing() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2)], 3)
    whole = hide_edges(graph, 1.0, np.random.default_rng(0)).as_whole(0.4)
    assert whole.edge_weights is None or (whole.edge_weights == 1.0).all()
