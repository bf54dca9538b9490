"""What all algorithms share: the request, checked once, the modularity, and the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._native import _core
from graphopt._scale import exponent_of, times_power
from graphopt._threads import get_num_threads
from graphopt._validation import (
    as_array,
    check_float_array,
    check_integer,
    check_memory,
    check_number,
)
from graphopt._weights import in_own_unit
from graphopt.graph import Graph, check_undirected

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# How far a matrix may be from symmetric, relative to its largest entry: float32 rounding.
_ASYMMETRY = 1e-5

Matrix: TypeAlias = "NDArray[np.float64] | csr_array[Any, tuple[int, int]]"


@dataclass(frozen=True, slots=True, eq=False)
class CommunityResult:
    """A partition of the nodes and its quality.

    Parameters
    ----------
    labels : array of int32, shape (n_nodes,)
        Group of each node; groups are numbered ``0 .. n_communities - 1`` by their smallest node.
    modularity : float
        Of these labels, at the resolution that was asked for.
    """

    labels: NDArray[np.int32]
    modularity: float

    @property
    def n_communities(self) -> int:
        """Number of groups."""
        return int(self.labels.max()) + 1 if self.labels.size else 0


@dataclass(frozen=True, slots=True, eq=False)
class CommunityProblem:
    """A graph and what its communities shall be, checked; :func:`check_problem` makes it.

    Attributes
    ----------
    weights : Graph or array of float64, shape (n_nodes, n_nodes)
        Undirected, the largest weight in [1, 2); an array is symmetric, its diagonal zero.
    k : int or None
        Number of groups, ``1 .. n_nodes``; None: as the algorithm finds.
    resolution : float
    """

    weights: Graph | NDArray[np.float64]
    k: int | None = None
    resolution: float = 1.0

    @property
    def n_nodes(self) -> int:
        """The number of nodes."""
        return self.weights.n_nodes if isinstance(self.weights, Graph) else len(self.weights)

    def as_graph(self) -> Graph:
        """Return the weights as a Graph."""
        if isinstance(self.weights, Graph):
            return self.weights
        return Graph.from_scipy(self.weights, directed=False)

    def modularity(self, group: NDArray[np.integer]) -> float:
        """Return the modularity of groups numbered from 0."""
        if isinstance(self.weights, Graph):
            strengths, inside = self.weights.strengths, _inside_graph(self.weights, group)
        else:
            strengths, inside = self.weights.sum(axis=1), _inside_matrix(self.weights, group)
        total = float(strengths.sum())
        if total == 0.0:
            return 0.0
        volumes = np.bincount(group, weights=strengths) / total
        return inside / total - self.resolution * float(volumes @ volumes)

    def result(self, group: NDArray[np.integer]) -> CommunityResult:
        """Return groups as the caller gets them."""
        labels = numbered_by_node(group).astype(np.int32)
        return CommunityResult(labels, self.modularity(labels))

    def nodes_with_edges(self) -> tuple[NDArray[np.int64], Matrix]:
        """Return the nodes that have an edge, ascending, and the matrix between them.

        A sparse matrix, that of a Graph, stores no zero.
        """
        if not isinstance(self.weights, Graph):
            nodes = np.flatnonzero(self.weights.sum(axis=1) > 0)
            if len(nodes) == self.n_nodes:
                return nodes, self.weights
            return nodes, self.weights[np.ix_(nodes, nodes)]
        matrix = self.weights.to_scipy()
        matrix.eliminate_zeros()
        nodes = np.flatnonzero(matrix.sum(axis=1) > 0)
        if len(nodes) == self.n_nodes:
            return nodes, matrix
        # The rows that go are empty, so only columns get other numbers. Indexing would take many
        # times as long, and would not notice Ctrl-C meanwhile.
        number = np.zeros(self.n_nodes, matrix.indices.dtype)
        number[nodes] = np.arange(len(nodes))
        starts = np.append(matrix.indptr[nodes], matrix.indptr[-1:])
        kept = (matrix.data, number[matrix.indices], starts)
        return nodes, type(matrix)(kept, shape=(len(nodes), len(nodes)))


def check_problem(
    graph: Graph | ArrayLike, k: int | None = None, *, resolution: float = 1.0
) -> CommunityProblem:
    """Return the problem, or raise TypeError or ValueError naming the argument at fault."""
    weights = _check_weights("graph", graph)
    problem = CommunityProblem(weights)
    if k is not None:
        k = check_integer("k", k, minimum=1, maximum=problem.n_nodes)
    resolution = check_number("resolution", resolution, minimum=0.0)
    return CommunityProblem(weights, k, resolution)


def modularity(graph: Graph | ArrayLike, labels: ArrayLike, *, resolution: float = 1.0) -> float:
    """Return the modularity of a partition.

    ``Q = 1/2m [ sum of A_ij over pairs in one group - resolution * sum of S_g^2 / 2m ]`` with
    ``S_g`` the total strength of group g.

    Parameters
    ----------
    graph : Graph or array of float, shape (n_nodes, n_nodes)
        Undirected; weights, if any, must not be negative. An array holds the weight of every pair:
        symmetric, its diagonal is ignored. Only the ratios of weights count, here and for all
        algorithms that find communities: weights times a power of two give the same bits. A weight
        below 2^-1074 times the largest counts as 0.
    labels : array of int, shape (n_nodes,)
        Group of each node; any integers.
    resolution : float
        1 is Newman and Girvan's modularity.

    Returns
    -------
    float
        In [-1/2, 1] at resolution 1; 0 for a graph without edges, or with weights of 0 alone.

    Raises
    ------
    ValueError
        For a directed graph or a matrix that is not symmetric, negative weights, or labels of the
        wrong length.

    Notes
    -----
    O(n + m) for a graph, O(n²) for an array.
    M. E. J. Newman and M. Girvan, Phys. Rev. E 69, 026113 (2004).

    Examples
    --------
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> round(modularity(two_triangles, [0, 0, 0, 1, 1, 1]), 4)
    0.3571
    """
    problem = check_problem(graph, resolution=resolution)
    return problem.modularity(check_labels(labels, problem.n_nodes))


def _inside_graph(graph: Graph, group: NDArray[np.integer]) -> float:
    """Return twice the weight of the edges within groups."""
    edges, weights = graph.edges, graph.edge_weights
    together = group[edges[:, 0]] == group[edges[:, 1]]
    return 2.0 * float(together.sum() if weights is None else weights[together].sum())


def _inside_matrix(weights: NDArray[np.float64], group: NDArray[np.integer]) -> float:
    """Return twice the weight of the pairs within groups."""
    numbers = np.ascontiguousarray(group, np.int64)
    return 2.0 * _core.weight_within(weights, numbers, get_num_threads())


def check_strengths(name: str, graph: Graph) -> None:
    """Raise naming `name` for what is no Graph, a directed graph or negative weights."""
    check_undirected(name, graph)
    if graph.weights is not None and (graph.weights < 0).any():
        raise ValueError(f"{name} must not have negative weights")


def _check_weights(name: str, value: Graph | ArrayLike) -> Graph | NDArray[np.float64]:
    """Return an undirected graph or a matrix of weights, made fit for the kernels.

    Returns
    -------
    Graph or array of float64, shape (n_nodes, n_nodes)
        The largest weight is in [1, 2), the unit being a power of two: modularity has none. The
        array is C-contiguous, exactly symmetric and zero on its diagonal. The caller's own where
        all that is so already.
    """
    if isinstance(value, Graph):
        check_strengths(name, value)
        return in_own_unit(value)[0]
    if not isinstance(value, list | tuple) and not hasattr(value, "__array__"):
        raise TypeError(
            f"{name} must be a Graph or a matrix of weights, not {type(value).__name__}"
        )
    given = check_float_array(name, value, ndim=2, finite=False)
    smallest, largest = float(given.min(initial=0.0)), float(given.max(initial=0.0))
    if not np.isfinite(largest - smallest):  # NaN and infinity come out of both; now say where
        check_float_array(name, given, ndim=2)
    weights = given.astype(np.float64, copy=False)
    if weights.shape[0] != weights.shape[1]:
        raise ValueError(f"{name} must be square, not {weights.shape[0]} x {weights.shape[1]}")
    if weights.size == 0:
        return weights
    if smallest < 0.0:
        raise ValueError(f"{name} must not have negative weights")
    if not _is_symmetric(weights):
        weights = _symmetrized(name, weights, _ASYMMETRY * largest)
    if weights.diagonal().any():
        weights = weights.copy()
        np.fill_diagonal(weights, 0.0)
    exponent = exponent_of(weights)
    if exponent != 0:
        check_memory(f"a copy of {name}", weights.nbytes, "divide it by its largest entry")
    return times_power(weights, -exponent)


def _is_symmetric(weights: NDArray[np.float64], block: int = 256) -> bool:
    # By squares that fit the cache together with their mirror images.
    starts = range(0, len(weights), block)
    return all(
        np.array_equal(
            weights[i : i + block, j : j + block], weights[j : j + block, i : i + block].T
        )
        for i in starts
        for j in starts
        if j >= i
    )


def _symmetrized(name: str, weights: NDArray[np.float64], tolerance: float) -> NDArray[np.float64]:
    asymmetry = np.abs(weights - weights.T)
    if asymmetry.max() > tolerance:
        i, j = (int(end) for end in np.unravel_index(asymmetry.argmax(), weights.shape))
        raise ValueError(
            f"{name} must be symmetric; {name}[{i}, {j}] is {weights[i, j]} and "
            f"{name}[{j}, {i}] is {weights[j, i]}"
        )
    return weights / 2.0 + weights.T / 2.0


def check_labels(labels: ArrayLike, n_nodes: int) -> NDArray[np.int64]:
    """Return labels renumbered from 0."""
    array = as_array("labels", labels)
    if array.shape != (n_nodes,):
        raise ValueError(f"labels must have shape ({n_nodes},), not {array.shape}")
    if array.size and array.dtype.kind not in "iub":
        raise TypeError(f"labels must be integers, not {array.dtype}")
    return np.unique(array, return_inverse=True)[1].astype(np.int64).reshape(n_nodes)


def numbered_by_node(group: ArrayLike) -> NDArray[np.int64]:
    """Return the groups numbered 0, 1, ... in the order of their smallest nodes."""
    _, first, number = np.unique(group, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[number]


def with_isolated(
    group: NDArray[np.integer],
    nodes: NDArray[np.int64],
    n_nodes: int,
    n_alone: int,
    host: int | None = None,
) -> NDArray[np.int64]:
    """Extend groups of the nodes with edges to all nodes.

    Where nodes without an edge go costs no modularity, so one rule serves all algorithms.

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
        of equal ones the first; if there are no groups, they become one.

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
