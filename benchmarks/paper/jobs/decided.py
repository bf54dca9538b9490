"""What a system is given beside the problem, and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from numpy.typing import NDArray

from benchmarks.paper.jobs.measurement import Values


@dataclass(frozen=True, slots=True)
class Settings:
    """What a system is given beside the problem; None: the library's default.

    `completion` is that of the networks.
    """

    seed: int
    iterations: int | None = None
    restarts: int | None = None
    time_limit: float | None = None
    time_budget: float | None = None
    completion: Literal["auto", "features"] = "auto"


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision, the row of the tables that it belongs to, and what it cost.

    Attributes
    ----------
    row : str
    decision : array of int
        Labels, or chosen nodes.
    values : dict
        Seconds and whatever else the system tells.
    kept : bool
        Whether the decision itself is worth keeping, not only what it is worth.
    """

    row: str
    decision: NDArray[Any]
    values: Values
    kept: bool = True
