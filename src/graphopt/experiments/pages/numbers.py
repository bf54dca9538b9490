"""Numbers in the prose of the pages: each function returns one, as text, from a stored file."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from functools import cached_property

from graphopt.bench.table import three_digits
from graphopt.evaluation import paired_difference
from graphopt.experiments.jobs.specs import DECIDE, SINGLE
from graphopt.experiments.jobs.store import Stored
from graphopt.experiments.pages.files import Files
from graphopt.experiments.proposition.rows import PropositionRow
from graphopt.experiments.report.tables import Cell, number, ours, theirs

_DECIDED = {"community": ("learning", "clean"), "facility": ("learning", "clean")}


class Numbers:
    """Where the pages' numbers come from; the public methods are what markers may call."""

    def __init__(self, files: Files) -> None:
        self._files = files

    @cached_property
    def sources(self) -> dict[str, Callable[..., str]]:
        """The public methods by name."""
        return {
            name: getattr(self, name)
            for name in vars(type(self))
            if not name.startswith("_") and name != "sources"
        }

    # --- the paper's tables ---------------------------------------------------------------------

    def _cell(self, run: str, table: str, row: str, setting: str, dataset: str) -> tuple[Cell, str]:
        cell = self._files.cell(run, table, row, setting, dataset)
        return cell, self._files.tables(run)[table].layout.unit

    def cell(self, table: str, row: str, setting: str, dataset: str, run: str = "results") -> str:
        """Return the median of a cell."""
        return ours(*self._cell(run, table, row, setting, dataset))

    def mean(self, table: str, row: str, setting: str, dataset: str, run: str = "results") -> str:
        """Return the mean of a cell over the seeds."""
        cell, unit = self._cell(run, table, row, setting, dataset)
        return number(statistics.mean(cell.values), unit)

    def paper(self, table: str, row: str, setting: str, dataset: str) -> str:
        """Return the paper's number of a cell."""
        return theirs(*self._cell("results", table, row, setting, dataset))

    def ahead(self, table: str, row: str, other: str, setting: str, dataset: str) -> str:
        """Return by how much the median of a row is above that of another, without a sign."""
        one, unit = self._cell("results", table, row, setting, dataset)
        two, _ = self._cell("results", table, other, setting, dataset)
        if one.median is None or two.median is None:
            raise ValueError(f"{row} or {other} has no median in table {table}, {dataset}")
        return number(one.median - two.median, unit)

    def largest_time(self, table: str, setting: str) -> str:
        """Return our median that is nearest to the paper's, of a table of times."""
        found = self._files.tables("results")[table]
        share, cell = max(
            (cell.median / cell.published, cell)
            for (_, column), cell in found.cells.items()
            if column.setting == setting and cell.published and cell.median
        )
        return number(share * (cell.published or math.nan), "seconds")

    # --- decide ---------------------------------------------------------------------------------

    def _decisions(
        self, task: str, settings: tuple[str, ...], datasets: tuple[str, ...]
    ) -> list[Stored]:
        jobs = self._files.jobs("decide")
        return [
            stored
            for (system, dataset, of_task, setting, _), stored in sorted(jobs.items())
            if system == DECIDE
            and of_task == task
            and setting in settings
            and dataset in datasets
            and "loss" in stored.outcomes[DECIDE]
        ]

    def _decide(self, value: str, task: str, *datasets: str) -> list[float]:
        found = self._decisions(task, _DECIDED[task], datasets or SINGLE)
        return [one.outcomes[DECIDE][value] for one in found]

    def decisions(self, task: str, *datasets: str) -> str:
        """Return how many decisions from seen edges were looked at in hindsight."""
        return str(len(self._decide("loss", task, *datasets)))

    def right(self, task: str, *datasets: str) -> str:
        """Return how many of them no other method of the portfolio would have improved."""
        return f"{sum(self._decide('picked_best', task, *datasets)):.0f}"

    def covered(self, task: str, *datasets: str) -> str:
        """Return for how many of them the score lies in the interval."""
        return f"{sum(self._decide('interval_holds', task, *datasets)):.0f}"

    def loss(self, task: str, *datasets: str) -> str:
        """Return how far they are behind the best in hindsight, on average."""
        unit = "modularity" if task == "community" else "hops"
        return number(statistics.mean(self._decide("loss", task, *datasets)), unit)

    def largest_loss(self, task: str, *datasets: str) -> str:
        """Return how far they are behind at most."""
        unit = "modularity" if task == "community" else "hops"
        return number(max(self._decide("loss", task, *datasets)), unit)

    def regret_p(self, task: str, *rows: str) -> str:
        """Return the largest p-value of what rows regret more than decide on fresh splits."""
        table = "1d" if task == "community" else "2d"
        values = []
        for row in rows:
            for dataset in SINGLE:
                one, other = (
                    self._files.cell("regret", table, name, "clean", dataset)
                    for name in (row, DECIDE)
                )
                values.append(paired_difference(row, DECIDE, one.values, other.values).p_value)
        return f"{max(values):.2g}"

    # --- the graphs -----------------------------------------------------------------------------

    def _graph(self, dataset: str, task: str) -> dict[str, int]:
        for row in self._files.rows("results/graphs.csv"):
            if (row["dataset"], row["task"]) == (dataset, task):
                return {name: int(text) for name, text in list(row.items())[2:]}
        raise ValueError(f"no graph {dataset}, {task}")

    def graph(self, dataset: str, task: str, what: str) -> str:
        """Return a count of a graph, such as its ``"edges"``."""
        return f"{self._graph(dataset, task)[what]:,}"

    def seen(self, task: str, *datasets: str, largest: bool = False) -> str:
        """Return the smallest or the largest percentage of the edges that is seen."""
        graphs = [self._graph(dataset, task) for dataset in datasets]
        shares = [100 * graph["seen_edges"] / graph["edges"] for graph in graphs]
        return f"{max(shares) if largest else min(shares):.0f}"

    # --- the ablation ---------------------------------------------------------------------------

    def ablation(self, dataset: str, variant: str, column: str) -> str:
        """Return the first number of a cell of the ablation's tables."""
        return self._files.ablation()[dataset, variant][column].split()[0]

    # --- Proposition 1 --------------------------------------------------------------------------

    def _measured(self, source: str) -> list[PropositionRow]:
        return [row for row in self._files.proposition() if row.source == source]

    def places(self, source: str, holds: bool = False) -> str:
        """Return at how many places it was measured, or at how many its hypothesis holds."""
        return str(sum(row.holds or not holds for row in self._measured(source)))

    def times_bound(self, source: str, largest: bool = False) -> str:
        """Return the least or the largest left side in printed bounds, where it should hold."""
        ratios = [row.left / row.printed_bound for row in self._measured(source) if row.holds]
        return f"{max(ratios) if largest else min(ratios):.2g}"

    def below_bound(self, source: str, largest: bool = False) -> str:
        """Return how many times smaller the left side is than the printed bound, at least."""
        ratios = [row.printed_bound / row.left for row in self._measured(source) if row.holds]
        return f"{max(ratios) if largest else min(ratios):,.0f}"

    # --- speed ----------------------------------------------------------------------------------

    def contests(self) -> str:
        """Return how many contests the race has."""
        return str(len(self._files.race()["races"]))

    def race(self, name: str, contestant: str) -> str:
        """Return how many times as fast as a contestant graphopt is."""
        races = {race["name"]: race for race in self._files.race()["races"]}
        ratios = {one["name"]: one["ratio"] for one in races[name]["contestants"]}
        return three_digits(ratios[contestant])

    def threads(self) -> str:
        """Return on how many threads the race was run."""
        return str(self._files.race()["threads"])
