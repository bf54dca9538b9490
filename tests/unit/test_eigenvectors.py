"""Modularity operators against their twins; eigenvectors against a full decomposition."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse.linalg
from helpers import random_graph

from graphopt import Graph
from graphopt.communities import _eigenvectors
from graphopt.communities._eigenvectors import (
    group_modularity,
    leading_eigenvectors,
    normalized_modularity,
)
from graphopt.errors import ConvergenceWarning
from tests.reference import communities as twin


def connected_part(n_nodes: int, n_edges: int, seed: int, weights: str | None = "float") -> Graph:
    return random_graph(n_nodes, n_edges, seed, weights=weights).largest_component()[0]


def both_forms(graph: Graph) -> tuple:
    return graph.to_scipy(), graph.to_scipy().toarray()


def test_the_group_operator_is_newmans_matrix() -> None:
    graph = connected_part(30, 80, 0)
    sparse, dense = both_forms(graph)
    members = np.flatnonzero(np.random.default_rng(0).random(graph.n_nodes) < 0.6)
    expected = twin.group_modularity_matrix(dense, members)
    for matrix in (sparse[members][:, members], dense[np.ix_(members, members)]):
        operator = group_modularity(matrix, graph.strengths[members], float(dense.sum()))
        formed = operator.to_array()
        x = np.random.default_rng(1).standard_normal((len(members), 3))
        np.testing.assert_allclose(operator @ x, formed @ x, atol=1e-12)
        np.testing.assert_allclose(operator @ x[:, 0], formed @ x[:, 0], atol=1e-12)
        # Equal but for the constant vector, which has eigenvalue 0 there and the smallest here.
        centred = x - x.mean(axis=0)
        np.testing.assert_allclose(formed @ centred, expected @ centred, atol=1e-12)
        ones = np.ones(len(members))
        value = float(ones @ formed @ ones) / len(ones)
        np.testing.assert_allclose(formed @ ones, value * ones, atol=1e-9)
        assert value <= np.linalg.eigvalsh(expected)[0]


@pytest.mark.parametrize("regularization", [0.0, 0.3, 2.0])
def test_the_normalized_operator_is_its_twin(regularization: float) -> None:
    graph = connected_part(30, 80, 1)
    for matrix in both_forms(graph):
        operator = normalized_modularity(matrix, regularization)
        expected = twin.normalized_modularity_matrix(both_forms(graph)[1], regularization)
        trivial = np.sqrt(graph.strengths + regularization * graph.strengths.mean())
        trivial /= np.linalg.norm(trivial)
        x = np.random.default_rng(1).standard_normal((graph.n_nodes, 3))
        x -= np.outer(trivial, trivial @ x)
        np.testing.assert_allclose(operator @ x, expected @ x, atol=1e-12)
        np.testing.assert_allclose(expected @ trivial, 0.0, atol=1e-12)
        assert trivial @ (operator @ trivial) < np.linalg.eigvalsh(expected)[0]


@pytest.mark.parametrize("n_nodes", [60, 400])  # a full decomposition, and Lanczos
@pytest.mark.parametrize("count", [1, 4])
def test_leading_eigenvectors_are_numpys(n_nodes: int, count: int) -> None:
    graph = connected_part(n_nodes, 4 * n_nodes, 2)
    for matrix in both_forms(graph):
        operator = normalized_modularity(matrix, 0.1)
        vectors = leading_eigenvectors(operator, count)
        values, expected = np.linalg.eigh(operator.to_array())
        np.testing.assert_allclose(operator @ vectors, vectors * values[::-1][:count], atol=1e-6)
        overlap = np.abs((vectors * expected[:, ::-1][:, :count]).sum(axis=0))
        np.testing.assert_allclose(overlap, 1.0, atol=1e-6)
        largest = np.abs(vectors).argmax(axis=0)
        assert (vectors[largest, range(count)] > 0).all()
        assert np.array_equal(vectors, leading_eigenvectors(operator, count))


def failing(*args: object, **kwargs: object) -> None:
    raise scipy.sparse.linalg.ArpackNoConvergence("no convergence", np.empty(0), np.empty((0, 0)))


@pytest.mark.parametrize("feasible", [1_000, 0])  # by a full decomposition; by LOBPCG
def test_where_lanczos_fails_something_else_finds_them(
    monkeypatch: pytest.MonkeyPatch, feasible: int
) -> None:
    operator = normalized_modularity(connected_part(300, 900, 3).to_scipy(), 0.3)
    expected = leading_eigenvectors(operator, 3)
    monkeypatch.setattr(scipy.sparse.linalg, "eigsh", failing)
    monkeypatch.setattr(_eigenvectors, "_FEASIBLE", feasible)
    found = leading_eigenvectors(operator, 3)
    np.testing.assert_allclose(np.abs((found * expected).sum(axis=0)), 1.0, atol=1e-3)


def test_a_warning_where_nothing_converges(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = normalized_modularity(connected_part(300, 900, 3).to_scipy(), 0.3)
    monkeypatch.setattr(scipy.sparse.linalg, "eigsh", failing)
    monkeypatch.setattr(_eigenvectors, "_FEASIBLE", 0)
    monkeypatch.setattr(
        scipy.sparse.linalg, "lobpcg", lambda _, start, **options: (np.ones(len(start[0])), start)
    )
    with pytest.warns(ConvergenceWarning, match="leading eigenvectors of 2.. nodes were found to"):
        leading_eigenvectors(operator, 3)
