"""The kernels as a good user of PyTorch would write them; importing this loads PyTorch."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from graphopt.graph import Graph
from tests.reference import clusternet as twin

Pair = tuple[Tensor, Tensor]


# --- soft k-means -------------------------------------------------------------------------------


def assign(x: Tensor, centers: Tensor, temperature: float) -> Tensor:
    """Return ``softmax_k(temperature x_j . mu_k)``; also for a batch of graphs."""
    return torch.softmax(temperature * x @ centers.mT, dim=-1)


def update(x: Tensor, centers: Tensor, temperature: float) -> Tensor:
    """Return F(centers): the means of the rows, weighted by their assignment."""
    r = assign(x, centers, temperature)
    return r.mT @ x / r.sum(dim=-2)[..., None]


def soft_kmeans(x: Tensor, centers: Tensor, temperature: float, iterations: int) -> Pair:
    """Return the centres after `iterations` updates and the assignment at them."""
    for _ in range(iterations):
        centers = update(x, centers, temperature)
    return centers, assign(x, centers, temperature)


def padded_soft_kmeans(
    x: Tensor, inside: Tensor, centers: Tensor, temperature: float, iterations: int
) -> Pair:
    """Cluster many graphs at once: x (B, n, p), padded; `inside` (B, n, 1) is 0 at padding."""
    for _ in range(iterations):
        r = assign(x, centers, temperature) * inside
        centers = r.mT @ x / r.sum(dim=1)[:, :, None]
    return centers, assign(x, centers, temperature) * inside


def autograd_jacobian(x: Tensor, centers: Tensor, temperature: float) -> Tensor:
    """Return dF/dmu, (Kp, Kp), by reverse-mode differentiation of all entries together."""
    jacobian: Tensor = torch.func.jacrev(lambda at: update(x, at, temperature))(centers)
    return jacobian.reshape(centers.numel(), centers.numel())


def written_jacobian(x: Tensor, centers: Tensor, temperature: float) -> Tensor:
    """Return dF/dmu, (Kp, Kp), by its formula: ``(beta/R_k) sum_j w_jkl (x_j - F_k) x_j^T``."""
    n_clusters, width = centers.shape
    r = assign(x, centers, temperature)
    mass = r.sum(dim=0)
    image = r.T @ x / mass[:, None]
    blocks = []
    for k in range(n_clusters):
        weights = -r[:, k, None] * r
        weights[:, k] += r[:, k]
        rows = (x - image[k]) * (temperature / mass[k])
        blocks.append(rows.T @ (weights[:, :, None] * x[:, None, :]).flatten(1))
    return torch.cat(blocks).reshape(n_clusters * width, n_clusters * width)


def pulled_back(
    jacobian: Tensor, x: Tensor, centers: Tensor, v: Tensor, temperature: float
) -> Tensor:
    """Return the gradient by x at the fixed point: solve ``(I - J^T) u = v``, pull u back."""
    identity = torch.eye(len(jacobian), dtype=jacobian.dtype)
    u = torch.linalg.solve(identity - jacobian.T, v.reshape(-1)).reshape(centers.shape)
    rows = x.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(update(rows, centers, temperature), rows, u)
    return gradient


def explicit_step(
    x: Tensor,
    start: Tensor,
    weights: Tensor,
    temperature: float,
    iterations: int,
    jacobian_of: Callable[[Tensor, Tensor, float], Tensor],
) -> Pair:
    """Return ``sum(weights * assignment)`` and its exact gradient by x, by an explicit Jacobian."""
    with torch.no_grad():
        for _ in range(iterations):
            start = update(x, start, temperature)
    rows, mu = x.detach().requires_grad_(), start.requires_grad_()
    loss = (weights * assign(rows, mu, temperature)).sum()
    direct, v = torch.autograd.grad(loss, (rows, mu))
    centers = mu.detach()
    jacobian = jacobian_of(x, centers, temperature)
    return loss.detach(), direct + pulled_back(jacobian, x, centers, v, temperature)


# --- objectives ---------------------------------------------------------------------------------


class SortedFacility:
    """Expected distances from sites sorted by distance and products of what is closed.

    Parameters
    ----------
    hops : array, shape (n_customers, n_sites)
    charge : float
    """

    def __init__(self, hops: NDArray[Any], charge: float) -> None:
        paid = np.minimum(hops, charge).astype(np.float32)
        self.distance, self.order = torch.from_numpy(paid).sort(dim=1)
        self.charge = charge

    def __call__(self, opening: Tensor) -> Tensor:
        """Return every customer's expected distance."""
        x = opening[self.order]
        closed = torch.cumprod(1.0 - x, dim=1)
        before = torch.cat([torch.ones_like(closed[:, :1]), closed[:, :-1]], dim=1)
        return (before * x * self.distance).sum(dim=1) + closed[:, -1] * self.charge


class GroupedFacility:
    """Expected distances from sites grouped by distance: no sorting, and one pass over all pairs.

    Hops are small integers, and a customer's expected distance is the sum over t of the
    probability that no site within t is open. The logarithms of the sites' probabilities of being
    closed are added up by distance, then from near to far.

    Parameters
    ----------
    hops : array of integers, shape (n_customers, n_sites)
    charge : float
        An integer.
    """

    _TINY = 1e-12  # keeps the logarithm and its gradient finite at a site that is certainly open

    def __init__(self, hops: NDArray[Any], charge: float) -> None:
        self.n_levels = int(charge)
        if self.n_levels != charge:
            raise ValueError(f"charge must be an integer, not {charge}")
        self.distance = torch.from_numpy(np.minimum(hops, self.n_levels).astype(np.int64))

    def __call__(self, opening: Tensor) -> Tensor:
        """Return every customer's expected distance."""
        closed = torch.log(1.0 - opening + self._TINY).expand(self.distance.shape)
        by_distance = closed.new_zeros(len(self.distance), self.n_levels + 1)
        by_distance = by_distance.scatter_add(1, self.distance, closed)
        return by_distance[:, : self.n_levels].cumsum(dim=1).exp().sum(dim=1)


class SparseModularity:
    """Modularity by PyTorch's sparse matrices, in the format that multiplies fastest."""

    def __init__(self, graph: Graph) -> None:
        ones = torch.ones(len(graph.indices))
        indptr, indices = torch.tensor(graph.indptr), torch.tensor(graph.indices.astype(np.int64))
        shape = (graph.n_nodes, graph.n_nodes)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that this format is in beta
            self.adjacency = torch.sparse_csr_tensor(
                indptr, indices, ones, shape, check_invariants=True
            )
        self.degrees = torch.tensor(graph.degrees, dtype=torch.float32)
        self.total = float(self.degrees.sum())

    def __call__(self, assignment: Tensor) -> Tensor:
        """Return minus the modularity."""
        inside = (assignment * (self.adjacency @ assignment)).sum()
        volume = self.degrees @ assignment
        return -(inside - volume @ volume / self.total) / self.total


def value_and_gradient(loss: Callable[[Tensor], Tensor], decision: Tensor) -> Pair:
    """Return a loss and its gradient."""
    decision = decision.detach().requires_grad_()
    value = loss(decision)
    (gradient,) = torch.autograd.grad(value, decision)
    return value.detach(), gradient


# --- training -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Training:
    """ClusterNet in plain sparse PyTorch, from given weights on.

    Attributes
    ----------
    features : Tensor, sparse, shape (n_nodes, n_features)
    edges : Tensor of int64, shape (n_edges, 2)
    initial : tuple of four Tensors
        Weights and biases of the two layers.
    centers : Tensor, shape (K, p)
        Where soft k-means starts, every time.
    loss : callable
        Of unit rows, centres and assignment.
    """

    features: Tensor
    edges: Tensor
    initial: tuple[Tensor, Tensor, Tensor, Tensor]
    centers: Tensor
    loss: Callable[[Tensor, Tensor, Tensor], Tensor]

    def run(self, kmeans_updates: Sequence[int], *, dropout: float, masking: float) -> list[float]:
        """Train by Adam, a step per entry of `kmeans_updates`, and return the losses."""
        n_nodes = self.features.shape[0]
        weights = [weight.clone().requires_grad_() for weight in self.initial]
        optimizer = torch.optim.Adam(weights, lr=0.01)
        adjacency = twin.normalised_adjacency(n_nodes, self.edges, torch.float32)
        losses = []
        for updates in kmeans_updates:
            if masking > 0.0:
                kept = self.edges[torch.rand(len(self.edges)) >= masking]
                adjacency = twin.normalised_adjacency(n_nodes, kept, torch.float32)
            embedding = twin.embed(self.features, adjacency, tuple(weights), dropout)  # type: ignore[arg-type]
            x = functional.normalize(embedding, dim=1)
            centers = self.centers
            with torch.no_grad():
                for _ in range(updates - 1):
                    centers = update(x, centers, 30.0)
            centers = update(x, centers, 30.0)
            loss = self.loss(x, centers, assign(x, centers, 30.0))
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            losses.append(loss.item())
        return losses


def facility_loss(
    paid: Callable[[Tensor], Tensor], site_temperature: float
) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Return the paper's loss of clusters: the mean expected distance to sites near the centres.

    `paid` returns expected distances: :class:`SortedFacility` or :class:`GroupedFacility`.
    """

    def loss(x: Tensor, centers: Tensor, assignment: Tensor) -> Tensor:
        similarity = x @ functional.normalize(centers, dim=1).T
        units = torch.softmax(site_temperature * similarity, dim=0).sum(dim=1)
        opening = torch.tanh(2.0 * units)
        most = len(centers)
        return paid(opening * (most / torch.clamp(opening.sum(), min=most))).mean()

    return loss
