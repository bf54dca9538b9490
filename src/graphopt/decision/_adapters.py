"""Make a method from what a caller passes: a name, a callable or an estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._validation import check_choice, check_random_state
from graphopt.contest import Seed
from graphopt.decision._methods import METHODS
from graphopt.graph import Graph
from graphopt.objectives import Objective, Problem

MAX_SEED = 2**31 - 1  # what scikit-learn takes

Decide: TypeAlias = Callable[[Graph, Any, int, int], Any]
"""Takes a graph, its features or None, k and a seed; returns labels, centers, or a result."""

AnyMethod: TypeAlias = "str | Decide | Any"
"""A name in :data:`METHODS`, a callable, or an estimator."""


@dataclass(frozen=True, slots=True)
class Handed:
    """A method that a caller passed; it can be pickled if what the caller passed can.

    Attributes
    ----------
    name : str
    method : str, callable or estimator
    informed : bool
        Whether to set the parameters `seen_fraction` and `features_from_edges` of an estimator that
        has them.
    """

    name: str
    method: Any
    informed: bool = False

    def decide(self, problem: Problem, random_state: Seed) -> NDArray[np.int64]:
        """Return the group of each node, or the nodes chosen; the answer is checked."""
        return self.checked(self.answer(problem, random_state), problem)

    def checked(self, answer: Any, problem: Problem) -> NDArray[np.int64]:
        """Return an answer as labels numbered from 0, or as nodes; see :meth:`Objective.check`."""
        source = f" of method {self.name}"
        return problem.objective.check(answer, problem.graph, problem.k, source=source)

    def answer(self, problem: Problem, random_state: Seed) -> Any:
        """Return what the method answers, unchecked."""
        seed = _small_seed(random_state)
        if isinstance(self.method, str):
            return METHODS[problem.objective.name][self.method](problem, seed)
        if hasattr(self.method, "fit_predict"):
            return self._by_estimator(problem, seed)
        return self.method(problem.graph, problem.features, problem.k, seed)

    def _by_estimator(self, problem: Problem, seed: int) -> Any:
        load_whole("sklearn.base")
        from sklearn.base import clone

        model: Any = clone(self.method)
        known = model.get_params()
        told: dict[str, Any] = {"random_state": seed}
        if self.informed:
            told["seen_fraction"] = problem.seen_fraction
            told["features_from_edges"] = problem.features_from_edges
        model.set_params(**{name: value for name, value in told.items() if name in known})
        labels = model.fit_predict(problem.graph, problem.features)
        if getattr(model, "interrupted_", False):  # it took Ctrl-C for the end of its training
            raise KeyboardInterrupt
        if problem.objective.decides == "labels":
            return labels
        if not hasattr(model, "centers_"):
            raise TypeError(f"method {self.name} must have centers_ after fit_predict")
        return model.centers_


def as_method(
    name: str, method: AnyMethod, objective: Objective, k: int, *, informed: bool = False
) -> Handed:
    """Return a method made from what a caller passed.

    Raises
    ------
    ValueError
        For a name that is not known, or an estimator whose number of groups is not `k`.
    TypeError
        For anything else.
    """
    if isinstance(method, str):
        check_choice("method", method, METHODS.get(objective.name, ()))
    elif hasattr(method, "fit_predict"):
        if isinstance(method, type):
            raise TypeError(f"method {name} must be an estimator, not its class")
        n_clusters = getattr(method, "n_clusters", k)
        if n_clusters != k:
            raise ValueError(f"method {name} has n_clusters={n_clusters}, but k is {k}")
    elif not callable(method):
        raise TypeError(
            f"method {name} must be a name, a callable or an estimator with fit_predict, "
            f"not {type(method).__name__}"
        )
    return Handed(name, method, informed)


def as_methods(methods: Any, objective: Objective, k: int) -> list[Handed]:
    """Return methods from a mapping of names to methods, or a sequence of names."""
    if isinstance(methods, Mapping):
        named = [as_method(str(name), one, objective, k) for name, one in methods.items()]
    elif isinstance(methods, Sequence) and not isinstance(methods, str):
        for name in methods:
            check_choice("methods", name, METHODS.get(objective.name, ()))
        named = [as_method(name, name, objective, k) for name in dict.fromkeys(methods)]
    else:
        raise TypeError(
            f"methods must be a mapping of names to methods or a sequence of names, "
            f"not {type(methods).__name__}"
        )
    if not named:
        raise ValueError("methods must hold at least one")
    return named


def name_of(method: AnyMethod) -> str:
    """Return a name for a method that was passed without one."""
    if isinstance(method, str):
        return method
    name = getattr(method, "__name__", None)
    return str(name) if name is not None else type(method).__name__


def _small_seed(random_state: Seed) -> int:
    if isinstance(random_state, int) and random_state <= MAX_SEED:
        return random_state
    return int(check_random_state(random_state).integers(MAX_SEED))
