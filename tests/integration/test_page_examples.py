"""The examples of the README and the guide run as they are written."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from page_examples import blocks, programs
from typer.main import get_command

from graphopt.cli import app

PROGRAMS = programs()


def test_there_are_examples() -> None:
    assert len(PROGRAMS) == 4
    assert len(blocks("docs/guide.md", "python")) >= 9


@pytest.mark.parametrize("name", PROGRAMS)
def test_examples(name: str, tmp_path: Path) -> None:
    """In a process of its own, as a reader would run it."""
    file = tmp_path / f"{name}.py"
    file.write_text(PROGRAMS[name].replace("splits=10", "splits=2"))
    command = [sys.executable, "-W", "error::DeprecationWarning:graphopt", str(file)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_commands() -> None:
    """Every command and option that the guide names exists."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    shell = "".join(blocks("docs/guide.md", ""))
    named = re.findall(r"^graphopt ([a-z]+)((?: [^#\n]*)?)", shell, re.M)
    assert len(named) >= 5
    for command, rest in named:
        options = {option for one in commands[command].params for option in one.opts}
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in options, f"graphopt {command} {option}"
