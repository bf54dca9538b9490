"""Run SciPy's HiGHS so that Ctrl-C ends it: HiGHS ignores signals and may take hours.

A program first runs in this process for a moment. If that is not enough, another process solves it,
which Ctrl-C ends.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any, Literal

from graphopt._loading import load_whole

_MOMENT = 0.2  # seconds
_TIME_LIMIT = 1  # the status of a program that was not solved in time

# Reads the path of its modules, then programs, until no more come. If its parent is killed while a
# program is solved (without the GIL), it ends.
_CHILD = """
import os, pickle, sys, threading, time

def watch(parent):
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)

threading.Thread(target=watch, args=(int(sys.argv[1]),), daemon=True).start()
sys.path[:] = pickle.load(sys.stdin.buffer)
from scipy import optimize

while True:
    try:
        kind, arguments = pickle.load(sys.stdin.buffer)
    except EOFError:
        break
    answer = getattr(optimize, kind)(**arguments)
    pickle.dump(answer, sys.stdout.buffer)
    sys.stdout.buffer.flush()
"""

# Belongs to the main thread, the only one that Ctrl-C reaches.
_child: subprocess.Popen[bytes] | None = None


def solve(kind: Literal["linprog", "milp"], time_limit: float, **arguments: Any) -> Any:
    """Return what the function of :mod:`scipy.optimize` returns.

    Parameters
    ----------
    kind : {"linprog", "milp"}
    time_limit : float
        Seconds; may be infinite.
    **arguments
        Arguments of the function, except its options.
    """
    if threading.current_thread() is not threading.main_thread() or not sys.executable:
        return _solve_here(kind, time_limit, arguments)
    if _child is None or time_limit <= _MOMENT:
        answer = _solve_here(kind, min(time_limit, _MOMENT), arguments)
        if answer.status != _TIME_LIMIT or time_limit <= _MOMENT:
            return answer
    try:
        return _solve_elsewhere(kind, time_limit, arguments)
    except (EOFError, OSError):  # no process could be started, or it is gone
        close()
        return _solve_here(kind, time_limit, arguments)
    except BaseException:
        close()
        raise


@contextlib.contextmanager
def solver_process() -> Iterator[None]:
    """End the other process, if one was started, when the block ends."""
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            close()


def close() -> None:
    """End the other process, if there is one, whatever it is doing."""
    global _child
    child, _child = _child, None
    if child is None:
        return
    child.kill()
    for stream in (child.stdin, child.stdout):
        with contextlib.suppress(OSError):  # what it did not read
            if stream is not None:
                stream.close()
    child.wait()


def _solve_here(kind: str, time_limit: float, arguments: dict[str, Any]) -> Any:
    load_whole("scipy.optimize")
    from scipy import optimize

    options = {} if time_limit == float("inf") else {"time_limit": time_limit}
    return getattr(optimize, kind)(**arguments, options=options)


def _solve_elsewhere(kind: str, time_limit: float, arguments: dict[str, Any]) -> Any:
    global _child
    if _child is None:
        _child = subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # the terminal's Ctrl-C is for this process
        )
        _send(_child, sys.path)
    options = {} if time_limit == float("inf") else {"time_limit": time_limit}
    _send(_child, (kind, {**arguments, "options": options}))
    assert _child.stdout is not None  # it was asked for
    return pickle.load(_child.stdout)


def _send(child: subprocess.Popen[bytes], message: object) -> None:
    assert child.stdin is not None  # it was asked for
    pickle.dump(message, child.stdin)
    child.stdin.flush()
