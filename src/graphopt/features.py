"""Node features, made comparable: weighted, brought to unit length, averaged over neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphopt._validation import check_float_array, check_integer
from graphopt.graph import Graph


def check_features(features: Any, n_nodes: int) -> Any:
    """Return `features` as a finite float32 array or CSR array with one row per node.

    Raises
    ------
    ValueError
        For a wrong number of rows, NaN or infinity.
    """
    if hasattr(features, "tocsr"):
        from scipy.sparse import csr_array

        rows = csr_array(features, dtype=np.float32)
        rows.sum_duplicates()
        if not np.isfinite(rows.data).all():
            raise ValueError("features must be finite")
    else:
        rows = check_float_array("features", features, ndim=2).astype(np.float32, copy=False)
    if rows.shape[0] != n_nodes:
        raise ValueError(f"features must have one row per node, {n_nodes}, not {rows.shape[0]}")
    return rows


def unit_features(features: Any) -> Any:
    """Return rows of unit length; sparse 0/1 features are weighted by tf-idf first.

    Parameters
    ----------
    features : array or CSR array of float32, shape (n_nodes, n_features)

    Returns
    -------
    Same kind; a row of zeros stays one.

    Notes
    -----
    A word that few nodes have tells more: column c is weighted by log(n / nodes that have c).
    """
    if not isinstance(features, np.ndarray) and features.nnz and (features.data == 1.0).all():
        holders = np.bincount(features.indices, minlength=features.shape[1])
        idf = np.log(features.shape[0] / np.maximum(holders, 1)).astype(np.float32)
        features = features.copy()
        features.data = idf[features.indices]
    return _unit_rows(features)


def smoothed_features(features: Any, graph: Graph, steps: int) -> Any:
    """Return unit rows, averaged `steps` times over each node and its neighbours.

    Rows are brought back to unit length after each average.

    Parameters
    ----------
    features : array or sparse array, shape (n_nodes, n_features)
    graph : Graph
    steps : int
        0: only weighted and normalised.

    Returns
    -------
    ndarray or csr_array of float32, shape (n_nodes, n_features)
    """
    check_integer("steps", steps, minimum=0)
    rows = unit_features(check_features(features, graph.n_nodes))
    if steps == 0:
        return rows
    from scipy.sparse import csr_array, eye_array

    loops = eye_array(graph.n_nodes, format="csr", dtype=np.float32)
    with_loops = csr_array(graph.to_scipy().astype(np.float32) + loops)
    for _ in range(steps):
        rows = _unit_rows(with_loops @ rows)  # a sum has the direction of an average
    return rows


def _unit_rows(rows: Any) -> Any:
    smallest = np.finfo(np.float32).tiny
    if isinstance(rows, np.ndarray):
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), smallest)
    from scipy.sparse import csr_array, diags_array

    norms = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
    scale = 1.0 / np.maximum(norms, smallest)  # rows of zeros have no entries to scale
    return csr_array(diags_array(scale.astype(np.float32)) @ rows)
