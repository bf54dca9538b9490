"""Exact k-center: what holds for any matrix of distances."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from graphopt import evaluate_centers, exact_k_center, greedy_k_center
from tests.reference import k_center


@given(
    st.integers(1, 8).flatmap(
        lambda n: st.tuples(
            hnp.arrays(np.uint16, (n, n), elements=st.integers(0, 12)), st.integers(1, n)
        )
    )
)
def test_nothing_is_better(instance: tuple[np.ndarray, int]) -> None:
    distances, k = instance
    result = exact_k_center(distances, k)
    assert result.radius == k_center.optimal_radius(distances.astype(float), k)
    assert result.radius == evaluate_centers(distances, result.centers).radius
    assert result.radius <= greedy_k_center(distances, k).radius
    hurried = exact_k_center(distances, k, time_limit=0)
    assert hurried.lower_bound <= result.radius <= hurried.radius
