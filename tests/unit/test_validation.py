"""Messages name the argument, what was wanted and what came."""

from __future__ import annotations

import numpy as np
import pytest

from graphopt import _validation as validation
from graphopt.errors import GraphoptError, MemoryLimitError


@pytest.mark.parametrize("value", [3, np.int8(3), np.uint64(3)])
def test_integers_pass(value: object) -> None:
    assert validation.check_integer("k", value, minimum=3, maximum=3) == 3
    assert type(validation.check_integer("k", value)) is int


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (2.0, TypeError, "k must be an integer, not float"),
        ("2", TypeError, "k must be an integer, not str"),
        (None, TypeError, "k must be an integer, not NoneType"),
        (True, TypeError, "k must be an integer, not True"),
        (np.False_, TypeError, "k must be an integer, not"),
        (np.ones(2), TypeError, "k must be an integer, not ndarray"),
        (0, ValueError, "k must be at least 1, not 0"),
        (10, ValueError, "k must be at most 9, not 10"),
    ],
)
def test_other_integers_do_not(value: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        validation.check_integer("k", value, minimum=1, maximum=9)


@pytest.mark.parametrize("value", [1, 1.0, np.float32(1), np.int64(1)])
def test_numbers_pass(value: object) -> None:
    number = validation.check_number("t", value, minimum=1, maximum=1)
    assert (number, type(number)) == (1.0, float)


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("1", TypeError, "t must be a number, not '1'"),
        (True, TypeError, "t must be a number, not True"),
        (None, TypeError, "t must be a number, not NoneType"),
        (1j, TypeError, "t must be a number, not complex"),
        (float("nan"), ValueError, "t must be finite, not nan"),
        (float("inf"), ValueError, "t must be finite, not inf"),
        (0, ValueError, "t must be greater than 0, not 0"),
        (-1.5, ValueError, "t must be greater than 0, not -1.5"),
        (3, ValueError, "t must be at most 2, not 3"),
    ],
)
def test_other_numbers_do_not(value: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        validation.check_number("t", value, minimum=0, maximum=2, open_minimum=True)


def test_a_closed_minimum_says_at_least() -> None:
    with pytest.raises(ValueError, match="t must be at least 0, not -1"):
        validation.check_number("t", -1, minimum=0)


def test_choices() -> None:
    assert validation.check_choice("mode", "b", ("b", "a")) == "b"
    for value in ("c", None, 1):
        with pytest.raises(ValueError, match=rf"mode must be one of a, b, not {value!r}"):
            validation.check_choice("mode", value, ("b", "a"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_float_arrays_keep_type_and_memory(dtype: type) -> None:
    array = np.ones((3, 2), dtype)
    assert validation.check_float_array("x", array, ndim=2) is array
    turned = validation.check_float_array("x", array.T, ndim=2)
    assert turned.dtype == dtype
    assert turned.flags.c_contiguous
    array.flags.writeable = False
    assert np.shares_memory(validation.check_float_array("x", array, ndim=2), array)


@pytest.mark.parametrize("value", [[1, 2], np.array([1, 2], np.uint8), np.array([True, False])])
def test_other_numeric_arrays_become_float64(value: object) -> None:
    assert validation.check_float_array("x", value, ndim=1).dtype == np.float64


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([["a"]], TypeError, "x must be a numeric array, not <U1"),
        ([[1j]], TypeError, "x must be a numeric array, not complex128"),
        (np.array([[None]]), TypeError, "x must be a numeric array, not object"),
        ([1.0], ValueError, "x must be 2D, not 1D"),
        ([[1.0, 2.0], [np.nan, 0.0]], ValueError, r"x must be finite; x\[1, 0\] is nan"),
        ([[np.inf]], ValueError, r"x must be finite; x\[0, 0\] is inf"),
    ],
)
def test_other_arrays_do_not(value: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        validation.check_float_array("x", value, ndim=2)


def test_infinity_where_it_is_allowed() -> None:
    array = validation.check_float_array("d", [np.inf, np.nan], ndim=1, finite=False)
    assert np.isinf(array[0])


def test_dtypes_must_agree() -> None:
    single, double = np.ones(1, np.float32), np.ones(1)
    validation.check_same_dtype("a", double, "b", double)
    with pytest.raises(TypeError, match="a must have the dtype of b, float64, not float32"):
        validation.check_same_dtype("a", single, "b", double)


def test_node_numbers() -> None:
    assert validation.check_node_index("node", np.int32(2), 3) == 2
    for value in (-1, 3):
        with pytest.raises(ValueError, match=rf"node must be a node number in 0\.\.2, not {value}"):
            validation.check_node_index("node", value, 3)
    with pytest.raises(TypeError, match="node must be an integer"):
        validation.check_node_index("node", 1.0, 3)


@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint64])
def test_node_vectors(dtype: type) -> None:
    wide = np.array([0, 9, 2, 9], dtype)[::2]
    nodes = validation.check_node_indices("nodes", wide, 3)
    assert nodes.dtype == np.int32
    assert nodes.tolist() == [0, 2]
    assert validation.check_node_indices("nodes", [], 0).dtype == np.int32


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ([[0]], ValueError, "nodes must be 1D, not 2D"),
        ([0.0], TypeError, "nodes must hold integers, not float64"),
        ([True], TypeError, "nodes must hold integers, not bool"),
        ([0, -1], ValueError, r"nodes must hold node numbers in 0\.\.2; nodes\[1\] is -1"),
        ([3], ValueError, r"nodes must hold node numbers in 0\.\.2; nodes\[0\] is 3"),
        ([2**40], ValueError, r"nodes\[0\] is 1099511627776"),
        (np.array([2**63], np.uint64), ValueError, r"nodes\[0\] is 9223372036854775808"),
    ],
)
def test_other_node_vectors_do_not(value: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        validation.check_node_indices("nodes", value, 3)


def test_random_states() -> None:
    generator = np.random.default_rng(1)
    assert validation.check_random_state(generator) is generator
    seeded = validation.check_random_state(np.int64(1))
    assert seeded.random() == np.random.default_rng(1).random()
    assert isinstance(validation.check_random_state(None), np.random.Generator)
    with pytest.raises(ValueError, match="random_state must be at least 0, not -1"):
        validation.check_random_state(-1)
    with pytest.raises(TypeError, match="random_state must be an integer, not str"):
        validation.check_random_state("1")  # type: ignore[arg-type]


def test_memory_is_asked_for_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "available_memory", lambda: 1000)
    validation.check_memory("a table", 1000, "use less")
    message = "a table needs 1,001 bytes and 1,000 are available; use less"
    with pytest.raises(MemoryLimitError, match=message) as caught:
        validation.check_memory("a table", 1001, "use less")
    assert isinstance(caught.value, MemoryError)
    assert isinstance(caught.value, GraphoptError)
    monkeypatch.setattr(validation, "available_memory", lambda: None)
    validation.check_memory("a table", 10**15, "use less")
    with pytest.raises(MemoryLimitError, match="a table needs"):  # more than any machine addresses
        validation.check_memory("a table", 10**30, "use less")
