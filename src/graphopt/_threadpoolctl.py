"""The threads of kernels as one more library that ``threadpoolctl`` limits.

Where the process has loaded an OpenMP runtime, kernels run on it, and its limits hold. Elsewhere
they run on threads of their own, which ``threadpoolctl`` would not know of.
"""

from __future__ import annotations

from threadpoolctl import LibController
from threadpoolctl import register as _register

import graphopt._threads as _threads


class KernelThreads(LibController):  # type: ignore[misc]
    """Gets and sets the limit of the calling thread, as for OpenMP."""

    user_api = "openmp"
    internal_api = "graphopt"
    filename_prefixes = ("_core.",)
    check_symbols = ("graphopt_openmp_max_threads",)

    def get_num_threads(self) -> int:
        """Return how many threads a kernel uses by default."""
        return _threads.get_num_threads()

    def set_num_threads(self, num_threads: int) -> None:
        """Limit them; as many as there would be without a limit lifts it."""
        _threads.set_limit(num_threads if num_threads < _threads.unlimited() else None)

    def get_version(self) -> None:
        """Return None: the version is that of the package."""
        return


def register() -> None:
    """Make the limits of ``threadpoolctl`` hold for kernels."""
    _register(KernelThreads)
