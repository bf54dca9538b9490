"""Which tables a run is for: the paper's by number, the others by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.paper.jobs.specs import DECIDE, FULL, Effort, Job, by_seed
from benchmarks.paper.jobs.store import Store
from benchmarks.paper.report import goals, picks, regrets
from benchmarks.paper.report.layouts import Layout, jobs_of, select
from benchmarks.paper.report.sheets import LookUp, Scope, Sheet
from benchmarks.paper.report.tables import Table, fill
from graphopt._validation import check_choice


@dataclass(frozen=True, slots=True)
class _Kind:
    jobs: Callable[[Scope], Iterable[Job]]
    fill: Callable[[Scope, LookUp], Sheet]


_KINDS = {
    goals.NAME: _Kind(goals.jobs, goals.fill),
    regrets.NAME: _Kind(regrets.jobs, regrets.fill),
    picks.NAME: _Kind(picks.jobs, picks.fill),
}
_PAPERS = tuple(str(number) for number in range(1, 7))
NAMES = (*_PAPERS, *_KINDS)
"""What tables are called: the paper's six, and those of the library's own questions."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Tables to fill.

    Attributes
    ----------
    layouts : tuple of Layout
        The paper's, and what belongs to them.
    sheets : tuple of str
        Names of the others. The jobs of :func:`graphopt.decide`, which take hours, run for these
        alone; a row of the paper's tables has what they left.
    scope : Scope
    """

    layouts: tuple[Layout, ...]
    sheets: tuple[str, ...]
    scope: Scope

    def jobs(self) -> list[Job]:
        """Return the jobs to run for the tables; none twice."""
        papers = [job for job in self._of_papers() if job.system != DECIDE]
        return by_seed([*papers, *self._of_sheets()])

    def shown(self) -> list[Job]:
        """Return the jobs whose results the tables have: :meth:`jobs`, and what ran before."""
        return by_seed([*self._of_papers(), *self._of_sheets()])

    def _of_papers(self) -> list[Job]:
        return jobs_of(self.layouts, self.scope.n_seeds, self.scope.effort)

    def _of_sheets(self) -> Iterator[Job]:
        for name in self.sheets:
            yield from _KINDS[name].jobs(self.scope)

    def fill(self, store: Store) -> tuple[list[Table], list[Sheet]]:
        """Return the tables with the numbers that the store has."""
        look_up = store.look_up()
        tables = fill(self.layouts, look_up, self.scope.n_seeds, self.scope.effort)
        return tables, [_KINDS[name].fill(self.scope, look_up) for name in self.sheets]


def plan(
    names: Sequence[str],
    datasets: tuple[str, ...],
    *,
    n_seeds: int,
    effort: Effort = FULL,
    fresh_splits: bool = True,
    everything: bool = False,
) -> Plan:
    """Return what there is to fill for some tables and some data sets.

    The paper's tables if none are named, and with `everything` all.

    Raises
    ------
    ValueError
        For a name that is no table, or a table of which nothing is left.
    """
    for name in names:
        check_choice("table", name, NAMES)
    scope = Scope(datasets, n_seeds, effort, fresh_splits)
    numbers = [int(name) for name in names if name in _PAPERS]
    layouts: tuple[Layout, ...] = ()
    if numbers or not names:
        layouts = select(numbers, datasets, fresh_splits=fresh_splits)
    sheets = []
    for name, kind in _KINDS.items():
        if not everything and name not in names:
            continue
        if any(True for _ in kind.jobs(scope)):
            sheets.append(name)
        elif names:
            without = "" if fresh_splits else " without fresh splits"
            raise ValueError(f"table {name} has no column for {', '.join(datasets)}{without}")
    return Plan(layouts, tuple(sheets), scope)
