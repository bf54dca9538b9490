"""role2vec: one vector for each role that nodes play, learned from attributed random walks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphopt._threads import resolve_num_threads
from graphopt._validation import (
    RandomState,
    as_tuple,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt.features._motifs import MOTIFS, motif_counts
from graphopt.features._skip_gram import skip_gram
from graphopt.features._walks import expected_meetings, sampled_meetings
from graphopt.graph import Graph, check_undirected

_MOST_NEGATIVES = 1e100  # the loss is in proportion to them, and its slope is squared


@dataclass(frozen=True, slots=True, eq=False)
class RoleEmbedding:
    """Roles and their vectors; gives any graph's nodes features in one coordinate system.

    Attributes
    ----------
    roles : array of int64, shape (n_roles, 4)
        Binned motif counts of each role that was met, rows ascending.
    vectors : array of float32, shape (n_roles, n_features)
    n_motif_bins : int
    """

    roles: NDArray[np.int64]
    vectors: NDArray[np.float32]
    n_motif_bins: int

    def transform(self, graph: Graph) -> NDArray[np.float32]:
        """Return the vector of each node's role.

        A node without an edge has a row of zeros. A role that was never met has the mean of the
        vectors of the nearest ones, in steps between bins.

        Parameters
        ----------
        graph : Graph
            Undirected; it need not be one of those learned from.

        Returns
        -------
        array of float32, shape (n_nodes, n_features)

        Raises
        ------
        ValueError
            For a directed graph.
        graphopt.errors.MemoryLimitError
            If the features do not fit in memory.
        """
        check_undirected("graph", graph)
        check_memory(
            f"{self.vectors.shape[1]:,} features of {graph.n_nodes:,} nodes",
            4 * 3 * self.vectors.shape[1] * graph.n_nodes,  # of nodes, roles, and of nodes by role
            "learn fewer features (n_features)",
        )
        features = np.zeros((graph.n_nodes, self.vectors.shape[1]), np.float32)
        moving = np.flatnonzero(graph.degrees)
        if len(self.roles) == 0 or len(moving) == 0:
            return features
        played, which = _distinct(_binned(motif_counts(graph)[moving], self.n_motif_bins))
        known = np.zeros((len(played), features.shape[1]), np.float32)
        for i, role in enumerate(played):
            steps = np.abs(self.roles - role).sum(axis=1)
            known[i] = self.vectors[steps == steps.min()].mean(axis=0)
        features[moving] = known[which]
        return features


def role2vec(
    graph: Graph,
    *,
    n_features: int = 64,
    walk_length: int = 40,
    n_walks: int | None = None,
    window: int = 5,
    n_motif_bins: int = 16,
    negatives: float = 5.0,
    random_state: RandomState = 0,
    num_threads: int | None = None,
) -> NDArray[np.float32]:
    """Return features of a graph's nodes from its structure alone.

    Nodes whose motif counts (:func:`motif_counts`) have the same numbers of binary digits play the
    same role and share one vector. Vectors are learned by skip-gram from random walks, of which
    only the roles passed are kept: roles found near the same roles are alike. For features that
    mean the same in several graphs use :func:`learn_roles`.

    Parameters
    ----------
    graph : Graph
        Undirected. Weights play no part.
    n_features : int
        Width of the vectors; columns beyond the number of roles are 0.
    walk_length : int
        Nodes on a walk, at least 2.
    n_walks : int, optional
        Random walks drawn from each node. None: all walks, each counted with its probability: what
        more and more draws tend to, without their noise.
    window : int
        How far apart on a walk roles still belong together, at least 1.
    n_motif_bins : int
        Number of bins, at least 2: bin b holds the counts of b binary digits, the last bin also all
        larger counts.
    negatives : float
        Negative samples for each pair, greater than 0 and at most 1e100; their mean is taken, none
        is drawn.
    random_state : int, Generator or None
        Draws the walks; not used where `n_walks` is None.
    num_threads : int, optional
        The result is the same bits at any number.

    Returns
    -------
    array of float32, shape (n_nodes, n_features)
        Zeros for nodes without an edge.

    Raises
    ------
    ValueError
        For a directed graph or an argument out of range.
    graphopt.errors.MemoryLimitError
        If a table of all pairs of roles, the walks or the features do not fit in memory.

    Notes
    -----
    :func:`motif_counts`, O(window * m * n_roles) for all walks, and
    O(n_roles^2 * (n_roles + n_features)) for skip-gram; there are far fewer roles than nodes.
    N. Ahmed et al., Learning Role-based Graph Embeddings, 2018; ClusterNet's synthetic graphs have
    such features (Wilder et al., NeurIPS 2019, appendix 2.2).

    Examples
    --------
    >>> star = Graph.from_edges([(0, i) for i in range(1, 6)])
    >>> x = role2vec(star, n_features=4)
    >>> x.shape
    (6, 4)
    >>> bool((x[1:] == x[1]).all()), bool((x[0] == x[1]).all())
    (True, False)
    """
    check_undirected("graph", graph)
    return learn_roles(
        [graph],
        n_features=n_features,
        walk_length=walk_length,
        n_walks=n_walks,
        window=window,
        n_motif_bins=n_motif_bins,
        negatives=negatives,
        random_state=random_state,
        num_threads=num_threads,
    ).transform(graph)


def learn_roles(
    graphs: Iterable[Graph],
    *,
    n_features: int = 64,
    walk_length: int = 40,
    n_walks: int | None = None,
    window: int = 5,
    n_motif_bins: int = 16,
    negatives: float = 5.0,
    random_state: RandomState = 0,
    num_threads: int | None = None,
) -> RoleEmbedding:
    """Learn the vectors of roles from the walks of several graphs.

    Parameters
    ----------
    graphs : iterable of Graph
        Undirected.
    n_features, walk_length, n_walks, window, n_motif_bins, negatives, random_state, num_threads
        As for :func:`role2vec`.

    Returns
    -------
    RoleEmbedding
        Its `transform` gives features of these and other graphs.

    Raises
    ------
    ValueError, TypeError
        As :func:`role2vec`, naming the graph.

    Examples
    --------
    >>> paths = [Graph.from_edges([(i, i + 1) for i in range(n)]) for n in (5, 9)]
    >>> learned = learn_roles(paths, n_features=3)
    >>> x, y = (learned.transform(path) for path in paths)
    >>> bool((x[0] == y[-1]).all())  # an end is an end
    True
    """
    graphs = as_tuple("graphs", graphs)
    for i, graph in enumerate(graphs):
        check_undirected(f"graphs[{i}]", graph)
    n_features = check_integer("n_features", n_features, minimum=1)
    walk_length = check_integer("walk_length", walk_length, minimum=2)
    if n_walks is not None:
        n_walks = check_integer("n_walks", n_walks, minimum=1)
    window = check_integer("window", window, minimum=1)
    n_motif_bins = check_integer("n_motif_bins", n_motif_bins, minimum=2)
    negatives = check_number(
        "negatives", negatives, minimum=0.0, maximum=_MOST_NEGATIVES, open_minimum=True
    )
    rng = check_random_state(random_state)
    threads = resolve_num_threads(num_threads)

    binned = [_binned(motif_counts(graph), n_motif_bins) for graph in graphs]
    none = np.empty((0, len(MOTIFS)), np.int64)
    met = [rows[graph.degrees > 0] for graph, rows in zip(graphs, binned, strict=True)]
    roles, _ = _distinct(np.concatenate([none, *met]))
    check_memory(
        f"a table of {len(roles):,} x {len(roles):,} roles",
        8 * 8 * len(roles) ** 2,  # scores, shares, slopes and singular vectors are as large
        "use fewer bins (n_motif_bins)",
    )
    check_memory(
        f"{n_features:,} features of {len(roles):,} roles",
        (8 + 4) * len(roles) * n_features,
        "use fewer features (n_features)",
    )
    meetings = np.zeros((len(roles), len(roles)))
    for graph, rows in zip(graphs, binned, strict=True):
        local, role_of_node = _distinct(rows)
        if n_walks is None:
            counts = expected_meetings(
                graph, role_of_node, len(local), walk_length, window, threads
            )
        else:
            counts = sampled_meetings(
                graph, role_of_node, len(local), walk_length, window, n_walks, rng
            )
        # The role of nodes without an edge, the first if there are any, is on no walk.
        walked = local[:, 0] > 0
        at = _positions(local[walked], roles)
        meetings[np.ix_(at, at)] += counts[np.ix_(walked, walked)]
    vectors = skip_gram(meetings, n_features, negatives)
    return RoleEmbedding(roles, vectors.astype(np.float32), n_motif_bins)


def _binned(counts: NDArray[np.int64], n_bins: int) -> NDArray[np.int64]:
    """Return numbers of binary digits, the last bin open: a bin is twice as wide as that before."""
    digits: NDArray[np.int64] = np.frexp(counts)[1].astype(np.int64)
    return np.minimum(digits, n_bins - 1)


def _distinct(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the different rows, ascending, and the number of each row among them."""
    different, which = np.unique(rows, axis=0, return_inverse=True)
    return different, which.reshape(-1)


def _positions(some: NDArray[np.int64], all_rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each of `some` rows is among the different rows `all_rows`."""
    _, which = _distinct(np.concatenate([all_rows, some]))
    return which[len(all_rows) :]
