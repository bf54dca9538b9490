"""A process that runs inputs: what it is at is on disk before it begins, so that it may die.

Reads lines of a name, a first seed and a count, with tabs between them, and answers in lines of
JSON: a fault when it is found, and a line without one at the end of each job. The file it is given
holds, at any time, the seed of the input that is running and the counts of this job.
"""

from __future__ import annotations

import contextlib
import faulthandler
import json
import mmap
import os
import resource
import struct
import sys
from pathlib import Path
from typing import IO

STATE = struct.Struct("<qqqq")  # seed, calls, reached, answered
_SPARE = 2**31  # bytes of address space beyond what the libraries take


def serve(state_path: Path) -> None:
    with os.fdopen(os.dup(1), "w") as answers, state_path.open("r+b") as file:
        _silence()
        from . import targets, trial  # noqa: F401

        _import_all()
        trial.prepare_process()
        _limit_memory()
        with mmap.mmap(file.fileno(), STATE.size) as state, trial.strict():
            print(json.dumps({"ready": os.getpid()}), file=answers, flush=True)
            for line in sys.stdin:
                name, first, count = line.rstrip("\n").split("\t")
                _run(name, int(first), int(count), state, answers)


def _run(name: str, first: int, count: int, state: mmap.mmap, answers: IO[str]) -> None:
    from . import trial

    reached = answered = 0
    for calls, seed in enumerate(range(first, first + count)):
        STATE.pack_into(state, 0, seed, calls, reached, answered)
        outcome = trial.run(name, seed)
        reached += outcome.reached
        answered += outcome.answered
        if outcome.fault is not None:
            found = {"seed": seed, "fault": outcome.fault, "trace": outcome.trace}
            print(json.dumps(found), file=answers, flush=True)
    STATE.pack_into(state, 0, -1, count, reached, answered)
    done = {"calls": count, "reached": reached, "answered": answered}
    print(json.dumps(done), file=answers, flush=True)


def _silence() -> None:
    """What calls print goes nowhere; stderr is kept for the trace of a crash."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    faulthandler.enable()


def _import_all() -> None:
    import graphopt.cli._comparison
    import graphopt.decision
    import graphopt.learning  # noqa: F401


def _limit_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + _SPARE
    with contextlib.suppress(ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
