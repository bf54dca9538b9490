"""Faults that are known and not mended yet; an empty list is what it should be."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A kind of fault: regular expressions for the target, the fault and the trace."""

    id: str
    target: str = ""
    fault: str = ""
    trace: str = ""

    def matches(self, target: str, fault: str, trace: str) -> bool:
        pairs = (self.target, target), (self.fault, fault), (self.trace, trace)
        return all(re.search(pattern, text, re.DOTALL) for pattern, text in pairs)


KNOWN: tuple[Known, ...] = ()


def known(target: str, fault: str, trace: str) -> str | None:
    """Return the id of the known fault that this is one of, None if it is new."""
    return next((kind.id for kind in KNOWN if kind.matches(target, fault, trace)), None)
