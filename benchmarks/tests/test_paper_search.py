"""``python -m benchmarks.paper search``, from arguments to what is printed where."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from benchmarks.paper.__main__ import app
from benchmarks.paper.search import confirmation
from graphopt import datasets
from graphopt.cli import run_app
from graphopt.datasets import InductiveDataset
from graphopt.tuning import Search

DATA = datasets.synthetic(60, random_state=0)


class Observed:
    """A data set of which only what is observed may be read."""

    name = "cora"
    observed, observed_features = DATA.observed, DATA.observed_features

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} must not be read")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets, "load", lambda name: Observed())
    monkeypatch.setenv("COLUMNS", "120")


def tune(*arguments: object) -> Result:
    words = ["search", "--dataset", "cora", "--k", "3", "--quick", *map(str, arguments)]
    return CliRunner().invoke(app, words)


def answer(*arguments: object) -> dict[str, Any]:
    result = tune("--json", *arguments)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_table() -> None:
    result = tune("--trials", 3)
    assert result.exit_code == 0, result.stderr
    out = result.stdout
    assert "cora-community-3-paper-quick: 3 groups on the seen edges of cora, 40% of them" in out
    assert "best of 3 settings trained to the end" in out
    assert "published choice: rank " in out
    assert " of 3, score " in out
    assert "after its 100 steps" in out
    assert "use it: ClusterNet(3, completion=" in out
    assert "quick: trainings of a tenth of the length" in out
    assert result.stderr.count("trial ") == 3
    assert Path("graphopt-tune.sqlite").exists()


def test_json_and_going_on() -> None:
    first = answer("--trials", 1, "--storage", "mine.sqlite", "--study", "one")
    assert first["study"] == "one"
    assert first["interrupted"] is False
    assert [one["landmark"] for one in first["tried"]] == ["published"]
    (published,) = first["landmarks"]
    assert (published["rank"], published["of"], published["iterations"]) == (1, 1, 100)
    assert first["protocol"]["n_seen_edges"] == DATA.observed.n_edges
    more = answer(
        "--trials", 2, "--storage", "mine.sqlite", "--study", "one", "--sampler", "random"
    )
    assert [one["trial"] for one in sorted(more["tried"], key=lambda one: one["trial"])] == [0, 1]
    assert more["importances"] is None


def test_judging_again() -> None:
    found = answer("--trials", 2, "--confirm", 2, "--no-prune", "--sampler", "random")
    assert {one["name"] for one in found["confirmed"]} <= {"best", "published"}
    for one in found["confirmed"]:
        assert len(one["scores"]) == 2
        assert one["mean"] == pytest.approx(sum(one["scores"]) / 2)
    result = tune("--trials", 2, "--confirm", 1, "--no-prune", "--sampler", "random")
    assert "On edges hidden anew, 1 draw:" in result.stdout
    assert f"  best: {found['confirmed'][0]['scores'][0]:.4f} (" in result.stdout
    assert answer("--trials", 2, "--no-prune")["confirmed"] == []


def test_ctrl_c_while_judging_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(confirmation, "confirm", interrupted)
    result = tune("--trials", 1, "--confirm", 3)
    assert result.exit_code == 130
    assert "best of 1 setting " in result.stdout
    assert "hidden anew" not in result.stdout


def test_facilities_and_the_extended_grid() -> None:
    found = answer("--task", "facility", "--space", "extended", "--trials", 2)
    assert found["greater_is_better"] is False
    assert [one["name"] for one in found["landmarks"]] == ["published", "default"]
    out = tune("--task", "facility", "--space", "extended", "--trials", 2).stdout
    assert "3 facilities on the seen edges of cora" in out
    assert "default choice: rank " in out
    assert "lower is better" in out


def test_several_processes() -> None:
    found = answer("--trials", 3, "--jobs", 2, "--no-prune")
    assert len(found["tried"]) == 3


def test_a_graph_of_one_s_own(tmp_path: Path) -> None:
    edges = tmp_path / "mine.txt"
    edges.write_text("\n".join(f"{u} {v}" for u, v in DATA.observed.edges.tolist()))
    n_nodes = int(DATA.observed.edges.max()) + 1
    np.save(tmp_path / "mine.npy", np.asarray(DATA.observed_features)[:n_nodes])
    words = ["search", "--edges", str(edges), "--features", str(tmp_path / "mine.npy"), "--k", "3"]
    result = CliRunner().invoke(app, [*words, "--quick", "--trials", "1", "--json"])
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["study"] == "mine-community-3-paper-quick"
    assert found["protocol"]["n_seen_edges"] == DATA.observed.n_edges


def test_many_graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    members: Any = (Observed(), Observed(), object())
    data = InductiveDataset("pubmed_inductive", members, (0,), (1,), (2,))
    monkeypatch.setattr(datasets, "load", lambda name: data)
    found = answer("--trials", 1)
    assert found["protocol"]["kind"] == "inductive"
    assert found["landmarks"][0]["params"]["kmeans_updates"] == 1
    assert "of the validation graphs of pubmed_inductive" in tune("--trials", 1).stdout
    alone = answer("--trials", 1, "--graph", 1)
    assert alone["protocol"]["kind"] == "single"
    assert alone["protocol"]["n_seen_edges"] == DATA.observed.n_edges
    assert alone["landmarks"][0]["params"]["kmeans_rise"] is True
    for number in (2, 3):  # to be tested on, and not there
        result = tune("--graph", number)
        assert isinstance(result.exception, ValueError)
        assert f"has to learn or to choose on, 0, 1; not {number}" in str(result.exception)


def test_one_graph_is_no_set_of_many() -> None:
    result = tune("--graph", 0)
    assert isinstance(result.exception, ValueError)
    assert "graph is for a data set of many graphs; cora is one" in str(result.exception)
    result = CliRunner().invoke(app, ["search", "--graph", "0"])
    assert result.exit_code == 2
    assert "--graph belongs to --dataset" in result.stderr


def test_ctrl_c_prints_the_best_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    tell = Search._tell

    def interrupted(self: Search, *arguments: Any) -> Any:
        tell(self, *arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(Search, "_tell", interrupted)
    result = tune("--trials", 3)
    assert result.exit_code == 130
    assert "best of 1 setting " in result.stdout
    assert "the same command goes on from here" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--edges", __file__), "not both"),
        (("--features", __file__), "--features belongs to --edges"),
        (("--graph", "-1"), "--graph"),
        (("--hide", "0"), "--hide must be between 0 and 1"),
        (("--hide", "1"), "--hide must be between 0 and 1"),
        (("--trials", "0"), "--trials"),
        (("--jobs", "0"), "--jobs"),
        (("--sampler", "best"), "--sampler"),
    ],
)
def test_wrong_options(arguments: tuple[str, ...], message: str) -> None:
    result = tune(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_another_protocol_and_a_missing_optuna_end_with_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer("--trials", 1, "--study", "one")

    def line(*arguments: str) -> str:
        words = ["paper", "search", "--dataset", "cora", "--quick", "--study", "one", *arguments]
        monkeypatch.setattr(sys, "argv", words)
        with pytest.raises(SystemExit) as stop:
            run_app(app)
        assert stop.value.code == 1
        return capsys.readouterr().err

    assert "was made with another k; choose another name" in line("--k", "4")
    monkeypatch.setitem(sys.modules, "optuna", None)
    assert "pip install 'graphopt[tune]'" in line("--k", "3")
