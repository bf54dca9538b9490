from __future__ import annotations

import numpy as np
import pytest

from graphopt import pipage_rounding
from tests.reference import rounding as twin


def openings_with_sum(n_sites, total, seed):
    """Return fractional openings that sum to `total` but for rounding error."""
    x = np.random.default_rng(seed).gamma(0.5, size=n_sites)
    x *= total / x.sum()
    while (x > 1).any():  # move what is too much to the others
        over = x >= 1
        x[~over] *= (total - over.sum()) / x[~over].sum()
        x[over] = 1.0
    return x


def seed_of(random_state):
    return int(np.random.default_rng(random_state).integers(0, 2**64, dtype=np.uint64))


@pytest.mark.parametrize(
    ("opening", "k"),
    [
        (openings_with_sum(30, 5, 0), 5),
        (openings_with_sum(30, 5, 1), 8),
        (openings_with_sum(7, 2.6, 2), 3),
        (np.array([0.0, 1.0, 0.0, 1.0, 0.0]), 4),
        (np.zeros(6), 3),
        (np.full(4, 0.5), 2),
    ],
    ids=["whole", "fill", "fractional", "sure", "zero", "halves"],
)
def test_equals_the_twin(opening, k):
    draws = pipage_rounding(opening, k=k, draws=25, random_state=4)
    assert draws.dtype == np.int32
    np.testing.assert_array_equal(
        draws, twin.pipage_rounding(opening, k, 25, 1e-9 * max(1, opening.sum()), seed_of(4))
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=lambda d: d.__name__)
def test_marginals_and_size_are_kept(dtype):
    opening = openings_with_sum(40, 6, 5).astype(dtype)
    n_draws = 20_000
    draws = pipage_rounding(opening, draws=n_draws, random_state=6)
    assert draws.shape == (n_draws, 6)
    assert (np.diff(draws, axis=1) > 0).all()
    counts = np.bincount(draws.ravel(), minlength=40)
    sigma = np.sqrt(n_draws * opening * (1.0 - opening))
    assert (np.abs(counts - n_draws * opening) <= 5 * sigma + 0.01).all()


def test_a_fractional_sum_keeps_marginals_before_sites_are_added():
    # Sum 1.5. Sites 2 to 4 only come from their own opening: site 0 is the one that is added.
    opening = np.array([0.6, 0.0, 0.2, 0.3, 0.4])
    draws = pipage_rounding(opening, draws=20_000, random_state=7)
    assert draws.shape[1] == 2
    shares = np.bincount(draws.ravel(), minlength=5) / len(draws)
    assert (shares >= opening - 5 * np.sqrt(0.25 / len(draws))).all()


def test_choices_are_negatively_correlated():
    draws = pipage_rounding(np.full(10, 0.3), draws=5000, random_state=8)
    chosen = np.zeros((5000, 10))
    chosen[np.arange(5000)[:, None], draws] = 1.0
    correlations = np.corrcoef(chosen.T)[np.triu_indices(10, 1)]
    assert (correlations < 5 / np.sqrt(5000)).all()
    assert correlations.mean() == pytest.approx(-1 / 9, abs=1e-3)  # a constant sum


def test_whole_openings_are_kept():
    opening = np.zeros(50)
    opening[[3, 14, 15]] = 1.0
    draws = pipage_rounding(opening, draws=10, random_state=0)
    np.testing.assert_array_equal(draws, np.tile([3, 14, 15], (10, 1)))


def test_float32_sums_count_as_whole():
    opening = np.full(700, 10 / 700, np.float32)
    assert float(opening.astype(float).sum()) != 10.0
    assert pipage_rounding(opening, draws=3, random_state=0).shape == (3, 10)


def test_a_draw_depends_on_its_number_alone():
    opening = openings_with_sum(100, 9, 9)
    many = pipage_rounding(opening, draws=40, random_state=1)
    for threads in (1, 2, 3, 8):
        again = pipage_rounding(opening, draws=40, random_state=1, num_threads=threads)
        np.testing.assert_array_equal(again, many)
    few = pipage_rounding(opening, draws=4, random_state=1)
    np.testing.assert_array_equal(few, many[:4])
    assert len(np.unique(many, axis=0)) > 30


def test_nothing_to_choose():
    assert pipage_rounding(np.empty(0), draws=3).shape == (3, 0)
    assert pipage_rounding(np.zeros(4), draws=2).shape == (2, 0)
    assert pipage_rounding(np.full(4, 0.5), draws=0).shape == (0, 2)
    np.testing.assert_array_equal(pipage_rounding([0.25], k=1), [[0]])


def test_read_only_and_strided_input_is_taken():
    wide = np.repeat(openings_with_sum(20, 3, 10), 2)
    wide.flags.writeable = False
    np.testing.assert_array_equal(
        pipage_rounding(wide[::2], random_state=0),
        pipage_rounding(wide[::2].copy(), random_state=0),
    )


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"opening must be within \[0, 1\]; opening\[1\] is 1.5"):
        pipage_rounding([0.5, 1.5])
    with pytest.raises(ValueError, match="opening must be finite"):
        pipage_rounding([np.inf])
    with pytest.raises(ValueError, match="opening must be 1D, not 2D"):
        pipage_rounding([[0.5]])
    with pytest.raises(ValueError, match=r"k must be at least the sum of opening, 1\.5, not 1"):
        pipage_rounding([0.5, 0.5, 0.5], k=1)
    with pytest.raises(ValueError, match="k must be at most 3, not 4"):
        pipage_rounding([0.5, 0.5, 0.5], k=4)
    with pytest.raises(ValueError, match="draws must be at least 0"):
        pipage_rounding([0.5], draws=-1)
    with pytest.raises(TypeError, match="draws must be an integer"):
        pipage_rounding([0.5], draws=1.5)
