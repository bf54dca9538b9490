"""After training: from the restarts' decisions to one, and to a local optimum."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt.learning.cases import Case
from graphopt.learning.ensemble import consensus
from graphopt.learning.recipes import Recipe
from graphopt.learning.warm_start import resolution_of
from graphopt.nn.losses import Loss


def finished(
    objective: Loss,
    recipe: Recipe,
    case: Case,
    best: NDArray[Any],
    decisions: Sequence[NDArray[Any]],
    n_clusters: int,
    random_state: np.random.Generator,
) -> NDArray[Any]:
    """Return the decision after consensus and polish, as far as the recipe asks for them.

    Parameters
    ----------
    objective : Loss
    recipe : Recipe
    case : Case
    best : array of int
        Decision of the best restart; itself if there is nothing to do.
    decisions : sequence of array of int
        Of all restarts; of one alone there is no consensus, as when training was interrupted.
    n_clusters : int
    random_state : numpy.random.Generator

    Returns
    -------
    array of int
    """
    decision = best
    if recipe.consensus and len(decisions) > 1:
        decision = consensus(
            case.judged_on,
            decisions,
            n_clusters,
            resolution=resolution_of(objective),
            random_state=random_state,
        )
    if recipe.polish:
        decision = objective.improve(decision, case.problem, n_clusters, random_state=random_state)
    return decision
