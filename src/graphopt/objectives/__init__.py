"""Objectives: the value of a decision, whether higher is better, and how to hide edges fairly.

Nothing here needs PyTorch; the losses that networks are trained with are in
:mod:`graphopt.nn.losses`.
"""

from graphopt.objectives.base import Objective, Reference
from graphopt.objectives.k_center import DistanceTail, KCenter, distance_tail, exact_within_reach
from graphopt.objectives.modularity import Modularity
from graphopt.objectives.names import OBJECTIVES, as_objective
from graphopt.objectives.problem import Judgement, Problem, Trial

__all__ = [
    "OBJECTIVES",
    "DistanceTail",
    "Judgement",
    "KCenter",
    "Modularity",
    "Objective",
    "Problem",
    "Reference",
    "Trial",
    "as_objective",
    "distance_tail",
    "exact_within_reach",
]
