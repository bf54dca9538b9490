"""k-center on a graph of which only samples are known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._scale import clipped_power, mean_of, restored
from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt.centers._problem import (
    KCenterProblem,
    check_problem,
    check_source,
    in_ordinary_unit,
)
from graphopt.centers.swaps import SmoothCosts
from graphopt.graph import Graph
from graphopt.paths import unreachable

Risk = Literal["mean", "cvar"]
_MOST_CHARGE = 2.0**300  # outweighs all distances, which are below 2^201 here, and has finite sums


@dataclass(frozen=True, slots=True, eq=False)
class RobustKCenterResult:
    """A choice of centres and how far the nodes are from them in every sample.

    Attributes
    ----------
    centers : array of int32, shape (k,)
        Node numbers: those that must open, then the others, ascending.
    radii : array of float64, shape (n_samples,)
        The largest distance of a node from its nearest centre in each sample; ``inf`` if a node is
        not reached.
    """

    centers: NDArray[np.int32]
    radii: NDArray[np.float64]

    @property
    def mean_radius(self) -> float:
        """The mean of the radii."""
        return mean_of(self.radii)

    def quantile(self, share: float) -> float:
        """Return the smallest radius that at least `share` (0 to 1) of the samples keep.

        >>> RobustKCenterResult(np.array([0]), np.array([3.0, 5.0, 4.0, np.inf])).quantile(0.75)
        5.0
        """
        share = check_number("share", share, minimum=0.0, maximum=1.0)
        return float(np.quantile(self.radii, share, method="inverted_cdf"))


def robust_k_center(
    samples: Sequence[Graph | ArrayLike],
    k: int,
    *,
    risk: Risk = "mean",
    alpha: float = 0.8,
    growth: float = 0.6,
    charge: float | None = None,
    n_starts: int = 8,
    random_state: RandomState = None,
    candidates: ArrayLike | None = None,
    must_open: ArrayLike = (),
    forbidden: ArrayLike = (),
    num_threads: int | None = None,
) -> RobustKCenterResult:
    """Choose k centres that are good on all of several graphs with the same nodes.

    Parameters
    ----------
    samples : sequence of Graph or array, shape (n_nodes, n_nodes)
        Equally likely graphs (weights are lengths), or their distances as for :func:`gonzalez`;
        at least one.
    k : int
        Number of centres, 1 to n_nodes.
    risk : {"mean", "cvar"}
        What is minimised: the mean, over all samples and nodes, of ``exp(growth d)``, d a node's
        distance from its nearest centre; or the same mean over only the worst share ``1 - alpha``
        of the samples, the conditional value at risk.
    alpha : float
        At least 0 and below 1; not used if `risk` is ``"mean"``.
    growth : float
        How fast the cost of a distance grows per hop, greater than 0. If distances are lengths, a
        hop is an eighth of the mean radius that the greedy algorithm reaches on the samples. If it
        is small, the mean distance matters; if it is large, the largest distance.
    charge : float, optional
        The largest distance that a node counts as, also if no centre reaches it. None: there is no
        limit, and a node that is not reached costs more than all others together.
    n_starts : int
        Number of descents: half from the greedy choices on samples, half from random choices.
    random_state : int, numpy.random.Generator or None
    candidates, must_open, forbidden
        As for :func:`greedy_k_center`.
    num_threads : int, optional
        The result is the same at any number of threads.

    Returns
    -------
    RobustKCenterResult

    Raises
    ------
    TypeError, ValueError
        If there are no samples or samples of different sizes, and as :func:`greedy_k_center`.
    MemoryLimitError
        If the distances of all samples together, and the table of what lengths cost (hops need no
        such table), do not fit in memory.

    See Also
    --------
    local_search_k_center : for one graph.

    Notes
    -----
    No exchange of one centre improves the result. A pass judges all exchanges in O(n_samples n^2).
    Conditional value at risk: R. T. Rockafellar and S. Uryasev, J. Banking & Finance 26, 1443-1471
    (2002); if ``(1 - alpha) n_samples`` is not a whole number, the last of the worst samples counts
    in part.

    Examples
    --------
    >>> path = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
    >>> star = Graph.from_edges([(3, 0), (3, 1), (3, 2), (3, 4)])
    >>> result = robust_k_center([path, star], 1, random_state=0)
    >>> result.centers, result.radii, result.mean_radius
    (array([3], dtype=int32), array([3., 1.]), 2.0)
    >>> robust_k_center([path, star], 1, risk="cvar", random_state=0).radii
    array([2., 2.])
    """
    if isinstance(samples, Graph) or not isinstance(samples, Sequence | np.ndarray):
        raise TypeError(
            f"samples must be a sequence of graphs or matrices, not {type(samples).__name__}"
        )
    if len(samples) == 0:
        raise ValueError("samples must hold at least one graph")
    first, *others = samples
    problem = check_problem(
        first,
        k,
        candidates=candidates,
        must_open=must_open,
        forbidden=forbidden,
        num_threads=num_threads,
    )
    problems = [problem, *(replace(problem, source=check_source(one)) for one in others)]
    n = problem.n_nodes
    for i, sample in enumerate(problems):
        if sample.n_nodes != n:
            raise ValueError(
                f"samples must have the same nodes; the first has {n} and samples[{i}] "
                f"{sample.n_nodes}"
            )
    check_choice("risk", risk, get_args(Risk))
    level = check_number("alpha", alpha, minimum=0.0)
    if level >= 1.0:
        raise ValueError(f"alpha must be less than 1, not {level:g}")
    growth = check_number("growth", growth, minimum=0.0, open_minimum=True)
    if charge is not None:
        charge = check_number("charge", charge, minimum=0.0, open_minimum=True)
    n_starts = check_integer("n_starts", n_starts, minimum=1)
    generator = check_random_state(random_state)

    table, exponent = in_ordinary_unit(_side_by_side(problems))
    if charge is not None:
        charge = min(clipped_power(charge, -exponent), _MOST_CHARGE)
    starts = _greedy_choices(problem, table, n_starts)
    radii = np.concatenate([_radii(table, choice) for choice in starts])
    typical = radii[np.isfinite(radii)]
    smooth = SmoothCosts(problem, table, radii=typical, charge=charge)
    starts += [problem.random_choice(generator) for _ in range(n_starts - len(starts))]
    share = 1.0 if risk == "mean" else 1.0 - level
    pivot = float(typical.max()) if typical.size else smooth.largest
    descents = (
        smooth.swap(
            start,
            growth=growth,
            pivot=pivot,
            n_scenarios=len(problems),
            tail=share * len(problems),
            first_site=int(generator.integers(n)),
        )
        for start in starts
    )
    best = min(descents, key=lambda found: found.cost)
    chosen = problem.in_order(best.sites)
    return RobustKCenterResult(chosen, restored("samples", _radii(table, chosen), exponent))


def _side_by_side(problems: Sequence[KCenterProblem]) -> NDArray[Any]:
    """Return the distances of all samples, shape (n, n_samples * n), in a type that holds them."""
    n, n_samples = problems[0].n_nodes, len(problems)
    table = np.empty((n, 0), np.uint8)
    for i, problem in enumerate(problems):
        distances = problem.distances("use fewer samples")
        dtype = _common_type(table.dtype, distances.dtype) if i else distances.dtype
        if i == 0 or dtype != table.dtype:
            check_memory(
                f"the distances of {n_samples} samples",
                n_samples * n * n * dtype.itemsize,
                "use fewer samples",
            )
            wider = np.empty((n, n_samples * n), dtype)
            for j in range(i):
                _put(table[:, j * n : (j + 1) * n], wider[:, j * n : (j + 1) * n])
            table = wider
        _put(distances, table[:, i * n : (i + 1) * n])
    return table


def _common_type(one: np.dtype[Any], other: np.dtype[Any]) -> np.dtype[Any]:
    if one.kind == other.kind:
        return max(one, other, key=lambda dtype: dtype.itemsize)
    return np.dtype(np.float64)


def _put(distances: NDArray[Any], place: NDArray[Any]) -> None:
    place[:] = distances
    if distances.dtype != place.dtype:
        place[distances == unreachable(distances.dtype)] = unreachable(place.dtype)


def _greedy_choices(
    problem: KCenterProblem, table: NDArray[Any], n_starts: int
) -> list[NDArray[np.int32]]:
    """Return what the greedy algorithm chooses on each of the first samples."""
    n = len(table)
    number = min(table.shape[1] // n, (n_starts + 1) // 2)
    columns = (table[:, i * n : (i + 1) * n] for i in range(number))
    return [problem.greedy(np.ascontiguousarray(sample))[0] for sample in columns]


def _radii(table: NDArray[Any], choice: NDArray[np.int32]) -> NDArray[np.float64]:
    """Return the radius of a choice in each sample."""
    largest = table[choice].min(axis=0).reshape(-1, len(table)).max(axis=1)
    return np.where(largest == unreachable(table.dtype), math.inf, largest.astype(np.float64))
