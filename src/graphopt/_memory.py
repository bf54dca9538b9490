"""How much memory can be had: what the machine has left, and what limits allow this process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

_MACHINE = Path("/proc/meminfo")
_CONTROL_GROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_PROCESS = Path("/proc/self/status")


class _Files(NamedTuple):
    """Where a version of control groups keeps limit and use, and what of the use is mere cache."""

    limit: str
    use: str
    cache: str


_VERSION_1 = _Files("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_VERSION_2 = _Files("memory.max", "memory.current", "inactive_file")


def available_memory() -> int | None:
    """Return the bytes that can be allocated without swapping, None where that is not known.

    The least of what the machine has available, what is left to each control group that this
    process is in and that has a limit, and what ``ulimit -v`` leaves of its address space.
    """
    known = [_left_in(folder, files) for folder, files in _limited_groups()]
    known.append(_left_of_address_space())
    known.append(_entry(_MACHINE, "MemAvailable:"))
    return min((max(0, left) for left in known if left is not None), default=None)


def _left_in(folder: Path, files: _Files) -> int | None:
    limit, use = _number(folder / files.limit), _number(folder / files.use)
    if limit is None or use is None:
        return None
    return limit - use + (_entry(folder / "memory.stat", files.cache) or 0)


def _left_of_address_space() -> int | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    used = _entry(_PROCESS, "VmSize:")
    return None if used is None else limit - used


@cache  # asked for by every call that allocates much; where no limit is set, nothing is left to do
def _limited_groups() -> tuple[tuple[Path, _Files], ...]:
    """Return the groups with a limit below the machine's memory, from the process's own upwards."""
    total = _entry(_MACHINE, "MemTotal:")
    found = []
    for folder, files in _groups():
        limit = _number(folder / files.limit)
        if limit is not None and (total is None or limit < total):
            found.append((folder, files))
    return tuple(found)


def _groups() -> list[tuple[Path, _Files]]:
    """Return the folders of the process's memory groups and of all groups around them.

    In a container the path may be the host's, which is not there; the container's own group is then
    the topmost folder.
    """
    try:
        lines = _MEMBERSHIP.read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, files = _CONTROL_GROUPS, _VERSION_2
        elif "memory" in controllers.split(","):
            top, files = _CONTROL_GROUPS / "memory", _VERSION_1
        else:
            continue
        inside = Path(path.lstrip("/"))
        if ".." not in inside.parts:
            found += [(top / folder, files) for folder in (inside, *inside.parents)]
    return found


def _number(file: Path) -> int | None:
    """Return the number a file holds; None for "max" and where there is no such file."""
    try:
        text = file.read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _entry(file: Path, name: str) -> int | None:
    """Return the bytes of an entry of a file that lists names and sizes, in kB where it says so."""
    try:
        with file.open(encoding="ascii") as lines:
            for line in lines:
                words = line.split()
                if words and words[0] == name:
                    return int(words[1]) * (1024 if words[2:] == ["kB"] else 1)
    except OSError:
        pass
    return None
