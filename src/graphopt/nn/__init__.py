"""PyTorch modules, usable alone in any model."""

import graphopt._torch  # noqa: F401  # isort: split
from graphopt.clustering import GradientCertificate, gradient_certificate
from graphopt.nn.adjacency import Adjacency
from graphopt.nn.clusternet import ClusterNet
from graphopt.nn.direct import DirectGCN
from graphopt.nn.encoders import APPNP, GCN, SGC
from graphopt.nn.functional import dropout
from graphopt.nn.link_prediction import LinkPredictor
from graphopt.nn.soft_kmeans import SoftKMeans, SoftKMeansOutput
from graphopt.nn.sparse import SparseMatrix

__all__ = [
    "APPNP",
    "GCN",
    "SGC",
    "Adjacency",
    "ClusterNet",
    "DirectGCN",
    "GradientCertificate",
    "LinkPredictor",
    "SoftKMeans",
    "SoftKMeansOutput",
    "SparseMatrix",
    "dropout",
    "gradient_certificate",
]
