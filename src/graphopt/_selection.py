"""Which of several is best, as far as a few trials can tell."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def first_of_the_best(values: NDArray[np.float64], *, hidden_per_kept: float = 0.0) -> int:
    """Return the first row that the trials cannot tell from the best.

    Its mean difference to the row of the highest mean is at most one standard error of that
    difference: rows come by preference, and what was better by chance alone is not preferred.

    Parameters
    ----------
    values : array of float64, shape (n_rows, n_trials)
        At least one each; the higher the better. A column is one trial, alike for all rows. After
        a single trial the first of the highest is best.
    hidden_per_kept : float
        Of the data, what a trial hid, relative to what it kept. Trials that draw anew from the same
        data repeat each other, and their mean is less sure than their number tells. 0: they are
        independent.

    Notes
    -----
    The one-standard-error rule: Breiman, Friedman, Olshen and Stone, "Classification and Regression
    Trees", 1984, here with differences in pairs. The error of a mean over trials on the same data:
    C. Nadeau and Y. Bengio, Machine Learning 52, 239-281 (2003).

    Examples
    --------
    >>> first_of_the_best(np.array([[0.5, 0.2], [0.4, 0.4], [0.6, 0.3]]))
    1
    """
    short = values[values.mean(axis=1).argmax()] - values
    n_trials = values.shape[1]
    variance = 1.0 / n_trials + hidden_per_kept
    error = short.std(axis=1, ddof=1) * math.sqrt(variance) if n_trials > 1 else 0.0
    return int((short.mean(axis=1) <= error).argmax())
