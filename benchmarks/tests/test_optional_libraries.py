"""Every command and picture that needs an optional library says which one it is."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.paper.__main__ import app
from benchmarks.paper.proposition.picture import plot_proposition
from benchmarks.paper.proposition.rows import PropositionRow
from graphopt.errors import MissingLibraryError


def proposition_picture(path: Path) -> None:
    numbers = (1.0,) * 4 + (False,) + (1.0,) * 7
    plot_proposition([PropositionRow("rows", 0, 9.0, 2, 2, *numbers)], path / "p.png")


def test_pictures_say_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingLibraryError, match="needs matplotlib, which is not installed"):
        proposition_picture(tmp_path)


@pytest.mark.parametrize(
    ("command", "library", "extra"),
    [("proposition", "matplotlib", "plot"), ("search", "optuna", "tune")],
)
def test_commands_say_so_before_they_work(
    command: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    result = CliRunner().invoke(app, [command])
    assert isinstance(result.exception, MissingLibraryError)
    assert str(result.exception) == (
        f"python -m benchmarks.paper {command} needs {library}, which is not installed: "
        f"pip install 'graphopt[{extra}]'"
    )
