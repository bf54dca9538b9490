"""Memory that runs out in a compiled function, at whichever allocation, is a MemoryError.

The process lives on, and the same call gives the same bits afterwards. Every allocation of every
call in `kernel_calls` is made to fail, alone and with all after it: `operator new` in all its
forms, on any thread, and NumPy's.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kernel_calls import kernel_calls

HERE = Path(__file__).parent
COMPILER = shutil.which(os.environ.get("CXX", "c++"))


@pytest.fixture(scope="module")
def allocator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the library that replaces the allocators."""
    if COMPILER is None or platform.libc_ver()[0] != "glibc":
        pytest.skip("needs a C++ compiler and glibc")
    library = tmp_path_factory.mktemp("allocator") / "failing_allocations.so"
    source = HERE / "failing_allocations.cpp"
    flags = ["-std=c++20", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([COMPILER, *flags, str(source), "-o", str(library)], check=True)
    return library


@pytest.mark.parametrize("num_threads", [1, 2])
def test_a_failed_allocation_is_a_memory_error(allocator: Path, num_threads: int) -> None:
    finished = subprocess.run(
        [sys.executable, str(HERE / "fail_every_allocation.py"), str(num_threads)],
        env={**os.environ, "LD_PRELOAD": str(allocator), "OMP_WAIT_POLICY": "passive"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, f"died in {finished.stderr[-500:]}"
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    assert len(lines) == 2 * len(kernel_calls())
    assert {line["call"]: line["faults"] for line in lines if line["faults"]} == {}
    # The others show that the allocators are replaced.
    quiet = {line["call"] for line in lines if line["n_errors"] == 0}
    assert quiet <= {
        "build_info",
        "check_indices[int32]",
        "check_indices[int64]",
        "openmp_max_threads",
        "startable_threads",
        "take_counted_work",
        "usable_threads",
    }
