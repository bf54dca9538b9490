"""The link predictor: its parts, what it learns, how it is judged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from estimator_cases import arranged
from helpers import random_graph
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import average_precision_score, roc_auc_score

from graphopt import Graph, set_num_threads
from graphopt.completion.unseen_pairs import UnseenPairs
from graphopt.errors import MemoryLimitError
from graphopt.learning import LinkPredictor, LinkScores, Recipe, link_probabilities
from graphopt.nn import Adjacency
from graphopt.nn import LinkPredictor as Network
from graphopt.nn.operators import pair_scores

QUICK: dict[str, Any] = {
    "iterations": 15,
    "recipe": Recipe(hidden_features=8, embedding_features=6),
    "random_state": 0,
}
GROUPS = np.repeat(np.arange(3), 20)


def planted(seed: int = 0) -> tuple[Graph, np.ndarray, np.ndarray]:
    """Return what is seen of three dense groups, the edges held out, and features."""
    rng = np.random.default_rng(seed)
    u, v = np.triu_indices(60, 1)
    chosen = rng.random(len(u)) < np.where(GROUPS[u] == GROUPS[v], 0.6, 0.02)
    edges = rng.permutation(np.column_stack([u, v])[chosen])
    rows = rng.random((60, 9), np.float32)
    rows[np.arange(60), GROUPS] += 2.0
    half = len(edges) // 2
    return Graph.from_edges(edges[:half], 60), edges[half:], rows


# --- pairs without an edge ----------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 11])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_every_unseen_pair_has_one_place(n: int, share: float) -> None:
    everything = np.column_stack(np.triu_indices(n, 1))
    rng = np.random.default_rng(n)
    edges = everything[rng.random(len(everything)) < share]
    unseen = UnseenPairs(n, edges[:, ::-1])
    pairs = unseen.pairs(np.arange(unseen.count))
    expected = sorted({*map(tuple, everything.tolist())} - {*map(tuple, edges.tolist())})
    assert sorted(map(tuple, pairs.tolist())) == expected
    assert (pairs[:, 0] < pairs[:, 1]).all()


def test_draws_are_uniform_and_distinct_on_request() -> None:
    unseen = UnseenPairs(6, np.array([(0, 1), (1, 0), (2, 5), (3, 4)]))
    assert unseen.count == 12
    rng = np.random.default_rng(0)
    _, counts = np.unique(unseen.draw(12_000, rng), axis=0, return_counts=True)
    assert len(counts) == 12
    assert np.abs(counts - 1000).max() < 150
    assert len(np.unique(unseen.draw(12, rng, distinct=True), axis=0)) == 12


def test_many_nodes_overflow_nothing() -> None:
    n = 200_000
    unseen = UnseenPairs(n, np.array([(0, 1), (n - 1, n - 2), (0, n // 2)], np.int32))
    assert unseen.count == n * (n - 1) // 2 - 3
    last = unseen.pairs(np.array([0, unseen.count - 1]))
    assert last.min() >= 0
    assert last.max() < n
    assert (last[:, 0] != last[:, 1]).all()


# --- the module ---------------------------------------------------------------------------------


def module() -> tuple[Network, torch.Tensor, Any]:
    features = torch.rand(9, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    adjacency = Adjacency(random_graph(9, 15, 0), dtype=torch.float64).whole
    network = Network(4, hidden_features=5, embedding_features=3, dropout=0.0).double()
    network.initialize(features, adjacency, np.random.default_rng(0))
    return network, features, adjacency


def test_scores_are_those_of_distmult() -> None:
    network, features, adjacency = module()
    with torch.no_grad():
        network.relation.copy_(torch.tensor([0.5, -1.0, 2.0]))
    embedding = network(features, adjacency)
    pairs = torch.tensor([[0, 1], [1, 0], [3, 3], [8, 2]])
    expected = [
        sum((embedding[i, d] * network.relation[d] * embedding[j, d]).item() for d in range(3))
        for i, j in pairs.tolist()
    ]
    np.testing.assert_allclose(network.score(embedding, pairs).detach(), expected)
    loss = network.loss(embedding, pairs[:1], pairs[1:]).item()
    odds = np.exp(expected)
    assert loss == pytest.approx(-(np.log(odds[0]) - np.log1p(odds).sum()) / 4)


def test_gradients_are_right() -> None:
    network, features, adjacency = module()
    edges, others = torch.tensor([[0, 1], [1, 5], [1, 8]]), torch.tensor([[2, 3], [1, 0]])
    weights = list(network.parameters())
    assert len(weights) == 5
    assert torch.autograd.gradcheck(
        lambda *_: network.loss(network(features, adjacency), edges, others), weights
    )


def test_the_operator_is_registered_right() -> None:
    network, features, adjacency = module()
    embedding = network(features, adjacency).detach().requires_grad_()
    pairs = torch.tensor([[0, 1], [1, 5], [8, 8], [1, 0]])
    torch.library.opcheck(pair_scores.registered, (embedding, network.relation, pairs, 1))


# --- learning -----------------------------------------------------------------------------------


def test_held_out_edges_are_found() -> None:
    seen, held_out, rows = planted()
    model = LinkPredictor(random_state=0, iterations=150)
    assert model.fit(seen, rows) is model
    assert np.mean(model.losses_[-10:]) < np.mean(model.losses_[:10]) - 0.1
    assert len(model.losses_) == 150
    scores = model.evaluate(held_out)
    assert scores.auc > 0.8
    assert scores.average_precision > 0.75
    assert scores.n_edges == scores.n_others == len(held_out)
    # One from within a group beats most from without, seen or not.
    u, v = np.triu_indices(60, 1)
    inside = GROUPS[u] == GROUPS[v]
    chance = model.predict(np.column_stack([u, v]))
    assert chance[inside].mean() > chance[~inside].mean() + 0.2


def test_without_features_too() -> None:
    seen, held_out, _ = planted()
    model = LinkPredictor(random_state=0, iterations=100).fit(seen)
    assert model.evaluate(held_out).auc > 0.7
    assert not model.interrupted_


def test_negatives_are_new_each_step_and_never_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[np.ndarray] = []
    original = UnseenPairs.draw

    def spy(self: UnseenPairs, *arguments: Any, **named: Any) -> Any:
        drawn.append(original(self, *arguments, **named))
        return drawn[-1]

    monkeypatch.setattr(UnseenPairs, "draw", spy)
    seen, _, rows = planted()
    LinkPredictor(**QUICK).fit(seen, rows)
    assert len(drawn) == 15
    adjacent = seen.to_scipy().toarray() > 0
    for pairs in drawn:
        assert pairs.shape == (seen.n_edges, 2)
        assert not adjacent[pairs[:, 0], pairs[:, 1]].any()
    assert not np.array_equal(drawn[0], drawn[1])


def test_a_seed_repeats_every_bit_at_any_number_of_threads() -> None:
    seen, _, rows = planted()
    fitted = []
    torch_threads = torch.get_num_threads()
    try:
        for threads in (1, 2, 3, 8):
            set_num_threads(threads)
            torch.set_num_threads(min(threads, 2))
            fitted.append(LinkPredictor(**arranged(**QUICK, feature_dropout=0.3)).fit(seen, rows))
    finally:
        set_num_threads(None)
        torch.set_num_threads(torch_threads)
    for model in fitted[1:]:
        assert model.losses_ == fitted[0].losses_
        np.testing.assert_array_equal(model.embedding_, fitted[0].embedding_)
        np.testing.assert_array_equal(model.predict_dense(), fitted[0].predict_dense())
    other = LinkPredictor(**{**QUICK, "random_state": 1}).fit(seen, rows)
    assert other.losses_ != fitted[0].losses_


def test_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    LinkPredictor(**QUICK).fit(*planted()[::2])
    assert torch.equal(torch.get_rng_state(), before)


def ctrl_c(step: int, decision: None, loss: float) -> None:
    if step == 3:
        raise KeyboardInterrupt


@pytest.mark.parametrize("stop", [ctrl_c, lambda step, decision, loss: step == 3])
def test_an_interrupt_keeps_what_was_learned(stop: Any) -> None:
    model = LinkPredictor(**QUICK).fit(*planted()[::2], on_iteration=stop)
    assert model.interrupted_
    assert len(model.losses_) == 3
    assert np.isfinite(model.predict_dense()).all()


# --- probabilities ------------------------------------------------------------------------------


@pytest.mark.parametrize("block", [1, 7, 512])
def test_all_pairs_are_those_asked_one_by_one(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_probabilities, "_BLOCK_ROWS", block)
    monkeypatch.setattr(link_probabilities, "_BLOCK_PAIRS", 100 * block)
    model = LinkPredictor(**QUICK).fit(*planted()[::2])
    dense = model.predict_dense()
    assert dense.dtype == np.float32
    assert (dense.diagonal() == 0.0).all()
    np.testing.assert_array_equal(dense, dense.T)
    pairs = np.column_stack(np.triu_indices(60, 1))
    one_by_one = model.predict(pairs)
    np.testing.assert_allclose(one_by_one, dense[tuple(pairs.T)], rtol=1e-5)
    np.testing.assert_array_equal(one_by_one, model.predict(pairs[:, ::-1]))
    logits = model.network_.score(torch.from_numpy(model.embedding_), torch.from_numpy(pairs))
    np.testing.assert_allclose(one_by_one, torch.sigmoid(logits).detach(), rtol=1e-5)
    assert model.predict([]).shape == (0,)


def test_memory_is_checked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    model = LinkPredictor(**QUICK).fit(*planted()[::2])
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 1000)
    with pytest.raises(MemoryLimitError, match="the probabilities of all pairs of 60 nodes"):
        model.predict_dense()


def test_isolated_nodes_and_zero_rows_are_welcome() -> None:
    seen, _, rows = planted()
    graph = Graph.from_edges(seen.edges, 63)
    padded = np.vstack([rows, np.zeros((3, 9), np.float32)])
    assert np.isfinite(LinkPredictor(**QUICK).fit(graph, padded).predict_dense()).all()


# --- judgement ----------------------------------------------------------------------------------


def test_scores_are_those_of_scikit_learn() -> None:
    seen, held_out, rows = planted()
    model = LinkPredictor(**QUICK).fit(seen, rows)
    everything = UnseenPairs(60, np.concatenate([seen.edges, held_out]))
    others = everything.pairs(np.arange(everything.count))
    scores = model.evaluate(held_out, others, hits_at=(1, 20, 10**6))
    present, absent = model.predict(held_out), model.predict(others)
    truth = np.repeat([1, 0], [len(present), len(absent)])
    both = np.concatenate([present, absent])
    assert scores.auc == roc_auc_score(truth, both)
    assert scores.average_precision == average_precision_score(truth, both)
    assert scores.hits[1] == (present > absent.max()).mean()
    assert scores.hits[20] == np.mean([(absent >= chance).sum() < 20 for chance in present])
    assert scores.hits[10**6] == 1.0
    assert (scores.n_edges, scores.n_others) == (len(held_out), len(others))


def test_evaluation_is_seeded() -> None:
    seen, held_out, rows = planted()
    model = LinkPredictor(**QUICK).fit(seen, rows)
    first = model.evaluate(held_out)
    assert isinstance(first, LinkScores)
    assert set(first.hits) == {10, 50, 100}
    assert first == model.evaluate(held_out[::-1], random_state=0)
    assert first != model.evaluate(held_out, random_state=1)


def test_held_out_edges_must_not_have_been_seen() -> None:
    seen, held_out, rows = planted()
    model = LinkPredictor(**QUICK).fit(seen, rows)
    u, v = seen.edges[3]
    with pytest.raises(ValueError, match=rf"edges must not have been seen; \({v}, {u}\) was"):
        model.evaluate(np.vstack([held_out[:2], [(v, u)]]))
    with pytest.raises(ValueError, match="edges must hold at least one pair"):
        model.evaluate([])
    with pytest.raises(ValueError, match="others must hold at least one pair"):
        model.evaluate(held_out, [])
    with pytest.raises(ValueError, match="hits_at must be at least 1, not 0"):
        model.evaluate(held_out, hits_at=[0])


# --- habits and errors --------------------------------------------------------------------------


def test_parameters_clone_and_repr() -> None:
    model = LinkPredictor(iterations=5, recipe=Recipe(masking=0.5))
    assert repr(model) == "LinkPredictor(iterations=5, recipe=Recipe(masking=0.5))"
    assert clone(model).get_params() == model.get_params()
    for ask in (lambda: model.predict([(0, 1)]), model.predict_dense, lambda: model.evaluate([])):
        with pytest.raises(NotFittedError, match="has learned nothing yet; call fit first"):
            ask()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"iterations": 0}, "iterations must be at least 1, not 0"),
        ({"learning_rate": 0.0}, "learning_rate must be greater than 0, not 0"),
        ({"weight_decay": -1.0}, "weight_decay must be at least 0, not -1"),
        ({"masking": 1.0}, "masking must be less than 1, not 1"),
        ({"feature_dropout": 1.5}, "feature_dropout must be at most 1, not 1.5"),
        ({"dropout": 1.0}, "dropout must be less than 1, not 1"),
        ({"smoothing": -1}, "smoothing must be at least 0, not -1"),
        ({"embedding_features": 0}, "embedding_features must be at least 1, not 0"),
    ],
)
def test_parameters_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        LinkPredictor(**arranged(**{**QUICK, **settings})).fit(planted()[0])


def test_graphs_that_do_not_fit() -> None:
    model = LinkPredictor(**QUICK)
    for graph in (
        Graph.from_edges([], 4),
        Graph.from_edges([(0, 1), (1, 2), (0, 2)]),
        Graph.from_edges([], 0),
    ):
        with pytest.raises(ValueError, match="graph must have both pairs with and without an edge"):
            model.fit(graph)
    with pytest.raises(TypeError, match="graph must be a Graph, not csr_array"):
        model.fit(planted()[0].to_scipy())
    with pytest.raises(ValueError, match="graph must be undirected"):
        model.fit(Graph.from_edges([(0, 1)], 3, directed=True))


def test_pairs_that_do_not_fit() -> None:
    model = LinkPredictor(**QUICK).fit(*planted()[::2])
    for pairs, message in (
        ([(0, 60)], r"pairs must hold node numbers in 0..59; pairs\[1\] is 60"),
        ([(0, 1, 2)], r"pairs must have shape \(n_pairs, 2\), not \(1, 3\)"),
        ([0, 1], r"pairs must have shape \(n_pairs, 2\), not \(2,\)"),
        ([(0, 1), (4, 4)], r"pairs must join different nodes; pairs\[1\] does not"),
    ):
        with pytest.raises(ValueError, match=f"^{message}"):
            model.predict(pairs)
    with pytest.raises(TypeError, match="pairs must hold integers, not float64"):
        model.predict([(0.0, 1.0)])
