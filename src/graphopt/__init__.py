"""Learn on a partly seen graph and decide on it: communities and facility locations."""

from graphopt._build import build_config
from graphopt._threads import get_num_threads, set_num_threads
from graphopt.clustering import SoftKMeansResult, soft_kmeans
from graphopt.graph import Graph

__all__ = [
    "Graph",
    "SoftKMeansResult",
    "build_config",
    "get_num_threads",
    "set_num_threads",
    "soft_kmeans",
]
