"""Spectral clustering of the modularity matrix, exactly k groups."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt._validation import RandomState, check_integer, check_number, check_random_state
from graphopt.communities._eigenvectors import (
    group_modularity,
    leading_eigenvectors,
    normalized_modularity,
)
from graphopt.communities._problem import CommunityResult, Matrix, check_problem, with_isolated
from graphopt.graph import Graph


def spectral(
    graph: Graph | ArrayLike,
    k: int,
    *,
    normalized: bool = True,
    regularization: float = 0.3,
    n_init: int = 4,
    random_state: RandomState = None,
) -> CommunityResult:
    """Find communities by spectral clustering of the modularity matrix, exactly `k` of them.

    Nodes become the rows of the ``k - 1`` leading eigenvectors, brought to length 1; k-means,
    started by k-means++, groups them. Nodes without an edge join the largest group; only where
    other nodes are fewer than `k` do they become groups of their own, the last ones first.

    Parameters
    ----------
    graph : Graph or array of float, shape (n_nodes, n_nodes)
        Undirected; weights, if any, must not be negative. An array holds the weight of every pair,
        say the probability of an edge: symmetric, its diagonal is ignored.
    k : int
        Number of groups, ``1 .. n_nodes``.
    normalized : bool
        True: take ``D^-1/2 B D^-1/2``, with D the strengths, so that hubs do not rule the leading
        eigenvectors. False: the modularity matrix B itself.
    regularization : float
        For `normalized`: a further weight, the same for all pairs of nodes, that adds this many
        times the mean strength to each node. It keeps small, loosely connected parts of the graph
        from taking an eigenvector each.
    n_init : int
        Starts of k-means; the one with the smallest within-group distances counts. On the paper's
        graphs, ten are no better than four.
    random_state : int, Generator or None
        For k-means++.

    Returns
    -------
    CommunityResult

    Raises
    ------
    ValueError
        If the graph is directed, the array not symmetric, a weight negative or not finite, or for
        `k` outside ``1 .. n_nodes``.

    Warns
    -----
    ConvergenceWarning
        If the eigenvectors of a graph of over 1,000 nodes were not found precisely.

    Notes
    -----
    A product with the matrix takes O(m) for a graph and O(n²) for an array; Lanczos takes tens to
    hundreds. M. E. J. Newman, Phys. Rev. E 74, 036104 (2006); the regularisation: T. Qin and
    K. Rohe, NIPS 2013.

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> spectral(two_triangles, 2, random_state=0).labels
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """
    k = check_integer("k", k, minimum=1)
    problem = check_problem(graph, k)
    regularization = check_number("regularization", regularization, minimum=0.0)
    n_init = check_integer("n_init", n_init, minimum=1)
    seed = int(check_random_state(random_state).integers(2**31))

    nodes, matrix = problem.nodes_with_edges()
    n_groups = min(k, len(nodes))
    if n_groups == len(nodes):
        group = np.arange(n_groups)
    elif n_groups == 1:
        group = np.zeros(len(nodes), np.int64)
    else:
        # On several threads, sums depend on which thread is done first; and products with a matrix
        # of a thousand nodes take longer than on one.
        with _thread_pools().limit(limits=1):
            points = _embedding(matrix, n_groups - 1, regularization if normalized else None)
            group = _k_means(points, n_groups, n_init, seed)
        _fill_up(group, n_groups, matrix)
    return problem.result(with_isolated(group, nodes, problem.n_nodes, k - n_groups))


def _embedding(matrix: Matrix, width: int, regularization: float | None) -> NDArray[np.float64]:
    """Return a point on the unit sphere for each node."""
    if regularization is None:
        strengths = np.asarray(matrix.sum(axis=1)).ravel()
        operator = group_modularity(matrix, strengths, float(strengths.sum()))
    else:
        operator = normalized_modularity(matrix, regularization)
    vectors = leading_eigenvectors(operator, width)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    # Below that, an entry is rounding: the node lies apart from all that the eigenvectors tell.
    known = lengths > 1e-12
    return np.where(known, vectors / np.where(known, lengths, 1.0), 0.0)


def _k_means(
    points: NDArray[np.float64], n_groups: int, n_init: int, seed: int
) -> NDArray[np.int64]:
    load_whole("sklearn.cluster")
    from sklearn.cluster import KMeans

    load_whole("sklearn.exceptions")
    from sklearn.exceptions import ConvergenceWarning

    means = KMeans(n_groups, init="k-means++", n_init=n_init, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer points than groups: see below
        return np.asarray(means.fit_predict(points), np.int64)


@cache  # looks through all loaded libraries, so once what it is for is loaded
def _thread_pools() -> Any:
    load_whole("sklearn.cluster")
    import sklearn.cluster  # noqa: F401

    load_whole("threadpoolctl")
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _fill_up(group: NDArray[np.int64], n_groups: int, matrix: Matrix) -> None:
    """Where nodes share too few points, take the weakest out of the largest groups, in place."""
    sizes = np.bincount(group, minlength=n_groups)
    for empty in np.flatnonzero(sizes == 0):
        members = np.flatnonzero(group == sizes.argmax())
        weakest = members[np.asarray(matrix.sum(axis=1)).ravel()[members].argmin()]
        sizes[group[weakest]] -= 1
        group[weakest] = empty
        sizes[empty] = 1
