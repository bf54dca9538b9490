"""A graph drawn like a map: groups are countries, facilities are cities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._loading import load_whole
from graphopt.communities.igraph import as_igraph, igraph_random
from graphopt.graph import Graph
from graphopt.paths import distances_to_nearest

COLORS = (
    "#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#b07aa1", "#e0b92f", "#3fa7a0", "#d4719b",
    "#9c755f", "#7b86d6",
)  # fmt: skip
WIDTH, HEIGHT = 1000, 760
_MARGIN = 40
_INSIDE, _ACROSS = 1.0, 0.06  # weights of edges in a group and between groups
_CELL = 8
_SHORE = 30.0  # land reaches this far from a node
_NEIGHBOURS = 5  # that a spot of land takes its country from
_STEPS = 250
_MOST_RINGS = 30


def group_map(graph: Graph, labels: ArrayLike) -> str:
    """Return communities as SVG: the largest component, a country for each group.

    Parameters
    ----------
    graph : Graph
    labels : array of int, shape (n_nodes,)
    """
    part, nodes = graph.largest_component()
    return _drawn(part, np.asarray(labels)[nodes], "")


def site_map(graph: Graph, centers: ArrayLike) -> str:
    """Return facilities as SVG: a city for each, a country for the nodes that are nearest to it.

    The nodes farthest from any facility have a ring, unless they are many.

    Parameters
    ----------
    graph : Graph
        Connected, or the facilities are in its largest component.
    centers : array of int
    """
    part, nodes = graph.largest_component()
    position = {int(node): i for i, node in enumerate(nodes)}
    inside = [position[int(center)] for center in np.asarray(centers) if int(center) in position]
    distances, nearest = distances_to_nearest(part, inside)
    places = arranged(part, nearest)
    farthest = np.flatnonzero(distances == distances.max())
    farthest = farthest if len(farthest) <= _MOST_RINGS else farthest[:0]
    rings = "".join(
        f'<circle class="far" cx="{x}" cy="{y}" r="9"/>' for x, y in places[farthest].tolist()
    )
    cities = "".join(
        f'<g transform="translate({x},{y})"><circle class="city" r="13"/>'
        f'<text class="city-number" y="5">{number}</text></g>'
        for number, (x, y) in enumerate(places[inside].tolist(), 1)
    )
    return _drawn(part, nearest, rings + cities, places)


def arranged(graph: Graph, groups: NDArray[Any]) -> NDArray[np.int64]:
    """Return a place for every node: neighbours near each other, groups apart.

    A spring model (Fruchterman and Reingold, 1991) of the groups first, then of the nodes, which
    start where their group is and are held there by edges that weigh more inside groups.

    Parameters
    ----------
    graph : Graph
    groups : array of int, shape (n_nodes,)

    Returns
    -------
    array of int64, shape (n_nodes, 2)
        Inside ``WIDTH`` x ``HEIGHT``.
    """
    load_whole("igraph")
    import igraph

    peer, _ = as_igraph(graph)
    edges = graph.edges
    _, group = np.unique(groups, return_inverse=True)
    ends = group[edges]
    across = ends[ends[:, 0] != ends[:, 1]]
    n_groups = int(group.max()) + 1
    country = igraph.Graph(n=n_groups, edges=across.tolist())
    country.es["weight"] = 1.0
    country.simplify(combine_edges="sum")
    rng = np.random.default_rng(0)
    with igraph_random(0):
        capitals = np.array(country.layout_circle().coords)
        if country.ecount():
            strength = np.asarray(country.es["weight"])
            capitals = np.array(
                country.layout_fruchterman_reingold(
                    weights=(strength / strength.max()).tolist(), niter=500
                ).coords
            )
        capitals -= capitals.mean(axis=0)
        scale = np.sqrt(graph.n_nodes) / max(float(np.abs(capitals).max()), 1e-9)
        start = capitals[group] * scale * 0.5
        start += rng.normal(size=start.shape) * np.sqrt(np.bincount(group))[group, None] * 0.15
        weights = np.where(ends[:, 0] == ends[:, 1], _INSIDE, _ACROSS)
        found = peer.layout_fruchterman_reingold(
            weights=weights.tolist(),
            seed=start.tolist(),
            niter=_STEPS,
            start_temp=np.sqrt(graph.n_nodes) / 10,
            grid="nogrid" if graph.n_nodes < 1000 else "grid",
        )
    return _fitted(np.array(found.coords))


def _fitted(places: NDArray[np.float64]) -> NDArray[np.int64]:
    """Scale to the page; single far nodes are drawn to its edge."""
    low, high = np.quantile(places, 0.004, axis=0), np.quantile(places, 0.996, axis=0)
    shares = np.clip((places - low) / np.maximum(high - low, 1e-9), -0.03, 1.03)
    page = np.array([WIDTH, HEIGHT]) - 2 * _MARGIN
    return np.asarray(np.rint(_MARGIN + shares * page), np.int64)


# --- drawing --------------------------------------------------------------------------------------


def _drawn(
    graph: Graph, groups: NDArray[Any], above: str, places: NDArray[np.int64] | None = None
) -> str:
    if places is None:
        places = arranged(graph, groups)
    _, group = np.unique(groups, return_inverse=True)
    n_groups = int(group.max()) + 1
    ends = group[graph.edges]
    same = ends[:, 0] == ends[:, 1]
    lines = places[graph.edges]
    parts = [f'<svg class="map" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">', '<g class="land">']
    parts += [
        f'<path fill="{_color(c)}" d="{path}"/>' for c, path in enumerate(_land(places, group))
    ]
    parts.append(f'</g><path class="across" d="{_segments(lines[~same])}"/>')
    for c in range(n_groups):
        mine = lines[same & (ends[:, 0] == c)]
        parts.append(f'<path class="inside" stroke="{_color(c)}" d="{_segments(mine)}"/>')
    for c in range(n_groups):
        dots = "".join(f"M{x} {y}h0" for x, y in places[group == c].tolist())
        parts.append(f'<path class="dots" stroke="{_color(c)}" d="{dots}"/>')
    return "".join([*parts, above, "</svg>"])


def _color(group: int) -> str:
    return COLORS[group % len(COLORS)]


def _segments(lines: NDArray[np.int64]) -> str:
    return "".join(f"M{a} {b}L{c} {d}" for (a, b), (c, d) in lines.tolist())


def _land(places: NDArray[np.int64], group: NDArray[np.int64]) -> list[str]:
    """Return the outline of each country: the spots whose nearest nodes are mostly its own."""
    load_whole("scipy.spatial")
    from scipy.spatial import cKDTree

    columns = np.arange(_CELL // 2, WIDTH, _CELL)
    rows = np.arange(_CELL // 2, HEIGHT, _CELL)
    spots = np.stack(np.meshgrid(columns, rows), axis=-1)
    k = min(_NEIGHBOURS, len(places))
    found = cKDTree(places).query(spots.reshape(-1, 2), k=list(range(1, k + 1)))
    distances, nearest = np.asarray(found[0]), np.asarray(found[1])
    near = distances <= _SHORE
    n_groups = int(group.max()) + 1
    votes = np.zeros((len(nearest), n_groups))
    for i in range(k):
        voting = near[:, i]
        votes[voting, group[nearest[voting, i]]] += 1.0 / (1.0 + distances[voting, i])
    owner = np.where(near[:, 0], votes.argmax(axis=1), -1).reshape(len(rows), len(columns))
    return [_rectangles(owner == c) for c in range(n_groups)]


def _rectangles(mask: NDArray[np.bool_]) -> str:
    """Return the true cells as one rectangle for each run in a row."""
    padded = np.pad(mask, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    rows, first = np.nonzero(change == 1)
    _, after = np.nonzero(change == -1)
    runs = zip(rows.tolist(), first.tolist(), after.tolist(), strict=True)
    return "".join(
        f"M{_CELL * a} {_CELL * row}h{_CELL * (b - a)}v{_CELL}h-{_CELL * (b - a)}z"
        for row, a, b in runs
    )
