"""Nodes without an edge: where they go costs no modularity, so one rule serves all algorithms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from graphopt.communities._inputs import Matrix
from graphopt.communities._result import numbered_by_node


def nodes_with_edges(matrix: Matrix) -> tuple[NDArray[np.int64], Matrix]:
    """Return the nodes that have an edge, ascending, and the matrix between them.

    A sparse matrix stores no zero, as :func:`as_matrix` gives it.
    """
    nodes = np.flatnonzero(matrix.sum(axis=1) > 0)
    if len(nodes) == matrix.shape[0]:
        return nodes, matrix
    if isinstance(matrix, np.ndarray):
        return nodes, matrix[np.ix_(nodes, nodes)]
    # The rows that go are empty, so only columns get other numbers. Indexing would take many times
    # as long, and nobody would hear Ctrl-C meanwhile.
    number = np.zeros(matrix.shape[0], matrix.indices.dtype)
    number[nodes] = np.arange(len(nodes))
    starts = np.append(matrix.indptr[nodes], matrix.indptr[-1:])
    between = type(matrix)((matrix.data, number[matrix.indices], starts), shape=(len(nodes),) * 2)
    return nodes, between


def with_isolated(
    group: NDArray[np.integer],
    nodes: NDArray[np.int64],
    n_nodes: int,
    n_alone: int,
    host: int | None = None,
) -> NDArray[np.int64]:
    """Extend groups of the nodes with edges to all nodes.

    Parameters
    ----------
    group : array of int, shape (n_nodes_with_edges,)
    nodes : array of int64, like `group`
        Which nodes they are.
    n_nodes : int
        Of the graph.
    n_alone : int
        How many of the others, the last ones, become groups of their own.
    host : int, optional
        Position in `group` of a member of the group that the rest joins. None: the largest group,
        of equal ones the first; if there is none, they are one.

    Returns
    -------
    array of int64, shape (n_nodes,)
    """
    group = numbered_by_node(group)
    sizes = np.bincount(group)
    full = np.full(
        n_nodes, 0 if len(group) == 0 else sizes.argmax() if host is None else group[host]
    )
    full[nodes] = group
    isolated = np.setdiff1d(np.arange(n_nodes), nodes, assume_unique=True)
    full[isolated[len(isolated) - n_alone :]] = len(sizes) + np.arange(n_alone)
    return full
