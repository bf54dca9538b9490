"""Differentiable soft k-means as a torch module."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from graphopt._validation import check_integer
from graphopt.clustering import GradientReport, SoftKMeansSettings
from graphopt.clustering.settings import Gradient
from graphopt.nn import operators


class SoftKMeansOutput(NamedTuple):
    """What :class:`SoftKMeans` returns.

    Attributes
    ----------
    centers : Tensor, shape (K, p), or (B, K, p) if offsets were given
    assignment : Tensor, shape (N, K)
        Softmax over centres of ``temperature * embedding @ centers.T``; rows sum to 1.
    embedding : Tensor, shape (N, p)
        The rows that were clustered: of unit length if the module normalises, else x itself.
    """

    centers: Tensor
    assignment: Tensor
    embedding: Tensor


class SoftKMeans(torch.nn.Module):
    """Cluster rows softly on the unit sphere, differentiably; the layer of ClusterNet.

    Each iteration assigns ``r_jk = softmax_k(temperature * x_j . mu_k)`` and moves every centre to
    the mean of the rows weighted by its column of r; see :func:`graphopt.soft_kmeans`.

    Parameters
    ----------
    n_clusters : int
    temperature : float
        At least 0; larger is harder.
    iterations : int
        At least 0.
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        How the centres' dependence on x is differentiated; the assignment's own dependence on x is
        always exact. ``one-step``: through the last update alone, its centres held constant (the
        paper's). ``implicit``: exact at the fixed point, by GMRES and without a matrix. ``dense``:
        the same by LU in float64. ``unrolled``: through every iteration, and the only one with a
        gradient with respect to the starting centres (0 for the others, unless `iterations` is 0).
        ``auto``: ``one-step`` if its error is certified to be at most 1 %, else ``implicit``.
    normalize : bool
        Scale rows to unit length first; rows of zeros stay zero and get no gradient.
    tolerance : float
        Relative residual at which the implicit solver stops. float32 rarely allows less than 1e-6.
    max_solver_iterations : int
        Passes over x that the implicit solver may take for each graph.
    random_state : int
        Seed of the k-means++ start if no centres are given: every call starts alike.
    num_threads : int, optional
        The result is the same bits at any number.

    Attributes
    ----------
    settings : graphopt.clustering.SoftKMeansSettings
        All settings of the clustering and its gradient; may be replaced between calls.
    iterations : int
        The iterations of the settings; may be set between calls.
    temperature : float
    gradient : str
    last_report : graphopt.clustering.GradientReport or None
        How the last backward pass through this module went; None before the first. A model compiled
        by ``torch.compile`` makes no reports.

    Raises
    ------
    ValueError, TypeError
        For a setting out of range.

    Notes
    -----
    No parameters, no state to save. float32 and float64 on the CPU, without copies; works under
    ``torch.compile`` and ``copy.deepcopy``; cannot be differentiated twice. O(N K p) for each
    iteration, and as much for each product of the implicit solver. Wilder et al., NeurIPS 2019,
    section 4 and appendix 1.

    Examples
    --------
    >>> layer = SoftKMeans(3, temperature=10.0, iterations=20, gradient="implicit")
    >>> x = torch.randn(50, 4, dtype=torch.float64, requires_grad=True)
    >>> centers, assignment, embedding = layer(x)
    >>> assignment.shape
    torch.Size([50, 3])
    >>> centers.square().sum().backward()
    >>> layer.last_report.converged
    True
    """

    def __init__(
        self,
        n_clusters: int,
        temperature: float = 30.0,
        iterations: int = 1,
        gradient: Gradient = "one-step",
        *,
        normalize: bool = True,
        tolerance: float = 1e-6,
        max_solver_iterations: int = 200,
        random_state: int = 0,
        num_threads: int | None = None,
    ) -> None:
        super().__init__()
        self.settings = SoftKMeansSettings(
            temperature, iterations, gradient, tolerance, max_solver_iterations, normalize
        )
        self.settings.check_dtype(np.dtype(np.float32))
        self.n_clusters = check_integer("n_clusters", n_clusters, minimum=1)
        self.random_state = check_integer("random_state", random_state, minimum=0)
        if num_threads is not None:
            check_integer("num_threads", num_threads, minimum=1)
        self.num_threads = num_threads
        self._report: Tensor | None = None

    @property
    def temperature(self) -> float:
        """The temperature of the settings."""
        return self.settings.temperature

    @property
    def gradient(self) -> Gradient:
        """The gradient of the settings."""
        return self.settings.gradient

    @property
    def iterations(self) -> int:
        """The iterations of the settings; may be set between calls."""
        return self.settings.iterations

    @iterations.setter
    def iterations(self, iterations: int) -> None:
        self.settings = replace(self.settings, iterations=iterations)

    def forward(
        self, x: Tensor, centers: Tensor | None = None, *, offsets: Tensor | None = None
    ) -> SoftKMeansOutput:
        """Cluster the rows of x.

        Parameters
        ----------
        x : Tensor, shape (N, p)
            Rows of all graphs of a batch, one graph after another.
        centers : Tensor, shape (K, p) or (B, K, p), optional
            Where the iteration starts. Default: k-means++ from `random_state`, the same for a graph
            whether alone or in a batch, and without a gradient.
        offsets : Tensor of int64, shape (B + 1,), optional
            Row boundaries of the graphs. Default: one graph.

        Returns
        -------
        SoftKMeansOutput

        Raises
        ------
        ValueError
            For shapes that do not fit or a device other than the CPU.
        TypeError
            For a dtype other than float32 or float64, or two different ones.

        Warns
        -----
        graphopt.errors.ConvergenceWarning
            In the backward pass, if the implicit solver stops short of the tolerance.
        """
        _check_rows(x)
        bounds = check_offsets(x, offsets)
        threads = self.num_threads or 0
        embedding = operators.unit_rows(x, threads)[0] if self.settings.normalize else x
        if centers is None:
            start = operators.kmeans_plus_plus(
                embedding.detach(), bounds, self.n_clusters, self.random_state
            )
        else:
            start = self._check_centers(x, bounds, centers)
        found, assignment, _, _ = operators.soft_kmeans(
            embedding, bounds, start, *self.settings.packed, threads
        )
        operators.report_to(self._keep_report, found)
        single = offsets is None if centers is None else centers.dim() == 2
        return SoftKMeansOutput(found[0] if single else found, assignment, embedding)

    @property
    def last_report(self) -> GradientReport | None:
        """How the last backward pass through this module went."""
        return None if self._report is None else operators.report_in(self._report)

    def extra_repr(self) -> str:
        """Return the settings, for printing."""
        return (
            f"n_clusters={self.n_clusters}, temperature={self.temperature:g}, "
            f"iterations={self.iterations}, gradient={self.gradient!r}"
        )

    def _keep_report(self, report: Tensor) -> None:
        self._report = report

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_report": None}  # a copy reports for itself

    def _check_centers(self, x: Tensor, offsets: Tensor, centers: Tensor) -> Tensor:
        if centers.dtype != x.dtype:
            raise TypeError(f"centers must have the dtype of x, {x.dtype}, not {centers.dtype}")
        if centers.device != x.device:
            raise ValueError(f"centers must be on the device of x, not on {centers.device}")
        start = centers[None] if centers.dim() == 2 else centers
        wanted = (offsets.shape[0] - 1, self.n_clusters, x.shape[1])
        if start.dim() != 3 or tuple(start.shape) != wanted:
            raise ValueError(
                f"centers must have shape {wanted}, or without its first entry for one graph, "
                f"not {tuple(centers.shape)}"
            )
        return start


def _check_rows(x: Tensor) -> None:
    if x.device.type != "cpu":
        raise ValueError(f"x must be on the CPU, not on {x.device}; move it with x.cpu()")
    if x.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"x must be float32 or float64, not {x.dtype}")
    if x.dim() != 2 or x.shape[1] == 0:
        raise ValueError(f"x must be 2D with at least one column, not {tuple(x.shape)}")


def check_offsets(x: Tensor, offsets: Tensor | None) -> Tensor:
    """Return row boundaries; their values are checked where they are read."""
    if offsets is None:
        return torch.tensor([0, x.shape[0]], dtype=torch.int64)
    if offsets.dtype != torch.int64 or offsets.dim() != 1 or offsets.shape[0] < 2:
        raise ValueError(
            "offsets must be a 1D int64 tensor of at least two row boundaries, "
            f"not {offsets.dtype} of shape {tuple(offsets.shape)}"
        )
    return offsets
