"""Watch a computation torch operation by torch operation."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

# Whatever their first operand held before.
_OVERWRITING = ("aten::copy_", "aten::fill_", "aten::zero_", "aten::normal_", "aten::uniform_")


@dataclass(frozen=True)
class Operation:
    """A call of a torch operation: its name, and the bits that went in and came out."""

    name: str
    given: str
    returned: str


class Recorder(TorchDispatchMode):
    """Keeps every operation under it, those of the backward pass and our own included."""

    def __init__(self) -> None:
        super().__init__()
        self.operations: list[Operation] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if (
            func._schema.name == "aten::set_"
        ):  # hands memory over, perhaps new, and computes nothing
            return func(*args, **(kwargs or {}))
        overwrites = func._schema.name in _OVERWRITING
        given = _bits((args[1:] if overwrites else args, kwargs))
        result = func(*args, **(kwargs or {}))
        if "empty" in func._schema.name:
            result.zero_()  # for what lies in new memory
        # What an operation changes in place is an output too.
        changed = args if func._schema.is_mutable else ()
        self.operations.append(Operation(func._schema.name, given, _bits((result, changed))))
        return result


class Misaligned(TorchDispatchMode):
    """Hands every operation copies of its operands that start `offset` bytes after a line of 64.

    Operations that work in place or return a view keep the operands they are given.
    """

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        aliases = any(argument.alias_info is not None for argument in func._schema.arguments)
        if not aliases:
            args, kwargs = tree_map_only(Tensor, self._moved, (args, kwargs or {}))
        return func(*args, **(kwargs or {}))

    def _moved(self, tensor: Tensor) -> Tensor:
        if not tensor.is_contiguous() or tensor.numel() == 0:
            return tensor
        return torch.from_numpy(moved(tensor.detach().numpy(), self.offset))


def moved(array: np.ndarray, offset: int) -> np.ndarray:
    """Return a copy that starts `offset` bytes after a multiple of 64."""
    room = np.empty(array.nbytes + 128, np.uint8)
    start = -room.ctypes.data % 64 + offset
    copy = room[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


def first_difference(one: Callable[[], Any], other: Callable[[], Any]) -> str:
    """Say by which torch operation two computations, alike so far, come to differ."""
    records = []
    for run in (one, other):
        torch.manual_seed(0)  # its generator's state is saved and restored by operations too
        with Recorder() as recorder:
            run()
        records.append(recorder.operations)
    last = "the beginning"
    for i, (here, there) in enumerate(zip(*records, strict=False)):
        if here.name != there.name or here.given != there.given:
            return f"no torch operation: what differs arises between {last} and {here.name} (#{i})"
        if here.returned != there.returned:
            return f"torch operation {here.name} (#{i}): the same operands, other bits"
        last = f"{here.name} (#{i})"
    return f"no torch operation: what differs arises after {last}"


def _bits(tree: Any) -> str:
    digest = hashlib.sha256()
    for leaf in tree_leaves(tree):
        if isinstance(leaf, Tensor):
            digest.update(f"{leaf.dtype}{tuple(leaf.shape)}".encode())
            digest.update(leaf.detach().contiguous().numpy().tobytes())
        elif isinstance(leaf, bool | float | str | type(None)):  # no numbers of threads
            digest.update(repr(leaf).encode())
    return digest.hexdigest()
