"""Files of results and of trials: nothing is written into a database of another program."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import optuna
import pytest
from tuning_fakes import SPACE, Fake

from benchmarks.paper.jobs.store import Store
from graphopt import _databases as databases
from graphopt._databases import RESULTS, TRIALS, mark_of, opened_to_read, set_mark
from graphopt.errors import DamagedFileError, GraphoptError
from graphopt.tuning import Search

Open = Callable[[Path], object]


def open_store(path: Path) -> None:
    Store(path).close()


def open_trials(path: Path) -> None:
    fake = Fake(path.parent / "log")
    with Search(fake, SPACE, path, "study", trials=1, sampler="grid", prune=False):
        pass


both = pytest.mark.parametrize("use", [open_store, open_trials], ids=["results", "trials"])


def state(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def cats(path: Path) -> None:
    run(path, "CREATE TABLE cats (name)", "INSERT INTO cats VALUES ('Mitzi')")


def cats_written_ahead(path: Path) -> None:
    run(path, "PRAGMA journal_mode = WAL")
    cats(path)


def version_one(path: Path) -> None:
    cats(path)
    run(path, "PRAGMA user_version = 1")


def tables_alike(path: Path) -> None:
    run(path, "CREATE TABLE machines (id)", "CREATE TABLE jobs (key)", "PRAGMA user_version = 1")


def studies_alike(path: Path) -> None:
    run(path, "CREATE TABLE studies (id)", "CREATE TABLE study_user_attributes (key)")


def mark_alone(path: Path) -> None:
    run(path, "PRAGMA application_id = 77")


def version_alone(path: Path) -> None:
    run(path, "PRAGMA user_version = 5")


def others_trials(path: Path) -> None:
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.RDBStorage(f"sqlite:///{path}")
    optuna.create_study(storage=storage, study_name="study")
    storage.remove_session()
    storage.engine.dispose()
    optuna.logging.set_verbosity(before)


@both
@pytest.mark.parametrize(
    "make",
    [
        cats,
        cats_written_ahead,
        version_one,
        tables_alike,
        studies_alike,
        mark_alone,
        version_alone,
        others_trials,
    ],
    ids=lambda make: make.__name__,
)
def test_databases_of_others_are_left_alone(make: Open, use: Open, tmp_path: Path) -> None:
    make(tmp_path / "file.sqlite")
    before = state(tmp_path)
    with pytest.raises(ValueError, match=r"file\.sqlite"):
        use(tmp_path / "file.sqlite")
    assert state(tmp_path) == before


def test_each_leaves_the_others_file_alone(tmp_path: Path) -> None:
    for make, use in ((open_store, open_trials), (open_trials, open_store)):
        folder = tmp_path / make.__name__
        folder.mkdir()
        make(folder / "file.sqlite")
        before = state(folder)
        with pytest.raises(ValueError, match=r"file\.sqlite"):
            use(folder / "file.sqlite")
        assert state(folder) == before


@both
@pytest.mark.parametrize("content", [b"words " * 999, b"SQLite format 3\0", b"\0"])
def test_what_is_no_database(content: bytes, use: Open, tmp_path: Path) -> None:
    (tmp_path / "file.sqlite").write_bytes(content)
    with pytest.raises(DamagedFileError, match=r"file\.sqlite is damaged or something else"):
        use(tmp_path / "file.sqlite")
    assert state(tmp_path) == {"file.sqlite": content}


@both
def test_what_is_no_file(use: Open, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="must be a regular file"):
        use(tmp_path / "pipe")
    with pytest.raises(IsADirectoryError):
        use(tmp_path)


@both
@pytest.mark.parametrize("cut", [100, 3000, 5000])
def test_a_truncated_file(use: Open, cut: int, tmp_path: Path) -> None:
    use(tmp_path / "file.sqlite")
    content = (tmp_path / "file.sqlite").read_bytes()[:cut]
    (tmp_path / "file.sqlite").write_bytes(content)
    with pytest.raises(ValueError, match=r"file\.sqlite"):
        use(tmp_path / "file.sqlite")
    assert (tmp_path / "file.sqlite").read_bytes() == content


@both
def test_a_locked_file(use: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "_PATIENCE", 0.01)
    use(tmp_path / "file.sqlite")
    run(tmp_path / "file.sqlite", "PRAGMA journal_mode = DELETE")
    with closing(sqlite3.connect(tmp_path / "file.sqlite", isolation_level=None)) as holder:
        holder.execute("BEGIN EXCLUSIVE")
        with pytest.raises(GraphoptError, match=r"file\.sqlite cannot be used: database is locked"):
            use(tmp_path / "file.sqlite")
    use(tmp_path / "file.sqlite")


@both
def test_files_say_whose_they_are(use: Open, tmp_path: Path) -> None:
    path = tmp_path / "a ?#%20 b.sqlite" if use is open_store else tmp_path / "a #%20 b.sqlite"
    for _ in range(2):
        use(path)
    with opened_to_read(path) as database:
        assert database is not None
        assert mark_of(database) == (RESULTS if use is open_store else TRIALS)
    with opened_to_read(tmp_path / "absent") as database:
        assert database is None


def test_results_without_a_mark_are_ours(tmp_path: Path) -> None:
    """Files of earlier versions have none."""
    path = tmp_path / "file.sqlite"
    open_store(path)
    set_mark(path, 0)
    open_store(path)


def test_a_file_whose_making_was_stopped_is_ours(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite"
    set_mark(path, TRIALS)
    open_trials(path)


def test_a_later_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite"
    open_store(path)
    run(path, "ALTER TABLE jobs ADD COLUMN more", "PRAGMA user_version = 2")
    before = path.read_bytes()
    with pytest.raises(ValueError, match="of format 2, which a later graphopt wrote; this one rea"):
        open_store(path)
    assert path.read_bytes() == before


def test_trials_of_a_later_optuna_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite"
    open_trials(path)
    run(path, "UPDATE alembic_version SET version_num = 'v99.0.0.a'")
    before = path.read_bytes()
    with pytest.raises(GraphoptError, match="cannot hold studies: The runtime optuna version"):
        open_trials(path)
    assert path.read_bytes() == before


def test_rows_that_are_damaged_name_the_file(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite"
    open_store(path)
    run(path, "INSERT INTO machines VALUES ('a', 'no JSON')")
    with Store(path) as store, pytest.raises(DamagedFileError, match=r"file\.sqlite holds a row"):
        store.machines()


@contextmanager
def small_files(limit: int) -> Any:
    """Let no file of this process grow larger, as on a full disk."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@both
def test_a_full_disk(use: Open, tmp_path: Path) -> None:
    with small_files(2000), pytest.raises(GraphoptError, match=r"file\.sqlite cannot be used: "):
        use(tmp_path / "file.sqlite")


def test_a_disk_that_fills_up_during_a_search(tmp_path: Path) -> None:
    path = tmp_path / "file.sqlite"
    fake = Fake(tmp_path / "log")
    with Search(fake, SPACE, path, "study", trials=3, sampler="grid", prune=False) as search:
        with (
            small_files(600),
            pytest.raises(GraphoptError, match=r"file\.sqlite cannot hold studies: "),
        ):
            search.run()
        assert search.run() is False
    with opened_to_read(path) as database:
        assert database is not None
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_text_that_sqlite_cannot_decode_is_damage() -> None:
    # It raises this where its own message would hold the text.
    with (
        pytest.raises(DamagedFileError, match=r"a\.sqlite is damaged or something else"),
        databases.explained(Path("a.sqlite")),
    ):
        b"\xff".decode()
