"""``graphopt tune``, from arguments to output."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from graphopt import cli, datasets
from graphopt.cli import app
from graphopt.datasets import InductiveDataset

DATA = datasets.synthetic(60, random_state=0)


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the arguments that search on a small graph with features."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    edges = tmp_path / "mine.txt"
    edges.write_text("\n".join(f"{u} {v}" for u, v in DATA.observed.edges.tolist()))
    n_nodes = int(DATA.observed.edges.max()) + 1
    np.save(tmp_path / "mine.npy", np.asarray(DATA.observed_features)[:n_nodes])
    return ["tune", "--edges", str(edges), "--features", str(tmp_path / "mine.npy"),
            "--k", "3", "--quick"]  # fmt: skip


def tune(words: list[str], *arguments: object) -> Result:
    return CliRunner().invoke(app, [*words, *map(str, arguments)])


def test_the_table(words: list[str]) -> None:
    result = tune(words, "--trials", 2)
    assert result.exit_code == 0, result.stderr
    assert "mine-community-3-default-quick: 3 groups on the seen edges of mine, 40% of" in (
        result.stdout
    )
    assert "default choice: rank " in result.stdout
    assert "use it: ClusterNet(3, " in result.stdout
    assert result.stderr.count("trial ") == 2
    assert Path("graphopt-tune.sqlite").exists()


def test_json_and_going_on(words: list[str]) -> None:
    first = json.loads(tune(words, "--trials", 1, "--json").stdout)
    assert first["interrupted"] is False
    assert first["protocol"]["n_seen_edges"] == DATA.observed.n_edges
    assert [one["landmark"] for one in first["tried"]] == ["default"]
    more = json.loads(tune(words, "--trials", 2, "--no-prune", "--json").stdout)
    assert sorted(one["trial"] for one in more["tried"]) == [0, 1]


def test_facilities_in_several_processes(words: list[str]) -> None:
    found = tune(
        words, "--objective", "k-center", "--trials", 3, "--jobs", 2, "--no-prune", "--json"
    )
    assert found.exit_code == 0, found.stderr
    assert len(json.loads(found.stdout)["tried"]) == 3
    assert json.loads(found.stdout)["greater_is_better"] is False


def test_a_published_data_set(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Observed:
        """A data set of which only what is observed may be read."""

        name = "cora"
        observed, observed_features = DATA.observed, DATA.observed_features

        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} must not be read")

    command = ["tune", "--dataset", "cora", "--k", "3", "--quick", "--trials", "1"]
    monkeypatch.setattr(datasets, "load", lambda name: Observed())
    result = tune(command)
    assert result.exit_code == 0, result.stderr
    many = InductiveDataset("many", (DATA, DATA, DATA), (0,), (1,), (2,))
    monkeypatch.setattr(datasets, "load", lambda name: many)
    assert "cora holds many graphs" in str(tune(command).exception)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--dataset", "cora"), "give either --edges or --dataset"),
        (("--hide", "0"), "--hide must be between 0 and 1"),
        (("--trials", "0"), "--trials"),
        (("--sampler", "best"), "--sampler"),
    ],
)
def test_wrong_options(words: list[str], arguments: tuple[str, ...], message: str) -> None:
    result = tune(words, *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_graph_is_needed() -> None:
    result = tune(["tune", "--k", "3"])
    assert result.exit_code == 2
    assert "give either --edges or --dataset" in result.stderr


def test_a_missing_optuna_is_named(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    monkeypatch.setattr(sys, "argv", ["graphopt", *words])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    assert "graphopt tune needs optuna" in capsys.readouterr().err
