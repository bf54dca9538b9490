"""Kernels as torch operators that are called directly wherever nobody looks on.

A registered operator is what ``torch.compile``, tracers and tensor subclasses need, but a call
through torch's dispatcher costs some 50 microseconds each way: as much as many a kernel. So plain
CPU tensors outside of all that go straight to the kernel, through a
:class:`torch.autograd.Function` if a gradient may be asked for. Both ways run the same code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

_PLAIN = frozenset({Tensor, torch.nn.Parameter})


class Operator:
    """A torch operator for the CPU without side effects; made by :func:`operator`.

    Attributes
    ----------
    registered : torch.library.CustomOpDef
        The operator as torch knows it, for :func:`torch.library.opcheck`.
    """

    def __init__(self, name: str, kernel: Callable[..., Any], schema: str | None) -> None:
        self.registered = torch.library.custom_op(
            name, kernel, mutates_args=(), device_types="cpu", schema=schema
        )
        self._kernel = kernel
        self._function: type[torch.autograd.Function] | None = None

    def register_fake(self, fake: Callable[..., Any]) -> Callable[..., Any]:
        """Say what comes out, without values; as for a :func:`torch.library.custom_op`."""
        self.registered.register_fake(fake)
        return fake

    def register_autograd(
        self, backward: Callable[..., Any], *, setup_context: Callable[..., Any] | None = None
    ) -> None:
        """Give the gradient; as for a :func:`torch.library.custom_op`."""
        self.registered.register_autograd(backward, setup_context=setup_context)
        kernel = self._kernel

        class Direct(torch.autograd.Function):
            @staticmethod
            def forward(ctx: Any, *args: Any) -> Any:
                output = kernel(*args)
                if setup_context is not None:
                    setup_context(ctx, args, output)
                return output

            @staticmethod
            def backward(ctx: Any, *grads: Any) -> Any:
                return backward(ctx, *grads)

        self._function = Direct

    def __call__(self, *args: Any) -> Any:
        """Run the kernel; arguments by position."""
        if torch.compiler.is_compiling() or _under_a_mode() or not _all_plain(args):
            return self.registered(*args)
        if torch.is_grad_enabled() and any(
            isinstance(value, Tensor) and value.requires_grad for value in args
        ):
            if self._function is None:
                return self.registered(*args)
            return self._function.apply(*args)  # type: ignore[no-untyped-call]
        return self._kernel(*args)


def operator(name: str, schema: str | None = None) -> Callable[[Callable[..., Any]], Operator]:
    """Make an :class:`Operator` of a function that takes and returns tensors and plain values."""

    def register(kernel: Callable[..., Any]) -> Operator:
        return Operator(name, kernel, schema)

    return register


def _under_a_mode() -> bool:
    """Return whether somebody wants to see every operator: a tracer, a counter."""
    return torch._C._len_torch_dispatch_stack() > 0


def _all_plain(args: tuple[Any, ...]) -> bool:
    return all(
        type(value) in _PLAIN and value.is_cpu if isinstance(value, Tensor) else True
        for value in args
    )
