"""The guard on instruction counts: what passes, what fails, and what it says."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest

INSTRUCTIONS = Path(__file__).parents[2] / "csrc/instructions"


@pytest.fixture(scope="module")
def guard() -> ModuleType:
    spec = importlib.util.spec_from_file_location("count", INSTRUCTIONS / "count.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("now", "passes", "says"),
    [
        (100, True, "1.00  ok"),
        (130, True, "1.30  ok"),
        (131, False, "1.31  TOO MANY, more than 1.3 times the stored count"),
        (70, True, "0.70  ok"),
        (69, True, "0.69  many fewer; keep it: make count-instructions UPDATE=1"),
    ],
)
def test_the_ratio_decides(guard: ModuleType, now: int, passes: bool, says: str) -> None:
    lines, passed = guard.compare({"search": 100}, {"search": now})
    assert passed is passes
    assert lines[0].endswith(says)


def test_one_kernel_too_slow_is_enough(guard: ModuleType) -> None:
    lines, passed = guard.compare({"a": 100, "b": 100}, {"a": 10, "b": 200})
    assert not passed
    assert ["TOO MANY" in line for line in lines] == [False, True]


def test_kernels_come_and_go_by_an_update(guard: ModuleType) -> None:
    lines, passed = guard.compare({"old": 1}, {"new": 1})
    assert not passed
    assert "is not stored; make count" in lines[0]
    assert "is stored, but there is none; make count" in lines[1]


def test_every_kernel_has_a_stored_count(guard: ModuleType) -> None:
    stored = json.loads(guard.STORED.read_text())
    program = (INSTRUCTIONS / "kernels.cpp").read_text()
    names = re.findall(r'^    \{"(\w+)",', program, re.M)
    assert sorted(stored) == sorted(names)
    assert min(stored.values()) > 0


def test_a_missing_valgrind_is_named(guard: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard.shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="apt-get install valgrind"):
        guard.count_all("kernels")
