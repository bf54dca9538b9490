"""The kernels as a good user of PyTorch would write them; importing this loads PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt.graph import Graph

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
        self.distance, self.order = torch.from_numpy(hops.astype(np.float32)).sort(dim=1)
        self.charge = charge

    def __call__(self, opening: Tensor) -> Tensor:
        """Return every customer's expected distance."""
        x = opening[self.order]
        closed = torch.cumprod(1.0 - x, dim=1)
        before = torch.cat([torch.ones_like(closed[:, :1]), closed[:, :-1]], dim=1)
        return (before * x * self.distance).sum(dim=1) + closed[:, -1] * self.charge


class SparseModularity:
    """Modularity by PyTorch's sparse matrices, in the format that multiplies fastest."""

    def __init__(self, graph: Graph) -> None:
        ones = torch.ones(len(graph.indices))
        indptr, indices = torch.tensor(graph.indptr), torch.tensor(graph.indices.astype(np.int64))
        shape = (graph.n_nodes, graph.n_nodes)
        self.adjacency = torch.sparse_csr_tensor(indptr, indices, ones, shape)
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
    value.backward()  # type: ignore[no-untyped-call]
    assert decision.grad is not None
    return value.detach(), decision.grad
