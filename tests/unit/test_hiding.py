"""Edges hidden from a graph, nodes renumbered, and decisions numbered back."""

import numpy as np
import pytest

from graphopt import Graph
from graphopt.datasets.hiding import hide_edges, renumbered_back

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


def test_rows_follow_their_nodes_and_callables_know_only_what_is_seen() -> None:
    found = hide_edges(RING, 0.4, np.random.default_rng(0), renumber=True)
    np.testing.assert_array_equal(found.rows(np.arange(20.0)[:, None])[:, 0], found.order)
    degrees = found.rows(lambda graph: graph.degrees[:, None])
    np.testing.assert_array_equal(degrees[:, 0], found.seen.degrees)
    assert found.rows(None) is None
    with pytest.raises(ValueError, match="features"):
        found.rows(lambda graph: np.zeros((3, 2)))


@pytest.mark.parametrize("kind", [np.int32, np.int64], ids=["int32", "int64"])
def test_renumbering_back_undoes_the_order(kind: type) -> None:
    order = np.array([2, 0, 1])
    groups = renumbered_back("community", np.array([5, 6, 7], kind), order)
    centers = renumbered_back("facility", np.array([0, 2], kind), order)
    assert (groups.tolist(), centers.tolist()) == ([6, 7, 5], [2, 1])
    assert groups.dtype == centers.dtype == kind
