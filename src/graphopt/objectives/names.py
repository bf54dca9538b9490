"""The objectives that have a name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from graphopt._validation import check_choice
from graphopt.objectives.base import Objective
from graphopt.objectives.k_center import KCenter
from graphopt.objectives.modularity import Modularity

OBJECTIVES: Mapping[str, Objective] = MappingProxyType(
    {one.name: one for one in (Modularity(), KCenter())}
)
"""By name, the objectives of this package."""


def as_objective(objective: str | Objective) -> Objective:
    """Return the objective with this name, or an objective that was passed.

    Parameters
    ----------
    objective : {"modularity", "k-center"} or Objective

    Raises
    ------
    ValueError
        For a name that is not known, or anything else.

    Examples
    --------
    >>> as_objective("modularity")
    Modularity(resolution=1.0)
    """
    if isinstance(objective, Objective):
        return objective
    check_choice("objective", objective, OBJECTIVES)
    return OBJECTIVES[objective]
