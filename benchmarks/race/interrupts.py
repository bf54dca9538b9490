"""How long Ctrl-C has to wait: from the signal to the end of the call, for what can take long.

Run with ``make interrupts`` or ``python -m benchmarks.race.interrupts`` on an idle machine. If
names of functions follow, only these are measured again. ``interrupts.json`` goes to
``benchmarks/results/``, or to the folder that ``GRAPHOPT_BENCH_RESULTS`` names.

Each sample is a process of its own, which has made a small call of the same function before and has
loaded all libraries. It makes the large call again and again until the signal comes. What ran then
is read off the stack that `faulthandler` writes when the signal arrives.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import linecache
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

import graphopt
from benchmarks.race.machine import describe_machine
from graphopt import Graph
from graphopt._loading import load_whole

RESULTS = Path(os.environ.get("GRAPHOPT_BENCH_RESULTS", Path(__file__).parents[1] / "results"))
AFTER = (0.05, 0.3, 0.7, 1.5)
"""Seconds from the beginning of the call to the signal, a sample each."""

LOADED = ("igraph", "scipy.optimize", "scipy.sparse.csgraph", "scipy.sparse.linalg")
"""Libraries that small calls may do without."""

OURS, IMPORT = "ours", "import"
_PACKAGES = {
    "igraph": "igraph", "sklearn": "scikit-learn", "torch": "PyTorch", "scipy": "SciPy",
    "numpy": "NumPy", "networkx": "NetworkX", "importlib": IMPORT,
}  # fmt: skip


@dataclass(frozen=True)
class Inputs:
    """What the calls get: large, or of the same kind and small."""

    folder: Path
    small: bool = False

    def size(self, large: int, small: int) -> int:
        return small if self.small else large

    def _graph(self, weighted: bool) -> Graph:
        if self.small:
            rng = np.random.default_rng(0)
            edges = rng.integers(0, 1_000, (2_000, 2))
            lengths = rng.uniform(0.5, 1.5, len(edges)) if weighted else None
            return Graph.from_edges(edges, 1_000, lengths)
        indptr, indices, weights = (
            np.load(self.folder / f"{name}.npy") for name in ("indptr", "indices", "weights")
        )
        return Graph(indptr, indices, weights if weighted else None)

    @cached_property
    def graph(self) -> Graph:
        return self._graph(False)

    @cached_property
    def lengths(self) -> Graph:
        return self._graph(True)

    @cached_property
    def edges(self) -> Any:
        n, m = self.size(2_000_000, 100), self.size(10_000_000, 400)
        return np.random.default_rng(0).integers(0, n, (m, 2))

    @cached_property
    def networkx(self) -> Any:
        import networkx

        return networkx.gnm_random_graph(self.size(50_000, 50), self.size(500_000, 100), seed=0)

    @cached_property
    def hops(self) -> Any:
        n = self.size(8_000, 50)
        return np.random.default_rng(0).integers(1, 20, (n, n)).astype(np.uint8)

    @cached_property
    def distances(self) -> Any:
        points = np.random.default_rng(0).uniform(size=(self.size(3_000, 50), 2))
        return np.linalg.norm(points[:, None] - points, axis=2)

    @cached_property
    def dense(self) -> Any:
        n = self.size(5_000, 50)
        half = np.random.default_rng(0).uniform(size=(n, n))
        return half + half.T

    @cached_property
    def rows(self) -> Any:
        n = self.size(1_000_000, 500)
        return np.random.default_rng(0).standard_normal((n, 50), np.float32)

    @cached_property
    def communities(self) -> Any:
        return graphopt.datasets.synthetic(self.size(2_000, 60), random_state=0)


Call = Callable[[], Any]


def fitted(inputs: Inputs, make: Callable[[int], Any]) -> Call:
    """Return what trains an estimator; Ctrl-C ends the training, and what was best is kept."""
    steps, graph = inputs.size(10**6, 3), inputs.communities.graph

    def fit() -> None:
        model = make(steps).fit(graph)
        if getattr(model, "predictor_", model).interrupted_:
            raise KeyboardInterrupt

    return fit


# The size of the large input, and the call.
CALLS: dict[str, tuple[str, Callable[[Inputs], Call]]] = {
    "Graph.from_edges": (
        "n = 2,000,000, m = 10,000,000",
        lambda i: partial(Graph.from_edges, i.edges, i.size(2_000_000, 100)),
    ),
    "Graph.from_networkx": (
        "n = 50,000, m = 500,000",
        lambda i: partial(Graph.from_networkx, i.networkx),
    ),
    "all_pairs_shortest_paths, hops": (
        "n = 1,000,000, m = 5,000,000, 512 sources",
        lambda i: partial(
            graphopt.all_pairs_shortest_paths, i.graph, sources=np.arange(i.size(512, 20))
        ),
    ),
    "all_pairs_shortest_paths, lengths": (
        "n = 1,000,000, m = 5,000,000, 64 sources",
        lambda i: partial(
            graphopt.all_pairs_shortest_paths, i.lengths, sources=np.arange(i.size(64, 20))
        ),
    ),
    "gonzalez": (
        "n = 1,000,000, m = 5,000,000, k = 10,000",
        lambda i: partial(graphopt.gonzalez, i.graph, i.size(10_000, 10)),
    ),
    "greedy_k_center": (
        "n = 8,000, k = 4,000",
        lambda i: partial(graphopt.greedy_k_center, i.hops, i.size(4_000, 10)),
    ),
    "local_search_k_center": (
        "n = 3,000, k = 300",
        lambda i: partial(graphopt.local_search_k_center, i.distances, i.size(300, 5)),
    ),
    "robust_k_center": (
        "n = 3,000, k = 200, 2 scenarios",
        lambda i: partial(graphopt.robust_k_center, [i.distances] * 2, i.size(200, 5)),
    ),
    "exact_k_center": (
        "n = 3,000, k = 60",
        lambda i: partial(graphopt.exact_k_center, i.distances, i.size(60, 5)),
    ),
    "evaluate_centers": (
        "n = 1,000,000, m = 5,000,000, k = 1,000",
        lambda i: partial(graphopt.evaluate_centers, i.lengths, np.arange(i.size(1_000, 5))),
    ),
    "expected_distances": (
        "n = 8,000",
        lambda i: partial(graphopt.expected_distances, i.hops, np.full(len(i.hops), 1e-3)),
    ),
    "pipage_rounding": (
        "n = 1,000,000, 100 draws",
        lambda i: partial(
            graphopt.pipage_rounding, np.full(i.size(1_000_000, 100), 1e-4), draws=i.size(100, 2)
        ),
    ),
    "soft_kmeans": (
        "n = 1,000,000, 50 columns, k = 100",
        lambda i: partial(
            graphopt.soft_kmeans, i.rows, i.rows[: i.size(100, 5)], temperature=10.0, iterations=100
        ),
    ),
    "leiden": (
        "n = 1,000,000, m = 5,000,000, k = 20",
        lambda i: partial(graphopt.leiden, i.graph, i.size(20, 5)),
    ),
    "polish": (
        "n = 1,000,000, m = 5,000,000, k = 20",
        lambda i: partial(graphopt.polish, i.graph, np.arange(i.graph.n_nodes) % i.size(20, 5)),
    ),
    "spectral": (
        "n = 1,000,000, m = 5,000,000, k = 10",
        lambda i: partial(graphopt.spectral, i.graph, i.size(10, 3)),
    ),
    "newman": (
        "n = 1,000,000, m = 5,000,000, k = 50",
        lambda i: partial(graphopt.newman, i.graph, i.size(50, 3)),
    ),
    "newman, matrix": ("n = 5,000, k = 5", lambda i: partial(graphopt.newman, i.dense, 5)),
    "cnm": (
        "n = 1,000,000, m = 5,000,000, k = 10",
        lambda i: partial(graphopt.cnm, i.graph, i.size(10, 3)),
    ),
    "cnm, matrix": ("n = 5,000, k = 2", lambda i: partial(graphopt.cnm, i.dense, 2)),
    "modularity": (
        "n = 1,000,000, m = 5,000,000",
        lambda i: partial(graphopt.modularity, i.graph, np.arange(i.graph.n_nodes) % 20),
    ),
    "features.motif_counts": (
        "n = 1,000,000, m = 5,000,000",
        lambda i: partial(graphopt.features.motif_counts, i.graph),
    ),
    "features.role2vec": (
        "n = 1,000,000, m = 5,000,000",
        lambda i: lambda: graphopt.features.role2vec(i.graph),
    ),
    "datasets.synthetic": (
        "n = 2,000",
        lambda i: partial(graphopt.datasets.synthetic, i.size(2_000, 60), random_state=0),
    ),
    "completion.LinkModel.probabilities": (
        "n = 2,000",
        lambda i: partial(graphopt.completion.LinkModel().probabilities, i.communities.observed),
    ),
    "completion.choose": (
        "n = 2,000",
        lambda i: partial(
            graphopt.completion.choose, i.communities.observed, k=5, seen_fraction=0.4, n_splits=2
        ),
    ),
    "evaluation.compare": (
        "n = 2,000",
        lambda i: partial(
            graphopt.decision.compare, ["leiden"], i.communities.graph, k=5, splits=i.size(20, 2)
        ),
    ),
    "decide": (
        "n = 2,000",
        lambda i: partial(
            graphopt.decide, i.communities.observed, k=5, seen_fraction=0.4, n_trials=i.size(50, 1)
        ),
    ),
    "ClusterNet.fit": (
        "n = 2,000",
        lambda i: fitted(i, lambda steps: graphopt.ClusterNet(5, iterations=steps)),
    ),
    "DirectGCN.fit": (
        "n = 2,000",
        lambda i: fitted(i, lambda steps: graphopt.DirectGCN(5, iterations=steps)),
    ),
    "LinkPredictor.fit": (
        "n = 2,000",
        lambda i: fitted(i, lambda steps: graphopt.LinkPredictor(iterations=steps)),
    ),
    "TwoStage.fit": (
        "n = 2,000",
        lambda i: fitted(
            i,
            lambda steps: graphopt.TwoStage(5, predictor=graphopt.LinkPredictor(iterations=steps)),
        ),
    ),
}


def _loading(library: str) -> Callable[[Inputs], Call]:
    return lambda i: partial(load_whole, library)


for _library in ("igraph", "scipy.sparse.linalg", "torch"):
    CALLS[f"{IMPORT} {_library}"] = ("", _loading(_library))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


# --- in the process of a sample -----------------------------------------------------------------


def sample(name: str, folder: Path) -> None:
    """Make a call until Ctrl-C ends it, and print when that was."""
    warnings.simplefilter("ignore")
    _, make = CALLS[name]
    if not name.startswith(IMPORT):
        for library in LOADED:
            load_whole(library)
        make(Inputs(folder, small=True))()
    call = make(Inputs(folder))
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
    faulthandler.register(signal.SIGINT, sys.stderr, all_threads=True, chain=True)
    try:
        _say("begun")
        while True:
            call()
    except KeyboardInterrupt:
        _say(str(time.monotonic()))
    os._exit(0)  # what is to be freed takes time too


# --- in the process that asks -------------------------------------------------------------------


def make_graph(folder: Path) -> None:
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 1_000_000, (5_000_000, 2))
    lengths = rng.uniform(0.5, 1.5, len(edges))
    graph = Graph.from_edges(edges, 1_000_000, lengths, duplicates="first")
    for name in ("indptr", "indices", "weights"):
        np.save(folder / f"{name}.npy", getattr(graph, name))


def delay(name: str, after: float, folder: Path) -> tuple[float, str, str]:
    """Return the seconds from the signal to the end of the call, whose code ran, and where."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "benchmarks.race.interrupts",
            "--sample",
            name,
            "--folder",
            str(folder),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        if process.stdout.readline() != "begun\n":
            raise RuntimeError(process.communicate()[1])
        time.sleep(after)
        sent = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, stack = process.communicate()
    if not output:
        raise RuntimeError(stack)
    return float(output) - sent, *whose(stack)


def whose(stack: str) -> tuple[str, str]:
    """Return whose code a stack says was running, and the innermost line of this package."""
    frames = [
        (Path(file), int(line)) for file, line in re.findall(r'File "([^"]+)", line (\d+)', stack)
    ]
    if not frames:  # an import holds Ctrl-C by a handler of its own
        return IMPORT, ""
    package = Path(graphopt.__file__).parent
    own = [(file, line) for file, line in frames if package in file.parents]
    place = f"{own[0][0].relative_to(package)}:{own[0][1]}" if own else ""
    file, line = frames[0]
    if own and own[0][0].name == "_solver.py":
        return "HiGHS", place
    for part in reversed(file.parts):
        if part in _PACKAGES:
            return _PACKAGES[part], place
    if "importlib" in str(file):
        return IMPORT, place
    code = linecache.getline(str(file), line)
    return OURS if "_core." in code or "_convert." in code else "NumPy", place


def measured(name: str, folder: Path) -> dict[str, Any]:
    samples = [delay(name, after, folder) for after in AFTER]
    _say(f"{name:40s}" + "".join(f"{1e3 * s:8.0f} ms {who}" for s, who, _ in samples))
    longest, running, _ = max(samples)
    return {
        "function": name,
        "size": CALLS[name][0],
        "samples": [
            {"after": after, "delay": seconds, "running": owner, "at": place}
            for after, (seconds, owner, place) in zip(AFTER, samples, strict=True)
        ],
        "n_samples": len(samples),
        "median": statistics.median(seconds for seconds, *_ in samples),
        "longest": longest,
        "running": running,
    }


def store(file: Path, rows: dict[str, dict[str, Any]]) -> None:
    content = {
        "machine": describe_machine(),
        "threads": graphopt.get_num_threads(),
        "functions": [rows[name] for name in CALLS if name in rows],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="functions; default: all")
    parser.add_argument("--sample", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.sample:
        sample(given.sample, given.folder)
        return
    unknown = set(given.names) - CALLS.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(CALLS)}")
    file = RESULTS / "interrupts.json"
    rows = {}
    if given.names and file.exists():
        stored = json.loads(file.read_text(encoding="utf-8"))["functions"]
        rows = {row["function"]: row for row in stored}
    with tempfile.TemporaryDirectory() as folder:
        make_graph(Path(folder))
        for name in given.names or CALLS:
            rows[name] = measured(name, Path(folder))
            store(file, rows)


if __name__ == "__main__":
    main()
