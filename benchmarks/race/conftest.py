"""The race's settings for pytest-benchmark: threads for all, and what it ran on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import graphopt
from benchmarks.race.machine import describe_machine
from benchmarks.race.peers import threads_for_all


@pytest.fixture(scope="session", autouse=True)
def _threads() -> Iterator[None]:
    """Let every library use as many threads as graphopt."""
    with threads_for_all(graphopt.get_num_threads()):
        yield


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    machine_info["graphopt"] = describe_machine()
