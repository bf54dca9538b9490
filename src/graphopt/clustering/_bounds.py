"""How far the Jacobian of a soft k-means update is from zero: Proposition 1, with its constants.

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

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


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


def margin(x: Array, similarity: Array) -> float:
    """Return the smallest lead of a row's own centre over the next best; zero rows do not count."""
    lead = similarity[np.abs(x).any(axis=1)]
    if lead.shape[1] < 2 or len(lead) == 0:
        return np.inf
    best = np.partition(lead, lead.shape[1] - 2, axis=1)
    return float((best[:, -1] - best[:, -2]).min())


def margin_bounds(
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
