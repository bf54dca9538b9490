"""Where :func:`graphopt.decide` picked wrongly, told by the full graph afterwards."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator

from benchmarks.paper.jobs.specs import DECIDE, HINDSIGHT, INDUCTIVE, SINGLE, Job
from benchmarks.paper.jobs.store import Stored
from benchmarks.paper.report.sheets import Entry, Line, LookUp, Scope, Sheet, found, why_empty
from benchmarks.paper.report.tables import SCORE_UNITS, number

NAME = "picks"
_SETTINGS = {
    "learning": "published",
    "clean": "fresh",
    "inductive": "inductive",
}
_TASKS = {"community": "communities", "facility": "facilities"}
_COLUMNS = (
    "seeds", "right", "decide", "best", "loss", "worst", "covered", "wrong picks",
)  # fmt: skip


def jobs(scope: Scope) -> Iterator[Job]:
    """Yield what the sheet needs."""
    for task in _TASKS:
        for setting in _SETTINGS:
            for _, wanted in _datasets(scope, task, setting):
                yield from wanted


def fill(scope: Scope, look_up: LookUp) -> Sheet:
    """Return the sheet with the numbers that there are."""
    lines = []
    for task in _TASKS:
        for setting, words in _SETTINGS.items():
            part = [
                _line(task, dataset, wanted, look_up)
                for dataset, wanted in _datasets(scope, task, setting)
            ]
            if part:
                nothing = tuple(Entry("") for _ in _COLUMNS)
                lines += [Line(f"{_TASKS[task]}, {words}", nothing, head=True), *part]
    return Sheet(
        NAME,
        "Where decide picked wrongly",
        _COLUMNS,
        tuple(lines),
        "After decide every method that took part in its trials decided from the same seen edges, "
        "and the full graph, which decide never looked at, judged all of them. Right: how often "
        "none was better. decide and best: mean scores, of the decision and of the best of them, "
        "which is picked by the scores that it is then praised for. Loss and worst: how far the "
        "decision was behind, mean and largest. Covered: how often the score on the full graph was "
        "in the interval that came with the decision, meant for 90 %. Wrong picks: what was picked "
        "→ what was best, times, mean loss. Inductive: each test graph by itself; shares and means "
        "are over all of them, single picks are not listed.",
    )


def _datasets(scope: Scope, task: str, setting: str) -> Iterator[tuple[str, list[Job]]]:
    """Yield the data sets that decide runs on, and its jobs there."""
    for dataset in INDUCTIVE if setting == "inductive" else SINGLE:
        wanted = scope.jobs(DECIDE, dataset, task, setting)
        if dataset in scope.datasets and wanted:
            yield dataset, wanted


def _line(task: str, dataset: str, wanted: list[Job], look_up: LookUp) -> Line:
    rows = found(wanted, look_up)
    if not rows:
        nothing = why_empty(wanted, look_up)
        return Line(dataset, (nothing, *(Entry("") for _ in _COLUMNS[1:])))
    unit = SCORE_UNITS[task]

    def known(name: str) -> list[float]:
        values = (row.outcomes[DECIDE][name] for row in rows)
        return [value for value in values if value is not None]

    def mean(name: str) -> Entry:
        values = known(name)
        return _number(statistics.fmean(values), unit) if values else Entry("–")

    losses = known("loss")
    return Line(
        dataset,
        (
            Entry(str(len(rows)), value=float(len(rows))),
            _share(known("picked_best")),
            mean("score"),
            mean("best_score"),
            mean("loss"),
            _number(max(losses), unit) if losses else Entry("–"),
            _share(known("interval_holds")),
            _wrong(rows, unit),
        ),
    )


def _number(value: float, unit: str) -> Entry:
    return Entry(number(value, unit), value=value)


def _share(values: list[float]) -> Entry:
    if not values:
        return Entry("–")
    share = statistics.fmean(values)
    return Entry(f"{share:.0%}", value=share)


def _wrong(rows: list[Stored], unit: str) -> Entry:
    """Return which methods were taken for which, the most frequent first."""
    losses: dict[tuple[str, str], list[float | None]] = defaultdict(list)
    for row in rows:
        if row.outcomes[DECIDE]["picked_best"] == 0.0 and row.job.setting != "inductive":
            chosen, best = (_marked(row, mark) for mark in ("chosen", "best"))
            losses[chosen, best].append(row.outcomes[DECIDE]["loss"])
    said = []
    for (chosen, best), lost in sorted(losses.items(), key=lambda item: (-len(item[1]), item[0])):
        finite = [loss for loss in lost if loss is not None]
        loss = number(statistics.fmean(finite), unit) if finite else "∞"
        said.append(f"{chosen} → {best}, {len(lost)}, {loss}")
    return Entry("", tuple(said)) if said else Entry("–")


def _marked(row: Stored, mark: str) -> str:
    """Return the method that a mark was set on."""
    return next(
        name.removeprefix(HINDSIGHT)
        for name, values in row.outcomes.items()
        if name.startswith(HINDSIGHT) and values[mark] == 1.0
    )
