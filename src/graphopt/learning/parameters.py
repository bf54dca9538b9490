"""What all estimators share: scikit-learn's base, a recipe's settings as parameters, a score."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from graphopt.graph import Graph
from graphopt.learning.recipes import Recipe
from graphopt.nn.losses import Loss
from graphopt.objectives import Objective

if TYPE_CHECKING:
    from typing_extensions import Self

_NESTED = "recipe__"


class Estimator(BaseEstimator):  # type: ignore[misc]
    """An estimator whose parameters are its constructor's arguments, and whose input is a graph."""

    # The input is no metadata that scikit-learn's tools may route.
    __metadata_request__fit: ClassVar = {"graph": UNUSED, "features": UNUSED}
    __metadata_request__predict: ClassVar = {"graph": UNUSED, "features": UNUSED}
    __metadata_request__score: ClassVar = {"graph": UNUSED}

    def __sklearn_tags__(self) -> Any:
        """Tell scikit-learn that input is a graph, not a table."""
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.no_validation = True
        return tags

    def _check_fitted(self, attribute: str, lacks: str, method: str = "fit") -> None:
        """Raise NotFittedError unless fitting has set `attribute`."""
        check_is_fitted(self, attribute, msg=f"this %(name)s {lacks} yet; call {method} first")

    def _forget(self, *names: str) -> None:
        """Remove attributes that an earlier fit may have set."""
        for name in names:
            self.__dict__.pop(name, None)


class TrainedEstimator(Estimator):
    """An estimator that is trained by a recipe.

    The recipe may be read and set as a whole or, in the way of scikit-learn's nested parameters,
    setting by setting: ``set_params(recipe__temperature=50.0)``.
    """

    recipe: Recipe | None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters by name.

        Parameters
        ----------
        deep : bool
            Also return the settings that the recipe gives, as ``recipe__temperature``.

        Returns
        -------
        dict
        """
        params: dict[str, Any] = super().get_params(deep)
        if deep and isinstance(self.recipe, Recipe):
            params |= {f"{_NESTED}{name}": value for name, value in self.recipe.given().items()}
        return params

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; they take effect at the next :meth:`fit`.

        Parameters
        ----------
        **params
            As for the constructor, and settings of the recipe as ``recipe__temperature``; its
            other settings stay.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a name that is not a parameter.
        """
        nested = {name: params.pop(name) for name in [*params] if name.startswith(_NESTED)}
        super().set_params(**params)
        if nested:
            changes = {name.removeprefix(_NESTED): value for name, value in nested.items()}
            known = [field.name for field in fields(Recipe)]
            for name in changes:
                if name not in known:
                    raise ValueError(
                        f"{name!r} is not a setting of Recipe; these are: {', '.join(known)}"
                    )
            self.recipe = replace(self._own_recipe(), **changes)
        return self

    def _complete_recipe(self, usual: Recipe, **own: Any) -> Recipe:
        """Return the recipe, overruled by `own` settings, with what is left out from `usual`."""
        return Recipe(**own).over(self._own_recipe().over(usual))

    def _own_recipe(self) -> Recipe:
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            raise TypeError(f"recipe must be a Recipe or None, not {type(self.recipe).__name__}")
        return self.recipe or Recipe()


class DecidingEstimator(ClusterMixin, Estimator):  # type: ignore[misc]
    """An estimator that decides on the graph it is fitted to."""

    labels_: NDArray[np.int32]
    centers_: NDArray[np.int32]
    decision_: NDArray[Any]

    @abstractmethod
    def _objective(self) -> Objective | Loss:
        """Return what the decision is judged by."""

    @abstractmethod
    def fit(self, graph: Graph, features: Any = None) -> Self:
        """Learn and decide."""

    def fit_predict(self, graph: Graph, features: Any = None) -> NDArray[np.int32]:
        """Fit to a graph and return ``labels_``; see :meth:`fit`.

        Parameters
        ----------
        graph : Graph
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional

        Returns
        -------
        array of int32, shape (n_nodes,)
        """
        return self.fit(graph, features).labels_

    def score(self, graph: Graph) -> float:
        """Return the decision's exact value on a graph of the same nodes, such as the full one.

        Parameters
        ----------
        graph : Graph

        Returns
        -------
        float
            Modularity, or the largest distance to a chosen node (lower is better there).
        """
        self._check_fitted("decision_", "has no decision")
        return float(self._objective().evaluate(self.decision_, graph))

    def _forget_decision(self) -> None:
        self._forget("labels_", "centers_", "decision_")
