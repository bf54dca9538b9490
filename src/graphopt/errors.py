"""Errors and warnings that are not plain user mistakes.

Wrong arguments raise :class:`ValueError` or :class:`TypeError`; what is here says that a
well-formed request cannot be met.
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


class NotFittedError(GraphoptError, ValueError, AttributeError):
    """An estimator was asked for a result before :meth:`fit`."""


class DatasetNotFoundError(GraphoptError, FileNotFoundError):
    """A data set is neither on this machine nor reachable; the message says how to get it."""


class DigestMismatchError(GraphoptError):
    """Data do not have the digest on record: damaged, or another version."""


class MissingLibraryError(GraphoptError, ImportError):
    """An optional library is not installed; the message says which extra brings it."""


class ConvergenceWarning(UserWarning):
    """An iteration stopped at its limit before it reached the tolerance asked for."""
