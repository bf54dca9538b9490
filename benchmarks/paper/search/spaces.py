"""The grids that the paper searched (appendix, 2.1), and a wider one with our settings too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from graphopt._validation import check_choice
from graphopt.datasets import Dataset, InductiveDataset
from graphopt.graph import Graph
from graphopt.tuning import HiddenEdges, Inductive, Landmark, SingleGraph, Space, default_space
from graphopt.tuning.spaces import KINDS, UNTRIED, Params, Value

EXTENTS = ("paper", "extended")

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
    ours = default_space(task, kind)
    published = paper_space(kind, distribution=distribution).landmarks[0]
    as_there = {name: UNTRIED[name] for name in ours.choices if name in UNTRIED}
    led_by = replace(published, params={**as_there, **published.params})
    return replace(ours, name="extended", landmarks=(led_by, *ours.landmarks))


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


def of_dataset(
    data: Dataset | InductiveDataset,
    *,
    extent: str,
    task: str,
    quick: bool = False,
    graph: int | None = None,
    **settings: Any,
) -> HiddenEdges:
    """Return the evaluation of a data set, made from nothing but what is observed of it.

    Parameters
    ----------
    data : Dataset or InductiveDataset
        Only `observed` and `observed_features` are read, and of many graphs those to train and to
        validate on.
    extent : {"paper", "extended"}
    task : {"community", "facility"}
    quick : bool
    graph : int, optional
        Of many graphs, search for this one alone, as if it were all there is.
    **settings
        The others of :class:`HiddenEdges`.

    Raises
    ------
    ValueError
        For a `graph` that is there to be tested on, or is not there.
    """
    if graph is not None:
        data = _member(data, graph)

    def observed(one: Dataset) -> tuple[Graph, Any]:
        return one.observed, one.observed_features

    if isinstance(data, InductiveDataset):
        distribution = "pubmed" if data.name.startswith("pubmed") else "synthetic"
        space = choose_space(extent, "inductive", task, distribution=distribution, quick=quick)
        return Inductive(
            training=[observed(one) for one in data.train],
            validation=[observed(one) for one in data.validation],
            name=data.name,
            task=task,
            space=space,
            **settings,
        )
    seen, features = observed(data)
    space = choose_space(extent, "single", task, quick=quick)
    return SingleGraph(
        seen=seen, features=features, name=data.name, task=task, space=space, **settings
    )


def _member(data: Dataset | InductiveDataset, number: int) -> Dataset:
    if not isinstance(data, InductiveDataset):
        raise ValueError(f"graph is for a data set of many graphs; {data.name} is one")
    known = sorted({*data.train_indices, *data.validation_indices})
    if number not in known:
        numbers = ", ".join(map(str, known))
        raise ValueError(
            f"graph must be one that {data.name} has to learn or to choose on, {numbers}; "
            f"not {number}"
        )
    return data[number]
