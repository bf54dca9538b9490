"""Soft k-means one row at a time, and its Jacobians written out; one graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

# Exponents below this count as e^-infinity, as in the kernel.
FLUSH_BELOW = {np.dtype(np.float32): -80.0, np.dtype(np.float64): -700.0}


def unit_rows(x: Array) -> Array:
    """Divide each row by its length; rows of zeros stay zero."""
    out = np.zeros_like(x)
    for j, row in enumerate(x):
        largest = np.abs(row).max()
        if largest > 0:
            row = np.ldexp(row, -np.frexp(largest)[1])  # whose squares stay in the range
            out[j] = row / np.sqrt(np.sum(row * row))
    return out


def assign(x: Array, centers: Array, temperature: float) -> Array:
    """Return r_jk = softmax_k(temperature x_j . mu_k), shape (n, K)."""
    r = np.zeros((len(x), len(centers)), x.dtype)
    for j, row in enumerate(x):
        similarity = np.array([row @ center for center in centers])
        exponent = temperature * (similarity - similarity.max())
        weight = np.where(exponent < FLUSH_BELOW[x.dtype], 0.0, np.exp(exponent))
        r[j] = weight / weight.sum()
    return r


def update(x: Array, centers: Array, temperature: float) -> tuple[Array, Array]:
    """Return F(centers), the weighted means, and R, the sum of each centre's weights."""
    r = assign(x, centers, temperature)
    moved = centers.copy()
    mass = np.zeros(len(centers), x.dtype)
    for k in range(len(centers)):
        mass[k] = sum((r[j, k] for j in range(len(x))), start=x.dtype.type(0))
        if mass[k] > 0:
            moved[k] = sum((r[j, k] * x[j] for j in range(len(x))), start=0 * centers[k]) / mass[k]
    return moved, mass


def soft_kmeans(
    x: Array, centers: Array, temperature: float, iterations: int
) -> tuple[Array, Array]:
    """Return the centres after `iterations` updates, and the assignment at them."""
    for _ in range(iterations):
        centers, _ = update(x, centers, temperature)
    return centers.copy(), assign(x, centers, temperature)


def centers_jacobian(x: Array, centers: Array, temperature: float) -> Array:
    """Return dF/dmu, shape (K, p, K, p): zero for F of an empty cluster."""
    n_clusters, width = centers.shape
    r = assign(x, centers, temperature)
    image, mass = update(x, centers, temperature)
    jacobian = np.zeros((n_clusters, width, n_clusters, width), x.dtype)
    for k in range(n_clusters):
        if mass[k] == 0:
            continue
        for index in range(n_clusters):
            for j, row in enumerate(x):
                slope = temperature * r[j, k] * ((k == index) - r[j, index])  # d r_jk / d s_jl
                jacobian[k, :, index] += slope / mass[k] * np.outer(row - image[k], row)
    return jacobian


def rows_jacobian(x: Array, centers: Array, temperature: float) -> Array:
    """Return dF/dx, shape (K, p, n, p): zero for F of an empty cluster."""
    n_clusters, width = centers.shape
    r = assign(x, centers, temperature)
    image, mass = update(x, centers, temperature)
    jacobian = np.zeros((n_clusters, width, len(x), width), x.dtype)
    for k in range(n_clusters):
        if mass[k] == 0:
            continue
        for j, row in enumerate(x):
            slope = temperature * r[j, k] * (centers[k] - r[j] @ centers)  # d r_jk / d x_j
            jacobian[k, :, j] = (r[j, k] * np.eye(width) + np.outer(row - image[k], slope)) / mass[
                k
            ]
    return jacobian
