"""Layers whose outputs have mean 0 and spread 1 on given data."""

from __future__ import annotations

import torch
from torch import Tensor


def standardised(outputs: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Fit `weight` and `bias` so that `outputs`, without bias so far, are standardised."""
    if len(outputs) == 0:
        return outputs  # without data there is nothing to fit to
    spread, mean = torch.std_mean(outputs, dim=0, correction=0)
    scale = torch.where(spread > 1e-6, 1.0 / spread.clamp_min(1e-6), torch.ones_like(spread))
    weight.mul_(scale)
    bias.copy_(-mean * scale)
    return outputs * scale + bias
