"""Every command and function that needs an optional library says which extra brings it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

import graphopt
from graphopt._optional import require
from graphopt.bench import scaling
from graphopt.errors import GraphoptError, MissingLibraryError
from graphopt.experiments.proposition.picture import plot_proposition
from graphopt.experiments.proposition.rows import PropositionRow


def proposition_picture(path: Path) -> None:
    numbers = (1.0,) * 4 + (False,) + (1.0,) * 7
    plot_proposition([PropositionRow("rows", 0, 9.0, 2, 2, *numbers)], path / "p.png")


@pytest.mark.parametrize(
    ("library", "extra", "call"),
    [
        ("networkx", "networkx", lambda path: graphopt.Graph.from_edges([(0, 1)]).to_networkx()),
        ("matplotlib", "plot", proposition_picture),
        ("matplotlib", "plot", lambda path: scaling.draw([], "", path / "s.png")),
    ],
)
def test_functions(
    library: str,
    extra: str,
    call: Callable[[Path], object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibraryError) as caught:
        call(tmp_path)
    assert f"needs {library}, which is not installed" in str(caught.value)
    assert str(caught.value).endswith(f"pip install 'graphopt[{extra}]'")
    assert caught.value.name == library
    assert isinstance(caught.value, GraphoptError)
    assert isinstance(caught.value, ImportError)


@pytest.mark.parametrize(
    ("command", "library", "extra"),
    [("proposition", "matplotlib", "plot"), ("tune", "optuna", "tune")],
)
def test_commands_say_so_before_they_work(
    command: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    from graphopt.cli import app

    result = CliRunner().invoke(app, [command])
    assert isinstance(result.exception, MissingLibraryError)
    assert str(result.exception) == (
        f"graphopt {command} needs {library}, which is not installed: "
        f"pip install 'graphopt[{extra}]'"
    )


def test_what_is_installed_is_returned() -> None:
    assert require("networkx", "this test").__name__ == "networkx"


def test_what_an_installed_library_misses_is_another_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "optuna.py").write_text("import something_that_is_not_there\n")
    monkeypatch.delitem(sys.modules, "optuna", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="something_that_is_not_there") as caught:
        require("optuna", "this test")
    assert not isinstance(caught.value, MissingLibraryError)
