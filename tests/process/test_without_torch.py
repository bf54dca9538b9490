"""Objectives, completions and decisions work where PyTorch is not installed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[1] / "unit"
WITHOUT_TORCH = """
import sys
from importlib.abc import MetaPathFinder

class NoTorch(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")

sys.meta_path.insert(0, NoTorch())
"""
DATA = """
import graphopt
from graphopt import completion, datasets, decision
data = datasets.synthetic(80, random_state=0)
seen, rows, known = data.observed, data.observed_features, {"seen_fraction": 0.4, "k": 3}
"""
PROGRAMS = {
    "decide": """
for objective in ("modularity", "k-center"):
    found = graphopt.decide(
        seen, rows, objective=objective, n_trials=1, random_state=0, **known
    )
    assert found.labels.shape == (80,), found
    str(found)
""",
    "compare": """
graph = data.graph.largest_component()[0]
for objective, names in decision.METHODS.items():
    found = decision.compare(list(names), graph, k=6, objective=objective, seen=0.7, splits=2)
    assert list(found.results) == list(names)
    str(found)
""",
    "choose": """
choice = completion.choose(seen, rows, n_splits=1, random_state=0, **known)
assert choice.labels(seen, rows, random_state=0).shape == (80,)
curve = completion.reliability_curve(completion.LinkModel(1.5), seen, rows, seen_fraction=0.4)
assert curve.brier >= 0.0
""",
}


def run(program: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_TORCH + program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_they_work(program: str) -> None:
    run(DATA + PROGRAMS[program])


def test_what_needs_torch_says_so() -> None:
    run(
        """
import graphopt
try:
    graphopt.ClusterNet
except ModuleNotFoundError as error:
    assert error.name == "torch"
else:
    sys.exit("it was found")
"""
    )


@pytest.mark.parametrize("name", ["contest", "hiding", "objectives", "completion_choice"])
def test_their_tests_pass(name: str) -> None:
    file = str(UNIT / f"test_{name}.py")
    arguments = [file, "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    run(f"import pytest; sys.exit(pytest.main({arguments!r}))")
