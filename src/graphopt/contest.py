"""The loop in which methods decide, trials judge their decisions, and a table keeps the results."""

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
        """Its name in tables; names in a contest are unique."""

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
        The decision of the trial's judgement; empty if the method failed.
    value : float
        NaN where the method failed.
    measures : dict of str to float
    seconds : float
        Wall time of the decision, without the time to judge it.
    error : str
        Why there is no decision; empty if there is one.
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
        The preferred ones first: if trials cannot tell two apart, the first is taken.
    results : list of Result
        In the order in which they came.
    n_trials : int
        Number of trials that are finished.
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
        """Return why a method failed; empty if it did not."""
        return next((one.error for one in self.results if one.method == method and one.error), "")

    def seconds(self, method: str) -> float:
        """Return the mean time of a method's decisions; 0 if there are none."""
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
        For each trial, and in it for each method, the seeds (or generators) of its runs. The next
        item is taken right after the trial was drawn, so both may draw from one generator.
    admit : callable, optional
        Called before each decision with the table so far; returns whether the method takes part.
    stop : callable, optional
        Called after each trial; returns whether the contest ends.
    forgive : tuple of exception types
        Exceptions that a method may raise. The method has then failed and takes no further part.
        Other exceptions are raised.
    n_jobs : int, optional
        Number of trials that run at the same time, as in joblib; None: the number set by
        :func:`joblib.parallel_config`. It changes the times but no other result. With `admit` or
        `stop`, which look at earlier results, trials run one after the other.
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

    It is the first row whose mean difference to the row of the highest mean is at most one standard
    error of this difference. Rows are in order of preference, and a later row does not win if it
    was better by chance alone.

    Parameters
    ----------
    values : array of float64, shape (n_rows, n_trials)
        At least one row and one trial; higher is better. A column is one trial, the same for all
        rows. After a single trial, the first of the highest values wins.
    hidden_per_kept : float
        Share of the data that a trial hid, divided by the share that it kept. Trials that draw
        again from the same data repeat each other, so their mean is less certain than their number
        suggests. 0: they are independent.

    Notes
    -----
    The one-standard-error rule: Breiman, Friedman, Olshen and Stone, "Classification and Regression
    Trees", 1984, here with paired differences. The error of a mean over trials on the same data: C.
    Nadeau and Y. Bengio, Machine Learning 52, 239-281 (2003).

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
