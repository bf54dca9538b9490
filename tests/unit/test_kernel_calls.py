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


@pytest.mark.parametrize("call", kernel_calls(), ids=lambda call: call.name)
def test_the_same_bits_on_any_number_of_threads(call: KernelCall) -> None:
    alone = call(1)
    if call.name not in ABOUT_THREADS:
        assert [call(threads) == alone for threads in (1, 2, 3, 8)] == [True] * 4
