"""What the hyperparameter search tries: the paper's grids (appendix, 2.1), and wider ones."""

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
EXTENTS = ("paper", "extended")


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
        forward pass, ``kmeans_rise`` tells whether they rise to 5; ``completion`` whether edges
        between nodes with like features are expected; the rest are the recipe's.
    iterations : tuple of int
        Lengths of training, ascending.
    check_every : int
        Steps between looks at the decoded decision; divides every length.
    rise : int
        Steps after which ``kmeans_rise`` takes effect.
    landmarks : tuple of Landmark
        What is evaluated first; the published choice leads.

    Examples
    --------
    >>> space = paper_space("single")
    >>> space.size, space.iterations[-1]
    (288, 1000)
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
_PUBLISHED_WIDTHS: Params = {"hidden_features": 50, "embedding_features": 50}

_SINGLE = Space(
    "paper",
    {
        "temperature": (1.0, 10.0, 30.0, 50.0),
        "learning_rate": (0.01, 0.001),
        "kmeans_updates": (1, 3),
        "kmeans_rise": (False, True),
        **_WIDTHS,
    },
    iterations=tuple(range(100, 1001, 100)),
    check_every=25,
    rise=500,
    landmarks=(
        Landmark(
            "published",
            {
                "temperature": 30.0,
                "learning_rate": 0.01,
                "kmeans_updates": 1,
                "kmeans_rise": True,
                **_PUBLISHED_WIDTHS,
            },
            1000,
        ),
    ),
)

_INDUCTIVE_PUBLISHED: Params = {
    "temperature": 70.0,
    "learning_rate": 0.001,
    "dropout": 0.2,
    **_PUBLISHED_WIDTHS,
}

_INDUCTIVE = Space(
    "paper",
    {
        "temperature": (30.0, 50.0, 70.0, 100.0),
        "learning_rate": (0.01, 0.001),
        "dropout": (0.5, 0.2),
        "kmeans_updates": (1, 5, 10, 15),
        **_WIDTHS,
    },
    iterations=tuple(range(10, 301, 10)),
    check_every=10,
    rise=300,
    landmarks=(),
)

# What the paper did not try; the first value is what it did.
_UNTRIED: dict[str, tuple[Value, ...]] = {
    "dropout": (0.5, 0.2),
    "weight_decay": (0.0, 5e-4),
    "smoothing": (0, 1, 2),
    "feature_dropout": (0.0, 0.25, 0.5),
    "masking": (0.0, 0.2, 0.4),
    "completion": (False, True),
}


def paper_space(kind: str, *, distribution: str = "synthetic") -> Space:
    """Return the grid that the paper searched.

    Parameters
    ----------
    kind : {"single", "inductive"}
        One graph (288 points, 100 to 1,000 steps), or many (576 points, 10 to 300 steps).
    distribution : {"synthetic", "pubmed"}
        Inductive: whose published choice leads.

    Returns
    -------
    Space

    Notes
    -----
    Source: appendix, 2.1. γ = 100 is fixed there and here, and dropout in the single-graph
    setting, which the appendix does not name, to 0.5.
    """
    check_choice("kind", kind, KINDS)
    if kind == "single":
        return _SINGLE
    check_choice("distribution", distribution, ("synthetic", "pubmed"))
    updates, iterations = (10, 70) if distribution == "synthetic" else (1, 220)
    params = {**_INDUCTIVE_PUBLISHED, "kmeans_updates": updates}
    return replace(_INDUCTIVE, landmarks=(Landmark("published", params, iterations),))


def extended_space(kind: str, task: str, *, distribution: str = "synthetic") -> Space:
    """Return a grid around the paper's that holds this library's own settings as well.

    Parameters
    ----------
    kind : {"single", "inductive"}
    task : {"community", "facility"}
        Whose default settings are evaluated beside the published choice.
    distribution : {"synthetic", "pubmed"}
        Inductive: whose published choice leads.

    Returns
    -------
    Space
    """
    check_choice("task", task, TASKS)
    paper = paper_space(kind, distribution=distribution)
    choices = dict(paper.choices)
    choices["learning_rate"] = (0.03, 0.01, 0.003, 0.001)
    if kind == "single":
        choices["temperature"] = (10.0, 30.0, 50.0, 70.0)
        choices["kmeans_updates"] = (1, 3, 6)
    else:
        choices["kmeans_updates"] = (1, 5, 10, 20)
        choices["smoothing"] = (0, 2, 5)
    for name, values in _UNTRIED.items():
        choices.setdefault(name, values)
    usual = {name: values[0] for name, values in _UNTRIED.items()}
    published = paper.landmarks[0]
    iterations = paper.iterations
    if kind == "single":
        iterations = tuple(range(50, iterations[-1] + 1, 50))
    return replace(
        paper,
        name="extended",
        choices=choices,
        iterations=iterations,
        landmarks=(
            replace(published, params={**usual, **published.params}),
            _default(kind, task, usual),
        ),
    )


def _default(kind: str, task: str, usual: Params) -> Landmark:
    """Return what the estimator does on partly seen graphs when nobody says otherwise."""
    params: Params = {**usual, **_PUBLISHED_WIDTHS}
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


def choose_space(
    extent: str, kind: str, task: str, *, distribution: str = "synthetic", quick: bool = False
) -> Space:
    """Return the paper's grid or the extended one, for trainings of full or a tenth of length.

    Parameters
    ----------
    extent : {"paper", "extended"}
    kind : {"single", "inductive"}
    task : {"community", "facility"}
    distribution : {"synthetic", "pubmed"}
    quick : bool
    """
    check_choice("extent", extent, EXTENTS)
    if extent == "paper":
        space = paper_space(kind, distribution=distribution)
    else:
        space = extended_space(kind, task, distribution=distribution)
    return space.quick() if quick else space
