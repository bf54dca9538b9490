"""Soft k-means: forward, many graphs at once, and exact gradients."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.race import torch_peers, workloads
from benchmarks.race.contest import (
    AtMostTimes,
    Call,
    Contest,
    Contestant,
    Faster,
    LineUp,
    Size,
)
from benchmarks.race.peers import torch_compiled
from graphopt import soft_kmeans
from graphopt.clustering import soft_kmeans_vjp, stack_rows
from graphopt.clustering.settings import Gradient
from graphopt.nn import SoftKMeans

TEMPERATURE, ITERATIONS = 30.0, 10
N_CLUSTERS, WIDTH, N_GRAPHS = 10, 50, 64

Pairs = tuple[Any, Any]


def same_clusters(ours: Pairs, theirs: Pairs) -> None:
    """Compare centres and assignments that float32 has carried through ten updates."""
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(np.asarray(other), np.asarray(mine), atol=1e-3, rtol=0)


def same_gradient(ours: Pairs, theirs: Pairs) -> None:
    """Compare losses, and gradients by the largest entry."""
    np.testing.assert_allclose(float(theirs[0]), float(ours[0]), rtol=1e-3)
    mine, other = np.asarray(ours[1]), np.asarray(theirs[1])
    apart, largest = np.abs(mine - other).max(), np.abs(mine).max()
    if not apart <= 2e-3 * largest:
        raise AssertionError(f"gradients are {apart:.2g} apart, entries up to {largest:.2g}")


# --- forward ------------------------------------------------------------------------------------


def forward(scale: float, n_rows: int) -> LineUp:
    """Race through ten updates."""
    n = max(40, round(scale * n_rows))

    def ours() -> Call:
        rows, centers = workloads.clustered_rows(n)
        options = {"temperature": TEMPERATURE, "iterations": ITERATIONS, "normalize": False}

        def call() -> Pairs:
            found = soft_kmeans(rows, centers, **options)  # type: ignore[arg-type]
            return found.centers, found.assignment

        return call

    def eager(compiled: bool) -> Call:
        x, centers = (torch.from_numpy(part) for part in workloads.clustered_rows(n))
        arguments = x, centers, TEMPERATURE, ITERATIONS
        cluster: Any = torch_peers.soft_kmeans
        if compiled:
            cluster = torch_compiled(torch.no_grad()(cluster), *arguments)

        def call() -> Any:
            with torch.inference_mode(not compiled), torch.no_grad():
                return cluster(*arguments)

        return call

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("torch", lambda: eager(compiled=False)),
        Contestant("torch.compile", lambda: eager(compiled=True), slow=True),
        Contestant("torch_kmeans", lambda: _torch_kmeans(n), slow=n > 5_000),
    )
    return LineUp(lambda: Size(n), contestants, same_clusters)


def _torch_kmeans(n: int) -> Call:
    """Prepare torch_kmeans on rows already of unit length, without its normalisations."""
    from torch_kmeans import SoftKMeans
    from torch_kmeans.utils.distances import DotProductSimilarity

    model = SoftKMeans(
        n_clusters=N_CLUSTERS,
        max_iter=ITERATIONS - 1,  # and one more for the gradient
        tol=0.0,  # never below: all updates are made
        distance=DotProductSimilarity,
        normalize_embeddings=False,
        normalize=None,
        temp=TEMPERATURE,
        verbose=False,
    )
    x, centers = (torch.from_numpy(part)[None] for part in workloads.clustered_rows(n))

    def call() -> Pairs:
        found = model(x, centers=centers)
        return found.centers[0].detach(), found.soft_assignment[0].detach()

    return call


# --- many graphs at once ------------------------------------------------------------------------


def soft_kmeans_ragged(scale: float) -> LineUp:
    """Race on 64 graphs of 300 to 700 rows."""
    sizes = workloads.ragged_sizes(N_GRAPHS, max(20, round(scale * 500)))
    n = sum(sizes)

    def parts() -> list[Pairs]:
        """Return rows and centres of every graph: consecutive rows hold every direction."""
        rows, _ = workloads.clustered_rows(n)
        cut = np.split(rows, np.cumsum(sizes)[:-1])
        return [(part, part[:N_CLUSTERS].copy()) for part in cut]

    def ours() -> Call:
        x, offsets = stack_rows([rows for rows, _ in parts()])
        centers = np.stack([start for _, start in parts()])

        def call() -> Pairs:
            found = soft_kmeans(
                x,
                centers,
                temperature=TEMPERATURE,
                iterations=ITERATIONS,
                offsets=offsets,
                normalize=False,
            )
            return found.centers, found.assignment

        return call

    def loop() -> Call:
        graphs = [(torch.from_numpy(x), torch.from_numpy(start)) for x, start in parts()]

        def call() -> Pairs:
            with torch.inference_mode():
                found = [
                    torch_peers.soft_kmeans(*graph, TEMPERATURE, ITERATIONS) for graph in graphs
                ]
                centers, assignments = zip(*found, strict=True)
                return torch.stack(centers), torch.cat(assignments)

        return call

    def padded() -> Call:
        graphs = [torch.from_numpy(rows) for rows, _ in parts()]
        x = torch.nn.utils.rnn.pad_sequence(graphs, batch_first=True)
        inside = (torch.arange(x.shape[1]) < torch.tensor(sizes)[:, None])[:, :, None].float()
        centers = torch.stack([torch.from_numpy(start) for _, start in parts()])

        def call() -> Pairs:
            with torch.inference_mode():
                return torch_peers.padded_soft_kmeans(x, inside, centers, TEMPERATURE, ITERATIONS)

        return call

    def same_without_padding(ours: Pairs, theirs: Pairs) -> None:
        kept = [rows[:size] for rows, size in zip(np.asarray(theirs[1]), sizes, strict=True)]
        same_clusters(ours, (theirs[0], np.concatenate(kept)))

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("torch, a loop", loop),
        Contestant("torch, padded", padded, agree=same_without_padding),
    )
    return LineUp(lambda: Size(n), contestants, same_clusters)


# --- gradients ----------------------------------------------------------------------------------


def settled_rows(n: int) -> Pairs:
    """Return rows and centres at their fixed point, so that every way to the gradient meets it."""
    rows, start = workloads.clustered_rows(n)
    exact, at = rows.astype(np.float64), start.astype(np.float64)
    found = soft_kmeans(exact, at, temperature=TEMPERATURE, iterations=300, normalize=False)
    return rows, found.centers.astype(np.float32)


def implicit_gradient(scale: float) -> LineUp:
    """Race through forward and backward pass, in float32, residual 1e-6."""
    n = max(60, round(scale * 2_708))

    def tensors() -> tuple[Any, Any, Any]:
        x, centers = (torch.from_numpy(part) for part in settled_rows(n))
        generator = torch.Generator().manual_seed(1)
        return x, centers, torch.randn(n, N_CLUSTERS, generator=generator)

    def layer(gradient: Gradient) -> Call:
        x, centers, weights = tensors()
        module = SoftKMeans(
            N_CLUSTERS, TEMPERATURE, ITERATIONS, gradient, normalize=False, tolerance=1e-6
        )

        def loss(rows: Any) -> Any:
            return (weights * module(rows, centers).assignment).sum()

        return lambda: torch_peers.value_and_gradient(loss, x)

    def explicit() -> Call:
        x, centers, weights = tensors()
        settings = TEMPERATURE, ITERATIONS, torch_peers.autograd_jacobian
        return lambda: torch_peers.explicit_step(x, centers, weights, *settings)

    def torchdeq() -> Call:
        from torchdeq import get_deq

        x, centers, weights = tensors()
        solver = get_deq(
            ift=True,
            f_solver="fixed_point_iter",
            f_max_iter=ITERATIONS - 1,  # and one more for the gradient
            f_tol=0.0,
            b_solver="anderson",
            b_max_iter=50,
            b_tol=1e-6,
            b_stop_mode="rel",
        )

        def loss(rows: Any) -> Any:
            def step(mu: Any) -> Any:
                return torch_peers.update(rows, mu[0], TEMPERATURE)[None]

            found, _ = solver(step, centers[None])
            return (weights * torch_peers.assign(rows, found[-1][0], TEMPERATURE)).sum()

        return lambda: torch_peers.value_and_gradient(loss, x)

    def same_loss(ours: Pairs, theirs: Pairs) -> None:
        np.testing.assert_allclose(float(theirs[0]), float(ours[0]), rtol=1e-4)

    contestants = (
        Contestant("graphopt", lambda: layer("implicit"), peer=False),
        Contestant(
            "graphopt, one-step",
            lambda: layer("one-step"),
            note="another gradient: the last update's",
            peer=False,
            agree=same_loss,
        ),
        Contestant("torch, explicit Jacobian", explicit),
        Contestant("torchdeq", torchdeq),
    )
    return LineUp(lambda: Size(n), contestants, same_gradient)


def dense_jacobian(scale: float) -> LineUp:
    """Race for the exact gradient at given centres, in float64."""
    n = max(60, round(scale * 2_708))

    def arrays() -> tuple[Any, Any, Any]:
        rows, centers = (part.astype(np.float64) for part in settled_rows(n))
        return rows, centers, np.random.default_rng(1).standard_normal(centers.shape)

    def ours() -> Call:
        rows, centers, v = arrays()

        def call() -> Any:
            return soft_kmeans_vjp(
                rows,
                centers,
                temperature=TEMPERATURE,
                iterations=1,
                grad_centers=v,
                gradient="dense",
                normalize=False,
            ).x

        return call

    def by_jacobian(written: bool) -> Call:
        x, centers, v = (torch.from_numpy(part) for part in arrays())
        jacobian = torch_peers.written_jacobian if written else torch_peers.autograd_jacobian

        def call() -> Any:
            mu = torch_peers.update(x, centers, TEMPERATURE)
            matrix = jacobian(x, mu, TEMPERATURE)
            return torch_peers.pulled_back(matrix, x, mu, v, TEMPERATURE)

        return call

    def same(ours: Any, theirs: Any) -> None:
        same_gradient((0.0, ours), (0.0, theirs))

    contestants = (
        Contestant("graphopt", ours, peer=False),
        Contestant("torch, explicit Jacobian", lambda: by_jacobian(written=False)),
        Contestant(
            "torch, by formula",
            lambda: by_jacobian(written=True),
            note="the Jacobian's entries written out, not differentiated",
        ),
    )
    return LineUp(lambda: Size(n), contestants, same)


CONTESTS = (
    *(
        Contest(
            f"soft-kmeans-{name}",
            "10 updates, 10 clusters, width 50, float32",
            partial(forward, n_rows=n),
            (Faster(5.0),),
            quick=n < 5_000,
        )
        for name, n in (("500", 500), ("2708", 2_708), ("19717", 19_717), ("200k", 200_000))
    ),
    Contest(
        "soft-kmeans-ragged",
        "the same for 64 graphs in one call",
        soft_kmeans_ragged,
        (Faster(6.0, "torch, a loop"),),
        quick=True,
    ),
    Contest(
        "implicit-gradient",
        "10 updates and the exact gradient",
        implicit_gradient,
        (Faster(80.0, "torch, explicit Jacobian"), AtMostTimes(3.0, "graphopt, one-step")),
        quick=True,
    ),
    Contest(
        "dense-jacobian",
        "the exact gradient by Jacobian and LU",
        dense_jacobian,
        (Faster(10.0, "torch, explicit Jacobian"),),
        quick=True,
    ),
)
