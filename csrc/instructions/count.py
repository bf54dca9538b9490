"""Count the instructions of the main kernels on fixed inputs and hold them against counts.json.

Unlike a time, a count is the same on every run, on a busy machine too. A count much larger than the
stored one fails; one much smaller asks for an update, so that what was won is not lost again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

STORED = Path(__file__).with_name("counts.json")
TOO_MANY = 1.3  # compilers differ by less, a lost optimisation costs more
MANY_FEWER = 0.7
UPDATE = "make count-instructions UPDATE=1"

# The C library picks its memcpy and its logarithm by processor; here always the plainest.
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-AVX,-FMA,-FMA4,-ERMS,-FSRM,-SSE4_2,-SSSE3",
}


def run(command: list[str]) -> str:
    """Return what `command` prints; on failure exit with what it had to say."""
    done = subprocess.run(
        command, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=600
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed ({done.returncode}):\n{done.stdout}{done.stderr}")
    return done.stdout


def count(valgrind: str, program: str, kernel: str) -> int:
    """Return the instructions of one kernel, what surrounds its call left out."""
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder, "profile")
        callgrind = [valgrind, "--tool=callgrind", "--toggle-collect=counted"]
        run([*callgrind, f"--callgrind-out-file={profile}", program, kernel])
        totals = [line for line in profile.read_text().splitlines() if line.startswith("totals:")]
    return int(totals[0].split()[1])


def count_all(program: str) -> dict[str, int]:
    """Return the instructions of every kernel, by its name."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        sys.exit("valgrind is not installed; on Debian: apt-get install valgrind")
    kernels = run([program]).split()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        counts = pool.map(lambda kernel: count(valgrind, program, kernel), kernels)
        return dict(zip(kernels, counts, strict=True))


def compare(stored: Mapping[str, int], counted: Mapping[str, int]) -> tuple[list[str], bool]:
    """Return a line on every kernel, and whether all may pass."""
    lines, passed = [], True
    for kernel in sorted({*stored, *counted}):
        before, now = stored.get(kernel), counted.get(kernel)
        if before is None or now is None:
            verdict = "is not stored" if before is None else "is stored, but there is none"
            lines.append(f"{kernel:<28} {verdict}; {UPDATE}")
            passed = False
            continue
        ratio = now / before
        verdict = "ok"
        if ratio > TOO_MANY:
            verdict = f"TOO MANY, more than {TOO_MANY} times the stored count"
            passed = False
        elif ratio < MANY_FEWER:
            verdict = f"many fewer; keep it: {UPDATE}"
        lines.append(f"{kernel:<28} {before:>13,} {now:>13,} {ratio:>6.2f}  {verdict}")
    return lines, passed


def store(text: str) -> None:
    """Replace the stored counts as a whole."""
    fresh = STORED.with_suffix(".json.tmp")
    try:
        with fresh.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(STORED)
    finally:
        fresh.unlink(missing_ok=True)


def main() -> int:
    """Count, then compare or store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", help="the kernels, compiled for the baseline of x86-64")
    parser.add_argument("--update", action="store_true", help="store what was counted")
    arguments = parser.parse_args()
    if platform.machine() != "x86_64":
        parser.error(f"the stored counts are of x86_64, this is {platform.machine()}")
    counted = count_all(arguments.program)
    if arguments.update:
        store(json.dumps(counted, indent=2, sort_keys=True) + "\n")
    lines, passed = compare(json.loads(STORED.read_text()), counted)
    print(f"{'instructions':<28} {'stored':>13} {'now':>13}  ratio", *lines, sep="\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
