"""Finished jobs in a file."""

from __future__ import annotations

import csv
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from experiment_results import failure, made_up

from benchmarks.paper.jobs.specs import TWO_STAGE, make_job
from benchmarks.paper.jobs.store import Store, export_csv

JOBS = [
    make_job("Leiden", "fb", "community", "learning", 0),
    make_job(TWO_STAGE, "fb", "community", "learning", 0),
    make_job("Leiden", "fb", "community", "learning", 1),
]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "new" / "results.sqlite"
    written = made_up(JOBS[1], peak_bytes=123)
    with Store(path) as store:
        store.add(written)
    with Store(path) as store:
        (row,) = store.rows()
        assert store.pending(JOBS) == [JOBS[0], JOBS[2]]
        assert store.machines()[row.machine]["processor"] == "an abacus"
    assert row.job == written.job
    assert (row.outcomes, row.decisions) == (written.outcomes, written.decisions)
    assert (row.seconds, row.peak_bytes, row.threads, row.status) == (1.5, 123, 2, "done")
    assert row.finished_at == "2026-01-01T00:00:00+00:00"


def test_a_failed_job_is_tried_again(tmp_path: Path) -> None:
    with Store(tmp_path / "results.sqlite") as store:
        store.add(failure(JOBS[0]))
        (row,) = store.rows([*JOBS])
        assert row.status == "failed"
        assert row.error is not None
        assert "ValueError" in row.error
        assert store.pending(JOBS) == JOBS
        store.add(made_up(JOBS[0]))
        assert [row.status for row in store.rows()] == ["done"]
        assert store.pending(JOBS) == JOBS[1:]


@pytest.mark.parametrize("content", [b"not a database, by far", b""])
def test_something_else(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    path.write_bytes(content)
    if content:
        with pytest.raises(ValueError, match="is damaged or something else: file is not"):
            Store(path)
    else:  # an empty file is an empty database
        Store(path).close()


def test_somebody_elses_database(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE cats (name)")
    other.close()
    with pytest.raises(ValueError, match="format 1; name another file, or move it away"):
        Store(path)


def test_a_table_for_other_programs(tmp_path: Path) -> None:
    path = tmp_path / "results.csv"
    with Store(tmp_path / "results.sqlite") as store:
        store.add(made_up(JOBS[0]))
        store.add(made_up(JOBS[1]))
        store.add(failure(JOBS[2]))
        export_csv(store.rows(JOBS), path)
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert [line["row"] for line in lines] == [
        "Leiden",
        "GCN-2stage-CNM",
        "GCN-2stage-Newman",
        "GCN-2stage-SC",
        "Leiden",
    ]
    assert float(lines[0]["score"]) == made_up(JOBS[0]).outcomes["Leiden"]["score"]
    assert lines[0]["auc"] == ""
    assert lines[1]["auc"] != ""
    assert lines[4]["error"] == "ValueError: no <luck>"
    with Store(tmp_path / "results.sqlite") as store:
        store.add(replace(failure(JOBS[2]), error="Traceback\n=cmd|' /C calc'!A0"))
        export_csv(store.rows(JOBS[2:3]), path)
    with path.open(newline="", encoding="utf-8") as file:
        assert [line["error"] for line in csv.DictReader(file)] == ["'=cmd|' /C calc'!A0"]
    export_csv([], path)
    assert path.read_text().strip() == ""
