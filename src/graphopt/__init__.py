"""Learn on a partly seen graph and decide on it: communities and facility locations.

Algorithms on a known graph are plain functions and load no PyTorch: :func:`gonzalez`,
:func:`greedy_k_center`, :func:`local_search_k_center`, :func:`exact_k_center`,
:func:`robust_k_center`, :func:`all_pairs_shortest_paths`, :func:`leiden`, :func:`polish`,
:func:`cnm`, :func:`newman`, :func:`spectral`, :func:`soft_kmeans`, ... Learning
(:class:`ClusterNet`, :class:`DirectGCN`, :class:`TwoStage`, :mod:`graphopt.nn`) loads it on
first use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import graphopt._threadpoolctl as _threadpoolctl
from graphopt._build import build_config
from graphopt._loading import load_whole
from graphopt._threads import get_num_threads, set_num_threads
from graphopt.centers import (
    ExactKCenterResult,
    KCenterResult,
    RobustKCenterResult,
    evaluate_centers,
    exact_k_center,
    gonzalez,
    greedy_k_center,
    local_search_k_center,
    robust_k_center,
)
from graphopt.clustering import SoftKMeansResult, soft_kmeans
from graphopt.communities import (
    CommunityResult,
    cnm,
    leiden,
    modularity,
    newman,
    polish,
    spectral,
)
from graphopt.facility import expected_distances
from graphopt.graph import Graph
from graphopt.paths import all_pairs_shortest_paths
from graphopt.rounding import pipage_rounding

if TYPE_CHECKING:
    from graphopt import (
        completion,
        datasets,
        decision,
        features,
        learning,
        nn,
        objectives,
    )
    from graphopt.decision import decide
    from graphopt.learning import ClusterNet, DirectGCN, LinkPredictor, TwoStage

    __version__: str

__all__ = [
    "ClusterNet",
    "CommunityResult",
    "DirectGCN",
    "ExactKCenterResult",
    "Graph",
    "KCenterResult",
    "LinkPredictor",
    "RobustKCenterResult",
    "SoftKMeansResult",
    "TwoStage",
    "all_pairs_shortest_paths",
    "build_config",
    "cnm",
    "completion",
    "datasets",
    "decide",
    "decision",
    "evaluate_centers",
    "exact_k_center",
    "expected_distances",
    "features",
    "get_num_threads",
    "gonzalez",
    "greedy_k_center",
    "learning",
    "leiden",
    "local_search_k_center",
    "modularity",
    "newman",
    "nn",
    "objectives",
    "pipage_rounding",
    "polish",
    "robust_k_center",
    "set_num_threads",
    "soft_kmeans",
    "spectral",
]

_threadpoolctl.register()

_LAZY_MODULES = (
    "completion",
    "datasets",
    "decision",
    "features",
    "learning",
    "nn",
    "objectives",
)
_LAZY_ESTIMATORS = ("ClusterNet", "DirectGCN", "LinkPredictor", "TwoStage")


def __getattr__(name: str) -> Any:
    if name in _LAZY_MODULES:
        return load_whole(f"graphopt.{name}")
    if name in _LAZY_ESTIMATORS:
        return getattr(load_whole("graphopt.learning"), name)
    if name == "decide":
        return load_whole("graphopt.decision").decide
    if name == "__version__":
        from importlib import metadata  # slow to import

        return metadata.version("graphopt")
    raise AttributeError(f"module 'graphopt' has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
