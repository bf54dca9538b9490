"""spopt's PCenter on a matrix of costs, in a process of its own, with a limit on time and memory.

``python -m benchmarks.race.spopt_peer MATRIX K --seconds S --memory BYTES`` prints it as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from dataclasses import asdict, dataclass
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPTIMAL, OUT_OF_TIME, OUT_OF_MEMORY = "optimal", "out of time", "out of memory"
ABSENT = "not installed"

_GRACE = 3.0  # seconds by which the solver may be late, as it looks at its clock now and then
_START = 120.0  # seconds that importing everything may take, which does not count


@dataclass(frozen=True, slots=True)
class PeerResult:
    """What became of spopt.

    Attributes
    ----------
    outcome : str
        ``"optimal"``, ``"out of time"``, ``"out of memory"``, ``"not installed"``, or what failed.
    seconds : float or None
        From the matrix to the end, making the model included.
    building : float or None
        Seconds of making the model; None: it was not made to the end.
    centers : tuple of int
        Of the best choice that it had; empty: it had none.
    """

    outcome: str
    seconds: float | None = None
    building: float | None = None
    centers: tuple[int, ...] = ()


def installed() -> bool:
    """Tell whether spopt and its solver's interface are there."""
    return all(util.find_spec(name) is not None for name in ("spopt", "pulp"))


def run(costs: NDArray[Any], k: int, *, seconds: float, memory: int) -> PeerResult:
    """Choose k centres by spopt and CBC, in a process that is ended when time is over.

    Parameters
    ----------
    costs : array, shape (n_sites, n_customers)
        Finite.
    k : int
    seconds : float
        For making the model and solving it.
    memory : int
        Bytes of address space that the process, and its solver's, may have each.
    """
    if not installed():
        return PeerResult(ABSENT)
    with tempfile.TemporaryDirectory() as folder:
        matrix = Path(folder, "costs.npy")
        np.save(matrix, np.ascontiguousarray(costs.T, np.float64))  # spopt's rows are customers
        command = [
            sys.executable, "-m", "benchmarks.race.spopt_peer", str(matrix), str(k),
            "--seconds", str(seconds), "--memory", str(memory),
        ]  # fmt: skip
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # the solver is a child of it, and must end with it
            env={**os.environ, "TMPDIR": folder},  # where the solver's files go
        ) as process:
            try:
                said, complaints = process.communicate(timeout=seconds + _START)
            except subprocess.TimeoutExpired:
                return PeerResult(OUT_OF_TIME, seconds + _START)
            finally:
                with contextlib.suppress(ProcessLookupError):  # all of it has ended
                    os.killpg(process.pid, signal.SIGKILL)
    if process.returncode != 0:
        last = complaints.strip().splitlines()[-1:] or [f"exit code {process.returncode}"]
        return PeerResult(f"failed: {last[0]}")
    found = json.loads(said.splitlines()[-1])
    return PeerResult(**{**found, "centers": tuple(found["centers"])})


class _Late(Exception):
    """Raised by the alarm."""


def _ring(*_: object) -> None:
    raise _Late


def solve(costs: NDArray[np.float64], k: int, seconds: float) -> PeerResult:
    """Make and solve the model in this process; the alarm of the process is used."""
    import pulp
    from spopt.locate import PCenter

    building = None
    start = time.perf_counter()

    def passed() -> float:
        return time.perf_counter() - start

    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        model = PCenter.from_cost_matrix(costs, k)
        building = passed()
        signal.setitimer(signal.ITIMER_REAL, seconds - building + _GRACE)
        solver = pulp.PULP_CBC_CMD(msg=False, timeLimit=max(1.0, seconds - building))
        with contextlib.suppress(RuntimeError):  # it has no solution: told below
            model.solve(solver, results=False)
        took = passed()
        signal.setitimer(signal.ITIMER_REAL, 0.0)
    except _Late:
        return PeerResult(OUT_OF_TIME, passed(), building)
    except MemoryError:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        return PeerResult(OUT_OF_MEMORY, passed(), building)
    # pulp calls a solution optimal also where time ended the search; sol_status does not.
    status = model.problem.sol_status
    centers: tuple[int, ...] = ()
    if status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        centers = tuple(j for j, site in enumerate(model.fac_vars) if site.value() > 0.5)
    ended = status == pulp.LpSolutionOptimal
    return PeerResult(OPTIMAL if ended else OUT_OF_TIME, took, building, centers)


def main(arguments: list[str] | None = None) -> None:
    """Solve one problem and print the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race.spopt_peer")
    parser.add_argument("matrix", type=Path)
    parser.add_argument("k", type=int)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--memory", type=int, required=True)
    chosen = parser.parse_args(arguments)
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (chosen.memory, chosen.memory))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers' own
        found = solve(np.load(chosen.matrix), chosen.k, chosen.seconds)
    print(json.dumps(asdict(found)))  # noqa: T201


if __name__ == "__main__":
    main()
