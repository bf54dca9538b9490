"""The settings of soft k-means: one object, from the public functions down to the kernel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from graphopt._validation import check_choice, check_integer, check_number

Gradient: TypeAlias = Literal["one-step", "implicit", "dense", "unrolled", "auto"]
GRADIENTS: tuple[Gradient, ...] = get_args(Gradient)

_LARGEST = {np.dtype(kind): float(np.finfo(kind).max) for kind in (np.float32, np.float64)}


@dataclass(frozen=True, slots=True)
class SoftKMeansSettings:
    """How to run soft k-means and how to differentiate it; checked when it is made.

    Parameters
    ----------
    temperature : float
        At least 0. Larger is harder; 0 assigns every row evenly.
    iterations : int
        At least 0.
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        See :func:`soft_kmeans_vjp`.
    tolerance : float
        Relative residual at which the implicit solver stops.
    max_solver_iterations : int
        Products with the Jacobian that the implicit solver may spend on a graph.
    normalize : bool
        Scale rows to unit length first.

    Raises
    ------
    ValueError, TypeError
        For a setting out of range or of another type.

    Examples
    --------
    >>> SoftKMeansSettings(30.0, 5, "implicit").tolerance
    1e-06
    """

    temperature: float
    iterations: int
    gradient: Gradient = "one-step"
    tolerance: float = 1e-6
    max_solver_iterations: int = 200
    normalize: bool = True

    def __post_init__(self) -> None:
        keep = object.__setattr__
        keep(self, "temperature", check_number("temperature", self.temperature, minimum=0.0))
        keep(self, "iterations", check_integer("iterations", self.iterations, minimum=0))
        check_choice("gradient", self.gradient, GRADIENTS)
        tolerance = check_number("tolerance", self.tolerance, minimum=0.0, open_minimum=True)
        keep(self, "tolerance", tolerance)
        most = check_integer("max_solver_iterations", self.max_solver_iterations, minimum=1)
        keep(self, "max_solver_iterations", most)
        keep(self, "normalize", bool(self.normalize))

    @property
    def iterates_kept(self) -> int:
        """How many of the iterates before the result the gradient needs."""
        if self.gradient == "unrolled":
            return self.iterations
        return min(1, self.iterations) if self.gradient in ("one-step", "auto") else 0

    @property
    def packed(self) -> tuple[float, int, str, float, int]:
        """Everything but `normalize`, as the plain values that a torch operator can take."""
        return (
            self.temperature,
            self.iterations,
            self.gradient,
            self.tolerance,
            self.max_solver_iterations,
        )

    @classmethod
    def unpack(cls, values: Iterable[Any]) -> SoftKMeansSettings:
        """Return the settings that were :attr:`packed`, for rows that need no scaling."""
        temperature, iterations, gradient, tolerance, max_solver_iterations = values
        return cls(temperature, iterations, gradient, tolerance, max_solver_iterations, False)

    def check_dtype(self, dtype: np.dtype[Any]) -> None:
        """Raise ValueError unless `dtype` can hold the temperature."""
        if self.temperature > _LARGEST[dtype]:
            raise ValueError(f"temperature must be finite in {dtype}, not {self.temperature:g}")
