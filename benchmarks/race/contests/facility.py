"""The facility objective: expected distances and their gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.race import workloads
from benchmarks.race.contest import Call, Contest, Contestant, Faster, LineUp, WithinMemory
from benchmarks.race.workloads import like, size_of
from graphopt.paths import all_pairs_shortest_paths

K = 10
Answer = tuple[Any, Any]


def _facility(name: str, size: tuple[int, int], scale: float, part: int | None) -> LineUp:
    """Race on all customers, the peers on `part` of them (None: all)."""
    n, source = like(name, size, scale)
    customers = n if part is None else min(part, n)

    def opening() -> Any:
        import torch

        return torch.from_numpy(workloads.opening_probabilities(n, K)).float()

    def ours(count: int) -> Callable[[], Answer]:
        from graphopt.nn.facility_distances import FacilityDistances

        hops = all_pairs_shortest_paths(source()[0])
        problem = FacilityDistances.from_distances(hops[:count], charge=int(hops.max()) + 1)
        return _costs_and_gradient(problem.expected_costs, opening())

    def peer(kind: str) -> Callable[[], Call]:
        def prepare() -> Call:
            from benchmarks.race import torch_peers

            hops = all_pairs_shortest_paths(source()[0])
            make = getattr(torch_peers, kind)
            return _costs_and_gradient(make(hops[:customers], int(hops.max()) + 1.0), opening())

        return prepare

    def same(mine: Answer, theirs: Answer) -> None:
        served = len(theirs[0])
        np.testing.assert_allclose(theirs[0], mine[0][:served], rtol=1e-3)
        gradient = mine[1] if served == n else ours(served)()[1]
        largest = float(gradient.abs().max())
        np.testing.assert_allclose(theirs[1], gradient, rtol=1e-3, atol=1e-3 * largest)

    contestants = (
        Contestant("graphopt", lambda: ours(n), peer=False),
        Contestant("torch, sorted", peer("SortedFacility"), share=customers / n),
        Contestant(
            "torch, grouped",
            peer("GroupedFacility"),
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


def facility_2485(scale: float) -> LineUp:
    """Race on cora's largest component."""
    return _facility("cora_connected", workloads.CORA_CONNECTED, scale, None)


def facility_20k(scale: float) -> LineUp:
    """Race on pubmed; the peers, whose matrices would not fit, serve 500 customers."""
    return _facility("pubmed", workloads.PUBMED, scale, 500)


CONTESTS = (
    Contest(
        "facility-2485",
        "expected distances and their gradient",
        facility_2485,
        (Faster(2.0), Faster(40.0, "torch, sorted")),
        quick=True,
    ),
    Contest(
        "facility-20k",
        "expected distances and their gradient",
        facility_20k,
        (Faster(2.0), Faster(40.0, "torch, sorted"), WithinMemory(600 * 2**20)),
    ),
)
