"""PyTorch modules, usable alone in any model."""
