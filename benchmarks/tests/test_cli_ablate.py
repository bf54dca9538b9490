"""``python -m benchmarks.paper ablation``, from arguments to what is printed and kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from benchmarks.paper import ablation
from benchmarks.paper.__main__ import app
from benchmarks.paper.ablation import FULL, REFERENCE, SEEN, VARIANTS
from benchmarks.paper.jobs.specs import Job
from graphopt import datasets
from graphopt.errors import GraphoptError

DATA = datasets.synthetic(60, random_state=0)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets, "load", lambda name: DATA)
    ablation._posed.cache_clear()  # of other tests' data


def ablate(*arguments: object) -> Result:
    words = ["ablation", "--datasets", "cora", "--k", "3", "--iterations", "2", "--seeds", "2"]
    return CliRunner().invoke(app, [*words, *map(str, arguments)])


ONE = ("--variant", "without polish")


def test_the_table() -> None:
    result = ablate(*ONE)
    assert result.exit_code == 0, result.stderr
    for text in (REFERENCE, FULL, "without polish", "2 seeds", f"cora: {FULL} cannot be told from"):
        assert text in result.stdout
    assert "Modularity of 3 groups on the full graph" in result.stdout
    assert result.stderr.count("seed 0") == 4
    assert "8 jobs, 0 of them done before" in result.stderr
    page = Path("ablation/ablation.md").read_text()
    assert page.startswith("# Ablation of ClusterNet")
    assert "| without polish | " in page


def test_finished_jobs_are_kept() -> None:
    first = ablate(*ONE, "--json", "--output", "mine")
    assert first.exit_code == 0, first.stderr
    again = ablate(*ONE, "--json", "--output", "mine")
    assert "8 jobs, 8 of them done before" in again.stderr
    assert json.loads(again.stdout) == json.loads(first.stdout)
    more = ablate("--variant", "encoder SGC", "--json", "--output", "mine", "--split", "published")
    assert "8 jobs, 6 of them done before" in more.stderr
    other = ablate(*ONE, "--json", "--output", "mine", "--split", "inner")
    assert "8 jobs, 0 of them done before" in other.stderr
    found: dict[str, Any] = json.loads(other.stdout)
    assert found["split"] == "inner"
    assert [line["variant"] for line in found["lines"]] == [SEEN, REFERENCE, FULL, "without polish"]


def test_a_job_that_failed_is_run_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(job: Job) -> Any:
        raise ValueError("no luck")

    with monkeypatch.context() as patch:
        patch.setattr(ablation, "run", fail)
        result = ablate(*ONE)
    assert result.exit_code == 1
    assert "FAILED, ValueError: no luck" in result.stderr
    assert "8 jobs, 0 of them done before" in ablate(*ONE).stderr
    assert "8 jobs, 8 of them done before" in ablate(*ONE).stderr


def test_a_file_of_something_else_is_refused() -> None:
    Path("ablation").mkdir()
    Path("ablation/ablation.sqlite").write_text('{"what": 1}\n')
    result = ablate(*ONE)
    assert isinstance(result.exception, GraphoptError)
    assert "ablation.sqlite is damaged or something else" in str(result.exception)
    assert Path("ablation/ablation.sqlite").read_text() == '{"what": 1}\n'


def test_ctrl_c_prints_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    original, calls = ablation.run, []

    def run(job: Job) -> Any:
        calls.append(job)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return original(job)

    with monkeypatch.context() as patch:
        patch.setattr(ablation, "run", run)
        result = ablate(*ONE)
    assert result.exit_code == 130
    assert "stopped with 4 of 8 jobs left" in result.stderr
    assert "1 seed" in result.stdout
    assert "8 jobs, 4 of them done before" in ablate(*ONE).stderr


def test_names_are_listed() -> None:
    result = ablate("--list")
    assert result.stdout.splitlines() == [variant.name for variant in VARIANTS]
    assert not Path("ablation").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--datasets", "pubmed"), "datasets must be one of"),
        (("--variant", "without luck"), "variants must be one of"),
    ],
    ids=["dataset", "variant"],
)
def test_unknown_names(arguments: tuple[str, ...], message: str) -> None:
    result = ablate(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("ablation").exists()
