"""What would not fit is refused before it is allocated, with the bytes and the way around."""

from __future__ import annotations

import resource
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from helpers import random_graph
from scipy.sparse import csr_array, random_array

from graphopt import (
    Graph,
    _memory,
    all_pairs_shortest_paths,
    greedy_k_center,
    leiden,
    local_search_k_center,
    pipage_rounding,
    robust_k_center,
    soft_kmeans,
)
from graphopt.clustering import kmeans_plus_plus, soft_kmeans_vjp
from graphopt.completion import Bagging, EdgeProbabilities, FeatureNeighbours, LinkModel
from graphopt.errors import MemoryLimitError
from graphopt.features import smoothed_features
from graphopt.nn import GCN, Adjacency, SoftKMeans, gradient_certificate
from graphopt.nn.sparse import SparseMatrix

GRAPH = random_graph(300, 900, 0)
X = np.random.default_rng(0).standard_normal((300, 8))
CENTERS = X[:5]
LENGTHS = np.abs(np.subtract.outer(X[:, 0], X[:, 0]))
WORDS = csr_array(random_array((300, 400), density=0.05, format="csr", rng=0, dtype=np.float32))
SoftKMeans(5)(torch.from_numpy(X))  # torch loads what it needs for the first operator it runs
CLUSTERED = soft_kmeans(X, CENTERS, temperature=5.0, iterations=1, normalize=False)
LIKELY = EdgeProbabilities(GRAPH, np.empty((0, 2)), [], background=0.1)
SPARSE = SparseMatrix.from_scipy(WORDS, torch.float32)
RNG = np.random.default_rng(0)
ADJACENCY = Adjacency(GRAPH).whole


def unrolled() -> object:
    return soft_kmeans_vjp(
        X, CENTERS, temperature=5.0, iterations=1_000_000, gradient="unrolled", normalize=False
    )


def dense_gradient() -> object:
    return soft_kmeans_vjp(X, CENTERS, temperature=5.0, iterations=1, gradient="dense")


def layer() -> object:
    return SoftKMeans(5, iterations=1_000_000, gradient="unrolled")(torch.from_numpy(X))


REFUSALS: dict[str, tuple[Callable[[], object], str]] = {
    "all_pairs_shortest_paths": (
        lambda: all_pairs_shortest_paths(GRAPH),
        "distances .* pass a part of the nodes",
    ),
    "leiden": (lambda: leiden(GRAPH, 3, starts=10**9), "1,000,000,000 starts .* use fewer"),
    "greedy_k_center": (lambda: greedy_k_center(GRAPH, 3), "distances .* bytes"),
    "local_search_k_center": (lambda: local_search_k_center(GRAPH, 3), "distances .* bytes"),
    "local search on lengths": (
        lambda: local_search_k_center(LENGTHS, 3),
        "what every distance costs, in float64, needs 720,000 .* in hops",
    ),
    "robust_k_center": (
        lambda: robust_k_center([GRAPH, GRAPH], 3),
        "distances .* use fewer samples",
    ),
    "kmeans_plus_plus": (
        lambda: kmeans_plus_plus(X, 10**12),
        r"1,000,000,000,000 centres of width 8 needs 64,000,000,000,000 bytes .* fewer clusters",
    ),
    "soft_kmeans": (
        lambda: soft_kmeans(X, np.ones((10_000, 8)), temperature=1.0, iterations=1),
        "the assignment of 300 rows to 10,000 centres .* use fewer clusters",
    ),
    "unrolled gradient": (unrolled, "1,000,000 earlier sets of centres .* another gradient"),
    "unrolled layer": (layer, "1,000,000 earlier sets of centres .* another gradient"),
    "dense gradient": (dense_gradient, 'the dense Jacobian .* gradient="implicit"'),
    "gradient_certificate": (
        lambda: gradient_certificate(X, CLUSTERED.centers, CLUSTERED.assignment, 5.0),
        "the Jacobian of 5 centres of width 8, measured, needs 64,000 .* max_size below 40",
    ),
    "to_dense": (
        SPARSE.to_dense,
        r"a dense matrix of shape \(300, 400\) \(torch.float32\) needs 480,000 .* sparse one",
    ),
    "missing_edges": (
        lambda: FeatureNeighbours(n_neighbours=10**9).missing_edges(GRAPH, X),
        "89,700 feature neighbours needs 13,455,000 bytes .* fewer n_neighbours",
    ),
    "bagging": (
        lambda: Bagging(draws=10**9).missing_edges(GRAPH),
        r"8\d\d,000,000,000 drawn edges needs .* fewer draws",
    ),
    "link model": (
        lambda: LinkModel(features_from_edges=True).probabilities(GRAPH),
        "60,000 candidate pairs needs 6,000,000 bytes .* fewer n_candidates",
    ),
    "expected edges": (
        lambda: LIKELY.expected(10**9),
        "expected edges needs .* fewer max_pairs",
    ),
    "sampled graphs": (
        lambda: LIKELY.sample(10**9),
        "1,000,000,000 sampled graphs of .* fewer samples",
    ),
    "smoothed_features": (
        lambda: smoothed_features(WORDS, GRAPH, 1),
        "an average of features over the neighbours of 300 nodes .* average fewer times",
    ),
    "layers": (
        lambda: GCN(8, 20_000, 4).initialize(torch.from_numpy(X).float(), ADJACENCY, RNG),
        "layers of 300 nodes, 20,004 wide together, needs 96,019,200 bytes .* fewer hidden",
    ),
    "dense smoothed_features": (
        lambda: smoothed_features(X, GRAPH, 1),
        "an average of features over the neighbours of 300 nodes needs 19,200 bytes",
    ),
    "from_scipy": (
        lambda: Graph.from_scipy(np.ones((300, 300))),
        "a graph from a matrix of 90,000 entries needs 7,200,000 bytes .* Graph.from_edges",
    ),
    "from_edges": (lambda: Graph.from_edges([(0, 10**9)]), "1,000,000,001 nodes .* without gaps"),
    "pipage_rounding": (
        lambda: pipage_rounding(np.full(300, 0.5), draws=10**9),
        "1,000,000,000 sets of 150 sites needs 600,000,000,000 bytes .* fewer draws",
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_what_does_not_fit_is_refused_before_it_is_allocated(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    call, message = REFUSALS[name]
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 1000)
    tracemalloc.start()
    try:
        with pytest.raises(MemoryLimitError, match=message) as refusal:
            call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "1,000 are available" in str(refusal.value)
    assert peak < 4_000_000


def test_blocks_of_cosines_do_not_change_the_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.abs(X)
    whole = FeatureNeighbours(n_neighbours=3).missing_edges(GRAPH, x)
    monkeypatch.setattr("graphopt.completion._neighbours._BLOCK_ENTRIES", 10)
    row_by_row = FeatureNeighbours(n_neighbours=3).missing_edges(GRAPH, x)
    assert np.array_equal(whole.edges, row_by_row.edges)
    assert whole.edge_weights == pytest.approx(row_by_row.edge_weights, rel=1e-4)


# --- how much there is ----------------------------------------------------------------------------

GB = 2**30


class Machine:
    """A made-up /proc and /sys/fs/cgroup."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.groups = root / "cgroup"
        self.meminfo, self.membership = root / "meminfo", root / "membership"
        monkeypatch.setattr(_memory, "_MACHINE", self.meminfo)
        monkeypatch.setattr(_memory, "_CONTROL_GROUPS", self.groups)
        monkeypatch.setattr(_memory, "_MEMBERSHIP", self.membership)
        monkeypatch.setattr(_memory, "_PROCESS", root / "status")
        self.address_space = resource.RLIM_INFINITY
        monkeypatch.setattr(resource, "getrlimit", lambda which: (self.address_space, 2**62))
        self.meminfo.write_text(
            f"MemTotal: {16 * 2**20} kB\nMemFree: 1 kB\nMemAvailable: {8 * 2**20} kB\n"
        )

    def put_in(self, membership: str) -> None:
        self.membership.write_text(membership)

    def limit(self, path: str, limit: object, use: int, cache: int = 0) -> None:
        old = path.startswith("memory")
        folder = self.groups / path
        folder.mkdir(parents=True, exist_ok=True)
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        limit_file, use_file, entry = (
            names if old else ("memory.max", "memory.current", "inactive_file")
        )
        (folder / limit_file).write_text(f"{limit}\n")
        (folder / use_file).write_text(f"{use}\n")
        (folder / "memory.stat").write_text(f"anon 5\n{entry} {cache}\nslab 7\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    _memory._limited_groups.cache_clear()
    yield Machine(tmp_path, monkeypatch)
    _memory._limited_groups.cache_clear()


def test_without_control_groups_the_machine_decides(machine: Machine) -> None:
    assert _memory.available_memory() == 8 * GB


def test_elsewhere_nothing_is_known(machine: Machine) -> None:
    machine.meminfo.unlink()
    assert _memory.available_memory() is None


@pytest.mark.parametrize(
    ("membership", "path"),
    [
        ("0::/", ""),
        ("0::/jobs/mine\n", "jobs/mine"),
        ("0::/jobs/mine\n", "jobs"),
        ("0::/jobs/mine\n", ""),  # a container that sees its host's path
        ("9:cpu,cpuacct:/x\n4:memory:/jobs/mine\n0::/\n", "memory/jobs/mine"),
        ("4:cpu,memory:/jobs/mine\n", "memory/jobs"),
        ("4:memory:/docker/1f\n", "memory"),
    ],
)
def test_the_control_group_decides(machine: Machine, membership: str, path: str) -> None:
    machine.put_in(membership)
    machine.limit(path, 4 * GB, use=3 * GB, cache=GB // 2)
    assert _memory.available_memory() == GB + GB // 2
    machine.limit(path, 4 * GB, use=5 * GB)
    assert _memory.available_memory() == 0


def test_the_tightest_limit_counts(machine: Machine) -> None:
    machine.put_in("0::/jobs/mine\n")
    machine.limit("", 12 * GB, use=GB)
    machine.limit("jobs", 6 * GB, use=GB)
    machine.limit("jobs/mine", "max", use=GB)
    assert _memory.available_memory() == 5 * GB


def test_the_address_space_is_limited_too(machine: Machine) -> None:
    machine.address_space = 5 * GB
    assert _memory.available_memory() == 8 * GB  # what is in use is not known
    _memory._PROCESS.write_text(f"Name: python\nVmSize: {2 * 2**20} kB\nVmRSS: 5 kB\n")
    assert _memory.available_memory() == 3 * GB
    machine.address_space = GB
    assert _memory.available_memory() == 0


@pytest.mark.parametrize(
    ("membership", "limit"),
    [("0::/", "max"), ("0::/", 2**63 - 4096), ("0::/../other", GB), ("1:cpu:/", GB)],
)
def test_no_limit_of_this_process(machine: Machine, membership: str, limit: Any) -> None:
    machine.put_in(membership)
    machine.limit("", limit, use=GB // 2)
    assert _memory.available_memory() == 8 * GB
