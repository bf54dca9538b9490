"""Ctrl-C ends a training soon, and what was best so far is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

PROGRAM = """
import numpy as np
from graphopt import ClusterNet, Graph

rng = np.random.default_rng(0)
graph, _ = Graph.from_edges(rng.integers(0, 500, (1500, 2)), 500).largest_component()
model = ClusterNet(5, "{objective}", iterations=1_000_000, n_restarts=5, random_state=0)
model.fit(graph)
print("interrupted", model.interrupted_, len(model.runs_), len(model.decision_), flush=True)
"""

# Tells when training has begun, from inside.
SIGNAL = """
import signal
from graphopt.learning import base


def report(self, done, loss, best):
    if done == 3:
        print("started", flush=True)


signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
base.ProgressBar.__call__ = report
"""


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_interrupted_training_keeps_a_decision(objective: str) -> None:
    program = SIGNAL + PROGRAM.format(objective=objective)
    # One thread: on a busy machine waiting for a second one takes longer than what is tested.
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "started\n"
        time.sleep(0.3)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
        assert process.returncode == 0, errors
        words = output.split()
        assert words[:3] == ["interrupted", "True", "1"]
        assert int(words[3]) == 5 if objective == "k-center" else int(words[3]) > 400
        assert time.monotonic() - start < 10
    finally:
        process.kill()
        process.wait()
