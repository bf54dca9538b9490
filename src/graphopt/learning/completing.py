"""The completion of an estimator: where it expects missing edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import check_choice
from graphopt.communities import leiden
from graphopt.completion import Completion, FeatureNeighbours, choose
from graphopt.graph import Graph
from graphopt.nn.losses import Loss

WORDS = ("auto", "features")
_TRIALS = 3
_JUDGED_ON = 5  # of many graphs


def check_completion(completion: str | Completion | None) -> None:
    """Raise unless `completion` is something that :func:`completion_for` understands."""
    if isinstance(completion, str):
        check_choice("completion", completion, WORDS)
    elif completion is not None and not hasattr(completion, "missing_edges"):
        raise TypeError(
            'completion must be "auto", "features", None or an object with missing_edges, '
            f"not {completion!r}"
        )


def completion_for(
    completion: str | Completion | None,
    graphs: Sequence[Graph],
    features: Sequence[Any],
    *,
    n_clusters: int,
    objective: Loss,
    seen_fraction: float,
    features_from_edges: bool,
) -> Completion | None:
    """Return the completion that an estimator's parameters stand for.

    Parameters
    ----------
    completion : "auto", "features", None or Completion
        ``"features"``: :class:`graphopt.completion.FeatureNeighbours`. ``"auto"``: the same where
        groups found with it are better than without when seen edges are hidden, else None
        (:func:`graphopt.completion.choose`). Both are None where all is seen, where there are no
        features, or where the objective does not use expected edges. Anything else is returned as
        it is.
    graphs : sequence of Graph
        One graph, or several of a kind, which share one answer; ``"auto"`` looks at the first
        five.
    features : sequence of array, callable or None
        Of each graph. Those of a callable are computed anew from the edges that are not hidden.
    n_clusters : int
    objective : Loss
    seen_fraction : float
    features_from_edges : bool
        Whether arrays of features were computed from the seen edges. Such features depend on the
        edges that a trial would hide, so a trial shows nothing, and ``"auto"`` is None.

    Notes
    -----
    Edges to hide are drawn from a separate seed, so that training does not depend on whether the
    completion was chosen or given. Groups are those of a single start of :func:`graphopt.leiden`,
    which separates good expectations from misleading ones in a fraction of the time of training.
    """
    check_completion(completion)
    if not isinstance(completion, str):
        return completion
    unknown = any(rows is None for rows in features)
    if seen_fraction == 1.0 or unknown or not objective.uses_expected_edges:
        return None
    neighbours = feature_neighbours(seen_fraction)
    if completion == "features":
        return neighbours
    if features_from_edges and not any(callable(rows) for rows in features):
        return None
    judged_on = list(graphs[:_JUDGED_ON])
    return choose(
        judged_on,
        list(features[:_JUDGED_ON]),
        seen_fraction=seen_fraction,
        candidates=(neighbours, None),
        decide=_groups(n_clusters),
        n_splits=-(-_TRIALS // len(judged_on)),
        random_state=0,
    ).completion


def feature_neighbours(seen_fraction: float) -> FeatureNeighbours:
    """Return the completion that the words stand for: as many edges as are missing."""
    return FeatureNeighbours(weight=1.0 / seen_fraction - 1.0)


def _groups(n_clusters: int) -> Callable[[Graph, np.random.Generator], NDArray[np.int32]]:
    def decide(graph: Graph, rng: np.random.Generator) -> NDArray[np.int32]:
        k = min(n_clusters, graph.n_nodes)
        return leiden(graph, k, starts=1, perturbations=0, random_state=rng).labels

    return decide
