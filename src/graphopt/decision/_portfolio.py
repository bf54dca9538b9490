"""The methods that compete, by preference where trials cannot tell them apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt.centers import greedy_k_center, local_search_k_center, robust_k_center
from graphopt.communities import cnm, leiden, polish
from graphopt.completion import (
    PLACEMENTS,
    Bagging,
    Completion,
    FeatureNeighbours,
    LinkModel,
    Mixture,
    PairCompletion,
    decide_under,
    default_candidates,
)
from graphopt.decision._case import Case
from graphopt.errors import GraphoptError
from graphopt.graph import Graph

Labels = NDArray[np.int32]
Run = Callable[[Case, int, np.random.Generator], NDArray[np.int32]]

# Whole graphs that facilities are chosen on: the more, the better and the less by chance, but each
# pass takes time in proportion to number times nodes squared, as the table of distances does space.
_MOST_SAMPLES, _FEWEST_SAMPLES = 32, 8
_TABLE_ENTRIES = 1 << 28
_STARTS = 4  # of the choice; twice as many found the same on so many graphs
# Every other graph has this share of the missing edges alone. Drawn independently they fall more
# evenly than real ones, and what has to serve sparse graphs too does better on hidden seen edges.
_OF_THE_MISSING = 0.25
_STARTS_WHERE_ALL_IS_SEEN = 16


@dataclass(frozen=True, slots=True)
class Method:
    """One way to decide.

    Attributes
    ----------
    name : str
    run : callable
        Takes a case, k and a random generator; returns labels or chosen nodes.
    plain : bool
        Whether it is cheap and decides by what is seen alone: the first such method decides where
        there is no time for a trial.
    completion : PairCompletion or None
        What it expects of the missing edges, where it can draw whole graphs.
    sharpened : bool
        Whether graphs are drawn from its probabilities as :meth:`Case.sharpness` says.
    """

    name: str
    run: Run
    plain: bool = False
    completion: PairCompletion | None = None
    sharpened: bool = False

    def attempt(
        self, case: Case, k: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int32] | None, float, str]:
        """Return what it decides, None if it cannot, the seconds, and why it cannot."""
        begin = time.monotonic()
        decision, error = None, ""
        try:
            decision = self.run(case, k, rng)
        except (ValueError, GraphoptError, MemoryError) as failure:
            error = f"{type(failure).__name__}: {failure}"
        return decision, time.monotonic() - begin, error

    def samples(self, case: Case, count: int, rng: np.random.Generator) -> list[Graph]:
        """Return whole graphs as they might be; by bagging, where it has no completion."""
        completion = self.completion or Bagging(case.missing_weight)
        return _whole_graphs(case, completion, self.sharpened, count, rng)


def portfolio(task: str, case: Case, networks: bool) -> list[Method]:
    """Return the methods for a task that can decide on such a case.

    Parameters
    ----------
    task : {"community", "facility"}
    case : Case
    networks : bool
        Whether methods that train a network take part.
    """
    complete = case.seen_fraction == 1.0
    if task == "community":
        methods = _communities_of_all() if complete else _communities(case)
    else:
        methods = _facilities_of_all() if complete else _facilities(case)
    if networks and case.rows is not None and not complete:
        methods.append(Method("ClusterNet", _network(task)))
    return methods


# --- communities ----------------------------------------------------------------------------------


def _communities(case: Case) -> list[Method]:
    """Return a method for every completion and every place of nodes without a seen edge."""
    candidates = default_candidates(
        case.seen_fraction,
        with_features=case.rows is not None,
        features_from_edges=case.rows_from_edges,
    )
    return [
        Method(
            _name(completion, place),
            _grouped(completion, place),
            plain=completion is None,
            completion=completion if isinstance(completion, PairCompletion) else None,
        )
        for completion in candidates
        for place in reversed(PLACEMENTS)  # what the completion says before rules of thumb
    ]


def _name(completion: Completion | None, placement: str) -> str:
    name = "Leiden" if completion is None else f"Leiden, {describe(completion)}"
    words = {
        "expected": "",
        "together": ", unseen nodes together",
        "spread": ", unseen nodes spread",
    }
    return name + words[placement]


def describe(completion: Any) -> str:
    """Return a completion in a few words."""
    if isinstance(completion, Mixture):
        return " and ".join(describe(part) for part in completion.parts)
    if isinstance(completion, FeatureNeighbours):
        return "feature neighbours"
    if isinstance(completion, Bagging):
        return "bagging"
    return "link model" if isinstance(completion, LinkModel) else type(completion).__name__


def _communities_of_all() -> list[Method]:
    def many_starts(case: Case, k: int, rng: np.random.Generator) -> Labels:
        return leiden(case.graph, k, starts=_STARTS_WHERE_ALL_IS_SEEN, random_state=rng).labels

    def merged(case: Case, k: int, rng: np.random.Generator) -> Labels:
        return polish(case.graph, cnm(case.graph, k).labels, k, random_state=rng).labels

    return [
        Method("Leiden", _grouped(None, "expected"), plain=True),
        Method("Leiden, many starts", many_starts),
        Method("CNM, polished", merged),
    ]


def _grouped(completion: Completion | None, placement: str) -> Run:
    """Return the method that groups a completed graph.

    In trials by a single start: it finds nearly as good groups, alike for all completions.
    """

    def run(case: Case, k: int, rng: np.random.Generator) -> Labels:
        def group(graph: Graph, generator: np.random.Generator) -> Labels:
            most = min(k, graph.n_nodes)
            if case.whole is None:
                return leiden(graph, most, random_state=generator).labels
            return leiden(graph, most, starts=1, perturbations=0, random_state=generator).labels

        missing = None if completion is None else case.expected_edges(completion)
        labels = decide_under(case.graph, missing, group, placement=placement, random_state=rng)
        return labels.astype(np.int32)

    return run


# --- facilities -----------------------------------------------------------------------------------


def _facilities(case: Case) -> list[Method]:
    # Bagging, the other completion that can draw graphs, was behind the model in nearly every trial
    # on the paper's graphs and takes twice the time.
    model = LinkModel(case.missing_weight, case.rows_from_edges)
    return [
        Method(
            f"graphs sampled by {describe(model)}",
            _robust(model),
            completion=model,
            sharpened=True,
        ),
        Method("local search", _local_search),
        Method("greedy", _greedy, plain=True),
    ]


def _facilities_of_all() -> list[Method]:
    return [Method("greedy", _greedy, plain=True), Method("local search", _local_search)]


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


def _robust(completion: PairCompletion) -> Run:
    """Return the method that chooses on several graphs as the whole one might be."""

    def run(case: Case, k: int, rng: np.random.Generator) -> NDArray[np.int32]:
        affordable = _TABLE_ENTRIES // case.graph.n_nodes**2
        half = min(max(affordable, _FEWEST_SAMPLES), _MOST_SAMPLES) // 2
        graphs = _whole_graphs(case, completion, True, half, rng)
        graphs += _whole_graphs(case, completion, True, half, rng, share=_OF_THE_MISSING)
        return robust_k_center(graphs, k, n_starts=_STARTS, random_state=rng).centers

    return run


def _whole_graphs(
    case: Case,
    completion: PairCompletion,
    sharpened: bool,
    count: int,
    rng: np.random.Generator,
    *,
    share: float = 1.0,
) -> list[Graph]:
    """Return connected graphs drawn from a completion, with a share of the missing edges.

    Edges drawn independently make shorter paths than real ones; sharpened, likely edges are
    likelier.
    """
    chances = case.chances(completion)
    if sharpened:
        chances = chances.sharpened(case.sharpness(completion))
    if share < 1.0:
        chances = chances.with_total(share * chances.n_missing)
    return chances.sample(count, join=True, random_state=rng)


# --- networks -------------------------------------------------------------------------------------


def _network(task: str) -> Run:
    def run(case: Case, k: int, rng: np.random.Generator) -> NDArray[np.int32]:
        from graphopt.learning import ClusterNet

        model = ClusterNet(
            k,
            "modularity" if task == "community" else "k-center",
            seen_fraction=case.seen_fraction,
            features_from_edges=case.rows_from_edges,
            random_state=int(rng.integers(2**31)),
        )
        decided: NDArray[np.int32] = model.fit(case.graph, case.rows).decision_
        return decided

    return run
