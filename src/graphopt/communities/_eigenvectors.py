"""Leading eigenvectors of modularity matrices, which are never formed."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._native import _core
from graphopt._threads import get_num_threads
from graphopt.communities._problem import Matrix
from graphopt.errors import ConvergenceWarning

Floats: TypeAlias = NDArray[np.float64]

# Up to here a full decomposition takes milliseconds; up to the second, less than a second, which is
# worth it where Lanczos does not converge.
_SMALL = 150
_FEASIBLE = 1_000

# Of the residual, relative to the eigenvalue. Long thin graphs need more restarts than is worth it.
_TOLERANCE = 1e-7
_RESTARTS = 60


@dataclass(frozen=True, slots=True, eq=False)
class SymmetricOperator:
    """``S A S + V F V' + G``, with S, F and G diagonal, by its products with vectors.

    Attributes
    ----------
    matrix : array or sparse array of float64, shape (n, n)
        A, not negative; an array is C-contiguous.
    scale, diagonal : array of float64, shape (n,)
        S and G.
    vectors : array of float64, shape (n, n_vectors)
        V, few.
    factors : array of float64, shape (n_vectors,)
        F.
    num_threads : int
        For the products of an array and a vector.
    """

    matrix: Matrix
    scale: Floats
    diagonal: Floats
    vectors: Floats
    factors: Floats
    num_threads: int = field(default_factory=get_num_threads)

    def __matmul__(self, x: Floats) -> Floats:
        """Multiply with the columns of a matrix, or with one vector."""
        if x.ndim == 2:
            scale, factors, diagonal = (
                part[:, None] for part in (self.scale, self.factors, self.diagonal)
            )
        else:
            scale, factors, diagonal = self.scale, self.factors, self.diagonal
        product = times(self.matrix, scale * x, self.num_threads)
        product *= scale
        product += self.vectors @ (factors * (self.vectors.T @ x))
        product += diagonal * x
        return product

    def to_array(self) -> Floats:
        """Form the matrix."""
        given = self.matrix if isinstance(self.matrix, np.ndarray) else self.matrix.toarray()
        dense: Floats = given * self.scale * self.scale[:, None]
        dense += (self.vectors * self.factors) @ self.vectors.T
        dense[np.diag_indices_from(dense)] += self.diagonal
        return dense

    def without(self, direction: Floats) -> SymmetricOperator:
        """Give an eigenvector the smallest eigenvalue of all, so that the others lead."""
        unit = direction / np.linalg.norm(direction)
        sums = times(self.matrix, self.scale, self.num_threads)
        bound = (self.scale * sums).max() + np.abs(self.diagonal).max()
        bound += np.abs(self.factors) @ (self.vectors**2).sum(axis=0)
        return replace(
            self,
            vectors=np.column_stack([self.vectors, unit]),
            factors=np.append(self.factors, -2.0 * bound),
        )


def times(matrix: Matrix, x: Floats, num_threads: int) -> Floats:
    """Multiply a symmetric matrix with a vector or with the columns of a matrix.

    An array and a vector: half of the array is read, which is what the product costs. All else is
    left to the libraries.
    """
    if isinstance(matrix, np.ndarray) and x.ndim == 1:
        return _core.symmetric_product(matrix, x, num_threads)
    return np.asarray(matrix @ x)


def group_modularity(matrix: Matrix, strengths: Floats, total: float) -> SymmetricOperator:
    """Return the generalised modularity matrix of a group, less its constant eigenvector.

    ``B_ij = A_ij - s_i s_j / 2m``, and on the diagonal what makes its rows sum to 0 over the group.

    Parameters
    ----------
    matrix : array or sparse array, shape (n, n)
        Weights within the group.
    strengths : array of float64, shape (n,)
        Of the nodes in the whole graph.
    total : float
        Sum of all strengths in the whole graph, 2m.
    """
    matrix = _contiguous(matrix)
    ones = np.ones(len(strengths))
    diagonal = strengths * (strengths.sum() / total) - times(matrix, ones, get_num_threads())
    factors = np.array([-1.0 / total])
    return SymmetricOperator(matrix, ones, diagonal, strengths[:, None], factors).without(ones)


def normalized_modularity(matrix: Matrix, regularization: float) -> SymmetricOperator:
    """Return ``D^-1/2 B D^-1/2``, less its trivial eigenvector, after a regularisation.

    B and D are those of a graph where every pair of nodes has a further weight, the same for all:
    `regularization` times the mean strength, shared among all nodes.
    """
    matrix = _contiguous(matrix)
    n = matrix.shape[0]
    strengths = times(matrix, np.ones(n), get_num_threads())
    further = regularization * float(strengths.mean())
    root = np.sqrt(strengths + further)
    vectors = np.column_stack([1.0 / root, root])
    factors = np.array([further / n, -1.0 / float(root @ root)])
    return SymmetricOperator(matrix, 1.0 / root, np.zeros(n), vectors, factors).without(root)


def _contiguous(matrix: Matrix) -> Matrix:
    return np.ascontiguousarray(matrix) if isinstance(matrix, np.ndarray) else matrix


def leading_eigenvectors(operator: SymmetricOperator, count: int) -> Floats:
    """Return the eigenvectors of the `count` largest eigenvalues, the largest first.

    The entry of largest magnitude is positive in each. Lanczos from a fixed start; where it does
    not converge, a full decomposition, or for many nodes LOBPCG, with a warning if that one does
    not converge either.
    """
    n = len(operator.diagonal)
    solve = _full if n <= _SMALL or 4 * count >= n else _lanczos
    vectors = solve(operator, count)
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return vectors * np.where(largest < 0.0, -1.0, 1.0)


def _full(operator: SymmetricOperator, count: int) -> Floats:
    load_whole("scipy.linalg")
    from scipy.linalg import eigh

    n = len(operator.diagonal)
    _, vectors = eigh(operator.to_array(), subset_by_index=[n - count, n - 1])
    return np.asarray(vectors)[:, ::-1]


def _lanczos(operator: SymmetricOperator, count: int) -> Floats:
    load_whole("scipy.sparse.linalg")
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigsh

    n = len(operator.diagonal)
    start = np.random.default_rng(0).standard_normal(n)
    product = LinearOperator((n, n), matvec=operator.__matmul__, dtype=np.float64)
    try:
        values, vectors = eigsh(
            product,
            count,
            which="LA",
            v0=start,
            ncv=min(n, max(2 * count + 1, 40)),
            tol=_TOLERANCE,
            maxiter=_RESTARTS,
        )
    except ArpackError:
        return _full(operator, count) if n <= _FEASIBLE else _lobpcg(operator, count)
    return np.asarray(vectors)[:, np.argsort(-values, kind="stable")]


def _lobpcg(operator: SymmetricOperator, count: int) -> Floats:
    load_whole("scipy.sparse.linalg")
    from scipy.sparse.linalg import LinearOperator, lobpcg

    n = len(operator.diagonal)
    start = np.random.default_rng(0).standard_normal((n, count + 4))
    product = LinearOperator(
        (n, n), matvec=operator.__matmul__, matmat=operator.__matmul__, dtype=np.float64
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # our own is clearer
        values, vectors = lobpcg(product, start, largest=True, maxiter=300)
    leading = np.argsort(-values, kind="stable")[:count]
    values, found = values[leading], np.asarray(vectors, np.float64)[:, leading]
    residual = float(np.linalg.norm(operator @ found - found * values, axis=0).max())
    typical = float(np.linalg.norm(operator @ start) / np.linalg.norm(start))
    if residual > 1e-2 * max(typical, float(np.abs(values).max())):
        warnings.warn(
            f"the leading eigenvectors of {n:,} nodes were found to a residual of {residual:.1e} "
            "only; the groups are valid, though perhaps not the best",
            ConvergenceWarning,
            stacklevel=4,
        )
    return found
