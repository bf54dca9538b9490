"""Exact k-center beside spopt's PCenter: proofs, what domination left of them, and their time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.race import spopt_peer
from benchmarks.race.peers import threads_for_all
from benchmarks.race.race import Progress
from benchmarks.race.spopt_peer import PeerResult
from graphopt import (
    ExactKCenterResult,
    Graph,
    all_pairs_shortest_paths,
    datasets,
    evaluate_centers,
    exact_k_center,
    local_search_k_center,
)
from graphopt.centers import Reduction

PEER_SECONDS = 30.0
PEER_MEMORY = 8 * 2**30
LARGE_SECONDS = 20.0
"""Seconds that ours gets on the large graphs, from the graph on."""

PUBLISHED = (
    "cora_connected",
    "citeseer_connected",
    "protein_vidal_connected",
    "moreno",
    "fb_small",
)
ORLIB = tuple(f"pmed{number}" for number in range(1, 11))
_GEOMETRIC = (20_000, 0.012)  # points in the unit square, and how near neighbours are
_SEED = 0


@dataclass(frozen=True, slots=True)
class Instance:
    """A graph to be decided on exactly.

    Attributes
    ----------
    name : str
    load : callable
        Returns the graph and k.
    large : bool
        Ours has :data:`LARGE_SECONDS`, distances included, and spopt, whose model would have
        hundreds of millions of variables, is not asked.
    """

    name: str
    load: Callable[[], tuple[Graph, int]]
    large: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured on one instance.

    Attributes
    ----------
    name : str
    n, m, k : int
    seconds : float
        Of :func:`graphopt.exact_k_center`: on the distances; on a large graph, from the graph.
    radius, lower_bound : float
    status : str
    reductions : tuple of Reduction
    search_seconds, search_radius : float or None
        Of :func:`graphopt.local_search_k_center` as it comes, on the distances; None: not asked.
    peer : PeerResult or None
        None: not asked.
    peer_radius : float or None
        Of its centres, on the same distances.
    """

    name: str
    n: int
    m: int
    k: int
    seconds: float
    radius: float
    lower_bound: float
    status: str
    reductions: tuple[Reduction, ...]
    search_seconds: float | None = None
    search_radius: float | None = None
    peer: PeerResult | None = None
    peer_radius: float | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the time of ours spopt took to its proof; None: it gave none."""
        return self._times_ours(spopt_peer.OPTIMAL)

    @property
    def at_least(self) -> float | None:
        """How many times the time of ours spopt had without ending; None: it ended, or failed."""
        return self._times_ours(spopt_peer.OUT_OF_TIME)

    def _times_ours(self, outcome: str) -> float | None:
        if self.peer is None or self.peer.outcome != outcome or self.peer.seconds is None:
            return None
        return self.peer.seconds / self.seconds

    @property
    def decisive(self) -> tuple[Reduction, ...]:
        """The largest radius that was refuted and the smallest that was kept, where looked at."""
        refuted = [one for one in self.reductions if one.kept is False]
        kept = [one for one in self.reductions if one.kept]
        return (*refuted[-1:], *kept[:1])


def instances(names: Sequence[str] = (), *, quick: bool = False) -> tuple[Instance, ...]:
    """Return the instances that `names` name, or whose names begin so; all without any.

    The published graphs whole, K = 5 and 10; ``pmed1`` to ``pmed10`` of the OR-Library, where
    the folder that ``GRAPHOPT_DATA`` names has them in ``orlib``; and, unless `quick`, three
    graphs of 20,000 nodes.

    Raises
    ------
    ValueError
        If a name begins nothing.
    """
    found = [
        Instance(f"{name}, K = {k}", _published(name, k)) for name in PUBLISHED for k in (5, 10)
    ]
    folder = orlib_folder()
    if folder is not None:
        found += [Instance(name, _orlib(folder / f"{name}.txt")) for name in ORLIB]
    if not quick:
        found += [
            Instance(f"pubmed's largest component, K = {k}", _pubmed(k), large=True)
            for k in (10, 50)
        ]
        found.append(Instance("geometric graph, K = 50", _geometric, large=True))
    wanted: set[str] = set()
    for name in names:
        all_of_it = [one.name for one in found if one.name == name]
        matches = all_of_it or [one.name for one in found if one.name.startswith(name)]
        if not matches:
            known = ", ".join(one.name for one in found)
            raise ValueError(f"no instance begins with {name!r}; there are: {known}")
        wanted.update(matches)
    return tuple(one for one in found if not names or one.name in wanted)


def orlib_folder() -> Path | None:
    """Return the folder of the OR-Library's instances; None: there is none."""
    home = os.environ.get("GRAPHOPT_DATA")
    folder = Path(home, "orlib") if home else None
    return folder if folder is not None and (folder / "pmed1.txt").exists() else None


def read_orlib(path: Path) -> tuple[Graph, int]:
    """Read a p-median instance and its k; of an edge that is listed twice the last line counts."""
    n, m, k, *rest = (int(word) for word in path.read_text().split())
    rows = np.array(rest[: 3 * m]).reshape(m, 3)
    lengths = {(min(u, v) - 1, max(u, v) - 1): float(length) for u, v, length in rows.tolist()}
    return Graph.from_edges(list(lengths), n, list(lengths.values())), k


def run(
    chosen: Sequence[Instance],
    *,
    threads: int,
    peer_seconds: float | None = PEER_SECONDS,
    peer_memory: int = PEER_MEMORY,
    large_seconds: float = LARGE_SECONDS,
    progress: Progress = lambda step: None,
) -> Iterator[Row]:
    """Solve instances and yield what each gave.

    Parameters
    ----------
    chosen : sequence of Instance
    threads : int
        For ours; CBC has one.
    peer_seconds : float or None
        Seconds that spopt has, making its model included; None: it is not asked.
    peer_memory : int
        Bytes that it may have.
    large_seconds : float
    progress : callable
        Told what happens next.

    Raises
    ------
    AssertionError
        If spopt's answer contradicts ours.
    """
    for instance in chosen:
        progress(f"{instance.name}: graphopt")
        graph, k = instance.load()
        with threads_for_all(threads):
            row, costs = _ours(instance, graph, k, large_seconds)
        if costs is not None and peer_seconds is not None:
            progress(f"{instance.name}: spopt")
            peer = spopt_peer.run(costs, k, seconds=peer_seconds, memory=peer_memory)
            row = compare(row, peer, costs)
        yield row


def compare(row: Row, peer: PeerResult, costs: NDArray[Any]) -> Row:
    """Return the row with spopt's answer, which must not contradict ours."""
    radius = None
    if peer.centers:
        radius = evaluate_centers(costs, peer.centers).radius
        if len(set(peer.centers)) > row.k or radius < row.lower_bound:
            raise AssertionError(
                f"{row.name}: spopt has {len(peer.centers)} centres of radius {radius:g}, below "
                f"the bound of {row.lower_bound:g}"
            )
        if peer.outcome == spopt_peer.OPTIMAL and radius > row.radius:
            raise AssertionError(
                f"{row.name}: spopt calls {radius:g} optimal, graphopt has {row.radius:g}"
            )
    return replace(row, peer=peer, peer_radius=radius)


def _ours(
    instance: Instance, graph: Graph, k: int, large_seconds: float
) -> tuple[Row, NDArray[Any] | None]:
    """Return our part of a row, and the distances where others are to have them."""
    if instance.large:
        start = time.perf_counter()
        found = exact_k_center(graph, k, time_limit=large_seconds)
        return _row(instance, graph, k, time.perf_counter() - start, found), None
    costs = all_pairs_shortest_paths(graph)
    start = time.perf_counter()
    found = exact_k_center(costs, k)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    searched = local_search_k_center(costs, k, random_state=_SEED)
    search_seconds = time.perf_counter() - start
    if searched.radius < found.lower_bound:
        raise AssertionError(f"{instance.name}: exchanges find less than the proven bound")
    return _row(instance, graph, k, seconds, found, search_seconds, searched.radius), costs


def _row(
    instance: Instance,
    graph: Graph,
    k: int,
    seconds: float,
    found: ExactKCenterResult,
    search_seconds: float | None = None,
    search_radius: float | None = None,
) -> Row:
    return Row(
        instance.name,
        graph.n_nodes,
        graph.n_edges,
        k,
        seconds,
        found.radius,
        found.lower_bound,
        found.status,
        found.reductions,
        search_seconds,
        search_radius,
    )


def _published(name: str, k: int) -> Callable[[], tuple[Graph, int]]:
    def load() -> tuple[Graph, int]:
        # In the order of some files lies an answer.
        return _dataset(name).permuted(_SEED).graph, k

    return load


def _pubmed(k: int) -> Callable[[], tuple[Graph, int]]:
    return lambda: (_dataset("pubmed").graph.largest_component()[0], k)


def _dataset(name: str) -> datasets.Dataset:
    found = datasets.load(name)
    if isinstance(found, datasets.InductiveDataset):
        raise ValueError(f"name must be that of a single graph, not {name!r}")
    return found


def _orlib(path: Path) -> Callable[[], tuple[Graph, int]]:
    return lambda: read_orlib(path)


def _geometric() -> tuple[Graph, int]:
    from scipy.spatial import cKDTree

    n, near = _GEOMETRIC
    points = np.random.default_rng(_SEED).random((n, 2))
    edges = cKDTree(points).query_pairs(near, output_type="ndarray")
    return Graph.from_edges(edges, n).largest_component()[0], 50
