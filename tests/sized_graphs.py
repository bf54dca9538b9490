"""The published graphs, or where they are not at hand graphs of their size."""

from __future__ import annotations

import os

import numpy as np

from graphopt import Graph, datasets

# Nodes and edges.
SIZES = {
    "cora": (2_708, 5_278),
    "cora_connected": (2_485, 5_069),
    "citeseer": (3_312, 4_536),
    "citeseer_connected": (2_110, 3_668),
    "protein_vidal": (3_133, 6_149),
    "protein_vidal_connected": (2_783, 6_007),
    "moreno": (2_539, 10_455),
    "fb_small": (2_888, 2_981),
    "pubmed": (19_717, 44_324),
}


def sized_graphs(name: str) -> tuple[Graph, Graph]:
    """Return a graph and what is seen of it: 40 % of its edges, isolated nodes among its nodes."""
    if os.environ.get("GRAPHOPT_DATA"):
        data = datasets.load(name, download=False)
        assert isinstance(data, datasets.Dataset)
        return data.graph, data.observed
    n_nodes, n_edges = SIZES[name]
    rng = np.random.default_rng(n_nodes)
    weight = rng.pareto(2.0, n_nodes) + 0.1  # a heavy tail of degrees
    ends = rng.choice(n_nodes, (n_edges, 2), p=weight / weight.sum())
    if name.endswith("_connected") or name in ("moreno", "fb_small", "pubmed"):
        ends[: n_nodes - 1] = np.column_stack(
            [np.arange(1, n_nodes), (rng.random(n_nodes - 1) * np.arange(1, n_nodes)).astype(int)]
        )
    whole = Graph.from_edges(ends, n_nodes)
    seen = rng.random(whole.n_edges) < 0.4
    return whole, Graph.from_edges(whole.edges[seen], n_nodes)


def network_with_lengths(n_nodes: int, n_edges: int, seed: int) -> Graph:
    """Return a connected graph with integer lengths, as the OR-Library's instances are."""
    rng = np.random.default_rng(seed)
    tree = np.column_stack(
        [np.arange(1, n_nodes), (rng.random(n_nodes - 1) * np.arange(1, n_nodes)).astype(int)]
    )
    more = rng.integers(0, n_nodes, (n_edges, 2))
    edges = np.concatenate([tree, more[more[:, 0] != more[:, 1]]])
    return Graph.from_edges(
        edges, n_nodes, rng.integers(1, 100, len(edges)).astype(float), duplicates="first"
    )
