"""Types of the compiled module; arrays must have exactly these dtypes and be C-contiguous."""

from typing import Any, TypedDict, TypeVar, type_check_only

import numpy as np
from numpy.typing import NDArray

# One array type throughout a call: float32 or float64.
_Reals = TypeVar("_Reals", bound=NDArray[np.float32] | NDArray[np.float64])

@type_check_only
class BuildInfo(TypedDict):
    compiler: str
    cpp_standard: int
    pybind11: str
    openmp: str | None
    multiversion: bool
    isa: str

_Csr = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float64] | None]

def build_info() -> BuildInfo: ...
def take_counted_work() -> tuple[int, int]: ...
def usable_threads(num_threads: int, n_chunks: int) -> int: ...
def openmp_max_threads() -> int: ...
def startable_threads(wanted: int) -> int: ...
def all_finite(values: _Reals) -> bool: ...
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
def cnm(
    weights: NDArray[np.float64], n_groups: int
) -> tuple[NDArray[np.int32], NDArray[np.float64]]: ...
def kernighan_lin(
    matrix: NDArray[np.float64],
    strengths: NDArray[np.float64],
    total: float,
    side: NDArray[np.bool_],
) -> NDArray[np.bool_]: ...
def kernighan_lin_sparse(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: NDArray[np.float64],
    strengths: NDArray[np.float64],
    total: float,
    side: NDArray[np.bool_],
) -> NDArray[np.bool_]: ...
def polish(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    starts: NDArray[np.int32],
    n_groups: int,
    resolution: float,
    keep_all: bool,
    perturbations: int,
    seed: int,
    num_threads: int,
) -> NDArray[np.int32]: ...
def dropout(values: _Reals, share: float, seed: int, num_threads: int) -> _Reals: ...
def check_sparse(
    indptr: NDArray[np.int32] | NDArray[np.int64],
    indices: NDArray[np.int32] | NDArray[np.int64],
    n_columns: int,
) -> None: ...
def check_indices(indices: NDArray[np.int32] | NDArray[np.int64], size: int, name: str) -> None: ...
def spmm(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: _Reals,
    n_columns: int,
    dense: _Reals,
    num_threads: int,
) -> _Reals: ...
def adam_step(
    parameter: _Reals,
    gradient: _Reals,
    first: _Reals,
    second: _Reals,
    learning_rate: float,
    weight_decay: float,
    beta1: float,
    beta2: float,
    epsilon: float,
    step: float,
    num_threads: int,
) -> None: ...
def gcn_layers(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: _Reals,
    n_columns: int,
    projected: _Reals,
    hidden_bias: _Reals,
    out_weight: _Reals,
    out_bias: _Reals,
    dropout: float,
    seed: int,
    num_threads: int,
) -> tuple[_Reals, _Reals]: ...
def gcn_layers_gradient(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    values: _Reals,
    n_columns: int,
    hidden: _Reals,
    out_weight: _Reals,
    dropout: float,
    upstream: _Reals,
    num_threads: int,
) -> tuple[_Reals, _Reals, _Reals, _Reals]: ...
def hop_distances(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    directed: bool,
    sources: NDArray[np.int32],
    cutoff: int,
    bytes: int,
    num_threads: int,
) -> NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32] | None: ...
def path_lengths(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    directed: bool,
    sources: NDArray[np.int32],
    cutoff: float,
    num_threads: int,
) -> NDArray[np.float64]: ...
def floyd_warshall(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    directed: bool,
    num_threads: int,
) -> NDArray[np.float64]: ...
def distances_to_nearest(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    sources: NDArray[np.int32],
) -> tuple[NDArray[np.float64], NDArray[np.int32]]: ...

_Distances = (
    NDArray[np.uint8]
    | NDArray[np.uint16]
    | NDArray[np.uint32]
    | NDArray[np.float32]
    | NDArray[np.float64]
)
_KCenter = tuple[NDArray[np.int32], NDArray[np.int32], float]

def gonzalez_from_graph(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    k: int,
    first: int,
    must_open: NDArray[np.int32],
    may_open: NDArray[np.uint8] | None,
) -> _KCenter: ...
def gonzalez_from_matrix(
    distances: _Distances,
    k: int,
    first: int,
    must_open: NDArray[np.int32],
    may_open: NDArray[np.uint8] | None,
) -> _KCenter: ...
def greedy_k_center(
    distances: _Distances,
    k: int,
    must_open: NDArray[np.int32],
    may_open: NDArray[np.uint8] | None,
    needed: NDArray[np.uint8] | None,
    num_threads: int,
) -> _KCenter: ...
def swap_search(
    table: _Distances,
    costs: NDArray[np.float64] | None,
    lost: float,
    weights: NDArray[np.float64] | None,
    n_scenarios: int,
    tail: float,
    start: NDArray[np.int32],
    may_open: NDArray[np.uint8] | None,
    n_fixed: int,
    first_site: int,
    max_swaps: int,
    seconds: float,
    num_threads: int,
) -> tuple[NDArray[np.int32], float, int, bool]: ...

_CoverRest = tuple[
    bool,
    bool,
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int32],
    NDArray[np.int64],
    NDArray[np.int32],
]

def reduce_cover(
    distances: _Distances,
    limits: NDArray[Any],
    may_open: NDArray[np.uint8],
    needed: NDArray[np.uint8],
    seconds: float,
    entries: int,
    num_threads: int,
) -> _CoverRest: ...

_Hops = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.uint32]

def largest_finite_hop(distances: _Hops, num_threads: int) -> int: ...
def expected_hops(
    distances: _Hops,
    opening: _Reals,
    steps: NDArray[np.float64],
    num_threads: int,
) -> _Reals: ...
def expected_hops_gradient(
    distances: _Hops,
    opening: _Reals,
    upstream: _Reals,
    steps: NDArray[np.float64],
    num_threads: int,
) -> tuple[_Reals, _Reals]: ...
def mean_expected_hops(
    distances: _Hops,
    opening: _Reals,
    steps: NDArray[np.float64],
    num_threads: int,
) -> tuple[float, _Reals]: ...
def order_sites(distances: NDArray[np.float64], num_threads: int) -> NDArray[np.int32]: ...
def expected_lengths(
    distances: NDArray[np.float64],
    order: NDArray[np.int32],
    opening: _Reals,
    charge: float,
    num_threads: int,
) -> _Reals: ...
def expected_lengths_gradient(
    distances: NDArray[np.float64],
    order: NDArray[np.int32],
    opening: _Reals,
    upstream: _Reals,
    charge: float,
    num_threads: int,
) -> _Reals: ...
def modularity_gradient(
    indptr: NDArray[np.int64],
    indices: NDArray[np.int32],
    weights: NDArray[np.float64] | None,
    assignment: _Reals,
    resolution: float,
    num_threads: int,
) -> tuple[float, _Reals]: ...
def pipage_rounding(
    opening: NDArray[np.float64],
    n_chosen: int,
    n_draws: int,
    tolerance: float,
    seed: int,
    num_threads: int,
) -> NDArray[np.int32]: ...
def soft_kmeans(
    x: _Reals,
    offsets: NDArray[np.int64],
    centers: _Reals,
    temperature: float,
    iterations: int,
    kept: int,
    want_assignment: bool,
    normalize: bool,
    num_threads: int,
) -> tuple[_Reals, _Reals, _Reals, _Reals]: ...

# Adds to `to_rows` in place.
def soft_kmeans_step_vjp(
    x: _Reals,
    offsets: NDArray[np.int64],
    centers: _Reals,
    image: _Reals,
    mass: _Reals,
    assignment: _Reals | None,
    u: _Reals,
    temperature: float,
    to_rows: _Reals,
    num_threads: int,
) -> _Reals: ...
def soft_kmeans_assignment_vjp(
    x: _Reals,
    offsets: NDArray[np.int64],
    centers: _Reals,
    assignment: _Reals,
    gradient: _Reals,
    temperature: float,
    num_threads: int,
) -> tuple[_Reals, _Reals]: ...
def soft_kmeans_solve(
    x: _Reals,
    offsets: NDArray[np.int64],
    centers: _Reals,
    image: _Reals,
    mass: _Reals,
    assignment: _Reals,
    v: _Reals,
    temperature: float,
    tolerance: float,
    max_iterations: int,
    num_threads: int,
) -> tuple[_Reals, list[tuple[int, float, bool]]]: ...
def soft_kmeans_jacobian(
    x: NDArray[np.float64],
    centers: NDArray[np.float64],
    image: NDArray[np.float64],
    mass: NDArray[np.float64],
    assignment: NDArray[np.float64],
    temperature: float,
    num_threads: int,
) -> NDArray[np.float64]: ...
def symmetric_product(
    matrix: NDArray[np.float64],
    vector: NDArray[np.float64],
    num_threads: int,
) -> NDArray[np.float64]: ...
def tall_product(tall: _Reals, other: _Reals, num_threads: int) -> _Reals: ...
def transposed_tall_product(tall: _Reals, other: _Reals, num_threads: int) -> _Reals: ...
def unit_rows(x: _Reals, num_threads: int) -> tuple[_Reals, _Reals]: ...
def unit_rows_vjp(
    unit: _Reals,
    lengths: _Reals,
    gradient: _Reals,
    num_threads: int,
) -> _Reals: ...
def weight_within(
    matrix: NDArray[np.float64],
    group: NDArray[np.int64],
    num_threads: int,
) -> float: ...
