"""Operators called directly and through torch are one thing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from graphopt._operators import operator

calls: list[str] = []


@operator("graphopt_test::scaled")
def scaled(x: Tensor, factor: float) -> Tensor:
    calls.append("kernel")
    return torch.from_numpy(x.detach().numpy() * factor)


@scaled.register_fake
def _(x: Tensor, factor: float) -> Tensor:
    return x.new_empty(x.shape)


def _keep(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
    ctx.factor = inputs[1]


def _backward(ctx: Any, upstream: Tensor) -> tuple[Any, ...]:
    return scaled(upstream, ctx.factor), None


scaled.register_autograd(_backward, setup_context=_keep)


class Watch(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


def test_plain_tensors_go_straight_to_the_kernel() -> None:
    x = torch.randn(3, dtype=torch.float64)
    calls.clear()
    assert torch.equal(scaled(x, 3.0), 3.0 * x)
    assert calls == ["kernel"]
    assert not scaled(x, 3.0).requires_grad
    leaf = x.clone().requires_grad_()
    assert scaled(leaf, 3.0).requires_grad
    with torch.no_grad():
        assert not scaled(leaf, 3.0).requires_grad
    assert torch.autograd.gradcheck(lambda t: scaled(t, 3.0), (leaf,))
    assert torch.autograd.gradgradcheck(lambda t: scaled(t, 3.0).square(), (leaf,))


def test_modes_see_the_operator() -> None:
    with Watch() as watch:
        scaled(torch.randn(3), 2.0)
    assert any("graphopt_test.scaled" in name for name in watch.seen)


def test_fake_tensors_work() -> None:
    from torch._subclasses.fake_tensor import FakeTensorMode

    with FakeTensorMode():
        assert scaled(torch.empty(3), 2.0).shape == (3,)
    assert scaled(torch.empty(3, device="meta"), 2.0).device.type == "meta"


def test_compiles_in_one_graph() -> None:
    leaf = torch.randn(3, requires_grad=True)
    compiled = torch.compile(lambda t: scaled(t, 2.0).sum(), backend="aot_eager", fullgraph=True)
    (gradient,) = torch.autograd.grad(compiled(leaf), leaf)
    assert torch.equal(gradient, torch.full((3,), 2.0))
    torch.library.opcheck(scaled.registered, (leaf, 2.0))


def test_an_operator_without_gradient_says_so() -> None:
    @operator("graphopt_test::rounded")
    def rounded(x: Tensor) -> Tensor:
        return x.round()

    assert torch.equal(rounded(torch.tensor([1.2])), torch.tensor([1.0]))
    with pytest.raises(RuntimeError, match="no autograd formula was registered"):
        rounded(torch.randn(3, requires_grad=True)).sum().backward()
