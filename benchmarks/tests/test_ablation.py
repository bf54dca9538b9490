"""The ablation: variants on the same information, pairs over seeds, what is said of them."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.paper import ablation, ablation_report
from benchmarks.paper.ablation import ALONE, FULL, REFERENCE, SEEN, VARIANTS
from benchmarks.paper.jobs.execution import execute
from benchmarks.paper.jobs.specs import Job
from benchmarks.paper.jobs.store import Stored
from benchmarks.paper.problems import Problem, inner_problem, problem_of
from graphopt import ClusterNet, Graph, datasets, leiden, modularity
from graphopt.completion import FeatureNeighbours

DATA = datasets.synthetic(60, random_state=0)
DEFAULT = "ClusterNet, default"


@pytest.fixture(autouse=True)
def made_up_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "load", lambda name: DATA)


def outcomes_of(name: str, scores: list[float], dataset: str = "cora") -> list[Stored]:
    return [
        Stored(
            Job(name, dataset, "community", "published", seed),
            {name: {"score": score, "seen_score": 0.1, "expected_score": 0.2,
                    "decision_seconds": 1.0}},
            {}, None, 1.0, None, 1, "", "", "",
        )
        for seed, score in enumerate(scores)
    ]  # fmt: skip


def line_of(lines: list[ablation.Line], name: str) -> ablation.Line:
    (line,) = [line for line in lines if line.variant.name == name]
    return line


# --- variants -------------------------------------------------------------------------------------


def test_names_are_unique_and_each_variant_differs_from_the_full_recipe() -> None:
    assert len({variant.name for variant in VARIANTS}) == len(VARIANTS)
    problem = problem_of("made up", DATA, "community", "learning", 3)
    asked: list[dict[str, Any]] = []

    class Spy(ClusterNet):
        def fit(self, graph: Any, features: Any = None, **more: Any) -> Any:
            params = self.get_params()
            asked.append({**params, "recipe": repr(self.recipe)})
            self.interrupted_, self.labels_ = False, np.zeros(60, np.int32)
            return self

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ablation, "ClusterNet", Spy)
        for variant in VARIANTS:
            if variant.kind != "classical":
                variant.decide(problem, 0, None)
    assert len(asked) == len(VARIANTS) - 2
    assert len({repr(sorted(params.items(), key=str)) for params in asked}) == len(asked)
    assert all(params["seen_fraction"] == problem.seen_fraction for params in asked)


def test_the_reference_is_leiden_on_what_clusternet_s_loss_sees() -> None:
    problem = problem_of("made up", DATA, "community", "learning", 3)
    given = ablation.known(problem)
    completion = FeatureNeighbours(weight=1.0 / problem.seen_fraction - 1.0)
    rows = np.asarray(problem.features)[given.nodes]
    expected = given.seen.plus(completion.missing_edges(given.seen, rows))
    assert given.expected == expected
    model = ClusterNet(
        3,
        seen_fraction=problem.seen_fraction,
        completion="features",
        iterations=3,
        random_state=0,
    )
    labels = model.fit(problem.seen, problem.features).labels_
    assert model.training_value_ == pytest.approx(modularity(given.expected, labels[given.nodes]))
    reference = {v.name: v for v in VARIANTS}[REFERENCE].decide(problem, 0, None)
    np.testing.assert_array_equal(reference, leiden(expected, 3, random_state=0).labels)
    plain = {v.name: v for v in VARIANTS}[SEEN].decide(problem, 0, None)
    np.testing.assert_array_equal(plain, leiden(given.seen, 3, random_state=0).labels)


def test_equal_groups_are_placed_alike_however_they_are_numbered() -> None:
    full = datasets.synthetic(60, random_state=0).graph
    seen = Graph.from_edges(full.edges[(full.edges < 30).all(axis=1)], 60)
    problem = Problem("made up", "community", 3, full, seen)
    nodes = ablation.known_nodes(problem)
    assert 0 < len(nodes) <= 30
    labels = np.random.default_rng(0).integers(0, 3, len(nodes))
    everyone = ablation.placed(labels, nodes, problem, 0)
    np.testing.assert_array_equal(everyone, ablation.placed((labels + 1) % 3, nodes, problem, 0))
    assert (everyone != ablation.placed(labels, nodes, problem, 1)).any()
    same = labels[:, None] == labels
    np.testing.assert_array_equal(everyone[nodes][:, None] == everyone[nodes], same)
    assert set(everyone.tolist()) <= {0, 1, 2}


def test_without_features_nothing_more_is_expected() -> None:
    bare = replace(problem_of("made up", DATA, "community", "learning", 3), features=None)
    given = ablation.known(bare)
    assert given.expected is given.seen


def test_an_inner_split_looks_at_seen_edges_only() -> None:
    hidden = SimpleNamespace(
        graph=SimpleNamespace(n_edges=DATA.graph.n_edges),
        observed=DATA.observed,
        features=DATA.features,
        observed_features=DATA.features,
    )
    problem = inner_problem("made up", hidden, "community", 3, 0)
    share = DATA.observed.n_edges / DATA.graph.n_edges
    assert problem.full is DATA.observed
    assert problem.features is DATA.features
    assert problem.seen.n_edges == pytest.approx(share * DATA.observed.n_edges, abs=1)
    pairs = {tuple(pair) for pair in problem.full.edges.tolist()}
    assert {tuple(pair) for pair in problem.seen.edges.tolist()} < pairs
    # Features that were computed from all seen edges would tell what is hidden.
    hidden.observed_features = np.ones((60, 2))
    computed = inner_problem("made up", hidden, "community", 3, 0).features
    assert computed.shape[0] == 60
    assert computed is not hidden.observed_features


# --- running --------------------------------------------------------------------------------------


def test_jobs_come_seed_by_seed_with_what_is_compared_to() -> None:
    wanted = ablation.jobs(["fb", "cora"], ["encoder SGC"], n_seeds=2, k=3)
    assert [(job.seed, job.dataset) for job in wanted[::4]] == [
        (0, "cora"),
        (0, "fb"),
        (1, "cora"),
        (1, "fb"),
    ]
    assert [job.system for job in wanted[:4]] == [SEEN, REFERENCE, FULL, "encoder SGC"]
    assert len(ablation.jobs(n_seeds=1)) == 5 * len(VARIANTS)
    assert len({job.key for job in ablation.jobs()}) == 10 * 5 * len(VARIANTS)


@pytest.mark.parametrize("split", ["published", "clean", "inner"])
def test_outcomes_repeat(split: str) -> None:
    ablation._posed.cache_clear()  # of other tests' data
    wanted = ablation.jobs(["cora"], [SEEN], n_seeds=2, k=3, split=split, iterations=2)
    names = ("score", "seen_score", "expected_score")

    def scores() -> list[list[float | None]]:
        finished = [execute(job) for job in wanted]
        assert [one.error for one in finished] == [None] * len(wanted)
        return [[one.outcomes[one.job.system][name] for name in names] for one in finished]

    found = scores()
    assert scores() == found
    for score, *_ in found:
        assert score is not None
        assert -0.5 <= score <= 1.0
    assert found[0] != found[len(found) // 2]  # another seed: another numbering, or another split


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"data": ["pubmed"]}, "datasets must be one of"),
        ({"variants": ["without luck"]}, "variants must be one of"),
        ({"split": "outer"}, "split must be one of"),
        ({"n_seeds": 0}, "seeds must be at least 1"),
        ({"k": 0}, "k must be at least 1"),
        ({"iterations": 0}, "iterations must be at least 1"),
    ],
)
def test_what_cannot_be_run(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"^{message}"):
        ablation.jobs(**settings)


# --- what is said ---------------------------------------------------------------------------------


def test_differences_are_in_pairs() -> None:
    base = np.linspace(0.3, 0.6, 8)
    lines = ablation.summary_lines(
        [
            *outcomes_of(FULL, list(base + 0.02)),
            *outcomes_of(REFERENCE, list(base)),
            *outcomes_of(DEFAULT, list(base[:7] - 0.01)),
        ]
    )
    assert [line.variant.name for line in lines] == [REFERENCE, DEFAULT, FULL]
    reference, full, default = (line_of(lines, name) for name in (REFERENCE, FULL, DEFAULT))
    assert reference.to_reference is None
    assert full.to_full is None
    assert full.to_reference is not None
    assert default.to_reference is not None
    assert full.median == pytest.approx(np.median(base) + 0.02)
    assert full.to_reference.mean == pytest.approx(0.02)
    assert full.to_reference.verdict == "better"
    assert full.to_reference.p_value == pytest.approx(2 / 2**8)
    assert default.n == 7
    assert default.to_reference.mean == pytest.approx(-0.01)
    assert default.to_reference.verdict == "worse"


@pytest.mark.parametrize(
    "gain",
    [[0.1], [0.1] * 5, [0.1, -0.1, 0.05, -0.05, 0.02, -0.03]],
    ids=["one", "too few", "either way"],
)
def test_what_may_be_chance_is_undecided(gain: list[float]) -> None:
    base = [0.3] * len(gain)
    lines = ablation.summary_lines(
        [
            *outcomes_of(REFERENCE, base),
            *outcomes_of(FULL, [b + g for b, g in zip(base, gain, strict=True)]),
        ]
    )
    difference = line_of(lines, FULL).to_reference
    assert difference is not None
    assert difference.verdict == "undecided"
    (answer,) = ablation_report.answers(lines)
    assert "cannot be told from" in answer


def test_answers_are_about_variants_fixed_beforehand() -> None:
    base = list(np.linspace(0.3, 0.6, 8))
    lines = ablation.summary_lines(
        [
            *outcomes_of(REFERENCE, base),
            *outcomes_of(FULL, [b + 0.01 for b in base]),
            *outcomes_of(DEFAULT, [b - 0.01 for b in base]),
            *outcomes_of("encoder SGC", [b + 0.3 for b in base]),
            *outcomes_of(SEEN, [b - 0.2 for b in base]),
            *outcomes_of(ALONE, [b - 0.1 for b in base]),
        ]
    )
    answers = list(ablation_report.answers(lines))
    assert len(answers) == 3
    assert answers[2].startswith(f"cora: {ALONE} adds to {SEEN}, which knows no features: +0.100")
    assert answers[0].startswith(f"cora: {DEFAULT} falls short of {REFERENCE}: -0.010")
    assert answers[1].startswith(f"cora: {FULL} adds to {REFERENCE}: +0.010")
    page = ablation_report.as_markdown(lines, "published", 10)
    assert "## cora" in page
    assert "| encoder SGC | 0.750 |" in page
    assert "8 seeds" in page
    rows = json.loads(ablation_report.as_json(lines, "published", 10))["lines"]
    assert [row["variant"] for row in rows] == [line.variant.name for line in lines]
    verdicts = {row["variant"]: (row["to_reference"] or {}).get("verdict") for row in rows}
    assert (verdicts[FULL], verdicts[ALONE], verdicts[REFERENCE]) == ("better", "worse", None)


def test_nothing_run_is_nothing_said() -> None:
    assert ablation.summary_lines([]) == []
    assert "0 seeds" in ablation_report.headline([], "inner", 3)
    assert list(ablation_report.answers([])) == []


@pytest.mark.parametrize("computed", [False, True], ids=["words", "embedding"])
def test_a_problem_says_whether_its_features_know_the_edges(
    computed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = np.eye(DATA.n_nodes, 4, dtype=np.float32)
    data = replace(DATA, features=own, observed_features=own.copy() if computed else own)
    problem = inner_problem("made up", data, "community", 3, 0)
    assert problem.features_from_edges is computed
    told: list[bool] = []

    class Spy(ablation.ClusterNet):
        def fit(self, graph: Any, features: Any = None, **more: Any) -> Any:
            told.append(self.features_from_edges)
            self.interrupted_, self.labels_ = False, np.zeros(graph.n_nodes, np.int32)
            return self

    monkeypatch.setattr(ablation, "ClusterNet", Spy)
    next(v for v in VARIANTS if v.name == "ClusterNet, default").decide(problem, 0, None)
    assert told == [computed]
