"""python -m benchmarks.paper tables: from arguments to files, on one process and on a cluster."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import threading
import warnings
import zlib
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from experiment_results import failure, made_up
from rich.console import Console
from typer.testing import CliRunner, Result

from benchmarks.paper.__main__ import app
from benchmarks.paper.jobs import runner, specs
from benchmarks.paper.jobs.execution import Finished
from benchmarks.paper.jobs.progress import Display, in_words, summary
from benchmarks.paper.jobs.runner import run
from benchmarks.paper.jobs.specs import Job, make_job
from benchmarks.paper.jobs.store import Store
from graphopt import datasets, get_num_threads, set_num_threads

JOBS = [
    make_job(system, dataset, "community", "learning", 0)
    for system in ("Leiden", "Train-CNM")
    for dataset in specs.SINGLE
]


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["tables", *map(str, arguments)])


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> datasets.Dataset:
    """What every data set of one graph is, for a test."""
    graph = datasets.synthetic(60, random_state=0)
    monkeypatch.setattr(datasets, "load", lambda name: graph)
    return graph


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch, drawn: datasets.Dataset) -> list[Job]:
    """Nothing is run; the list says what would have been."""
    ran: list[Job] = []

    def pretend(job: Job, threads: int) -> Finished:
        ran.append(job)
        if job.system == "Train-SC":
            return failure(job)
        decision = list(range(10)) if job.task == "facility" else [i % 10 for i in range(60)]
        return made_up(job, decisions={job.system: decision})

    monkeypatch.setattr(runner, "execute", pretend)
    return ran


# --- command line ---------------------------------------------------------------------------------


def test_tables_and_files(pretended: list[Job], tmp_path: Path) -> None:
    result = invoke("--table", 2, "--datasets", "cora,fb", "--seeds", 2, "--output", tmp_path)
    assert result.exit_code == 0, result.stderr
    assert "Table 2. Facilities: largest distance on the full graph, in hops" in result.stdout
    assert "Table 1." not in result.stdout
    assert "citeseer" not in result.stdout
    # seeds, data sets, systems: in both settings and on fresh splits, those that predict edges in
    # all but one; decide only where it is asked for
    n_jobs = 2 * 2 * (3 * 6 + 2 * 2)
    assert len(pretended) == n_jobs
    assert f"{n_jobs} jobs, 0 of them done before" in result.stderr
    assert re.search(
        rf"\n *1/{n_jobs} ClusterNet, cora, facility, learning, seed 0: ", result.stderr
    )
    assert f"\n{n_jobs}/{n_jobs} " in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {
        "results.sqlite",
        "results.csv",
        "tables.md",
        "report.html",
    }
    again = invoke("--table", 2, "--datasets", "cora,fb", "--seeds", 2, "--output", tmp_path)
    assert len(pretended) == n_jobs
    assert again.stdout == result.stdout


def test_a_failed_job_is_told_and_tried_again(pretended: list[Job], tmp_path: Path) -> None:
    options = ["--table", 3, "--datasets", "fb", "--seeds", 1, "--output", tmp_path]
    result = invoke(*options)
    assert result.exit_code == 1
    assert "failed: Train-SC, fb, community, learning, seed 0: ValueError" in result.stdout
    assert "FAILED, ValueError: no <luck>" in result.stderr
    n_jobs = len(specs.SYSTEMS["community"]) - 1  # decide is for the library's own tables
    assert len(pretended) == n_jobs
    assert invoke(*options).exit_code == 1
    assert [job.system for job in pretended[n_jobs:]] == ["Train-SC"]


def test_json_alone_on_standard_output(pretended: list[Job], tmp_path: Path) -> None:
    result = invoke("--quick", "--all", "--json", "--output", tmp_path)
    found = json.loads(result.stdout)
    assert found["quick"] is True
    assert found["seeds"] == 1
    names = {table["table"] for table in found["tables"]}
    assert names >= set("123456")
    assert not names & {"1c", "1d", "2c", "2d"}  # a quick run has no fresh splits
    for table in found["tables"]:
        for cell in table["cells"]:
            failed = cell["row"] == "Train-SC"
            assert (cell["median"] is not None) == (cell["applies"] and not failed)
    for job in pretended:
        if job.setting == "inductive":
            assert job.graphs == (1 if job.system in specs.SLOW else 3)
    assert [sheet["table"] for sheet in found["sheets"]] == ["goals", "picks"]


def test_the_goals_need_few_jobs(pretended: list[Job], tmp_path: Path) -> None:
    options = ["--table", "goals", "--datasets", "cora,fb", "--seeds", 2, "--output", tmp_path]
    result = invoke(*options)
    assert result.exit_code == 0, result.stderr
    assert {job.system for job in pretended} == {"decide", "Leiden", "Exact k-center"}
    # seeds, data sets, tasks, systems, settings
    assert len(pretended) == 2 * 2 * 2 * 2 * 3
    for text in (
        result.stdout,
        (tmp_path / "tables.md").read_text("utf-8"),
        (tmp_path / "report.html").read_text("utf-8"),
    ):
        assert "Table goals. What a good baseline reaches" in text
        assert "communities from seen edges, at least" in text
        assert "Table 1." not in text
        assert "published numbers" not in text
    found = json.loads(invoke(*options, "--json").stdout)
    assert found["tables"] == []
    (sheet,) = found["sheets"]
    assert sheet["columns"] == ["cora", "fb"]
    assert [line["label"] for line in sheet["lines"] if line["head"]] == [
        "communities from seen edges, at least",
        "communities from all edges, at least",
        "facilities from seen edges, at most",
        "facilities from all edges, at most",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--table", "7"], "not '7'"),
        (["--table", "victory"], "table must be one of 1, 2, 3, 4, 5, 6, goals, picks, regret"),
        (["--table", "goals", "--datasets", "pubmed"], "table goals has no column for pubmed"),
        (["--table", "regret", "--quick"], "without fresh splits"),
        (["--table", "1", "--all"], "give --table or --all, not both"),
        (["--datasets", "karate"], "not 'karate'"),
        (["--table", "5", "--datasets", "cora"], "table 5 has no column for cora"),
        (["--seeds", "0"], "--seeds"),
        (["--jobs", "0"], "--jobs"),
    ],
)
def test_wrong_usage(options: list[str], message: str) -> None:
    result = invoke(*options)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


# --- progress -------------------------------------------------------------------------------------


def test_people_see_a_bar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(force_terminal=True, width=220)
    with Display(console, 3) as display:
        for job in JOBS[:2]:
            display.started(job)
        display.finished(made_up(JOBS[0]), 130.0)
        display.finished(failure(JOBS[1]), None)
        display.started(JOBS[2])
    said = capsys.readouterr().out
    assert "2 min left" in said
    assert "Leiden prot community learning" in said
    assert "1/3 Leiden, cora, community, learning, seed 0: " in re.sub(
        r"\x1b\[[0-9;?]*[A-Za-z]", "", said
    )


def test_lines() -> None:
    assert "(1.5 s)" in summary(made_up(JOBS[0]))
    assert summary(failure(JOBS[0])).endswith("FAILED, ValueError: no <luck>")
    unreached = made_up(
        make_job("Train-greedy", "fb", "facility", "learning", 0),
        outcomes={"Train-greedy": {"score": None}},
    )
    assert ": unreachable (1.5 s)" in summary(unreached)
    assert in_words(61.0) == "61 s"


# --- workers --------------------------------------------------------------------------------------


def decided(store: Store) -> dict[str, Any]:
    return {row.job.key: (row.decisions, row.error) for row in store.rows()}


@pytest.fixture
def alone(drawn: datasets.Dataset, tmp_path: Path) -> dict[str, Any]:
    """What comes out in this process, one job after the other."""
    with Store(tmp_path / "alone.sqlite") as store:
        run(JOBS, store)
        found = decided(store)
    assert len(found) == len(JOBS)
    assert all(error is None for _, error in found.values())
    return found


def test_a_dask_cluster_takes_the_jobs(alone: dict[str, Any], tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cluster in a test leaves sockets to the collector
        distributed = pytest.importorskip(
            "distributed", reason="dask[distributed] is not installed"
        )
        with (
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster),
            Store(tmp_path / "dask.sqlite") as store,
        ):
            with joblib.parallel_config(backend="dask"):
                results = run(JOBS, store)
            found = decided(store)
    assert len(results) == len(JOBS)
    assert found == alone
    assert {result.threads for result in results} == {max(1, get_num_threads() // 2)}


def test_threads_take_the_jobs(alone: dict[str, Any], tmp_path: Path) -> None:
    set_num_threads(2)
    watched: list[str] = []
    lock = threading.Lock()

    class Watcher:
        def started(self, job: Job) -> None:
            with lock:
                watched.append(f"started {job.label}")

        def finished(self, result: Finished, seconds_left: float | None) -> None:
            assert seconds_left is not None
            with lock:
                watched.append(f"finished {result.job.label}")

    try:
        with (
            Store(tmp_path / "threads.sqlite") as store,
            joblib.parallel_config(backend="threading"),
        ):
            results = run(JOBS, store, n_jobs=2, watcher=Watcher())
            assert decided(store) == alone
        assert get_num_threads() == 2  # as before, whatever the jobs were given
    finally:
        set_num_threads(None)
    assert {result.threads for result in results} == {1}
    assert len(watched) == 2 * len(JOBS)
    for job in JOBS:
        assert watched.index(f"started {job.label}") < watched.index(f"finished {job.label}")


def test_processes_take_the_jobs(tmp_path: Path) -> None:
    """Workers load the data themselves; without data the error comes back and is kept."""
    with Store(tmp_path / "processes.sqlite") as store:
        results = run(JOBS[:2], store, n_jobs=2, threads=1)
        assert len(list(store.rows())) == len(results) == 2
        assert all(result.error is None or "NotFound" in result.error for result in results)


def test_a_failing_job_is_recorded_and_the_rest_goes_on(
    drawn: datasets.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(name: str) -> datasets.Dataset:
        if name == "prot":
            raise RuntimeError("the dog ate it")
        return drawn

    monkeypatch.setattr(datasets, "load", load)
    with Store(tmp_path / "results.sqlite") as store:
        run(JOBS, store)
        rows = list(store.rows(JOBS))
        assert len(rows) == len(JOBS)
        for row in rows:
            assert (row.status == "failed") == (row.job.dataset == "prot")
            if row.error is not None:
                assert "RuntimeError: the dog ate it" in row.error
                assert "Traceback" in row.error
        monkeypatch.setattr(datasets, "load", lambda name: drawn)
        assert {result.job.dataset for result in run(JOBS, store)} == {"prot"}
        assert store.pending(JOBS) == []
        assert run(JOBS, store) == []


# --- the page in a browser ------------------------------------------------------------------------

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)


def browse(page: Path, *options: str) -> str:
    """Open a page in headless Chromium, which may not use the network."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
        "--disable-dev-shm-usage", "--proxy-server=127.0.0.1:9", "--window-size=1280,1600",
        f"--user-data-dir={page.parent / 'profile'}", "--virtual-time-budget=2000",
        *options, page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


def pixels(file: Path) -> np.ndarray:
    """Return the colors of a PNG as Chromium writes it: 8 bits, 3 or 4 channels, one picture."""
    content = file.read_bytes()
    width, height = (int.from_bytes(content[i : i + 4], "big") for i in (16, 20))
    channels = {2: 3, 6: 4}[content[25]]
    data, at = b"", 8
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        if content[at + 4 : at + 8] == b"IDAT":
            data += content[at + 8 : at + 8 + size]
        at += size + 12
    # Filtered lines differ from colors, but not in whether a picture is one plain area.
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, -1)
    return lines[:, 1:].reshape(height, width, channels)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium to look at the page with")
def test_the_page_as_a_browser_shows_it(pretended: list[Job], tmp_path: Path) -> None:
    invoke("--all", "--datasets", "cora,synthetic", "--seeds", 2, "--output", tmp_path)
    page = tmp_path / "report.html"
    tree = browse(page, "--dump-dom")
    assert "The paper's tables, run again" in tree
    for name in "123456":
        assert f'id="table-{name}"' in tree
    assert tree.count('<svg class="map"') == 2
    assert tree.count('<svg class="plot"') == 33  # one for each setting of a table
    assert " 0.56</small>" in tree
    for name in ("goals", "regret", "picks"):
        assert f'<section id="table-{name}">' in tree
    colors = {}
    for theme, option in (("light", "1"), ("dark", "0")):
        shot = tmp_path / f"{theme}.png"
        browse(page, f"--screenshot={shot}", f"--blink-settings=preferredColorScheme={option}")
        seen = pixels(shot)
        assert seen.shape[0] >= 1200
        assert (seen != 0).mean() > 0.02  # filtered: a plain area is all zeros
        colors[theme] = base64.b64encode(shot.read_bytes())[:4000]
    assert colors["light"] != colors["dark"]
