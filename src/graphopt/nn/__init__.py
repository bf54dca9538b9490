"""PyTorch modules, usable alone in any model."""

from graphopt.nn.certificate import GradientCertificate, gradient_certificate
from graphopt.nn.soft_kmeans import SoftKMeans, SoftKMeansOutput

__all__ = ["GradientCertificate", "SoftKMeans", "SoftKMeansOutput", "gradient_certificate"]
