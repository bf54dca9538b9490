"""Kernels as torch operators, called directly where only their result is wanted.

A registered operator is what ``torch.compile``, tracers and tensor subclasses need, but a call
through torch's dispatcher takes some 50 microseconds each way, as long as many a kernel. So calls
with plain CPU tensors outside of all that go straight to the kernel, through a
:class:`torch.autograd.Function` if a gradient may be asked for. Both ways run the same code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import torch
from torch import Tensor

_PLAIN = frozenset({Tensor, torch.nn.Parameter})

Gradient: TypeAlias = Callable[..., Mapping[str, Tensor | None]]
"""Takes a context and the gradients with respect to the outputs; returns those of inputs by name.

The context has ``saved_tensors`` and ``plain``, the inputs that are no tensors, in their order.
"""


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
        if torch.compiler.is_compiling() or _under_a_mode():
            return self.registered(*args)
        differentiable = False
        for value in args:
            if isinstance(value, Tensor):
                if type(value) not in _PLAIN or not value.is_cpu:
                    return self.registered(*args)
                differentiable = differentiable or value.requires_grad
        if not (differentiable and torch.is_grad_enabled()):
            return self._kernel(*args)
        if self._function is None:
            return self.registered(*args)
        return self._function.apply(*args)  # type: ignore[no-untyped-call]


def operator(
    name: str,
    schema: str | None = None,
    *,
    fake: Callable[..., Any] | None = None,
    gradient: Gradient | None = None,
    saves: Callable[[tuple[Any, ...], Any], tuple[Tensor, ...]] = lambda inputs, output: (),
    constant: tuple[int, ...] = (),
    materialize_grads: bool = True,
) -> Callable[[Callable[..., Any]], Operator]:
    """Make an :class:`Operator` of a function that takes and returns tensors and plain values.

    Parameters
    ----------
    name : str
        ``"graphopt::..."``.
    schema : str, optional
        Types of the inputs and outputs. Default: what the function's annotations say.
    fake : callable, optional
        Takes the inputs; returns empty tensors with the shapes and dtypes of the outputs.
    gradient : callable, optional
        See :data:`Gradient`. Default: the operator has no gradient.
    saves : callable
        Takes the inputs and the output; returns the tensors that the gradient needs.
    constant : tuple of int
        Which outputs have no gradient.
    materialize_grads : bool
        False: the gradient gets None, not zeros, for an output that was not used.
    """

    def register(kernel: Callable[..., Any]) -> Operator:
        made = Operator(name, kernel, schema)
        if fake is not None:
            made.register_fake(fake)
        if gradient is None:
            return made
        arguments = made.registered._opoverload._schema.arguments
        names = [argument.name for argument in arguments]
        plain = [i for i, argument in enumerate(arguments) if "Tensor" not in str(argument.type)]

        def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
            if constant:
                ctx.mark_non_differentiable(*(output[i] for i in constant))
            ctx.save_for_backward(*saves(inputs, output))
            ctx.plain = [inputs[i] for i in plain]
            if not materialize_grads:
                ctx.set_materialize_grads(False)

        def backward(ctx: Any, *upstream: Tensor | None) -> tuple[Tensor | None, ...]:
            found = gradient(ctx, *upstream)
            return tuple([found.get(name) for name in names])

        made.register_autograd(backward, setup_context=setup_context)
        return made

    return register


def _under_a_mode() -> bool:
    """Return whether somebody wants to see every operator: a tracer, a counter."""
    return torch._C._len_torch_dispatch_stack() > 0
