"""ClusterNet in plain PyTorch: the formulas of the paper, line by line, without our kernels."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn import functional

Weights: TypeAlias = tuple[Tensor, Tensor, Tensor, Tensor]


def embed(
    features: Tensor,
    adjacency: Tensor,
    weights: Weights,
    dropout: float = 0.0,
) -> Tensor:
    """Return ``Â dropout(relu(Â X W1 + b1)) W2 + b2``; X and Â may be sparse tensors."""
    w1, b1, w2, b2 = weights
    hidden = torch.relu(adjacency @ (features @ w1) + b1)
    hidden = functional.dropout(hidden, dropout, training=dropout > 0.0)
    return adjacency @ (hidden @ w2) + b2


def soft_kmeans(x: Tensor, centers: Tensor, temperature: float, iterations: int) -> Tensor:
    """Return the centres; only the last update is differentiated."""
    for step in range(iterations):
        if step == iterations - 1:
            centers = centers.detach()
        r = assign(x, centers, temperature)
        centers = (r.T @ x) / r.sum(dim=0)[:, None]
    return centers


def assign(x: Tensor, centers: Tensor, temperature: float) -> Tensor:
    """Return the soft assignment to the centres."""
    return torch.softmax(temperature * x @ centers.T, dim=1)


def modularity_loss(r: Tensor, edges: Tensor, adjacency: Tensor) -> Tensor:
    """Return minus the modularity of a soft assignment; `adjacency` is plain A, sparse."""
    degrees = torch.bincount(edges.flatten(), minlength=len(r)).to(r.dtype)
    two_m = 2.0 * len(edges)
    inside = (r * (adjacency @ r)).sum()
    volumes = degrees @ r
    return -(inside - volumes @ volumes / two_m) / two_m


def normalised_adjacency(n_nodes: int, edges: Tensor, dtype: torch.dtype) -> Tensor:
    """Return ``D⁻¹(A + I)`` as a sparse tensor."""
    loops = torch.arange(n_nodes)
    rows = torch.cat([edges[:, 0], edges[:, 1], loops])
    columns = torch.cat([edges[:, 1], edges[:, 0], loops])
    degree = torch.bincount(rows, minlength=n_nodes).to(dtype)
    return _sparse(torch.stack([rows, columns]), 1.0 / degree[rows], n_nodes)


def _sparse(indices: Tensor, values: Tensor, n_nodes: int) -> Tensor:
    shape = (n_nodes, n_nodes)
    return torch.sparse_coo_tensor(indices, values, shape, check_invariants=True).coalesce()


def relaxed_sites(x: Tensor, centers: Tensor, n_facilities: int, temperature: float) -> Tensor:
    """Return opening probabilities: every centre picks a node, softly."""
    units = torch.softmax(temperature * x @ functional.normalize(centers, dim=1).T, dim=0)
    opening = torch.tanh(2.0 * units.sum(dim=1))
    return opening * (n_facilities / opening.sum().clamp_min(n_facilities))


class SortedCosts:
    """Costs of serving every customer from every site, sorted once; n x n floats."""

    def __init__(self, costs: Tensor) -> None:
        self.sorted, order = torch.sort(costs, dim=1)
        self.order = order.flatten()
        self.gaps = torch.diff(self.sorted, dim=1)

    def expected(self, opening: Tensor) -> Tensor:
        """Return every customer's expected cost if sites open independently.

        Sum over the sites by cost: what the next one costs more, times the probability that all
        up to here are closed. A sum of logarithms has a cheaper gradient than a product.
        """
        closed = torch.log1p(-opening.clamp_max(1.0 - 1e-6))
        by_cost = closed.index_select(0, self.order).view_as(self.sorted)
        none_open = by_cost.cumsum(dim=1).exp()
        return self.sorted[:, 0] + (none_open[:, :-1] * self.gaps).sum(dim=1)


def facility_loss(opening: Tensor, costs: SortedCosts, growth: float, charge: float) -> Tensor:
    """Return the distance d whose cost ``(exp(growth d) - 1) / exp(growth charge)`` is the mean."""
    mean = costs.expected(opening).mean()
    return torch.log1p(mean * math.exp(growth * charge)) / growth


def train_communities(
    features: Tensor,
    edges: Tensor,
    initial: Weights,
    centers: Tensor,
    *,
    temperature: float,
    kmeans_updates: Sequence[int],
    learning_rate: float,
    dropout: float,
    masking: float = 0.0,
) -> list[float]:
    """Train on the modularity of the seen edges and return the loss of every step.

    `features` is fastest as compressed rows (``to_sparse_csr``); `kmeans_updates` holds the number
    of soft k-means updates of each step; `masking` is the share of edges hidden at each.
    """
    n_nodes = features.shape[0]
    pairs = torch.cat([edges.T, edges.T.flip(0)], dim=1)
    plain = _sparse(pairs, torch.ones(pairs.shape[1], dtype=centers.dtype), n_nodes)

    def loss(x: Tensor, found: Tensor) -> Tensor:
        return modularity_loss(assign(x, found, temperature), edges, plain)

    return _train(
        features, edges, initial, centers, loss,
        temperature, kmeans_updates, learning_rate, dropout, masking,
    )  # fmt: skip


def train_facilities(
    features: Tensor,
    edges: Tensor,
    distances: Tensor,
    initial: Weights,
    centers: Tensor,
    *,
    temperature: float,
    site_temperature: float,
    growth: float,
    charge: float,
    kmeans_updates: Sequence[int],
    learning_rate: float,
    dropout: float,
) -> list[float]:
    """Train on the expected distance to the nearest site and return the loss of every step.

    `distances` are those of the seen graph; `charge` is paid where they are larger.
    """
    cost = torch.expm1(growth * distances.clamp_max(charge)) * math.exp(-growth * charge)
    costs = SortedCosts(cost)

    def loss(x: Tensor, found: Tensor) -> Tensor:
        opening = relaxed_sites(x, found, len(found), site_temperature)
        return facility_loss(opening, costs, growth, charge)

    return _train(
        features, edges, initial, centers, loss,
        temperature, kmeans_updates, learning_rate, dropout, 0.0,
    )  # fmt: skip


def _train(
    features: Tensor,
    edges: Tensor,
    initial: Weights,
    centers: Tensor,
    loss_of: Callable[[Tensor, Tensor], Tensor],
    temperature: float,
    kmeans_updates: Sequence[int],
    learning_rate: float,
    dropout: float,
    masking: float,
) -> list[float]:
    n_nodes = features.shape[0]
    weights = tuple(w.clone().requires_grad_() for w in initial)
    optimizer = torch.optim.Adam(weights, lr=learning_rate, fused=True)
    whole = normalised_adjacency(n_nodes, edges, centers.dtype)
    losses = []
    for updates in kmeans_updates:
        adjacency = whole
        if masking > 0.0:
            kept = edges[torch.rand(len(edges)) >= masking]
            adjacency = normalised_adjacency(n_nodes, kept, centers.dtype)
        x = functional.normalize(embed(features, adjacency, weights, dropout), dim=1)  # type: ignore[arg-type]
        loss = loss_of(x, soft_kmeans(x, centers, temperature, updates))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses
