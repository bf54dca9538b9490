"""No function depends on the unit of weights, lengths or features: powers of two change no bit."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from unit_cases import CASES, WITHOUT_A_UNIT, Values

import graphopt


def array(value: Any) -> NDArray[Any]:
    if hasattr(value, "toarray"):
        value = value.toarray()
    return value.numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


BASE: dict[str, Values] = {}


@pytest.mark.parametrize(
    ("name", "exponent"),
    [(name, exponent) for name, (_, exponents, _) in CASES.items() for exponent in exponents],
)
def test_a_power_of_two_changes_no_bit(name: str, exponent: int) -> None:
    case = CASES[name][0]
    if name not in BASE:
        BASE[name] = case(0)
    found = case(exponent)
    assert len(found) == len(BASE[name])
    for i, ((value, power), (other, _)) in enumerate(zip(found, BASE[name], strict=True)):
        expected = array(other)
        assert not np.issubdtype(expected.dtype, np.floating) or not np.isnan(expected).any(), i
        if power:
            expected = np.ldexp(expected, power * exponent)
        np.testing.assert_array_equal(array(value), expected, strict=True, err_msg=f"value {i}")


def test_every_public_name_has_a_case() -> None:
    modules = ("features", "objectives", "nn", "completion", "evaluation", "datasets", "decision")
    public = set(graphopt.__all__) - {*modules, "learning"}
    for module in (*modules, "learning", "centers", "communities"):
        public |= set(import_module(f"graphopt.{module}").__all__)
    covered = {word for _, _, names in CASES.values() for word in names.split()}
    assert public - covered - WITHOUT_A_UNIT == set()
    assert (covered | WITHOUT_A_UNIT) - public == set()
    assert covered & WITHOUT_A_UNIT == set()
