"""The one loop: methods decide, trials judge, and a table keeps what came out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt.objectives import Problem, Trial

Seed: TypeAlias = int | np.random.Generator
Errors: TypeAlias = tuple[type[Exception], ...]


class Method(Protocol):
    """A name and a way to decide."""

    @property
    def name(self) -> str:
        """What it is called in tables; no two in a contest have the same name."""

    def decide(self, problem: Problem, random_state: Seed) -> NDArray[Any]:
        """Return the group of each node, or the nodes chosen."""


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One decision of one method in one trial.

    Attributes
    ----------
    method : str
    trial, run : int
        From 0; a method may decide several times in a trial.
    decision : array of int
        As the trial's judgement has it; empty where the method failed.
    value : float
        NaN where the method failed.
    measures : dict of str to float
    seconds : float
        Wall time of the decision, without that of judging it.
    error : str
        Why there is no decision; empty where there is one.
    """

    method: str
    trial: int
    run: int
    decision: NDArray[Any]
    value: float
    measures: dict[str, float]
    seconds: float
    error: str = ""


@dataclass(slots=True, eq=False)
class Table:
    """The results of a contest.

    Attributes
    ----------
    methods : tuple of str
        By preference: where trials cannot tell two apart, the first is taken.
    results : list of Result
        In the order they came.
    n_trials : int
        Trials that are finished.
    """

    methods: tuple[str, ...]
    results: list[Result] = field(default_factory=list)
    n_trials: int = 0

    def of(self, method: str) -> list[Result]:
        """Return the decisions of a method, without failures."""
        return [one for one in self.results if one.method == method and not one.error]

    def values(self, method: str) -> list[float]:
        """Return the values of a method's decisions."""
        return [one.value for one in self.of(method)]

    def error(self, method: str) -> str:
        """Return why a method failed; empty where it did not."""
        return next((one.error for one in self.results if one.method == method and one.error), "")

    def seconds(self, method: str) -> float:
        """Return the mean time of a method's decisions, 0 without any."""
        times = [one.seconds for one in self.of(method)]
        return math.fsum(times) / len(times) if times else 0.0

    def complete(self) -> list[str]:
        """Return the methods that did not fail and have as many results as any."""
        running = [name for name in self.methods if not self.error(name)]
        counts = [len(self.of(name)) for name in running]
        return [name for name, count in zip(running, counts, strict=True) if count == max(counts)]

    def best(self, *, greater_is_better: bool = True, hidden_per_kept: float = 0.0) -> str:
        """Return the first of the :meth:`complete` methods that trials cannot tell from the best.

        Parameters
        ----------
        greater_is_better : bool
        hidden_per_kept : float
            See :func:`first_of_the_best`.
        """
        names = self.complete()
        values = np.array([self.values(name) for name in names])
        scores = values if greater_is_better else -values
        return names[first_of_the_best(scores, hidden_per_kept=hidden_per_kept)]

    def to_rows(self) -> list[dict[str, Any]]:
        """Return a row of plain values for each result, for a data frame or a file."""
        return [
            {
                "method": one.method,
                "trial": one.trial,
                "run": one.run,
                "value": one.value,
                **one.measures,
                "seconds": one.seconds,
                "error": one.error,
            }
            for one in self.results
        ]


def contest(
    methods: Sequence[Method],
    trials: Iterable[Trial],
    seeds: Iterable[Sequence[Sequence[Seed]]],
    *,
    admit: Callable[[Table, Method], bool] | None = None,
    stop: Callable[[Table], bool] | None = None,
    forgive: Errors = (),
    n_jobs: int | None = 1,
    on_result: Callable[[Result], None] | None = None,
) -> Table:
    """Let methods decide in trials, and judge them.

    Parameters
    ----------
    methods : sequence of Method
        By preference.
    trials : iterable of Trial
        Drawn one after the other.
    seeds : iterable
        For each trial, for each method, the seeds (or generators) of its runs. It is asked right
        after the trial was drawn, so that both may draw from one generator.
    admit : callable, optional
        Asked before each decision, with the table so far, whether the method takes part.
    stop : callable, optional
        Asked after each trial whether the contest ends.
    forgive : tuple of exception types
        What a method may raise: it has failed then, and takes no further part. Anything else is
        raised.
    n_jobs : int, optional
        Trials at the same time, as joblib counts; None: what :func:`joblib.parallel_config` says.
        Changes no result but the times. With `admit` or `stop`, which look at earlier results,
        trials come one after the other.
    on_result : callable, optional
        Called with each result, for progress.

    Returns
    -------
    Table

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from graphopt import Graph
    >>> from graphopt.objectives import Judgement, KCenter
    >>> @dataclass
    ... class First:
    ...     name: str
    ...     node: int
    ...
    ...     def decide(self, problem, random_state):
    ...         return np.array([self.node])
    >>> path = Problem.of(Graph.from_edges([(0, 1), (1, 2)]), objective=KCenter(), k=1)
    >>> def judge(found):
    ...     return Judgement(KCenter().evaluate(found, path.graph), found)
    >>> trial = Trial(path, judge, np.arange(3))
    >>> table = contest([First("end", 0), First("middle", 1)], [trial], [[[0], [0]]])
    >>> table.values("end"), table.best(greater_is_better=False)
    ([2.0], 'middle')
    """
    table = Table(tuple(method.name for method in methods))
    rounds = enumerate(zip(trials, seeds, strict=False))
    if n_jobs == 1 or admit is not None or stop is not None:
        for number, (trial, drawn) in rounds:
            for method, runs in zip(methods, drawn, strict=True):
                if table.error(method.name) or (admit is not None and not admit(table, method)):
                    continue
                _keep(table, _in_trial(method, trial, number, runs, forgive), on_result)
            table.n_trials += 1
            if stop is not None and stop(table):
                break
        return table
    load_whole("joblib")
    from joblib import Parallel, delayed

    found = Parallel(n_jobs=n_jobs)(
        delayed(_all_in_trial)(methods, trial, number, drawn, forgive)
        for number, (trial, drawn) in rounds
    )
    for results in found:
        _keep(table, results, on_result)
        table.n_trials += 1
    return table


def first_of_the_best(values: NDArray[np.float64], *, hidden_per_kept: float = 0.0) -> int:
    """Return the first row that the trials cannot tell from the best.

    Its mean difference to the row of the highest mean is at most one standard error of that
    difference: rows come by preference, and what was better by chance alone is not preferred.

    Parameters
    ----------
    values : array of float64, shape (n_rows, n_trials)
        At least one each; the higher the better. A column is one trial, alike for all rows. After
        a single trial the first of the highest is best.
    hidden_per_kept : float
        Of the data, what a trial hid, relative to what it kept. Trials that draw anew from the same
        data repeat each other, and their mean is less sure than their number tells. 0: they are
        independent.

    Notes
    -----
    The one-standard-error rule: Breiman, Friedman, Olshen and Stone, "Classification and Regression
    Trees", 1984, here with differences in pairs. The error of a mean over trials on the same data:
    C. Nadeau and Y. Bengio, Machine Learning 52, 239-281 (2003).

    Examples
    --------
    >>> first_of_the_best(np.array([[0.5, 0.2], [0.4, 0.4], [0.6, 0.3]]))
    1
    """
    short = values[values.mean(axis=1).argmax()] - values
    n_trials = values.shape[1]
    variance = 1.0 / n_trials + hidden_per_kept
    error = short.std(axis=1, ddof=1) * math.sqrt(variance) if n_trials > 1 else 0.0
    return int((short.mean(axis=1) <= error).argmax())


def _all_in_trial(
    methods: Sequence[Method],
    trial: Trial,
    number: int,
    seeds: Sequence[Sequence[Seed]],
    forgive: Errors,
) -> list[Result]:
    return [
        result
        for method, runs in zip(methods, seeds, strict=True)
        for result in _in_trial(method, trial, number, runs, forgive)
    ]


def _in_trial(
    method: Method, trial: Trial, number: int, seeds: Sequence[Seed], forgive: Errors
) -> list[Result]:
    """Return the results of a method's runs in one trial, up to the first that fails."""
    results: list[Result] = []
    for run, seed in enumerate(seeds):
        start = time.perf_counter()
        try:
            answer = method.decide(trial.problem, seed)
        except forgive as failure:
            seconds, error = time.perf_counter() - start, f"{type(failure).__name__}: {failure}"
            nothing = np.empty(0, np.int32)
            results.append(Result(method.name, number, run, nothing, math.nan, {}, seconds, error))
            break
        seconds = time.perf_counter() - start
        found = trial.judge(answer)
        measures = dict(found.measures)
        results.append(
            Result(method.name, number, run, found.decision, found.value, measures, seconds)
        )
    return results


def _keep(table: Table, results: list[Result], on_result: Callable[[Result], None] | None) -> None:
    table.results += results
    if on_result is not None:
        for result in results:
            on_result(result)
