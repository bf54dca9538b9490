"""Graphs to learn on: the published data sets and synthetic ones."""

from graphopt.datasets.catalog import names
from graphopt.datasets.dataset import Dataset, InductiveDataset
from graphopt.datasets.distribution import synthetic_distribution
from graphopt.datasets.hiding import Hiding, clean_splits
from graphopt.datasets.loading import load
from graphopt.datasets.splits import EdgeSplit, observed_graph, split_edges
from graphopt.datasets.structural_features import structural_features
from graphopt.datasets.synthetic import synthetic

__all__ = [
    "Dataset",
    "EdgeSplit",
    "Hiding",
    "InductiveDataset",
    "clean_splits",
    "load",
    "names",
    "observed_graph",
    "split_edges",
    "structural_features",
    "synthetic",
    "synthetic_distribution",
]
