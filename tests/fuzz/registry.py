"""The list of what is fuzzed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .draw import Draw


class Wrong(Exception):
    """A call answered, and the answer is not what it must be."""


def require(holds: Any, what: str) -> None:
    if not holds:
        raise Wrong(what)


@dataclass(frozen=True)
class Call:
    """One call: a function, its arguments, and what its answer must obey."""

    function: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    check: Callable[[Any], None] | None = None
    changes: bool = False
    """Whether it is its business to change what it is given."""


@dataclass(frozen=True)
class Target:
    """A public function or reader and how to draw a call of it.

    Attributes
    ----------
    name : str
    build : callable
    weight : float
        How many inputs it gets beside the others; less where a call is long.
    words : tuple of str
        What a message may name beside the arguments.
    errors : tuple of exception types
        What it may raise beside ValueError, TypeError and graphopt's own.
    """

    name: str
    build: Callable[[Draw], Call]
    weight: float
    words: tuple[str, ...]
    errors: tuple[type[Exception], ...]


TARGETS: dict[str, Target] = {}


def target(
    name: str,
    *,
    weight: float = 1.0,
    words: tuple[str, ...] = (),
    errors: tuple[type[Exception], ...] = (),
) -> Callable[[Callable[[Draw], Call]], Callable[[Draw], Call]]:
    """Register what draws the calls of a target."""

    def register(build: Callable[[Draw], Call]) -> Callable[[Draw], Call]:
        if name in TARGETS:
            raise ValueError(f"{name} is a target already")
        TARGETS[name] = Target(name, build, weight, words, errors)
        return build

    return register
