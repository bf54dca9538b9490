"""Learn on a partly seen graph and decide on it: communities and facility locations."""

from graphopt._build import build_config
from graphopt._threads import get_num_threads, set_num_threads
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
