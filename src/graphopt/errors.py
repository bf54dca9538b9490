"""Errors and warnings that are not plain user mistakes.

Wrong arguments raise :class:`ValueError` or :class:`TypeError`; what is here says that a
well-formed request cannot be met. An estimator that is not fitted raises
:class:`sklearn.exceptions.NotFittedError`.
"""

from __future__ import annotations


class GraphoptError(Exception):
    """Base class of graphopt's own errors."""


class DisconnectedGraphError(GraphoptError):
    """The graph has several components where the request needs one."""


class InfeasibleError(GraphoptError):
    """No decision satisfies the request."""


class MemoryLimitError(GraphoptError, MemoryError):
    """A result would need more memory than the machine has; nothing was allocated."""


class DatasetNotFoundError(GraphoptError, FileNotFoundError):
    """A data set is neither on this machine nor reachable; the message says how to get it."""


class DamagedFileError(GraphoptError, ValueError):
    """A file does not hold what it should: cut short, changed, or of another kind; it is named."""


class DigestMismatchError(DamagedFileError):
    """Data do not have the digest on record: damaged, or another version."""


class MissingLibraryError(GraphoptError, ImportError):
    """An optional library is not installed; the message says which extra brings it."""


class ConvergenceWarning(UserWarning):
    """An iteration stopped at its limit before it reached the tolerance asked for."""
