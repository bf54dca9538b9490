"""How much the one-step gradient leaves out: Proposition 1 of the paper, with its constants.

Write J = dF/dmu, one (p x p) block for each pair of centres,

    J_kl = (beta / R_k) sum_j r_jk (d_kl - r_jl) (x_j - F_k) x_j^T.

The operator 1-norm of J is its largest column sum of absolute values. With X_1 the largest 1-norm
of a row and X_inf the largest entry of x, and as F_k is a weighted mean of rows,
``|x_j - F_k|_1 <= 2 X_1``, so

    |J|_1 <= 2 beta X_1 X_inf max_l sum_k sum_j r_jk |d_kl - r_jl| / R_k.             (bound)

Let every row prefer its own centre by a margin delta in similarity and R_k >= alpha n. Then
``r_jl (1 - r_jl) <= (K - 1) e^(-beta delta)``, the double sum is at most twice that over alpha, and

    |J|_1 <= 4 (K - 1) beta e^(-beta delta) X_1 X_inf / alpha.                        (margin_bound)

The paper prints ``2 K^2 beta e^(-beta delta) / alpha`` (paper_bound). It assumes that the entries
of a unit row sum to at most 1, but X_1 can be sqrt(p). So the printed bound can be exceeded for
wide rows and few clusters. It is reported, but no decision depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._threads import resolve_num_threads
from graphopt._validation import (
    check_float_array,
    check_integer,
    check_memory,
    check_same_dtype,
)
from graphopt.clustering.engine import Array, centers_jacobian
from graphopt.clustering.settings import SoftKMeansSettings

_AGREEMENT = {np.dtype(np.float32): 1e-3, np.dtype(np.float64): 1e-6}

_LARGEST = 2.0**500  # an entry of x whose square, summed, float64 holds


@dataclass(frozen=True, slots=True)
class GradientCertificate:
    """How much the one-step gradient leaves out, for one graph.

    J = dF/dmu is the Jacobian of one update; the exact gradient multiplies by ``(I - J^T)^-1``, the
    one-step gradient by I. Norms are operator 1-norms (largest column sum of absolute values).

    Attributes
    ----------
    margin : float
        Smallest lead, in similarity, of a row's own centre over the next best; rows of zeros do not
        count. inf for one centre.
    mass : float
        Smallest share of all rows that a centre holds, ``min_k R_k / n``.
    paper_bound : float
        ``2 K^2 beta e^(-beta margin) / mass`` as printed. It is not always a bound: see the Notes
        of :func:`gradient_certificate`. No decision depends on it.
    margin_bound : float
        The same with a constant that holds.
    bound : float
        Bound on ``|J|`` from the whole assignment; at most `margin_bound`.
    inverse_bound : float
        ``bound / (1 - bound)``, a bound on ``|(I - J)^-1 - I|`` (Lemma 2): the largest relative
        error, in the largest entry, of the one-step ``u = v``. inf unless `certified`.
    certified : bool
        ``bound < 1``.
    measured_norm : float or None
        ``|J|`` itself; None where K p is above `max_size`.
    measured_inverse_distance : float or None
        ``|(I - J)^-1 - I|`` itself; inf where I - J is singular.
    """

    margin: float
    mass: float
    paper_bound: float
    margin_bound: float
    bound: float
    inverse_bound: float
    certified: bool
    measured_norm: float | None
    measured_inverse_distance: float | None


def gradient_certificate(
    x: Any,
    centers: Any,
    assignment: Any,
    temperature: float,
    *,
    max_size: int = 1024,
    num_threads: int | None = None,
) -> GradientCertificate:
    """Bound and measure what the one-step gradient of soft k-means leaves out.

    Parameters
    ----------
    x : array or CPU tensor, shape (n, p)
        Rows as the clustering used them: the `embedding` in the output of
        :class:`graphopt.nn.SoftKMeans`.
    centers : array or tensor, shape (K, p)
        Where the Jacobian is taken.
    assignment : array or tensor, shape (n, K)
        ``softmax_k(temperature * x_j . mu_k)`` at these centres, as the clustering returns it.
    temperature : float
    max_size : int
        Largest K p for which the Jacobian is formed and measured.
    num_threads : int, optional

    Returns
    -------
    GradientCertificate

    Raises
    ------
    ValueError
        For shapes that do not fit, NaN or infinity, products of rows and centres that are too large
        for float64, or an assignment that is not that of these rows, centres and temperature.
    TypeError
        For arrays of different dtypes.
    graphopt.errors.MemoryLimitError
        If the Jacobian is to be measured and does not fit in memory.

    Notes
    -----
    O(n K (K + p)) for the bounds, O(n K^2 p^2 + (K p)^3) for what is measured.

    Wilder et al., NeurIPS 2019, appendix 1.2, with two corrections. The margin is one of
    similarities, ``min_j x_j . (mu_own - mu_other)``, since those enter the softmax. And the
    printed constant does not hold: the proof assumes that the entries of a unit row sum to 1, but
    they can sum to sqrt(p). With ``|x_j - F_k|_1 <= 2 X_1`` (X_1 the largest 1-norm of a row, X_inf
    the largest entry) the constant is ``4 (K - 1) X_1 X_inf`` in place of ``2 K^2``. For K = 2 and
    p = 100 there are rows for which the measured norm is above the printed bound.

    Examples
    --------
    >>> from graphopt import soft_kmeans
    >>> x = np.repeat(np.eye(3), 10, axis=0)
    >>> result = soft_kmeans(x, np.eye(3), temperature=20.0, iterations=5)
    >>> found = gradient_certificate(x, result.centers, result.assignment, 20.0)
    >>> found.certified, found.measured_norm <= found.bound <= found.margin_bound
    (True, True)
    """
    rows = _matrix("x", x)
    mu = _matrix("centers", centers)
    r = _matrix("assignment", assignment)
    check_same_dtype("centers", mu, "x", rows)
    check_same_dtype("assignment", r, "x", rows)
    if mu.shape[1] != rows.shape[1] or mu.size == 0:
        raise ValueError(
            f"centers must have shape (n_clusters, {rows.shape[1]}), as wide as x, not {mu.shape}"
        )
    if r.shape != (len(rows), len(mu)):
        raise ValueError(
            f"assignment must have shape ({len(rows)}, {len(mu)}), rows by centres, not {r.shape}"
        )
    settings = SoftKMeansSettings(temperature, iterations=0)
    settings.check_dtype(rows.dtype)
    temperature = settings.temperature
    max_size = check_integer("max_size", max_size, minimum=0)
    threads = resolve_num_threads(num_threads)

    with np.errstate(over="ignore", invalid="ignore"):
        similarity = rows.astype(np.float64) @ mu.astype(np.float64).T
        entry = np.float64(np.abs(rows).max(initial=0.0))
    if not (np.isfinite(similarity).all() and entry <= _LARGEST):
        raise ValueError("x and centers must be smaller: their products are too large for float64")
    exact = _check_assignment(r, similarity, temperature)
    margin = _margin(rows, similarity)
    mass = float(exact.sum(axis=0).min() / len(rows)) if len(rows) else 0.0
    margin_bound, paper_bound = _margin_bounds(rows, len(mu), margin, mass, temperature)
    bound = min(gradient_bound(rows, exact, temperature), margin_bound)
    norm, distance = None, None
    if mu.size <= max_size:
        check_memory(
            f"the Jacobian of {len(mu):,} centres of width {mu.shape[1]:,}, measured,",
            5 * 8 * mu.size**2,  # with the identity, the difference, its factors and the inverse
            f"pass max_size below {mu.size}: the bounds need no Jacobian",
        )
        norm, distance = _measure(centers_jacobian(rows, mu, temperature, threads))
    return GradientCertificate(
        margin=margin,
        mass=mass,
        paper_bound=paper_bound,
        margin_bound=margin_bound,
        bound=bound,
        inverse_bound=bound / (1.0 - bound) if bound < 1.0 else float("inf"),
        certified=bound < 1.0,
        measured_norm=norm,
        measured_inverse_distance=distance,
    )


def gradient_bound(x: Array, assignment: Array, temperature: float) -> float:
    """Return `bound` above; 0 where J is zero, inf where a cluster is empty. O(n K (K + p))."""
    n_clusters = assignment.shape[1]
    if temperature == 0 or n_clusters == 1 or len(x) == 0:
        return 0.0
    # The assignment of a row of zeros does not move with the centres: it enters through R alone.
    rows = np.abs(x, dtype=np.float64)
    moving = rows.any(axis=1)
    r = assignment.astype(np.float64)
    mass = r.sum(axis=0)
    if (mass == 0).any():
        return np.inf
    r = r[moving]
    overlap = r.T @ r
    # What rounding hides of 1 - r if r is nearly 1.
    rounding = np.finfo(assignment.dtype).eps
    np.fill_diagonal(overlap, (r * (1.0 - r) + rounding).sum(axis=0))
    spread = (overlap / mass[:, None]).sum(axis=0).max()
    return float(2.0 * temperature * spread * _row_norms(rows))


def _margin(x: Array, similarity: Array) -> float:
    """Return the smallest lead of a row's own centre over the next best; zero rows do not count."""
    lead = similarity[np.abs(x).any(axis=1)]
    if lead.shape[1] < 2 or len(lead) == 0:
        return np.inf
    best = np.partition(lead, lead.shape[1] - 2, axis=1)
    return float((best[:, -1] - best[:, -2]).min())


def _margin_bounds(
    x: Array, n_clusters: int, margin: float, mass: float, temperature: float
) -> tuple[float, float]:
    """Return `margin_bound` and `paper_bound` above; `mass` is alpha."""
    if temperature == 0 or n_clusters == 1 or len(x) == 0:
        return 0.0, 0.0
    if mass == 0:
        return np.inf, np.inf
    decay = temperature * np.exp(-temperature * margin) / mass
    rows = np.abs(x, dtype=np.float64)
    sound = 4.0 * (n_clusters - 1) * decay * _row_norms(rows)
    return float(sound), float(2.0 * n_clusters**2 * decay)


def _row_norms(rows: Array) -> float:
    """Return X_1 X_inf of absolute values."""
    return float(rows.sum(axis=1).max() * rows.max())


def _matrix(name: str, value: Any) -> Any:
    """Return a NumPy array or a CPU tensor as a checked array, without a copy."""
    if hasattr(value, "detach"):
        if value.device.type != "cpu":
            raise ValueError(f"{name} must be on the CPU, not on {value.device}")
        value = value.detach().numpy()
    return check_float_array(name, value, ndim=2)


def _check_assignment(
    assignment: Any, similarity: NDArray[np.float64], temperature: float
) -> NDArray[np.float64]:
    """Return the assignment in float64; raise ValueError if the one given differs from it."""
    with np.errstate(over="ignore"):  # what is too far from the largest gets a share of 0
        below = temperature * (similarity - similarity.max(axis=1, keepdims=True))
    exact: NDArray[np.float64] = np.exp(below)
    exact /= exact.sum(axis=1, keepdims=True)
    # Similarities carry the rounding of x, times the temperature.
    tolerance = _AGREEMENT[assignment.dtype] * max(1.0, temperature / 30.0)
    gap = float(np.abs(assignment - exact).max(initial=0.0))
    if gap > tolerance:
        raise ValueError(
            "assignment must be softmax(temperature * x @ centers.T) at these centres; "
            f"it differs by up to {gap:.2g}"
        )
    return exact


def _measure(jacobian: NDArray[np.float64]) -> tuple[float, float]:
    """Return |J| and |(I - J)^-1 - I|."""
    identity = np.eye(len(jacobian))
    norm = float(np.abs(jacobian).sum(axis=0).max())
    try:
        inverse = np.linalg.inv(identity - jacobian)
    except np.linalg.LinAlgError:
        return norm, float("inf")
    return norm, float(np.abs(inverse - identity).sum(axis=0).max())
