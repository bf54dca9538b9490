"""Judge probabilities of missing edges on seen edges that are hidden."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import (
    RandomState,
    as_tuple,
    check_integer,
    check_memory,
    check_number,
    check_random_state,
)
from graphopt.completion._base import PairCompletion
from graphopt.completion._probabilities import EdgeProbabilities
from graphopt.datasets.hiding import check_seen_graph, masked_graphs
from graphopt.datasets.splits import among
from graphopt.features import check_features
from graphopt.graph import Graph
from graphopt.paths import all_pairs_shortest_paths


@dataclass(frozen=True, slots=True, eq=False)
class Reliability:
    """Predicted probabilities, compared with how often there was an edge.

    Bins hold pairs of similar probability. The first bin holds the pairs that are not listed; all
    other bins are expected to hold about equally many edges. Counts are sums over all splits.

    Attributes
    ----------
    predicted : array of float64, shape (n_bins,)
        Mean probability of the bin's pairs, ascending except for the first; NaN if a bin has no
        pairs.
    observed : array of float64, shape (n_bins,)
        Share of the pairs that are edges.
    counts : array of int64, shape (n_bins,)
        Number of pairs.
    expected_edges : float
        Sum of all probabilities.
    hidden_edges : int
        Number of edges that were hidden.
    brier : float
        Mean squared difference between probability and truth (0 or 1), over all pairs without an
        edge in the kept part.
    log_score : float
        Mean of -log of the probability given to the truth; infinite if an edge had probability 0,
        or a pair without an edge had probability 1.
    """

    predicted: NDArray[np.float64]
    observed: NDArray[np.float64]
    counts: NDArray[np.int64]
    expected_edges: float
    hidden_edges: int
    brier: float
    log_score: float


def reliability_curve(
    completion: PairCompletion,
    graph: Graph,
    features: Any = None,
    *,
    seen_fraction: float,
    n_splits: int = 3,
    n_bins: int = 10,
    random_state: RandomState = None,
) -> Reliability:
    """Judge probabilities on seen edges that are hidden.

    A share `seen_fraction` of the seen edges is kept, and the completion's probabilities, computed
    from these edges, are compared with the edges that were hidden. Edges that were never seen are
    not needed.

    Parameters
    ----------
    completion : PairCompletion
        Made for `seen_fraction`: its `weight` should be ``1 / seen_fraction - 1``.
    graph : Graph
        The seen graph, undirected.
    features : array or sparse array, shape (n_nodes, n_features), optional
        If they were computed from the seen edges, they reveal the hidden edges, and the result
        looks too good.
    seen_fraction : float
        Share of all edges that `graph` holds, in (0, 1). The graph does not show how much of it was
        seen, so you must know this share.
    n_splits : int
    n_bins : int
        At least 2.
    random_state : int, Generator or None

    Returns
    -------
    Reliability

    Examples
    --------
    >>> from graphopt import datasets
    >>> from graphopt.completion import Bagging
    >>> seen = datasets.synthetic(100, random_state=0).observed
    >>> found = reliability_curve(Bagging(), seen, seen_fraction=0.4, random_state=0)
    >>> found.predicted.shape, round(found.expected_edges / found.hidden_edges, 2)
    ((10,), 1.01)
    """
    check_seen_graph(graph)
    bins = check_integer("n_bins", n_bins, minimum=2)
    check_memory(f"a curve of {bins:,} bins", 8 * 8 * bins, "use fewer bins (n_bins)")
    if not hasattr(completion, "probabilities"):
        raise TypeError(
            f"completion must have probabilities, as a PairCompletion, not "
            f"{type(completion).__name__}"
        )
    rng = check_random_state(random_state)
    judged = [
        _judged(completion.probabilities(hiding.seen, features), hiding.hidden)
        for hiding in masked_graphs(graph, seen_fraction, n_splits, rng)
    ]
    chances, counts, edges, listed = (np.concatenate(part) for part in zip(*judged, strict=True))
    which = _bins(chances, listed, bins)
    n_pairs = np.bincount(which, counts, bins)
    with np.errstate(invalid="ignore"):
        predicted = np.bincount(which, chances * counts, bins) / n_pairs
        observed = np.bincount(which, edges, bins) / n_pairs
    total = max(n_pairs.sum(), 1.0)
    brier = (edges * (1.0 - chances) ** 2 + (counts - edges) * chances**2).sum() / total
    there, absent = edges > 0, counts > edges
    with np.errstate(divide="ignore"):
        surprise = -(edges[there] @ np.log(chances[there]))
        surprise -= (counts - edges)[absent] @ np.log1p(-chances[absent])
    return Reliability(
        predicted,
        observed,
        n_pairs.astype(np.int64),
        float(chances @ counts),
        round(float(edges.sum())),
        float(brier),
        float(surprise / total),
    )


def _judged(found: EdgeProbabilities, hidden: NDArray[np.int32]) -> tuple[NDArray[np.float64], ...]:
    """Return probability, number of pairs and of edges, and whether listed; unlisted pairs last."""
    is_edge = among(found.pairs, hidden, found.graph.n_nodes)
    return (
        np.append(found.probabilities, found.background),
        np.append(np.ones(len(is_edge)), float(found.n_others)),
        np.append(is_edge.astype(np.float64), float(len(hidden) - is_edge.sum())),
        np.append(np.ones(len(is_edge), np.bool_), False),
    )


def _bins(
    chances: NDArray[np.float64], listed: NDArray[np.bool_], n_bins: int
) -> NDArray[np.int64]:
    """Return bin 0 for pairs that are not listed, and bins of about equal sums for the rest."""
    which = np.zeros(len(chances), np.int64)
    order = np.flatnonzero(listed)
    order = order[np.argsort(chances[order], kind="stable")]
    sums = np.cumsum(chances[order])
    if len(sums):
        before = (sums - chances[order] / 2.0) / max(sums[-1], 1e-300)
        which[order] = 1 + np.minimum((before * (n_bins - 1)).astype(np.int64), n_bins - 2)
    return which


def choose_sharpness(
    completion: PairCompletion,
    graph: Graph,
    features: Any = None,
    *,
    seen_fraction: float,
    powers: tuple[float, ...] = (1.0, 1.5, 2.0, 3.0),
    n_splits: int = 2,
    join: bool = False,
    random_state: RandomState = None,
) -> float:
    """Return the power of the probabilities for which sampled graphs have the right distances.

    Edges drawn independently of each other make shorter paths than real ones. A share of the seen
    edges is kept, and whole graphs are sampled from the probabilities that the completion computes
    from them. The power wins whose sampled graphs have hop distances distributed most like those of
    the seen graph.

    Parameters
    ----------
    completion : PairCompletion
    graph : Graph
        The seen graph, undirected.
    features : array or sparse array, shape (n_nodes, n_features), optional
    seen_fraction : float
        Share of all edges that `graph` holds, in (0, 1].
    powers : tuple of float
        The powers to choose from; if several are equally good, the first wins.
    n_splits : int
    join : bool
        As for :meth:`EdgeProbabilities.sample`. If True, sampled graphs are connected, so they are
        compared with the largest component of the seen graph alone.
    random_state : int, Generator or None

    Returns
    -------
    float

    Notes
    -----
    Distributions are compared by the area between them (the Wasserstein distance in hops); a pair
    without a path counts as one hop more than the longest one of either graph. Each split computes
    the hops between all pairs of ``len(powers)`` graphs.

    Examples
    --------
    >>> from graphopt import datasets
    >>> from graphopt.completion import LinkModel
    >>> data = datasets.synthetic(80, random_state=0)
    >>> choose_sharpness(
    ...     LinkModel(), data.observed, data.observed_features, seen_fraction=0.4, random_state=0
    ... ) in (1.0, 1.5, 2.0, 3.0)
    True
    """
    check_seen_graph(graph)
    powers = as_tuple("powers", powers)
    for power in powers:
        check_number("powers", power, minimum=0.0, open_minimum=True)
    if len(powers) == 0:
        raise ValueError("powers must hold at least one number")
    rng, total = check_random_state(random_state), graph.n_nodes
    if join:
        graph, nodes = graph.largest_component()
        features = None if features is None else check_features(features, total)[nodes]
    wanted = _hop_shares(graph)
    off = np.zeros(len(powers))
    for hiding in masked_graphs(graph, seen_fraction, n_splits, rng):
        found = completion.probabilities(hiding.seen, features)
        seed = int(rng.integers(2**63))
        for i, power in enumerate(powers):
            drawn = found.sharpened(power).sample(1, join=join, random_state=seed)[0]
            off[i] += _area_between(wanted, _hop_shares(drawn))
    return float(powers[int(off.argmin())])


def _hop_shares(graph: Graph) -> NDArray[np.float64]:
    """Return the share of pairs at 1, 2, ... hops, and, last, of pairs without a path."""
    unweighted = Graph.from_edges(graph.edges, graph.n_nodes)
    hops = all_pairs_shortest_paths(unweighted)
    unreached = np.iinfo(hops.dtype).max
    counts = np.zeros(int(unreached) + 1)
    for start in range(0, len(hops), 256):
        counts += np.bincount(hops[start : start + 256].ravel(), minlength=len(counts))
    paths = np.trim_zeros(counts[1:-1], "b")
    shares = np.append(paths, counts[-1])
    return np.asarray(shares / max(shares.sum(), 1.0))


def _area_between(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    longest = max(len(one), len(other))
    aligned = [
        np.concatenate([shares[:-1], np.zeros(longest - len(shares)), shares[-1:]])
        for shares in (one, other)
    ]
    return float(np.abs(np.cumsum(aligned[0]) - np.cumsum(aligned[1])).sum())
