"""The compared systems as jobs: what they decide, what is measured, what is judged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.paper.jobs import deciding, inductive, measurement
from benchmarks.paper.jobs.decided import Settings
from benchmarks.paper.jobs.execution import execute
from benchmarks.paper.jobs.measurement import forward_seconds, judged, timed, with_peak
from benchmarks.paper.jobs.specs import (
    COMPLETED,
    DECIDE,
    DRAWN,
    EXACT,
    HINDSIGHT,
    LOCAL_SEARCH,
    ROBUST,
    SYSTEMS,
    TWO_STAGE,
    Effort,
    Job,
    has_job,
    make_job,
)
from benchmarks.paper.jobs.systems import solve, unseen_edges
from benchmarks.paper.problems import Problem, clean_problem, problem_of
from benchmarks.paper.report.layouts import LAYOUTS
from graphopt import ClusterNet, Graph, LinkPredictor, TwoStage, datasets, decide, modularity
from graphopt.datasets import Dataset, InductiveDataset
from graphopt.decision import MethodDecision, portfolio_decisions
from graphopt.features import role2vec
from graphopt.learning import completing
from graphopt.objectives import Modularity

TINY = Effort(iterations=3, predictor_iterations=5, restarts=1, graphs=1, proof_seconds=5.0,
              trial_seconds=1.0, slow_graphs=1)  # fmt: skip
EVERY = [
    (task, system, setting)
    for task, systems in SYSTEMS.items()
    for system in systems
    for setting in ("learning", "optimization", "clean")
    if has_job(system, "fb", setting)
]
MODULARITIES = ("score", "tuned_score", "unseen_score", "tuned_unseen_score")


def plausible(task: str, value: str, number: float) -> bool:
    """Whether a number is one that the value can take."""
    if value.endswith("seconds"):
        return number >= 0.0
    if task == "facility":  # distances in hops; more than k nodes, so none is 0
        return 0.0 < number < 80.0
    return (-0.5 if value in MODULARITIES or value == "ari" else 0.0) <= number <= 1.0


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """What every data set of one graph is, for a test."""
    drawn = datasets.synthetic(80, random_state=0)
    monkeypatch.setattr(datasets, "load", lambda name: drawn)
    return drawn


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> InductiveDataset:
    """What every data set of many graphs is, for a test."""
    drawn = tuple(datasets.synthetic(60, n_graphs=6, random_state=0))
    found = InductiveDataset("six", drawn, (0, 1), (2,), (3, 4, 5))
    monkeypatch.setattr(datasets, "load", lambda name: found)
    return found


def asked_for(job: Job) -> set[tuple[str, str]]:
    """Return the outcomes and values that the tables take from a job."""
    return {
        (row.outcome, row.value)
        for layout in LAYOUTS
        for row in layout.rows
        for column in layout.columns
        if layout.job(row, column, job.seed, TINY) == job
    }


@pytest.mark.parametrize(("task", "system", "setting"), EVERY)
def test_jobs_fill_their_cells(task: str, system: str, setting: str, data: Dataset) -> None:
    job = make_job(system, "fb", task, setting, 0, TINY)
    found = execute(job)
    assert found.error is None
    asked = asked_for(job)
    assert asked
    for outcome, value in asked:
        number = found.outcomes[outcome][value]
        if number is None:  # nothing is unseen
            assert (value, setting) == ("unseen_score", "optimization")
        else:
            assert plausible(task, value, number), (outcome, value, number)
    for row, values in found.outcomes.items():
        if row.startswith(HINDSIGHT):
            assert row not in found.decisions
            continue
        decision = np.asarray(found.decisions[row])
        if task == "community":
            assert decision.shape == (80,)
            # in the numbering of the data set, whatever the seed did to it
            assert values["score"] == pytest.approx(modularity(data.graph, decision))
        else:
            assert len(set(decision.tolist())) == 10
    assert found.seconds > 0.0
    assert found.threads >= 1
    assert '"processor"' in found.machine


def test_fresh_splits_are_clean(data: Dataset) -> None:
    drawn = [clean_problem("x", data.permuted(seed), "community", 4, seed) for seed in (0, 0, 1)]
    for problem in drawn:
        assert problem.seen.n_edges == round(0.4 * data.graph.n_edges)
        unseen = unseen_edges(problem.full, problem.seen)
        assert len(unseen) == problem.full.n_edges - problem.seen.n_edges
    assert drawn[0].seen == drawn[1].seen
    np.testing.assert_array_equal(drawn[0].features, drawn[1].features)
    assert drawn[0].seen != drawn[2].seen


def test_features_that_know_the_hidden_edges_are_not_used(data: Dataset) -> None:
    embedded = clean_problem("x", data, "community", 4, 0)
    expected = role2vec(Graph.from_edges(embedded.seen.edges, 80))
    np.testing.assert_array_equal(embedded.features, expected)
    words = replace(data, observed_features=data.features)
    assert clean_problem("x", words, "community", 4, 0).features is data.features


def test_a_seed_repeats_a_job(data: Dataset) -> None:
    job = make_job("ClusterNet", "fb", "community", "learning", 3, TINY)
    assert execute(job).decisions == execute(job).decisions
    other = make_job("ClusterNet", "fb", "community", "learning", 4, TINY)
    assert execute(job).decisions != execute(other).decisions


@pytest.mark.parametrize(("task", "system"), dict.fromkeys(one[:2] for one in EVERY))
def test_inductive_jobs_fill_their_cells(task: str, system: str, many: InductiveDataset) -> None:
    job = make_job(system, "synthetic", task, "inductive", 0, TINY)
    found = execute(job)
    assert found.error is None
    for outcome, value in asked_for(job):
        assert found.outcomes[outcome][value] is not None
    assert all(values["n_graphs"] == 1 for values in found.outcomes.values())
    assert found.decisions == {}


def test_all_graphs_are_used_unless_said_otherwise(many: InductiveDataset) -> None:
    found = execute(make_job("Leiden", "synthetic", "community", "inductive", 0))
    assert found.outcomes["Leiden"]["n_graphs"] == 3
    scores = [
        inductive.decide("Leiden", inductive.Roles((), (), (problem,)), found.job)["Leiden"]
        for problem in inductive._load(found.job).test
    ]
    mean = np.mean([float(values["score"] or 0.0) for values in scores])
    assert found.outcomes["Leiden"]["score"] == pytest.approx(mean)


@pytest.fixture
def draws(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What the distribution was drawn with, each time; small, for a test."""
    asked: list[dict[str, Any]] = []
    original = datasets.synthetic_distribution

    def small(**options: Any) -> InductiveDataset:
        asked.append(options)
        return original(2, 1, 2, n_nodes=60, n_features=8, **options)

    monkeypatch.setattr(datasets, "synthetic_distribution", small)
    inductive._drawn.cache_clear()
    yield asked
    inductive._drawn.cache_clear()


def test_all_jobs_of_a_process_share_the_graphs_drawn(draws: list[dict[str, Any]]) -> None:
    jobs = [
        make_job(system, DRAWN, task, "inductive", seed)
        for task, system in (("community", "Leiden"), ("facility", "Train-greedy"))
        for seed in (0, 1)
    ]
    for job in jobs:
        found = execute(job)
        assert found.error is None
        assert found.outcomes[job.system]["n_graphs"] == 2
    assert draws == [{"random_state": 0}]  # whatever the seed of the job

    def sizes(job: Job) -> list[int]:
        return [problem.seen.n_edges for problem in inductive._load(job).test]

    assert sizes(jobs[0]) == sizes(jobs[1]) == sizes(jobs[3])
    for problem in inductive._load(jobs[0]).test:
        assert problem.features.shape == (60, 8)


def test_both_kinds_of_data_sets_know_their_setting(data: Dataset) -> None:
    found = execute(make_job("Leiden", "pubmed", "community", "inductive", 0))
    assert found.error is not None
    assert "is a single graph" in found.error


def test_many_graphs_are_no_single_one(many: InductiveDataset) -> None:
    found = execute(make_job("Leiden", "fb", "community", "learning", 0))
    assert found.error is not None
    assert "holds many graphs" in found.error


@pytest.mark.parametrize(
    ("task", "name", "algorithm"),
    [
        ("community", "CNM", "cnm"),
        ("community", "Newman", "newman"),
        ("community", "SC", "spectral"),
        ("facility", "greedy", "greedy"),
        ("facility", "gonzalez", "gonzalez"),
    ],
)
def test_the_shared_first_stage_changes_no_decision(task: str, name: str, algorithm: str) -> None:
    problem = problem_of("x", datasets.synthetic(80, random_state=1), task, "learning", 4)
    decided = {d.row: d.decision for d in solve(TWO_STAGE, problem, Settings(5, iterations=10))}
    predictor = LinkPredictor(iterations=10, random_state=5)
    alone = TwoStage(
        4,
        algorithm,
        predictor=predictor,
        seen_fraction=problem.seen_fraction,
        random_state=5,
    ).fit(problem.seen, problem.features)
    np.testing.assert_array_equal(decided[f"{TWO_STAGE}-{name}"], alone.decision_)


def test_the_exact_optimum_of_a_graph_in_pieces_is_that_of_the_largest() -> None:
    ring = [(i, (i + 1) % 12) for i in range(12)]
    pieces = Graph.from_edges([*ring, (12, 13), (14, 15)], 17)
    whole = Graph.from_edges([*ring, (12, 13), (14, 15), (0, 12), (4, 14), (8, 16)], 17)
    problem = Problem("pieces", "facility", 2, whole, pieces)
    (found,) = solve(EXACT, problem, Settings(0, time_limit=10.0))
    assert found.values["lower_bound"] == 3.0  # 12 nodes in a ring, two centres
    assert set(found.decision.tolist()) <= set(range(12))


# --- decisions under missing edges ----------------------------------------------------------------


@pytest.fixture
def problem() -> Problem:
    return problem_of("x", datasets.synthetic(80, random_state=2), "community", "learning", 4)


@pytest.mark.parametrize("task", ["community", "facility"])
def test_decide_is_told_afterwards_what_would_have_been_best(task: str) -> None:
    data = datasets.synthetic(80, random_state=2)
    problem = problem_of("x", data, task, "learning", 4)
    decision, *rows = solve(DECIDE, problem, Settings(3))
    assert decision.row == DECIDE
    assert decision.kept
    assert not any(row.kept for row in rows)
    found = decide(
        problem.seen,
        objective=problem.objective,
        k=4,
        seen_fraction=problem.seen_fraction,
        random_state=3,
    )
    np.testing.assert_array_equal(decision.decision, found.decision)
    names = [row.row for row in rows]
    most = found.n_trials
    to_the_end = {one.name for one in found.candidates if len(one.scores) == most}
    assert found.method in to_the_end
    assert set(names) == {HINDSIGHT + name for name in to_the_end}
    chosen = [row for row in rows if row.values["chosen"]]
    assert len(chosen) == 1
    np.testing.assert_array_equal(chosen[0].decision, decision.decision)
    scores = [problem.objective.evaluate(row.decision, problem.full) for row in rows]
    best = max(scores) if task == "community" else min(scores)
    (first,) = (i for i, row in enumerate(rows) if row.values["best"])
    assert scores[first] == best == decision.values["best_score"]
    score = problem.objective.evaluate(decision.decision, problem.full)
    assert decision.values["loss"] == pytest.approx(abs(best - score))
    assert decision.values["picked_best"] == (score == best)
    assert (first == 0) == (score == best)
    low, high = decision.values["interval_low"], decision.values["interval_high"]
    assert decision.values["interval_holds"] == (low <= score <= high)


def test_a_wrong_pick_is_told(monkeypatch: pytest.MonkeyPatch, problem: Problem) -> None:
    ideal = np.arange(80, dtype=np.int32) % 4

    def all_know_better(*_: Any, methods: list[str], **__: Any) -> list[MethodDecision]:
        return [MethodDecision(name, ideal, 0.1) for name in methods]

    monkeypatch.setattr(deciding, "portfolio_decisions", all_know_better)
    monkeypatch.setattr(
        Modularity, "evaluate", lambda self, labels, graph: 0.9 if labels is ideal else 0.5
    )
    decision, chosen, other, *_ = solve(DECIDE, problem, Settings(0))
    assert decision.values["picked_best"] == 0.0
    assert decision.values["loss"] == pytest.approx(0.4)
    assert (chosen.values["chosen"], chosen.values["best"]) == (1.0, 0.0)
    assert (other.values["chosen"], other.values["best"]) == (0.0, 1.0)


def test_where_all_is_seen_no_pick_can_be_wrong() -> None:
    data = datasets.synthetic(80, random_state=2)
    (found,) = solve(DECIDE, problem_of("x", data, "community", "optimization", 4), Settings(0))
    assert found.values["picked_best"] is None
    assert found.values["interval_holds"] is None
    assert found.values["expected_value"] == pytest.approx(modularity(data.graph, found.decision))


@pytest.mark.parametrize("from_edges", [True, False], ids=["embeddings", "words"])
@pytest.mark.parametrize(
    ("task", "system"),
    [("community", DECIDE), ("community", COMPLETED), ("facility", ROBUST),
     ("facility", LOCAL_SEARCH)],
)  # fmt: skip
def test_features_computed_from_edges_are_kept_away(
    task: str, system: str, from_edges: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def asked(graph: Graph, features: Any = None, **options: Any) -> Any:
        given.append(features)
        return portfolio_decisions(graph, features, **options)

    def asked_to_decide(graph: Graph, features: Any = None, **options: Any) -> Any:
        given.append(features)
        return decide(graph, features, n_trials=1, **options)

    monkeypatch.setattr(deciding, "portfolio_decisions", asked)
    monkeypatch.setattr(deciding, "decide", asked_to_decide)
    problem = problem_of("x", datasets.synthetic(60, random_state=2), task, "learning", 4)
    problem = replace(problem, features_from_edges=from_edges)
    found = solve(system, problem, Settings(0))[0]
    assert len(found.decision) == (60 if task == "community" else 4)
    assert given
    assert all((rows is None) == from_edges for rows in given)


def test_agreement_with_classes_is_measured_where_there_are_any(
    data: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = make_job("Leiden", "cora", "community", "learning", 1)
    plain = replace(data, labels=None, label_names=None)
    monkeypatch.setattr(datasets, "load", lambda name: plain)
    found = execute(job)
    assert not {"nmi", "ari"} & found.outcomes["Leiden"].keys()
    classes = np.array(found.decisions["Leiden"], np.int32)
    labelled = replace(data, labels=classes, label_names=tuple("0123456789"))
    monkeypatch.setattr(datasets, "load", lambda name: labelled)
    values = execute(job).outcomes["Leiden"]  # renumbered nodes keep their classes
    assert values["nmi"] == pytest.approx(1.0)
    assert values["ari"] == pytest.approx(1.0)


# --- what is measured -----------------------------------------------------------------------------


def test_the_score_on_unseen_edges() -> None:
    full = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    seen = Graph.from_edges([(0, 1), (1, 2), (3, 4), (2, 3)], 6)
    rest = unseen_edges(full, seen)
    np.testing.assert_array_equal(rest, [[0, 2], [3, 5], [4, 5]])
    unseen = Graph.from_edges(rest, 6)
    labels = np.array([0, 0, 0, 1, 1, 1])
    values = judged("community", labels, full, seen, unseen)
    assert values["unseen_score"] == pytest.approx(3 / 3 - (1 / 3) ** 2 - (2 / 3) ** 2)
    assert values["score"] == pytest.approx(modularity(full, labels))
    nothing = Graph.from_edges(np.empty((0, 2), np.int32), 6)
    assert judged("community", labels, full, full, nothing)["unseen_score"] is None


def test_distances_and_nodes_that_are_not_reached() -> None:
    path = Graph.from_edges([(i, i + 1) for i in range(40)])
    pieces = Graph.from_edges([(0, 1)], 41)
    values = judged("facility", np.array([0]), path, pieces, None)
    assert values == {
        "score": 40.0,
        "seen_score": None,
        "mean_distance": 20.0,
        "p95_distance": 38.0,
        "p99_distance": 40.0,
    }


def test_a_forward_pass_is_timed_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    monkeypatch.setattr(measurement.time, "perf_counter", lambda: clock[0])

    class Slow(torch.nn.Module):
        encoder = torch.nn.Identity()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            clock[0] += 2.0
            return self.encoder(x)

    network: Any = Slow()

    def decide() -> None:
        clock[0] += 100.0
        network.encoder(torch.ones(1))

    assert forward_seconds(network, decide) == 2.0
    assert not network.encoder._forward_pre_hooks


def test_times_and_memory_come_with_the_answer() -> None:
    answer, seconds = timed(lambda: 7)
    assert answer == 7
    assert seconds >= 0.0
    array, peak = with_peak(lambda: np.ones(2_000_000).sum())
    assert array == 2e6
    assert peak is None or peak > 10_000_000


def test_ctrl_c_in_a_training_ends_the_job(data: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    original = ClusterNet.fit

    def interrupted(self: ClusterNet, *arguments: Any) -> ClusterNet:
        original(self, *arguments)
        self.interrupted_ = True
        return self

    monkeypatch.setattr(ClusterNet, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        execute(make_job("ClusterNet", "fb", "community", "learning", 0, TINY))


@pytest.mark.parametrize("system", ["ClusterNet", "GCN-e2e"])
@pytest.mark.parametrize("computed", [True, False], ids=["embedding", "words"])
def test_features_that_know_the_edges_are_not_tried_on_them(
    system: str,
    computed: bool,
    data: Dataset,
    many: InductiveDataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []
    original = completing.choose

    def spy(graphs: Any, *given: Any, **options: Any) -> Any:
        asked.append(len(graphs))
        return original(graphs, *given, **options)

    monkeypatch.setattr(completing, "choose", spy)
    problem = problem_of("made up", data, "community", "learning", 3)
    assert problem.features_from_edges
    solve(
        system,
        replace(problem, features_from_edges=computed),
        Settings(0, iterations=2, restarts=1),
    )
    assert asked == ([] if computed else [1])
    problems = [
        replace(problem_of("six", one, "community", "learning", 3), features_from_edges=computed)
        for one in many.members
    ]
    roles = inductive.Roles(tuple(problems[:2]), (problems[2],), (problems[3],))
    job = Job(system, "six", "community", "inductive", 0, k=3, iterations=2, restarts=1)
    inductive.decide(system, roles, job)
    assert asked == ([] if computed else [1, 2])
