"""Calls to be interrupted; as a program, makes those it is given, one after another.

Each is begun; as soon as the main thread is inside the package, "begun" is printed; then comes
Ctrl-C from whoever started the program. What came of it is printed, and what a small call of the
same function returns afterwards, which must be right.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import graphopt
from graphopt import Graph, completion, datasets, decision, objectives

Call = Callable[[], Any]


@cache
def large(weights: bool = False) -> Graph:
    rng = np.random.default_rng(0)
    edges = rng.integers(0, 20_000, (100_000, 2))
    lengths = rng.uniform(0.5, 1.5, len(edges)) if weights else None
    return Graph.from_edges(edges, 20_000, lengths, duplicates="first")


@cache
def middling() -> Graph:
    return graphopt.datasets.synthetic(300, random_state=0).graph


@cache
def table(n: int = 2000) -> Any:
    points = np.random.default_rng(0).uniform(size=(n, 2))
    return np.linalg.norm(points[:, None] - points, axis=2)


@cache
def large_networkx() -> Any:
    return large().to_networkx()


@cache
def middling_rows() -> Any:
    return np.random.default_rng(0).standard_normal((300, 50))


@cache
def features() -> Any:
    return np.random.default_rng(0).standard_normal((20_000, 8))


def again(call: Call) -> Call:
    """Repeat what takes too short a time to be interrupted in."""

    def forever() -> None:
        while True:
            call()

    return forever


PATH = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
PAIRS = Graph.from_edges([(0, 1), (1, 2), (0, 2), (3, 4), (4, 5), (3, 5), (2, 3)])
GROUPS = [0, 0, 0, 1, 1, 1]
LENGTHS = np.abs(np.subtract.outer(np.arange(5.0), np.arange(5.0)))


def fitted(make: Callable[..., Any]) -> tuple[Call, Call, Any]:
    """Train for hours: Ctrl-C ends the training, and what was best is kept. Then for a moment."""

    def interrupted(steps: int) -> bool:
        model = make(steps).fit(middling())
        return bool(getattr(model, "predictor_", model).interrupted_)

    def fit() -> None:
        if interrupted(10**7):
            raise KeyboardInterrupt

    return fit, lambda: interrupted(2), False


# Each with a call that would take minutes, or hours; a small one; and what that returns.
CALLS: dict[str, tuple[Call, Call, Any]] = {
    "Graph.from_edges": (
        again(lambda: Graph.from_edges(large().edges, 20_000)),
        lambda: Graph.from_edges([(0, 1), (1, 2)]).n_edges,
        2,
    ),
    "all_pairs_shortest_paths": (
        lambda: graphopt.all_pairs_shortest_paths(large(True), sources=np.arange(10_000)),
        lambda: graphopt.all_pairs_shortest_paths(PATH)[0].tolist(),
        [0, 1, 2, 3, 4],
    ),
    "cnm": (
        again(lambda: graphopt.cnm(1.0 / (0.1 + table()), 2)),
        lambda: graphopt.cnm(PAIRS, 2).labels.tolist(),
        GROUPS,
    ),
    "decide": (
        lambda: graphopt.decide(middling(), k=4, seen_fraction=0.5, n_trials=10**6),
        lambda: len(graphopt.decide(PAIRS, k=2, random_state=0).labels),
        6,
    ),
    "evaluate_centers": (
        again(lambda: graphopt.evaluate_centers(large(True), [0, 1, 2])),
        lambda: graphopt.evaluate_centers(PATH, [1, 4]).radius,
        1.0,
    ),
    "exact_k_center": (
        lambda: graphopt.exact_k_center(table(), 60),
        lambda: graphopt.exact_k_center(PATH, 2).radius,
        1.0,
    ),
    "expected_distances": (
        again(lambda: graphopt.expected_distances(table(), np.full(2000, 0.01))),
        lambda: graphopt.expected_distances(LENGTHS, np.array([1.0, 0, 0, 0, 0])).tolist(),
        [0.0, 1.0, 2.0, 3.0, 4.0],
    ),
    "gonzalez": (
        again(lambda: graphopt.gonzalez(large(True), 2_000)),
        lambda: graphopt.gonzalez(PATH, 2, first=0).centers.tolist(),
        [0, 4],
    ),
    "greedy_k_center": (
        again(lambda: graphopt.greedy_k_center(table(), 1_000)),
        lambda: graphopt.greedy_k_center(PATH, 1).centers.tolist(),
        [2],
    ),
    "leiden": (
        lambda: graphopt.leiden(large(), 10, perturbations=10**9, starts=2),
        lambda: graphopt.leiden(PAIRS, 2, random_state=0).labels.tolist(),
        GROUPS,
    ),
    "local_search_k_center": (
        lambda: graphopt.local_search_k_center(table(), 200, n_starts=10**6),
        lambda: graphopt.local_search_k_center(PATH, 1, random_state=0).radius,
        2.0,
    ),
    "modularity": (
        again(lambda: graphopt.modularity(large(), np.zeros(20_000, int))),
        lambda: round(graphopt.modularity(PAIRS, GROUPS), 4),
        0.3571,
    ),
    "newman": (
        again(lambda: graphopt.newman(large(), 500)),
        lambda: graphopt.newman(PAIRS, 2).labels.tolist(),
        GROUPS,
    ),
    "pipage_rounding": (
        lambda: graphopt.pipage_rounding(np.full(20_000, 1e-4), draws=10**6),
        lambda: graphopt.pipage_rounding(np.array([1.0, 0.0, 1.0])).tolist(),
        [[0, 2]],
    ),
    "polish": (
        lambda: graphopt.polish(large(), np.arange(20_000) % 10, perturbations=10**9),
        lambda: graphopt.polish(PAIRS, [0, 0, 1, 1, 1, 1], random_state=0).labels.tolist(),
        GROUPS,
    ),
    "robust_k_center": (
        lambda: graphopt.robust_k_center([table()] * 2, 100, n_starts=10**6),
        lambda: graphopt.robust_k_center([PATH], 1, random_state=0).centers.tolist(),
        [2],
    ),
    "soft_kmeans": (
        lambda: graphopt.soft_kmeans(
            features(), features()[:5], temperature=10.0, iterations=10**7
        ),
        lambda: (
            graphopt.soft_kmeans(np.eye(2), np.eye(2), temperature=50.0, iterations=1)
            .centers.round(3)
            .tolist()
        ),
        [[1.0, 0.0], [0.0, 1.0]],
    ),
    "spectral": (
        again(lambda: graphopt.spectral(large(), 50)),
        lambda: graphopt.spectral(PAIRS, 2, random_state=0).labels.tolist(),
        GROUPS,
    ),
    "Graph.connected_components": (
        again(lambda: large().connected_components()),
        lambda: PATH.connected_components()[0],
        1,
    ),
    "Graph.from_networkx": (
        again(lambda: Graph.from_networkx(large_networkx())),
        lambda: Graph.from_networkx(PATH.to_networkx()).n_edges,
        4,
    ),
    "Graph.from_scipy": (
        again(lambda: Graph.from_scipy(large(True).to_scipy(), directed=False)),
        lambda: Graph.from_scipy(PATH.to_scipy(), directed=False).n_edges,
        4,
    ),
    "Graph.plus": (again(lambda: large().plus(large())), lambda: PATH.plus(PATH).n_edges, 4),
    "Graph.subgraph": (
        again(lambda: large().subgraph(np.arange(10_000))),
        lambda: PATH.subgraph([0, 1, 2]).n_edges,
        2,
    ),
    "Graph.to_igraph": (again(lambda: large().to_igraph()), lambda: PATH.to_igraph().ecount(), 4),
    "completion.Bagging.missing_edges": (
        again(lambda: completion.Bagging(n_bags=200).missing_edges(middling())),
        lambda: completion.Bagging(n_bags=3).missing_edges(PAIRS).n_nodes,
        6,
    ),
    "completion.Chosen.missing_edges": (
        again(lambda: completion.Chosen(4, 0.5, n_splits=200).missing_edges(middling())),
        lambda: (
            completion.Chosen(2, 0.5, (completion.LinkModel(0.5),)).missing_edges(PAIRS).n_nodes
        ),
        6,
    ),
    "completion.FeatureNeighbours.probabilities": (
        again(lambda: completion.FeatureNeighbours(20).probabilities(middling(), middling_rows())),
        lambda: completion.FeatureNeighbours(1, 0.5).probabilities(PAIRS, np.eye(6)).graph.n_nodes,
        6,
    ),
    "completion.LinkModel.probabilities": (
        again(lambda: completion.LinkModel().probabilities(middling())),
        lambda: completion.LinkModel(0.5).probabilities(PAIRS).graph.n_nodes,
        6,
    ),
    "completion.choose": (
        lambda: completion.choose(middling(), k=4, seen_fraction=0.5, n_splits=10**4),
        lambda: len(completion.choose(PAIRS, k=2, seen_fraction=0.5, n_splits=1).labels(PAIRS)),
        6,
    ),
    "completion.choose_sharpness": (
        lambda: completion.choose_sharpness(
            completion.LinkModel(), middling(), seen_fraction=0.5, n_splits=10**4
        ),
        lambda: completion.choose_sharpness(
            completion.LinkModel(), middling(), seen_fraction=0.5, powers=(2.0,), n_splits=1
        ),
        2.0,
    ),
    "completion.reliability_curve": (
        lambda: completion.reliability_curve(
            completion.LinkModel(), middling(), seen_fraction=0.5, n_splits=10**4
        ),
        lambda: (
            completion.reliability_curve(
                completion.LinkModel(), middling(), seen_fraction=0.5, n_splits=1, n_bins=3
            ).counts.shape
        ),
        (3,),
    ),
    "datasets.structural_features": (
        again(lambda: datasets.structural_features(large())),
        lambda: datasets.structural_features(PATH, 8).shape,
        (5, 8),
    ),
    "datasets.synthetic": (
        again(lambda: datasets.synthetic(1_000)),
        lambda: datasets.synthetic(30, random_state=0).graph.n_nodes,
        30,
    ),
    "datasets.synthetic_distribution": (
        again(lambda: datasets.synthetic_distribution(n_nodes=300)),
        lambda: len(datasets.synthetic_distribution(1, 1, 1, n_nodes=30).members),
        3,
    ),
    "decision.portfolio_decisions": (
        again(lambda: decision.portfolio_decisions(middling(), k=4, seen_fraction=0.5)),
        lambda: len(decision.portfolio_decisions(PAIRS, k=2, methods=["Leiden"])),
        1,
    ),
    "datasets.clean_splits": (
        again(lambda: list(datasets.clean_splits(large()))),
        lambda: [split.full.n_nodes for split in datasets.clean_splits(PAIRS, splits=2)],
        [6, 6],
    ),
    "decision.compare": (
        again(lambda: decision.compare(["leiden"], middling(), k=4, splits=50)),
        lambda: [
            round(run.score, 4)
            for run in decision.compare(["leiden"], PAIRS, k=2, seen=1.0, splits=2)
            .results["leiden"]
            .runs
        ],
        [0.3571, 0.3571],
    ),
    "objectives.exact_within_reach": (
        again(lambda: objectives.exact_within_reach(large(), 60)),
        lambda: objectives.exact_within_reach(PATH, 2).radius,
        1.0,
    ),
    "decision.regret": (
        again(lambda: decision.regret("leiden", middling(), k=4, splits=50)),
        lambda: len(decision.regret("leiden", PAIRS, k=2, splits=2).runs),
        2,
    ),
    "features.learn_roles": (
        again(lambda: graphopt.features.learn_roles([large()])),
        lambda: graphopt.features.learn_roles([PATH]).transform(PATH).shape,
        (5, 64),
    ),
    "features.motif_counts": (
        again(lambda: graphopt.features.motif_counts(large())),
        lambda: graphopt.features.motif_counts(PATH)[0].tolist(),
        [1, 1, 0, 0],
    ),
    "features.role2vec": (
        again(lambda: graphopt.features.role2vec(large())),
        lambda: graphopt.features.role2vec(PATH).shape,
        (5, 64),
    ),
    "ClusterNet.fit": fitted(lambda steps: graphopt.ClusterNet(4, iterations=steps)),
    "DirectGCN.fit": fitted(lambda steps: graphopt.DirectGCN(4, iterations=steps)),
    "LinkPredictor.fit": fitted(lambda steps: graphopt.LinkPredictor(iterations=steps)),
    "TwoStage.fit": fitted(
        lambda steps: graphopt.TwoStage(4, predictor=graphopt.LinkPredictor(iterations=steps))
    ),
}


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say_when_begun() -> None:
    """Print "begun" once the main thread is in the package."""
    main = threading.main_thread().ident
    folder = os.path.dirname(graphopt.__file__)
    while True:
        frame = sys._current_frames()[main or 0]
        while frame is not None:
            if frame.f_code.co_filename.startswith(folder):
                say("begun")
                return
            frame = frame.f_back  # type: ignore[assignment]
        threading.Event().wait(0.005)


def run(name: str) -> None:
    call, small, expected = CALLS[name]
    makers = (large, lambda: large(True), large_networkx, table, features, middling, middling_rows)
    for make in makers:
        make()  # not in the call
    threading.Thread(target=say_when_begun).start()
    try:
        call()
        say("returned")
    except KeyboardInterrupt:
        say("interrupted")
    found = small()
    say("right" if found == expected else f"wrong: {found}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in background jobs
    for given in sys.argv[1:]:
        run(given)
