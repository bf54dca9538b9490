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
    """Return an objective, from its name or as it is.

    Parameters
    ----------
    objective : {"modularity", "k-center"} or Objective

    Raises
    ------
    ValueError
        For a name that is not known.
    TypeError
        For anything else.

    Examples
    --------
    >>> as_objective("modularity")
    Modularity(resolution=1.0)
    """
    if isinstance(objective, Objective):
        return objective
    if not isinstance(objective, str):
        raise TypeError(
            f"objective must be the name of one or an Objective, not {type(objective).__name__}"
        )
    check_choice("objective", objective, OBJECTIVES)
    return OBJECTIVES[objective]
