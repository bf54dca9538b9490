"""PyTorch modules, usable alone in any model."""

from graphopt.nn.gcn import GCN, Adjacency
from graphopt.nn.sparse import SparseMatrix

__all__ = ["GCN", "Adjacency", "SparseMatrix"]
