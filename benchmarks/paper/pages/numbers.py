"""Numbers in the prose of the pages: each function returns one, as text, from a stored file."""

from __future__ import annotations

import inspect
import statistics
from typing import Any

from benchmarks.paper.jobs.specs import DECIDE, SINGLE
from benchmarks.paper.pages.files import Sources
from benchmarks.paper.proposition.rows import PropositionRow, summary_of
from benchmarks.paper.report.tables import Cell, number, ours, theirs
from benchmarks.race.report import three_digits
from graphopt.datasets import synthetic_distribution
from graphopt.decision import PairedDifference, paired_difference

_DECIDED = ("learning", "clean")


class Numbers(Sources):
    """Where the pages' numbers come from; the public methods are what markers may call."""

    # --- the paper's tables ---------------------------------------------------------------------

    def _cell(self, run: str, table: str, row: str, setting: str, dataset: str) -> tuple[Cell, str]:
        cell = self._files.cell(run, table, row, setting, dataset)
        return cell, self._files.tables(run)[table].layout.unit

    def cell(self, table: str, row: str, setting: str, dataset: str, run: str = "results") -> str:
        """Return the median of a cell."""
        return ours(*self._cell(run, table, row, setting, dataset))

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

    def best(self, table: str, setting: str, dataset: str) -> str:
        """Return the largest median of a column."""
        found = self._files.tables("results")[table]
        medians = [
            cell.median
            for (_, column), cell in found.cells.items()
            if (column.setting, column.dataset) == (setting, dataset) and cell.median is not None
        ]
        return number(max(medians), found.layout.unit)

    def smallest(self, table: str, row: str, setting: str, dataset: str, run: str) -> str:
        """Return the smallest value of a cell."""
        cell, unit = self._cell(run, table, row, setting, dataset)
        return number(min(cell.values), unit)

    def largest(self, table: str, row: str, setting: str, dataset: str, run: str) -> str:
        """Return the largest value of a cell."""
        cell, unit = self._cell(run, table, row, setting, dataset)
        return number(max(cell.values), unit)

    def seeds(self, run: str = "results") -> str:
        """Return how many seeds a run has."""
        return str(self._files.n_seeds(run))

    # --- decide ---------------------------------------------------------------------------------

    def _decide(self, value: str, task: str, *datasets: str) -> list[float]:
        return self._files.decided("decide", value, task, _DECIDED, datasets or SINGLE)

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

    # --- regret ---------------------------------------------------------------------------------

    def _difference(self, task: str, row: str, dataset: str) -> PairedDifference:
        """Return what a row regrets more than decide on fresh splits."""
        table = "1d" if task == "community" else "2d"
        one, other = (
            self._files.cell("regret", table, name, "clean", dataset).values
            for name in (row, DECIDE)
        )
        return paired_difference(row, DECIDE, one, other)

    def largest_p(self, task: str, *rows: str) -> str:
        """Return the largest p-value of rows that all regret more than decide on every graph."""
        found = [self._difference(task, row, dataset) for row in rows for dataset in SINGLE]
        if any(one.difference.mean <= 0.0 for one in found):
            raise ValueError("a row does not regret more than decide")
        return f"{max(one.p_value for one in found):.2g}"

    def least_p_ahead(self) -> str:
        """Return the least p-value of the rows that regret less than decide on some graph."""
        values = []
        for task, table in (("community", "1d"), ("facility", "2d")):
            for row in self._files.tables("regret")[table].layout.rows:
                for dataset in SINGLE:
                    found = self._difference(task, row.label, dataset)
                    if found.difference.mean < 0.0:
                        values.append(found.p_value)
        return f"{min(values):.2g}"

    # --- the graphs -----------------------------------------------------------------------------

    def drawn_graphs(self) -> str:
        """Return how many graphs of the synthetic distribution are drawn."""
        parameters = inspect.signature(synthetic_distribution).parameters
        roles = ("n_train", "n_validation", "n_test")
        return str(sum(parameters[role].default for role in roles))

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

    def ablated(self, dataset: str, variant: str, column: str, unsigned: bool = False) -> str:
        """Return the first number of a cell of the ablation's tables."""
        text = self._files.ablation()[dataset, variant][column].split()[0]
        return text.lstrip("+-") if unsigned else text

    def variants(self) -> str:
        """Return how many variants the ablation has."""
        return str(len({variant for _, variant in self._files.ablation()}))

    def largest_move(self, *variants: str) -> str:
        """Return by how much one of some variants differs from the full recipe at most."""
        moves = [
            abs(float(self.ablated(dataset, variant, "less full recipe [95 %]")))
            for variant in variants
            for dataset in SINGLE
        ]
        return f"{max(moves):.3f}"

    # --- the search of hyperparameters ----------------------------------------------------------

    def _search(self, name: str) -> Any:
        return self._files.json(f"results/tune-{name}.json")

    def tried(self, name: str) -> str:
        """Return how many settings were tried."""
        return str(self._search(name)["landmarks"][0]["of"])

    def tuned(self, name: str, what: str) -> str:
        """Return a setting of the best choice."""
        best = self._search(name)["tried"][0]
        return str({**best["params"], "iterations": best["iterations"]}[what])

    def published_choice(self, name: str, what: str) -> str:
        """Return a setting of the published choice."""
        return str(self._search(name)["landmarks"][0]["params"][what])

    # --- Proposition 1 --------------------------------------------------------------------------

    def _measured(self, source: str) -> list[PropositionRow]:
        return [row for row in self._files.proposition() if row.source == source]

    def places(self, source: str, holds: bool = False) -> str:
        """Return at how many places it was measured, or at how many its hypothesis holds."""
        return str(sum(row.holds or not holds for row in self._measured(source)))

    def above_printed(self, source: str) -> str:
        """Return at how many places the left side is above the bound that should hold."""
        return str(summary_of(source, self._measured(source)).n_above_printed)

    def holds_from(self, source: str) -> str:
        """Return the temperature from which on the hypothesis holds."""
        rows = self._measured(source)
        fails = max((row.temperature for row in rows if not row.holds), default=0.0)
        return f"{min(row.temperature for row in rows if row.temperature > fails):g}"

    def median_left(self, source: str) -> str:
        """Return the median of the proposition's left side."""
        return f"{statistics.median(row.left for row in self._measured(source)):.2g}"

    def median_printed_step(self, source: str) -> str:
        """Return the median of the printed bound on it."""
        return f"{statistics.median(row.printed_step for row in self._measured(source)):,.0f}"

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

    def ratio(self, name: str, contestant: str) -> str:
        """Return how many times as fast as a contestant graphopt is."""
        races = {race["name"]: race for race in self._files.race()["races"]}
        ratios = {one["name"]: one["ratio"] for one in races[name]["contestants"]}
        return three_digits(ratios[contestant])

    def threads(self) -> str:
        """Return on how many threads the race was run."""
        return str(self._files.race()["threads"])
