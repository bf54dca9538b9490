"""Peak memory of one contestant's call, in a process of its own.

``python -m benchmarks.race.memory CONTEST CONTESTANT`` prints it as JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_STATUS, _REFERENCES = Path("/proc/self/status"), Path("/proc/self/clear_refs")
_WARM_SCALE = 0.02


@dataclass(frozen=True, slots=True)
class PeakMemory:
    """What a call needed.

    Attributes
    ----------
    extra : int
        Bytes at the peak above the prepared state and above the answer's own arrays, at least 0.
    answer : int
        Bytes of the arrays in the answer.
    prepared : int
        Bytes of the process before the call: libraries and input.
    """

    extra: int
    answer: int
    prepared: int


def measure(call: Callable[[], Any]) -> PeakMemory | None:
    """Return the memory of a call in this process; None where the system does not tell.

    Linux: the resident size before, and the high-water mark, set back before and read after.
    """
    if not _REFERENCES.exists():
        return None
    _give_back()
    try:
        _REFERENCES.write_text("5")  # sets the mark back to the present size
    except OSError:
        return None
    before = _kilobytes("VmRSS")
    answer = call()
    peak = _kilobytes("VmHWM")
    n_bytes = array_bytes(answer)
    return PeakMemory(max(0, (peak - before) * 1024 - n_bytes), n_bytes, before * 1024)


def peak_memory(
    contest: str, contestant: str, *, scale: float = 1.0, threads: int
) -> PeakMemory | None:
    """Return the memory of a contestant's call, measured in a fresh process.

    Parameters
    ----------
    contest, contestant : str
    scale : float
    threads : int

    Returns
    -------
    PeakMemory or None
        None where the system does not tell.

    Raises
    ------
    RuntimeError
        If the process fails; with the end of what it said.
    """
    command = [
        sys.executable, "-m", "benchmarks.race.memory", contest, contestant,
        "--scale", str(scale), "--threads", str(threads),
    ]  # fmt: skip
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        last = finished.stderr.strip().splitlines()[-1:]
        raise RuntimeError(f"measuring {contest}, {contestant}, failed: {' '.join(last)}")
    found = json.loads(finished.stdout.splitlines()[-1])
    return None if found is None else PeakMemory(**found)


def array_bytes(answer: Any) -> int:
    """Return the bytes of the arrays and tensors in an answer, tuples and lists looked into."""
    if isinstance(answer, tuple | list):
        return sum(array_bytes(part) for part in answer) if len(answer) < 100 else 0
    n_bytes = getattr(answer, "nbytes", 0)
    return int(n_bytes) if isinstance(n_bytes, int) else 0


def _kilobytes(field: str) -> int:
    return int(_STATUS.read_text().partition(f"{field}:")[2].split()[0])


def _give_back() -> None:
    """Return freed memory to the system, so that the call cannot hide in it."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):  # where it is not glibc
        ctypes.CDLL(None).malloc_trim(0)


def main(arguments: list[str] | None = None) -> None:
    """Measure one contestant and print the result."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race.memory", description=__doc__)
    parser.add_argument("contest")
    parser.add_argument("contestant")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    chosen = parser.parse_args(arguments)
    from benchmarks.race.contests import find
    from benchmarks.race.peers import threads_for_all

    contest = find(chosen.contest)
    with threads_for_all(chosen.threads):
        # Libraries load and threads start at their first use, which a small call is.
        contest.line_up(_WARM_SCALE).named(chosen.contestant).prepare()()
        call = contest.line_up(chosen.scale).named(chosen.contestant).prepare()
        found = measure(call)
    print(json.dumps(None if found is None else asdict(found)))  # noqa: T201


if __name__ == "__main__":
    main()
