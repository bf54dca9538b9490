"""Node features, made comparable: weighted, brought to unit length, averaged over neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._scale import exponent_of, times_power
from graphopt._sparse import checked_rows, is_sparse
from graphopt._validation import check_float_array, check_integer, check_memory
from graphopt._weights import in_own_unit, typical_weight
from graphopt.graph import Graph, check_graph

_ORDINARY = 30  # the exponent up to which single precision loses none of the smaller entries
_MANY_COLUMNS = 2**18  # below, asking how much memory there is takes longer than it is worth
_COLUMN_BYTES = 64  # of a column of sparse features: its count, its weight, a transpose


def check_features(features: Any, n_nodes: int) -> Any:
    """Return `features` as a finite float32 array or CSR array with one row per node.

    A dense result may share memory with `features`, a sparse one does not. Only directions of rows
    count: double precision that is beyond single precision, or near its ends, is divided by a power
    of two.

    Raises
    ------
    ValueError
        For a wrong number of rows, no columns, NaN or infinity, or a sparse matrix whose index
        arrays contradict each other or its shape.
    MemoryLimitError
        If the counts of the columns do not fit in memory.
    """
    n_nodes = check_integer("n_nodes", n_nodes, minimum=0)
    if is_sparse(features):
        rows: Any = checked_rows("features", features)
        rows.data = _as_float32(rows.data)
        if rows.shape[1] > _MANY_COLUMNS:
            check_memory(
                f"work on features of {rows.shape[1]:,} columns",
                _COLUMN_BYTES * rows.shape[1],
                "leave out columns that hold nothing",
            )
    else:
        rows = _as_float32(check_float_array("features", features, ndim=2))
    if rows.shape[0] != n_nodes:
        raise ValueError(f"features must have one row per node, {n_nodes}, not {rows.shape[0]}")
    if rows.shape[1] == 0:
        raise ValueError("features must have at least one column")
    return rows


def node_features(graph: Graph, features: Any) -> Any:
    """Return the features of a graph's nodes as checked rows.

    Parameters
    ----------
    graph : Graph
    features : array, sparse array, callable or None
        A callable computes them from the graph; None stays None.
    """
    check_graph("graph", graph)
    if features is None:
        return None
    return check_features(features(graph) if callable(features) else features, graph.n_nodes)


def unit_features(features: Any) -> Any:
    """Return rows of unit length; sparse 0/1 features are weighted by tf-idf first.

    0 and any other one value, in every entry that is stored, are 0 and 1 in another unit.

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
    return _unit_features(check_features(features, features.shape[0]))


def _unit_features(features: Any) -> Any:
    if not isinstance(features, np.ndarray) and _is_binary(features.data):
        holders = np.bincount(features.indices, minlength=features.shape[1])
        idf = np.log(features.shape[0] / np.maximum(holders, 1)).astype(np.float32)
        features = features.copy()
        features.data = idf[features.indices]
    return _unit_rows(features)


def _is_binary(entries: NDArray[np.float32]) -> bool:
    return len(entries) > 0 and bool(entries[0] > 0.0) and bool((entries == entries[0]).all())


def smoothed_features(features: Any, graph: Graph, steps: int) -> Any:
    """Return unit rows, averaged `steps` times over each node and its neighbours.

    Neighbours count by the weights of their edges, the node itself like an edge of mean weight.
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

    Raises
    ------
    ValueError
        As :func:`check_features`, and for fewer than 0 steps.
    graphopt.errors.MemoryLimitError
        If the averages, which have fewer zeros, may not fit in memory.
    """
    check_integer("steps", steps, minimum=0)
    rows = _unit_features(check_features(features, graph.n_nodes))
    if steps == 0:
        return rows
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array, eye_array

    graph, _ = in_own_unit(graph)  # which single precision holds
    loops = typical_weight(graph) * eye_array(graph.n_nodes, format="csr")
    with_loops = csr_array(graph.to_scipy().astype(np.float32) + loops.astype(np.float32))
    for _ in range(steps):
        _check_average_fits(with_loops, rows)
        rows = _unit_rows(with_loops @ rows)  # a sum has the direction of an average
    return rows


def _check_average_fits(with_loops: Any, rows: Any) -> None:
    n_entries = rows.shape[0] * rows.shape[1]
    n_bytes = 4 * n_entries
    if not isinstance(rows, np.ndarray):
        # At most one entry for each of a neighbour's; SciPy stores a value and its column.
        n_bytes = 8 * min(n_entries, int(np.diff(rows.indptr)[with_loops.indices].sum()))
    check_memory(
        f"an average of features over the neighbours of {rows.shape[0]:,} nodes",
        2 * n_bytes,  # before and after they are brought to unit length
        "average fewer times (smoothing) or use fewer features",
    )


def row_norms(rows: Any) -> NDArray[np.float64]:
    """Return the length of each row of a float32 array or CSR array.

    Squares are summed in double precision, where those of float32 neither vanish nor overflow.
    """
    if isinstance(rows, np.ndarray):
        squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64)
    else:
        entries = rows.data.astype(np.float64)
        squares = np.bincount(_row_of_entry(rows), entries * entries, minlength=rows.shape[0])
    return np.asarray(np.sqrt(squares))


def _unit_rows(rows: Any) -> Any:
    norms = row_norms(rows)
    norms[norms == 0.0] = 1.0
    if isinstance(rows, np.ndarray):
        return np.divide(rows, norms[:, None], out=np.empty_like(rows), casting="same_kind")
    scaled = rows.copy()
    scaled.data = (rows.data / norms[_row_of_entry(rows)]).astype(np.float32)
    return scaled


def _row_of_entry(rows: Any) -> NDArray[np.intp]:
    return np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))


def _as_float32(values: NDArray[Any]) -> NDArray[np.float32]:
    if values.dtype == np.float64 and np.isfinite(values).all():
        exponent = exponent_of(values)
        if abs(exponent) > _ORDINARY:
            values = times_power(values, -exponent)
    with np.errstate(over="ignore"):
        converted = values.astype(np.float32, copy=False)
    if not np.isfinite(converted).all():
        raise ValueError("features must be finite")
    return converted
