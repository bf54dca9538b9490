"""The inner split: seen edges that are hidden, so that what is expected can be judged."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from graphopt._validation import check_integer, check_number
from graphopt.datasets.hiding import Hiding, hide_edges
from graphopt.graph import Graph


def check_share(seen_fraction: float) -> float:
    """Return the share s of edges that were seen, in (0, 1]; 1 / s is finite."""
    share = check_number(
        "seen_fraction", seen_fraction, minimum=0.0, maximum=1.0, open_minimum=True
    )
    if math.isinf(1.0 / share):
        raise ValueError(f"seen_fraction must not be so small, {share:g}: no edge would be seen")
    return share


def masked_graphs(
    graph: Graph, seen_fraction: float, n_splits: int, random_state: np.random.Generator
) -> Iterator[Hiding]:
    """Yield graphs that keep a random share of the edges of `graph`.

    What is kept is to `graph` as `graph` is to the whole one.
    """
    share = check_share(seen_fraction)
    check_integer("n_splits", n_splits, minimum=1)
    for _ in range(n_splits):
        yield hide_edges(graph, share, random_state)
