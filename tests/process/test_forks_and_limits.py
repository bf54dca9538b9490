"""Kernels and PyTorch in forked children, and where threads cannot be started."""

from __future__ import annotations

import os
import subprocess
import sys

import joblib
import pytest

import graphopt

PREPARE = """
import os, resource, sys
import numpy as np
import graphopt
from graphopt import Graph, all_pairs_shortest_paths
from graphopt._native import _core

ends = np.random.default_rng(0).integers(0, 3000, (12000, 2))
graph = Graph.from_edges(ends, 3000)
expected = all_pairs_shortest_paths(graph, num_threads=1)
expected_sum = None

def kernel():
    assert np.array_equal(all_pairs_shortest_paths(graph, num_threads=4), expected)

def torch_operation():
    global expected_sum
    import torch
    torch.set_num_threads(4)
    total = float(torch.arange(10**6, dtype=torch.float64).sin().sum())
    assert expected_sum in (None, total)
    expected_sum = total

def in_a_child(*calls):
    child = os.fork()
    if child == 0:
        try:
            for call in calls:
                call()
        except BaseException:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def run(program: str) -> str:
    done = subprocess.run(
        # Stacks of 256 MiB, of which a limit of the memory makes a difference.
        ["sh", "-c", 'ulimit -s 262144; exec "$0" "$@"', sys.executable, "-c", PREPARE + program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.parametrize(
    "program",
    [
        "kernel(); in_a_child(torch_operation)",
        "torch_operation(); kernel(); in_a_child(torch_operation, kernel, torch_operation)",
        "torch_operation(); in_a_child(kernel)",
        "kernel(); torch_operation(); in_a_child(kernel, torch_operation)",
        "kernel(); in_a_child(kernel)",
        "torch_operation(); kernel(); in_a_child(lambda: in_a_child(kernel, torch_operation))",
        "torch_operation(); kernel(); in_a_child(lambda: (torch_operation(), "
        "in_a_child(torch_operation)))",
        "torch_operation(); kernel(); in_a_child(); kernel(); torch_operation()",
    ],
)
def test_a_forked_child_works(program: str) -> None:
    # Where it does not, the child waits for ever for threads that only its parent has.
    run(program)


def test_workers_of_a_data_loader_work() -> None:
    run(
        """
import torch

class Distances(torch.utils.data.Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):
        torch.set_num_threads(4)
        torch.arange(10**6, dtype=torch.float64).sin().sum()
        return all_pairs_shortest_paths(graph, sources=[i], num_threads=4)

if __name__ == "__main__":
    torch_operation()
    kernel()
    loader = torch.utils.data.DataLoader(
        Distances(), num_workers=2, batch_size=None, multiprocessing_context="fork"
    )
    for i, row in enumerate(loader):
        assert np.array_equal(row, expected[i : i + 1])
    kernel()
    torch_operation()
"""
    )


LIMITS = {
    "memory": """
pages = int(open("/proc/self/statm").read().split()[0])
room = pages * resource.getpagesize() + 600 * 2**20  # room for two more stacks
resource.setrlimit(resource.RLIMIT_AS, (room, room))
""",
    "processes": """
if os.getuid() == 0:  # whom the limit does not bind
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
""",
}


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and Linux's limits")
def test_an_estimator_learns_where_no_thread_can_be_started() -> None:
    program = (
        "from graphopt import ClusterNet\n"
        "def learn():\n"
        "    model = ClusterNet(3, iterations=3, n_restarts=1, random_state=0)\n"
        "    return model.fit(graph).labels_\n"
        "expected = learn()\n"
        f"{LIMITS['processes']}"
        "assert np.array_equal(learn(), expected)\n"
    )
    run(program)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and Linux's limits")
@pytest.mark.parametrize("runtime", ["own threads", "PyTorch's"])
@pytest.mark.parametrize("limit", LIMITS)
def test_threads_that_cannot_be_started_are_done_without(limit: str, runtime: str) -> None:
    program = "" if runtime == "own threads" else "import torch\n"
    program += LIMITS[limit] + (
        "threads = 1 + _core.startable_threads(7)\n"
        "distances = all_pairs_shortest_paths(graph, num_threads=8)\n"
        "assert np.array_equal(distances, expected)\n"
        "print(threads, _core.build_info()['openmp'] is None)\n"
    )
    threads, own = run(program).split()
    assert int(threads) < 8
    assert own == str(runtime == "own threads")


def test_the_inner_limit_of_joblib_holds() -> None:
    with joblib.parallel_config("loky", inner_max_num_threads=3):
        found = joblib.Parallel(n_jobs=2)(
            joblib.delayed(graphopt.get_num_threads)() for _ in range(2)
        )
    assert found == [3, 3]
