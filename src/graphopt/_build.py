"""What this installation is made of, for bug reports and benchmarks."""

from __future__ import annotations

import platform
from typing import Any

from graphopt._native import _core
from graphopt._threads import get_num_threads

_DEPENDENCIES = ("numpy", "scipy", "torch", "igraph")


def build_config() -> dict[str, Any]:
    """Return how graphopt was built and what it runs on.

    Returns
    -------
    dict
        ``version``, ``compiler``, ``isa`` (the instruction set level chosen on this processor),
        ``multiversion`` (whether several levels were compiled), ``openmp`` (the OpenMP runtime that
        kernels share with the process; None: they run on threads of their own), ``threads`` (what a
        kernel uses by default), ``python``, ``machine`` and ``dependencies`` (installed versions;
        none of them is imported).

    Examples
    --------
    >>> sorted(build_config())[:4]
    ['compiler', 'cpp_standard', 'dependencies', 'isa']
    """
    from importlib import metadata  # slow to import

    return {
        "version": metadata.version("graphopt"),
        **_core.build_info(),
        "threads": get_num_threads(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "dependencies": {name: _installed_version(name) for name in _DEPENDENCIES},
    }


def _installed_version(name: str) -> str | None:
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
