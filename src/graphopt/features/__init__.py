"""Node features: made comparable, or computed from the roles that nodes play in a graph."""

from graphopt.features._comparable import (
    check_features,
    node_features,
    row_norms,
    smoothed_features,
    unit_features,
)
from graphopt.features._motifs import MOTIFS, motif_counts
from graphopt.features._role2vec import RoleEmbedding, learn_roles, role2vec

__all__ = [
    "MOTIFS",
    "RoleEmbedding",
    "check_features",
    "learn_roles",
    "motif_counts",
    "node_features",
    "role2vec",
    "row_norms",
    "smoothed_features",
    "unit_features",
]
