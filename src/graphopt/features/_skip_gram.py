"""Skip-gram with negative sampling on a table of counts, without drawing samples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._threads import one_blas_thread

Array = NDArray[np.float64]

_SMOOTHING = 0.75  # power of the frequencies that negatives are drawn by, as in word2vec
_LARGEST_SCORE = 6.0  # where word2vec ends its table of the logistic function
_STEPS = 100


def skip_gram(counts: Array, n_features: int, negatives: float) -> Array:
    """Return a vector for each item so that items that meet often score high.

    Item a scores ``u_a . v_b`` with item b. The loss is that of word2vec, per meeting and with the
    mean over all negative samples in place of some,

        sum_ab  P_ab softplus(-u_a . v_b) + negatives p_a q_b softplus(u_a . v_b),

    P the share of meetings that are between a and b, p_a its sum over b, q in proportion to
    p^(3/4). Without a limit on the width the best score is log(P_ab / (negatives p_a q_b)); the
    vectors start at the singular vectors of those scores and L-BFGS makes the most of the width.

    Parameters
    ----------
    counts : array of float64, shape (n_items, n_items)
        Symmetric, not negative, no row of zeros.
    n_features : int
        Columns beyond the number of items are 0.
    negatives : float
        Negative samples for each meeting.

    Returns
    -------
    array of float64, shape (n_items, n_features)
        u, its columns orthogonal, the longest first, the largest entry of each positive.

    Notes
    -----
    O(n_items^3 + 100 n_items^2 n_features). The same bits at any number of threads. T. Mikolov et
    al., Distributed Representations of Words and Phrases, NeurIPS 2013; the best score: O. Levy and
    Y. Goldberg, Neural Word Embedding as Implicit Matrix Factorization, NeurIPS 2014.
    """
    load_whole("scipy.optimize")
    from scipy.optimize import minimize

    n_items = len(counts)
    width = min(n_features, n_items)
    vectors = np.zeros((n_items, n_features))
    if n_items == 0:
        return vectors
    together = counts / counts.sum()
    frequency = together.sum(axis=1)
    drawn = frequency**_SMOOTHING
    apart = negatives * np.outer(frequency, drawn / drawn.sum())

    def loss(packed: Array) -> tuple[float, Array]:
        u, v = packed.reshape(2, n_items, width)
        value, slope = _loss_of_scores(u @ v.T, together, apart)
        return value, np.concatenate([(slope @ v).ravel(), (slope.T @ u).ravel()])

    with one_blas_thread():
        start = _factors(_best_scores(together, apart), width)
        found = minimize(
            loss, np.ravel(start), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
        )
        u, v = found.x.reshape(2, n_items, width)
        vectors[:, :width] = _factors(u @ v.T, width)[0]
    return vectors


def _best_scores(together: Array, apart: Array) -> Array:
    with np.errstate(divide="ignore"):
        scores: Array = np.log(together) - np.log(apart)
    return np.clip(scores, -_LARGEST_SCORE, _LARGEST_SCORE)


def _loss_of_scores(scores: Array, together: Array, apart: Array) -> tuple[float, Array]:
    """Return the loss and its gradient; softplus(-s) = softplus(s) - s."""
    load_whole("scipy.special")
    from scipy.special import expit

    softplus = np.logaddexp(0.0, scores)
    both = together + apart
    return float((both * softplus - together * scores).sum()), both * expit(scores) - together


def _factors(scores: Array, width: int) -> Array:
    """Return u and v, stacked, with u v^T the closest to `scores`, each with half of its scale."""
    left, values, right = np.linalg.svd(scores)
    halves = np.sqrt(values[:width])
    u, v = left[:, :width] * halves, right[:width].T * halves
    signs = np.sign(u[np.abs(u).argmax(axis=0), np.arange(width)])
    return np.stack([u * signs, v * signs])
