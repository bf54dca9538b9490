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
from contextlib import contextmanager
from typing import TypeVar

import torch

from graphopt._threads import kept_threads, one_blas_thread

_Result = TypeVar("_Result")


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch and BLAS run on the calling thread alone; also a decorator, ``@one_thread()``.

    torch's setting changes for the calling thread only; other threads keep theirs. For
    BLAS see :func:`graphopt._threads.one_blas_thread`. Kernels keep the number that they have.
    """
    with kept_threads(), one_blas_thread(), _one_torch_thread():
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
    torch later; a new thread puts the latter back. Where no thread can be started, none will ask.
    """
    with _setting:
        try:
            elsewhere = _in_new_thread(torch.get_num_threads)
            torch.set_num_threads(count)
            _in_new_thread(lambda: torch.set_num_threads(elsewhere))
        except _NoThreadError:
            torch.set_num_threads(count)


class _NoThreadError(Exception):
    """No thread can be started."""


def _in_new_thread(function: Callable[[], _Result]) -> _Result:
    results: list[_Result] = []
    thread = threading.Thread(target=lambda: results.append(function()))
    try:
        thread.start()
    except RuntimeError as error:
        raise _NoThreadError from error
    thread.join()
    return results[0]
