"""Ours beside the paper's as SVG: a panel for each data set, a line for each system."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from benchmarks.paper.report.layouts import Column, Row
from benchmarks.paper.report.tables import Cell, Table, ours, spread, theirs
from graphopt._escaping import for_html

_LABELS, _PANEL, _GAP, _LINE, _TOP, _BOTTOM = 190, 150, 18, 24, 30, 28
_RADIUS = 5.5
Scale = Callable[[float], float]


def dumbbells(table: Table, columns: Sequence[Column]) -> str:
    """Return a plot of some columns of a table.

    A filled dot is our median, a bar its spread over the seeds, a hollow dot the paper's number.
    Seconds are on a log axis that all panels share; so is the axis of modularity, from 0.
    """
    rows = table.layout.rows
    width = _LABELS + len(columns) * (_PANEL + _GAP)
    height = _TOP + len(rows) * _LINE + _BOTTOM
    parts = [  # letters of few columns need not fill the page
        f'<svg class="plot" viewBox="0 0 {width} {height}" style="max-width:{1.4 * width:g}px" '
        'role="img">'
    ]
    for i, row in enumerate(rows):
        y = _TOP + (i + 0.5) * _LINE
        style = "label extra" if row.extra else "label"
        parts.append(
            f'<text class="{style}" x="{_LABELS - 14}" y="{y + 4:g}">{for_html(row.label)}</text>'
        )
        if i % 2 == 0:
            parts.append(
                f'<rect class="band" x="0" y="{y - _LINE / 2:g}" width="{width}" height="{_LINE}"/>'
            )
    for i, column in enumerate(columns):
        left = _LABELS + i * (_PANEL + _GAP)
        parts.append(_panel(table, rows, column, left, columns))
    return "".join([*parts, "</svg>"])


def _panel(
    table: Table, rows: Sequence[Row], column: Column, left: float, columns: Sequence[Column]
) -> str:
    unit = table.layout.unit
    shared = [column] if unit == "hops" else columns
    cells = [table.cell(row, c) for row in rows for c in shared]
    scale, ticks = _axis(cells, unit)
    bottom = _TOP + len(rows) * _LINE
    parts = [
        f'<g transform="translate({left},0)">'
        f'<text class="head" x="{_PANEL / 2}" y="18">{for_html(column.dataset)}</text>'
    ]
    for value in ticks:
        x = scale(value)
        end = " first" if value == ticks[0] else " last" if x > _PANEL - 2 * _RADIUS else ""
        shift = {" first": -_RADIUS, " last": _RADIUS}.get(end, 0.0)  # to the panel's edge
        parts.append(
            f'<path class="grid" d="M{x:.1f} {_TOP}V{bottom}"/>'
            f'<text class="tick{end}" x="{x + shift:.1f}" y="{bottom + 16}">'
            f"{_tick(value, unit)}</text>"
        )
    for i, row in enumerate(rows):
        cell = table.cell(row, column)
        parts.append(_line(cell, _TOP + (i + 0.5) * _LINE, scale, unit, row.label))
    return "".join([*parts, "</g>"])


def _line(cell: Cell, y: float, scale: Scale, unit: str, label: str) -> str:
    parts = []
    mine, paper = cell.median, cell.published
    known = mine is not None and math.isfinite(mine)
    if known and paper is not None:
        parts.append(f'<path class="link" d="M{scale(mine or 0):.1f} {y:g}H{scale(paper):.1f}"/>')
    if cell.spread and all(map(math.isfinite, cell.spread)):
        low, high = (scale(value) for value in cell.spread)
        parts.append(f'<path class="spread" d="M{low:.1f} {y:g}H{high:.1f}"/>')
    if paper is not None:
        parts.append(
            f'<circle class="paper" cx="{scale(paper):.1f}" cy="{y:g}" r="{_RADIUS - 1}"/>'
        )
    if known:
        parts.append(f'<circle class="ours" cx="{scale(mine or 0):.1f}" cy="{y:g}" r="{_RADIUS}"/>')
    said = f"{label}: {ours(cell, unit)}"
    if spread(cell, unit):
        said += f" ({spread(cell, unit)})"
    if paper is not None:
        said += f"; the paper: {theirs(cell, unit)}"
    return f"<g><title>{for_html(said)}</title>{''.join(parts)}</g>" if parts else ""


def _axis(cells: Sequence[Cell], unit: str) -> tuple[Scale, list[float]]:
    """Return where a value stands in a panel, and the values to mark."""
    values = [x for cell in cells for x in (*cell.values, cell.published) if x is not None]
    values = [x for x in values if math.isfinite(x)] or [1.0]
    inner = _PANEL - 2 * _RADIUS
    if unit == "seconds":
        positive = [math.log10(max(x, 1e-6)) for x in values]
        first, last = math.floor(min(positive)), math.ceil(max(positive) + 1e-9)
        decades = max(1, last - first)

        def on_log(value: float) -> float:
            return _RADIUS + inner * (math.log10(max(value, 1e-6)) - first) / decades

        powers = range(first, first + decades + 1, max(1, math.ceil(decades / 3)))
        return on_log, [10.0**power for power in powers]
    start = min(0.0, *values)
    end = max(*values, start + 1e-9)
    step = _round_step((end - start) / 4)
    end = math.ceil(end / step) * step
    start = math.floor(start / step) * step
    marks = [start + i * step for i in range(round((end - start) / step) + 1)]
    return lambda value: _RADIUS + inner * (value - start) / (end - start), marks


def _round_step(size: float) -> float:
    power = 10.0 ** math.floor(math.log10(size))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= size * 0.999)


def _tick(value: float, unit: str) -> str:
    if unit == "seconds":
        if value < 1e-3:
            return f"{value * 1e6:g}µs"
        return f"{value * 1e3:g}ms" if value < 1 else f"{value:g}s"
    return f"{value:g}"
