"""Problems whose seen edges are drawn afresh."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphopt import datasets
from graphopt.cli._comparison import Problem
from graphopt.features import role2vec

CLEAN_FRACTION = 0.4
_CLEAN, _INNER = 1, 2


def clean_problem(name: str, data: datasets.Dataset, task: str, k: int, seed: int) -> Problem:
    """Return a data set as a problem of which a fresh 40 % of the undirected edges are seen.

    No edge is both seen and hidden, as edges are in published splits that were drawn over directed
    lines. Features that the nodes have by themselves (words) stay. Features that were computed from
    edges would tell what is hidden, so :func:`graphopt.features.role2vec` of the seen graph, which
    the paper computes where there is structure alone, takes their place.

    Parameters
    ----------
    name : str
    data : Dataset
        Renumbered already.
    task : {"community", "facility"}
    k : int
    seed : int
        Draws the seen edges; the same for every system, so that they can be compared in pairs.
    """
    rng = np.random.default_rng([_CLEAN, seed])  # not the stream that renumbered the nodes
    split = datasets.split_edges(data.graph, CLEAN_FRACTION, random_state=rng)
    seen = datasets.observed_graph(data.graph, split)
    features: Any = data.features
    computed = data.observed_features is not data.features
    if computed:
        features = role2vec(seen)
    return Problem(name, task, k, data.graph, seen, features, computed)


def inner_problem(name: str, data: datasets.Dataset, task: str, k: int, seed: int) -> Problem:
    """Return the seen part of a data set as a problem of its own, for choosing between settings.

    Of the seen edges a share as large as theirs of all edges is seen, drawn by `seed`, and the
    decision is judged on all of them; nothing that is hidden is looked at. Features that were
    computed from all seen edges are replaced as by :func:`clean_problem`.

    Parameters
    ----------
    name : str
    data : Dataset
        Renumbered already.
    task : {"community", "facility"}
    k : int
    seed : int
    """
    share = data.observed.n_edges / data.graph.n_edges
    rng = np.random.default_rng([_INNER, seed])
    split = datasets.split_edges(data.observed, share, random_state=rng)
    seen = datasets.observed_graph(data.observed, split)
    features: Any = data.features
    computed = data.observed_features is not data.features
    if computed:
        features = role2vec(seen)
    return Problem(name, task, k, data.observed, seen, features, computed)
