"""Ctrl-C while a call loads its library for the first time leaves it whole: the next call works."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# Presses Ctrl-C in the middle of the import: `module` is one that the library imports on the way,
# and that is missing or half there in what is left of a broken import.
PROGRAM = """
import importlib.abc, signal, sys
import numpy as np
import graphopt

class Press(importlib.abc.MetaPathFinder):
    pressed = False

    def find_spec(self, name, path, target=None):
        if name == {module!r} and not self.pressed:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)
            for _ in range(1000):  # the handler runs here at the latest
                pass
        return None

finder = Press()
sys.meta_path.insert(0, finder)
graph = graphopt.Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", finder.pressed, signal.getsignal(signal.SIGINT).__name__)
print({call})
"""


@pytest.mark.parametrize(
    ("module", "call", "result"),
    [
        ("igraph.drawing.baseclasses", "graphopt.leiden(graph, 2, random_state=0).labels.tolist()",
         "[0, 0, 0, 1, 1, 1]"),
        ("sklearn.cluster._kmeans", "graphopt.spectral(graph, 2, random_state=0).labels.tolist()",
         "[0, 0, 0, 1, 1, 1]"),
        ("networkx.algorithms.centrality", "graph.to_networkx().number_of_edges()", "7"),
        ("scipy.sparse._csr", "graph.connected_components()[0]", "1"),
        ("torch.nn.functional", "graphopt.nn.SoftKMeans(2).n_clusters", "2"),
    ],
    ids=["igraph", "scikit-learn", "networkx", "SciPy", "PyTorch"],
)  # fmt: skip
def test_the_next_call_works(module: str, call: str, result: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(module=module, call=call)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.stdout.splitlines() == ["interrupted True default_int_handler", result], done.stderr
