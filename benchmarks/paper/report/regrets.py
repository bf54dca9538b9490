"""Regret of every method on fresh splits: its interval, and the paired difference to decide."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.paper.jobs.specs import DECIDE, HINDSIGHT, Job
from benchmarks.paper.problems import objective_of
from benchmarks.paper.report.layouts import LAYOUTS, Column, Layout, jobs_of
from benchmarks.paper.report.sheets import Entry, Line, LookUp, Scope, Sheet, found
from benchmarks.paper.report.tables import number, references
from graphopt.decision import Summary, paired_difference, summarize

NAME = "regret"
_ENOUGH = 5  # seeds, for an interval and a test
_WORDS = {
    "community": "communities: regret in modularity",
    "facility": "facilities: regret in hops",
}
BySeed = dict[int, float]


def jobs(scope: Scope) -> Iterator[Job]:
    """Yield what the sheet needs."""
    yield from jobs_of(_layouts(scope), scope.n_seeds, scope.effort)


def fill(scope: Scope, look_up: LookUp) -> Sheet:
    """Return the sheet with the numbers that there are."""
    layouts = _layouts(scope)
    lines: list[Line] = []
    for layout in layouts:
        best = references(layout, scope.n_seeds, scope.effort, look_up)
        by_column = [
            _regrets(layout, column, best.get(column), scope, look_up) for column in layout.columns
        ]
        nothing = tuple(Entry("") for _ in layout.columns)
        lines.append(Line(_WORDS[layout.task], nothing, head=True))
        names = [row.label for row in layout.rows]
        names += sorted({name for column in by_column for name in column} - set(names))
        for name in names:
            entries = (_entry(name, column, layout.unit) for column in by_column)
            lines.append(Line(name, tuple(entries)))
    return Sheet(
        NAME,
        "Regret of every method on fresh splits, and the difference to decide",
        tuple(column.dataset for column in layouts[0].columns) if layouts else (),
        tuple(lines),
        "Median over the splits of how far a decision falls short of the best known for the full "
        "graph (tables 1d and 2d). Below it: mean regret with a 95 % bootstrap interval (BCa); "
        "and what it has more than decide on the same splits, mean and interval, with the p-value "
        "of the signed-rank test; below 0 it is better than decide. Both from "
        f"{_ENOUGH} splits on. Rows {HINDSIGHT}... are the methods that decide chose from, each "
        "on all splits; –: not in its portfolio there, or nothing to measure by.",
    )


def _layouts(scope: Scope) -> list[Layout]:
    if not scope.fresh_splits:
        return []
    chosen = []
    for layout in LAYOUTS:
        columns = tuple(column for column in layout.columns if column.dataset in scope.datasets)
        if layout.regret and columns:
            chosen.append(replace(layout, columns=columns))
    return chosen


def _regrets(
    layout: Layout, column: Column, best: float | None, scope: Scope, look_up: LookUp
) -> dict[str, BySeed]:
    """Return for each method its regret on each split that it was run on."""
    regrets: dict[str, BySeed] = {}
    if best is None:
        return regrets

    def note(name: str, seed: int, score: float | None) -> None:
        if score is None and layout.task == "community":
            return
        value = math.inf if score is None else score
        regrets.setdefault(name, {})[seed] = objective_of(layout.task).regret(value, best)

    for row in layout.rows:
        wanted = scope.jobs(row.system, column.dataset, layout.task, column.setting)
        for stored in found(wanted, look_up):
            note(row.label, stored.job.seed, stored.outcomes[row.outcome].get("score"))
            if row.system == DECIDE:
                for name, values in stored.outcomes.items():
                    if name.startswith(HINDSIGHT):
                        note(name, stored.job.seed, values.get("score"))
    return regrets


def _entry(name: str, column: dict[str, BySeed], unit: str) -> Entry:
    mine, reference = column.get(name, {}), column.get(DECIDE, {})
    if not mine:
        return Entry("–")
    values = list(mine.values())
    middle = statistics.median(values)
    notes = []
    if len(values) >= _ENOUGH:
        notes.append(_interval(summarize(values), unit))
    both = sorted(mine.keys() & reference.keys())
    if name != DECIDE and len(both) >= _ENOUGH:
        paired = paired_difference(
            name, DECIDE, [mine[seed] for seed in both], [reference[seed] for seed in both]
        )
        notes += [_interval(paired.difference, unit, plus=True), f"p = {paired.p_value:.2g}"]
    return Entry(_signed(middle, unit), tuple(notes), value=middle)


def _interval(summary: Summary, unit: str, *, plus: bool = False) -> str:
    low, high = _signed(summary.low, unit), _signed(summary.high, unit)
    return f"{_signed(summary.mean, unit, plus=plus)} [{low}, {high}]"


def _signed(value: float, unit: str, *, plus: bool = False) -> str:
    """Return a number with a minus sign where it is below 0; with `plus` a sign in any case."""
    text = number(abs(value), unit)
    if text.strip("0.") == "":  # no sign for what is printed as 0
        return text
    return ("−" if value < 0 else "+" if plus else "") + text
