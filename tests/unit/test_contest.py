"""The contest: one loop over trials and methods, its table, and the choice of the best."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from graphopt import Graph
from graphopt.contest import Result, Table, contest, first_of_the_best
from graphopt.errors import GraphoptError
from graphopt.objectives import Judgement, KCenter, Problem, Trial

PATH = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])


@dataclass(frozen=True)
class Fixed:
    """Chooses one node, whatever the seed."""

    name: str
    node: int

    def decide(self, problem: Problem, random_state: Any) -> NDArray[np.int64]:
        return np.array([self.node])


@dataclass(frozen=True)
class Drawn:
    """Chooses the node that the seed names."""

    name: str = "drawn"

    def decide(self, problem: Problem, random_state: Any) -> NDArray[np.int64]:
        return np.array([random_state % problem.graph.n_nodes])


@dataclass(frozen=True)
class Broken:
    name: str = "broken"

    def decide(self, problem: Problem, random_state: Any) -> NDArray[np.int64]:
        raise GraphoptError("no such luck")


def radius(decision: NDArray[np.int64]) -> Judgement:
    value = KCenter().evaluate(decision, PATH)
    return Judgement(value, decision, {"twice": 2.0 * value})


def trial() -> Trial:
    return Trial(Problem.of(PATH, objective=KCenter(), k=1), radius, np.arange(5))


def test_every_method_decides_in_every_trial() -> None:
    met: list[Result] = []
    methods = [Fixed("end", 0), Drawn()]
    seeds = [[[7], [1, 2]], [[7], [3, 4]]]
    table = contest(methods, [trial(), trial()], seeds, on_result=met.append)
    assert table.n_trials == 2
    assert met == table.results
    assert [(one.method, one.trial, one.run, one.value) for one in table.results] == [
        ("end", 0, 0, 4.0), ("drawn", 0, 0, 3.0), ("drawn", 0, 1, 2.0),
        ("end", 1, 0, 4.0), ("drawn", 1, 0, 3.0), ("drawn", 1, 1, 4.0),
    ]  # fmt: skip
    assert [one.measures["twice"] for one in table.of("end")] == [8.0, 8.0]
    assert table.seconds("drawn") > 0.0
    row = table.to_rows()[2]
    assert row.pop("seconds") >= 0.0
    assert row == {
        "method": "drawn", "trial": 0, "run": 1, "value": 2.0, "twice": 4.0, "error": "",
    }  # fmt: skip


def test_processes_change_nothing_but_times() -> None:
    methods = [Fixed("middle", 2), Drawn()]
    seeds = [[[i], [i, i + 1]] for i in range(4)]
    tables = [contest(methods, [trial()] * 4, seeds, n_jobs=jobs) for jobs in (1, 2)]
    one, other = ([(r.method, r.trial, r.run, r.value) for r in t.results] for t in tables)
    assert one == other
    assert tables[0].n_trials == tables[1].n_trials == 4


def test_seeds_are_drawn_right_after_their_trial() -> None:
    order: list[str] = []

    def trials() -> Any:
        for _ in range(2):
            order.append("trial")
            yield trial()

    def seeds() -> Any:
        while True:
            order.append("seeds")
            yield [[0]]

    contest([Drawn()], trials(), seeds())
    assert order == ["trial", "seeds", "trial", "seeds"]


def test_a_forgiven_method_is_out() -> None:
    seeds = [[[0], [0]]] * 3
    table = contest([Broken(), Fixed("end", 0)], [trial()] * 3, seeds, forgive=(GraphoptError,))
    assert table.error("broken") == "GraphoptError: no such luck"
    assert (table.of("broken"), table.values("end")) == ([], [4.0] * 3)
    (failed,) = [one for one in table.results if one.error]
    assert math.isnan(failed.value)
    assert (table.complete(), table.best()) == (["end"], "end")
    with pytest.raises(GraphoptError, match="no such luck"):
        contest([Broken()], [trial()], [[[0]]])


def test_methods_are_admitted_and_contests_stopped() -> None:
    def admit(table: Table, method: Any) -> bool:
        return method.name == "end" or table.n_trials == 0

    seeds = [[[0], [0]]] * 5
    table = contest(
        [Fixed("end", 0), Fixed("middle", 2)],
        [trial()] * 5,
        seeds,
        admit=admit,
        stop=lambda table: table.n_trials == 3,
    )
    assert (table.values("end"), table.values("middle")) == ([4.0] * 3, [2.0])
    assert table.complete() == ["end"]
    assert table.best(greater_is_better=False) == "end"


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([(0.5, 0.5), (0.4, 0.4)], 0),
        ([(0.4, 0.4), (0.5, 0.5)], 1),
        ([(0.4, 0.6), (0.5, 0.52)], 0),  # 0.01 behind, and cannot be told apart
        ([(0.4,), (0.41,)], 1),  # of one split there is no error
        ([(0.5, 0.5), (0.5, 0.5)], 0),
    ],
    ids=["best first", "best last", "within an error", "one split", "tie"],
)
def test_the_first_of_the_best_wins(values: list[tuple[float, ...]], first: int) -> None:
    assert first_of_the_best(np.array(values)) == first


def test_trials_on_the_same_data_are_less_sure() -> None:
    values = np.array([(0.4, 0.44, 0.42), (0.45, 0.46, 0.44)])
    assert first_of_the_best(values) == 1
    assert first_of_the_best(values, hidden_per_kept=3.0) == 0
