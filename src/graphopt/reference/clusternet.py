"""ClusterNet in plain PyTorch: the formulas of the paper, line by line, without our kernels."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional


def embed(
    features: Tensor,
    adjacency: Tensor,
    weights: tuple[Tensor, Tensor, Tensor, Tensor],
    dropout: float = 0.0,
) -> Tensor:
    """Return ``Â dropout(relu(Â X W1 + b1)) W2 + b2``; X and Â may be sparse tensors."""
    w1, b1, w2, b2 = weights
    hidden = torch.relu(adjacency @ (features @ w1) + b1)
    hidden = functional.dropout(hidden, dropout, training=dropout > 0.0)
    return adjacency @ (hidden @ w2) + b2


def soft_kmeans(x: Tensor, centers: Tensor, temperature: float, iterations: int) -> Tensor:
    """Return the soft assignment; only the last update is differentiated."""
    for step in range(iterations):
        if step == iterations - 1:
            centers = centers.detach()
        r = torch.softmax(temperature * x @ centers.T, dim=1)
        centers = (r.T @ x) / r.sum(dim=0)[:, None]
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


def train_communities(
    features: Tensor,
    edges: Tensor,
    initial: tuple[Tensor, Tensor, Tensor, Tensor],
    centers: Tensor,
    *,
    temperature: float,
    kmeans_updates: Sequence[int],
    learning_rate: float,
    dropout: float,
    masking: float,
) -> list[float]:
    """Train on the modularity of the seen edges and return the loss of every step.

    `kmeans_updates` holds the number of soft k-means updates of each step.
    """
    n_nodes = features.shape[0]
    weights = tuple(w.clone().requires_grad_() for w in initial)
    optimizer = torch.optim.Adam(weights, lr=learning_rate)
    pairs = torch.cat([edges.T, edges.T.flip(0)], dim=1)
    plain = _sparse(pairs, torch.ones(pairs.shape[1], dtype=centers.dtype), n_nodes)
    losses = []
    for updates in kmeans_updates:
        kept = edges[torch.rand(len(edges)) >= masking]
        adjacency = normalised_adjacency(n_nodes, kept, centers.dtype)
        x = functional.normalize(embed(features, adjacency, weights, dropout), dim=1)  # type: ignore[arg-type]
        r = soft_kmeans(x, centers, temperature, updates)
        loss = modularity_loss(r, edges, plain)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses
