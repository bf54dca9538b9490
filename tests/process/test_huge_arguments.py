"""Arguments that no machine can serve are refused by name, before anything is allocated."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import huge_arguments
import pytest

LINUX = Path("/proc/self/status")
pytestmark = pytest.mark.skipif(not LINUX.exists(), reason="address space is measured on Linux")


@pytest.fixture(scope="module")
def said() -> dict[str, tuple[str, str]]:
    """Return the type and the text of the error that each call ended with."""
    program = [sys.executable, huge_arguments.__file__]
    run = subprocess.run(program, capture_output=True, text=True, timeout=280, check=False)
    assert run.returncode == 0, run.stderr
    lines = (json.loads(line) for line in run.stdout.splitlines())
    return {name: (error, text) for name, error, text in lines}


@pytest.mark.parametrize("name", huge_arguments.calls())
def test_what_no_machine_can_serve_is_refused(name: str, said: dict[str, tuple[str, str]]) -> None:
    error, text = said[name]
    if name.startswith("size:"):
        assert error == "MemoryLimitError", text
        assert "bytes" in text
    else:
        assert error in ("ValueError", "MemoryLimitError"), text
    assert len(text) < 300
    assert "int_max_str_digits" not in text
    assert "incompatible function arguments" not in text
