"""Learn on a partly seen graph and decide on it: communities and facility locations."""

from graphopt._build import build_config
from graphopt._threads import get_num_threads, set_num_threads
from graphopt.communities import CommunityResult, cnm, leiden, modularity
from graphopt.graph import Graph

__all__ = [
    "CommunityResult",
    "Graph",
    "build_config",
    "cnm",
    "get_num_threads",
    "leiden",
    "modularity",
    "set_num_threads",
]
