"""Files and the command line: bytes that were valid until something happened to them."""

from __future__ import annotations

import functools
import io
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from benchmarks.paper.jobs.store import Store
from graphopt.cli._problems import read_edges, read_features
from graphopt.datasets import archive, load, sources
from graphopt.errors import GraphoptError
from graphopt.learning import ClusterNet, DirectGCN

from ..draw import Draw
from ..registry import Call, require, target
from .graphs import check_graph
from .learners import fitted


def damaged(draw: Draw, valid: bytes) -> bytes:
    """Return bytes that differ from valid ones; in a valid call, the same."""
    if draw.valid:
        return valid
    data = bytearray(valid)
    for _ in range(draw.size(1, 4)):
        kind = draw.random.randrange(9)
        at = draw.random.randrange(len(data)) if data else 0
        if kind == 0:
            data = data[:at]
        elif kind == 1 and data:
            data[at] ^= 1 << draw.random.randrange(8)
        elif kind == 2 and data:
            data[at] = draw.pick(0, 255, 10, 32, 128, ord("9"))
        elif kind == 3:
            data[at:at] = draw.pick(b"\0", b"\xff\xfe", b"-1", b"9" * 30, b"nan", b"\n", b"\x1a#")
        elif kind == 4:
            end = min(len(data), at + draw.size(1, 30))
            del data[at:end]
        elif kind == 5:
            data += data[:at]
        elif kind == 6 and len(data) > 8:
            data[at : at + 4] = draw.pick(b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f")
        elif kind == 7:
            data = bytearray(draw.random.randbytes(draw.size(0, 40)))
        elif data:
            data.reverse()
    return bytes(data)


def _reader(read: Callable[[Path], Any], name: str, content: bytes, check: Any = None) -> Call:
    """Return a call that reads a file of some content."""

    def read_file(path: str, content: bytes) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / path
            file.write_bytes(content)
            return read(file)

    return Call(read_file, (name, content), {}, check)


# --- graphs and features --------------------------------------------------------------------------


@target("reader: edge list", words=("edges.txt", "node"))
def edge_list(draw: Draw) -> Call:
    n = draw.size(2, 9)
    pairs = draw.edges(n)
    pairs = pairs if len(pairs) else np.array([[0, 1]])
    mark = draw.pick(str, lambda i: f"n{i}", lambda i: f"é{i}")
    gap, end = draw.pick(" ", "\t", ",", ", "), draw.pick("\n", "\r\n", "  # so\n")
    lines = [f"{mark(int(u))}{gap}{mark(int(v))}{end}" for u, v in pairs]
    if draw.odd(0.2):
        lines.append(
            draw.pick("1 2 3\n", "1\n", "99999999999999999999 1\n", "\ufeff1 2\n", "² 1\n")
        )
    content = damaged(draw, "".join(lines).encode())
    return _reader(read_edges, "edges.txt", content, check_graph)


def _npy(array: Any) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()


def _npz(matrix: Any) -> bytes:
    stream = io.BytesIO()
    scipy.sparse.save_npz(stream, matrix)
    return stream.getvalue()


@target("reader: features .npy", words=("x.npy",))
def npy(draw: Draw) -> Call:
    dtype = draw.pick(np.float32, np.float64, np.int8, bool)
    rows = draw.numbers(draw.size(0, 5), draw.size(1, 4)).astype(dtype)
    return _reader(read_features, "x.npy", damaged(draw, _npy(rows)))


@target("reader: features .npz", words=("x.npz",))
def npz(draw: Draw) -> Call:
    rows = draw.numbers(draw.size(0, 5), draw.size(1, 4))
    kind = draw.pick("csr", "csc", "coo", "bsr", "dia")
    matrix = getattr(scipy.sparse, f"{kind}_array")(rows)
    if draw.odd(0.3):
        matrix = draw.broken_sparse(rows)
    return _reader(read_features, "x.npz", damaged(draw, _npz(matrix)))


@target("reader: features .csv", words=("x.csv",))
def csv(draw: Draw) -> Call:
    rows = draw.numbers(draw.size(1, 5), draw.size(1, 4))
    text = "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist())
    return _reader(read_features, "x.csv", damaged(draw, text.encode()))


# --- saved models ---------------------------------------------------------------------------------


@functools.cache
def _saved(kind: str, variant: int) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.pt"
        fitted(kind, variant).save(path)
        return path.read_bytes()


def _register(kind: str, maker: Any) -> None:
    @target(f"graphopt.{kind}.load", weight=0.3, words=("model.pt",), errors=(OSError,))
    def load_model(draw: Draw) -> Call:
        saved = draw.pick("ClusterNet", "DirectGCN") if draw.odd(0.1) else kind
        content = damaged(draw, _saved(saved, draw.size(0, 1)))

        def check(model: Any) -> None:
            require(model.labels_.ndim == 1, "labels' rank")
            model.score(fitted(kind).graph_ if hasattr(fitted(kind), "graph_") else _ring())

        return _reader(maker.load, "model.pt", content, check)


def _ring() -> Any:
    from .learners import _ring as ring

    return ring(9)


_register("ClusterNet", ClusterNet)
_register("DirectGCN", DirectGCN)


# --- data sets ------------------------------------------------------------------------------------

_ARRAYS = {
    "edges": np.array([[0, 1], [1, 2]], np.int32),
    "node_ids": np.arange(3),
    "labels": np.zeros(3, np.int32),
}


@target("reader: data set archive", words=("data.npz",))
def data_archive(draw: Draw) -> Call:
    stream = io.BytesIO()
    np.savez_compressed(stream, **_ARRAYS)
    content = damaged(draw, stream.getvalue())
    digest = archive.array_digest(_ARRAYS)

    def check(arrays: Any) -> None:
        require(arrays.keys() == _ARRAYS.keys(), "other arrays")
        require(all((arrays[k] == _ARRAYS[k]).all() for k in arrays), "other numbers")

    return _reader(lambda path: archive.read_arrays(path, digest), "data.npz", content, check)


@target("graphopt.datasets.load", weight=0.5, words=("name", "data_home"), errors=(OSError,))
def load_dataset(draw: Draw) -> Call:
    # Nothing is fetched: what is answered is why there is none.
    name = draw.pick("cora", "citeseer", "prot")
    if draw.odd(0.8):
        odd = ("no such", "", "../x", "cora\0", draw.text(), None, 3, b"cora", [], ("cora",))
        name = draw.pick(*odd)
    content = draw.random.randbytes(draw.size(0, 40))

    def load_here(name: Any) -> Any:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "cora.npz").write_bytes(content)
            try:
                return load(name, data_home=folder, download=False)
            except GraphoptError:
                return None

    return Call(load_here, (name,))


@target("reader: data set text", words=("content", "cites", "line"))
def data_text(draw: Draw) -> Call:
    n = draw.size(1, 5)
    ids = [f"{i}" if draw.chance(0.8) else f"p{i}" for i in range(n)]
    lines = [f"{i} {' '.join(draw.pick('0', '1', '0.5') for _ in range(2))} c\n" for i in ids]
    content = damaged(draw, "".join(lines).encode()).decode("utf-8", "replace")
    cites = "".join(f"{draw.pick(*ids)} {draw.pick(*ids)}\n" for _ in range(4))

    def parse(content: str, cites: str) -> Any:
        found = sources.parse_content(content)
        return found.x, sources.parse_cites(cites, found.ids)

    cites = damaged(draw, cites.encode()).decode("utf-8", "replace")
    return Call(parse, (content, cites))


# --- results --------------------------------------------------------------------------------------


@functools.cache
def _database() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.sqlite"
        with Store(path):
            pass
        with sqlite3.connect(path) as database:
            database.execute("INSERT INTO machines VALUES ('m', '{\"cpu\": 1}')")
            row = ("k", "cnm", "cora", "community", "learning", 0, "{}", "0", "m", 1, "done")
            row = (*row, '{"cnm": {"score": 0.5}}', '{"cnm": [0]}', 1.0, None, None, "2026")
            database.execute(f"INSERT INTO jobs VALUES ({', '.join('?' * 17)})", row)
            database.commit()
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("PRAGMA journal_mode = DELETE")
        database.close()
        return path.read_bytes()


@target("reader: results database", weight=0.1, words=("results.sqlite",))
def results_database(draw: Draw) -> Call:
    content = damaged(draw, _database())
    if draw.odd(0.5):
        # A file that SQLite reads, whose texts are not what they should be.
        text = draw.pick(b'{"cpu": 1}', b'{"cnm": [0]}', b"community", b"learning", b"0.5")
        content = content.replace(text, draw.random.randbytes(len(text)))

    def read(path: Path) -> Any:
        with Store(path) as store:
            return list(store.rows()), store.machines()

    return _reader(read, "results.sqlite", content)


class _Evaluation:
    """What a study is made for; nothing is evaluated here."""

    protocol = {"graph": "g", "task": "community", "k": 2, "space": "tiny"}  # noqa: RUF012
    greater_is_better = True


@functools.cache
def _look_once_for_the_newest_schema() -> None:
    """Keep what Alembic finds by running ten modules, which takes longer than all the rest."""
    from alembic.script import ScriptDirectory

    look = ScriptDirectory.get_current_head
    found: dict[str, str | None] = {}

    def get_current_head(directory: ScriptDirectory) -> str | None:
        if directory.dir not in found:
            found[directory.dir] = look(directory)
        return found[directory.dir]

    ScriptDirectory.get_current_head = get_current_head  # type: ignore[method-assign]


def _open_study(path: Path) -> int:
    _look_once_for_the_newest_schema()
    from graphopt.tuning import Search, Space

    values = {"a": (0, 1), "b": (0.0, 0.5)}
    space = Space("tiny", values, iterations=(10, 20), check_every=10, rise=10, landmarks=())
    with Search(_Evaluation(), space, path, "study", trials=1) as search:  # type: ignore[arg-type]
        return len(search.counted())


@functools.cache
def _study() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trials.sqlite"
        _open_study(path)
        return path.read_bytes()


@target("reader: file of trials", weight=0.03, words=("storage", "trials.sqlite"))
def trials(draw: Draw) -> Call:
    content = damaged(draw, draw.pick(_study(), _study(), b"", _database()))
    if draw.valid:
        content = _study()
    return _reader(_open_study, "trials.sqlite", content)


# --- the command line -----------------------------------------------------------------------------

_COMMANDS = ("run", "data")


@target("command line", weight=0.1, words=("--edges", "--k", "edges.txt", "node", "name"))
def command_line(draw: Draw) -> Call:
    """Odd words after a command; none that would begin an hour's work."""
    words = [draw.pick(*_COMMANDS)]
    if draw.chance(0.5) or draw.valid:
        words = draw.pick(["data", "list"], ["--help"], ["run", "--help"], ["data", "--help"])
        if draw.odd(0.5):
            words.append(draw.text())
    else:
        odd = (
            "--no-such", "--k", "-1", "nan", "1e999", "\ud800", "", "--seed", "--edges", "/no/file",
            "--seen", "0", "--task", "tasks", "9" * 400, "--help", "--json", "--dataset",
        )  # fmt: skip
        words += [draw.pick(*odd) for _ in range(draw.size(1, 4))]
        words.append(draw.pick("--no-such-option", "--help", "--k=x", "--seed=-1"))

    return Call(invoke, (words,))


def invoke(words: list[str]) -> int:
    """Run the command line as ``main`` does; return its exit code."""
    from typer.testing import CliRunner

    from graphopt.cli import app

    found = CliRunner().invoke(app, words)
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    require(found.exit_code in (0, 1, 2), f"exit code {found.exit_code}")
    return found.exit_code
