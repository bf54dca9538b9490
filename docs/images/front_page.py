"""Draw the picture of the README: ``python docs/images/front_page.py``."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

import graphopt
from graphopt.datasets import observed_graph, split_edges

COLOURS = ["#4269d0", "#efb118", "#ff725c", "#3ca951", "#a463f2", "#6cc5b0"]
INK, FAINT = "#444444", "#c9c9c9"
N_GROUPS, GROUP_SIZE, N_SITES, SIDE = 5, 26, 5, 26


def draw_edges(ax: Axes, places: np.ndarray, edges: np.ndarray, **style: object) -> None:
    """Draw one line for each edge."""
    ax.add_collection(LineCollection(list(places[edges]), **style))


def communities(left: Axes, middle: Axes) -> None:
    """Draw a planted graph of which 40 % is seen, and the groups that `decide` finds in it."""
    rng = np.random.default_rng(4)
    group = np.repeat(np.arange(N_GROUPS), GROUP_SIZE)
    n = len(group)
    u, v = np.triu_indices(n, 1)
    present = rng.random(len(u)) < np.where(group[u] == group[v], 0.3, 0.006)
    whole = graphopt.Graph.from_edges(np.column_stack([u, v])[present], n)
    split = split_edges(whole, 0.4, random_state=0)
    seen = observed_graph(whole, split)
    words = (rng.random((n, 40)) < 0.06) | (np.arange(40) // 8 == group[:, None]) & (
        rng.random((n, 40)) < 0.25
    )
    found = graphopt.decide(
        seen, words.astype(np.float32), k=N_GROUPS, seen_fraction=0.4, random_state=0
    )
    angle = 2 * np.pi * (group + 0.25) / N_GROUPS
    spread = rng.standard_normal((n, 2)) * 0.21
    places = np.column_stack([np.cos(angle), np.sin(angle)]) + spread
    draw_edges(left, places, split.train, colors=INK, linewidths=0.5)
    left.scatter(*places.T, s=16, color="white", edgecolors=INK, linewidths=0.8, zorder=2)
    left.set_title("what you see: 40 % of the edges")
    draw_edges(middle, places, split.unseen, colors=FAINT, linewidths=0.35)
    draw_edges(middle, places, split.train, colors=INK, linewidths=0.4)
    colour = [COLOURS[label % len(COLOURS)] for label in found.labels]
    middle.scatter(*places.T, s=18, color=colour, edgecolors="white", linewidths=0.4, zorder=2)
    score = graphopt.modularity(whole, found.labels)
    middle.set_title(f"{N_GROUPS} communities: modularity {score:.2f} on all edges")


def sites(ax: Axes) -> None:
    """Draw travel times to the sites that are proven best on a street network."""
    rng = np.random.default_rng(2)
    at = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    streets = np.concatenate(
        [
            np.column_stack([at[:, :-1].ravel(), at[:, 1:].ravel()]),
            np.column_stack([at[:-1].ravel(), at[1:].ravel()]),
        ]
    )
    streets = streets[rng.random(len(streets)) < 0.86]
    places = np.stack(np.meshgrid(np.arange(SIDE), np.arange(SIDE)), -1).reshape(-1, 2)
    places = places + rng.uniform(-0.25, 0.25, places.shape)
    lengths = np.linalg.norm(np.diff(places[streets], axis=1)[:, 0], axis=1)
    minutes = lengths * np.where(rng.random(len(streets)) < 0.2, 0.5, 1.0)
    network, kept = graphopt.Graph.from_edges(streets, len(places), minutes).largest_component()
    places = places[kept]
    found = graphopt.exact_k_center(network, N_SITES)
    time = graphopt.all_pairs_shortest_paths(network, sources=found.centers).min(axis=0)
    draw_edges(ax, places, network.edges, colors=FAINT, linewidths=1.0)
    shown = ax.scatter(*places.T, c=time, s=11, cmap="viridis_r", zorder=2)
    ax.scatter(*places[found.centers].T, s=130, marker="*", color="#e02020", edgecolors="white")
    ax.collections[-1].set_zorder(3)
    plt.colorbar(shown, ax=ax, label="minutes to the nearest site", fraction=0.046, pad=0.02)
    proof = "proven optimal" if found.lower_bound == found.radius else "best found"
    ax.set_title(f"{N_SITES} sites, {proof}: at most {found.radius:.1f} minutes")


def main() -> None:
    """Write ``front_page.png`` beside this file."""
    mpl.rcParams.update({"font.size": 10, "axes.titlesize": 11})
    figure, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    communities(*axes[:2])
    sites(axes[2])
    for ax in axes:
        ax.set_aspect("equal")
        ax.axis("off")
        ax.autoscale_view()
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=90)


main()
