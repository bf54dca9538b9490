"""The methods that compete, the cheapest and most robust first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt.centers import greedy_k_center, local_search_k_center, robust_k_center
from graphopt.communities import cnm, leiden, polish
from graphopt.completion import (
    Bagging,
    Completion,
    FeatureNeighbours,
    LinkModel,
    Mixture,
    PairCompletion,
    spread_over_groups,
)
from graphopt.decision._case import Case
from graphopt.graph import Graph

Labels = NDArray[np.int32]
Run = Callable[[Case, int, np.random.Generator], NDArray[np.int32]]

_SAMPLES = 8  # whole graphs that facilities are chosen on
_STARTS_WHERE_ALL_IS_SEEN = 16


@dataclass(frozen=True, slots=True)
class Method:
    """One way to decide.

    Attributes
    ----------
    name : str
    run : callable
        Takes a case, k and a random generator; returns labels or chosen nodes.
    """

    name: str
    run: Run


def portfolio(task: str, case: Case, networks: bool) -> list[Method]:
    """Return the methods for a task that can decide on such a case.

    Parameters
    ----------
    task : {"community", "facility"}
    case : Case
    networks : bool
        Whether methods that train a network take part.
    """
    described, complete = case.rows is not None, case.seen_fraction == 1.0
    if task == "community":
        methods = _communities_of_all() if complete else _communities(described)
    else:
        methods = _facilities_of_all() if complete else _facilities(described)
    if networks and described and not complete:
        methods.append(Method("ClusterNet", _network(task)))
    return methods


# --- communities ----------------------------------------------------------------------------------


def _communities(described: bool) -> list[Method]:
    methods = [
        Method("Leiden", _grouped(None, spread=False)),
        Method("Leiden, others spread", _grouped(None, spread=True)),
        Method("bagging", _grouped(_bagging, spread=False)),
        Method("bagging, others spread", _grouped(_bagging, spread=True)),
    ]
    if described:
        methods += [
            Method("feature neighbours", _grouped(_neighbours, spread=False)),
            Method("feature neighbours and bagging", _grouped(_neighbours_and_bagging)),
        ]
    methods.append(Method("link model", _grouped(_link_model)))
    return methods


def _communities_of_all() -> list[Method]:
    def many_starts(case: Case, k: int, rng: np.random.Generator) -> Labels:
        return leiden(case.graph, k, starts=_STARTS_WHERE_ALL_IS_SEEN, random_state=rng).labels

    def merged(case: Case, k: int, rng: np.random.Generator) -> Labels:
        return polish(case.graph, cnm(case.graph, k).labels, k, random_state=rng).labels

    return [
        Method("Leiden", _grouped(None, spread=False)),
        Method("Leiden, many starts", many_starts),
        Method("CNM, polished", merged),
    ]


Completing = Callable[[Case, np.random.Generator], Completion]


def _bagging(case: Case, rng: np.random.Generator) -> Completion:
    return Bagging(weight=case.missing_weight, random_state=rng)


def _neighbours(case: Case, rng: np.random.Generator) -> Completion:
    return FeatureNeighbours(n_neighbours=80, weight=case.missing_weight)


def _neighbours_and_bagging(case: Case, rng: np.random.Generator) -> Completion:
    return Mixture((_neighbours(case, rng), _bagging(case, rng)))


def _link_model(case: Case, rng: np.random.Generator) -> PairCompletion:
    return LinkModel(weight=case.missing_weight, random_state=rng)


def _grouped(completing: Completing | None, spread: bool = False) -> Run:
    """Return the method that groups a completed graph.

    `spread`: nodes that have no edge even then are dealt to the groups in proportion to these
    groups' edges; else they join the largest group.
    """

    def run(case: Case, k: int, rng: np.random.Generator) -> Labels:
        graph = case.graph
        if completing is not None:
            missing = completing(case, rng).missing_edges(graph, case.rows)
            graph = graph.plus(missing)
        labels = leiden(graph, k, random_state=rng).labels
        known = np.flatnonzero(graph.strengths > 0).astype(np.int32)
        if spread and 0 < len(known) < graph.n_nodes:
            labels = spread_over_groups(labels[known], known, graph, int(labels.max()) + 1, rng)
        return labels

    return run


# --- facilities -----------------------------------------------------------------------------------


def _facilities(described: bool) -> list[Method]:
    sampled = [("bagging", _bagging), ("link model", _link_model)]
    if described:
        sampled.insert(1, ("feature neighbours", _neighbours))
    return [
        Method("greedy", _greedy),
        Method("local search", _local_search),
        *(Method(f"sampled graphs, {name}", _robust(completing)) for name, completing in sampled),
    ]


def _facilities_of_all() -> list[Method]:
    return [Method("greedy", _greedy), Method("local search", _local_search)]


def main_part(graph: Graph, k: int) -> NDArray[np.bool_]:
    """Return which nodes can be served: all where k centres reach everybody, else the largest part.

    Of a graph with more than k components it is the largest, and others until it has k nodes.
    """
    n_components, component = graph.connected_components()
    if n_components <= k:
        return np.ones(graph.n_nodes, np.bool_)
    sizes = np.bincount(component)
    by_size = np.argsort(-sizes, kind="stable")
    enough = int(np.searchsorted(np.cumsum(sizes[by_size]), k)) + 1
    inside: NDArray[np.bool_] = np.isin(component, by_size[:enough])
    return inside


def _greedy(case: Case, k: int, rng: np.random.Generator) -> NDArray[np.int32]:
    candidates = np.flatnonzero(main_part(case.graph, k))
    return greedy_k_center(case.graph, k, candidates=candidates).centers


def _local_search(case: Case, k: int, rng: np.random.Generator) -> NDArray[np.int32]:
    inside = main_part(case.graph, k)
    return local_search_k_center(
        case.graph,
        k,
        candidates=np.flatnonzero(inside),
        demand=inside.astype(np.float64),
        random_state=rng,
    ).centers


def _robust(completing: Completing) -> Run:
    def run(case: Case, k: int, rng: np.random.Generator) -> NDArray[np.int32]:
        completion: Any = completing(case, rng)
        graphs = completion.sample(case.graph, case.rows, _SAMPLES, join=True, random_state=rng)
        return robust_k_center(graphs, k, random_state=rng).centers

    return run


# --- networks -------------------------------------------------------------------------------------


def _network(task: str) -> Run:
    def run(case: Case, k: int, rng: np.random.Generator) -> NDArray[np.int32]:
        from graphopt.learning import ClusterNet

        model = ClusterNet(
            k,
            "modularity" if task == "community" else "k-center",
            seen_fraction=case.seen_fraction,
            random_state=int(rng.integers(2**31)),
        )
        decided: NDArray[np.int32] = model.fit(case.graph, case.rows).decision_
        return decided

    return run
