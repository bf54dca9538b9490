"""Types of the compiled module; arrays must have exactly these dtypes and be C-contiguous."""

from typing import TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

class BuildInfo(TypedDict):
    compiler: str
    cpp_standard: int
    pybind11: str
    openmp: bool
    multiversion: bool
    isa: str

_Float = TypeVar("_Float", np.float32, np.float64)

_Csr = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64] | None]

def build_info() -> BuildInfo: ...
def usable_threads(num_threads: int, n_chunks: int) -> int: ...
def build_csr(
    n_nodes: int,
    sources: NDArray[np.int64],
    targets: NDArray[np.int64],
    weights: NDArray[np.float64] | None,
    directed: bool,
    drop_self_loops: bool,
    duplicates: str,
) -> _Csr: ...
def check_csr(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
) -> None: ...
def transpose_csr(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
) -> _Csr: ...
def soft_kmeans(
    x: NDArray[_Float],
    offsets: NDArray[np.int64],
    centers: NDArray[_Float],
    temperature: float,
    iterations: int,
    kept: int,
    want_assignment: bool,
    num_threads: int,
) -> tuple[NDArray[_Float], NDArray[_Float], NDArray[_Float], NDArray[_Float]]: ...

# Adds to `to_rows` in place.
def soft_kmeans_step_vjp(
    x: NDArray[_Float],
    offsets: NDArray[np.int64],
    centers: NDArray[_Float],
    image: NDArray[_Float],
    mass: NDArray[_Float],
    assignment: NDArray[_Float] | None,
    u: NDArray[_Float],
    temperature: float,
    to_rows: NDArray[_Float],
    num_threads: int,
) -> NDArray[_Float]: ...
def soft_kmeans_assignment_vjp(
    x: NDArray[_Float],
    offsets: NDArray[np.int64],
    centers: NDArray[_Float],
    assignment: NDArray[_Float],
    gradient: NDArray[_Float],
    temperature: float,
    num_threads: int,
) -> tuple[NDArray[_Float], NDArray[_Float]]: ...
def soft_kmeans_solve(
    x: NDArray[_Float],
    offsets: NDArray[np.int64],
    centers: NDArray[_Float],
    image: NDArray[_Float],
    mass: NDArray[_Float],
    assignment: NDArray[_Float],
    v: NDArray[_Float],
    temperature: float,
    tolerance: float,
    max_iterations: int,
    num_threads: int,
) -> tuple[NDArray[_Float], list[tuple[int, float, bool]]]: ...
def soft_kmeans_jacobian(
    x: NDArray[np.float64],
    centers: NDArray[np.float64],
    image: NDArray[np.float64],
    mass: NDArray[np.float64],
    assignment: NDArray[np.float64],
    temperature: float,
    num_threads: int,
) -> NDArray[np.float64]: ...
def unit_rows(x: NDArray[_Float], num_threads: int) -> tuple[NDArray[_Float], NDArray[_Float]]: ...
def unit_rows_vjp(
    unit: NDArray[_Float],
    lengths: NDArray[_Float],
    gradient: NDArray[_Float],
    num_threads: int,
) -> NDArray[_Float]: ...
