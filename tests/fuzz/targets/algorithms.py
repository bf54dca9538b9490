"""Algorithms on a known graph: paths, centres, communities, soft k-means, facilities, features."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

import graphopt
from graphopt import Graph, clustering, communities, facility, features, paths
from graphopt.communities import CommunityResult

from ..draw import INF, Draw
from ..registry import Call, require, target

# --- paths ----------------------------------------------------------------------------------------


@target("graphopt.all_pairs_shortest_paths", words=("edge",))
def all_pairs_shortest_paths(draw: Draw) -> Call:
    high = draw.pick(12, 12, 12, 60)  # from 32 sources on, other kernels
    graph = draw.graph(0, high, directed=None)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    weighted = isinstance(graph, Graph) and graph.weighted
    kwargs = draw.some(
        num_threads=draw.num_threads,
        cutoff=lambda: draw.number(0, 5) if weighted else draw.integer(0, 5),
    )
    if draw.chance(0.5):
        kwargs["sources"] = draw.nodes(n, draw.size(0, 40), distinct=False)

    def check(answer: Any) -> None:
        require(answer.shape[1] == n, "shape")
        require(answer.dtype == np.float64 if weighted else answer.dtype.kind == "u", "dtype")
        if "sources" not in kwargs:
            require((np.diagonal(answer) == 0).all(), "a node is far from itself")
            if not graph.directed and not weighted:
                require(np.array_equal(answer, answer.T), "not symmetric")

    return Call(graphopt.all_pairs_shortest_paths, (graph,), kwargs, check)


@target("graphopt.paths.distances_to_nearest", words=("edge",))
def distances_to_nearest(draw: Draw) -> Call:
    graph = draw.graph(1, 12, directed=None)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    nodes = draw.nodes(n, draw.size(0, 5), distinct=False)

    def check(answer: Any) -> None:
        distances, nearest = answer
        require(distances.shape == nearest.shape == (n,), "shape")
        require(((nearest == -1) == np.isinf(distances)).all(), "unreached nodes")
        require((nearest < len(nodes)).all(), "a centre that was not given")

    return Call(paths.distances_to_nearest, (graph, nodes), {}, check)


@target("graphopt.paths.check_lengths", words=("edge",))
def check_lengths(draw: Draw) -> Call:
    return Call(paths.check_lengths, (draw.graph(directed=None),))


# --- centres --------------------------------------------------------------------------------------


def _source(draw: Draw, low: int = 1, high: int = 10) -> tuple[Any, int]:
    """Return a graph or distances, and the number of nodes."""
    if draw.chance(0.6):
        graph = draw.graph(low, high, directed=None)
        return graph, graph.n_nodes if isinstance(graph, Graph) else 5
    n = draw.size(low, high)
    return draw.distances(n), n


def _sites(draw: Draw, n: int, k: Any) -> dict[str, Any]:
    """Return constraints that can be met when the call is to be valid."""
    if not draw.chance(0.4) or not isinstance(k, int | np.integer):
        return {}
    number = int(min(max(k, 0), n))
    order = draw.generator.permutation(n)
    required = order[: draw.size(0, number)]
    spare = order[number:]
    kwargs: dict[str, Any] = {}
    if draw.chance(0.5):
        kwargs["must_open"] = draw.array(required)
    if draw.chance(0.5):
        kwargs["forbidden"] = draw.array(spare[: draw.size(0, len(spare))])
    if draw.chance(0.5):
        kwargs["candidates"] = draw.array(order)
    if draw.odd():
        kwargs[draw.pick("must_open", "forbidden", "candidates")] = draw.nodes(n, draw.size(0, n))
    return kwargs


def _demand(draw: Draw, n: int) -> Any:
    values = draw.pick(
        lambda: draw.generator.random(n) * 3,
        lambda: draw.generator.integers(0, 2, n).astype(float),
        lambda: np.zeros(n),
    )()
    return draw.array(values)


def _spans_the_range(source: Any) -> bool:
    """Whether lengths differ so much that the shortest are rounded beside the longest."""
    lengths = source.weights if isinstance(source, Graph) else np.asarray(source)
    if lengths is None or lengths.dtype.kind != "f":
        return False
    finite = lengths[np.isfinite(lengths) & (lengths > 0.0)]
    return bool(len(finite) and math.log2(finite.max()) - math.log2(finite.min()) > 900.0)


def _check_centers(source: Any, k: Any, exact: bool = True) -> Callable[[Any], None]:
    def check(answer: Any) -> None:
        n = len(answer.assignment)
        centers = answer.centers
        require(centers.dtype == np.int32 and centers.shape == (k,), "centres' form")
        require(len(np.unique(centers)) == len(centers), "centres repeat")
        require(((centers >= 0) & (centers < n)).all(), "centres out of range")
        require(answer.assignment.dtype == np.int32, "assignment's dtype")
        require((answer.assignment < k).all(), "assignment out of range")
        require(answer.radius >= 0.0, "a negative radius")
        if exact:
            again = graphopt.evaluate_centers(source, centers).radius
            same = again == answer.radius or _spans_the_range(source)
            require(same, f"radius {answer.radius}, not {again}")

    return check


@target("graphopt.gonzalez", words=("edge",))
def gonzalez(draw: Draw) -> Call:
    source, n = _source(draw)
    k = draw.integer(1, n)
    kwargs = _sites(draw, n, k) | draw.some(random_state=draw.random_state)
    if not kwargs.keys() & {"forbidden", "candidates"}:
        kwargs |= draw.some(first=lambda: draw.integer(0, n - 1))
    if "must_open" in kwargs:
        kwargs.pop("first", None)
    if "random_state" not in kwargs:
        draw.repeatable = False
    return Call(graphopt.gonzalez, (source, k), kwargs, _check_centers(source, k))


@target("graphopt.greedy_k_center", words=("edge",))
def greedy_k_center(draw: Draw) -> Call:
    source, n = _source(draw)
    k = draw.integer(1, n)
    kwargs = _sites(draw, n, k) | draw.some(num_threads=draw.num_threads)
    return Call(graphopt.greedy_k_center, (source, k), kwargs, _check_centers(source, k))


@target("graphopt.local_search_k_center", weight=0.3, words=("edge",))
def local_search_k_center(draw: Draw) -> Call:
    source, n = _source(draw, 1, 8)
    k = draw.integer(1, n)
    kwargs = _sites(draw, n, k) | draw.some(
        time_limit=lambda: draw.number(0.0, 0.0) if draw.chance(0.3) else None,
        num_threads=draw.num_threads,
    )
    kwargs |= {
        "random_state": draw.random_state(),
        "n_starts": draw.integer(1, 3, costly=True),
        "n_rounds": draw.integer(0, 2, costly=True),
    }
    if draw.chance(0.3):
        kwargs["demand"] = _demand(draw, n)
    check = _check_centers(source, k, "demand" not in kwargs)
    return Call(graphopt.local_search_k_center, (source, k), kwargs, check)


@target("graphopt.exact_k_center", weight=0.3, words=("edge", "graph"))
def exact_k_center(draw: Draw) -> Call:
    source, n = _source(draw, 1, 8)
    k = draw.integer(1, n)
    kwargs = _sites(draw, n, k) | draw.some(
        time_limit=lambda: draw.number(20.0, 30.0), num_threads=draw.num_threads
    )
    if draw.chance(0.3):
        kwargs["demand"] = _demand(draw, n)
    usual = _check_centers(source, k, "demand" not in kwargs)

    def check(answer: Any) -> None:
        usual(answer)
        require(answer.lower_bound <= answer.radius, "a bound above the radius")
        if answer.status == "optimal":
            require(answer.lower_bound == answer.radius, "optimal, with a gap")
        if not kwargs:
            greedy = graphopt.greedy_k_center(source, k)
            require(answer.radius <= greedy.radius, "worse than greedy")

    return Call(graphopt.exact_k_center, (source, k), kwargs, check)


@target("graphopt.robust_k_center", weight=0.3, words=("edge", "graph_or_distances"))
def robust_k_center(draw: Draw) -> Call:
    n = draw.size(1, 7)
    samples: list[Any] = []
    for _ in range(draw.size(1, 3)):
        if draw.chance(0.6):
            weights = draw.pick("none", "none", "int")
            graph = draw.plain_graph(n, n, directed=None, kinds=weights)
            samples.append(draw.graph() if draw.odd(0.1) else graph)
        else:
            samples.append(draw.distances(n))
    if draw.odd(0.1):
        samples = draw.pick([], None, 3, samples[0], "ab", [None])
    k = draw.integer(1, n)
    kwargs = _sites(draw, n, k) | draw.some(
        risk=lambda: draw.choice("mean", "cvar"),
        alpha=lambda: draw.number(0.0, 0.99, odd=(1.0, 2.0)),
        growth=lambda: draw.number(0.1, 2.0, odd=(0.0, 1e308)),
        charge=lambda: draw.pick(None, draw.number(0.5, 5.0, odd=(0.0, 1e308))),
        num_threads=draw.num_threads,
    )
    kwargs |= {"random_state": draw.random_state(), "n_starts": draw.integer(1, 3, costly=True)}

    def check(answer: Any) -> None:
        centers = answer.centers
        require(centers.shape == (k,) and len(np.unique(centers)) == k, "centres' form")
        require(answer.radii.shape == (len(samples),), "radii's form")
        for sample, radius in zip(samples, answer.radii, strict=True):
            again = graphopt.evaluate_centers(sample, centers).radius
            require(again == radius or _spans_the_range(sample), f"radius {radius}, not {again}")

    return Call(graphopt.robust_k_center, (samples, k), kwargs, check)


@target("graphopt.evaluate_centers", words=("edge",))
def evaluate_centers(draw: Draw) -> Call:
    source, n = _source(draw)
    nodes = draw.nodes(n, draw.size(1, n))

    def check(answer: Any) -> None:
        require(answer.assignment.shape == (n,), "assignment's form")
        require(np.isinf(answer.radius) or (answer.assignment >= 0).all(), "unreached nodes")

    return Call(graphopt.evaluate_centers, (source, nodes), {}, check)


@target("graphopt.RobustKCenterResult.quantile")
def quantile(draw: Draw) -> Call:
    radii = draw.generator.integers(0, 5, draw.size(1, 6)).astype(float)
    if draw.chance(0.3):
        radii[0] = INF
    found = graphopt.RobustKCenterResult(np.zeros(1, np.int32), radii)
    return Call(found.quantile, (draw.number(0.0, 1.0, odd=(1.5, -0.5)),))


# --- communities ----------------------------------------------------------------------------------


def _weights(draw: Draw, low: int = 1, high: int = 12) -> tuple[Any, int]:
    """Return a graph or the weights of all pairs, and the number of nodes."""
    if draw.chance(0.65):
        graph = draw.graph(low, high)
        return graph, graph.n_nodes if isinstance(graph, Graph) else 5
    n = draw.size(low, high)
    return draw.matrix_of_weights(n), n


def _dense(graph: Any) -> np.ndarray:
    dense = graph.to_scipy().toarray() if isinstance(graph, Graph) else np.array(graph, float)
    np.fill_diagonal(dense, 0.0)
    if dense.size and dense.max() > 0.0:
        dense = dense / dense.max()  # before it is halved: half of the smallest number is 0
    return dense / 2 + dense.T / 2


def by_definition(graph: Any, labels: np.ndarray, resolution: float = 1.0) -> float:
    """Return the modularity as its definition has it."""
    weights = _dense(graph)
    if weights.size == 0 or weights.max() == 0.0:
        return 0.0
    weights = weights / weights.max()
    strength, total = weights.sum(axis=1), weights.sum()
    together = labels[:, None] == labels[None, :]
    gains = weights / total - resolution * np.outer(strength / total, strength / total)
    return float((gains * together).sum())


def _check_communities(
    graph: Any, n: int, most: int | None = None, exactly: int | None = None, resolution: Any = 1.0
) -> Callable[[Any], None]:
    def check(answer: CommunityResult) -> None:
        labels = answer.labels
        require(labels.dtype == np.int32 and labels.shape == (n,), "labels' form")
        used = np.unique(labels)
        require(np.array_equal(used, np.arange(len(used))), "labels are not 0 .. groups - 1")
        require(answer.n_communities == len(used), "n_communities")
        require(most is None or len(used) <= most, "more groups than k")
        require(exactly is None or len(used) == exactly, f"{len(used)} groups, not {exactly}")
        require(math.isfinite(answer.modularity), "modularity is not finite")
        wanted = by_definition(graph, labels, float(resolution))
        near = math.isclose(answer.modularity, wanted, rel_tol=1e-6, abs_tol=1e-9)
        require(near, f"modularity {answer.modularity}, not {wanted}")

    return check


@target("graphopt.leiden")
def leiden(draw: Draw) -> Call:
    graph = draw.graph(1, 12)
    n = graph.n_nodes if isinstance(graph, Graph) else 5
    k = draw.pick(None, draw.integer(1, n), draw.integer(1, n))
    kwargs = draw.some(
        resolution=lambda: draw.number(0.1, 3.0, odd=(0.0, 1e300, 1e-300)),
        num_threads=draw.num_threads,
        iterations=lambda: draw.integer(1, 3, costly=True),
    )
    kwargs |= {"random_state": draw.random_state()}
    if k is not None:
        kwargs |= draw.some(exactly=draw.flag)
        kwargs |= {
            "starts": draw.integer(1, 2, costly=True),
            "perturbations": draw.integer(0, 5, costly=True),
        }
    exactly = k if kwargs.get("exactly") else None
    check = _check_communities(graph, n, k, exactly, kwargs.get("resolution", 1.0))
    return Call(graphopt.leiden, (graph, k), kwargs, check)


@target("graphopt.polish")
def polish(draw: Draw) -> Call:
    graph, n = _weights(draw)
    k = draw.pick(None, draw.integer(1, n))
    kwargs = draw.some(
        resolution=lambda: draw.number(0.1, 3.0, odd=(0.0, 1e300, 1e-300)),
        num_threads=draw.num_threads,
    )
    kwargs |= {"random_state": draw.random_state()}
    kwargs |= {"perturbations": draw.integer(0, 5, costly=True)}
    if k is not None:
        kwargs |= draw.some(exactly=draw.flag)
    exactly = k if kwargs.get("exactly") else None
    check = _check_communities(graph, n, k, exactly, kwargs.get("resolution", 1.0))
    return Call(graphopt.polish, (graph, draw.labels(n), k), kwargs, check)


@target("graphopt.cnm")
def cnm(draw: Draw) -> Call:
    graph, n = _weights(draw)
    k = draw.pick(None, draw.integer(1, n))
    return Call(graphopt.cnm, (graph, k), {}, _check_communities(graph, n, exactly=k))


@target("graphopt.newman", weight=0.4)
def newman(draw: Draw) -> Call:
    graph, n = _weights(draw)
    k = draw.pick(None, draw.integer(1, n))
    kwargs = draw.some(exact=draw.flag, refine=draw.flag)
    exactly = k if kwargs.get("exact", True) else None
    return Call(graphopt.newman, (graph, k), kwargs, _check_communities(graph, n, k, exactly))


@target("graphopt.spectral", weight=0.15)
def spectral(draw: Draw) -> Call:
    graph, n = _weights(draw)
    k = draw.integer(1, n)
    kwargs = draw.some(
        normalized=draw.flag,
        regularization=lambda: draw.number(0.0, 2.0, odd=(1e300, 1e-300)),
    )
    kwargs |= {"random_state": draw.random_state(), "n_init": draw.integer(1, 2, costly=True)}
    check = _check_communities(graph, n, exactly=k)
    return Call(graphopt.spectral, (graph, k), kwargs, check)


@target("graphopt.modularity")
def modularity(draw: Draw) -> Call:
    graph, n = _weights(draw, 0)
    labels = draw.labels(n)
    kwargs = draw.some(resolution=lambda: draw.number(0.0, 3.0, odd=(1e300, 1e-300)))

    def check(answer: Any) -> None:
        require(isinstance(answer, float) and math.isfinite(answer), "not a finite number")
        resolution = float(kwargs.get("resolution", 1.0))
        wanted = by_definition(graph, np.asarray(labels), resolution)
        near = math.isclose(answer, wanted, rel_tol=1e-6, abs_tol=1e-9)
        require(near, f"modularity {answer}, not {wanted}")

    return Call(graphopt.modularity, (graph, labels), kwargs, check)


@target("graphopt.communities.check_strengths")
def check_strengths(draw: Draw) -> Call:
    return Call(communities.check_strengths, ("graph", draw.graph()))


# --- soft k-means ---------------------------------------------------------------------------------


def _clustering(draw: Draw) -> tuple[Any, Any, dict[str, Any], tuple[int, int, int, int]]:
    """Return rows, centres, settings, and how many rows, clusters, columns and graphs."""
    n, k, p, b = draw.size(0, 9), draw.size(1, 4), draw.size(1, 5), draw.size(1, 3)
    dtype = draw.pick(np.float64, np.float32)
    x = draw.numbers(n, p, dtype=dtype)
    kwargs: dict[str, Any] = {
        "temperature": draw.number(0.0, 30.0, odd=(1e38, 1e300, -1.0)),
        **draw.some(normalize=draw.flag, num_threads=draw.num_threads),
    }
    if draw.chance(0.3):
        cuts = np.sort(draw.generator.integers(0, n + 1, b - 1))
        kwargs["offsets"] = draw.array(np.concatenate([[0], cuts, [n]]).astype(np.int64))
        centers = draw.numbers(b, k, p, dtype=dtype)
    else:
        b, centers = 1, draw.numbers(k, p, dtype=dtype)
    return draw.array(x, lists=False), draw.array(centers, lists=False), kwargs, (n, k, p, b)


@target("graphopt.soft_kmeans", words=("arrays",))
def soft_kmeans(draw: Draw) -> Call:
    x, centers, kwargs, _ = _clustering(draw)
    kwargs["iterations"] = draw.integer(0, 4, costly=True)

    def check(answer: Any) -> None:
        require(answer.centers.shape == np.shape(centers), "centres' shape")
        shape = (len(x), np.shape(centers)[-2])
        require(answer.assignment.shape == shape, "assignment's shape")
        if "temperature" in kwargs and float(kwargs["temperature"]) < 1e30:
            require(np.isfinite(answer.assignment).all(), "assignment is not finite")
            sums = answer.assignment.sum(axis=1)
            require(np.allclose(sums, 1.0, atol=1e-5), "rows do not sum to 1")
            require(np.isfinite(answer.centers).all(), "centres are not finite")

    return Call(graphopt.soft_kmeans, (x, centers), kwargs, check)


@target("graphopt.clustering.soft_kmeans_vjp", weight=0.5)
def soft_kmeans_vjp(draw: Draw) -> Call:
    x, centers, kwargs, (n, k, p, _) = _clustering(draw)
    kwargs["iterations"] = draw.integer(0, 4, costly=True)
    shape = centers.shape if isinstance(centers, np.ndarray) else (k, p)
    kwargs |= draw.some(
        grad_centers=lambda: draw.array(draw.numbers(*shape), lists=False),
        grad_assignment=lambda: draw.array(draw.numbers(n, k), lists=False),
        **_gradient_settings(draw),
    )

    def check(answer: Any) -> None:
        require(answer.x.shape == np.shape(x), "shape of x's gradient")
        require(answer.centers.shape == shape, "shape of the centres' gradient")

    return Call(clustering.soft_kmeans_vjp, (x, centers), kwargs, check)


def _gradient_settings(draw: Draw) -> dict[str, Callable[[], Any]]:
    return {
        "gradient": lambda: draw.choice("one-step", "implicit", "dense", "unrolled", "auto"),
        "tolerance": lambda: draw.number(1e-8, 0.1, odd=(0.0, 1.0)),
        "max_solver_iterations": lambda: draw.integer(1, 20, costly=True),
    }


@target("graphopt.clustering.SoftKMeansSettings")
def soft_kmeans_settings(draw: Draw) -> Call:
    kwargs = {
        "temperature": draw.number(0.0, 50.0, odd=(-1.0,)),
        "iterations": draw.integer(0, 4),
        **draw.some(**_gradient_settings(draw), normalize=draw.flag),
    }
    return Call(clustering.SoftKMeansSettings, (), kwargs, repr)


@target("graphopt.clustering.fixed_point_residual")
def fixed_point_residual(draw: Draw) -> Call:
    x, centers, kwargs, (_, _, _, b) = _clustering(draw)
    check = _shape((b,))
    return Call(clustering.fixed_point_residual, (x, centers), kwargs, check)


def _shape(shape: tuple[int, ...]) -> Callable[[Any], None]:
    return lambda answer: require(answer.shape == shape, f"shape {answer.shape}, not {shape}")


@target("graphopt.clustering.kmeans_plus_plus")
def kmeans_plus_plus(draw: Draw) -> Call:
    n, p, k = draw.size(0, 9), draw.size(1, 5), draw.integer(1, 5)
    x = draw.array(draw.numbers(n, p), lists=False)
    kwargs = {"random_state": draw.random_state(), **draw.some(normalize=draw.flag)}

    def check(answer: Any) -> None:
        require(answer.shape == (k, np.shape(x)[1]), "shape")
        require(np.isfinite(answer).all(), "not finite")

    return Call(clustering.kmeans_plus_plus, (x, k), kwargs, check)


@target("graphopt.clustering.stack_rows", words=("arrays[0]", "arrays[1]"))
def stack_rows(draw: Draw) -> Call:
    p = draw.size(1, 4)
    parts: Any = [
        draw.array(draw.numbers(draw.size(0, 4), p), lists=False) for _ in range(draw.size(1, 3))
    ]
    if draw.odd(0.1):
        parts = draw.pick([], None, 3, "ab", [None])
    return Call(clustering.stack_rows, (parts,))


# --- facilities -----------------------------------------------------------------------------------


def _facilities(draw: Draw) -> tuple[Any, Any, dict[str, Any], tuple[int, int, Any]]:
    n, m = draw.size(0, 7), draw.size(0, 7)
    dtype = draw.pick(np.float64, np.float32)
    distances = draw.distances(n, m)
    whole = isinstance(distances, np.ndarray) and distances.dtype.kind == "u"
    opening = draw.array(draw.probabilities(m, dtype), lists=False)
    charge: Callable[[], Any] = (
        (lambda: draw.integer(1, 8))
        if whole
        else (lambda: draw.number(0.5, 8.0, odd=(0.0, 1e308, 1e-320)))
    )
    return distances, opening, draw.some(charge=charge, num_threads=draw.num_threads), (n, m, dtype)


@target("graphopt.expected_distances")
def expected_distances(draw: Draw) -> Call:
    distances, opening, kwargs, _ = _facilities(draw)

    def check(answer: Any) -> None:
        require(answer.shape == np.shape(distances)[:1], "shape")
        if kwargs.get("charge") is not None or answer.dtype == np.float64:
            require(np.isfinite(answer).all() and (answer >= 0).all(), "not finite or negative")
        if kwargs.get("charge") is not None:
            require((answer <= float(kwargs["charge"]) * (1 + 1e-6)).all(), "above the charge")

    return Call(graphopt.expected_distances, (distances, opening), kwargs, check)


@target("graphopt.facility.expected_distances_gradient")
def expected_distances_gradient(draw: Draw) -> Call:
    distances, opening, kwargs, (n, m, dtype) = _facilities(draw)
    upstream = draw.array(draw.numbers(n, dtype=dtype), lists=False)
    function = facility.expected_distances_gradient
    return Call(function, (distances, opening, upstream), kwargs, _shape((m,)))


@target("graphopt.pipage_rounding")
def pipage_rounding(draw: Draw) -> Call:
    n = draw.size(0, 8)
    opening = draw.probabilities(n, draw.pick(np.float64, np.float32))
    least = math.ceil(math.fsum(opening) - 1e-9)
    kwargs: dict[str, Any] = {"random_state": draw.random_state()}
    kwargs |= draw.some(
        k=lambda: draw.integer(min(max(0, least), n), n),
        draws=lambda: draw.integer(0, 4),
        num_threads=draw.num_threads,
    )

    def check(answer: Any) -> None:
        require(answer.dtype == np.int32 and answer.ndim == 2, "form")
        require(len(answer) == kwargs.get("draws", 1), "number of sets")
        require((np.diff(answer, axis=1) > 0).all(), "not ascending")
        require(((answer >= 0) & (answer < n)).all(), "no site")

    given = draw.array(opening)
    n = max(n, len(given)) if isinstance(given, np.ndarray) and given.ndim else n

    return Call(graphopt.pipage_rounding, (given,), kwargs, check)


# --- features -------------------------------------------------------------------------------------


def roles(draw: Draw) -> dict[str, Any]:
    return {
        "n_features": draw.integer(1, 4),
        "walk_length": draw.integer(2, 5, costly=True),
        "random_state": draw.random_state(),
        **draw.some(
            n_walks=lambda: draw.integer(1, 3, costly=True),
            window=lambda: draw.integer(1, 3, costly=True),
            n_motif_bins=lambda: draw.integer(2, 6),
            negatives=lambda: draw.number(0.5, 8.0, odd=(0.0, 1e308)),
            num_threads=draw.num_threads,
        ),
    }


@target("graphopt.features.role2vec", weight=0.3)
def role2vec(draw: Draw) -> Call:
    graph, kwargs = draw.graph(0, 10), roles(draw)

    def check(answer: Any) -> None:
        require(answer.dtype == np.float32, "dtype")
        require(answer.shape == (graph.n_nodes, kwargs["n_features"]), "shape")
        require(np.isfinite(answer).all(), "not finite")

    return Call(features.role2vec, (graph,), kwargs, check)


@target("graphopt.features.learn_roles", weight=0.3, words=("graphs[0]", "graphs[1]"))
def learn_roles(draw: Draw) -> Call:
    graphs: Any = [draw.graph(0, 8) for _ in range(draw.size(0, 2))]
    if draw.odd(0.1):
        graphs = draw.pick(None, 3, "ab", [None])
    return Call(features.learn_roles, (graphs,), roles(draw))


_LEARNED: list[Any] = []


@target("graphopt.features.RoleEmbedding.transform")
def transform(draw: Draw) -> Call:
    if not _LEARNED:
        ring = Graph.from_edges([(i, (i + 1) % 7) for i in range(7)] + [(0, 3)])
        _LEARNED.append(features.learn_roles([ring], n_features=3, walk_length=4))
    return Call(_LEARNED[0].transform, (draw.graph(0, 10),))


@target("graphopt.features.motif_counts")
def motif_counts(draw: Draw) -> Call:
    graph = draw.graph()

    def check(answer: Any) -> None:
        require(answer.shape == (graph.n_nodes, len(features.MOTIFS)), "shape")
        require((answer >= 0).all(), "a negative count")

    return Call(features.motif_counts, (graph,), {}, check)


@target("graphopt.features.check_features")
def check_features(draw: Draw) -> Call:
    n = draw.size(0, 8)
    return Call(features.check_features, (draw.features(n), n))


@target("graphopt.features.node_features")
def node_features(draw: Draw) -> Call:
    graph = draw.plain_graph()
    rows = draw.features(graph.n_nodes)
    if draw.chance(0.2):
        return Call(features.node_features, (graph, lambda _: rows))
    return Call(features.node_features, (graph, rows))


def _checked_rows(draw: Draw, n: int) -> Any:
    """Return what check_features lets through, which other functions of features take."""
    dense = draw.numbers(n, draw.size(1, 4), dtype=np.float32)
    return features.check_features(draw.sparse(dense) if draw.chance(0.3) else dense, n)


@target("graphopt.features.row_norms")
def row_norms(draw: Draw) -> Call:
    n = draw.size(0, 8)
    return Call(features.row_norms, (_checked_rows(draw, n),), {}, _shape((n,)))


@target("graphopt.features.unit_features")
def unit_features(draw: Draw) -> Call:
    return Call(features.unit_features, (_checked_rows(draw, draw.size(0, 8)),))


@target("graphopt.features.smoothed_features")
def smoothed_features(draw: Draw) -> Call:
    graph = draw.plain_graph(kinds="none")
    rows = _checked_rows(draw, graph.n_nodes)
    return Call(features.smoothed_features, (rows, graph, draw.size(0, 3)))
