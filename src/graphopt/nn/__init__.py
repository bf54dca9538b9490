"""PyTorch modules, usable alone in any model."""

import graphopt._torch  # noqa: F401  # isort: split
from graphopt.nn.appnp import APPNP
from graphopt.nn.certificate import GradientCertificate, gradient_certificate
from graphopt.nn.clusternet import ClusterNet
from graphopt.nn.direct import DirectGCN
from graphopt.nn.dropout import dropout
from graphopt.nn.gcn import GCN, Adjacency
from graphopt.nn.link_prediction import LinkPredictor
from graphopt.nn.sgc import SGC
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
