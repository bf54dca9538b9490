"""Ctrl-C ends a training, and what was best so far is kept."""

from __future__ import annotations

import signal

import pytest
from processes import next_line, running

# So many steps that only an interrupt ends it.
PROGRAM = """
import numpy as np
from graphopt import ClusterNet, Graph

rng = np.random.default_rng(0)
graph, _ = Graph.from_edges(rng.integers(0, 500, (1500, 2)), 500).largest_component()
model = ClusterNet(5, "{objective}", iterations=1_000_000, n_restarts=5, random_state=0)
model.fit(graph, on_iteration=report)
print("interrupted", model.interrupted_, len(model.runs_), len(model.decision_), flush=True)
"""

# Tells when training has begun, from inside.
SIGNAL = """
import signal


def report(step, decision, value):
    if step == 3:
        print("started", flush=True)


signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
"""


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_interrupted_training_keeps_a_decision(objective: str) -> None:
    # One thread: on a busy machine waiting for a second one takes longer than what is tested.
    with running(SIGNAL + PROGRAM.format(objective=objective), one_thread=True) as process:
        assert next_line(process.stdout) == "started\n"
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate()
    assert process.returncode == 0, errors
    words = output.split()
    assert words[:3] == ["interrupted", "True", "1"]
    assert int(words[3]) == 5 if objective == "k-center" else int(words[3]) > 400
