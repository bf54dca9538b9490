"""The methods of decide's portfolio, each by itself."""

from __future__ import annotations

import numpy as np
import pytest

from graphopt import Graph, datasets
from graphopt.decision import Problem, _decide, decide, portfolio_decisions
from graphopt.decision._methods import Way, portfolio
from graphopt.objectives import as_objective


@pytest.fixture(scope="module")
def data() -> datasets.Dataset:
    return datasets.synthetic(80, random_state=1)


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
@pytest.mark.parametrize("share", [0.4, 1.0])
def test_all_methods_decide(data: datasets.Dataset, objective: str, share: float) -> None:
    graph = data.observed if share < 1.0 else data.graph
    found = portfolio_decisions(
        graph, objective=objective, k=4, seen_fraction=share, random_state=0
    )
    expected = portfolio(
        Problem.of(graph, objective=as_objective(objective), k=4, seen_fraction=share)
    )
    assert [one.name for one in found] == [method.name for method in expected]
    for one in found:
        assert one.error == ""
        assert one.seconds >= 0.0
        assert one.decision is not None
        if objective == "modularity":
            assert one.decision.shape == (80,)
            assert 0 <= one.decision.min() <= one.decision.max() < 4
        else:
            assert len(set(one.decision.tolist())) == 4


def test_some_methods_decide_as_among_all(data: datasets.Dataset) -> None:
    everybody = portfolio_decisions(
        data.observed, data.features, k=4, seen_fraction=0.4, random_state=5
    )
    names = [everybody[-1].name, everybody[2].name]
    some = portfolio_decisions(
        data.observed, data.features, k=4, seen_fraction=0.4, methods=names, random_state=5
    )
    assert [one.name for one in some] == names[::-1]
    for one, same in zip(some, (everybody[2], everybody[-1]), strict=True):
        np.testing.assert_array_equal(one.decision, same.decision)
    none = portfolio_decisions(data.observed, k=4, seen_fraction=0.4, methods=[], random_state=5)
    assert none == []


def test_a_method_that_fails_says_why(
    data: datasets.Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> np.ndarray:
        raise ValueError("not on a Monday")

    def two(*_: object) -> list[Way]:
        return [Way("lazy", fail), Way("eager", lambda problem, rng: np.zeros(80, np.int32))]

    monkeypatch.setattr(_decide, "portfolio", two)
    lazy, eager = portfolio_decisions(data.observed, k=4, seen_fraction=0.4)
    assert lazy.decision is None
    assert lazy.error == "ValueError: not on a Monday"
    assert eager.decision is not None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k must be at least 1"),
        ({"k": 81}, "k must be at most the number of nodes, 80, not 81"),
        ({"k": 2, "objective": "world peace"}, "objective must be one of k-center, modularity"),
        ({"k": 2, "seen_fraction": 0.0}, "seen_fraction"),
        ({"k": 2, "seen_fraction": 0.4, "methods": ["oracle"]}, "methods must be one of .*oracle"),
    ],
    ids=lambda value: None if isinstance(value, str) else "-".join(value),
)
def test_requests_that_make_no_sense(
    data: datasets.Dataset, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        portfolio_decisions(data.observed, **options)  # type: ignore[arg-type]
    if "methods" not in options:  # the same words where one is picked
        with pytest.raises(ValueError, match=message):
            decide(data.observed, **options)  # type: ignore[arg-type]


def test_a_directed_graph_is_none_to_decide_on() -> None:
    graph = Graph.from_edges([(0, 1), (1, 2)], directed=True)
    with pytest.raises(ValueError, match="undirected"):
        portfolio_decisions(graph, k=2)


def test_lengths_do_not_count_for_k_center() -> None:
    path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)], weights=[9.0, 1.0, 1.0, 1.0])
    found = portfolio_decisions(path, objective="k-center", k=1, random_state=0)
    assert len(found) > 1
    for one in found:
        assert one.decision is not None
        assert one.decision.tolist() == [2]
