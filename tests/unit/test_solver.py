"""HiGHS in this process and in another: the same answers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, linprog
from scipy.sparse import csr_array

from graphopt import Graph, exact_k_center
from graphopt.centers import _solver


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave no time to this process."""
    monkeypatch.setattr(_solver, "_MOMENT", 0.0)
    with _solver.solver_process():
        yield


def incidence() -> csr_array:
    rng = np.random.default_rng(0)
    table = rng.uniform(size=(60, 40)) < 0.1
    table[np.arange(60), rng.integers(0, 40, 60)] = True
    return csr_array(table.astype(np.float64))


def test_a_long_program_is_solved_elsewhere(elsewhere: None) -> None:
    rows = incidence()
    program = {"c": np.ones(40), "A_ub": -rows, "b_ub": -np.ones(60), "method": "highs"}
    expected = linprog(**program)
    found = _solver.solve("linprog", np.inf, **program)
    assert _solver._child is not None
    assert found.status == 0
    assert np.array_equal(found.x, expected.x)
    assert np.array_equal(found.ineqlin.marginals, expected.ineqlin.marginals)
    whole = _solver.solve(
        "milp",
        60.0,
        c=np.ones(40),
        constraints=LinearConstraint(rows, lb=1.0),
        bounds=Bounds(0.0, 1.0),
        integrality=np.ones(40),
    )
    assert whole.success
    assert whole.fun >= expected.fun - 1e-6


def test_the_process_ends_with_the_block() -> None:
    with _solver.solver_process():
        assert _solver._child is None
    assert _solver._child is None


def test_where_no_process_can_be_started(elsewhere: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_solver.sys, "executable", "/nowhere/python")
    rows = incidence()
    program = {"c": np.ones(40), "A_ub": -rows, "b_ub": -np.ones(60), "method": "highs"}
    assert np.array_equal(_solver.solve("linprog", np.inf, **program).x, linprog(**program).x)


def test_exact_k_center_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    graph, _ = Graph.from_edges(rng.integers(0, 120, (200, 2)), 120).largest_component()
    expected = exact_k_center(graph, 6)
    monkeypatch.setattr(_solver, "_MOMENT", 0.0)
    found = exact_k_center(graph, 6)
    assert _solver._child is None
    assert (found.radius, found.lower_bound) == (expected.radius, expected.lower_bound)
    assert np.array_equal(found.centers, expected.centers)
