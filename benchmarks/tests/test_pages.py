"""README.md and docs/ hold what the files with results hold, and no number without a source."""

from __future__ import annotations

import json
import re
import shutil
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from benchmarks.paper.__main__ import app
from benchmarks.paper.pages import build
from benchmarks.paper.pages.files import Files
from benchmarks.paper.pages.markup import regenerated, unmarked_numbers
from benchmarks.paper.pages.numbers import Numbers
from benchmarks.paper.pages.parts import Parts
from benchmarks.paper.proposition.rows import summary_of
from benchmarks.paper.report.tables import counts

ROOT = Path(__file__).parents[2]
if not (ROOT / "benchmarks/results").is_dir():  # a source distribution comes without it
    pytest.skip("there are no files with results here", allow_module_level=True)
FILES = Files(ROOT)
NOTHING = re.compile(r"(?!)")


@cache
def rebuilt() -> dict[str, str]:
    return build.rebuilt(ROOT)


@pytest.mark.parametrize("name", build.PAGES)
def test_pages_hold_what_the_files_hold(name: str) -> None:
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == rebuilt()[name], "python -m benchmarks.paper.pages.build"


def test_every_number_has_a_source() -> None:
    assert build.without_source(ROOT) == []


def test_no_source_has_two_meanings() -> None:
    assert not Numbers(FILES).by_name().keys() & Parts(FILES).by_name().keys()


def test_a_new_file_changes_the_pages(tmp_path: Path) -> None:
    for folder in ("results", "benchmarks/results", "docs"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    shutil.copy(ROOT / "README.md", tmp_path)
    race = json.loads((tmp_path / "benchmarks/results/race.json").read_text())
    race["threads"] = 77
    (tmp_path / "benchmarks/results/race.json").write_text(json.dumps(race))
    assert build.main(tmp_path) == 0
    page = (tmp_path / "docs/performance.md").read_text()
    assert "graphopt and the others on 77." in page
    assert build.rebuilt(tmp_path)["docs/performance.md"] == page


# --- sentences that no single number carries ----------------------------------------------------


def test_what_the_pages_say_of_the_race() -> None:
    """Who cannot hold the number of groups is no peer, and the fastest peer is the file's."""
    races = {race["name"]: race for race in FILES.race()["races"]}
    communities = {one["name"]: one["peer"] for one in races["communities"]["contestants"]}
    assert not communities["igraph"]
    assert not communities["networkx, Louvain"]
    for race in races.values():
        peers = [one for one in race["contestants"] if one["peer"] and one["median"] is not None]
        assert race["fastest_peer"] == min(peers, key=lambda one: one["median"])["name"]


def test_what_the_pages_say_of_ctrl_c() -> None:
    samples = [sample for one in FILES.interrupts()["functions"] for sample in one["samples"]]
    ours = [sample["delay"] for sample in samples if sample["running"] == "ours"]
    assert len(ours) > len(samples) / 3
    assert max(ours) <= 0.2


def test_what_the_results_say() -> None:
    tables = FILES.tables("results")

    def median(table: str, row: str, setting: str, dataset: str) -> float:
        value = FILES.cell("results", table, row, setting, dataset).median
        assert value is not None
        return value

    found = counts(tables.values())
    assert (
        f"{found['better']} are better here (▲), {found['equal']} equal (=), {found['worse']} worse"
        in (ROOT / "results/tables.md").read_text(encoding="utf-8")
    )
    graphs = ("cora", "citeseer", "prot", "adol", "fb")
    for row in tables["1"].layout.rows:  # "so are all other rows"
        if not row.extra:
            for column in tables["1"].layout.columns:
                if column.setting == "learning":
                    assert tables["1"].verdict(row, column) in ("better", None)
    for dataset in graphs:
        assert median("1", "Leiden", "optimization", dataset) > median(
            "1", "ClusterNet", "optimization", dataset
        )
        assert median("2", "Exact k-center", "optimization", dataset) == median(
            "2", "Local search", "optimization", dataset
        )
        others = [row.label for row in tables["2"].layout.rows]
        best = min(median("2", label, "learning", dataset) for label in others)
        assert best < median("2", "Exact k-center", "learning", dataset)
        for table, setting in (("2", "learning"), ("2c", "clean")):
            robust = median(table, "Robust k-center", setting, dataset)
            assert robust == min(median(table, label, setting, dataset) for label in others)
        for setting in ("learning", "optimization"):
            assert median("2", "ClusterNet", setting, dataset) == median(
                "2", "GCN-e2e", setting, dataset
            )
    for name in ("3", "4", "5", "6"):  # every time is below the published one
        for row in tables[name].layout.rows:
            for column in tables[name].layout.columns:
                assert tables[name].verdict(row, column) in ("better", None)


def test_what_is_said_of_local_search_and_of_proposition_1() -> None:
    for instance in FILES.exact()["instances"]:
        if "_connected, K" in instance["name"] or instance["name"].startswith(("moreno", "fb")):
            assert instance["search_radius"] == instance["radius"]
    rows = FILES.proposition()
    sources = {row.source for row in rows}
    assert len(sources) == 4
    for source in sources:
        mine = [row for row in rows if row.source == source]
        assert summary_of(source, mine).n_above_corrected == 0


# --- markers ------------------------------------------------------------------------------------


def test_markers() -> None:
    sources = {"n": lambda *names, sign="": f"{sign}{len(names)}.5", "part": lambda: "| a |\n"}
    page = 'x 7<!--= n("a",\n "b") -->, **-1<!--= n(sign="-") -->**\n<!-- begin: part() -->\nold\n'
    page += "<!-- end -->\n"
    assert regenerated(page, sources) == (
        'x 2.5<!--= n("a",\n "b") -->, **-0.5<!--= n(sign="-") -->**\n'
        "<!-- begin: part() -->\n| a |\n<!-- end -->\n"
    )
    assert list(unmarked_numbers(page, NOTHING)) == []


@pytest.mark.parametrize(
    "call", ["unknown()", "n", "n(x)", "n(", "n.m()", "(lambda: 1)()", 'n("a") + n("b")']
)
def test_markers_only_call_sources_with_constants(call: str) -> None:
    with pytest.raises(ValueError, match="must call a source with constants"):
        regenerated(f"7<!--= {call} -->", {"n": lambda *names: "1"})


def test_a_number_must_be_one() -> None:
    with pytest.raises(ValueError, match="which is no number"):
        regenerated("7<!--= n() -->", {"n": lambda: "many"})


def test_unmarked_numbers() -> None:
    page = "It is 3.5 times, `n = 4`, [x](a1.md), 1<!--= n() -->, 20 seeds.\n```\n5\n```\n"
    found = list(unmarked_numbers(page, re.compile(r"\d+ seeds")))
    assert [line.split()[0] for line in found] == ["3.5"]
    assert "It is 3.5 times" in found[0]


def test_cells_that_are_not_there() -> None:
    with pytest.raises(ValueError, match="no cell 1, Nobody"):
        FILES.cell("results", "1", "Nobody", "learning", "cora")
    with pytest.raises(ValueError, match="no loss of decide"):
        FILES.decided("decide", "loss", "community", ["learning"], ["karate"])


@pytest.mark.parametrize("page", ["docs/results.md"])
def test_commands_of_the_laboratory(page: str) -> None:
    """Every laboratory command and option that a page names exists."""
    commands = get_command(app).commands  # type: ignore[attr-defined]
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S)
    shell = "".join(text for language, text in fenced if not language)
    named = re.findall(r"^python -m benchmarks\.paper ([a-z]+)((?: [^#\n]*)?)", shell, re.M)
    assert len(named) >= 1
    for command, rest in named:
        options = {option for one in commands[command].params for option in one.opts}
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in options, f"{command} {option}"
