"""Times, memory and quality of decisions."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.paper.problems import objective_of
from benchmarks.race.memory import measure
from graphopt.decision import agreement
from graphopt.graph import Graph
from graphopt.nn import ClusterNet, DirectGCN

Answer = TypeVar("Answer")
Values = dict[str, "float | None"]
_FORWARD_PASSES = 10


def timed(call: Callable[[], Answer]) -> tuple[Answer, float]:
    """Return a call's answer and its seconds of wall time."""
    start = time.perf_counter()
    answer = call()
    return answer, time.perf_counter() - start


def with_peak(call: Callable[[], Answer]) -> tuple[Answer, int | None]:
    """Return a call's answer and the bytes it needed at most; None where nobody knows."""
    answers: list[Answer] = []
    peak = measure(lambda: answers.append(call()))
    if not answers:  # the system does not tell, and so it was not called
        answers.append(call())
    return answers[0], None if peak is None else peak.extra


def forward_seconds(network: ClusterNet | DirectGCN, decide: Callable[[], Any]) -> float:
    """Return the time of a forward pass of the network, on the inputs that `decide` encodes.

    The median of several: embedding and, in ClusterNet, clustering; neither the preparation of its
    inputs nor the rounding of its output.
    """
    inputs: list[tuple[Any, ...]] = []
    handle = network.encoder.register_forward_pre_hook(
        lambda _, arguments: inputs.append(arguments)
    )
    try:
        decide()
    finally:
        handle.remove()
    with torch.no_grad():
        times = [timed(lambda: network(*inputs[-1]))[1] for _ in range(_FORWARD_PASSES)]
    return statistics.median(times)


def judged(
    task: str,
    decision: NDArray[np.integer[Any]],
    full: Graph,
    seen: Graph,
    unseen: Graph | None,
    truth: NDArray[np.int32] | None = None,
) -> Values:
    """Return what a decision is worth.

    Parameters
    ----------
    task : {"community", "facility"}
    decision : array of int
        Labels, or chosen nodes.
    full, seen, unseen : Graph
    truth : array of int32, shape (n_nodes,), optional
        Classes of the nodes.

    Returns
    -------
    dict
        ``score`` on the full graph and ``seen_score`` on the seen one: modularity, or the largest
        hop distance to a facility (None: a node cannot reach any). Communities: ``unseen_score``,
        the modularity on the graph that has the edges never seen and no other, None if there are
        none, and, where there are classes, ``nmi`` and ``ari`` with them. Facilities:
        ``mean_distance``, ``p95_distance`` and ``p99_distance`` on the full graph, None where that
        includes a node that is not reached.
    """
    found: Values = dict(objective_of(task).measures(decision, full, seen, unseen))
    if task == "community":
        found.setdefault("unseen_score", None)
        if truth is not None:
            alike = agreement(decision, truth)
            found |= {"nmi": alike.nmi, "ari": alike.ari}
    found.pop("n_unreached", None)
    return {name: None if value is None else _finite(value) for name, value in found.items()}


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None
