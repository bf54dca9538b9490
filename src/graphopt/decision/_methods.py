"""The one list of methods: those that have a name, and those that `decide` tries.

The latter are listed by preference; it decides if trials cannot tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import check_random_state
from graphopt.centers import (
    gonzalez,
    greedy_k_center,
    local_search_k_center,
    robust_k_center,
)
from graphopt.communities import cnm, leiden, newman, polish, spectral
from graphopt.completion import (
    PLACEMENTS,
    Bagging,
    Completion,
    EdgeProbabilities,
    FeatureNeighbours,
    LinkModel,
    Mixture,
    PairCompletion,
    choose_sharpness,
    decide_under,
    default_candidates,
)
from graphopt.contest import Method, Seed
from graphopt.graph import Graph
from graphopt.objectives import Modularity, Problem, exact_within_reach
from graphopt.objectives.k_center import main_part

Answer: TypeAlias = Callable[[Problem, int], Any]
"""Takes a problem and a seed; returns labels, centers, or a result that holds them."""

Run: TypeAlias = Callable[[Problem, np.random.Generator], NDArray[np.int32]]

_PROOF_SECONDS = 60.0
# Whole graphs that centers are chosen on: the more, the better and the less by chance, but each
# pass takes time in proportion to number times nodes squared, as the table of distances does space.
_MOST_SAMPLES, _FEWEST_SAMPLES = 32, 8
_TABLE_ENTRIES = 1 << 28
_STARTS = 4  # of the choice; twice as many found the same on so many graphs
# Every other graph has this share of the missing edges alone. Drawn independently they fall more
# evenly than real ones, and what has to serve sparse graphs too does better on hidden seen edges.
_OF_THE_MISSING = 0.25
_STARTS_WHERE_ALL_IS_SEEN = 16

METHODS: Mapping[str, Mapping[str, Answer]] = MappingProxyType(
    {
        "modularity": MappingProxyType(
            {
                "leiden": lambda p, seed: leiden(
                    p.graph, p.k, resolution=resolution_of(p), random_state=seed
                ),
                "cnm": lambda p, seed: cnm(p.graph, p.k),
                "newman": lambda p, seed: newman(p.graph, p.k),
                "spectral": lambda p, seed: spectral(p.graph, p.k, random_state=seed),
            }
        ),
        "k-center": MappingProxyType(
            {
                "greedy": lambda p, seed: greedy_k_center(p.graph, p.k),
                "gonzalez": lambda p, seed: gonzalez(p.graph, p.k, random_state=seed),
                "exact": lambda p, seed: exact_within_reach(
                    p.graph, p.k, time_limit=_PROOF_SECONDS
                ),
            }
        ),
    }
)
"""The methods that have a name, by the name of the objective."""


@dataclass(frozen=True, slots=True)
class Way:
    """One of the methods that `decide` tries.

    Attributes
    ----------
    name : str
    run : callable
        Takes a problem and a random generator; returns labels or chosen nodes.
    plain : bool
        Whether it is cheap and uses the seen edges alone. The first such method decides if there is
        no time for a trial.
    completion : PairCompletion or None
        The completion that estimates the missing edges, if it can draw whole graphs.
    sharpened : bool
        Whether graphs are drawn from its probabilities after :func:`choose_sharpness` has adjusted
        them.
    """

    name: str
    run: Run
    plain: bool = False
    completion: PairCompletion | None = None
    sharpened: bool = False

    def decide(self, problem: Problem, random_state: Seed) -> NDArray[np.int32]:
        """Return the group of each node, or the nodes chosen."""
        return self.run(problem, check_random_state(random_state))


def portfolio(problem: Problem) -> list[Way]:
    """Return the ways to decide a problem, by preference; none for a user's own objective."""
    complete = problem.seen_fraction == 1.0
    if problem.objective.name == "modularity":
        return _communities_of_all() if complete else _communities(problem)
    if problem.objective.name == "k-center":
        return _centers_of_all() if complete else _centers(problem)
    return []


def resolution_of(problem: Problem) -> float:
    """Return the resolution of modularity."""
    return problem.objective.resolution if isinstance(problem.objective, Modularity) else 1.0


def sampled_graphs(
    method: Method, problem: Problem, count: int, rng: np.random.Generator
) -> list[Graph]:
    """Return possible whole graphs drawn from a method's completion, by default from bagging."""
    completion, sharpened = None, False
    if isinstance(method, Way):
        completion, sharpened = method.completion, method.sharpened
    completion = completion or Bagging(problem.missing_weight)
    return _whole_graphs(problem, completion, sharpened, count, rng)


def decide_again(
    method: Method, problem: Problem, graph: Graph, rng: np.random.Generator
) -> NDArray[Any]:
    """Return a quick decision on a possible whole graph of a problem."""
    if problem.objective.name == "modularity":
        return leiden(
            graph, problem.k, starts=1, resolution=resolution_of(problem), random_state=rng
        ).labels
    if problem.objective.name == "k-center":
        return local_search_k_center(
            graph, problem.k, n_starts=3, n_rounds=3, random_state=rng
        ).centers
    return method.decide(Problem(graph, problem.k, problem.objective, problem.features), rng)


# --- communities ----------------------------------------------------------------------------------


def _communities(problem: Problem) -> list[Way]:
    """Return a method for each completion and each placement of nodes without a seen edge."""
    candidates = default_candidates(
        problem.seen_fraction,
        with_features=problem.features is not None,
        features_from_edges=problem.features_from_edges,
    )
    return [
        Way(
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
    """Describe a completion in a few words."""
    if isinstance(completion, Mixture):
        return " and ".join(describe(part) for part in completion.parts)
    if isinstance(completion, FeatureNeighbours):
        return "feature neighbours"
    if isinstance(completion, Bagging):
        return "bagging"
    return "link model" if isinstance(completion, LinkModel) else type(completion).__name__


def _communities_of_all() -> list[Way]:
    def many_starts(problem: Problem, rng: np.random.Generator) -> NDArray[np.int32]:
        return leiden(
            problem.graph,
            problem.k,
            starts=_STARTS_WHERE_ALL_IS_SEEN,
            resolution=resolution_of(problem),
            random_state=rng,
        ).labels

    def merged(problem: Problem, rng: np.random.Generator) -> NDArray[np.int32]:
        return polish(
            problem.graph,
            cnm(problem.graph, problem.k).labels,
            problem.k,
            resolution=resolution_of(problem),
            random_state=rng,
        ).labels

    return [
        Way("Leiden", _grouped(None, "expected"), plain=True),
        Way("Leiden, many starts", many_starts),
        Way("CNM, polished", merged),
    ]


def _grouped(completion: Completion | None, placement: str) -> Run:
    """Return the method that groups a completed graph.

    In trials, it uses a single start, which finds nearly as good groups for all completions.
    """

    def run(problem: Problem, rng: np.random.Generator) -> NDArray[np.int32]:
        def group(graph: Graph, generator: np.random.Generator) -> NDArray[np.int32]:
            in_a_trial: dict[str, Any] = {"starts": 1, "perturbations": 0}
            return leiden(
                graph,
                min(problem.k, graph.n_nodes),
                resolution=resolution_of(problem),
                random_state=generator,
                **({} if problem.whole is None else in_a_trial),
            ).labels

        missing = None if completion is None else _expected_edges(problem, completion)
        labels = decide_under(problem.graph, missing, group, placement=placement, random_state=rng)
        return labels.astype(np.int32)

    return run


# --- k-center -------------------------------------------------------------------------------------


def _centers(problem: Problem) -> list[Way]:
    # Bagging, the other completion that can draw graphs, was behind the model in nearly every trial
    # on the paper's graphs and takes twice the time.
    model = LinkModel(problem.missing_weight, problem.features_from_edges)
    return [
        Way(
            f"graphs sampled by {describe(model)}",
            _robust(model),
            completion=model,
            sharpened=True,
        ),
        Way("local search", _local_search),
        Way("greedy", _greedy, plain=True),
    ]


def _centers_of_all() -> list[Way]:
    return [Way("greedy", _greedy, plain=True), Way("local search", _local_search)]


def _greedy(problem: Problem, rng: np.random.Generator) -> NDArray[np.int32]:
    candidates = np.flatnonzero(main_part(problem.graph, problem.k))
    return greedy_k_center(problem.graph, problem.k, candidates=candidates).centers


def _local_search(problem: Problem, rng: np.random.Generator) -> NDArray[np.int32]:
    inside = main_part(problem.graph, problem.k)
    return local_search_k_center(
        problem.graph,
        problem.k,
        candidates=np.flatnonzero(inside),
        demand=inside.astype(np.float64),
        random_state=rng,
    ).centers


def _robust(completion: PairCompletion) -> Run:
    """Return the method that chooses on several possible whole graphs at once."""

    def run(problem: Problem, rng: np.random.Generator) -> NDArray[np.int32]:
        affordable = _TABLE_ENTRIES // problem.graph.n_nodes**2
        half = min(max(affordable, _FEWEST_SAMPLES), _MOST_SAMPLES) // 2
        graphs = _whole_graphs(problem, completion, True, half, rng)
        graphs += _whole_graphs(problem, completion, True, half, rng, share=_OF_THE_MISSING)
        return robust_k_center(graphs, problem.k, n_starts=_STARTS, random_state=rng).centers

    return run


def _whole_graphs(
    problem: Problem,
    completion: PairCompletion,
    sharpened: bool,
    count: int,
    rng: np.random.Generator,
    *,
    share: float = 1.0,
) -> list[Graph]:
    """Return connected graphs drawn from a completion, with a share of the missing edges.

    Edges that are drawn independently make shorter paths than real ones. Sharpening, which makes
    likely edges likelier, corrects this.
    """
    chances = _chances(problem, completion)
    if sharpened:
        chances = chances.sharpened(_sharpness(problem, completion))
    if share < 1.0:
        chances = chances.with_total(share * chances.n_missing)
    return chances.sample(count, join=True, random_state=rng)


# --- what methods share ---------------------------------------------------------------------------


def _expected_edges(problem: Problem, completion: Completion) -> Graph:
    """Return the missing edges that a completion expects."""
    return problem.once(
        ("expected edges", completion),
        lambda: completion.missing_edges(problem.graph, problem.features),
    )


def _chances(problem: Problem, completion: PairCompletion) -> EdgeProbabilities:
    """Return the probabilities that a completion gives to the missing edges."""
    return problem.once(
        ("chances", completion),
        lambda: completion.probabilities(problem.graph, problem.features),
    )


def _sharpness(problem: Problem, completion: PairCompletion) -> float:
    """Return the power of a completion's probabilities for which graphs have the right distances.

    It is found once, on the whole problem, because fewer edges would make it less certain.
    """
    if problem.whole is not None:
        return _sharpness(problem.whole, completion)
    return problem.once(
        ("sharpness", completion),
        lambda: choose_sharpness(
            completion,
            problem.graph,
            problem.features,
            seen_fraction=problem.seen_fraction,
            join=True,
            random_state=0,
        ),
    )
