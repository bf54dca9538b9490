"""Statistics of samples: intervals of the mean, and a test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt._validation import check_float_array, check_integer, check_number

_RESAMPLES = 9_999
_SIGN_FLIPS = 2**14  # all of them up to 14 values, so many random ones from there on
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Summary:
    """Centre and spread of a sample.

    Attributes
    ----------
    mean, median : float
    low, high : float
        Ends of the confidence interval of the mean.
    confidence : float
    n : int
        Size of the sample.
    """

    mean: float
    median: float
    low: float
    high: float
    confidence: float
    n: int

    def __str__(self) -> str:
        return f"{self.mean:.4g} [{self.low:.4g}, {self.high:.4g}]"


def summarize(values: ArrayLike, *, confidence: float = 0.95, random_state: int = 0) -> Summary:
    """Return mean and median of a sample, and a bootstrap confidence interval of the mean.

    The interval is bias-corrected and accelerated (BCa). If this is not defined, as with infinite
    values (a node that is not reached), it is made of percentiles of the resampled means and may
    have an infinite end. Equal values have an interval of length 0.

    Parameters
    ----------
    values : array of float, shape (n,)
        At least two, no NaN.
    confidence : float
        In (0, 1).
    random_state : int
        Draws the samples.

    Returns
    -------
    Summary

    Raises
    ------
    ValueError
        For fewer than two values, NaN, or a confidence out of range.

    Notes
    -----
    9,999 samples. B. Efron, Better Bootstrap Confidence Intervals, J. Am. Stat. Assoc. 82 (1987);
    by SciPy. Intervals from few values are too narrow.

    Examples
    --------
    >>> summarize([1.0, 2.0, 3.0, 4.0]).mean
    2.5
    """
    x = check_float_array("values", values, ndim=1, finite=False).astype(np.float64)
    if len(x) < 2:
        raise ValueError(f"values must be at least 2, not {len(x)}")
    if np.isnan(x).any():
        raise ValueError("values must not be NaN")
    confidence = check_number("confidence", confidence, minimum=0.0, open_minimum=True)
    if confidence >= 1.0:
        raise ValueError(f"confidence must be less than 1, not {confidence:g}")
    seed = check_integer("random_state", random_state, minimum=0, maximum=None)
    unit = _unit(x)
    x = x / unit
    with np.errstate(invalid="ignore"):  # infinity minus infinity, of both signs
        mean, middle = float(x.mean()), float(np.median(x))
        low, high = _interval(x, confidence, seed)
    return Summary(mean * unit, middle * unit, low * unit, high * unit, confidence, len(x))


def _unit(x: NDArray[np.float64]) -> float:
    """Return the power of two to divide values by if float64 cannot hold their cubes, or 1."""
    largest = float(np.abs(x[np.isfinite(x)]).max(initial=0.0))
    if largest == 0.0 or 1e-90 < largest < 1e90:
        return 1.0
    return 2.0 ** (math.frexp(largest)[1] - 1)


def _interval(x: NDArray[np.float64], confidence: float, seed: int) -> tuple[float, float]:
    load_whole("scipy.stats")
    from scipy.stats import bootstrap

    if (x == x[0]).all() or np.ptp(x) <= _ROUNDING * np.abs(x).max():
        return float(x.min()), float(x.max())
    finite = bool(np.isfinite(x).all())
    drawn = bootstrap(
        (x,),
        np.mean,
        n_resamples=_RESAMPLES,
        confidence_level=confidence,
        method="BCa" if finite else "percentile",
        vectorized=True,
        random_state=np.random.default_rng(seed),
    )
    if finite:
        interval = drawn.confidence_interval
        return float(interval.low), float(interval.high)
    tail = (1.0 - confidence) / 2.0
    means = drawn.bootstrap_distribution  # not interpolated: some are infinite
    return (
        float(np.quantile(means, tail, method="lower")),
        float(np.quantile(means, 1.0 - tail, method="higher")),
    )


def signed_rank_p_value(differences: ArrayLike, *, random_state: int = 0) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test.

    It is the probability that random signs give ranks as unbalanced as these, also if there are
    ties. It is exact for up to 14 differences that are not 0, and estimated from 16,384 random
    draws for more. Zeros are left out; if all are zero, p is 1.

    Parameters
    ----------
    differences : array of float, shape (n,)
        Differences of pairs; they may be infinite but not NaN.
    random_state : int
        Draws signs if there are too many to try all.

    Returns
    -------
    float

    Raises
    ------
    ValueError
        For NaN.

    Notes
    -----
    F. Wilcoxon, Individual comparisons by ranking methods, Biometrics Bulletin 1 (1945).

    Examples
    --------
    >>> signed_rank_p_value([1.0, 2.0, 3.0, 4.0, 5.0])  # 2 of 32 ways to give signs
    0.0625
    """
    load_whole("scipy.stats")
    from scipy.stats import permutation_test, rankdata

    d = check_float_array("differences", differences, ndim=1, finite=False).astype(np.float64)
    if np.isnan(d).any():
        raise ValueError("differences must not be NaN")
    seed = check_integer("random_state", random_state, minimum=0, maximum=None)
    d = d[d != 0.0]
    if len(d) < 2:
        return 1.0  # one difference is as unbalanced with either sign
    ranks = rankdata(np.abs(d))
    test: Any = permutation_test(
        (np.sign(d) * ranks,),
        lambda signed, axis: signed.sum(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_SIGN_FLIPS,
        batch=1024,
        random_state=np.random.default_rng(seed),
    )
    return float(test.pvalue)
