"""Calls of public functions and estimators on small fixed inputs, each with its key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

import graphopt
from graphopt import Graph, completion, datasets, decision, features
from graphopt.clustering import (
    fixed_point_residual,
    kmeans_plus_plus,
    soft_kmeans,
    soft_kmeans_vjp,
    stack_rows,
)

Outputs = Iterator[tuple[str, Callable[[], Any]]]


def _data() -> Any:
    return datasets.synthetic(120, random_state=0)


def _random(n: int, m: int, seed: int, weights: bool = False, directed: bool = False) -> Graph:
    rng = np.random.default_rng(seed)
    edges = rng.integers(n, size=(m, 2))
    edges = np.unique(np.sort(edges, axis=1), axis=0) if not directed else np.unique(edges, axis=0)
    edges = edges[edges[:, 0] != edges[:, 1]]
    return Graph.from_edges(
        edges, n, rng.random(len(edges)) + 0.1 if weights else None, directed=directed
    )


def _grid(side: int) -> Graph:
    at = np.arange(side * side).reshape(side, side)
    across = np.column_stack([at[:, :-1].ravel(), at[:, 1:].ravel()])
    down = np.column_stack([at[:-1].ravel(), at[1:].ravel()])
    return Graph.from_edges(np.concatenate([across, down]))


def _parts(result: Any, *names: str) -> list[Any]:
    return [getattr(result, name) for name in names]


GRAPHS: dict[str, Callable[[], Graph]] = {
    "random": lambda: _random(300, 900, 1),
    "weighted": lambda: _random(200, 500, 2, weights=True),
    "grid": lambda: _grid(15),
    "pieces": lambda: _random(200, 130, 3),
}


def outputs() -> Outputs:
    """Yield (key, call)."""
    yield from _graphs()
    yield from _paths_and_centers()
    yield from _communities()
    yield from _clustering()
    yield from _features_and_data()
    yield from _completion()
    yield from _decision()
    yield from _modules()
    yield from _estimators()


def _graphs() -> Outputs:
    for name, make in GRAPHS.items():
        yield (
            f"graph/{name}",
            lambda m=make: _parts(
                m(), "indptr", "indices", "weights", "edges", "degrees", "edge_weights"
            ),
        )
        yield f"graph/{name}/components", lambda m=make: m().connected_components()
        yield f"graph/{name}/largest", lambda m=make: m().largest_component()
        yield f"graph/{name}/plus", lambda m=make: m().plus(_random(m().n_nodes, 50, 9, True))
        yield f"graph/{name}/subgraph", lambda m=make: m().subgraph(np.arange(0, 100, 3))
        yield f"graph/{name}/scipy", lambda m=make: m().to_scipy()
    yield "graph/from_networkx", lambda: Graph.from_networkx(_random(50, 90, 4).to_networkx())


def _paths_and_centers() -> Outputs:
    for name, make in GRAPHS.items():
        yield f"paths/{name}", lambda m=make: graphopt.all_pairs_shortest_paths(m())
        yield (
            f"paths/{name}/sources",
            lambda m=make: graphopt.all_pairs_shortest_paths(m(), sources=[5, 3, 70]),
        )
        yield (
            f"centers/{name}/gonzalez",
            lambda m=make: _parts(
                graphopt.gonzalez(m(), 6, random_state=0), "centers", "radius", "assignment"
            ),
        )
        for seed in range(2):
            yield (
                f"centers/{name}/local_search/{seed}",
                lambda m=make, s=seed: _parts(
                    graphopt.local_search_k_center(m(), 6, random_state=s), "centers", "radius"
                ),
            )
        yield (
            f"centers/{name}/greedy",
            lambda m=make: _parts(
                graphopt.greedy_k_center(m(), 6), "centers", "radius", "assignment"
            ),
        )
        yield (
            f"centers/{name}/exact",
            lambda m=make: _parts(
                graphopt.exact_k_center(m(), 12), "centers", "radius", "lower_bound"
            ),
        )
        yield (
            f"centers/{name}/evaluate",
            lambda m=make: _parts(
                graphopt.evaluate_centers(m(), [3, 50, 77]), "radius", "assignment"
            ),
        )
        demand = np.random.default_rng(0).integers(0, 3, make().n_nodes)
        yield (
            f"centers/{name}/demand",
            lambda m=make, d=demand: [
                _parts(
                    graphopt.greedy_k_center(m(), 4, must_open=[7], forbidden=[8, 9]),
                    "centers",
                    "radius",
                ),
                _parts(
                    graphopt.local_search_k_center(
                        m(), 4, demand=d, candidates=np.arange(0, 200, 2), random_state=0
                    ),
                    "centers",
                    "radius",
                ),
                _parts(
                    graphopt.exact_k_center(m(), 14, demand=d, candidates=np.arange(0, 200, 2)),
                    "centers",
                    "radius",
                    "lower_bound",
                ),
            ],
        )
    data = _data()
    samples = [_random(120, 300, seed) for seed in range(5)]
    yield (
        "centers/robust",
        lambda: _parts(graphopt.robust_k_center(samples, 5, random_state=0), "centers"),
    )
    opening = np.random.default_rng(0).random(120) * 0.05
    for dtype in ("uint16", "float64"):
        distances = graphopt.all_pairs_shortest_paths(data.graph).astype(dtype)
        yield f"facility/{dtype}", lambda d=distances: graphopt.expected_distances(d, opening)
    yield "rounding", lambda: graphopt.pipage_rounding(opening, k=5, draws=20, random_state=0)


def _communities() -> Outputs:
    for name, make in GRAPHS.items():
        for function in ("leiden", "cnm", "newman", "spectral"):
            seeded = {"random_state": 0} if function in ("leiden", "spectral") else {}
            yield (
                f"communities/{name}/{function}",
                lambda m=make, f=function, s=seeded: _parts(
                    getattr(graphopt, f)(m(), 5, **s), "labels", "modularity"
                ),
            )
        labels = np.arange(make().n_nodes) % 4
        yield f"communities/{name}/modularity", lambda m=make, x=labels: graphopt.modularity(m(), x)
        yield (
            f"communities/{name}/polish",
            lambda m=make, x=labels: _parts(
                graphopt.polish(m(), x, k=5, random_state=0), "labels", "modularity"
            ),
        )
    rng = np.random.default_rng(0)
    matrix = rng.random((40, 40))
    matrix = matrix + matrix.T
    for function in ("cnm", "newman", "spectral"):
        yield (
            f"communities/matrix/{function}",
            lambda f=function: _parts(
                getattr(graphopt, f)(matrix, 4, **({"random_state": 0} if f == "spectral" else {})),
                "labels",
                "modularity",
            ),
        )


def _clustering() -> Outputs:
    rng = np.random.default_rng(0)
    for dtype in ("float32", "float64"):
        x = rng.standard_normal((90, 7)).astype(dtype)
        start = kmeans_plus_plus(x, 4, random_state=0)
        settings: dict[str, Any] = {"temperature": 6.0, "iterations": 7}
        yield f"clustering/{dtype}/start", lambda s=start: s
        yield (
            f"clustering/{dtype}/result",
            lambda x=x, s=start, o=settings: _parts(
                soft_kmeans(x, s, **o), "centers", "assignment"
            ),
        )
        yield (
            f"clustering/{dtype}/residual",
            lambda x=x, s=start: fixed_point_residual(x, s, temperature=6.0),
        )
        for gradient in ("one-step", "implicit", "dense", "unrolled", "auto"):
            yield (
                f"clustering/{dtype}/{gradient}",
                lambda x=x, s=start, g=gradient, o=settings: _parts(
                    soft_kmeans_vjp(x, s, gradient=g, grad_centers=np.ones_like(s), **o),
                    "x",
                    "centers",
                ),
            )
        batch, offsets = stack_rows([x[:30], x[30:37], x[37:]])
        yield (
            f"clustering/{dtype}/batch",
            lambda x=batch, c=offsets, s=start, o=settings: _parts(
                soft_kmeans(x, np.stack([s] * 3), offsets=c, **o), "centers", "assignment"
            ),
        )


def _features_and_data() -> Outputs:
    for name, make in GRAPHS.items():
        yield f"features/{name}/motifs", lambda m=make: features.motif_counts(m())
        yield (
            f"features/{name}/role2vec",
            lambda m=make: features.role2vec(m(), n_features=8, random_state=0),
        )
        yield (
            f"features/{name}/structural",
            lambda m=make: datasets.structural_features(m(), 8, random_state=0),
        )
        rows = np.random.default_rng(0).random((make().n_nodes, 5)).astype(np.float32)
        yield (
            f"features/{name}/smoothed",
            lambda m=make, x=rows: features.smoothed_features(x, m(), 2),
        )
        yield f"features/{name}/unit", lambda x=rows: features.unit_features(x)
        yield (
            f"data/{name}/split",
            lambda m=make: _parts(
                datasets.split_edges(m(), 0.4, random_state=0), "train", "unseen"
            ),
        )
    yield "data/synthetic", lambda: [_data().graph, _data().features]
    for name in datasets.names():
        if "distribution" not in name:
            yield f"data/{name}", partial(_described, name)


def _described(name: str) -> Any:
    data = datasets.load(name)
    if not hasattr(data, "observed"):
        return len(data)
    return [data.graph, data.observed, data.features, data.observed_features]


def _completion() -> Outputs:
    data = _data()
    seen, rows = data.observed, data.observed_features
    for name, each in {
        "bagging": completion.Bagging(1.5),
        "model": completion.LinkModel(1.5),
        "alike": completion.FeatureNeighbours((5, 20), 1.5),
        "mixture": completion.Mixture((completion.Bagging(1.5), completion.LinkModel(1.5))),
    }.items():
        yield f"completion/{name}", lambda e=each: e.missing_edges(seen, rows)
        if hasattr(each, "probabilities"):
            yield (
                f"completion/{name}/samples",
                lambda e=each: [
                    e.probabilities(seen, rows).sample(random_state=seed) for seed in range(3)
                ],
            )
            yield (
                f"completion/{name}/expected",
                lambda e=each: e.probabilities(seen, rows).expected(50),
            )
    yield (
        "completion/choose",
        lambda: [
            outcome.values
            for outcome in completion.choose(
                seen, rows, 4, seen_fraction=0.4, n_splits=2, random_state=0
            ).outcomes
        ],
    )
    yield (
        "completion/sharpness",
        lambda: completion.choose_sharpness(
            completion.LinkModel(1.5), seen, rows, seen_fraction=0.4, random_state=0
        ),
    )
    yield (
        "completion/reliability",
        lambda: _parts(
            completion.reliability_curve(
                completion.LinkModel(1.5), seen, rows, seen_fraction=0.4, random_state=0
            ),
            "predicted",
            "observed",
        ),
    )


def _decision() -> Outputs:
    data = _data()
    objectives = {"community": "modularity", "facility": "k-center"}  # keys have the first words
    for task, objective in objectives.items():
        for seen in (0.4, 1.0):
            yield f"decision/decide/{task}/{seen}", lambda o=objective, s=seen: _parts(
                graphopt.decide(
                    data.observed, data.observed_features, objective=o, k=4, seen_fraction=s,
                    n_trials=3, random_state=0,
                ),
                "labels", "centers", "seen_value", "expected_value", "interval", "bound",
                "stability", "method",
            )  # fmt: skip
    whole, _ = data.graph.largest_component()
    for task, names in {
        "community": ["leiden", "cnm", "newman", "spectral"],
        "facility": ["greedy", "gonzalez", "exact"],
    }.items():
        yield (
            f"decision/compare/{task}",
            lambda o=objectives[task], n=names: [
                [(run.score, run.seen_score, run.regret, run.decision) for run in result.runs]
                for result in decision.compare(
                    n, whole, k=6, objective=o, seen=0.7, splits=3
                ).results.values()
            ],
        )
    yield (
        "decision/regret",
        lambda: decision.regret("leiden", data.graph, k=5, seen=0.6, splits=4).regret,
    )
    yield "decision/summary", lambda: decision.summarize(np.arange(9.0) ** 2)


def _modules() -> Outputs:
    import torch

    from graphopt import nn
    from graphopt.nn import losses

    data = _data()
    adjacency = nn.Adjacency(data.observed).whole
    x = torch.from_numpy(np.asarray(data.observed_features, np.float32))

    def trained(encoder: str) -> Any:
        torch.manual_seed(0)
        net = nn.ClusterNet(x.shape[1], 4, encoder=encoder).eval()
        out = net(x, adjacency)
        loss = losses.ModularityLoss().loss(
            out.assignment, losses.ModularityLoss().prepare(data.observed)
        )
        loss.backward()
        return [loss, out.assignment, out.centers, [p.grad for p in net.parameters()]]

    for encoder in ("gcn", "sgc", "appnp"):
        yield f"nn/clusternet/{encoder}", lambda e=encoder: trained(e)

    def facility() -> Any:
        objective = losses.KCenterLoss()
        problem = objective.prepare(data.graph.largest_component()[0])
        opening = torch.full((problem.n_sites,), 0.04, requires_grad=True)
        loss = objective.loss(opening, problem)
        loss.backward()
        return [loss, opening.grad, objective.decode(opening.detach(), problem, random_state=0)]

    yield "objectives/facility", facility


def _estimators() -> Outputs:
    from graphopt import ClusterNet, DirectGCN, LinkPredictor, TwoStage, learning

    data = _data()
    seen, rows = data.observed, data.observed_features
    widths = learning.Recipe(hidden_features=8, embedding_features=6)
    quick: dict[str, Any] = {
        "seen_fraction": 0.4, "random_state": 0, "iterations": 12, "n_restarts": 2,
        "recipe": widths,
    }  # fmt: skip
    for objective in ("modularity", "k-center"):
        for name, more in {
            "plain": {},
            "appnp": {"encoder": "appnp"},
            "sgc": {"encoder": "sgc"},
            "implicit": {"recipe": replace(widths, gradient="implicit")},
            "observed": {"completion": None},
            "model": {"completion": completion.LinkModel(1.5)},
        }.items():
            yield (
                f"learning/clusternet/{objective}/{name}",
                lambda o=objective, m=more: ClusterNet(4, o, **(quick | m)).fit_predict(seen, rows),
            )
        yield (
            f"learning/clusternet/{objective}/no features",
            lambda o=objective: ClusterNet(4, o, **quick).fit_predict(seen),
        )
        yield (
            f"learning/direct/{objective}",
            lambda o=objective: DirectGCN(4, o, **quick).fit_predict(seen, rows),
        )
    yield (
        "learning/links",
        lambda: LinkPredictor(iterations=12, random_state=0).fit(seen, rows).predict(seen.edges),
    )
    for algorithm in ("newman", "cnm", "spectral", "greedy", "gonzalez"):
        yield (
            f"learning/two-stage/{algorithm}",
            lambda a=algorithm: TwoStage(
                4,
                algorithm=a,
                predictor=LinkPredictor(iterations=12, random_state=0),
                random_state=0,
            ).fit_predict(seen, rows),
        )
