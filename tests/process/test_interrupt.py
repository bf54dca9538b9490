"""Ctrl-C ends a long kernel soon, as KeyboardInterrupt."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

# By length, one call takes a minute; by hops a second, so it is called again and again.
PROGRAM = """
import signal
import numpy as np
from graphopt import Graph, all_pairs_shortest_paths

rng = np.random.default_rng(0)
edges = rng.integers(0, 20_000, (200_000, 2))
weights = rng.uniform(size=len(edges)) if {weighted} else None
graph = Graph.from_edges(edges, 20_000, weights)
sources = np.arange({n_sources}) % 20_000
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
print("started", flush=True)
try:
    while True:
        all_pairs_shortest_paths(graph, sources=sources, num_threads={threads})
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


# Starts one by one, and side by side.
POLISHING = """
import signal
import numpy as np
from graphopt import Graph, _core

rng = np.random.default_rng(0)
graph = Graph.from_edges(rng.integers(0, 20_000, (200_000, 2)), 20_000)
starts = rng.integers(0, 10, (4, 20_000)).astype(np.int32)
signal.signal(signal.SIGINT, signal.default_int_handler)
print("started", flush=True)
try:
    _core.polish(
        graph.indptr, graph.indices, None, starts, 10, 1.0, False, 10**9, 0, {threads}
    )
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("threads", [1, 2])
def test_interrupt_while_polishing(threads: int) -> None:
    interrupted(POLISHING.format(threads=threads))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("weighted", [False, True], ids=["hops", "lengths"])
def test_interrupt(weighted: bool, threads: int) -> None:
    program = PROGRAM.format(
        weighted=weighted, threads=threads, n_sources=4_000 if weighted else 10_000
    )
    interrupted(program)


def interrupted(program: str) -> None:
    """Run a program that says when it has started and interrupt it."""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(0.5)  # into the kernel
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
        assert output == "interrupted\n", errors
        assert process.returncode == 0
        assert time.monotonic() - start < 10
    finally:
        process.kill()
        process.wait()
