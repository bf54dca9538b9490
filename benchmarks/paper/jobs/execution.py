"""A job from its parameters to its values, in whatever process it lands."""

from __future__ import annotations

import json
import time
import traceback
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache

import numpy as np
import torch

from benchmarks.paper import ablation
from benchmarks.paper.jobs import inductive
from benchmarks.paper.jobs.decided import Settings
from benchmarks.paper.jobs.measurement import Values, judged, with_peak
from benchmarks.paper.jobs.specs import Job
from benchmarks.paper.jobs.systems import solve, unseen_edges, warm_up
from benchmarks.paper.problems import clean_problem, problem_of
from benchmarks.race.machine import describe_machine
from graphopt import datasets
from graphopt._threads import get_num_threads, set_num_threads
from graphopt.graph import Graph


@dataclass(frozen=True, slots=True)
class Finished:
    """A job that was run.

    Attributes
    ----------
    job : Job
    outcomes : dict
        By row of the tables, the values of the job: scores, seconds, ...; see
        :func:`benchmarks.paper.jobs.measurement.judged`. Empty if it failed.
    decisions : dict
        By row, labels or chosen nodes in the numbering of the data set; single graphs only, and
        without what the portfolio of :func:`graphopt.decide` would have decided.
    error : str or None
        The traceback of a job that failed.
    seconds : float
        Wall time of all of it.
    peak_bytes : int or None
        Memory at the peak above what was there before; None where the system does not tell.
    threads : int
    machine : str
        What it ran on, as JSON.
    finished_at : str
        Time of the world, ISO 8601.
    """

    job: Job
    outcomes: dict[str, Values] = field(default_factory=dict)
    decisions: dict[str, list[int]] = field(default_factory=dict)
    error: str | None = None
    seconds: float = 0.0
    peak_bytes: int | None = None
    threads: int = 1
    machine: str = "{}"
    finished_at: str = ""


def execute(job: Job, threads: int | None = None) -> Finished:
    """Run a job; an error becomes part of the result.

    Parameters
    ----------
    job : Job
    threads : int, optional
        For the kernels and PyTorch; the process keeps this setting. None: as they are.

    Returns
    -------
    Finished
    """
    if threads is not None:
        set_num_threads(threads)
        torch.set_num_threads(threads)
    start = time.perf_counter()
    outcomes: dict[str, Values] = {}
    decisions: dict[str, list[int]] = {}
    error, peak = None, None
    try:
        if job.setting == "inductive":
            inductive.warm_up(job.system, job.task)
            outcomes, peak = with_peak(lambda: inductive.run(job))
        elif job.system in ablation.BY_NAME:
            outcomes = ablation.run(job)
        else:
            outcomes, decisions, peak = _on_one_graph(job)
    except Exception:
        outcomes, error = {}, traceback.format_exc()
    return Finished(
        job,
        outcomes,
        decisions,
        error,
        time.perf_counter() - start,
        peak,
        get_num_threads(),
        _machine(),
        datetime.now(timezone.utc).isoformat(timespec="seconds"),
    )


def _on_one_graph(job: Job) -> tuple[dict[str, Values], dict[str, list[int]], int | None]:
    data = datasets.load(job.data)
    if not isinstance(data, datasets.Dataset):
        raise ValueError(f"{job.data} holds many graphs; the setting for it is 'inductive'")
    warm_up(job.system, job.task)
    # Renumbered, no method can profit from an order that follows the groups.
    renumbered = data.permuted(job.seed)
    if job.setting == "clean":
        problem = clean_problem(job.dataset, renumbered, job.task, job.k, job.seed)
    else:
        problem = problem_of(job.dataset, renumbered, job.task, job.setting, job.k)
    problem.check()
    settings = Settings(
        job.seed,
        job.iterations,
        job.restarts,
        job.time_limit,
        job.time_budget,
        # Published embeddings know all seen edges, so that hiding some tells nothing about them:
        # they are relied on unasked, as in the paper.
        completion="features" if job.setting == "learning" else "auto",
    )
    decided, peak = with_peak(lambda: solve(job.system, problem, settings))
    unseen = Graph.from_edges(unseen_edges(problem.full, problem.seen), problem.full.n_nodes)
    before = _old_numbers(data, renumbered)
    outcomes: dict[str, Values] = {}
    decisions: dict[str, list[int]] = {}
    for found in decided:
        scores = judged(
            job.task, found.decision, problem.full, problem.seen, unseen, renumbered.labels
        )
        outcomes[found.row] = scores | found.values
        if not found.kept:
            continue
        if job.task == "community":
            labels = np.empty(data.n_nodes, np.int64)
            labels[before] = found.decision
            decisions[found.row] = labels.tolist()
        else:
            decisions[found.row] = before[found.decision].tolist()
    return outcomes, decisions, peak


def _old_numbers(data: datasets.Dataset, renumbered: datasets.Dataset) -> np.ndarray:
    """Return of each renumbered node its number in the data set."""
    by_name = np.argsort(data.node_ids)
    return by_name[np.searchsorted(data.node_ids[by_name], renumbered.node_ids)]


@cache
def _machine() -> str:
    return json.dumps(describe_machine(), sort_keys=True)
