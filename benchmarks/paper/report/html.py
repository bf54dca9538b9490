"""The report as one HTML page that needs nothing else: tables, plots, maps."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from itertools import groupby

from benchmarks.paper.jobs.store import Stored
from benchmarks.paper.report.layouts import SETTINGS, Column
from benchmarks.paper.report.maps import group_map, site_map
from benchmarks.paper.report.plots import dumbbells
from benchmarks.paper.report.sheets import for_page
from benchmarks.paper.report.tables import Table, counts, number, ours, spread, theirs
from benchmarks.paper.report.text import MARKS, QUICK_NOTE, Report
from graphopt import datasets
from graphopt._escaping import for_html
from graphopt.errors import GraphoptError

_MAPPED = "ClusterNet"
_LEGEND = (
    '<div class="legend"><span><svg viewBox="0 0 26 14"><circle class="ours" cx="13" cy="7" '
    'r="5.5"/></svg>here, median</span><span><svg viewBox="0 0 26 14"><path class="spread" '
    'd="M3 7H23"/></svg>smallest to largest</span><span><svg viewBox="0 0 26 14"><circle '
    'class="paper" cx="13" cy="7" r="4.5"/></svg>the paper</span></div>'
)


def as_html(report: Report) -> str:
    """Return the page; it loads nothing and runs no script."""
    style = resources.files(__package__).joinpath("report.css").read_text("utf-8")
    body = [*_head(report), *(_table_section(table) for table in report.tables)]
    body += [for_page(sheet) for sheet in report.sheets]
    body += [_map_section(report), _where(report)]
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>graphopt: the paper's tables</title><style>{style}</style></head>"
        f"<body><main>{''.join(body)}</main></body></html>\n"
    )


def _head(report: Report) -> Iterator[str]:
    yield "<h1>The paper's tables, run again</h1>"
    yield (
        '<p class="soft">Wilder, Ewing, Dilkina, Tambe: End to end learning and optimization on '
        "graphs, NeurIPS 2019, supplementary material, K = 10.</p>"
    )
    if report.quick:
        yield f'<div class="banner">{for_html(QUICK_NOTE)}</div>'
    found = counts(report.tables)
    words = {
        "better": "better than the paper",
        "equal": "equal to the paper",
        "worse": "worse than the paper",
    }
    tiles = "".join(
        f'<div class="tile {kind}"><b>{found[kind]}</b>{MARKS[kind]} {text}</div>'
        for kind, text in words.items()
    )
    if report.tables:
        yield f'<div class="tiles">{tiles}</div>'
    yield f"<p>{for_html(report.headline)}</p>"
    names = [table.layout.name for table in report.tables] + [s.name for s in report.sheets]
    links = "".join(
        f'<a href="#table-{for_html(name)}">Table {for_html(name)}</a>' for name in names
    )
    maps = '<a href="#maps">Maps</a>' if _mapped(report) else ""
    yield f'<nav>{links}{maps}<a href="#where">Where</a></nav>'


# --- tables ---------------------------------------------------------------------------------------


def _table_section(table: Table) -> str:
    layout = table.layout
    plots = "".join(
        f"<h3>{for_html(SETTINGS[setting])}</h3><figure>{dumbbells(table, columns)}</figure>"
        for setting, columns in _settings(table)
    )
    axis = " The axis is logarithmic." if layout.unit == "seconds" else ""
    pictures = f"{_LEGEND}{plots}" if layout.name.isdecimal() else (
        f"<details><summary>Plot</summary>{plots}</details>"
    )  # fmt: skip
    return (
        f'<section id="table-{for_html(layout.name)}">'
        f"<h2>Table {for_html(layout.name)}. {for_html(layout.title)}</h2>"
        f'<p class="soft">{for_html(layout.note)}{axis}</p>'
        f'<div class="scroll">{_table(table)}</div>{pictures}</section>'
    )


def _table(table: Table) -> str:
    layout = table.layout
    above = "".join(
        f'<th class="first" colspan="{len(columns)}">{for_html(SETTINGS[setting])}</th>'
        for setting, columns in _settings(table)
    )
    first = {columns[0] for _, columns in _settings(table)}
    names = "".join(
        f"<th{' class=first' if column in first else ''}>{for_html(column.dataset)}</th>"
        for column in layout.columns
    )
    lines = []
    for row in layout.rows:
        cells = []
        for column in layout.columns:
            cell, verdict = table.cell(row, column), table.verdict(row, column)
            small = [f"<small>{spread(cell, layout.unit)}</small>"] * bool(
                spread(cell, layout.unit)
            )
            if cell.published is not None:
                small.append(f"<small>{MARKS[verdict]} {theirs(cell, layout.unit)}</small>")
            kinds = [verdict or "none", *["first"] * (column in first)]
            cells.append(
                f'<td class="{" ".join(kinds)}"><b>{ours(cell, layout.unit)}</b>'
                f"{''.join(small)}</td>"
            )
        kind = ' class="extra"' if row.extra else ""
        lines.append(f"<tr{kind}><td>{for_html(row.label)}</td>{''.join(cells)}</tr>")
    return (
        f'<table><thead><tr class="settings"><th></th>{above}</tr><tr><th></th>{names}</tr>'
        f"</thead><tbody>{''.join(lines)}</tbody></table>"
    )


def _settings(table: Table) -> list[tuple[str, list[Column]]]:
    """Return the columns of each setting."""
    grouped = groupby(table.layout.columns, key=lambda column: column.setting)
    return [(setting, list(columns)) for setting, columns in grouped]


# --- maps -----------------------------------------------------------------------------------------


def _mapped(report: Report) -> list[Stored]:
    """Return the jobs whose decisions are drawn."""
    rows = [
        row
        for row in report.rows
        if row.job.system == _MAPPED and row.job.setting == "learning" and row.job.seed == 0
        and row.error is None
    ]  # fmt: skip
    return sorted(rows, key=lambda row: row.job.task)


def _map_section(report: Report) -> str:
    rows = _mapped(report)
    if not rows:
        return ""
    if report.quick:  # one of each task
        rows = [next(same) for _, same in groupby(rows, key=lambda row: row.job.task)]
    figures = "".join(_map(row) for row in rows)
    return (
        '<section id="maps"><h2>Maps</h2><p class="soft">What ClusterNet decided from the seen '
        "edges (seed 0), on the whole graph: its largest component, drawn with groups as "
        "countries, or with facilities as cities and the nodes nearest to each as its country. "
        "A ring marks the nodes that are farthest from any facility, where they are few.</p>"
        f'<div class="maps">{figures}</div></section>'
    )


def _map(row: Stored) -> str:
    job = row.job
    try:
        data = datasets.load(job.data)
    except GraphoptError as error:
        return f'<p class="soft">{for_html(job.data)} cannot be drawn: {for_html(error)}</p>'
    if not isinstance(data, datasets.Dataset):
        return ""
    community = job.task == "community"
    draw = group_map if community else site_map
    score = row.outcomes[_MAPPED]["score"]
    unit = "modularity" if community else "hops"
    said = "not every node is reached" if score is None else number(score, unit)
    caption = f"{data.name}: {'modularity' if community else 'largest distance'} {said}"
    return (
        f"<figure>{draw(data.graph, row.decisions[_MAPPED])}"
        f"<figcaption>{for_html(caption)}</figcaption></figure>"
    )


# --- the rest -------------------------------------------------------------------------------------


def _where(report: Report) -> str:
    lines = "".join(f"<li>{for_html(line)}</li>" for line in report.ran_on)
    failed = "".join(_failure(row) for row in report.failed)
    failures = f"<h3>Failed jobs</h3>{failed}" if failed else ""
    return f'<section id="where"><h2>Where</h2><ul>{lines}</ul>{failures}</section>'


def _failure(row: Stored) -> str:
    return (
        f"<details><summary>{for_html(row.job.label)}</summary>"
        f"<pre>{for_html(row.error or '')}</pre></details>"
    )
