"""What a decision is judged by: a differentiable loss, decoding and exact evaluation."""

import graphopt._torch  # noqa: F401  # isort: split
from graphopt.objectives.base import Objective, SoftClusters
from graphopt.objectives.facility import FacilityLocation, FacilityProblem
from graphopt.objectives.modularity import Modularity, ModularityProblem

__all__ = [
    "FacilityLocation",
    "FacilityProblem",
    "Modularity",
    "ModularityProblem",
    "Objective",
    "SoftClusters",
]
