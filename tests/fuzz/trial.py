"""One input: the call is made and what came of it is judged."""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import struct
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import graphopt
from graphopt import _memory, errors
from graphopt._native import _convert, _core

from .draw import Draw
from .registry import TARGETS, Target, Wrong

MEMORY = 2**26
"""Bytes that functions are told are available, so that no machine is brought to its limits."""

_PACKAGE = str(Path(graphopt.__file__).parent)
_REPEATED_SHARE = 0.25
_FOREIGN = ("incompatible function arguments", "std::bad_alloc", "vector::", "basic_string")
_TIMES = {"seconds", "peak_bytes"}


@dataclass(frozen=True)
class Outcome:
    """What came of an input.

    Attributes
    ----------
    reached : bool
        Whether it went past the door: it was answered, or refused after a kernel was entered.
    answered : bool
    fault : str or None
        What is wrong, one line.
    trace : str
        Where, for a person.
    """

    reached: bool
    answered: bool
    fault: str | None = None
    trace: str = ""


def run(name: str, seed: int) -> Outcome:
    """Make the call that a seed draws, judge it, and make some calls again."""
    target = TARGETS[name]
    key = f"{name} {seed}"
    draw = Draw(key)
    try:
        call = target.build(draw)
    except Exception:
        return Outcome(False, False, "the harness could not draw it", traceback.format_exc())
    before = None if call.changes else fingerprint([call.args, call.kwargs])
    kernels.entered = False
    try:
        answer = call.function(*call.args, **call.kwargs)
    except Exception as error:
        fault = _fault_of(error, target, call.function)
        if fault is None and before not in (None, fingerprint([call.args, call.kwargs])):
            fault = "an argument was changed by a call that was refused"
        return Outcome(kernels.entered, False, fault, "" if fault is None else _trace(error))
    try:
        if call.check is not None:
            call.check(answer)
    except Wrong as wrong:
        return Outcome(True, True, f"wrong answer: {wrong}")
    except Exception:
        return Outcome(True, True, "wrong answer: the check failed", traceback.format_exc())
    if before not in (None, fingerprint([call.args, call.kwargs])):
        return Outcome(True, True, "an argument was changed")
    if draw.repeatable and draw.chance(_REPEATED_SHARE):
        again = target.build(Draw(key, threads=3))
        if fingerprint(again.function(*again.args, **again.kwargs)) != fingerprint(answer):
            return Outcome(True, True, "the same call gave other bits")
    return Outcome(True, True)


# --- refusals -------------------------------------------------------------------------------------


def _fault_of(error: Exception, target: Target, function: Callable[..., Any]) -> str | None:
    """Return what is wrong with an error, None if it is one that a user can be shown."""
    kind, text = type(error), str(error)
    said = f"{kind.__name__}: {' '.join(text.split())[:300]}"
    if any(words in text for words in _FOREIGN):
        return said
    if isinstance(error, (errors.GraphoptError, *target.errors)):
        return None if text else f"{said} (no message)"
    if kind not in (ValueError, TypeError):
        return said
    names = {*_parameters(function), *target.words}
    if not any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names):
        return f"{said} (names no argument)"
    place = traceback.extract_tb(error.__traceback__)[-1].filename
    own = (_PACKAGE, str(Path(__file__).parent))
    if not (place.startswith(own) or place.endswith("_convert.pyx")):
        return f"{said} (raised in {Path(place).name})"
    return None


@cache
def _signature_names(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        return tuple(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return ()


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    plain = getattr(function, "__func__", function)
    try:
        return _signature_names(plain)
    except TypeError:  # not hashable
        return ()


def _trace(error: Exception) -> str:
    return "".join(traceback.format_exception(error))[-3000:]


# --- bits -----------------------------------------------------------------------------------------


def fingerprint(thing: Any) -> bytes:
    """Return a digest of the bits of arguments or an answer, times left out."""
    digest = hashlib.blake2b(digest_size=16)
    for part in _parts(thing, 0):
        digest.update(part)
    return digest.digest()


def _parts(thing: Any, depth: int) -> Iterator[bytes]:
    yield type(thing).__name__.encode()
    if depth > 8 or isinstance(thing, np.random.Generator | type | types.FunctionType):
        return
    if isinstance(thing, np.ndarray):
        yield f"{thing.dtype}{thing.shape}".encode()
        if thing.dtype.char in "OgG":  # bytes that mean nothing lie between long doubles
            yield from _parts(thing.tolist(), depth + 1)
        else:
            yield np.ascontiguousarray(thing).tobytes()
    elif isinstance(thing, float):
        yield struct.pack("d", thing)
    elif isinstance(thing, int | str | bytes | complex | type(None) | np.generic):
        yield repr(thing).encode("utf-8", "surrogatepass")
    elif isinstance(thing, graphopt.Graph):
        yield from _parts(
            (thing.indptr, thing.indices, thing.weights, thing.directed, thing.names), depth + 1
        )
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from _parts(key, depth + 1)
            yield from _parts(value, depth + 1)
    elif isinstance(thing, list | tuple | set | frozenset):
        for value in thing:
            yield from _parts(value, depth + 1)
    elif is_dataclass(thing):
        for field in fields(thing):
            # A private field may hold what is worked out when it is first asked for.
            if field.name not in _TIMES and not field.name.startswith("_"):
                yield from _parts(getattr(thing, field.name), depth + 1)
    elif type(thing).__module__.startswith("scipy.sparse"):
        for name in ("data", "indices", "indptr", "row", "col", "rows", "offsets"):
            if isinstance(value := getattr(thing, name, None), np.ndarray):
                yield from _parts(value, depth + 1)
    elif hasattr(thing, "detach") and hasattr(thing, "numpy"):
        plain = thing.detach()
        if plain.layout is _torch().strided and plain.device.type == "cpu":
            yield from _parts(plain.numpy(), depth + 1)
    elif hasattr(thing, "state_dict"):
        yield from _parts(dict(thing.state_dict()), depth + 1)


@cache
def _torch() -> Any:
    import torch

    return torch


# --- the process ----------------------------------------------------------------------------------


class _Kernels:
    """Notices calls into the compiled modules."""

    def __init__(self) -> None:
        self.entered = False

    def watch(self, module: types.ModuleType) -> None:
        for name in dir(module):
            kernel = getattr(module, name)
            if callable(kernel) and not isinstance(kernel, type) and not name.startswith("__"):
                setattr(module, name, self._watched(kernel))

    def _watched(self, kernel: Callable[..., Any]) -> Callable[..., Any]:
        def entered(*args: Any, **kwargs: Any) -> Any:
            self.entered = True
            return kernel(*args, **kwargs)

        return entered


kernels = _Kernels()


@contextmanager
def strict() -> Iterator[None]:
    """Make warnings errors, but for the documented ones, and keep NumPy's checks on."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", errors.ConvergenceWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=ResourceWarning)
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        yield


def prepare_process() -> None:
    """Watch kernels and pretend that memory is scarce; for a process that does nothing else."""
    os.environ["OMP_NUM_THREADS"] = "1"
    for module in (_core, _convert):
        kernels.watch(module)
    real = _memory.available_memory

    def scarce() -> int:
        return MEMORY

    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("graphopt"):
            for name, value in list(vars(module).items()):
                if value is real:
                    setattr(module, name, scarce)
