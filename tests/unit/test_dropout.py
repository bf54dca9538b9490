"""Dropout without a stored mask."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from graphopt._native import _core
from graphopt.nn import dropout, operators
from tests.reference.dropout import dropout as twin


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.999])
def test_kernel_equals_twin(dtype: type, share: float) -> None:
    values = np.random.default_rng(0).normal(size=(7, 41)).astype(dtype)
    found = _core.dropout(values, share, 2**63 + 5, 2)
    np.testing.assert_allclose(found, twin(values, share, 2**63 + 5), rtol=1e-6)
    assert found.dtype == dtype


def test_twin_agrees_beyond_the_first_chunk() -> None:
    values = np.ones(2**16 + 40)
    assert np.array_equal(_core.dropout(values, 0.4, 3, 2)[-60:], twin(values, 0.4, 3)[-60:])


def test_same_bits_at_any_number_of_threads() -> None:
    values = np.random.default_rng(0).normal(size=300_000).astype(np.float32)
    one, *more = (_core.dropout(values, 0.5, 9, threads).tobytes() for threads in (1, 2, 3, 8))
    assert all(other == one for other in more)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.75])
def test_the_share_is_met_and_positions_are_independent(share: float) -> None:
    n = 400_000
    kept = _core.dropout(np.ones(n), share, 1, 1) != 0.0
    tolerance = 5.0 * np.sqrt(share * (1.0 - share) / n)
    assert abs(kept.mean() - (1.0 - share)) < tolerance
    other_seed = _core.dropout(np.ones(n), share, 2, 1) != 0.0
    for shifted in (kept[1:], kept[64:], kept[2**16 :], other_seed):
        both = (kept[: len(shifted)] & shifted).mean()
        assert abs(both - (1.0 - share) ** 2) < 2.0 * tolerance


def test_gradient_drops_the_same_entries() -> None:
    values = torch.randn(50, 20, dtype=torch.float64, requires_grad=True)
    torch.manual_seed(0)
    found = dropout(values, 0.4)
    (gradient,) = torch.autograd.grad(found.sum(), values)
    assert torch.equal(gradient != 0, found != 0)
    assert torch.allclose(found, gradient * values)


def test_registration_and_gradcheck() -> None:
    values = torch.randn(6, 5, dtype=torch.float64, requires_grad=True)
    seed = torch.tensor(3)
    torch.library.opcheck(operators.dropout.registered, (values, seed, 0.5, 2))
    assert torch.autograd.gradcheck(lambda v: operators.dropout(v, seed, 0.5, 1), (values,))


def test_off_while_evaluating_and_seeded_by_torch() -> None:
    values = torch.randn(100)
    assert dropout(values, 0.5, training=False) is values
    assert dropout(values, 0.0) is values
    torch.manual_seed(1)
    once, twice = dropout(values, 0.5), dropout(values, 0.5)
    torch.manual_seed(1)
    assert torch.equal(dropout(values, 0.5), once)
    assert not torch.equal(once, twice)


def test_strided_values_and_bad_shares() -> None:
    wide = torch.arange(1.0, 41.0).reshape(4, 10)
    torch.manual_seed(0)
    found = dropout(wide[:, ::2], 0.5)
    assert torch.equal(found[found != 0], 2.0 * wide[:, ::2][found != 0])
    with pytest.raises(ValueError, match="share must be"):
        dropout(wide, 1.0)
