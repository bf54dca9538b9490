"""The trainer's Adam."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from graphopt._native import _core
from graphopt.learning.descent import Adam
from tests.reference.adam import adam_step as twin

SETTINGS = {
    "learning_rate": 0.02,
    "weight_decay": 0.1,
    "beta1": 0.9,
    "beta2": 0.999,
    "epsilon": 1e-8,
}


def draw(size: Any, dtype: type) -> list[Any]:
    rng = np.random.default_rng(0)
    parameter, gradient, first, second = (rng.normal(size=size).astype(dtype) for _ in range(4))
    return [parameter, gradient, first, second**2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [0, 1, (7, 5), 40_000])
def test_kernel_equals_twin(size: Any, dtype: type) -> None:
    given = draw(size, dtype)
    wanted = twin(*(array.astype(np.float64) for array in given), **SETTINGS, step=3)
    parameter, gradient, first, second = given
    before = gradient.copy()
    _core.adam_step(parameter, gradient, first, second, *SETTINGS.values(), 3, 2)
    close = dict.fromkeys(["rtol", "atol"], 1e-5 if dtype is np.float32 else 1e-12)
    for ours, theirs in zip((parameter, first, second), wanted, strict=True):
        np.testing.assert_allclose(ours, theirs, **close)
    assert np.array_equal(gradient, before)


def test_same_bits_at_any_number_of_threads() -> None:
    def run(threads: int) -> list[bytes]:
        given = draw(100_000, np.float32)
        _core.adam_step(*given, *SETTINGS.values(), 5, threads)
        return [array.tobytes() for array in given]

    assert run(1) == run(2) == run(3) == run(8)


def test_kernel_refuses_what_it_cannot_write_safely() -> None:
    given = draw(5, np.float64)
    with pytest.raises(ValueError, match="gradient must have 5 elements, not 4"):
        _core.adam_step(given[0], given[1][:4].copy(), *given[2:], *SETTINGS.values(), 1, 1)
    given[0].flags.writeable = False
    with pytest.raises(ValueError, match="not writeable"):
        _core.adam_step(*given, *SETTINGS.values(), 1, 1)
    with pytest.raises(TypeError):
        _core.adam_step(np.ones((5, 2))[:, 0], *given[1:], *SETTINGS.values(), 1, 1)


@pytest.mark.parametrize("weight_decay", [0.0, 0.05])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_path_is_that_of_torch(dtype: torch.dtype, weight_decay: float) -> None:
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(6, 4, generator=generator, dtype=dtype), torch.ones(3, dtype=dtype)]
    target = torch.randn(6, 4, generator=generator, dtype=dtype)

    def descend(ours: bool) -> list[torch.Tensor]:
        leaves = [value.clone().requires_grad_() for value in start]
        unused = torch.zeros(2, dtype=dtype, requires_grad=True)
        optimizer: Any = (
            Adam([*leaves, unused], 0.05, weight_decay)
            if ours
            else torch.optim.Adam([*leaves, unused], lr=0.05, weight_decay=weight_decay)
        )
        for _ in range(50):
            optimizer.zero_grad()
            loss = (leaves[0].T - target.T).pow(4).sum() + leaves[1].exp().sum()
            loss.backward()
            optimizer.step()
        assert torch.equal(unused, torch.zeros(2, dtype=dtype))
        return leaves

    for ours, theirs in zip(descend(True), descend(False), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_graph_made_before_a_step_notices_it() -> None:
    leaf = torch.randn(4, requires_grad=True)
    optimizer = Adam([leaf], 0.1)
    leaf.square().sum().backward()
    loss = leaf.square().sum()
    optimizer.step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()
