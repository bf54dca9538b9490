"""How the time of each kernel grows with its input: the studies, the fitted law, the picture."""

from __future__ import annotations

import math
import time
import timeit
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

import graphopt
from benchmarks.race import workloads
from benchmarks.race.contest import Call
from graphopt.clustering import soft_kmeans_vjp
from graphopt.clustering.settings import Gradient
from graphopt.nn.facility_distances import FacilityDistances
from graphopt.nn.losses import KCenterLoss, ModularityLoss

K = 10
TEMPERATURE = 30.0
EDGES_PER_NODE = 4


@dataclass(frozen=True, slots=True)
class Study:
    """A kernel over sizes.

    Attributes
    ----------
    name : str
    law : float
        The exponent that counting operations gives: time grows as n to this power.
    sizes : tuple of int
        Nodes or rows.
    prepare : callable
        ``prepare(n)`` makes the input and returns the call to be timed.
    holds : callable
        Whether an answer has the property that tells a right one at any size.
    """

    name: str
    law: float
    sizes: tuple[int, ...]
    prepare: Callable[[int], Call]
    holds: Callable[[Any], bool]

    def median_seconds(self, n: int, rounds: int) -> float:
        """Return the median time of a call on an input of n, after one that warms up.

        A round is as many calls as fill 20 ms.
        """
        call = self.prepare(n)
        start = time.perf_counter()
        answer = call()
        once = time.perf_counter() - start
        if not self.holds(answer):
            raise AssertionError(f"{self.name}: wrong at n = {n}")
        del answer
        calls = max(1, min(1_000, int(0.02 / max(once, 1e-6))))
        times = timeit.repeat(call, number=calls, repeat=rounds)
        return median(times) / calls


def fitted_exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return b of seconds = a n^b by least squares on logarithms, over the larger half of sizes.

    What does not grow, the call itself, hides the law at small sizes.
    """
    larger = slice((len(sizes) - 1) // 2, None)
    exponent, _ = np.polyfit(np.log(sizes[larger]), np.log(seconds[larger]), 1)
    return float(exponent)


# --- the kernels --------------------------------------------------------------------------------


def _hops(n: int) -> Call:
    graph = workloads.scale_free_graph(n, EDGES_PER_NODE * n)
    return lambda: graphopt.all_pairs_shortest_paths(graph)


def _lengths(n: int) -> Call:
    graph = workloads.power_grid(n)
    return lambda: graphopt.all_pairs_shortest_paths(graph)


def _dense_lengths(n: int) -> Call:
    graph = workloads.complete_graph(n)
    return lambda: graphopt.all_pairs_shortest_paths(graph)


def _gonzalez(n: int) -> Call:
    graph = workloads.random_graph(n, 5 * n)
    return lambda: graphopt.gonzalez(graph, K, first=0)


def _greedy(n: int) -> Call:
    graph = workloads.citations(n, 2 * n, connected=True).graph
    hops = graphopt.all_pairs_shortest_paths(graph)
    return lambda: graphopt.greedy_k_center(hops, K)


def _soft_kmeans(n: int) -> Call:
    rows, start = workloads.clustered_rows(n)
    return lambda: graphopt.soft_kmeans(
        rows, start, temperature=TEMPERATURE, iterations=10, normalize=False
    )


def _gradient(method: Gradient) -> Callable[[int], Call]:
    def prepare(n: int) -> Call:
        rows, start = workloads.clustered_rows(n)
        fixed = graphopt.soft_kmeans(
            rows, start, temperature=TEMPERATURE, iterations=500, normalize=False
        ).centers
        upstream = np.random.default_rng(n).standard_normal(fixed.shape).astype(np.float32)
        return lambda: soft_kmeans_vjp(
            rows,
            fixed,
            temperature=TEMPERATURE,
            iterations=1,
            grad_centers=upstream,
            gradient=method,
            normalize=False,
        )

    return prepare


def _facility(n: int) -> Call:
    graph = workloads.citations(n, 2 * n, connected=True).graph
    problem = FacilityDistances.from_distances(graphopt.all_pairs_shortest_paths(graph))
    opening = workloads.opening_probabilities(n, K).astype(np.float32)
    return _loss_and_gradient(KCenterLoss(K), problem, opening)


def _modularity(n: int) -> Call:
    objective = ModularityLoss()
    problem = objective.prepare(workloads.citations(n, 2 * n).graph)
    return _loss_and_gradient(objective, problem, workloads.assignment(n, K))


def _loss_and_gradient(objective: Any, problem: Any, decision: Any) -> Call:
    def call() -> Any:
        at = torch.from_numpy(decision).requires_grad_()
        objective.loss(at, problem).backward()
        return at.grad

    return call


def _rounding(n: int) -> Call:
    opening = workloads.opening_probabilities(n, K)
    return lambda: graphopt.pipage_rounding(opening, k=K, draws=50, random_state=0)


def _is_metric(distances: Any) -> bool:
    n = len(distances)
    some = slice(0, n, max(1, n // 50))
    block = distances[some, some].astype(float)
    detours = (block[:, :, None] + block[None, :, :]).min(axis=1)
    return (
        bool((np.diagonal(block) == 0).all())
        and np.allclose(block, block.T)
        and np.allclose(np.minimum(block, detours), block)
    )


def _has_centers(result: Any) -> bool:
    return len(set(result.centers.tolist())) == K and 0 < result.radius < np.inf


def _sums_to_one(result: Any) -> bool:
    return np.allclose(result.assignment.sum(axis=1), 1.0, atol=1e-5)


def _is_solved(result: Any) -> bool:
    return result.report.converged and bool(np.isfinite(result.x).all())


def _is_gradient(gradient: Any) -> bool:
    return bool(gradient.isfinite().all()) and bool((gradient != 0).any())


def _never_rises(gradient: Any) -> bool:
    return _is_gradient(gradient) and bool((gradient <= 0).all())


def _keeps_k(draws: Any) -> bool:
    return draws.shape == (50, K) and bool((np.diff(draws, axis=1) > 0).all())


STUDIES = (
    Study("all-pairs hops", 2, (500, 1_000, 2_500, 5_000, 10_000, 20_000), _hops, _is_metric),
    Study("all-pairs lengths, sparse", 2, (500, 1_000, 2_500, 5_000, 10_000), _lengths, _is_metric),
    Study(
        "all-pairs lengths, dense", 3, (250, 500, 1_000, 1_500, 2_500), _dense_lengths, _is_metric
    ),
    Study("Gonzalez", 1, (10_000, 30_000, 100_000, 300_000, 1_000_000), _gonzalez, _has_centers),
    Study("greedy k-center", 2, (500, 1_000, 2_500, 5_000, 10_000, 20_000), _greedy, _has_centers),
    Study("soft k-means", 1, (500, 2_500, 10_000, 50_000, 200_000), _soft_kmeans, _sums_to_one),
    Study("implicit gradient", 1, (500, 2_500, 10_000, 50_000), _gradient("implicit"), _is_solved),
    Study("dense Jacobian and LU", 1, (500, 2_500, 10_000, 50_000), _gradient("dense"), _is_solved),
    Study(
        "facility loss, gradient",
        2,
        (500, 1_000, 2_500, 5_000, 10_000, 20_000),
        _facility,
        _never_rises,
    ),
    Study(
        "modularity loss, gradient", 1, (1_000, 10_000, 100_000, 300_000), _modularity, _is_gradient
    ),
    Study("50 pipage roundings", 1, (1_000, 10_000, 100_000, 1_000_000), _rounding, _keeps_k),
)


# --- the picture --------------------------------------------------------------------------------


def draw(results: Sequence[dict[str, Any]], title: str, path: Path) -> None:
    """Write one log-log panel per kernel: medians by threads, and a guide of the expected slope.

    Parameters
    ----------
    results : sequence of dict
        ``study``, ``counted_exponent``, ``threads``, ``n`` and ``median`` (lists), ``exponent``.
    title : str
        The machine.
    path : Path
    """
    names = list(dict.fromkeys(result["study"] for result in results))
    columns = 4
    rows = math.ceil(len(names) / columns)
    figure = Figure(figsize=(4 * columns, 3.2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    colours = {1: "#1f5fa8", 2: "#d9730d"}
    for panel, name in zip(axes.flat, names, strict=False):
        of_study = [result for result in results if result["study"] == name]
        for result in of_study:
            label = f"{result['threads']} thread{'' if result['threads'] == 1 else 's'}: "
            panel.loglog(
                result["n"],
                result["median"],
                "o-",
                markersize=4,
                color=colours.get(result["threads"], "#444444"),
                label=f"{label}$n^{{{result['exponent']:.2f}}}$",
            )
        first = of_study[0]
        n = np.asarray(first["n"], float)
        guide = first["median"][-1] * 1.6 * (n / n[-1]) ** first["counted_exponent"]
        panel.loglog(
            n, guide, "--", color="#999999", linewidth=1, label=f"$n^{first['counted_exponent']:g}$"
        )
        panel.xaxis.set_minor_formatter(NullFormatter())  # labels of a short axis would overlap
        panel.set_title(name, fontsize=11)
        panel.set_xlabel("n")
        panel.set_ylabel("seconds")
        panel.grid(True, which="major", alpha=0.3)
        panel.legend(fontsize=8, frameon=False)
    for panel in axes.flat[len(names) :]:
        panel.set_visible(False)
    figure.suptitle(title, fontsize=11)
    figure.savefig(path, dpi=110)
