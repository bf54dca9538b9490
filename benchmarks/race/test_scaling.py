"""Each kernel over sizes, on one thread and on two: medians, fitted exponents, a log-log picture.

Run with ``pytest benchmarks/race/test_scaling.py``. ``scaling.json`` and ``scaling.png`` go
to ``benchmarks/results/``, or to the folder that ``GRAPHOPT_BENCH_RESULTS`` names.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from benchmarks.race.machine import describe_machine
from benchmarks.race.peers import threads_for_all
from benchmarks.race.scaling import STUDIES, Study, draw, fitted_exponent

THREADS = (1, 2)
ROUNDS = 5
RESULTS = Path(os.environ.get("GRAPHOPT_BENCH_RESULTS", Path(__file__).parents[1] / "results"))


@pytest.fixture(scope="module")
def results() -> Iterator[list[dict[str, Any]]]:
    """Gather what was measured, and write it down at the end."""
    gathered: list[dict[str, Any]] = []
    yield gathered
    if not gathered:
        return
    machine = describe_machine()
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"machine": machine, "studies": gathered}, indent=1)
    (RESULTS / "scaling.json").write_text(text + "\n", encoding="utf-8")
    draw(gathered, f"{machine['processor']}, {machine['isa']}", RESULTS / "scaling.png")


@pytest.mark.slow
@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("study", STUDIES, ids=lambda study: study.name.replace(" ", "-"))
def test_scaling(
    benchmark: BenchmarkFixture, results: list[dict[str, Any]], study: Study, threads: int
) -> None:
    medians: list[float] = []

    def all_sizes() -> None:
        medians.extend(study.median_seconds(n, ROUNDS) for n in study.sizes)

    with threads_for_all(threads):
        benchmark.pedantic(all_sizes, rounds=1)
    exponent = fitted_exponent(study.sizes, medians)
    found = {
        "study": study.name,
        "counted_exponent": study.law,
        "threads": threads,
        "n": list(study.sizes),
        "median": medians,
        "exponent": exponent,
    }
    benchmark.extra_info.update(found)
    results.append(found)
    # Caches end somewhere, so a measured exponent is above the counted one, but not by a whole 1.
    assert exponent < study.law + 0.7
