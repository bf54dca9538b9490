"""Newman's leading eigenvector method, exactly k groups."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from graphopt.communities._inputs import as_matrix, check_k, check_weights
from graphopt.communities._isolated import nodes_with_edges, with_isolated
from graphopt.communities._result import CommunityResult, result
from graphopt.communities._splitting import split_groups
from graphopt.graph import Graph


def newman(
    graph: Graph | ArrayLike, k: int | None = None, *, exact: bool = True, refine: bool = True
) -> CommunityResult:
    """Find communities by Newman's leading eigenvector method, exactly `k` of them.

    All nodes start as one group. Again and again the group whose split in two gains most modularity
    is split, by the signs of the leading eigenvector of its generalised modularity matrix. Where
    these gain nothing, the best cut along the eigenvector, the best single node and a component are
    tried. Where no split gains but there are fewer than `k` groups, nodes without an edge leave the
    largest group, where they were till then, and then the splits that cost least are made.

    Parameters
    ----------
    graph : Graph or array of float, shape (n_nodes, n_nodes)
        Undirected; weights, if any, must not be negative. An array holds the weight of every pair,
        say the probability of an edge: symmetric, its diagonal is ignored.
    k : int, optional
        Number of groups, ``1 .. n_nodes``. None: splitting stops where nothing gains; a node
        without an edge is then a group of its own.
    exact : bool
        False: at most `k` groups; no split is made that does not gain.
    refine : bool
        Fine-tune every split: nodes change sides, as Kernighan and Lin do, as long as that gains
        (section "Fine-tuning" of the paper). False: the signs as they are.

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
        If the eigenvector of a group of over 1,000 nodes was not found precisely.

    Notes
    -----
    Nothing is drawn: the same graph gives the same groups. Up to ``2k - 3`` groups are looked
    at; a product with the matrix takes O(m) for a graph and O(n²) for an array, and Lanczos takes
    tens to hundreds. Refining takes O(n² + m) for each of a few passes.
    M. E. J. Newman, PNAS 103, 8577 (2006), and Phys. Rev. E 74, 036104 (2006).

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> newman(two_triangles, 2).labels
    array([0, 0, 0, 1, 1, 1], dtype=int32)
    """
    weights = check_weights("graph", graph)
    n_nodes = weights.n_nodes if isinstance(weights, Graph) else len(weights)
    k = check_k(k, n_nodes)

    nodes, matrix = nodes_with_edges(as_matrix(weights))
    n_isolated = n_nodes - len(nodes)
    one = np.zeros(len(nodes), np.int64)
    if k is None:
        group = split_groups(matrix, one, len(nodes), 0, refine)
        n_alone = n_isolated
    else:
        group = split_groups(matrix, one, k, k - n_isolated if exact else 0, refine)
        n_found = int(group.max(initial=-1)) + 1
        n_alone = min(n_isolated, k - n_found) if exact else 0
    return result(weights, with_isolated(group, nodes, n_nodes, n_alone))
