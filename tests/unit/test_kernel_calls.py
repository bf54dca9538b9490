"""Every compiled function gives the same bits on any number of threads.

The sanitizers run this file too: it reaches all bindings.
"""

from __future__ import annotations

import pytest
from kernel_calls import KernelCall, compiled_functions, kernel_calls

# They answer how many threads there are, or what one of them has done.
ABOUT_THREADS = {
    "openmp_max_threads",
    "startable_threads",
    "take_counted_work",
    "usable_threads",
}


def test_every_compiled_function_is_called() -> None:
    called = {call.name.partition("[")[0] for call in kernel_calls()}
    assert called == set(compiled_functions())


def calls(*, about_threads: bool) -> pytest.MarkDecorator:
    found = [call for call in kernel_calls() if (call.name in ABOUT_THREADS) == about_threads]
    return pytest.mark.parametrize("call", found, ids=lambda call: call.name)


@calls(about_threads=False)
def test_the_same_bits_on_any_number_of_threads(call: KernelCall) -> None:
    alone = call(1)
    assert [call(threads) == alone for threads in (1, 2, 3, 8)] == [True] * 4


@calls(about_threads=True)
def test_functions_about_threads_answer(call: KernelCall) -> None:
    assert [len(call(threads)) > 0 for threads in (1, 2, 3, 8)] == [True] * 4
