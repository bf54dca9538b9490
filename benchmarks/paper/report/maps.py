"""A graph drawn like a map: groups are countries, facilities are cities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from benchmarks.paper.report.svg import CARD, CLASS, EDGE, FAR, INK, for_page, pyplot, styled
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
    groups = np.asarray(labels)[nodes]
    return _drawn(part, groups, arranged(part, groups), lambda axis, places: None)


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
    farthest = np.flatnonzero(distances == distances.max())

    def cities(axis: Any, places: NDArray[np.int64]) -> None:
        round_ = {"ls": "", "marker": "o"}
        if len(farthest) <= _MOST_RINGS:
            axis.plot(*places[farthest].T, ms=18, mfc="none", mec=FAR, mew=2.5, **round_)
        axis.plot(*places[inside].T, ms=26, mfc=CARD, mec=INK, mew=2.5, **round_)
        for number, (x, y) in enumerate(places[inside].tolist(), 1):
            style = {"ha": "center", "va": "center_baseline", "weight": "bold", "size": 14}
            axis.text(x, y, str(number), gid=f"{CLASS}city", **style)

    return _drawn(part, nearest, arranged(part, nearest), cities)


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
    graph: Graph,
    groups: NDArray[Any],
    places: NDArray[np.int64],
    above: Callable[[Any, NDArray[np.int64]], None],
) -> str:
    _, group = np.unique(groups, return_inverse=True)
    ends, lines = group[graph.edges], places[graph.edges]
    same = ends[:, 0] == ends[:, 1]
    with styled():
        figure = pyplot().figure(figsize=(WIDTH / 72, HEIGHT / 72))
        axis = figure.add_axes((0, 0, 1, 1), xlim=(0, WIDTH), ylim=(HEIGHT, 0))
        axis.set_axis_off()
        _draw_land(axis, places, group)
        _draw_lines(axis, "across", lines[~same], EDGE, lw=0.6, alpha=0.16)
        for c in range(int(group.max()) + 1):
            mine = lines[same & (ends[:, 0] == c)]
            _draw_lines(axis, "inside", mine, _color(c), lw=0.8, alpha=0.32)
        for c in range(int(group.max()) + 1):
            mine = np.repeat(places[group == c][:, None], 2, axis=1)
            _draw_lines(axis, "dots", mine, _color(c), lw=5, capstyle="round")
        above(axis, places)
        return for_page(figure, 'class="map" role="img"')


def _color(group: int) -> str:
    return COLORS[group % len(COLORS)]


def _draw_lines(axis: Any, name: str, lines: NDArray[np.int64], color: str, **style: Any) -> None:
    """Draw lines, shape (n, 2, 2), as one path: thousands of paths make a page slow."""
    load_whole("matplotlib.patches")
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    codes = np.tile([Path.MOVETO, Path.LINETO], len(lines))
    path = Path(lines.reshape(-1, 2), codes)
    axis.add_patch(PathPatch(path, fill=False, ec=color, gid=f"{CLASS}{name}", **style))


def _draw_land(axis: Any, places: NDArray[np.int64], group: NDArray[np.int64]) -> None:
    """Draw each country: the spots whose nearest nodes are mostly its own."""
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
    for c in range(n_groups):
        if (owner == c).any():
            land = axis.contourf(columns, rows, owner == c, [0.5, 1.5], colors=[_color(c)])
            land.set_gid(f"{CLASS}land")
