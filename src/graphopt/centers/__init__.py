"""k-center: choose k nodes such that every node is near one of them."""

from __future__ import annotations

from graphopt.centers._construction import gonzalez, greedy_k_center
from graphopt.centers._exact import ExactKCenterResult, Reduction, exact_k_center
from graphopt.centers._local_search import local_search_k_center
from graphopt.centers._problem import KCenterResult, evaluate_centers
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
