"""Adam, one step of one parameter, as its paper writes it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_Real = NDArray[np.float64]


def adam_step(
    parameter: _Real,
    gradient: _Real,
    first: _Real,
    second: _Real,
    *,
    learning_rate: float,
    weight_decay: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    step: int,
) -> tuple[_Real, _Real, _Real]:
    """Return parameter, mean of gradients and mean of their squares after `step`, from 1."""
    gradient = gradient + weight_decay * parameter
    first = beta1 * first + (1.0 - beta1) * gradient
    second = beta2 * second + (1.0 - beta2) * gradient**2
    unbiased_first = first / (1.0 - beta1**step)
    unbiased_second = second / (1.0 - beta2**step)
    return (
        parameter - learning_rate * unbiased_first / (np.sqrt(unbiased_second) + epsilon),
        first,
        second,
    )
