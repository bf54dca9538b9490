"""Differentiable soft k-means as a torch module."""

from __future__ import annotations

import weakref
from typing import Any, NamedTuple

import torch
from torch import Tensor

from graphopt._soft_kmeans import GradientReport, GradientSettings
from graphopt._validation import check_integer, check_number
from graphopt.nn import _soft_kmeans_operators as operators


class SoftKMeansOutput(NamedTuple):
    """What :class:`SoftKMeans` returns.

    Attributes
    ----------
    centers : Tensor, shape (K, p), or (B, K, p) where offsets were given
    assignment : Tensor, shape (N, K)
        Softmax over centres of ``temperature * embedding @ centers.T``; rows sum to 1.
    embedding : Tensor, shape (N, p)
        The rows that were clustered: of unit length when the module normalises, else x itself.
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
        At least 0. A plain attribute: it may be changed between calls.
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        How the centres' dependence on x is differentiated; the assignment's own dependence on x is
        always exact. ``one-step``: through the last update alone, its centres held constant (the
        paper's). ``implicit``: exact at the fixed point, by GMRES and without a matrix. ``dense``:
        the same by LU in float64. ``unrolled``: through every iteration, and the only one with a
        gradient by the starting centres (0 for the others, unless `iterations` is 0). ``auto``:
        ``one-step`` where its error is certified to be at most 1 %, else ``implicit``.
    normalize : bool
        Scale rows to unit length first; rows of zeros stay zero and get no gradient.
    tolerance : float
        Relative residual at which the implicit solver stops. float32 rarely allows less than 1e-6.
    max_solver_iterations : int
        Passes over x that the implicit solver may take for each graph.
    random_state : int
        Seed of the k-means++ start where no centres are given: every call starts alike.
    num_threads : int, optional
        The result is the same bits at any number.

    Attributes
    ----------
    last_report : GradientReport or None
        How the last backward pass through this module went; None before the first.

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
        gradient: str = "one-step",
        *,
        normalize: bool = True,
        tolerance: float = 1e-6,
        max_solver_iterations: int = 200,
        random_state: int = 0,
        num_threads: int | None = None,
    ) -> None:
        super().__init__()
        settings = GradientSettings(gradient, tolerance, max_solver_iterations)
        self.n_clusters = check_integer("n_clusters", n_clusters, minimum=1)
        self.temperature = check_number(
            "temperature", temperature, minimum=0.0, maximum=float(torch.finfo(torch.float32).max)
        )
        self.iterations = check_integer("iterations", iterations, minimum=0)
        self.gradient = settings.method
        self.normalize = bool(normalize)
        self.tolerance = float(settings.tolerance)
        self.max_solver_iterations = int(settings.max_iterations)
        self.random_state = check_integer("random_state", random_state, minimum=0)
        if num_threads is not None:
            check_integer("num_threads", num_threads, minimum=1)
        self.num_threads = num_threads
        self._take_slot()

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
        iterations = check_integer("iterations", self.iterations, minimum=0)
        _check_rows(x)
        bounds = check_offsets(x, offsets)
        threads = self.num_threads or 0
        embedding = operators.unit_rows(x, threads)[0] if self.normalize else x
        if centers is None:
            start = operators.kmeans_plus_plus(
                embedding.detach(), bounds, self.n_clusters, self.random_state
            )
        else:
            start = self._check_centers(x, bounds, centers)
        found, assignment, _, _ = operators.soft_kmeans(
            embedding,
            bounds,
            start,
            self.temperature,
            iterations,
            self.gradient,
            self.tolerance,
            self.max_solver_iterations,
            self._slot,
            threads,
        )
        single = offsets is None if centers is None else centers.dim() == 2
        return SoftKMeansOutput(found[0] if single else found, assignment, embedding)

    @property
    def last_report(self) -> GradientReport | None:
        """How the last backward pass through this module went."""
        return operators.reports.get(self._slot)

    def extra_repr(self) -> str:
        """Return the settings, for printing."""
        return (
            f"n_clusters={self.n_clusters}, temperature={self.temperature:g}, "
            f"iterations={self.iterations}, gradient={self.gradient!r}"
        )

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

    # A copy reports for itself.

    def _take_slot(self) -> None:
        self._slot = operators.new_slot()
        weakref.finalize(self, operators.reports.pop, self._slot, None)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_slot"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        self._take_slot()


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
