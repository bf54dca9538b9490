"""Training ClusterNet: one iteration, and the published thousand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any

import numpy as np
import torch

from benchmarks.race import torch_peers, workloads
from benchmarks.race.contest import (
    Agree,
    Call,
    Contest,
    Contestant,
    Faster,
    LineUp,
    Size,
    Within,
)
from benchmarks.race.workloads import Described
from graphopt.learning import PAPER, Recipe, train
from graphopt.learning.inputs import EncoderInputs
from graphopt.nn import ClusterNet
from graphopt.nn.losses import KCenterLoss, ModularityLoss

K = 10


def _described(task: str, scale: float) -> Described:
    """Return cora, connected for facilities, or something of its size."""
    facility = task == "facility"
    if scale == 1.0:
        known = workloads.published("cora_connected" if facility else "cora")
        if known is not None:
            return known
    size = workloads.CORA_CONNECTED if facility else workloads.CORA
    n_nodes, n_edges = (max(60, round(scale * count)) for count in size)
    return workloads.citations(n_nodes, n_edges, connected=facility)


@dataclass(frozen=True, slots=True)
class _Task:
    """What both sides train on: inputs, the objective's problem, and where they start."""

    data: Described
    inputs: EncoderInputs
    objective: Any
    problem: Any
    state: dict[str, Any]

    def ours(self, recipe: Recipe) -> list[float]:
        """Train graphopt's network and return the losses."""
        network = ClusterNet(self.inputs.n_features, K, dropout=recipe.dropout)
        network.load_state_dict(self.state)
        rng = np.random.default_rng(0)
        return train(network, self.inputs, self.objective, self.problem, recipe, rng).losses

    def plain(self, *, grouped: bool = False) -> torch_peers.Training:
        """Return the same training in plain PyTorch; facilities sorted or grouped by distance."""
        graph = self.data.observed
        if isinstance(self.objective, KCenterLoss):
            kind = torch_peers.GroupedFacility if grouped else torch_peers.SortedFacility
            paid = kind(self.problem.distances.numpy(), self.problem.charge)
            loss = torch_peers.facility_loss(paid, self.objective.site_temperature)
        else:
            modularity = torch_peers.SparseModularity(graph)

            def loss(x: Any, centers: Any, assignment: Any) -> Any:
                return modularity(assignment)

        features: Any = self.inputs.features.to_dense()
        names = ("hidden_weight", "hidden_bias", "out_weight", "out_bias")
        weights: Any = tuple(self.state[f"encoder.{name}"] for name in names)
        return torch_peers.Training(
            features.to_sparse_coo(),
            torch.from_numpy(graph.edges.astype(np.int64)),
            weights,
            self.state["initial_centers"],
            loss,
        )


@lru_cache(maxsize=2)
def _task(task: str, scale: float) -> _Task:
    data = _described(task, scale)
    inputs = EncoderInputs.make(data.observed, data.words, smoothing=0)
    objective: Any = ModularityLoss()
    if task == "facility":  # the paper's loss: the mean distance, at most the diameter
        objective = KCenterLoss(K, growth=0.0, reach=1.0)
    with torch.random.fork_rng(devices=[]):
        network = ClusterNet(inputs.n_features, K)
        network.initialize(inputs.features, inputs.adjacency.whole, np.random.default_rng(0))
    problem = objective.prepare(data.observed)
    return _Task(data, inputs, objective, problem, network.state_dict())


def training(
    scale: float, task: str, recipe: Callable[[int], Recipe], unit: int, steps: int, part: int
) -> LineUp:
    """Race through `unit` iterations: ours makes `steps`, PyTorch `part`, of a recipe.

    PyTorch has two ways with facilities: their distances sorted ("plain"), and grouped.
    """

    def ours() -> Call:
        prepared, settings = _task(task, scale), recipe(steps)
        return lambda: prepared.ours(settings)

    def plain(grouped: bool) -> Callable[[], Call]:
        def prepare() -> Call:
            peer, settings = _task(task, scale).plain(grouped=grouped), recipe(part)
            updates = [settings.kmeans_updates(step) for step in range(part)]

            def call() -> list[float]:
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(0)
                    return peer.run(updates, dropout=settings.dropout, masking=settings.masking)

            return call

        return prepare

    def agreement(grouped: bool) -> Agree:
        def same(mine: list[float], theirs: list[float]) -> None:
            """Compare trainings without chance, step by step; those with it must lower the loss."""
            prepared = _task(task, scale)
            certain = replace(recipe(6), dropout=0.0, masking=0.0)
            updates = [certain.kmeans_updates(step) for step in range(6)]
            wanted = prepared.plain(grouped=grouped).run(updates, dropout=0.0, masking=0.0)
            np.testing.assert_allclose(prepared.ours(certain), wanted, rtol=1e-3)
            for losses in (mine, theirs):
                if not min(losses[1:]) < losses[0]:
                    raise AssertionError(f"losses {losses[0]:g} .. {losses[-1]:g}")

        return same

    def size() -> Size:
        data = _described(task, scale)
        return Size(data.graph.n_nodes, data.graph.n_edges, data.name)

    contestants = [
        Contestant("graphopt", ours, share=steps / unit, peer=False),
        Contestant("torch, plain", plain(False), share=part / unit),
    ]
    if task == "facility":
        grouped = Contestant(
            "torch, grouped",
            plain(True),
            share=part / unit,
            note="sites grouped by distance with scatter_add and cumsum",
            agree=agreement(True),
        )
        contestants.append(grouped)
    return LineUp(size, tuple(contestants), agreement(False))


def _one_step(steps: int, masking: float) -> Recipe:
    """Return the published settings, with seen edges hidden; decisions are looked at twice."""
    return replace(PAPER, iterations=steps, check_every=steps, masking=masking)


def _published(steps: int) -> Recipe:
    return replace(PAPER, iterations=steps)


# Plain PyTorch makes a part of the iterations and never decides. In a step of communities 40 % of
# the seen edges are hidden anew, as is the library's default; facilities train on the paper's loss.
_STEP = partial(training, unit=1, steps=100)
_WHOLE = partial(training, recipe=_published, unit=1_000, steps=1_000)

CONTESTS = (
    Contest(
        "training-step-community",
        "one training iteration, mean of many",
        partial(_STEP, task="community", recipe=partial(_one_step, masking=0.4), part=50),
        (Faster(3.0),),
        quick=True,
    ),
    Contest(
        "training-step-facility",
        "one training iteration, mean of many",
        partial(_STEP, task="facility", recipe=partial(_one_step, masking=0.0), part=10),
        (Faster(2.0), Faster(10.0, "torch, plain")),
    ),
    Contest(
        "training-community",
        "1,000 iterations and decisions, published settings",
        partial(_WHOLE, task="community", part=100),
        (Within(5.0),),
        quoted="59.48 s on 14 cores (the paper)",
    ),
    Contest(
        "training-facility",
        "1,000 iterations and decisions, published settings",
        partial(_WHOLE, task="facility", part=10),
        (Within(10.0),),
        quoted="264.14 s on 14 cores (the paper)",
    ),
)
