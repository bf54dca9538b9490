"""How many threads a kernel may use: an explicit value per call, never a global of the runtime."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt._validation import check_integer

_MAX_THREADS = 2**31 - 1  # what the kernels' argument holds

_chosen: int | None = None
_limits = threading.local()  # of threadpoolctl, for each calling thread, as those of OpenMP are


def chosen() -> int | None:
    """Return what :func:`set_num_threads` was given last."""
    return _chosen


def set_num_threads(num_threads: int | None) -> None:
    """Set how many threads kernels use when a call does not say.

    Parameters
    ----------
    num_threads : int or None
        At least 1 and at most 2³¹ - 1. None: back to what the process may use (see
        :func:`get_num_threads`).
    """
    global _chosen
    if num_threads is not None:
        num_threads = _checked(num_threads)
    _chosen = num_threads


def get_num_threads() -> int:
    """Return how many threads kernels use when a call does not say.

    The value given to :func:`set_num_threads`, else the least of

    - ``OMP_NUM_THREADS`` or, where it is not set, the number of processors the process may run on
      (affinity mask and, on Linux, its control group's quota),
    - what the OpenMP runtime allows that the process has loaded, which
      ``torch.set_num_threads`` changes,
    - the limit of ``threadpoolctl`` in this thread.

    Results are the same bits at any number of threads.
    """
    if _chosen is not None:
        return _chosen
    kept: int | None = getattr(_limits, "kept", None)
    if kept is not None:
        return kept
    limit: int | None = getattr(_limits, "number", None)
    allowed = unlimited()
    return allowed if limit is None else min(allowed, limit)


def unlimited() -> int:
    """Return how many threads kernels would use without :func:`set_num_threads` and limits."""
    from_environment = _omp_num_threads()
    allowed = from_environment if from_environment is not None else _usable_processors()
    in_runtime = _core.openmp_max_threads()
    return min(allowed, in_runtime) if in_runtime > 0 else allowed


def set_limit(number: int | None) -> None:
    """Limit what :func:`get_num_threads` returns in this thread."""
    _limits.number = number


def resolve_num_threads(num_threads: int | None) -> int:
    """Return the number of threads for one call: its own argument or the default."""
    if num_threads is None:
        return get_num_threads()
    return _checked(num_threads)


def _checked(num_threads: int) -> int:
    return check_integer("num_threads", num_threads, minimum=1, maximum=_MAX_THREADS)


@contextmanager
def kept_threads() -> Iterator[None]:
    """Let kernels use as many threads as now, whatever the runtime of others is told meanwhile.

    Holds for the calling thread.
    """
    before: int | None = getattr(_limits, "kept", None)
    _limits.kept = get_num_threads()
    try:
        yield
    finally:
        _limits.kept = before


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let the linear algebra of NumPy and SciPy run on the calling thread alone.

    Small systems are solved sooner so, as its threads and those of the kernels would wait for each
    other's processors; and several threads may add up in another order. The libraries know one
    limit for the process, which holds until the last of overlapping callers is done.
    """
    with _one_blas_thread:
        yield


class _OneBlasThread:
    """Limits BLAS libraries from the first of several overlapping uses to the end of the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses = 0
        self._limit: AbstractContextManager[Any] | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._uses == 0:
                limit = _blas().limit(limits=1, user_api="blas")
                limit.__enter__()
                self._limit = limit
            self._uses += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._uses -= 1
            if self._uses == 0 and self._limit is not None:
                self._limit.__exit__(None, None, None)
                self._limit = None


_one_blas_thread = _OneBlasThread()


@cache  # looks through all loaded libraries
def _blas() -> Any:
    load_whole("scipy.linalg")  # brings a BLAS of its own, which would not be found later
    load_whole("threadpoolctl")
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _omp_num_threads() -> int | None:
    # OpenMP allows a list, one number per nesting level; the kernels use one level.
    text = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    number = int(text[:20]) if text.isdecimal() else 0
    return min(number, _MAX_THREADS) if number > 0 else None


def _usable_processors() -> int:
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        count = os.cpu_count() or 1
    quota = _cgroup_quota()
    return max(1, min(count, quota) if quota is not None else count)


@cache  # two files, and asked for by every call of a kernel
def _cgroup_quota(root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Return the whole processors granted by the control group (v2, then v1), None if unlimited."""
    try:
        quota, period = (root / "cpu.max").read_text().split()[:2]
    except (OSError, ValueError):
        try:
            quota = (root / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (root / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    if not quota.isdigit() or not period.isdigit() or int(period) == 0:
        return None  # "max", or -1
    return max(1, int(quota) // int(period))
