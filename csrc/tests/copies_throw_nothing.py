"""Check that no exception can leave a function that is compiled once for each instruction set.

GCC calls the copy that is chosen at load time as a function that never throws: an exception that
left it would end the process. So what the copies reach by calls, read off the machine code, must
not allocate, throw or look for an interrupt.

Usage: copies_throw_nothing.py COMPILER OBJDUMP LIBRARY
"""

import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

HARMLESS = {"memcmp", "memcpy", "memmove", "memset", "ilogb", "ilogbf", "ldexp", "ldexpf"}
FUNCTION = re.compile(r"^[0-9a-f]+ <(.+)>:$")
# A jump to a register's address goes to a label of the same function, as of a switch.
CALL = re.compile(r"\t(?:call\s+(\*.+)|(?:call|j\w+)\s+[0-9a-f]+ <([^>+]+))")
COPY = re.compile(r"\.arch_x86_64_v\d")


def disassembly(compiler: str, objdump: str, library: str) -> str:
    """Return the machine code of the whole library, linked so that calls have names."""
    with tempfile.TemporaryDirectory() as folder:
        linked = str(Path(folder, "whole.so"))
        whole = ["-Wl,--whole-archive", library, "-Wl,--no-whole-archive"]
        subprocess.run([compiler, "-shared", "-o", linked, *whole], check=True)
        command = [objdump, "--disassemble", "--no-show-raw-insn", linked]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def calls_of(code: str) -> dict[str, set[str]]:
    """Return what each function calls, or goes on to, by name."""
    calls: dict[str, set[str]] = defaultdict(set)
    name = ""
    for line in code.splitlines():
        if begin := FUNCTION.match(line):
            name = begin[1]
            calls[name]  # a function without calls, too
        elif call := CALL.search(line):
            calls[name].add((call[1] or call[2]).removesuffix("@plt"))
    return calls


def reached(start: str, calls: dict[str, set[str]]) -> set[str]:
    """Return every function that a call of `start` may call."""
    found = {start}
    waiting = [start]
    while waiting:
        new = calls.get(waiting.pop(), set()) - found
        found |= new
        waiting.extend(new)
    return found


def main(compiler: str, objdump: str, library: str) -> int:
    """Return how many ways out for an exception there are, and name them."""
    calls = calls_of(disassembly(compiler, objdump, library))
    copies = [name for name in calls if COPY.search(name)]
    if not copies:
        raise SystemExit(f"{library} holds no function compiled for several instruction sets")
    n_wrong = 0
    for copy in copies:
        outside = reached(copy, calls) - calls.keys()
        for name in sorted(outside - HARMLESS):
            sys.stderr.write(f"{copy} reaches {name}\n")
            n_wrong += 1
    return n_wrong


if __name__ == "__main__":
    sys.exit(min(main(*sys.argv[1:]), 1))
