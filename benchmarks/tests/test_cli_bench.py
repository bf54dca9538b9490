"""``python -m benchmarks.race``, from arguments to what is printed where."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from benchmarks.race import exact, race, report, table
from benchmarks.race.__main__ import app
from benchmarks.race.contest import Contest, Contestant, Faster, LineUp, Size
from benchmarks.race.contests import CONTESTS
from benchmarks.race.machine import describe_machine
from benchmarks.race.race import Outcome, Timing
from graphopt.cli import run_app

TINY = ["modularity", "--scale", "0.05", "--rounds", "2", "--no-memory"]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, [*(str(argument) for argument in arguments)])


def test_list() -> None:
    result = invoke("--list")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(CONTESTS)
    assert lines[0].endswith("all-pairs hops, a friendship graph  (--quick)")


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    result = invoke("hops-pumbed")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "hops-pubmed" in result.stderr


@pytest.mark.parametrize("option", ["--rounds", "--threads", "--scale"])
def test_options_out_of_range(option: str) -> None:
    assert invoke(option, 0).exit_code == 2


def test_a_table() -> None:
    result = invoke("modularity", "--scale", 0.05, "--quick")
    assert result.exit_code == 0, result.stderr
    assert "modularity and" in result.stdout
    assert "│ graphopt " in result.stdout
    assert "Every answer was compared" in result.stdout
    assert "1/1 modularity: " in result.stderr
    assert "1/1" not in result.stdout


def test_json_and_files(tmp_path: Path) -> None:
    folder = tmp_path / "results"
    result = invoke("modularity-20k", *TINY[1:], "--json", "--threads", 1, "--save", folder)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    assert json.loads((folder / "race.json").read_text()) == found
    assert list(found) == ["machine", "threads", "races"]
    assert found["threads"] == 1
    assert {"processor", "isa", "caches", "libraries"} <= set(found["machine"])
    (race,) = found["races"]
    assert (race["name"], race["scale"], race["memory"]) == ("modularity-20k", 0.05, None)
    ours, torch = race["contestants"]
    assert [ours["name"], torch["name"]] == ["graphopt", "torch, sparse"]
    assert len(ours["seconds"]) == 2
    assert torch["ratio"] == pytest.approx(torch["median"] / ours["median"])
    assert race["ratio"] == torch["ratio"]
    page = (folder / "race.md").read_text()
    assert page.startswith("# The race\n")
    assert "| modularity-20k<br>modularity and its gradient<br>n = 986, m = 2,216" in page
    assert "Versions: graphopt " in page


def test_memory_is_shown() -> None:
    result = invoke(*TINY[:-1], "--memory", "--json")
    assert result.exit_code == 0, result.stderr
    memory = json.loads(result.stdout)["races"][0]["memory"]
    assert memory is None or 0 <= memory < 50e6


def test_a_wrong_answer_is_one_line_and_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def differ(ours: object, theirs: object) -> None:
        raise AssertionError("1 is not 2")

    peer = Contestant("peer", lambda: lambda: 2)
    line_up = LineUp(lambda: Size(1), (Contestant("graphopt", lambda: lambda: 1), peer), differ)
    monkeypatch.setitem(CONTESTS, "sums", Contest("sums", "adding", lambda scale: line_up))
    monkeypatch.setattr(sys, "argv", ["race", "sums", "--no-memory"])
    with pytest.raises(SystemExit) as stop:
        run_app(app)
    assert stop.value.code == 1
    assert "error: peer and graphopt differ: 1 is not 2" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["--quick", "--exact"])
def test_a_folder_that_is_a_file_is_told_before_anything_is_measured(
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def measure(*_: object, **__: object) -> None:
        raise AssertionError("nothing may be measured")

    monkeypatch.setattr(race, "run", measure)
    monkeypatch.setattr(exact, "run", measure)
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setattr(sys, "argv", ["race", kind, "--save", str(file / "inside")])
    with pytest.raises(SystemExit) as stop:
        run_app(app)
    output, errors = capsys.readouterr()
    assert (stop.value.code, output) == (1, "")
    assert errors.splitlines()[-1] == f"error: {file / 'inside'}: Not a directory"


# --- the table ----------------------------------------------------------------------------------


def outcome(*timings: Timing, memory: int | None = 12_345_678, quoted: str = "") -> Outcome:
    contest = Contest("sums", "adding | up", lambda scale: None, (Faster(3.0),), quoted=quoted)  # type: ignore[arg-type,return-value]
    ours = Timing("graphopt", (0.002,) * 5, 1.0, "", peer=False)
    return Outcome(contest, Size(1_000, 5_000, "cora"), 1.0, 2, (ours, *timings), memory)


def test_cells() -> None:
    found = table.cells(
        outcome(
            Timing("fast", (0.007,) * 5, 1.0, "", peer=True),
            Timing("slow", (25.0,), 0.05, "in its own way", peer=True),
            Timing("gone", (), 1.0, "", peer=True, absent="gone is not installed"),
            quoted="9 s (somebody)",
        )
    )
    assert found == (
        "sums\nadding | up\nn = 1,000, m = 5,000 (cora)\nmemory: 12.3 MB",
        "graphopt\nfast\nslow (5 %, 1 turn)\ngone",
        "2 ms\n7 ms\n25 s\nabsent",
        "\n3.5x\n12,500x\n-",
        "✓ 3x the fastest peer: 3.5x\npublished: 9 s (somebody)",
    )


def test_footnotes_say_how_to_get_what_is_missing() -> None:
    gone = Timing("fastlib", (), 1.0, "", peer=True, absent="fastlib is not installed")
    broken = Timing("compiled", (), 1.0, "", peer=True, absent="no compiler")
    notes = table.footnotes([outcome(gone, broken)])
    assert "Not installed: fastlib; get it: pip install --group race" in notes
    assert "compiled: no compiler." in notes
    assert not any("part of the work" in note for note in notes)


def test_markdown_keeps_its_columns() -> None:
    page = table.REPORT.as_markdown([outcome()], describe_machine(), 2)
    rows = [line for line in page.splitlines() if line.startswith("| sums")]
    assert len(rows) == 1
    assert rows[0].replace("\\|", "").count("|") == len(table.REPORT.columns) + 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(83.0, "83 s"), (1.0, "1 s"), (0.9, "900 ms"), (0.00123456, "1.23 ms"), (2e-7, "0.2 µs")],
)
def test_seconds(seconds: float, text: str) -> None:
    assert report.seconds_text(seconds) == text


def test_the_machine_is_described() -> None:
    machine = describe_machine()
    assert machine["processor"]
    assert machine["libraries"]["graphopt"]
    assert json.loads(json.dumps(machine)) == machine
