"""Communities of a known graph, and how good they are."""

from __future__ import annotations

from graphopt.communities._cnm import cnm
from graphopt.communities._leiden import leiden
from graphopt.communities._newman import newman
from graphopt.communities._polish import polish
from graphopt.communities._problem import CommunityResult, check_strengths, modularity
from graphopt.communities._spectral import spectral

__all__ = [
    "CommunityResult",
    "check_strengths",
    "cnm",
    "leiden",
    "modularity",
    "newman",
    "polish",
    "spectral",
]
