"""Learn on a partly seen graph and decide on it: communities and facility locations."""

from graphopt._build import build_config
from graphopt._threads import get_num_threads, set_num_threads
from graphopt.communities import CommunityResult, cnm, leiden, modularity
from graphopt.centers import KCenterResult, evaluate_centers, gonzalez, greedy_k_center
from graphopt.graph import Graph
from graphopt.paths import all_pairs_shortest_paths

__all__ = [
    "CommunityResult",
    "Graph",
    "build_config",
    "cnm",
    "get_num_threads",
    "leiden",
    "modularity",
    "Graph",
    "KCenterResult",
    "all_pairs_shortest_paths",
    "build_config",
    "evaluate_centers",
    "get_num_threads",
    "gonzalez",
    "greedy_k_center",
from graphopt.facility import expected_distances
from graphopt.graph import Graph
from graphopt.rounding import pipage_rounding

__all__ = [
    "Graph",
    "build_config",
    "expected_distances",
    "get_num_threads",
    "pipage_rounding",
    "set_num_threads",
]
