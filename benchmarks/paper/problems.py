"""Problems whose seen edges are drawn afresh."""

from __future__ import annotations

from typing import Any

import numpy as np

from graphopt import datasets
from graphopt.cli._comparison import Problem
from graphopt.features import role2vec
from graphopt.graph import Graph

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
    # Not the stream that renumbered the nodes.
    return _hidden_anew(name, data, data.graph, CLEAN_FRACTION, task, k, [_CLEAN, seed])


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
    return _hidden_anew(name, data, data.observed, share, task, k, [_INNER, seed])


def _hidden_anew(
    name: str,
    data: datasets.Dataset,
    full: Graph,
    share: float,
    task: str,
    k: int,
    seed: list[int],
) -> Problem:
    """Return a problem that is judged on `full`, of whose edges a share is seen."""
    split = datasets.split_edges(full, share, random_state=np.random.default_rng(seed))
    seen = datasets.observed_graph(full, split)
    computed = data.observed_features is not data.features
    features: Any = role2vec(seen) if computed else data.features
    return Problem(name, task, k, full, seen, features, computed)
