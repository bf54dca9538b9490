"""Peak memory of a call."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from benchmarks.race import memory
from benchmarks.race.memory import array_bytes, measure, peak_memory

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="only Linux tells a process its peak memory"
)
MEGABYTE = 2**20


def held_for_a_moment() -> float:
    return float(np.ones(64 * MEGABYTE, np.uint8).sum())


@linux
def test_memory_that_is_given_back_counts() -> None:
    found = measure(held_for_a_moment)
    assert found is not None
    assert 60 * MEGABYTE < found.extra < 80 * MEGABYTE
    assert found.answer == 0
    assert found.prepared > MEGABYTE


@linux
def test_the_answer_does_not_count() -> None:
    found = measure(lambda: (np.ones(32 * MEGABYTE, np.uint8), held_for_a_moment()))
    assert found is not None
    assert found.answer == 32 * MEGABYTE
    assert 60 * MEGABYTE < found.extra < 80 * MEGABYTE


@linux
def test_a_call_that_needs_nothing() -> None:
    found = measure(lambda: 1)
    assert found is not None
    assert found.extra < 2 * MEGABYTE


def test_elsewhere_there_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(memory, "_REFERENCES", memory.Path(str(tmp_path)) / "none")
    assert measure(held_for_a_moment) is None


@pytest.mark.parametrize(
    ("make", "n_bytes"),
    [
        (lambda: np.zeros(3, np.int32), 12),
        (lambda: torch.zeros(3), 12),
        (lambda: (np.zeros(3), [torch.zeros(1), None, 5]), 28),
        (lambda: [0.5] * 1000, 0),
        (lambda: "text", 0),
    ],
)
def test_bytes_of_an_answer(make: Callable[[], object], n_bytes: int) -> None:
    assert array_bytes(make()) == n_bytes


@linux
def test_a_contestant_in_a_process_of_its_own() -> None:
    found = peak_memory("hops-moreno", "graphopt", scale=0.1, threads=1)
    assert found is not None
    assert found.answer == 254**2
    assert found.extra < 64 * MEGABYTE


def test_a_process_that_fails_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"must be one of graphopt, .*, not 'nobody'"):
        peak_memory("hops-moreno", "nobody", threads=1)


def test_the_module_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    memory.main(["rounding-20k", "graphopt", "--scale", "0.05"])
    found = json.loads(capsys.readouterr().out)
    assert found is None or found["answer"] == 50 * 10 * 4
