"""Every function that needs an optional library says which extra brings it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import graphopt
from graphopt._optional import require
from graphopt.errors import GraphoptError, MissingLibraryError


@pytest.mark.parametrize(
    ("library", "extra", "call"),
    [
        ("networkx", "networkx", lambda path: graphopt.Graph.from_edges([(0, 1)]).to_networkx()),
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
