"""What a race ran on."""

from __future__ import annotations

import platform
from importlib import metadata
from pathlib import Path
from typing import Any

from graphopt import build_config, get_num_threads

LIBRARIES = (
    "graphopt", "numpy", "scipy", "torch", "igraph", "networkit", "rustworkx", "torch_kmeans",
    "torchdeq", "spopt", "pulp",
)  # fmt: skip
_CACHES = Path("/sys/devices/system/cpu/cpu0/cache")


def describe_machine() -> dict[str, Any]:
    """Return processor, caches, system and library versions, as plain values.

    Returns
    -------
    dict
        ``processor``, ``cores`` (that the process may use), ``isa`` (the level that graphopt's
        kernels chose), ``multiversion``, ``caches`` (kind to size, as the system words it; empty
        where it does not say), ``memory`` (bytes, or None), ``system``, ``python``, ``compiler``
        and ``libraries`` (versions, None: not installed).

    Examples
    --------
    >>> sorted(describe_machine())[:4]
    ['caches', 'compiler', 'cores', 'isa']
    """
    config = build_config()
    return {
        "processor": _processor(),
        "cores": get_num_threads(),
        "isa": config["isa"],
        "multiversion": config["multiversion"],
        "caches": _caches(),
        "memory": _memory(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "compiler": config["compiler"],
        "libraries": {name: _version(name) for name in LIBRARIES},
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _caches(folder: Path = _CACHES) -> dict[str, str]:
    found = {}
    for index in sorted(folder.glob("index*")):
        try:
            level, kind, size = (
                (index / name).read_text().strip() for name in ("level", "type", "size")
            )
        except OSError:
            continue
        letter = {"Data": "d", "Instruction": "i"}.get(kind, "")
        found[f"L{level}{letter}"] = size
    return found


def _memory() -> int | None:
    try:
        text = Path("/proc/meminfo").read_text()
    except OSError:
        return None
    return int(text.partition("MemTotal:")[2].split()[0]) * 1024


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
