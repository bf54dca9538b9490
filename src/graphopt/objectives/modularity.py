"""Communities by modularity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from numpy.typing import NDArray

from graphopt._validation import RandomState, check_number, check_random_state
from graphopt.communities import leiden, modularity
from graphopt.graph import Graph, check_graph
from graphopt.objectives.base import Objective, Reference

_STARTS = 10  # of the reference
_MAX_SEED = 2**31 - 1


@dataclass(frozen=True)
class Modularity(Objective):
    """At most k groups with many edges inside, :func:`graphopt.modularity`.

    Parameters
    ----------
    resolution : float
        1 is Newman and Girvan's modularity; larger values favour more and smaller groups.

    Examples
    --------
    >>> import numpy as np
    >>> two_triangles = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
    >>> round(Modularity().evaluate(np.array([0, 0, 0, 1, 1, 1]), two_triangles), 4)
    0.3571
    """

    resolution: float = 1.0

    name: ClassVar[str] = "modularity"
    least: ClassVar[float] = -0.5
    value_name: ClassVar[str] = "modularity"
    judged_name: ClassVar[str] = "modularity"
    parts: ClassVar[tuple[str, str]] = ("community", "communities")

    def __post_init__(self) -> None:
        check_number("resolution", self.resolution, minimum=0.0)

    def evaluate(self, decision: NDArray[Any], graph: Graph) -> float:
        """Return the modularity of labels on a graph.

        Raises
        ------
        ValueError
            As :func:`graphopt.modularity`.
        """
        check_graph("graph", graph)
        return modularity(graph, decision, resolution=self.resolution)

    def measures(
        self, decision: NDArray[Any], full: Graph, seen: Graph, unseen: Graph | None = None
    ) -> dict[str, float]:
        """Return ``score`` and ``seen_score``, and ``unseen_score`` if there are unseen edges.

        The latter is the modularity on the graph that has only the edges never seen. See
        :meth:`Objective.measures`.
        """
        if unseen is not None:
            check_graph("unseen", unseen)
        found = super().measures(decision, full, seen)
        if unseen is not None and unseen.n_edges > 0:
            found["unseen_score"] = self.evaluate(decision, unseen)
        return found

    def reference(self, graph: Graph, k: int, random_state: RandomState = None) -> Reference:
        """Return the best of ten runs of :func:`graphopt.leiden`; see :meth:`Objective.reference`.

        The labels are found and judged at this resolution.
        """
        rng = check_random_state(random_state)
        seeds = [int(rng.integers(_MAX_SEED)) for _ in range(_STARTS)]
        best = max(
            leiden(graph, k, resolution=self.resolution, random_state=seed).modularity
            for seed in seeds
        )
        return Reference(f"best of {_STARTS} runs of leiden on the full graph", best)
