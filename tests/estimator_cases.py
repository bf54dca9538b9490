"""Graphs, features and parts of a user's own that tests of the estimators share."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graphopt import Graph
from graphopt.learning import Recipe
from graphopt.learning.files import contents
from graphopt.nn.losses import Loss

QUICK: dict[str, Any] = {
    "iterations": 12,
    "n_restarts": 1,
    "recipe": Recipe(hidden_features=8, embedding_features=6),
    "random_state": 0,
}
GROUPS = np.repeat(np.arange(3), 20)


def arranged(**settings: Any) -> dict[str, Any]:
    """Return settings as arguments of an estimator: what is the recipe's goes into the recipe."""
    names = {field.name for field in fields(Recipe)} - {"iterations", "n_restarts"}
    changes = {name: settings.pop(name) for name in names & settings.keys()}
    if changes:
        settings["recipe"] = replace(settings.get("recipe", Recipe()), **changes)
    return settings


def planted(seed: int = 0) -> Graph:
    """Three groups of 20 nodes, dense inside."""
    rng = np.random.default_rng(seed)
    u, v = np.triu_indices(60, 1)
    chosen = rng.random(len(u)) < np.where(GROUPS[u] == GROUPS[v], 0.4, 0.02)
    return Graph.from_edges(np.column_stack([u, v])[chosen], 60)


def path(n_nodes: int) -> Graph:
    return Graph.from_edges([(i, i + 1) for i in range(n_nodes - 1)], n_nodes)


def grid(side: int) -> Graph:
    at = np.arange(side * side).reshape(side, side)
    across = np.column_stack([at[:, :-1].ravel(), at[:, 1:].ravel()])
    down = np.column_stack([at[:-1].ravel(), at[1:].ravel()])
    return Graph.from_edges(np.concatenate([across, down]))


def described(n_nodes: int = 60, n_features: int = 9, seed: int = 0) -> np.ndarray:
    """Features that lean towards the node's group."""
    rng = np.random.default_rng(seed)
    rows = rng.random((n_nodes, n_features), np.float32)
    rows[np.arange(n_nodes), np.resize(GROUPS, n_nodes)] += 2.0
    return rows


class LargestCut(Loss):
    """An objective of a user's own."""

    def loss(self, decision: torch.Tensor, problem: Graph) -> torch.Tensor:
        u, v = torch.from_numpy(problem.edges.astype(np.int64)).T
        return (decision[u] * decision[v]).sum() / problem.n_edges

    def decode(self, decision: torch.Tensor, problem: Graph, *, random_state: Any = None) -> Any:
        return decision.argmax(dim=1).numpy()

    def evaluate(self, decision: np.ndarray, graph: Graph) -> float:
        u, v = graph.edges.T
        return float((decision[u] != decision[v]).sum())


class Planned:
    """A completion of a user's own."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, bool]] = []

    def missing_edges(self, graph: Graph, features: Any) -> Graph:
        self.asked.append((graph.n_nodes, features is None))
        return Graph.from_edges([(0, 1)], graph.n_nodes, [0.5])


def in_first_format(file: Path) -> dict[str, Any]:
    """Return the content of a model as `torch.save` wrote it before files had a checksum."""
    saved = {"format": 1, **contents(file)}
    for part in ("network", "arrays"):
        saved[part] = {name: torch.from_numpy(array) for name, array in saved[part].items()}
    return saved
