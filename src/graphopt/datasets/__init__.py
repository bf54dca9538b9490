"""Graphs to learn on: the published data sets and synthetic ones."""

from graphopt.datasets.catalog import names
from graphopt.datasets.dataset import Dataset, InductiveDataset
from graphopt.datasets.loading import load
from graphopt.datasets.splits import EdgeSplit, observed_graph, split_edges

__all__ = [
    "Dataset",
    "EdgeSplit",
    "InductiveDataset",
    "load",
    "names",
    "observed_graph",
    "split_edges",
]
