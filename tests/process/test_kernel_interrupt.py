"""Ctrl-C breaks a long kernel off, as KeyboardInterrupt."""

from __future__ import annotations

import signal

import pytest
from processes import next_line, running

# Says when a kernel is about to begin, and in the end how many results kernels returned that Python
# did not get to: none, if the interrupt came out of the kernel.
WATCH = """
import itertools
from graphopt._native import _core

results = []


def watched(kernel):
    def call(*args):
        print("started", flush=True)
        # In one call of C code, after which Python looks for signals again.
        results.extend(itertools.starmap(kernel, [args]))
        return results.pop()

    return call


for name in ("hop_distances", "path_lengths", "polish"):
    setattr(_core, name, watched(getattr(_core, name)))
"""

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
try:
    while True:
        all_pairs_shortest_paths(graph, sources=sources, num_threads={threads})
except KeyboardInterrupt:
    print("interrupted", len(results), flush=True)
"""


# Starts one by one, and side by side.
POLISHING = """
import signal
import numpy as np
from graphopt import Graph
from graphopt._native import _core

rng = np.random.default_rng(0)
graph = Graph.from_edges(rng.integers(0, 20_000, (200_000, 2)), 20_000)
starts = rng.integers(0, 10, (4, 20_000)).astype(np.int32)
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    _core.polish(
        graph.indptr, graph.indices, None, starts, 10, 1.0, False, 10**9, 0, {threads}
    )
except KeyboardInterrupt:
    print("interrupted", len(results), flush=True)
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
    """Run a program and interrupt it in a kernel."""
    with running(WATCH + program) as process:
        assert next_line(process.stdout) == "started\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert output.splitlines()[-1:] == ["interrupted 0"], errors
    assert process.returncode == 0
