from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from graphopt.facility import expected_distances, expected_distances_gradient
from graphopt.nn.facility_distances import FacilityDistances
from tests.reference import facility as twin


@st.composite
def problems(draw):
    """Draw hops of up to 6 customers and 6 sites (some unreachable), openings and a charge."""
    shape = draw(st.integers(1, 6)), draw(st.integers(1, 6))
    hops = draw(arrays.arrays(np.uint8, shape, elements=st.integers(0, 5) | st.just(255)))
    chances = st.floats(0, 1) | st.sampled_from([0.0, 1.0])
    opening = draw(arrays.arrays(np.float64, shape[1], elements=chances))
    return hops, opening, draw(st.integers(1, 8))


@given(problems())
def test_it_is_the_average_over_all_open_sets(problem):
    hops, opening, charge = problem
    lengths = np.where(hops == 255, np.inf, hops)
    expected = twin.expected_distances_by_enumeration(lengths, opening, charge)
    np.testing.assert_allclose(
        expected_distances(hops, opening, charge=charge), expected, atol=1e-12
    )
    np.testing.assert_allclose(
        expected_distances(lengths, opening, charge=charge), expected, atol=1e-12
    )


@given(problems())
def test_more_opening_never_costs(problem):
    hops, opening, charge = problem
    fewer = expected_distances(hops, opening * 0.5, charge=charge)
    more = expected_distances(hops, opening, charge=charge)
    assert (more <= fewer + 1e-12).all()
    assert (more >= 0).all()
    assert (fewer <= charge).all()
    slopes = expected_distances_gradient(hops, opening, np.ones(len(hops)), charge=charge)
    assert (slopes <= 0).all()


@given(problems(), st.floats(0.01, 5.0))
def test_growing_costs_are_the_average_over_all_open_sets(problem, growth):
    hops, opening, charge = problem
    lengths = np.where(hops == 255, np.inf, hops)
    costs = twin.distance_costs(lengths, charge, growth)
    limit = twin.distance_costs(np.array(charge), charge, growth)
    expected = twin.expected_distances_by_enumeration(costs, opening, limit)
    for distances in (hops, lengths):
        given_costs = FacilityDistances.from_distances(distances, charge=charge, growth=growth)
        actual = given_costs.expected_costs(torch.from_numpy(opening))
        np.testing.assert_allclose(actual, expected, atol=1e-12)
        mean = given_costs.distance_at(actual.mean()).item()
        # Between the mean distance and the largest that anybody may have to pay.
        assert mean >= expected_distances(hops, opening, charge=charge).mean() - 1e-9
        assert mean <= charge + 1e-9
        more = given_costs.expected_costs(torch.from_numpy(opening).sqrt())
        assert given_costs.distance_at(more.mean()).item() <= mean + 1e-9
