"""What `import graphopt` brings along, seen from a fresh interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest


def in_a_new_process(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    return done.stdout


HEAVY = ("torch", "scipy", "igraph", "networkx", "sklearn", "pandas", "matplotlib", "optuna")


@pytest.mark.parametrize(
    "program",
    [
        "import graphopt",
        "import graphopt; graphopt.build_config()",
        "import graphopt; graphopt.Graph.from_edges([('a', 'b')]).subgraph([1]).edges",
        "import graphopt; graphopt.modularity(graphopt.Graph.from_edges([(0, 1)]), [0, 0])",
        "import graphopt; graphopt.objectives.distance_tail(graphopt.Graph.from_edges([(0, 1)]), "
        "[0])",
    ],
    ids=["import", "build_config", "graph", "modularity", "objectives"],
)
def test_heavy_libraries_wait_until_they_are_needed(program: str) -> None:
    printed = in_a_new_process(
        f"{program}; import sys; print([name for name in {HEAVY} if name in sys.modules])"
    )
    assert printed.strip() == "[]"


def test_every_public_name_is_there() -> None:
    in_a_new_process("from graphopt import *; Graph, leiden, set_num_threads")


def test_build_config_can_be_sent_in_a_report() -> None:
    printed = in_a_new_process("import graphopt, json; print(json.dumps(graphopt.build_config()))")
    config = json.loads(printed)
    assert {
        "version",
        "compiler",
        "isa",
        "multiversion",
        "openmp",
        "threads",
        "python",
        "machine",
        "dependencies",
    } <= set(config)
    assert config["threads"] >= 1
    assert config["isa"] in ("x86-64-v4", "x86-64-v3", "baseline")
    assert {"numpy", "scipy", "torch", "igraph"} <= set(config["dependencies"])


def test_importing_changes_nothing() -> None:
    program = (
        "import os, signal, warnings, numpy, threadpoolctl\n"
        "before = dict(os.environ), list(warnings.filters), numpy.geterr(), os.getcwd()\n"
        "handler = signal.getsignal(signal.SIGINT)\n"
        "threads = len(os.listdir('/proc/self/task')) if os.path.isdir('/proc/self/task') else 0\n"
        "import graphopt\n"
        "assert before == (dict(os.environ), list(warnings.filters), numpy.geterr(), os.getcwd())\n"
        "assert signal.getsignal(signal.SIGINT) is handler\n"
        "if threads:\n"
        "    loaded = open('/proc/self/maps').read()\n"
        "    print(len(os.listdir('/proc/self/task')) - threads, 'libgomp' in loaded)\n"
    )
    printed = in_a_new_process(program)
    assert printed.strip() in ("0 False", "")


@pytest.mark.parametrize(
    ("given", "spins"),
    [({}, "3000"), ({"GOMP_SPINCOUNT": "7"}, "7"), ({"OMP_WAIT_POLICY": "active"}, None)],
    ids=["nothing said", "spins", "policy"],
)
def test_idle_threads_of_the_command_line_sleep_soon_unless_told_otherwise(
    given: dict[str, str], spins: str | None
) -> None:
    clean = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    program = (
        "import os, sys\n"
        "from graphopt import cli\n"
        "sys.argv = ['graphopt', '--help']\n"
        "try:\n"
        "    cli.main()\n"
        "except SystemExit:\n"
        "    print('spins:', os.environ.get('GOMP_SPINCOUNT'))\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={**clean, **given},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.splitlines()[-1] == f"spins: {spins}"


@pytest.mark.parametrize("order", ["graphopt, torch", "torch, graphopt"])
def test_torch_may_come_first_or_last(order: str) -> None:
    printed = in_a_new_process(
        f"import {order}\n"
        "g = graphopt.Graph.from_edge_index(torch.tensor([[0, 1], [1, 2]]))\n"
        "print(g, g.connected_components()[0])"
    )
    assert printed.strip() == "Graph(n_nodes=3, n_edges=2) 1"
