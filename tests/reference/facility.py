"""The expected distance to the nearest open site, from the definition and from the products."""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray


def expected_distances_by_enumeration(
    distances: NDArray[np.float64], opening: NDArray[np.float64], charge: float
) -> NDArray[np.float64]:
    """Average over all 2^n sets of open sites; distances are infinite where unreachable."""
    n_customers, n_sites = distances.shape
    expected = np.zeros(n_customers)
    for is_open in product([False, True], repeat=n_sites):
        chosen = np.array(is_open, dtype=bool)
        probability = np.prod(np.where(chosen, opening, 1.0 - opening))
        for j in range(n_customers):
            nearest = distances[j, chosen].min(initial=np.inf)
            expected[j] += probability * min(nearest, charge)
    return expected


def expected_distances(
    distances: NDArray[np.float64], opening: NDArray[np.float64], charge: float
) -> NDArray[np.float64]:
    """Walk each customer's sites from near to far: what is paid if no nearer one is open."""
    expected = np.zeros(len(distances))
    for j in range(len(distances)):
        all_closed = 1.0
        for i in np.argsort(distances[j], kind="stable"):
            expected[j] += all_closed * opening[i] * min(distances[j, i], charge)
            all_closed *= 1.0 - opening[i]
        expected[j] += all_closed * charge
    return expected


def distance_costs(
    distances: NDArray[np.float64], charge: float, growth: float
) -> NDArray[np.float64]:
    """Stretch distances, nothing above `charge`, so that each costs e^growth times the one before.

    Less what distance 0 would cost; to be used as distances whose charge is the cost of `charge`.
    """
    paid = np.minimum(distances, charge)
    costs: NDArray[np.float64] = np.exp(growth * (paid - charge)) - np.exp(-growth * charge)
    return costs


def mean_distance(costs: NDArray[np.float64], charge: float, growth: float) -> float:
    """Find the distance whose cost is the mean of `costs`."""
    return float(charge + np.log(np.mean(costs) + np.exp(-growth * charge)) / growth)


def expected_distances_gradient(
    distances: NDArray[np.float64],
    opening: NDArray[np.float64],
    upstream: NDArray[np.float64],
    charge: float,
) -> NDArray[np.float64]:
    """Differentiate exactly: each E_j is linear in each x_i, so its slope is E_j(1) - E_j(0)."""
    gradient = np.zeros(len(opening))
    for i in range(len(opening)):
        surely_open, surely_closed = opening.copy(), opening.copy()
        surely_open[i], surely_closed[i] = 1.0, 0.0
        gained = expected_distances(distances, surely_open, charge)
        lost = expected_distances(distances, surely_closed, charge)
        gradient[i] = upstream @ (gained - lost)
    return gradient
