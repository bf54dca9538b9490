"""Ours beside the paper's, by matplotlib: a panel for each data set, a line for each system."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from benchmarks.paper.report.layouts import Column
from benchmarks.paper.report.svg import (
    BAND,
    CARD,
    INK,
    LINE,
    OURS,
    PAPER,
    SOFT,
    TIP,
    for_page,
    pyplot,
    styled,
)
from benchmarks.paper.report.tables import Cell, Table, ours, spread, theirs
from graphopt._loading import load_whole

_LABELS, _PANEL, _LINE, _HEADS = 2.0, 1.65, 0.25, 0.62  # inches
_UNITS = ((1.0, "s", 1.0), (1e-3, "ms", 1e3), (0.0, "µs", 1e6))


def dumbbells(table: Table, columns: Sequence[Column]) -> str:
    """Return a plot of some columns of a table as SVG.

    A filled dot is our median, a bar its spread over the seeds, a hollow dot the paper's number.
    Seconds are on a log axis that all panels share; so is the axis of modularity, from 0.
    """
    rows = table.layout.rows
    if not rows:
        return ""
    width, height = _LABELS + _PANEL * len(columns), _HEADS + _LINE * len(rows)
    with styled():
        figure, axes = pyplot().subplots(
            1, len(columns), figsize=(width, height), squeeze=False, sharey=True,
            sharex=table.layout.unit != "hops",
        )  # fmt: skip
        figure.subplots_adjust(
            left=_LABELS / width, right=0.99, top=1 - 0.3 / height, bottom=0.3 / height, wspace=0.12
        )
        for axis, column in zip(axes[0], columns, strict=True):
            _panel(axis, table, column)
        axes[0, 0].set_yticks(range(len(rows)), [row.label for row in rows], fontsize=9)
        for label, row in zip(axes[0, 0].get_yticklabels(), rows, strict=True):
            label.set(color=INK, style="italic" if row.extra else "normal")
        widest = f"max-width:{1.4 * 96 * width:.0f}px"
        return for_page(figure, f'class="plot" style="{widest}" role="img"')


def _panel(axis: Any, table: Table, column: Column) -> None:
    unit = table.layout.unit
    axis.set_title(column.dataset, fontsize=9, fontweight="bold", pad=5)
    for i, row in enumerate(table.layout.rows):
        if i % 2 == 0:
            axis.axhspan(i - 0.5, i + 0.5, color=BAND, lw=0, clip_on=False)
        cell = table.cell(row, column)
        mine = cell.median if cell.median is not None and math.isfinite(cell.median) else None
        paper = cell.published
        line = {"solid_capstyle": "round", "clip_on": False}
        dot = {"marker": "o", "ls": "", "clip_on": False}
        if mine is not None and paper is not None:
            axis.plot([mine, paper], [i, i], color=SOFT, lw=0.8, alpha=0.5, **line)
        if cell.spread and all(map(math.isfinite, cell.spread)):
            axis.plot(cell.spread, [i, i], color=OURS, lw=3, alpha=0.4, **line)
        if paper is not None:
            axis.plot(paper, i, ms=6, mfc=CARD, mec=PAPER, mew=1.6, **dot)
        if mine is not None:
            said = TIP + _said(row.label, cell, unit)
            axis.plot(mine, i, ms=7, mfc=OURS, mec="none", gid=said, **dot)
    axis.set_ylim(len(table.layout.rows) - 0.5, -0.5)
    if unit == "seconds":
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter(lambda value, _: _time(value))
        axis.xaxis.set_minor_locator(load_whole("matplotlib.ticker").NullLocator())
        axis.locator_params(axis="x", numticks=4)
    else:
        low, high = axis.get_xlim()
        axis.set_xlim(min(-0.05 * high, low), high)  # room for a dot at 0
        axis.xaxis.set_major_formatter("{x:g}")
        axis.locator_params(axis="x", nbins=4, steps=[1, 2, 5, 10])
    axis.grid(axis="x", color=LINE, lw=0.7, clip_on=False)
    axis.set_axisbelow(True)
    axis.tick_params(length=0, labelsize=7.5, labelcolor=SOFT)
    axis.spines[:].set_visible(False)


def _said(label: str, cell: Cell, unit: str) -> str:
    """Return what is shown where the pointer is on a dot."""
    text = f"{label}: {ours(cell, unit)}"
    if spread(cell, unit):
        text += f" ({spread(cell, unit)})"
    return text if cell.published is None else f"{text}; the paper: {theirs(cell, unit)}"


def _time(seconds: float) -> str:
    """Return a power of ten of seconds as an axis says it."""
    _, name, factor = next(unit for unit in _UNITS if seconds >= unit[0] * 0.999)
    return f"{seconds * factor:g}{name}"
