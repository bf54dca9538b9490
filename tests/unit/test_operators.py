"""Operators called directly and through torch are one thing."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from graphopt._operators import operator

calls: list[str] = []


@operator(
    "graphopt_test::scaled",
    fake=lambda x, factor: x.new_empty(x.shape),
    gradient=lambda ctx, upstream: {"x": scaled(upstream, *ctx.plain)},
)
def scaled(x: Tensor, factor: float) -> Tensor:
    calls.append("kernel")
    return torch.from_numpy(x.detach().numpy() * factor)


@operator(
    "graphopt_test::shifted_product",
    "(Tensor x, float shift, Tensor y) -> (Tensor, Tensor)",
    fake=lambda x, shift, y: (x.new_empty(x.shape), x.new_empty(x.shape)),
    saves=lambda inputs, output: (inputs[0], output[1]),
    gradient=lambda ctx, upstream, _: {
        "y": upstream * (ctx.saved_tensors[0] + ctx.plain[0]),
        "x": upstream * ctx.saved_tensors[1],
    },
    constant=(1,),
)
def shifted_product(*inputs: Any) -> tuple[Tensor, Tensor]:
    x, shift, y = inputs
    return (x + shift) * y, y.clone()


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


def test_gradients_find_their_inputs_by_name() -> None:
    x, y = (torch.randn(4, dtype=torch.float64, requires_grad=True) for _ in range(2))
    product, copy = shifted_product(x, 3.0, y)
    assert product.requires_grad
    assert not copy.requires_grad
    assert torch.autograd.gradcheck(lambda x, y: shifted_product(x, 3.0, y)[0], (x, y))
    torch.library.opcheck(shifted_product.registered, (x, 3.0, y))


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
