"""The same bits at any number of threads, where torch and BLAS compute and not our kernels.

torch's ``mm``, ``sum`` and ``mean`` round differently at another number of threads, and so do
``softmax`` and ``sigmoid`` at the ends of the parts that they give to threads; BLAS libraries'
products do too. While an estimator learns or decides, all of torch and BLAS gets one thread. What
takes long there is done by kernels of this package, which use as many threads as
:func:`graphopt.get_num_threads` says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import scipy.linalg  # noqa: F401  (loads SciPy's own BLAS, which is limited like NumPy's)
import torch

from graphopt._threads import kept_threads, one_blas_thread

_Result = TypeVar("_Result")


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and BLAS run on the calling thread alone; also a decorator, ``@one_thread()``.

    torch's setting changes for the calling thread only, whatever other threads do meanwhile; BLAS
    libraries know one for the process, which is restored when the last caller is done. Kernels keep
    the number that they have.
    """
    with kept_threads(), _one_blas_thread, _one_torch_thread():
        yield


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    if before == 1:
        yield
        return
    try:
        _set_torch_threads(1)
        yield
    finally:
        _set_torch_threads(before)


_setting = threading.Lock()


def _set_torch_threads(count: int) -> None:
    """Set torch's number of threads for the calling thread alone.

    ``torch.set_num_threads`` changes it for the calling thread, and for threads that first use
    torch later; a new thread puts the latter back.
    """
    with _setting:
        elsewhere = _in_new_thread(torch.get_num_threads)
        torch.set_num_threads(count)
        _in_new_thread(lambda: torch.set_num_threads(elsewhere))


def _in_new_thread(function: Callable[[], _Result]) -> _Result:
    results: list[_Result] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


class _OneBlasThread:
    """Limits BLAS libraries from the first of several overlapping uses to the end of the last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._uses = 0
        self._limit: AbstractContextManager[None] | None = None

    def __enter__(self) -> None:
        with self._lock:
            if self._uses == 0:
                self._limit = one_blas_thread()
                self._limit.__enter__()
            self._uses += 1

    def __exit__(self, *exception: object) -> None:
        with self._lock:
            self._uses -= 1
            if self._uses == 0 and self._limit is not None:
                self._limit.__exit__(None, None, None)
                self._limit = None


_one_blas_thread = _OneBlasThread()
