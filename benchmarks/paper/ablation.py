"""What each part of ClusterNet brings, beside the classical answer to the same information."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.paper.jobs.measurement import Values, timed
from benchmarks.paper.jobs.specs import SINGLE, Job
from benchmarks.paper.problems import Problem, clean_problem, inner_problem, problem_of
from graphopt import datasets
from graphopt._validation import check_choice, check_integer
from graphopt.communities import leiden, modularity
from graphopt.completion import FeatureNeighbours, spread_over_groups
from graphopt.decision import Summary, signed_rank_p_value, summarize
from graphopt.features import check_features
from graphopt.graph import Graph
from graphopt.learning import ClusterNet, Recipe
from graphopt.learning.inputs import informative_nodes
from graphopt.learning.recipes import default_recipe
from graphopt.nn.losses import ModularityLoss

if TYPE_CHECKING:
    from benchmarks.paper.jobs.store import Stored

SPLITS = ("published", "clean", "inner")
SEEN = "Leiden, seen"
REFERENCE = "Leiden, seen + expected"
FULL = "full recipe"
ALONE = "without completion"
_PLACEMENT = 3

Decide = Callable[[Problem, int, "int | None"], NDArray[Any]]
"""Takes a problem, a seed and the training steps, None: the recipe's; returns the groups of the
nodes of which something is known."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to decide.

    Attributes
    ----------
    name : str
    kind : {"classical", "learned", "without", "instead"}
        ``without``: the full recipe less one part; ``instead``: with one part exchanged.
    decide : callable
    """

    name: str
    kind: str
    decide: Decide


# --- the variants ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """What a problem tells, as ClusterNet takes it: nodes of which something is known, and edges.

    Attributes
    ----------
    nodes : array of int32
    seen : Graph
        Between these nodes.
    expected : Graph
        Seen edges and those that are expected to be missing.
    """

    nodes: NDArray[np.int32]
    seen: Graph
    expected: Graph


def known_nodes(problem: Problem) -> NDArray[np.int32]:
    """Return the nodes of which something is known, ascending."""
    rows = None
    if problem.features is not None:
        rows = check_features(problem.features, problem.seen.n_nodes)
    return informative_nodes(problem.seen, rows)


def known(problem: Problem) -> Known:
    """Return what the full recipe decides on, so that others can have the same."""
    nodes = known_nodes(problem)
    rows = None
    if problem.features is not None:
        rows = check_features(problem.features, problem.seen.n_nodes)
    seen = problem.seen.subgraph(nodes)
    share = problem.seen_fraction
    if rows is None or share == 1.0:
        return Known(nodes, seen, seen)
    missing = FeatureNeighbours(weight=1.0 / share - 1.0).missing_edges(seen, rows[nodes])
    return Known(nodes, seen, seen.plus(missing))


def _leiden(on: str) -> Decide:
    def decide(problem: Problem, seed: int, iterations: int | None) -> NDArray[Any]:
        given = known(problem)  # each variant completes for itself, which its time includes
        return leiden(getattr(given, on), problem.k, random_state=seed).labels

    return decide


def _clusternet(recipe: dict[str, Any] | None = None, **settings: Any) -> Decide:
    """Return ClusterNet with some of the recipe, or of its own parameters, changed."""

    def decide(problem: Problem, seed: int, iterations: int | None) -> NDArray[Any]:
        share = problem.seen_fraction
        usual = default_recipe(ModularityLoss(), share)
        steps: dict[str, Any] = {} if iterations is None else {"iterations": iterations}
        chosen: Recipe = replace(usual, **{**steps, **(recipe or {})})
        model = ClusterNet(
            problem.k,
            seen_fraction=share,
            features_from_edges=problem.features_from_edges,
            recipe=chosen,
            random_state=seed,
            **settings,
        ).fit(problem.seen, problem.features)
        if model.interrupted_:
            raise KeyboardInterrupt
        return model.labels_[known_nodes(problem)]

    return decide


_FULL: dict[str, Any] = {"start": "leiden", "pretraining": 30, "polish": True}


def _full(recipe: dict[str, Any] | None = None, **settings: Any) -> Decide:
    """Return the full recipe, changed; it expects what Leiden, its reference, expects."""
    return _clusternet({**_FULL, **(recipe or {})}, **{"completion": "features", **settings})


VARIANTS: tuple[Variant, ...] = (
    Variant(SEEN, "classical", _leiden("seen")),
    Variant(REFERENCE, "classical", _leiden("expected")),
    Variant("ClusterNet, default", "learned", _clusternet()),
    Variant(FULL, "learned", _full()),
    Variant("without masking", "without", _full({"masking": 0.0})),
    Variant("without restarts", "without", _full({"n_restarts": 1})),
    Variant(ALONE, "without", _full(completion=None)),
    Variant("without warm start", "without", _full({"start": "k-means++", "pretraining": 0})),
    Variant("without pretraining", "without", _full({"pretraining": 0})),
    Variant("without polish", "without", _full({"polish": False})),
    Variant("without learning", "without", _full({"iterations": 1, "pretraining": 0})),
    Variant("completion in the input only", "instead", _full({"completion_in": "input"})),
    Variant("completion in the loss only", "instead", _full({"completion_in": "loss"})),
    Variant("consensus of 5", "instead", _full({"consensus": True, "n_restarts": 5})),
    Variant("implicit gradient", "instead", _full({"gradient": "implicit"})),
    Variant("unrolled gradient", "instead", _full({"gradient": "unrolled"})),
    Variant("encoder SGC", "instead", _full(encoder="sgc")),
    Variant("encoder APPNP", "instead", _full(encoder="appnp")),
)
"""All of them. "full recipe": the default with edges between nodes of like features expected in any
case, a start from Leiden's groups on the graph of the loss, 30 steps of pretraining towards them
and a final polish, chosen before any was judged."""


BY_NAME = {variant.name: variant for variant in VARIANTS}


def select(names: Sequence[str] | None) -> tuple[Variant, ...]:
    """Return the variants of these names, with Leiden and the full recipe; else all.

    Raises
    ------
    ValueError
        For a name that is not known.
    """
    for name in names or ():
        check_choice("variants", name, BY_NAME)
    wanted = set(names or BY_NAME) | {SEEN, REFERENCE, FULL}
    return tuple(variant for variant in VARIANTS if variant.name in wanted)


# --- running --------------------------------------------------------------------------------------


def jobs(
    data: Sequence[str] | None = None,
    variants: Sequence[str] | None = None,
    *,
    n_seeds: int = 10,
    k: int = 10,
    split: str = "published",
    iterations: int | None = None,
) -> list[Job]:
    """Return what is to be run: every variant on every data set, for every seed.

    Parameters
    ----------
    data : sequence of str, optional
        Of cora, citeseer, prot, adol, fb; default: all.
    variants : sequence of str, optional
        See :func:`select`.
    n_seeds, k : int
    split : {"published", "clean", "inner"}
        The published seen edges; 40 % of the undirected edges drawn by the seed; or the published
        seen edges split once more, the decision judged on all of *them*: for choosing settings.
    iterations : int, optional
        Training steps; None: the recipe's.

    Returns
    -------
    list of Job
        Seed by seed, so that a run that is stopped has complete pairs.

    Raises
    ------
    ValueError
        For a name that is not known or a number below 1.
    """
    for name in data or ():
        check_choice("datasets", name, SINGLE)
    check_choice("split", split, SPLITS)
    check_integer("seeds", n_seeds, minimum=1)
    check_integer("k", k, minimum=1)
    if iterations is not None:
        check_integer("iterations", iterations, minimum=1)
    return [
        Job(variant.name, name, "community", split, seed, k, iterations)
        for seed in range(n_seeds)
        for name in SINGLE
        if not data or name in data
        for variant in select(variants)
    ]


def run(job: Job) -> dict[str, Values]:
    """Run a job.

    Returns
    -------
    dict
        By the variant, ``score``, the modularity on the graph that is judged on, the full one
        unless the split is an inner one; ``seen_score`` on the seen graph; ``expected_score`` on
        seen and expected edges, between nodes of which something is known; and
        ``decision_seconds``.
    """
    problem, given = _posed(job.dataset, job.seed, job.k, job.setting)
    decided, seconds = timed(lambda: BY_NAME[job.system].decide(problem, job.seed, job.iterations))
    labels = placed(decided, given.nodes, problem, job.seed)
    values: Values = {
        "score": modularity(problem.full, labels),
        "seen_score": modularity(problem.seen, labels),
        "expected_score": modularity(given.expected, decided),
        "decision_seconds": seconds,
    }
    return {job.system: values}


@lru_cache(maxsize=1)  # jobs of one data set and seed follow each other
def _posed(dataset: str, seed: int, k: int, split: str) -> tuple[Problem, Known]:
    data = datasets.load(dataset)
    if not isinstance(data, datasets.Dataset):
        raise ValueError(f"{dataset} holds many graphs")
    data = data.permuted(seed)
    if split == "published":
        problem = problem_of(dataset, data, "community", "learning", k)
    else:
        make = clean_problem if split == "clean" else inner_problem
        problem = make(dataset, data, "community", k, seed)
    return problem, known(problem)


def placed(
    labels: NDArray[Any], nodes: NDArray[np.int32], problem: Problem, seed: int
) -> NDArray[np.int32]:
    """Return labels of all nodes; those of which nothing is known are dealt out as by ClusterNet.

    By draws that depend on the seed and the groups alone: what two variants decide alike is scored
    alike, so that their difference holds no luck of the draw.

    Parameters
    ----------
    labels : array of int, shape (len(nodes),)
    nodes : array of int32
    problem : Problem
    seed : int
    """
    _, first, group = np.unique(labels, return_index=True, return_inverse=True)
    number = np.argsort(np.argsort(first))  # by each group's first node
    rng = np.random.default_rng([_PLACEMENT, seed])
    return spread_over_groups(number[group.reshape(-1)], nodes, problem.seen, problem.k, rng)


# --- what it says ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Difference:
    """Scores of one variant minus those of another, in pairs over the same seeds.

    Attributes
    ----------
    summary : Summary or None
        None for fewer than two pairs.
    mean : float
    p_value : float
        Of Wilcoxon's signed-rank test.
    """

    summary: Summary | None
    mean: float
    p_value: float

    @property
    def verdict(self) -> str:
        """``"better"`` or ``"worse"`` if interval and test agree on it, else ``"undecided"``.

        The interval of few values is too narrow, and of fewer than six differences, all of one
        sign, the test cannot say that they are not by chance.
        """
        summary = self.summary
        if summary is None or self.p_value > 0.05 or summary.low <= 0.0 <= summary.high:
            return "undecided"
        return "better" if summary.low > 0.0 else "worse"


@dataclass(frozen=True, slots=True)
class Line:
    """One variant on one data set.

    Attributes
    ----------
    dataset : str
    variant : Variant
    n : int
        Seeds.
    median, mean : float
        Of the score.
    summary : Summary or None
        None for one seed.
    to_reference, to_seen, to_full : Difference or None
        To Leiden on seen and expected edges, to Leiden on seen edges, and to the full recipe; None
        for these themselves.
    expected_median, seconds : float
        Medians of the modularity on seen and expected edges, and of the time.
    """

    dataset: str
    variant: Variant
    n: int
    median: float
    mean: float
    summary: Summary | None
    to_reference: Difference | None
    to_seen: Difference | None
    to_full: Difference | None
    expected_median: float
    seconds: float


def summary_lines(rows: Iterable[Stored]) -> list[Line]:
    """Return a line for each data set and variant that has results, in their usual order."""
    values: dict[tuple[str, str], dict[int, Values]] = {}
    for row in rows:
        if row.error is None:
            job = row.job
            values.setdefault((job.dataset, job.system), {})[job.seed] = row.outcomes[job.system]
    return [
        _line(dataset, variant, values)
        for dataset in SINGLE
        for variant in VARIANTS
        if (dataset, variant.name) in values
    ]


def _line(dataset: str, variant: Variant, values: dict[tuple[str, str], dict[int, Values]]) -> Line:
    mine = values[dataset, variant.name]
    scores, expected, seconds = (
        [one[name] or 0.0 for one in mine.values()]
        for name in ("score", "expected_score", "decision_seconds")
    )
    to_reference, to_seen, to_full = (
        _paired(mine, values.get((dataset, other))) for other in (REFERENCE, SEEN, FULL)
    )
    return Line(
        dataset,
        variant,
        len(scores),
        float(np.median(scores)),
        float(np.mean(scores)),
        summarize(scores) if len(scores) > 1 else None,
        to_reference,
        to_seen,
        to_full,
        float(np.median(expected)),
        float(np.median(seconds)),
    )


def _paired(mine: dict[int, Values], other: dict[int, Values] | None) -> Difference | None:
    if other is None or other is mine:
        return None
    seeds = sorted(mine.keys() & other.keys())
    if not seeds:
        return None
    differences = [(mine[seed]["score"] or 0.0) - (other[seed]["score"] or 0.0) for seed in seeds]
    return Difference(
        summarize(differences) if len(seeds) > 1 else None,
        float(np.mean(differences)),
        signed_rank_p_value(differences),
    )
