"""Let every allocation of every compiled function fail, one after another. Run by a test.

Expects the library made of failing_allocations.cpp to be preloaded. Prints a line of JSON for each
call and each way of failing; names the call on standard error before, in case it is the last.
"""

from __future__ import annotations

import ctypes
import json
import sys
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from kernel_calls import KernelCall, kernel_calls, result_bytes

_LIBRARY = ctypes.PyDLL(None)
_ARM = _LIBRARY.arm_failing_allocations
_ARM.argtypes = (ctypes.c_long, ctypes.c_int)
_DISARM = _LIBRARY.disarm_failing_allocations
_DISARM.argtypes = (ctypes.POINTER(ctypes.c_long),)

# What can be done with the memory there is; what has been done.
_ANSWERS_CHANGE = {"startable_threads", "take_counted_work"}


class Outcome(NamedTuple):
    """What came of a call: its bits or its error, and the allocations seen, failed and refused."""

    bits: bytes
    error: str
    seen: int
    failed: int
    refused: int


def called(call: KernelCall, num_threads: int, fails_at: int, for_good: bool) -> Outcome:
    """Call with the allocation of this number failing, 0 for none, and all later if `for_good`."""
    arguments = call.arguments(num_threads)
    function = call.function
    counts = (ctypes.c_long * 3)()
    result: Any = None
    error = ""
    _ARM(fails_at or 2**62, for_good)
    try:
        result = function(*arguments)
    except MemoryError:
        error = "MemoryError"
    except BaseException as other:
        error = repr(other)
    finally:
        _DISARM(counts)
    return Outcome(b"" if error else result_bytes(result, arguments), error, *counts)


def faults_of(call: KernelCall, num_threads: int, for_good: bool) -> tuple[int, list[str]]:
    """Return how many allocations ended the call by a MemoryError, and what else went wrong.

    The call may also do without: on fewer threads where one cannot be started, say.
    """
    whole = called(call, num_threads, 0, for_good)
    faults = [whole.error] if whole.error else []
    n_errors = 0
    for number in count(1):
        outcome = called(call, num_threads, number, for_good)
        if outcome.seen < number:
            break
        if outcome.error == "MemoryError" and outcome.failed:
            n_errors += 1
        elif outcome.error or (outcome.bits != whole.bits and call.name not in _ANSWERS_CHANGE):
            faults.append(f"allocation {number}: {outcome.error or 'other bits'}")
        again = called(call, num_threads, 0, for_good)
        if again.bits != whole.bits:
            faults.append(f"after allocation {number}: {again.error or 'other bits'}")
    return n_errors, faults


def main(num_threads: int) -> None:
    """Go through all calls."""
    for call in kernel_calls():
        for for_good in (False, True):
            sys.stderr.write(f"{call.name}\n")
            sys.stderr.flush()
            n_errors, faults = faults_of(call, num_threads, for_good)
            found = {"call": call.name, "for_good": for_good, "n_errors": n_errors}
            sys.stdout.write(json.dumps({**found, "faults": faults}) + "\n")


main(int(sys.argv[1]))
