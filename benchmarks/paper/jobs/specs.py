"""What there is to run: one job decides for one system, data set, task, setting and seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from importlib import metadata
from typing import Any, NamedTuple

from graphopt._validation import check_choice, check_integer

SINGLE = ("cora", "citeseer", "prot", "adol", "fb")
"""Data sets of one graph, by the names of the paper's tables."""
DRAWN = "synthetic-r2v"
"""Graphs of the distribution that the paper calls synthetic, drawn here; role2vec features."""
INDUCTIVE = ("synthetic", "pubmed", DRAWN)
"""Data sets of many graphs; the paper has the first two."""
DATASETS = (*SINGLE, *INDUCTIVE)

_FILES = {  # where it is not the table's name, with "_connected" for facilities
    ("synthetic", "community"): "synthetic_spa",
    ("synthetic", "facility"): "synthetic_spa",
    ("pubmed", "community"): "pubmed_inductive",
    ("pubmed", "facility"): "pubmed_connected_inductive",
    (DRAWN, "community"): "synthetic_distribution",
    (DRAWN, "facility"): "synthetic_distribution",
}

TWO_STAGE = "GCN-2stage"
EXACT = "Exact k-center"
COMPLETED = "Leiden, completed"
LOCAL_SEARCH = "Local search"
ROBUST = "Robust k-center"
DECIDE = "decide"
HINDSIGHT = "decide/"
"""Begins the outcomes of a job of decide that are of a method of its portfolio."""
SYSTEMS: dict[str, tuple[str, ...]] = {
    "community": (
        "ClusterNet", "GCN-e2e", "Train-CNM", "Train-Newman", "Train-SC", TWO_STAGE, "Leiden",
        COMPLETED, DECIDE,
    ),
    "facility": (
        "ClusterNet", "GCN-e2e", "Train-greedy", "Train-gonzalez", TWO_STAGE, EXACT, LOCAL_SEARCH,
        ROBUST, DECIDE,
    ),
}  # fmt: skip
"""What runs for each task. One job of the two-stage system decides by all its algorithms."""
TRAINED = ("ClusterNet", "GCN-e2e", TWO_STAGE)
COMPLETING = (TWO_STAGE, COMPLETED, ROBUST)
"""Systems that say something of edges not seen, and nothing of their own where there are none."""
SLOW = (COMPLETED, ROBUST, DECIDE)
"""Systems that have no steps to save: a quick run has them on few data sets."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work, and everything that its result depends on.

    Attributes
    ----------
    system : str
        One of :data:`SYSTEMS`.
    dataset : str
        One of :data:`DATASETS`.
    task : {"community", "facility"}
    setting : {"learning", "optimization", "clean", "inductive"}
        Decide from the published seen edges of a graph, from all edges, from 40 % of the undirected
        edges drawn anew for each seed, or on graphs not trained on.
    seed : int
        Of everything random, the numbering of the nodes included.
    k : int
        Groups or facilities.
    iterations, restarts, graphs : int or None
        Training steps, trainings to choose from, and graphs of each role (inductive) at most;
        None: the library's defaults, and all graphs.
    time_limit : float or None
        Seconds for a proof of optimality; without one it ends with what is best by then.
    time_budget : float or None
        Seconds for the trials of :func:`graphopt.decide`; None: no end.
    """

    system: str
    dataset: str
    task: str
    setting: str
    seed: int
    k: int = 10
    iterations: int | None = None
    restarts: int | None = None
    graphs: int | None = None
    time_limit: float | None = None
    time_budget: float | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        """What is set beside system, data set, task, setting and seed."""
        optional = ("iterations", "restarts", "graphs", "time_limit", "time_budget")
        chosen = {name: getattr(self, name) for name in optional}
        return {"k": self.k} | {name: x for name, x in chosen.items() if x is not None}

    @property
    def key(self) -> str:
        """A digest of the job and the library's version: the same job has it on any machine."""
        content = {f.name: getattr(self, f.name) for f in fields(self)}
        content["version"] = metadata.version("graphopt")
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]

    @property
    def label(self) -> str:
        """The job in a few words."""
        return f"{self.system}, {self.dataset}, {self.task}, {self.setting}, seed {self.seed}"

    @property
    def data(self) -> str:
        """The name that :func:`graphopt.datasets.load` knows; of :data:`DRAWN`, who draws it."""
        usual = self.dataset + ("_connected" if self.task == "facility" else "")
        return _FILES.get((self.dataset, self.task), usual)


class Effort(NamedTuple):
    """How much work a run is: what its jobs are given.

    `slow_on`: data sets that the :data:`SLOW` systems run on, and `slow_graphs`, how many graphs of
    each role they have (inductive); None: all.
    """

    iterations: int | None = None
    predictor_iterations: int | None = None
    restarts: int | None = None
    graphs: int | None = None
    proof_seconds: float = 300.0
    trial_seconds: float | None = None
    slow_on: tuple[str, ...] | None = None
    slow_graphs: int | None = None


FULL = Effort()
QUICK = Effort(
    iterations=20,
    predictor_iterations=60,
    restarts=1,
    graphs=3,
    proof_seconds=3.0,
    trial_seconds=0.1,
    slow_on=("fb", "synthetic"),
    slow_graphs=1,
)


def has_job(system: str, dataset: str, setting: str, effort: Effort = FULL) -> bool:
    """Return whether a system has something to decide by that no other has.

    It has not where it would predict edges and all are seen; and not in a quick run where it is
    slow and the data set is not among the few for that.
    """
    if setting == "optimization" and system in COMPLETING:
        return False
    return system not in SLOW or effort.slow_on is None or dataset in effort.slow_on


def make_job(
    system: str, dataset: str, task: str, setting: str, seed: int, effort: Effort = FULL
) -> Job:
    """Return the job, given what of the effort concerns its system."""
    check_choice("task", task, SYSTEMS)
    check_choice("system", system, SYSTEMS[task])
    check_choice("dataset", dataset, DATASETS)
    check_integer("seed", seed, minimum=0)
    networks, two_stage = system in TRAINED, system == TWO_STAGE
    graphs = effort.slow_graphs if system in SLOW else effort.graphs
    return Job(
        system,
        dataset,
        task,
        setting,
        seed,
        iterations=(effort.predictor_iterations if two_stage else effort.iterations)
        if networks
        else None,
        restarts=effort.restarts if networks and not two_stage else None,
        graphs=graphs if setting == "inductive" else None,
        time_limit=effort.proof_seconds if system == EXACT else None,
        time_budget=effort.trial_seconds if system == DECIDE else None,
    )


def by_seed(jobs: Iterable[Job]) -> list[Job]:
    """Return the jobs without repeats, seed after seed, so that a part of a run is of use."""
    return sorted(dict.fromkeys(jobs), key=lambda job: job.seed)


def check_datasets(names: Sequence[str]) -> tuple[str, ...]:
    """Return the names, in the order of the tables; all if none are given."""
    chosen = [check_choice("datasets", name, DATASETS) for name in names]
    return tuple(name for name in DATASETS if name in chosen or not chosen)
