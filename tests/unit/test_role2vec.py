"""role2vec: motifs, meetings on walks, skip-gram, roles shared by nodes and graphs."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from helpers import random_graph

import graphopt
from graphopt import Graph
from graphopt.errors import MemoryLimitError
from graphopt.features import _motifs, learn_roles, motif_counts, role2vec
from graphopt.features._skip_gram import skip_gram
from graphopt.features._walks import expected_meetings, sampled_meetings
from tests.reference import role2vec as reference

SHAPES = {
    "random": random_graph(40, 120, 0),
    "sparse, isolated nodes": random_graph(60, 40, 1),
    "complete": Graph.from_networkx(nx.complete_graph(7)),
    "bipartite": Graph.from_networkx(nx.complete_bipartite_graph(3, 5)),
    "star": Graph.from_networkx(nx.star_graph(8)),
    "ring": Graph.from_networkx(nx.cycle_graph(4)),
    "tree": Graph.from_networkx(nx.balanced_tree(2, 3)),
    "no edge": Graph.from_edges([], 3),
    "one node": Graph.from_edges([], 1),
    "no node": Graph.from_edges([], 0),
}


def two_rings() -> Graph:
    """A ring of 5 and a ring of 6 with a chord, apart, and one node alone."""
    rings = [(i, (i + 1) % 5) for i in range(5)] + [(5 + i, 5 + (i + 1) % 6) for i in range(6)]
    return Graph.from_edges([*rings, (5, 8)], 12)


def role_of(graph: Graph) -> tuple[np.ndarray, int]:
    roles, which = np.unique(motif_counts(graph), axis=0, return_inverse=True)
    return which.reshape(-1), len(roles)


# --- motifs -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_motifs_agree_with_the_twin(shape):
    graph = SHAPES[shape]
    counts = motif_counts(graph)
    assert counts.dtype == np.int64
    assert np.array_equal(counts, reference.motif_counts(graph))


def test_motifs_agree_with_networkx():
    twin = nx.barabasi_albert_graph(150, 4, seed=0)
    counts = motif_counts(Graph.from_edges(list(twin.edges), 150))
    assert counts[:, 0].tolist() == [twin.degree(u) for u in range(150)]
    assert counts[:, 2].tolist() == [nx.triangles(twin, u) for u in range(150)]
    cycles = [c for c in nx.simple_cycles(twin, length_bound=4) if len(c) == 4]
    assert counts[:, 3].tolist() == np.bincount(np.ravel(cycles), minlength=150).tolist()


@pytest.mark.parametrize("rounds", [0, 1, 2])
def test_motifs_do_not_depend_on_the_leaves_that_are_left(monkeypatch, rounds):
    """A triangle with a long branch, a star, an edge and a lonely node."""
    edges = [(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5), (6, 7), (6, 8), (6, 9), (10, 11)]
    graph = Graph.from_edges(edges, 13)
    monkeypatch.setattr(_motifs, "_ROUNDS", rounds)
    assert np.array_equal(motif_counts(graph), reference.motif_counts(graph))


def test_motifs_do_not_depend_on_blocks(monkeypatch):
    graph = random_graph(80, 400, 3)
    whole = motif_counts(graph)
    for size in (1, 50, 1_000):
        monkeypatch.setattr(_motifs, "_BLOCK", size)
        assert np.array_equal(motif_counts(graph), whole)


# --- walks --------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("walk_length", "window"), [(2, 1), (4, 2), (4, 9)])
def test_all_walks_are_counted(shape, walk_length, window):
    graph = SHAPES[shape]
    if graph.n_nodes > 20:
        graph = graph.subgraph(range(10))
    roles, n_roles = role_of(graph)
    found = expected_meetings(graph, roles, n_roles, walk_length, window, 1)
    wanted = reference.expected_meetings(graph, roles, n_roles, walk_length, window)
    assert np.allclose(found, wanted)


def test_drawn_walks_tend_to_all_walks():
    graph = two_rings()
    roles, n_roles = role_of(graph)
    exact = expected_meetings(graph, roles, n_roles, 6, 3, 1)
    rng = np.random.default_rng(0)
    drawn = sampled_meetings(graph, roles, n_roles, 6, 3, 4_000, rng) / 4_000
    assert drawn.sum() == pytest.approx(exact.sum())
    assert np.allclose(drawn, exact, atol=0.01 * exact.max())


def test_more_roles_than_a_block_of_columns():
    twin = nx.barabasi_albert_graph(500, 3, seed=1)
    graph = Graph.from_edges(list(twin.edges), 500)
    roles, n_roles = role_of(graph)
    assert n_roles > 256
    steps = graph.to_scipy().toarray() / graph.degrees[:, None]
    members = np.eye(n_roles)[roles]
    forward = (
        members.T @ steps @ members + members.T @ (steps.sum(axis=0)[:, None] * steps) @ members
    )
    forward += members.T @ steps @ steps @ members
    assert np.allclose(expected_meetings(graph, roles, n_roles, 3, 2, 2), forward + forward.T)


# --- skip-gram ----------------------------------------------------------------------------------


def meetings(n_items: int, seed: int = 0) -> np.ndarray:
    counts = np.random.default_rng(seed).exponential(size=(n_items, n_items)) ** 2
    return counts + counts.T


def test_wide_vectors_reach_the_best_score():
    counts = meetings(6)
    u = skip_gram(counts, 6, 2.0)
    share = counts / counts.sum()
    drawn = share.sum(axis=1) ** 0.75
    best = np.log(share) - np.log(2.0 * np.outer(share.sum(axis=1), drawn / drawn.sum()))
    left, values, _ = np.linalg.svd(best)
    assert np.allclose(np.abs(u), np.abs(left * np.sqrt(values)), atol=1e-2)


def test_narrow_vectors_are_better_than_any_near():
    counts = meetings(12)
    u = skip_gram(counts, 3, 5.0)
    left, values, right = np.linalg.svd(np.log(counts / counts.sum()))
    naive = left[:, :3] * np.sqrt(values[:3]), right[:3].T * np.sqrt(values[:3])
    fitted = min_over_v(counts, u, 5.0)
    assert fitted < reference.skip_gram_loss(counts, *naive, 5.0)
    rng = np.random.default_rng(0)
    for _ in range(3):
        near = u + 0.3 * rng.standard_normal(u.shape)
        assert fitted < min_over_v(counts, near, 5.0)


def min_over_v(counts, u, negatives):
    from scipy.optimize import minimize

    shape = u.shape
    return minimize(
        lambda v: reference.skip_gram_loss(counts, u, v.reshape(shape), negatives),
        np.zeros(u.size),
        method="L-BFGS-B",
    ).fun


def test_columns_are_ordered_and_their_signs_are_fixed():
    u = skip_gram(meetings(9), 5, 5.0)
    assert np.allclose(u.T @ u, np.diag(np.diag(u.T @ u)))
    assert (np.diff(np.diag(u.T @ u)) < 0).all()
    assert (u[np.abs(u).argmax(axis=0), np.arange(5)] > 0).all()
    assert (skip_gram(meetings(3), 5, 5.0)[:, 3:] == 0).all()


# --- features -----------------------------------------------------------------------------------


@pytest.mark.parametrize("n_walks", [None, 3])
def test_nodes_that_can_be_swapped_have_the_same_features(n_walks):
    graph = two_rings()
    x = role2vec(graph, n_features=6, n_walks=n_walks)
    assert (x[1:5] == x[0]).all()
    assert (x[5] == x[8]).all()
    assert (x[[6, 9, 10]] == x[7]).all()
    assert not (x[0] == x[5]).all()
    assert (x[11] == 0).all()
    tree = Graph.from_networkx(nx.balanced_tree(3, 3))
    y = role2vec(tree, n_walks=n_walks)
    assert len(np.unique(y, axis=0)) == 4  # one row for each level


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_walks", [None, 2])
def test_rows_are_finite_and_nodes_alone_have_zeros(shape, n_walks):
    graph = SHAPES[shape]
    x = role2vec(graph, n_features=5, n_walks=n_walks)
    assert x.shape == (graph.n_nodes, 5)
    assert x.dtype == np.float32
    assert np.isfinite(x).all()
    assert ((x != 0).any(axis=1) == (graph.degrees > 0)).all()


def test_roles_near_the_same_roles_are_alike():
    """The ends of two kinds of stars meet only their own hubs."""
    edges, n = [], 0
    for leaves in (3, 3, 3, 12, 12, 12):
        edges += [(n, n + 1 + i) for i in range(leaves)]
        n += leaves + 1
    learned = learn_roles([Graph.from_edges(edges, n)], n_features=4)
    assert learned.roles[:, :2].tolist() == [[1, 2], [1, 4], [2, 0], [4, 0]]
    unit = learned.vectors / np.linalg.norm(learned.vectors, axis=1, keepdims=True)
    likeness = unit @ unit.T
    # A walk on a star is every other time at its hub and comes back to it.
    assert likeness[0, 2] > likeness[0, 1]
    assert likeness[0, 2] > likeness[0, 3]
    assert likeness[1, 3] > likeness[1, 2]


def test_numbering_does_not_matter():
    graph = random_graph(150, 400, 7)
    order = np.random.default_rng(0).permutation(150)
    renumbered = graph.subgraph(order)
    assert np.array_equal(motif_counts(renumbered), motif_counts(graph)[order])
    one, other = learn_roles([graph], n_features=8), learn_roles([renumbered], n_features=8)
    assert np.array_equal(one.roles, other.roles)
    assert np.allclose(one.transform(graph)[order], other.transform(renumbered), atol=1e-3)
    drawn = [learn_roles([g], n_features=8, n_walks=200) for g in (graph, renumbered)]
    likeness = [learned.vectors @ learned.vectors.T for learned in drawn]
    assert np.corrcoef(likeness[0].ravel(), likeness[1].ravel())[0, 1] > 0.97


def test_same_bits_for_any_threads_and_the_same_seed():
    graph = random_graph(300, 900, 5)
    x = role2vec(graph, num_threads=1)
    for threads in (2, 3, 8):
        assert np.array_equal(role2vec(graph, num_threads=threads), x)
    assert np.array_equal(role2vec(graph, random_state=9), x)  # nothing is drawn
    drawn = role2vec(graph, n_walks=2, random_state=3)
    assert np.array_equal(role2vec(graph, n_walks=2, random_state=3, num_threads=2), drawn)
    assert not np.array_equal(role2vec(graph, n_walks=2, random_state=4), drawn)
    generator = np.random.default_rng(3)
    assert np.array_equal(role2vec(graph, n_walks=2, random_state=generator), drawn)


def test_weights_and_names_play_no_part():
    graph = random_graph(50, 120, 2)
    weighted = Graph.from_edges(
        graph.edges, 50, np.arange(1.0, graph.n_edges + 1), names=[f"node {i}" for i in range(50)]
    )
    assert np.array_equal(role2vec(weighted), role2vec(graph))


def test_bins_are_twice_as_wide_each():
    graph = Graph.from_networkx(nx.complete_bipartite_graph(1, 9))
    assert learn_roles([graph]).roles.tolist() == [[1, 4, 0, 0], [4, 0, 0, 0]]
    assert learn_roles([graph], n_motif_bins=3).roles.tolist() == [[1, 2, 0, 0], [2, 0, 0, 0]]
    assert learn_roles([graph], n_motif_bins=2).roles.tolist() == [[1, 0, 0, 0], [1, 1, 0, 0]]


# --- several graphs -----------------------------------------------------------------------------


def test_roles_mean_the_same_in_every_graph():
    graphs = [random_graph(80, 150, seed) for seed in range(3)]
    learned = learn_roles(graphs, n_features=8)
    union = {tuple(role) for role in learned.roles.tolist()}
    assert len(union) == len(learned.roles)
    everything = learned.transform(graphs[1])
    alone = learn_roles([graphs[1]], n_features=8)
    assert {tuple(role) for role in alone.roles.tolist()} < union
    assert (np.unique(everything, axis=0).shape[0] - 1) <= len(alone.roles)
    together = Graph.from_edges(
        np.concatenate([g.edges + 80 * i for i, g in enumerate(graphs)]), 240
    )
    assert np.allclose(learn_roles([together], n_features=8).vectors, learned.vectors, atol=1e-3)


def test_roles_never_met_get_the_nearest_ones():
    learned = learn_roles([Graph.from_networkx(nx.path_graph(6))], n_features=3)
    assert learned.roles.tolist() == [[1, 1, 0, 0], [2, 1, 0, 0], [2, 2, 0, 0]]
    ring = learned.transform(Graph.from_networkx(nx.cycle_graph(5)))  # role 2, 2, 0, 0
    assert (ring == learned.vectors[2]).all()
    pair = learned.transform(Graph.from_edges([(0, 1)], 3))  # role 1, 0, 0, 0: next to the ends'
    assert (pair[:2] == learned.vectors[0]).all()
    assert (pair[2] == 0).all()
    triangle = learned.transform(Graph.from_networkx(nx.complete_graph(3)))  # role 2, 2, 1, 0
    assert (triangle == learned.vectors[2]).all()


def test_nothing_is_learned_from_no_edges():
    for graphs in ([], [Graph.from_edges([], 4)]):
        learned = learn_roles(graphs, n_features=3)
        assert learned.roles.shape == (0, 4)
        assert learned.vectors.shape == (0, 3)
        assert (learned.transform(two_rings()) == np.zeros((12, 3))).all()


# --- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"n_features": 0}, ValueError, "n_features must be at least 1, not 0"),
        ({"walk_length": 1}, ValueError, "walk_length must be at least 2, not 1"),
        ({"n_walks": 0}, ValueError, "n_walks must be at least 1, not 0"),
        ({"window": 0}, ValueError, "window must be at least 1, not 0"),
        ({"window": 2.5}, TypeError, "window must be an integer, not float"),
        ({"n_motif_bins": 1}, ValueError, "n_motif_bins must be at least 2, not 1"),
        ({"negatives": 0}, ValueError, "negatives must be greater than 0, not 0"),
        ({"negatives": 1e308}, ValueError, r"negatives must be at most 1e\+100"),
        ({"random_state": -1}, ValueError, "random_state must be at least 0, not -1"),
        ({"num_threads": 0}, ValueError, "num_threads must be at least 1, not 0"),
    ],
)
def test_bad_settings_are_named(settings, error, message):
    with pytest.raises(error, match=message):
        role2vec(two_rings(), **settings)


def test_bad_graphs_are_named():
    directed = Graph.from_edges([(0, 1)], directed=True)
    for function in (role2vec, motif_counts, learn_roles([two_rings()]).transform):
        with pytest.raises(ValueError, match="graph must be undirected"):
            function(directed)
    with pytest.raises(TypeError, match="graph must be a Graph, not list"):
        role2vec([(0, 1)])
    with pytest.raises(ValueError, match=r"graphs\[1\] must be undirected"):
        learn_roles([two_rings(), directed])


def test_a_table_that_does_not_fit_is_refused(monkeypatch):
    graph = random_graph(60, 150, 0)
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 5_000)
    with pytest.raises(MemoryLimitError, match=r"roles needs .* bytes .*n_motif_bins"):
        role2vec(graph)


def test_features_are_a_public_module():
    assert graphopt.features.role2vec is role2vec
