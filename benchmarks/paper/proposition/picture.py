"""The picture of Proposition 1: one panel for each source."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.paper.proposition.rows import PropositionRow, by_source, summary_of
from graphopt._escaping import for_plot
from graphopt._files import write_figure
from graphopt._loading import load_whole
from graphopt._optional import require

_LINES: tuple[tuple[str, str, str, Callable[[PropositionRow], float]], ...] = (
    ("measured: $|\\partial f/\\partial\\mu - I|_1$", "#1f5fa8", "o-", lambda row: row.left),
    (
        "measured: $|(\\partial f/\\partial\\mu)^{-1} - I|_1$",
        "#1f5fa8",
        "--",
        lambda row: row.left_of_inverse,
    ),
    (
        "printed, in the proof: $2K^2\\beta e^{-\\beta\\delta}/\\alpha$",
        "#c0392b",
        "-",
        lambda row: row.printed_step,
    ),
    ("printed, right side (Lemma 2)", "#c0392b", "--", lambda row: row.printed_bound),
    (
        "corrected: $4(K-1)X_1X_\\infty$ in place of $2K^2$",
        "#2e8b57",
        "-",
        lambda row: row.corrected_step,
    ),
    ("corrected, by Lemma 2", "#2e8b57", "--", lambda row: row.corrected_bound),
    ("bound from the whole assignment", "#8e7cc3", ":", lambda row: row.assignment_bound),
)


def plot_proposition(rows: Sequence[PropositionRow], path: str | Path) -> None:
    """Draw both sides, one panel for each source, and write the picture to a file.

    Solid lines are about ``|df/dmu - I|``, dashed ones about ``|(df/dmu)^-1 - I|``. Where the
    hypothesis holds the ground is shaded.

    Parameters
    ----------
    rows : sequence of PropositionRow
        At least one.
    path : path
        Its ending says the format.

    Raises
    ------
    ValueError
        For no rows.
    """
    if not rows:
        raise ValueError("rows must hold at least one row")
    require("matplotlib", "the picture of Proposition 1").use("Agg")
    load_whole("matplotlib.pyplot")
    from matplotlib import pyplot as plt

    groups = by_source(rows)
    columns = min(2, len(groups))
    lines = math.ceil(len(groups) / columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(5.6 * columns, 3.9 * lines + 0.9), squeeze=False
    )
    for panel, (source, group) in zip(axes.flat, groups.items(), strict=False):
        _draw_panel(panel, source, group)
    for panel in axes.flat[len(groups) :]:
        panel.set_visible(False)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=columns, fontsize=9, frameon=False)
    inches = 0.22 * math.ceil(len(labels) / columns) + 0.15
    figure.tight_layout(rect=(0.0, inches / figure.get_figheight(), 1.0, 1.0))
    write_figure(figure, path)


def _draw_panel(panel: Any, source: str, rows: Sequence[PropositionRow]) -> None:
    training = rows[0].step is not None
    at = np.array([row.step if training else row.temperature for row in rows], float)
    for label, colour, style, value in _LINES:
        values = np.array([value(row) for row in rows])
        values[~np.isfinite(values) | (values <= 0.0)] = np.nan
        panel.semilogy(at, values, style, color=colour, label=label, markersize=3.5, linewidth=1.4)
    panel.axhline(1.0, color="#999999", linewidth=0.8)
    holds = [row.holds for row in rows]
    for i, held in enumerate(holds):
        if held:  # half way to the places before and after
            left = at[i] if i == 0 else (at[i - 1] + at[i]) / 2
            right = at[i] if i + 1 == len(at) else (at[i] + at[i + 1]) / 2
            panel.axvspan(left, right, color="#f2d98d", alpha=0.35, linewidth=0)
    first, summary = rows[0], summary_of(source, rows)
    verdict = f"hypothesis holds at {summary.n_holds} of {summary.n_rows}"
    if summary.n_holds:
        verdict += f" (shaded), printed bound exceeded at {summary.n_above_printed}"
    title = f"{for_plot(source)}: K = {first.n_clusters}, p = {first.width}\n{verdict}"
    panel.set_title(title, fontsize=9)
    panel.set_xlabel(f"steps made ($\\beta$ = {first.temperature:g})" if training else "$\\beta$")
    panel.set_ylabel("operator 1-norm")
    panel.grid(True, which="major", alpha=0.3)
