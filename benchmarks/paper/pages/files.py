"""The files with the results, read."""

from __future__ import annotations

import ast
import csv
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.paper.jobs.measurement import Values
from benchmarks.paper.jobs.specs import DECIDE, Job, make_job
from benchmarks.paper.jobs.store import Stored
from benchmarks.paper.proposition.rows import PropositionRow
from benchmarks.paper.report.layouts import LAYOUTS, Column
from benchmarks.paper.report.tables import Cell, Table, fill

FOLDERS = {"results": "", "decide": "decide", "regret": "regret", "inductive": "inductive"}
"""Where the results of each run of ``python -m benchmarks.paper tables`` lie under ``results/``."""

_DESCRIBE = 14  # columns of a file that say what ran; the others are values


class Files:
    """The files with the results in a checkout; each is read once, when it is asked for.

    Parameters
    ----------
    root : Path
        Of the checkout.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.race = cache(lambda: self.json("benchmarks/results/race.json"))
        self.exact = cache(lambda: self.json("benchmarks/results/exact.json"))
        self.scaling = cache(lambda: self.json("benchmarks/results/scaling.json"))
        self.interrupts = cache(lambda: self.json("benchmarks/results/interrupts.json"))
        self.jobs = cache(self._jobs)
        self.tables = cache(self._tables)
        self.ablation = cache(self._ablation)

    def json(self, path: str) -> Any:
        """Return the content of a JSON file."""
        return json.loads((self.root / path).read_text(encoding="utf-8"))

    def rows(self, path: str) -> list[dict[str, str]]:
        """Return the lines of a CSV file."""
        with (self.root / path).open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def _jobs(self, run: str) -> dict[tuple[str, str, str, str, int], Stored]:
        """Return what a run stored, by system, data set, task, setting and seed."""
        lines = defaultdict(list)
        for row in self.rows(str(Path("results", FOLDERS[run], "results.csv"))):
            known = (row["system"], row["dataset"], row["task"], row["setting"], int(row["seed"]))
            lines[known].append(row)
        found = {}
        for known, group in lines.items():
            first = group[0]
            outcomes: dict[str, Values] = {
                row["row"]: {name: float(text) for name, text in list(row.items())[_DESCRIBE:]
                             if text}
                for row in group
            }  # fmt: skip
            found[known] = Stored(
                make_job(*known), outcomes, {}, first["error"] or None,
                float(first["job_seconds"]), None, int(first["threads"]), first["machine"],
                first["version"], "",
            )  # fmt: skip
        return found

    def n_seeds(self, run: str) -> int:
        """Return how many seeds a run has."""
        return 1 + max(seed for *_, seed in self.jobs(run))

    def _tables(self, run: str) -> dict[str, Table]:
        """Return the paper's tables, by name, as a run fills them."""
        stored = self.jobs(run)

        def look_up(job: Job) -> Stored | None:
            return stored.get((job.system, job.dataset, job.task, job.setting, job.seed))

        tables = fill(LAYOUTS, look_up, self.n_seeds(run))
        return {table.layout.name: table for table in tables}

    def cell(self, run: str, table: str, row: str, setting: str, dataset: str) -> Cell:
        """Return a cell of one of the paper's tables, as a run fills it."""
        try:
            return self.tables(run)[table].cells[row, Column(setting, dataset)]
        except KeyError as error:
            raise ValueError(f"no cell {table}, {row}, {setting}, {dataset} in {run}") from error

    def decided(
        self, run: str, value: str, task: str, settings: Sequence[str], datasets: Sequence[str]
    ) -> list[float]:
        """Return a value of decide's decisions that were looked at in hindsight."""
        found = []
        for (system, dataset, of, setting, _), stored in sorted(self.jobs(run).items()):
            known = stored.outcomes.get(DECIDE, {}).get(value)
            wanted = (system, of) == (DECIDE, task) and setting in settings and dataset in datasets
            if wanted and known is not None and "loss" in stored.outcomes[DECIDE]:
                found.append(known)
        if not found:
            raise ValueError(f"no {value} of decide, {task}, {settings}, {datasets} in {run}")
        return found

    def _ablation(self) -> dict[tuple[str, str], dict[str, str]]:
        """Return the lines of the ablation's tables, by data set and variant."""
        found: dict[tuple[str, str], dict[str, str]] = {}
        dataset, heads = "", list[str]()
        for line in (self.root / "results/ablation.md").read_text(encoding="utf-8").splitlines():
            cells = [cell.strip() for cell in line.strip("|").replace("\\", "").split("|")]
            if line.startswith("## "):
                dataset = line[3:]
            elif line.startswith("| variant"):
                heads = cells
            elif line.startswith("| ") and not line.startswith("| ---"):
                found[dataset, cells[0]] = dict(zip(heads, cells, strict=True))
        return found

    def proposition(self) -> list[PropositionRow]:
        """Return where Proposition 1 was measured."""
        found = []
        for row in self.rows("results/proposition.csv"):
            values: dict[str, Any] = {
                name: text if name == "source" else ast.literal_eval(text.replace("inf", "1e999"))
                for name, text in row.items()
                if text
            }
            found.append(PropositionRow(**{"step": None, **values}))
        return found

    def first_centers(self, dataset: str, setting: str) -> list[float]:
        """Return Gonzalez' radius for every first centre and numbering, ascending."""
        radii: Counter[float] = Counter()
        for row in self.rows("results/first-centers.csv"):
            if (row["dataset"], row["setting"]) == (dataset, setting):
                radii[float(row["radius"])] += int(row["starts"])
        return sorted(radii.elements())


class Sources:
    """Texts of pages, made from the files: markers may call the public methods of a subclass."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def by_name(self) -> dict[str, Callable[..., str]]:
        """Return the methods that markers may call."""
        return {name: getattr(self, name) for name in vars(type(self)) if not name.startswith("_")}
