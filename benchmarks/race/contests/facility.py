"""The facility objective: expected distances and their gradient."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.race import workloads
from benchmarks.race.contest import Call, Contest, Contestant, Faster, LineUp, WithinMemory
from benchmarks.race.torch_peers import GroupedFacility, SortedFacility
from benchmarks.race.workloads import like, size_of
from graphopt import all_pairs_shortest_paths
from graphopt.nn.facility_distances import FacilityDistances

K = 10
Answer = tuple[Any, Any]


def facility(
    scale: float, name: str, size: tuple[int, int], served_by_peers: int | None = None
) -> LineUp:
    """Race on all customers; peers, whose matrices may not fit, on so many of them (None: all)."""
    n, source = like(name, size, scale)
    customers = n if served_by_peers is None else min(served_by_peers, n)

    def opening() -> Any:
        return torch.from_numpy(workloads.opening_probabilities(n, K)).float()

    def ours(count: int) -> Callable[[], Answer]:
        hops = all_pairs_shortest_paths(source()[0])
        problem = FacilityDistances.from_distances(hops[:count], charge=int(hops.max()) + 1)
        return _costs_and_gradient(problem.expected_costs, opening())

    def peer(kind: Callable[..., Any]) -> Callable[[], Call]:
        def prepare() -> Call:
            hops = all_pairs_shortest_paths(source()[0])
            return _costs_and_gradient(kind(hops[:customers], int(hops.max()) + 1.0), opening())

        return prepare

    def same(mine: Answer, theirs: Answer) -> None:
        served = len(theirs[0])
        np.testing.assert_allclose(theirs[0], mine[0][:served], rtol=1e-3)
        gradient = mine[1] if served == n else ours(served)()[1]
        largest = float(gradient.abs().max())
        np.testing.assert_allclose(theirs[1], gradient, rtol=1e-3, atol=1e-3 * largest)

    contestants = (
        Contestant("graphopt", lambda: ours(n), peer=False),
        Contestant("torch, sorted", peer(SortedFacility), share=customers / n),
        Contestant(
            "torch, grouped",
            peer(GroupedFacility),
            share=customers / n,
            note="sites grouped by distance with scatter_add and cumsum",
        ),
    )
    return LineUp(size_of(source), contestants, same)


def _costs_and_gradient(costs: Any, opening: Any) -> Callable[[], Answer]:
    """Return what finds every customer's expected distance and the gradient of their mean."""
    leaf = opening.requires_grad_()

    def call() -> Answer:
        leaf.grad = None
        found = costs(leaf)
        found.mean().backward()
        return found.detach(), leaf.grad

    return call


CONTESTS = (
    Contest(
        "facility-2485",
        "expected distances and their gradient",
        partial(facility, name="cora_connected", size=workloads.CORA_CONNECTED),
        (Faster(2.0), Faster(40.0, "torch, sorted")),
        quick=True,
    ),
    Contest(
        "facility-20k",
        "expected distances and their gradient",
        partial(facility, name="pubmed", size=workloads.PUBMED, served_by_peers=500),
        (Faster(2.0), Faster(40.0, "torch, sorted"), WithinMemory(600 * 2**20)),
    ),
)
