"""Grids of settings of ClusterNet that a hyperparameter search tries."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from graphopt._validation import check_choice

if TYPE_CHECKING:
    from graphopt.learning import Recipe

# Without PyTorch until a recipe is made: worker processes start sooner.

Value = bool | int | float
Params = dict[str, Value]

TASKS = ("community", "facility")
KINDS = ("single", "inductive")


@dataclass(frozen=True, slots=True)
class Landmark:
    """A choice somebody made before the search.

    Attributes
    ----------
    name : str
    params : mapping of str to value
        A point of the space.
    iterations : int
        Training steps it was chosen with; one of the space's.
    """

    name: str
    params: Mapping[str, Value]
    iterations: int


@dataclass(frozen=True, slots=True)
class Space:
    """A grid of settings.

    The number of training iterations is not a dimension: one training of the longest length passes
    through all shorter ones, as no setting depends on the length.

    Attributes
    ----------
    name : str
    choices : mapping of str to tuple
        The values of each setting. ``kmeans_updates`` counts the updates of soft k-means in a
        forward pass, ``kmeans_rise`` tells whether they rise to 5, ``completion`` whether edges
        between nodes with like features are expected; the rest are the recipe's.
    iterations : tuple of int
        Lengths of training, ascending.
    check_every : int
        Steps between looks at the decoded decision; divides every length.
    rise : int
        Steps after which ``kmeans_rise`` takes effect.
    landmarks : tuple of Landmark
        What is evaluated first and never stopped early.

    Examples
    --------
    >>> space = default_space("community")
    >>> space.size, space.iterations[-1]
    (186624, 1000)
    >>> space.landmarks[0].params["temperature"]
    30.0
    """

    name: str
    choices: Mapping[str, tuple[Value, ...]]
    iterations: tuple[int, ...]
    check_every: int
    rise: int
    landmarks: tuple[Landmark, ...]

    @property
    def size(self) -> int:
        """Number of points."""
        return math.prod(len(values) for values in self.choices.values())

    def point(self, index: int) -> Params:
        """Return the point of a position in the grid; the last setting varies fastest."""
        shape = [len(values) for values in self.choices.values()]
        positions = np.unravel_index(index, shape)
        return {
            name: values[at]
            for (name, values), at in zip(self.choices.items(), positions, strict=True)
        }

    def quick(self) -> Space:
        """Return the same grid with trainings of a tenth of the length."""
        longest = self.iterations[-1] // 10
        step = max(1, longest // 10)
        lengths = tuple(range(step, longest + 1, step))

        def nearest(landmark: Landmark) -> Landmark:
            wanted = landmark.iterations / 10
            return replace(landmark, iterations=min(lengths, key=lambda t: abs(t - wanted)))

        return replace(
            self,
            name=f"{self.name}-quick",
            iterations=lengths,
            check_every=step,
            rise=self.rise // 10,
            landmarks=tuple(nearest(landmark) for landmark in self.landmarks),
        )

    def recipe(self, params: Mapping[str, Value], iterations: int) -> Recipe:
        """Return how to train at a point; what the space does not say is as published."""
        from graphopt.learning import PAPER

        schedule: tuple[tuple[float, int], ...] = ((0.0, int(params["kmeans_updates"])),)
        if params.get("kmeans_rise", False) and iterations > self.rise:
            schedule = (*schedule, (self.rise / iterations, 5))
        own: dict[str, Any] = {name: params[name] for name in _RECIPE if name in params}
        return replace(
            PAPER,
            iterations=iterations,
            check_every=self.check_every,
            kmeans_schedule=schedule,
            hidden_features=int(params["hidden_features"]),
            embedding_features=int(params["embedding_features"]),
            **own,
        )

    def estimator_params(
        self, params: Mapping[str, Value], iterations: int, seen_fraction: float
    ) -> dict[str, Any]:
        """Return the parameters of :class:`graphopt.ClusterNet` at a point.

        Parameters
        ----------
        params : mapping
            A point of the space.
        iterations : int
            Steps of training.
        seen_fraction : float
            Share of the edges that the encoder sees of those that are judged on; counts only
            where missing edges are expected.
        """
        completed = bool(params.get("completion", False))
        return {
            "completion": "features" if completed else None,
            "seen_fraction": seen_fraction if completed else 1.0,
            "recipe": self.recipe(params, iterations),
        }


_RECIPE = (
    "temperature",
    "learning_rate",
    "weight_decay",
    "smoothing",
    "dropout",
    "feature_dropout",
    "masking",
)

_WIDTHS: dict[str, tuple[Value, ...]] = {
    "hidden_features": (20, 50, 100),
    "embedding_features": (20, 50, 100),
}
_REGULARIZATION: dict[str, tuple[Value, ...]] = {
    "weight_decay": (0.0, 5e-4),
    "smoothing": (0, 1, 2),
    "feature_dropout": (0.0, 0.25, 0.5),
    "masking": (0.0, 0.2, 0.4),
    "completion": (False, True),
}
_SINGLE: dict[str, tuple[Value, ...]] = {
    "temperature": (10.0, 30.0, 50.0, 70.0),
    "learning_rate": (0.03, 0.01, 0.003, 0.001),
    "kmeans_updates": (1, 3, 6),
    "kmeans_rise": (False, True),
    **_WIDTHS,
    "dropout": (0.5, 0.2),
    **_REGULARIZATION,
}
_INDUCTIVE: dict[str, tuple[Value, ...]] = {
    "temperature": (30.0, 50.0, 70.0, 100.0),
    "learning_rate": (0.03, 0.01, 0.003, 0.001),
    "dropout": (0.5, 0.2),
    "kmeans_updates": (1, 5, 10, 20),
    **_WIDTHS,
    "smoothing": (0, 2, 5),
    **{name: values for name, values in _REGULARIZATION.items() if name != "smoothing"},
}
UNTRIED: Params = {
    "dropout": 0.5,
    "weight_decay": 0.0,
    "smoothing": 0,
    "feature_dropout": 0.0,
    "masking": 0.0,
    "completion": False,
}
"""What the paper did in settings that it did not vary."""


def default_space(task: str, kind: str = "single") -> Space:
    """Return a grid around the settings that :class:`graphopt.ClusterNet` has by default.

    Parameters
    ----------
    task : {"community", "facility"}
        Whose default settings are evaluated first.
    kind : {"single", "inductive"}
        One graph (50 to 1,000 steps), or many (10 to 300 steps).

    Returns
    -------
    Space

    Raises
    ------
    ValueError
        For another task or kind.
    """
    check_choice("task", task, TASKS)
    check_choice("kind", kind, KINDS)
    single = kind == "single"
    return Space(
        "default",
        _SINGLE if single else _INDUCTIVE,
        iterations=tuple(range(50, 1001, 50) if single else range(10, 301, 10)),
        check_every=25 if single else 10,
        rise=500 if single else 300,
        landmarks=(_default(kind, task),),
    )


def _default(kind: str, task: str) -> Landmark:
    """Return what the estimator does on partly seen graphs unless the user says otherwise."""
    params: Params = {**UNTRIED, "hidden_features": 50, "embedding_features": 50}
    if kind == "single":
        iterations = 150 if task == "community" else 200
        params |= {"temperature": 30.0, "kmeans_updates": 6, "kmeans_rise": False}
        params |= {"learning_rate": 0.03 if task == "community" else 0.01}
    else:
        iterations = 60
        params |= {"temperature": 50.0, "kmeans_updates": 20, "learning_rate": 0.003}
        params |= {"smoothing": 2}
    if task == "community":
        params |= {"feature_dropout": 0.5, "masking": 0.4, "completion": True}
        params |= {"smoothing": 2 if kind == "single" else 5}
    return Landmark("default", params, iterations)
