"""Soft k-means on the unit sphere: the differentiable clustering layer, without PyTorch."""

from graphopt.clustering._certificate import GradientCertificate, gradient_certificate
from graphopt.clustering._soft_kmeans import (
    SoftKMeansGradient,
    SoftKMeansResult,
    fixed_point_residual,
    soft_kmeans,
    soft_kmeans_vjp,
)
from graphopt.clustering._start import kmeans_plus_plus, stack_rows
from graphopt.clustering.gradients import GradientReport
from graphopt.clustering.settings import SoftKMeansSettings

__all__ = [
    "GradientCertificate",
    "GradientReport",
    "SoftKMeansGradient",
    "SoftKMeansResult",
    "SoftKMeansSettings",
    "fixed_point_residual",
    "gradient_certificate",
    "kmeans_plus_plus",
    "soft_kmeans",
    "soft_kmeans_vjp",
    "stack_rows",
]
