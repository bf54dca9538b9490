"""From an estimator's parameters to an objective, a recipe and a completion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from graphopt._validation import check_integer
from graphopt.completion import Completion
from graphopt.datasets.hiding import check_share
from graphopt.graph import Graph
from graphopt.learning.completing import completion_for
from graphopt.learning.fitted import DecidingEstimator
from graphopt.learning.recipes import Recipe
from graphopt.nn.losses import Loss, loss_of
from graphopt.objectives import Objective

# Parameters that overrule the recipe's; not every estimator has all of them.
_SHORTHANDS = (
    "iterations",
    "n_restarts",
    "temperature",
    "completion_in",
    "start",
    "pretraining",
    "consensus",
    "polish",
)


class DecisionSettings(DecidingEstimator):
    """The parameters of estimators that learn a decision; constructors keep these and more."""

    n_clusters: int
    objective: str | Objective | Loss
    seen_fraction: float
    completion: str | Completion | None
    features_from_edges: bool
    recipe: Recipe | None
    iterations: int | None
    n_restarts: int | None

    def _objective(self) -> Loss:
        return loss_of(self.objective, self.n_clusters)

    def _settings(self, default: Callable[[Loss, float], Recipe]) -> tuple[Loss, Recipe]:
        """Return the objective, and the recipe or what is good by `default`."""
        check_integer("n_clusters", self.n_clusters, minimum=1)
        objective = self._objective()
        share = check_share(self.seen_fraction)
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            raise TypeError(f"recipe must be a Recipe or None, not {type(self.recipe).__name__}")
        recipe = self.recipe or default(objective, share)
        own = {name: getattr(self, name, None) for name in _SHORTHANDS}
        recipe = replace(recipe, **{k: v for k, v in own.items() if v is not None})
        if recipe.consensus and objective.decides != "labels":
            raise ValueError("consensus is of groups; the objective decides on centers")
        if recipe.polish and not objective.improves:
            raise ValueError(
                f"polish needs an objective with a method improve, which "
                f"{type(objective).__name__} does not have"
            )
        return objective, recipe

    def _completion(
        self, objective: Loss, graphs: Sequence[Graph], features: Sequence[Any]
    ) -> Completion | None:
        """Return what tells missing edges on graphs of this kind."""
        return completion_for(
            self.completion,
            graphs,
            features,
            n_clusters=self.n_clusters,
            objective=objective,
            seen_fraction=self.seen_fraction,
            features_from_edges=self.features_from_edges,
        )
