"""What holds for every soft k-means."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graphopt import soft_kmeans


@st.composite
def problems(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n, n_clusters, p = (draw(st.integers(*bounds)) for bounds in ((0, 80), (1, 20), (1, 40)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    x = rng.normal(size=(n, p)).astype(dtype)
    x[rng.random(n) < 0.1] = 0
    centers = rng.normal(size=(n_clusters, p)).astype(dtype)
    if n_clusters > 2:
        centers[1] = centers[0]
    settings = {
        "temperature": draw(st.floats(0, 1000)),
        "iterations": draw(st.integers(0, 5)),
    }
    return x, centers / np.maximum(np.linalg.norm(centers, axis=1), 1e-3)[:, None], settings


@given(problems())
def test_rows_sum_to_one_and_centres_stay_inside(problem):
    x, centers, settings = problem
    result = soft_kmeans(x, centers, **settings)
    assert (result.assignment >= 0).all()
    np.testing.assert_allclose(result.assignment.sum(axis=1), 1, atol=1e-5)
    norms = np.linalg.norm(result.centers.astype(np.float64), axis=1)
    assert (norms <= 1 + 1e-5).all()


@given(problems(), st.randoms(use_true_random=False))
def test_renumbering_rows_and_centres_renumbers_the_result(problem, random):
    x, centers, settings = problem
    settings = {**settings, "temperature": min(settings["temperature"], 20.0)}
    rows = np.array(random.sample(range(len(x)), len(x)), dtype=int)
    order = np.array(random.sample(range(len(centers)), len(centers)), dtype=int)
    one = soft_kmeans(x, centers, **settings)
    other = soft_kmeans(x[rows], centers[order], **settings)
    tolerance = 2e-2 if x.dtype == np.float32 else 1e-7  # errors grow with every iteration
    np.testing.assert_allclose(other.centers, one.centers[order], atol=tolerance)
    np.testing.assert_allclose(other.assignment, one.assignment[rows][:, order], atol=tolerance)


@given(problems())
def test_length_of_a_row_does_not_matter(problem):
    x, centers, settings = problem
    settings = {**settings, "temperature": min(settings["temperature"], 20.0)}
    np.testing.assert_array_equal(
        soft_kmeans(8 * x, centers, **settings).assignment,  # a power of 2 changes no digit
        soft_kmeans(x, centers, **settings).assignment,
    )
