"""Where an estimator expects missing edges: asked of hidden seen edges, told, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphopt import ClusterNet, DirectGCN, Graph
from graphopt.completion import Chosen, FeatureNeighbours
from graphopt.learning import completing
from graphopt.nn.losses import KCenterLoss, ModularityLoss

N, K, SHARE = 120, 4, 0.4
GROUPS = np.repeat(np.arange(K), N // K)
TELLING = np.eye(K, dtype=np.float32)[GROUPS]
MISLEADING = np.random.default_rng(0).standard_normal((N, 6)).astype(np.float32)
U, V = np.triu_indices(N, 1)
QUICK: dict[str, Any] = {"iterations": 4, "n_restarts": 1, "random_state": 0}
NETWORKS = pytest.mark.parametrize("cls", [ClusterNet, DirectGCN])


def planted(inside: float, across: float, seed: int = 0) -> Graph:
    rng = np.random.default_rng(seed)
    chance = np.where(GROUPS[U] == GROUPS[V], inside, across)
    return Graph.from_edges(np.column_stack([U, V])[rng.random(len(U)) < chance], N)


SPARSE, DENSE = planted(0.08, 0.02), planted(0.3, 0.01)


def neighbourhoods(graph: Graph) -> Any:
    """Features that know every seen edge."""
    return graph.to_scipy().toarray().astype(np.float32) + np.eye(graph.n_nodes, dtype=np.float32)


def asked(graph: Graph, features: Any, word: Any = "auto", **changed: Any) -> Any:
    settings: dict[str, Any] = {
        "n_clusters": K,
        "objective": ModularityLoss(),
        "seen_fraction": SHARE,
        "features_from_edges": False,
    }
    return completing.completion_for(word, [graph], [features], **{**settings, **changed})


@NETWORKS
@pytest.mark.parametrize(
    ("graph", "features", "same"),
    [(SPARSE, TELLING, "features"), (DENSE, MISLEADING, None)],
    ids=["telling", "misleading"],
)
def test_features_are_used_where_they_tell(
    cls: Any, graph: Graph, features: Any, same: str | None
) -> None:
    found = cls(K, seen_fraction=SHARE, **QUICK).fit(graph, features)
    given = cls(K, seen_fraction=SHARE, completion=same, **QUICK).fit(graph, features)
    assert found.completion_ == given.completion_
    assert (found.completion_ is None) is (same is None)
    np.testing.assert_array_equal(found.assignment_, given.assignment_)


def test_features_of_the_edges_mislead_unless_that_is_said() -> None:
    leaking = neighbourhoods(DENSE)
    assert isinstance(asked(DENSE, leaking), FeatureNeighbours)
    assert asked(DENSE, leaking, features_from_edges=True) is None
    assert isinstance(
        asked(DENSE, leaking, "features", features_from_edges=True), FeatureNeighbours
    )
    seen: list[int] = []

    def made(graph: Graph) -> Any:
        seen.append(graph.n_edges)
        return MISLEADING + graph.degrees[:, None]

    assert asked(DENSE, made) is None
    assert asked(DENSE, made, features_from_edges=True) is None
    assert set(seen) == {round(SHARE * DENSE.n_edges)}
    assert isinstance(asked(SPARSE, lambda graph: TELLING), FeatureNeighbours)


def test_a_function_is_as_good_as_the_features_it_makes() -> None:
    def made(graph: Graph) -> Any:
        return TELLING + np.eye(N, K, dtype=np.float32) * graph.n_edges / SPARSE.n_edges

    settings: dict[str, Any] = {"seen_fraction": SHARE, "completion": "features", **QUICK}
    by_function = ClusterNet(K, **settings).fit(SPARSE, made)
    by_rows = ClusterNet(K, **settings).fit(SPARSE, made(SPARSE))
    np.testing.assert_array_equal(by_function.assignment_, by_rows.assignment_)
    np.testing.assert_array_equal(
        by_function.predict(DENSE, made), by_rows.predict(DENSE, made(DENSE))
    )


@pytest.mark.parametrize("word", ["auto", "features"])
@pytest.mark.parametrize(
    ("features", "changed"),
    [
        (TELLING, {"seen_fraction": 1.0}),
        (TELLING, {"objective": KCenterLoss(K)}),
        (None, {}),
    ],
    ids=["all seen", "facilities", "no features"],
)
def test_nothing_is_expected_where_nothing_can_be(
    word: str, features: Any, changed: dict[str, Any]
) -> None:
    assert asked(SPARSE, features, word, **changed) is None


@pytest.mark.parametrize("n_edges", [0, 1, 2])
def test_graphs_with_hardly_an_edge(n_edges: int) -> None:
    graph = Graph.from_edges([(0, 1), (2, 3)][:n_edges], 12)
    model = ClusterNet(2, seen_fraction=SHARE, **QUICK).fit(graph, TELLING[::10])
    assert model.labels_.shape == (12,)


@NETWORKS
def test_one_choice_for_many_graphs(cls: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    original = completing.choose

    def spy(graphs: Any, *given: Any, **options: Any) -> Any:
        calls.append(len(graphs))
        return original(graphs, *given, **options)

    monkeypatch.setattr(completing, "choose", spy)
    graphs = [planted(0.08, 0.02, seed) for seed in range(7)]
    model = cls(K, seen_fraction=SHARE, **QUICK).fit_inductive(graphs[:6], [TELLING] * 6)
    model.predict(graphs[6], TELLING)
    tuned = model.fine_tune(graphs[6], TELLING, iterations=2)
    assert calls == [5]
    assert model.completion_ == tuned.completion_ == FeatureNeighbours(weight=1.5)
    pair = cls(K, seen_fraction=SHARE, **QUICK).fit_inductive(graphs[:2], [MISLEADING] * 2)
    assert calls == [5, 2]
    assert pair.completion_ is None


def test_a_completion_that_chooses_is_asked_about_the_graph() -> None:
    given = Chosen(K, SHARE, n_splits=1)
    model = ClusterNet(K, seen_fraction=SHARE, completion=given, **QUICK).fit(SPARSE, TELLING)
    assert model.completion_ is given


@pytest.mark.parametrize(
    ("graph", "features"), [(SPARSE, TELLING), (DENSE, MISLEADING)], ids=["telling", "misleading"]
)
def test_files_keep_the_choice(graph: Graph, features: Any, tmp_path: Path) -> None:
    model = ClusterNet(K, seen_fraction=SHARE, **QUICK).fit(graph, features)
    model.save(tmp_path / "model.pt")
    again = ClusterNet.load(tmp_path / "model.pt")
    assert again.completion_ == model.completion_
    np.testing.assert_array_equal(again.predict(graph, features), model.predict(graph, features))
