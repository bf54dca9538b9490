"""k-center: k nodes such that every node has one of them near."""

from __future__ import annotations

from graphopt.centers._evaluate import evaluate_centers
from graphopt.centers._exact import ExactKCenterResult, exact_k_center
from graphopt.centers._gonzalez import gonzalez
from graphopt.centers._greedy import greedy_k_center
from graphopt.centers._local_search import local_search_k_center
from graphopt.centers._reduction import Reduction
from graphopt.centers._result import KCenterResult
from graphopt.centers._robust import RobustKCenterResult, robust_k_center

__all__ = [
    "ExactKCenterResult",
    "KCenterResult",
    "Reduction",
    "RobustKCenterResult",
    "evaluate_centers",
    "exact_k_center",
    "gonzalez",
    "greedy_k_center",
    "local_search_k_center",
    "robust_k_center",
]
