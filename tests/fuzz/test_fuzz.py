"""The fuzzer has a target for everything public; what it once found stays mended; a short run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fuzz import driver, inventory, targets  # noqa: F401
from fuzz.known import KNOWN
from fuzz.registry import TARGETS

CORPUS = Path(__file__).parent / "corpus.jsonl"
SHORT = 8000  # inputs


def test_everything_public_has_a_target() -> None:
    names = set(inventory.public_names())
    assert sorted(names - TARGETS.keys() - inventory.EXCLUDED.keys()) == []


def test_no_target_and_no_exclusion_is_left_over() -> None:
    names = set(inventory.public_names())
    readers = {name for name in TARGETS if name.startswith(("reader: ", "command line"))}
    assert sorted(TARGETS.keys() - names - readers) == []
    assert sorted(inventory.EXCLUDED.keys() & TARGETS.keys()) == []


def inputs_of_the_corpus() -> list[tuple[str, int]]:
    lines = CORPUS.read_text(encoding="utf-8").splitlines()
    return [(entry["target"], entry["seed"]) for entry in map(json.loads, lines)]


def faults(report: driver.Report) -> list[str]:
    return [f"{f['target']} --seed {f['seed']}: {f['fault']}\n{f['trace']}" for f in report.unknown]


def test_what_was_found_once_stays_mended() -> None:
    inputs = inputs_of_the_corpus()
    assert {name for name, _ in inputs} <= TARGETS.keys()
    report = driver.run_jobs(((name, seed, 1) for name, seed in inputs), 1)
    assert sum(tally.calls for tally in report.tallies.values()) == len(inputs)
    assert faults(report) == []


@pytest.mark.timeout(1200)
def test_a_short_run_finds_nothing() -> None:
    counts = driver.shares(list(TARGETS), SHORT, 2)
    report = driver.run_jobs(driver.chunks(counts, 0), 1)
    assert faults(report) == []
    total = report.as_dict()["total"]
    assert total["calls"] == sum(counts.values())
    assert 3 * total["reached"] >= total["calls"]


def test_known_faults_have_different_ids() -> None:
    ids = [kind.id for kind in KNOWN]
    assert len(ids) == len(set(ids))
