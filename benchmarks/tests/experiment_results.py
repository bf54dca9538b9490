"""Results of jobs that nobody ran."""

from __future__ import annotations

import zlib
from typing import Any

from benchmarks.paper.jobs.execution import Finished
from benchmarks.paper.jobs.measurement import Values
from benchmarks.paper.jobs.specs import DECIDE, EXACT, HINDSIGHT, Job
from benchmarks.paper.report.layouts import LAYOUTS

MACHINE = '{"processor": "an abacus", "isa": "beads", "libraries": {"torch": "2.0"}, "python": "3"}'


def made_up(job: Job, **changes: Any) -> Finished:
    """Return a result that has every value the tables ask for, different for every seed."""
    outcomes: dict[str, Values] = {}
    for layout in LAYOUTS:
        for row in layout.rows:
            if layout.task == job.task and row.system == job.system:
                chance = zlib.crc32(f"{row.outcome} {row.value} {job.dataset}".encode()) % 900
                size = 1.0 if layout.unit in ("modularity", "share") else 10.0
                value = size * (chance + 10 * job.seed) / 1000
                outcomes.setdefault(row.outcome, {})[row.value] = value
    if job.system == EXACT:  # proven
        outcomes[EXACT]["lower_bound"] = outcomes[EXACT]["score"]
    if job.system == DECIDE and job.setting != "optimization":
        outcomes |= with_hindsight(outcomes[DECIDE], job.task)
    given: dict[str, Any] = {
        "outcomes": outcomes,
        "decisions": {row: [0] for row in outcomes},
        "seconds": 1.5,
        "threads": 2,
        "machine": MACHINE,
        "finished_at": "2026-01-01T00:00:00+00:00",
    }
    return Finished(job, **(given | changes))


def with_hindsight(values: Values, task: str) -> dict[str, Values]:
    """Return what a job of decide tells of its portfolio: it took one of two, the other is ahead.

    The decision and the one that it took have the same score; `values` is changed.
    """
    score = values["score"] or 0.0
    best = score + (0.1 if task == "community" else -1.0)
    values |= {"picked_best": 0.0, "interval_holds": 1.0, "best_score": best}
    values["loss"] = abs(best - score)
    return {
        f"{HINDSIGHT}this": {"score": score, "chosen": 1.0, "best": 0.0},
        f"{HINDSIGHT}that": {"score": best, "chosen": 0.0, "best": 1.0},
    }


def failure(job: Job) -> Finished:
    """Return the result of a job that failed."""
    return made_up(job, outcomes={}, decisions={}, error="Traceback ...\nValueError: no <luck>\n")
