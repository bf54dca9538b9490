"""How alike two partitions are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt._validation import as_array


@dataclass(frozen=True, slots=True)
class Agreement:
    """How similar two partitions are.

    Attributes
    ----------
    nmi : float
        Normalised mutual information, 0 to 1 (equal partitions), with the arithmetic mean of
        entropies.
    ari : float
        Rand index adjusted for chance: 1 for equal partitions, 0 on average for random ones.
    """

    nmi: float
    ari: float


def agreement(labels: ArrayLike, truth: ArrayLike) -> Agreement:
    """Return how similar a partition and the classes of the nodes are.

    Parameters
    ----------
    labels, truth : array of int or str, shape (n_nodes,)
        Only which nodes have equal entries matters.

    Returns
    -------
    Agreement

    Raises
    ------
    ValueError
        For arrays of different length, empty arrays, or arrays that are not one-dimensional.
    TypeError
        For entries that cannot name a class, such as floats.

    Notes
    -----
    O(n + number of pairs of classes), by scikit-learn.

    Examples
    --------
    >>> agreement([0, 0, 1, 1], ["b", "b", "a", "a"])
    Agreement(nmi=1.0, ari=1.0)
    """
    load_whole("sklearn.metrics")
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    ours, theirs = _classes("labels", labels), _classes("truth", truth)
    if len(ours) != len(theirs):
        raise ValueError(f"truth must have the length of labels, {len(ours)}, not {len(theirs)}")
    return Agreement(
        float(normalized_mutual_info_score(theirs, ours)), float(adjusted_rand_score(theirs, ours))
    )


def _classes(name: str, values: ArrayLike) -> NDArray[np.int64]:
    array = as_array(name, values)
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1D, not {array.ndim}D")
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one class")
    if array.dtype.kind not in "iubUS":
        raise TypeError(f"{name} must be integers or strings, not {array.dtype}")
    return np.unique(array, return_inverse=True)[1].astype(np.int64)
