"""Expected edges and sampled graphs: totals, ranges, seeds, and what small graphs bring."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse
from helpers import random_graph

from graphopt import Graph
from graphopt.completion import (
    Bagging,
    EdgeProbabilities,
    FeatureNeighbours,
    LinkModel,
    Mixture,
    PairCompletion,
)
from graphopt.completion._bagging import _Bag
from graphopt.completion._pair_features import PairFeatures
from graphopt.completion._probabilities import capped
from graphopt.errors import MemoryLimitError
from graphopt.learning import LinkPredictor, PredictedLinks

N = 60
GROUPS = np.repeat(np.arange(3), N // 3)
FEATURES = (
    np.eye(3)[GROUPS] + 0.3 * np.abs(np.random.default_rng(1).standard_normal((N, 3)))
).astype(np.float32)


def planted(seed: int = 0, *, weighted: bool = False) -> Graph:
    """Three groups, edges mostly inside them; the last two nodes have none."""
    rng = np.random.default_rng(seed)
    u, v = np.triu_indices(N, 1)
    chance = np.where(GROUPS[u] == GROUPS[v], 0.15, 0.01)
    edges = np.column_stack([u, v])[(rng.random(len(u)) < chance) & (v < N - 2)]
    weights = rng.uniform(0.5, 2.0, len(edges)) if weighted else None
    return Graph.from_edges(edges, N, weights)


def network(weight: float = 1.5) -> PredictedLinks:
    return PredictedLinks(weight, predictor=LinkPredictor(iterations=80, random_state=0))


COMPLETIONS: dict[str, PairCompletion] = {
    "neighbours": FeatureNeighbours(5),
    "bagging": Bagging(),
    "link model": LinkModel(),
    "link model, few candidates": LinkModel(n_candidates=5, smoothing=0),
    "network": network(),
}
every_completion = pytest.mark.parametrize("completion", COMPLETIONS.values(), ids=COMPLETIONS)
CHANCES = EdgeProbabilities(
    Graph.from_edges([(0, 1), (1, 2), (3, 4)], 8), [(2, 0), (5, 6), (1, 3)], [1.0, 0.5, 0.25], 0.02
)


def codes(graph: Graph) -> set[tuple[int, int]]:
    return {(int(u), int(v)) for u, v in graph.edges}


# --- every completion -----------------------------------------------------------------------------


@every_completion
@pytest.mark.parametrize("weighted", [False, True], ids=["unweighted", "weighted"])
def test_what_is_expected_sums_to_what_is_missing(
    completion: PairCompletion, weighted: bool
) -> None:
    graph = planted(weighted=weighted)
    found = completion.probabilities(graph, FEATURES)
    assert found.n_missing == pytest.approx(1.5 * graph.n_edges)
    assert ((found.probabilities >= 0.0) & (found.probabilities <= 1.0)).all()
    assert 0.0 <= found.background <= 1.0
    missing = completion.missing_edges(graph, FEATURES)
    assert missing.edge_weights is not None
    assert missing.edge_weights.sum() == pytest.approx(1.5 * graph.strengths.sum() / 2)
    assert (missing.edge_weights > 0.0).all()


@every_completion
def test_samples_hold_every_seen_edge_and_as_many_more_as_expected(
    completion: PairCompletion,
) -> None:
    graph = planted()
    samples = completion.sample(graph, FEATURES, 20, random_state=0)
    assert len(samples) == 20
    for sample in samples:
        assert codes(graph) <= codes(sample)
    drawn = np.mean([sample.n_edges - graph.n_edges for sample in samples])
    assert drawn == pytest.approx(1.5 * graph.n_edges, rel=0.1)


@every_completion
def test_the_same_seed_gives_the_same_bits(completion: PairCompletion) -> None:
    graph = planted()
    once, again = (completion.sample(graph, FEATURES, 2, random_state=3) for _ in range(2))
    assert once == again
    assert once[0] != once[1]
    assert completion.sample(graph, FEATURES, 2, random_state=4) != once
    assert completion.missing_edges(graph, FEATURES) == completion.missing_edges(graph, FEATURES)


@every_completion
def test_groups_are_found_again_in_what_is_expected(completion: PairCompletion) -> None:
    missing = completion.missing_edges(planted(), FEATURES)
    together = GROUPS[missing.edges[:, 0]] == GROUPS[missing.edges[:, 1]]
    assert missing.edge_weights is not None
    assert missing.edge_weights[together].sum() > 0.5 * missing.edge_weights.sum()


@pytest.mark.parametrize("n_nodes", [0, 1, 2, 9])
@pytest.mark.parametrize(
    "completion", [FeatureNeighbours(), Bagging(), LinkModel()], ids=["neighbours", "bags", "model"]
)
def test_a_graph_without_edges_misses_none(completion: PairCompletion, n_nodes: int) -> None:
    graph = Graph.from_edges([], n_nodes)
    features = np.ones((n_nodes, 2), np.float32)
    assert completion.probabilities(graph, features).n_missing == 0.0
    assert completion.sample(graph, features, 1) == [graph]


@pytest.mark.parametrize(
    "completion",
    [Bagging(1.0), LinkModel(1.0), FeatureNeighbours(5, 1.0)],
    ids=["bags", "model", "fn"],
)
def test_from_one_edge_nothing_is_learned_but_one_is_missing(completion: PairCompletion) -> None:
    graph = Graph.from_edges([(0, 1)], 5, names=list("abcde"))
    found = completion.probabilities(graph, np.eye(5, dtype=np.float32))
    assert found.n_missing == pytest.approx(1.0)
    assert completion.sample(graph, np.eye(5), 1)[0].names == tuple("abcde")


@every_completion
def test_more_missing_than_there_is_room_for_is_refused(completion: PairCompletion) -> None:
    whole = Graph.from_edges([(u, v) for u in range(6) for v in range(u)][1:], 6)
    with pytest.raises(ValueError, match=r"room|pairs that are likely at all"):
        completion.probabilities(whole, np.eye(6, dtype=np.float32))


@every_completion
def test_directed_graphs_are_refused(completion: PairCompletion) -> None:
    graph = random_graph(10, 20, 0, directed=True)
    with pytest.raises(ValueError, match="undirected"):
        completion.probabilities(graph, np.ones((10, 2), np.float32))


@pytest.mark.parametrize("completion", [FeatureNeighbours(), LinkModel()], ids=["fn", "model"])
def test_features_must_be_finite_and_one_row_per_node(completion: PairCompletion) -> None:
    with pytest.raises(ValueError, match="features must be finite"):
        completion.missing_edges(planted(), np.full((N, 2), np.nan))
    with pytest.raises(ValueError, match=f"one row per node, {N}, not 3"):
        completion.missing_edges(planted(), np.ones((3, 2)))


def test_neighbours_need_features() -> None:
    with pytest.raises(ValueError, match="features must be given"):
        FeatureNeighbours().missing_edges(planted())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Bagging(keep=1.0), "keep must be less than 1"),
        (lambda: Bagging(keep=0.0), "keep must be greater than 0"),
        (lambda: Bagging(n_bags=0), "n_bags must be at least 1"),
        (lambda: Bagging(weight=-1.0), "weight must be at least 0"),
        (lambda: LinkModel(n_candidates=0), "n_candidates must be at least 1"),
        (lambda: LinkModel(weight=np.nan), "weight must be finite"),
        (lambda: PredictedLinks(n_candidates=0), "n_candidates must be at least 1"),
        (lambda: Mixture(()), "parts must hold at least one"),
        (lambda: Mixture((Bagging(),), (1.0, 2.0)), "shares must be one per part, 1, not 2"),
        (lambda: Mixture((Bagging(),), (0.0,)), "shares must be greater than 0"),
    ],
)
def test_parameters_are_checked(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("completion", "message"),
    [
        (Bagging(), "drawn edges needs .* fewer draws"),
        (LinkModel(features_from_edges=True), "candidate pairs needs .* fewer n_candidates"),
        (network(), "candidate pairs needs .* fewer n_candidates"),
    ],
    ids=["bagging", "link model", "network"],
)
def test_what_does_not_fit_is_refused(
    completion: PairCompletion, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 25_000)
    with pytest.raises(MemoryLimitError, match=message):
        completion.probabilities(planted(), FEATURES)


# --- each of them ---------------------------------------------------------------------------------


def test_features_that_came_from_the_edges_are_not_looked_at() -> None:
    graph = planted()
    blind = LinkModel(features_from_edges=True).probabilities(graph, FEATURES)
    bare = LinkModel().probabilities(graph)
    np.testing.assert_array_equal(blind.probabilities, bare.probabilities)
    assert not np.array_equal(
        LinkModel().probabilities(graph, FEATURES).probabilities, bare.probabilities
    )


def test_the_model_ranks_edges_it_has_not_seen_above_other_pairs() -> None:
    from sklearn.metrics import roc_auc_score

    whole = planted(7)
    seen = Graph.from_edges(whole.edges[::2], N)
    found = LinkModel(1.0).probabilities(seen, FEATURES)
    hidden = [tuple(pair) in codes(whole) for pair in found.pairs.tolist()]
    assert len(found.pairs) == N * (N - 1) // 2 - seen.n_edges
    assert roc_auc_score(hidden, found.probabilities) > 0.65


@pytest.mark.parametrize("layout", [np.asarray, scipy.sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("block", [2**21, 100], ids=["whole", "blocks"])
def test_pairs_are_described_as_networkx_does(
    layout: Any, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    import networkx as nx

    monkeypatch.setattr("graphopt.completion._pair_features._BLOCK_ENTRIES", block)
    graph = planted()
    peer = graph.to_networkx()
    known = PairFeatures(graph, layout(FEATURES), 1)
    pairs = np.array([(u, v) for u in range(N) for v in range(u + 1, N) if not peer.has_edge(u, v)])
    values = known.of(pairs)
    assert values.shape == (len(pairs), 8) == (len(pairs), len(known.names))
    mean = graph.degrees.mean()
    np.testing.assert_allclose(
        values[:, :2],
        np.sort(np.log1p(graph.degrees[pairs] / mean), axis=1),
        rtol=1e-5,
    )
    common = [len(list(nx.common_neighbors(peer, *pair))) for pair in pairs.tolist()]
    adamic = [p for _, _, p in nx.adamic_adar_index(peer, pairs.tolist())]
    resource = [p for _, _, p in nx.resource_allocation_index(peer, pairs.tolist())]
    for column, wanted in ((2, common), (3, adamic), (4, resource)):
        np.testing.assert_allclose(values[:, column], np.log1p(wanted), rtol=1e-5, atol=1e-6)
    paths = [
        sum(
            1.0 / np.sqrt(peer.degree(a) * peer.degree(b))
            for a in peer[u]
            for b in peer[v]
            if peer.has_edge(a, b)
        )
        for u, v in pairs.tolist()
    ]
    np.testing.assert_allclose(values[:, 5], np.log1p(paths), rtol=1e-5, atol=1e-6)
    unit = FEATURES / np.linalg.norm(FEATURES, axis=1, keepdims=True)
    cosines = (unit @ unit.T)[pairs[:, 0], pairs[:, 1]]
    np.testing.assert_allclose(values[:, 6], cosines, rtol=1e-5)
    table = np.concatenate([part for _, part in known.blocks()], axis=1)
    np.testing.assert_allclose(table[:, pairs[:, 0], pairs[:, 1]].T, values, rtol=1e-4, atol=1e-6)


def test_draws_of_a_bag_follow_its_rates() -> None:
    graph = random_graph(12, 30, 0)
    bag = _Bag(graph, 0.6, None, np.random.default_rng(0))
    u, v = np.triu_indices(12, 1)
    pairs = np.column_stack([u, v]).astype(np.int32)
    rates = bag.rates(pairs)
    assert rates.sum() + bag.loop_share() == pytest.approx(1.0)
    drawn = np.sort(bag.draw(200_000, np.random.default_rng(1)), axis=1)
    often = np.bincount(drawn[:, 0] * 12 + drawn[:, 1], minlength=144)[u * 12 + v] / len(drawn)
    np.testing.assert_allclose(often, rates, atol=0.003)


def test_a_mixture_is_the_average() -> None:
    graph = planted()
    parts = FeatureNeighbours(5), Bagging()
    found = Mixture(parts, (1.0, 3.0)).missing_edges(graph, FEATURES)
    dense = [part.missing_edges(graph, FEATURES).to_scipy().toarray() for part in parts]
    np.testing.assert_allclose(found.to_scipy().toarray(), 0.25 * dense[0] + 0.75 * dense[1])


# --- probabilities --------------------------------------------------------------------------------


def test_pairs_are_sorted_and_frozen() -> None:
    assert CHANCES.pairs.tolist() == [[0, 2], [1, 3], [5, 6]]
    assert CHANCES.probabilities.tolist() == [1.0, 0.25, 0.5]
    assert CHANCES.n_others == 28 - 3 - 3
    assert CHANCES.n_missing == pytest.approx(1.75 + 0.02 * 22)
    with pytest.raises(ValueError, match="read-only"):
        CHANCES.probabilities[0] = 0.0


@pytest.mark.parametrize(
    ("pairs", "chances", "message"),
    [
        ([(0, 0)], [0.5], "join different nodes"),
        ([(0, 2), (2, 0)], [0.5, 0.5], "be distinct"),
        ([(1, 0)], [0.5], "have no seen edge"),
        ([(0, 2)], [1.5], "probabilities must be within"),
        ([(0, 2)], [np.nan], "probabilities must be finite"),
        ([(0, 2)], [0.5, 0.5], "one per pair, 1, not 2"),
        ([(0, 9)], [0.5], "node numbers in 0..7"),
        ([0, 2], [0.5], "shape"),
    ],
)
def test_what_is_no_list_of_pairs_is_refused(pairs: Any, chances: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        EdgeProbabilities(CHANCES.graph, pairs, chances)


@pytest.mark.parametrize("total", [0.0, 0.1, 3.0, 20.0])
def test_odds_are_shifted_to_a_total(total: float) -> None:
    shifted = CHANCES.with_total(total)
    assert shifted.n_missing == pytest.approx(total)
    if total:
        odds = shifted.probabilities[1:] / (1 - shifted.probabilities[1:])
        assert odds[1] / odds[0] == pytest.approx(3.0)  # 1 against 1/3


def test_a_total_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="n_missing must be less than 25"):
        CHANCES.with_total(25.0)


def test_sharpening_keeps_the_total_and_favours_the_likely() -> None:
    sharp = CHANCES.sharpened(2.0)
    assert sharp.n_missing == pytest.approx(CHANCES.n_missing)
    assert sharp.background < CHANCES.background
    assert sharp.probabilities[2] > CHANCES.probabilities[2]
    assert CHANCES.sharpened(1.0) is CHANCES


@pytest.mark.parametrize("max_pairs", [4, 10, 24, 100])
def test_thinned_expectations_are_right_on_average(max_pairs: int) -> None:
    rng = np.random.default_rng(0)
    drawn = [CHANCES.expected(max_pairs, rng) for _ in range(400)]
    for graph in drawn[:20]:
        assert graph.edge_weights is not None
        assert graph.edge_weights.sum() == pytest.approx(CHANCES.n_missing)
        assert graph.n_edges <= max_pairs + 3
    mean = sum(graph.to_scipy().toarray() for graph in drawn) / len(drawn)
    assert mean[0, 2] == pytest.approx(1.0, abs=0.15)
    assert mean[5, 6] == pytest.approx(0.5, abs=0.15)
    assert mean[6, 7] == pytest.approx(0.02, abs=0.02)
    assert mean[0, 1] == 0.0


def test_drawn_edges_come_as_often_as_said() -> None:
    samples = CHANCES.sample(3000, random_state=0)
    mean = sum(sample.to_scipy().toarray() for sample in samples) / len(samples)
    assert mean[0, 1] == mean[0, 2] == 1.0
    assert mean[1, 3] == pytest.approx(0.25, abs=0.03)
    assert mean[5, 6] == pytest.approx(0.5, abs=0.03)
    assert mean[6, 7] == pytest.approx(0.02, abs=0.01)


def test_components_are_joined_by_likely_edges() -> None:
    edges = [(0, 1), (1, 2), (3, 4), (5, 6)]
    seen = Graph.from_edges(edges, 9, names=list("abcdefghi"))
    found = EdgeProbabilities(seen, [(0, 3), (1, 5), (2, 6), (4, 6)], [1e-9, 2e-9, 0.0, 1e-12])
    for sample in found.sample(20, join=True, random_state=0):
        assert sample.connected_components()[0] == 1
        assert codes(seen) <= codes(sample)
        assert (0, 3) in codes(sample) or (4, 6) in codes(sample)
        assert (2, 6) not in codes(sample)  # impossible, where another edge is not
        assert sample.names == seen.names
    assert found.sample(1, random_state=0)[0] == seen


def test_drawn_edges_weigh_as_seen_ones_do() -> None:
    seen = Graph.from_edges([(0, 1), (1, 2)], 4, [2.0, 8.0])
    found = EdgeProbabilities(seen, [(0, 2), (0, 3)], [1.0, 1.0])
    samples = found.sample(30, random_state=0)
    weights = np.concatenate([sample.edge_weights for sample in samples])
    assert set(weights) == {2.0, 8.0}
    assert found.expected().edge_weights.tolist() == [5.0, 5.0]


@pytest.mark.parametrize(
    ("weights", "total", "wanted"),
    [
        ([1.0, 1.0, 2.0], 1.0, [0.25, 0.25, 0.5]),
        ([1.0, 1.0, 8.0], 2.0, [0.5, 0.5, 1.0]),
        ([0.0, 1.0, 8.0], 2.0, [0.0, 1.0, 1.0]),
        ([3.0], 0.0, [0.0]),
        ([], 0.0, []),
    ],
)
def test_proportions_stop_at_one(weights: list[float], total: float, wanted: list[float]) -> None:
    np.testing.assert_allclose(capped(np.array(weights), total), wanted)
