"""The tables with numbers, in every form."""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from experiment_results import failure, made_up
from rich.console import Console

from benchmarks.paper.jobs.specs import COMPLETING, DATASETS, FULL, QUICK, Job, make_job
from benchmarks.paper.jobs.store import Store
from benchmarks.paper.report.layouts import LAYOUTS, Column, jobs_of
from benchmarks.paper.report.maps import COLORS, arranged, group_map, site_map
from benchmarks.paper.report.plan import plan
from benchmarks.paper.report.plots import dumbbells
from benchmarks.paper.report.render import as_html, as_markdown, print_report
from benchmarks.paper.report.report import Report, as_json
from benchmarks.paper.report.tables import Cell, Table, fill, number, ours, spread, theirs
from graphopt import Graph, datasets

FACILITIES = next(layout for layout in LAYOUTS if layout.name == "2")


@pytest.fixture(scope="module")
def two_seeds(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Every job done."""
    return report_on(jobs_of(LAYOUTS, 2), tmp_path_factory.mktemp("results"))


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, two_seeds: Report) -> Report:
    """The same, and the graph that the decisions belong to."""
    drawn = datasets.synthetic(60, random_state=0)
    monkeypatch.setattr(datasets, "load", lambda name: drawn)
    return two_seeds


def report_on(jobs: Sequence[Job], folder: Path, n_seeds: int = 2, quick: bool = False) -> Report:
    effort = QUICK if quick else FULL
    wanted = plan((), DATASETS, n_seeds=n_seeds, effort=effort, everything=True)
    with Store(folder / "results.sqlite") as store:
        for job in jobs:
            decision = [i % 10 for i in range(60)]
            if job.task == "facility":
                decision = list(range(10))
            store.add(made_up(job, decisions={"ClusterNet": decision}))
        tables, sheets = wanted.fill(store)
        rows = list(store.rows(wanted.shown()))
        return Report(tables, rows, store.machines(), n_seeds, quick, sheets)


def printed(report: Report, width: int = 130) -> str:
    console = Console(width=width, record=True, file=io.StringIO())
    print_report(report, console)
    return console.export_text()


_PAGES: dict[int, tuple[Report, str]] = {}  # the report is kept, so that its id stays its own


def page_of(report: Report) -> str:
    """Return the page of a report, which takes seconds to draw, once."""
    if id(report) not in _PAGES:
        _PAGES[id(report)] = report, as_html(report)
    return _PAGES[id(report)][1]


def test_no_cell_is_empty(example: Report) -> None:
    for table in example.tables:
        for row in table.layout.rows:
            for column in table.layout.columns:
                cell = table.cell(row, column)
                nothing = row.system in COMPLETING and column.setting == "optimization"
                assert len(cell.values) == (0 if nothing else 2)
                assert cell.applies != nothing
    for text in (printed(example), as_markdown(example), page_of(example)):
        assert "not run" not in text
        assert "failed" not in text


def test_ours_beside_theirs(example: Report) -> None:
    first = example.tables[0]
    row, column = first.layout.rows[0], Column("learning", "cora")
    cell = first.cell(row, column)
    assert cell.published == 0.56
    assert cell.median == pytest.approx(sum(cell.values) / 2)
    median = number(cell.median or 0, "modularity")
    text = printed(example)
    for layout in LAYOUTS:
        assert f"Table {layout.name}. {layout.title}" in text
    assert re.search(rf"ClusterNet +{median} [▲▼=] 0\.56", text)
    assert f"{median}" in as_markdown(example)
    assert f"<b>{median}</b>" in page_of(example)
    found = json.loads(as_json(example))
    assert [table["table"] for table in found["tables"]] == [layout.name for layout in LAYOUTS]
    cells = found["tables"][0]["cells"]
    assert len(cells) == len(first.layout.rows) * 10
    assert cells[0]["published"] == 0.56
    assert cells[0]["values"] == list(cell.values)


def test_where_it_ran_and_how_well(example: Report) -> None:
    for text in (printed(example), as_markdown(example), page_of(example)):
        assert "an abacus, 2 threads, beads" in text
        assert "i9-7940X" in text
        assert "Medians over 2 seeds" in text
        assert "Of 254 published numbers" in text
        assert "Quick run" not in text


def test_what_the_paper_does_better_is_listed(example: Report) -> None:
    text = as_markdown(example)
    worse = example.worse
    assert f", {len(worse)} worse (▼)" in example.headline
    assert text.count("\n- Table ") == len(worse) == text.count(" ▼ ") > 0
    cell = example.tables[0].cell(example.tables[0].layout.rows[0], Column("learning", "cora"))
    median = number(cell.median or 0, "modularity")
    line = f"Table 1, learning + optimization, ClusterNet, cora: {median} against 0.56"
    assert (line in worse) == ((cell.median or 0) < 0.555)
    perfect = Report([], example.rows, example.machines, 2, False)
    assert perfect.worse == []
    assert "paper's number is better" not in as_markdown(perfect)


def test_a_quick_run_says_so(tmp_path: Path) -> None:
    report = report_on([make_job("Leiden", "fb", "community", "learning", 0)], tmp_path, 1, True)
    for text in (" ".join(printed(report).split()), as_markdown(report), page_of(report)):
        assert "Quick run: few training steps" in text
        assert "not run" in text
    assert json.loads(as_json(report))["quick"] is True


def test_a_line_for_every_machine_that_reads_differently(example: Report) -> None:
    (first, *rest), (name,) = example.rows, example.machines
    known = example.machines[name]
    for change, n_lines in (({"memory": 1}, 1), ({"processor": "a slide rule"}, 2)):
        report = replace(
            example,
            rows=[replace(first, machine="other"), *rest],
            machines={name: known, "other": known | change},
        )
        assert len(report.ran_on) == n_lines + 1  # and the paper's
        assert set(example.ran_on) <= set(report.ran_on)


def test_failures_are_shown(tmp_path: Path) -> None:
    job = make_job("Leiden", "fb", "community", "learning", 0)
    with Store(tmp_path / "results.sqlite") as store:
        store.add(failure(job))
        report = Report(
            fill(LAYOUTS, store.look_up(), 1), list(store.rows()), store.machines(), 1, False
        )
    assert "failed: Leiden, fb, community, learning, seed 0: ValueError: no <luck>" in printed(
        report
    )
    assert r"no \<luck\>" in as_markdown(report)
    assert "no &lt;luck&gt;" in page_of(report)
    assert "<luck>" not in page_of(report)


def test_the_page_stands_alone(example: Report) -> None:
    page = page_of(example)
    assert "<script" not in page
    assert not re.search(r'(src|href)="(?!#)', page)
    assert "url(" not in page
    assert "@import" not in page
    assert page.count("<section") == len(LAYOUTS) + 3 + 2
    assert page.count('<svg class="map"') == 10
    assert page.count('<svg class="plot"') >= len(LAYOUTS)
    assert "<title>ClusterNet: " in page  # what is shown under the pointer
    assert "#01020" not in page  # colors of the page take the place of those
    assert "prefers-color-scheme: dark" in page
    assert len(page) < 4_000_000


# --- cells ----------------------------------------------------------------------------------------


def test_verdicts_are_as_precise_as_the_paper() -> None:
    column = Column("learning", "cora")
    for layout, value, verdict in (
        (LAYOUTS[0], 0.564, "equal"),
        (LAYOUTS[0], 0.566, "better"),
        (LAYOUTS[0], 0.554, "worse"),
        (FACILITIES, 9.0, "equal"),
        (FACILITIES, 8.0, "better"),
        (FACILITIES, math.inf, "worse"),
    ):
        row = layout.rows[0]
        cell = Cell((value,), layout.published(row, column))
        assert Table(layout, {(row.label, column): cell}).verdict(row, column) == verdict


def test_cells_as_text() -> None:
    cell = Cell((0.5, 0.25, 0.75), 0.1)
    assert (cell.median, cell.spread) == (0.5, (0.25, 0.75))
    assert ours(cell, "modularity") == "0.500"
    assert spread(cell, "modularity") == "0.250–0.750"
    assert spread(Cell((-0.152, -0.151), 0.0), "modularity") == "-0.152 to -0.151"
    assert spread(Cell((-0.1, 0.1), 0.0), "modularity") == "-0.100 to 0.100"
    assert theirs(cell, "modularity") == "0.10"
    assert spread(Cell((8.0, 8.0), 9.0), "hops") == ""
    assert ours(Cell((), None, applies=False), "hops") == "–"
    assert ours(Cell((), None, missing=1), "hops") == "not run"
    assert ours(Cell((), None, failed=1, missing=1), "hops") == "failed"
    assert ours(Cell((8.0, math.inf, math.inf), 9.0), "hops") == "∞"
    assert theirs(Cell((), 1237.871), "seconds") == "1,237.87"


def test_an_unreachable_node_is_an_infinite_distance(tmp_path: Path) -> None:
    job = make_job("Train-greedy", "fb", "facility", "learning", 0)
    outcomes = {"Train-greedy": dict.fromkeys(("score", "mean_distance", "p95_distance"), None)}
    with Store(tmp_path / "results.sqlite") as store:
        store.add(made_up(job, outcomes=outcomes))
        table = fill([FACILITIES], store.look_up(), 1)[0]
    row = next(row for row in table.layout.rows if row.label == "Train-greedy")
    assert table.cell(row, Column("learning", "fb")).values == (math.inf,)
    assert "∞" in ours(table.cell(row, Column("learning", "fb")), "hops")
    assert "<svg" in dumbbells(table, table.layout.columns[:5])


@pytest.mark.parametrize(
    ("name", "system", "seen", "regrets"),
    [
        ("1d", "Train-CNM", (0.6, 0.9), (0.25, -0.05)),  # short of the best, 0.85, and above it
        ("2d", "Train-greedy", (9.0, None), (3.0, math.inf)),  # 6 hops are the optimum
    ],
)
def test_regret_is_the_distance_to_the_best_that_saw_everything(
    name: str,
    system: str,
    seen: tuple[float, float | None],
    regrets: tuple[float, float],
    tmp_path: Path,
) -> None:
    layout = next(layout for layout in LAYOUTS if layout.name == name)
    best = {"community": (0.8, 0.85), "facility": (7.0, 6.0)}[layout.task]
    row = next(row for row in layout.rows if row.label == system)
    column = Column("clean", "fb")
    with Store(tmp_path / "results.sqlite") as store:
        for seed, score in enumerate(seen):
            job = make_job(system, "fb", layout.task, "clean", seed)
            store.add(made_up(job, outcomes={system: {"score": score}}))
        cell = fill([layout], store.look_up(), 2)[0].cell(row, column)
        assert (cell.values, cell.missing) == ((), 2)  # nothing to measure by yet
        assert ours(cell, layout.unit) == "not run"
        for seed, score in enumerate(best):
            job = layout.reference_job(column, seed)
            assert job is not None
            store.add(made_up(job, outcomes={job.system: {"score": score}}))
        table = fill([layout], store.look_up(), 2)[0]
    assert table.cell(row, column).values == pytest.approx(regrets)
    assert table.verdict(row, column) is None
    assert "<svg" in dumbbells(table, [column])


# --- maps -----------------------------------------------------------------------------------------


def test_every_node_has_its_place() -> None:
    graph = datasets.synthetic(120, random_state=0).graph
    labels = [i % 4 for i in range(graph.n_nodes)]
    drawing = group_map(graph, labels)
    part, _ = graph.largest_component()

    def path(name: str) -> str:
        return "".join(re.findall(rf'<g class="{name}">\s*<path d="([^"]*)"', drawing))

    assert path("dots").count("M") == part.n_nodes
    assert (path("across") + path("inside")).count("L") == part.n_edges
    assert 'class="land"' in drawing
    for color in COLORS[:4]:
        assert color in drawing
    assert group_map(graph, labels) == drawing


def test_facilities_are_numbered_cities() -> None:
    graph = datasets.synthetic(120, random_state=0).graph
    drawing = site_map(graph, [3, 50, 7])
    found = re.findall(r'<g class="city">.*?>(\d)</text>', drawing, re.S)
    assert found == ["1", "2", "3"]


@pytest.mark.parametrize("n_groups", [1, 2, 5])
def test_small_graphs_can_be_drawn(n_groups: int) -> None:
    graph = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4)])
    drawing = group_map(graph, [i % n_groups for i in range(5)])
    assert "nan" not in drawing
    places = arranged(graph, graph.degrees)
    assert places.shape == (5, 2)
