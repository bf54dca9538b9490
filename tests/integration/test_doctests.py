"""Examples in docstrings run and say what they print."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import graphopt

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(graphopt.__path__, "graphopt.")
    if not module.name.split(".")[-1].startswith("__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str) -> None:
    module = importlib.import_module(name)
    failures, _ = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert failures == 0
