"""The tables: which job and which of its values stand in which row and column."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from benchmarks.paper.jobs.specs import (
    COMPLETED,
    DECIDE,
    DRAWN,
    EXACT,
    FULL,
    INDUCTIVE,
    LOCAL_SEARCH,
    ROBUST,
    SINGLE,
    TWO_STAGE,
    Effort,
    Job,
    by_seed,
    has_job,
    make_job,
)
from benchmarks.paper.report.published import published
from graphopt._validation import check_integer

TASK_OF = {1: "community", 2: "facility", 3: "community", 4: "facility", 5: "community",
           6: "facility"}  # fmt: skip
SETTINGS = {
    "learning": "Learning + optimization",
    "optimization": "Optimization",
    "clean": "Fresh splits, 40 % of the undirected edges",
    "inductive": "Inductive",
}


@dataclass(frozen=True, slots=True)
class Row:
    """A row: the system that fills it and the value that stands in it.

    Attributes
    ----------
    label : str
        What the paper calls it; unique in its table.
    system : str
        Whose jobs they are.
    outcome : str
        Which of the job's outcomes.
    value : str
        Its name there.
    extra : bool
        Whether the paper has no such row.
    """

    label: str
    system: str
    outcome: str
    value: str
    extra: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the setting and the data set."""

    setting: str
    dataset: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A table without its numbers.

    Attributes
    ----------
    name : str
        ``"1"`` to ``"6"``, and letters after it for tables that the paper does not have.
    number : int
        The paper's table that it belongs to.
    title : str
    rows : tuple of Row
    columns : tuple of Column
    unit : {"modularity", "hops", "seconds", "share"}
    note : str
    regret : bool
        Whether a cell is not the value itself but how far it falls short of the best one that the
        reference (:meth:`reference_job`) found with the full graph seen.
    """

    name: str
    number: int
    title: str
    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    unit: str
    note: str = ""
    regret: bool = False

    @property
    def task(self) -> str:
        """What is decided."""
        return TASK_OF[self.number]

    @property
    def higher_is_better(self) -> bool:
        """Whether more is better."""
        return self.unit in ("modularity", "share") and not self.regret

    def published(self, row: Row, column: Column) -> float | None:
        """Return the paper's number; None where it has none."""
        if not self.name.isdecimal() or row.extra:
            return None
        name = column.dataset
        if self.number <= 2:
            name = f"{column.setting}/{name}"
        return published()[self.number][row.label].get(name)

    def job(self, row: Row, column: Column, seed: int, effort: Effort = FULL) -> Job | None:
        """Return the job whose value stands in a cell; None where there is nothing to run.

        See :func:`benchmarks.paper.jobs.specs.has_job`.
        """
        if not has_job(row.system, column.dataset, column.setting, effort):
            return None
        return make_job(row.system, column.dataset, self.task, column.setting, seed, effort)

    def reference_job(self, column: Column, seed: int, effort: Effort = FULL) -> Job | None:
        """Return the job that regret in a column is measured by; None where there is no regret."""
        if not self.regret:
            return None
        system = BOUND[self.task]
        return make_job(system, column.dataset, self.task, "optimization", seed, effort)


# --- rows -----------------------------------------------------------------------------------------

_CLASSICAL = {
    "community": ("Train-CNM", "Train-Newman", "Train-SC"),
    "facility": ("Train-greedy", "Train-gonzalez"),
}
_STAGES = {
    "community": ("CNM", "Newman", "SC"),
    "facility": ("greedy", "gonzalez"),
}
BOUND = {"community": "Leiden", "facility": EXACT}
"""By task, the system whose decision from all edges others are measured by."""
_EXTRA = {
    "community": ("Leiden", COMPLETED, DECIDE),
    "facility": (EXACT, LOCAL_SEARCH, ROBUST, DECIDE),
}


def _quality_rows(task: str, value: str) -> tuple[Row, ...]:
    """Return one row for each way to decide."""
    names = ("ClusterNet", "GCN-e2e", *_CLASSICAL[task])
    return (
        *(Row(name, name, name, value) for name in names),
        *(
            Row(f"{TWO_STAGE}-{name}", TWO_STAGE, f"{TWO_STAGE}-{name}", value)
            for name in _STAGES[task]
        ),
        *(Row(name, name, name, value, extra=True) for name in _EXTRA[task]),
    )


def _time_rows(task: str, inductive: bool) -> tuple[Row, ...]:
    """Return the rows of a table of times, in the paper's order."""
    classical, prefix = _CLASSICAL[task], TWO_STAGE
    stages = _STAGES[task]
    if inductive:  # the appendix names and orders some of them another way
        prefix = "2stage"
        if task == "facility":
            classical, stages = classical[::-1], stages[::-1]
    rows = [
        Row(f"{name} - {words}", name, name, value)
        for name in ("ClusterNet", "GCN-e2e")
        for words, value in (("training", "training_seconds"), ("forward pass", "forward_seconds"))
    ]
    rows += [Row(name, name, name, "decision_seconds") for name in classical]
    first = f"{TWO_STAGE}-{_STAGES[task][0]}"
    rows.append(Row(f"{prefix} - training", TWO_STAGE, first, "training_seconds"))
    rows.append(Row(f"{prefix} - completion", TWO_STAGE, first, "completion_seconds", extra=True))
    rows += [
        Row(f"{prefix}-{name}", TWO_STAGE, f"{TWO_STAGE}-{name}", "decision_seconds")
        for name in stages
    ]
    rows += [Row(name, name, name, "decision_seconds", extra=True) for name in _EXTRA[task]]
    return tuple(rows)


def _tuned(rows: Iterable[Row]) -> tuple[Row, ...]:
    """Return for every learned row two: without and with fine-tuning."""
    result: list[Row] = []
    for row in rows:
        if row.system in ("ClusterNet", "GCN-e2e", TWO_STAGE):
            tuned = Row(f"{row.label}, fine-tuned", row.system, row.outcome, f"tuned_{row.value}")
            result += [row, tuned]
        else:
            result.append(row)
    return tuple(result)


# --- tables ---------------------------------------------------------------------------------------


def _columns(settings: Sequence[str], datasets: Sequence[str]) -> tuple[Column, ...]:
    return tuple(Column(setting, name) for setting in settings for name in datasets)


_BOTH = _columns(("learning", "optimization"), SINGLE)
_LEARNING = _columns(("learning",), SINGLE)
_CLEAN = _columns(("clean",), SINGLE)
_ALL = (*_BOTH, *_CLEAN)
_WITH_CLASSES = _columns(("learning", "optimization", "clean"), ("cora", "citeseer"))
_INDUCTIVE = _columns(("inductive",), INDUCTIVE)
_PREDICTION = tuple(
    Row(label, TWO_STAGE, f"{TWO_STAGE}-CNM", value, extra=True)
    for label, value in (
        ("AUC", "auc"),
        ("average precision", "average_precision"),
        ("Hits@10", "hits_at_10"),
        ("Hits@50", "hits_at_50"),
        ("Hits@100", "hits_at_100"),
    )
)
_FRESH = (
    "Each seed draws 40 % of the undirected edges anew; no edge is both seen and hidden. Words "
    "stay the features; embeddings, which know the edges, are replaced by role2vec of the seen "
    "graph."
)
_ALL_SEEN = {
    "community": (
        "–: where all edges are seen none is left to predict, so the second stage of GCN-2stage "
        "would be the row Train- of the same algorithm, and Leiden, completed would be Leiden."
    ),
    "facility": (
        "–: where all edges are seen none is left to predict, so the second stage of GCN-2stage "
        "would be the row Train- of the same algorithm, and Robust k-center would be Local search."
    ),
}
_OURS = {
    "community": (
        "Not in the paper: Leiden, at most 10 groups; the same on the seen edges and expected ones "
        "(completed: those between nodes with like features, or by bagging where features were "
        "computed from edges); and graphopt.decide, which chooses between such ways on hidden "
        "seen edges."
    ),
    "facility": (
        "Not in the paper: Exact k-center, a proven optimum on what is seen (on its largest "
        "component, where it has more than 10); Local search by swaps, on what is seen; Robust "
        "k-center, one choice for many whole graphs that a link model draws; and graphopt.decide, "
        "which chooses between such ways on hidden seen edges."
    ),
}
_TAIL = "Of the decisions of tables 2 and 2c, the latter on fresh splits."
_CLASSES = "Of the decisions of tables 1 and 1c with the classes of the papers; 1: the same groups."
_DRAWN = (
    f"{DRAWN}, not in the paper: 60 other graphs of the distribution that the column synthetic is "
    "the published draw of, with features by role2vec."
)
_TIMES = "Where k-center is decided on a graph, its distances are part of the time."

LAYOUTS = (
    Layout(
        "1", 1, "Communities: modularity on the full graph",
        _quality_rows("community", "score"), _BOTH, "modularity",
        "At most 10 groups; higher is better. "
        f"{_OURS['community']} {_ALL_SEEN['community']}",
    ),
    Layout(
        "1a", 1, "Communities: modularity on the edges never seen",
        _quality_rows("community", "unseen_score"), _LEARNING, "modularity",
        "Of the same decisions, on the graph that has the edges that were not seen and no others.",
    ),
    Layout(
        "1b", 1, "Link prediction: edges never seen against as many pairs without an edge",
        _PREDICTION, _LEARNING, "share",
        "By the predictor of GCN-2stage.",
    ),
    Layout(
        "1c", 1, "Communities on fresh splits: modularity on the full graph",
        _quality_rows("community", "score"), _CLEAN, "modularity",
        f"{_FRESH} At most 10 groups; higher is better.",
    ),
    Layout(
        "1d", 1, "Communities on fresh splits: regret",
        _quality_rows("community", "score"), _CLEAN, "modularity",
        "How far the modularity of table 1c falls short of the best that Leiden found with the "
        "full graph seen; lower is better.", regret=True,
    ),
    Layout(
        "1e", 1, "Communities: normalised mutual information with the classes",
        _quality_rows("community", "nmi"), _WITH_CLASSES, "share",
        f"{_CLASSES} {_ALL_SEEN['community']}",
    ),
    Layout(
        "1f", 1, "Communities: adjusted Rand index with the classes",
        _quality_rows("community", "ari"), _WITH_CLASSES, "share",
        f"{_CLASSES} {_ALL_SEEN['community']}",
    ),
    Layout(
        "2", 2, "Facilities: largest distance on the full graph, in hops",
        _quality_rows("facility", "score"), _BOTH, "hops",
        "10 facilities; lower is better. Train-gonzalez and GCN-2stage-gonzalez start at a random "
        f"node, another for each seed. {_OURS['facility']} {_ALL_SEEN['facility']}",
    ),
    Layout(
        "2a", 2, "Facilities: mean distance on the full graph, in hops",
        _quality_rows("facility", "mean_distance"), _ALL, "hops",
        f"{_TAIL} {_ALL_SEEN['facility']}",
    ),
    Layout(
        "2b", 2, "Facilities: 95th percentile of the distances on the full graph, in hops",
        _quality_rows("facility", "p95_distance"), _ALL, "hops",
        f"{_TAIL} {_ALL_SEEN['facility']}",
    ),
    Layout(
        "2c", 2, "Facilities on fresh splits: largest distance on the full graph, in hops",
        _quality_rows("facility", "score"), _CLEAN, "hops",
        f"{_FRESH} 10 facilities; lower is better.",
    ),
    Layout(
        "2d", 2, "Facilities on fresh splits: regret, in hops",
        _quality_rows("facility", "score"), _CLEAN, "hops",
        "How far the largest distance of table 2c is above the optimum with the full graph seen "
        "(the best that was found, where the time for a proof was over before); lower is better.",
        regret=True,
    ),
    Layout(
        "2e", 2, "Facilities: 99th percentile of the distances on the full graph, in hops",
        _quality_rows("facility", "p99_distance"), _ALL, "hops",
        f"{_TAIL} {_ALL_SEEN['facility']}",
    ),
    Layout(
        "3", 3, "Seconds: communities, one graph",
        _time_rows("community", inductive=False), _LEARNING, "seconds",
        "Deciding from the seen edges. Completion: the probabilities of all pairs, once for all "
        "algorithms of GCN-2stage.",
    ),
    Layout(
        "4", 4, "Seconds: facilities, one graph",
        _time_rows("facility", inductive=False), _LEARNING, "seconds",
        "Deciding from the seen edges. Completion: the expected distances of all pairs, once for "
        f"all algorithms of GCN-2stage. {_TIMES}",
    ),
    Layout(
        "5", 5, "Seconds: communities, inductive",
        _time_rows("community", inductive=True), _INDUCTIVE, "seconds",
        f"Training: on all training graphs. All else: on one test graph, on average. {_DRAWN}",
    ),
    Layout(
        "5a", 5, "Communities on graphs not trained on: modularity on the full graph",
        _tuned(_quality_rows("community", "score")), _INDUCTIVE, "modularity",
        f"Mean over the test graphs. {_DRAWN}",
    ),
    Layout(
        "5b", 5, "Communities on graphs not trained on: modularity on the edges never seen",
        _tuned(_quality_rows("community", "unseen_score")), _INDUCTIVE, "modularity",
        f"Mean over the test graphs. {_DRAWN}",
    ),
    Layout(
        "6", 6, "Seconds: facilities, inductive",
        _time_rows("facility", inductive=True), _INDUCTIVE, "seconds",
        f"Training: on all training graphs. All else: on one test graph, on average. {_TIMES} "
        f"{_DRAWN}",
    ),
    Layout(
        "6a", 6, "Facilities on graphs not trained on: largest distance on the full graph, in hops",
        _tuned(_quality_rows("facility", "score")), _INDUCTIVE, "hops",
        f"Mean over the test graphs. {_DRAWN}",
    ),
    Layout(
        "6b", 6, "Facilities on graphs not trained on: mean distance on the full graph, in hops",
        _tuned(_quality_rows("facility", "mean_distance")), _INDUCTIVE, "hops",
        f"Mean over the test graphs. {_DRAWN}",
    ),
)  # fmt: skip
"""The paper's six tables, each followed by what the same jobs tell beside it."""


def select(
    numbers: Sequence[int] = (),
    datasets: Sequence[str] = (*SINGLE, *INDUCTIVE),
    *,
    fresh_splits: bool = True,
) -> tuple[Layout, ...]:
    """Return some of the paper's tables (all if none are named), for some data sets.

    A table that has no column for any of the data sets is left out, and where `fresh_splits` is
    False those on splits that the paper does not have.

    Raises
    ------
    ValueError
        For a number that is no table, or if nothing is left.
    """
    for number in numbers:
        check_integer("table", number, minimum=1)
        if number > 6:
            raise ValueError(f"table must be in 1..6, not {number}")
    chosen = []
    for layout in LAYOUTS:
        columns = tuple(
            column
            for column in layout.columns
            if column.dataset in datasets and (fresh_splits or column.setting != "clean")
        )
        if columns and (not numbers or layout.number in numbers):
            chosen.append(replace(layout, columns=columns))
    if not chosen:
        raise ValueError(
            f"table {', '.join(map(str, numbers))} has no column for {', '.join(datasets)}"
        )
    return tuple(chosen)


def jobs_of(layouts: Iterable[Layout], n_seeds: int, effort: Effort = FULL) -> list[Job]:
    """Return the jobs that fill the tables; none twice, however many cells it fills."""
    jobs = (
        job
        for layout in layouts
        for column in layout.columns
        for seed in range(n_seeds)
        for job in (
            *(layout.job(row, column, seed, effort) for row in layout.rows),
            layout.reference_job(column, seed, effort),
        )
    )
    return by_seed(job for job in jobs if job is not None)
