"""What a search chose, judged again: on which draws, for how long, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from tuning_fakes import short

from benchmarks.paper.search.confirmation import Confirmed, confirm, summary
from graphopt import datasets
from graphopt.tuning import Findings, Params, SingleGraph, Standing, Tried, Value

BEST: Params = {"a": 3}
PUBLISHED: Params = {"a": 1}


def found(*, best: tuple[Params, int] = (BEST, 20), tried: bool = True) -> Findings:
    first = Tried(4, best[0], best[1], 9.0, 1.0, None)
    standing = Standing("published", PUBLISHED, 30, 2.0, 3, 7)
    return Findings("s", {}, True, [first] if tried else [], [standing], None, 0, 0, 0)


@dataclass
class Drawn:
    """Scores by the seed; `asked` lists what was trained."""

    random_state: int = 5
    repeats: int = 2
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    def __call__(self, params: Mapping[str, Value], report: Any) -> dict[int, float]:
        scores = {}
        for step in (10, 20, 30, 40):
            scores[step] = params["a"] + self.random_state / 1000 + step
            if report(step, scores[step]):
                break
        self.asked.append((params["a"], self.random_state, self.repeats, step))
        return scores


def run(evaluation: Any, findings: Findings, draws: int, *progress: Any) -> list[Confirmed]:
    return confirm(evaluation, findings, draws, *progress)


def test_draws_are_new_the_same_for_all_and_no_longer_than_needed() -> None:
    drawn, steps = Drawn(), []
    best, published = run(drawn, found(), 2, steps.append)
    # The search drew 5 and 1005.
    assert drawn.asked == [
        (3, 2005, 1, 20), (3, 3005, 1, 20), (1, 2005, 1, 30), (1, 3005, 1, 30),
    ]  # fmt: skip
    assert (best.name, best.params, best.iterations) == ("best", BEST, 20)
    assert (published.name, published.params, published.iterations) == ("published", PUBLISHED, 30)
    assert best.scores == pytest.approx((25.005, 26.005))
    assert best.mean == pytest.approx(25.505)
    assert steps[0] == "best, draw 1 of 2"
    assert steps[-1] == "published, draw 2 of 2"


def test_the_best_is_not_judged_twice() -> None:
    assert [one.name for one in run(Drawn(), found(best=(PUBLISHED, 30)), 1)] == ["best"]
    other_length = run(Drawn(), found(best=(PUBLISHED, 10)), 1)
    assert [one.iterations for one in other_length] == [10, 30]


def test_nothing_to_confirm() -> None:
    assert run(Drawn(), found(tried=False), 1) == []
    with pytest.raises(ValueError, match="draws"):
        run(Drawn(), found(), 0)


def test_scores_are_those_of_a_whole_training() -> None:
    data = datasets.synthetic(60, random_state=0)

    def graph(seed: int) -> SingleGraph:
        return SingleGraph(
            seen=data.observed,
            features=data.observed_features,
            n_clusters=3,
            task="community",
            space=short(),
            random_state=seed,
        )

    params = dict(short().landmarks[0].params)
    (again,) = run(graph(0), Findings("s", {}, True, [Tried(0, params, 2, 0.5, 1.0, None)], [],
                                      None, 0, 0, 0), 2)  # fmt: skip
    whole = [graph(seed)(params, lambda step, score: False) for seed in (1000, 2000)]
    assert again.scores == tuple(scores[2] for scores in whole)
    assert len(set(again.scores)) == 2


def test_lower_can_be_better() -> None:
    pair = [Confirmed("best", {}, 10, (3.0, 5.0)), Confirmed("default", {}, 10, (4.0, 5.0))]
    assert summary(pair, False)[1].endswith("; best is ahead by 0.5000, in 1 of 2 draws")
    assert summary([], False) == []
