"""Foreign files: what is refused, in bounded time and memory, with a short message."""

from __future__ import annotations

import io
import os
import threading
import tracemalloc
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse

from graphopt import _reading
from graphopt._reading import check_npz, read_npy, read_npz, text_lines
from graphopt.cli._problems import read_edges, read_features
from graphopt.datasets import catalog, origins
from graphopt.datasets.archive import array_digest, read_arrays
from graphopt.errors import DamagedFileError, DigestMismatchError, MemoryLimitError


def npy_bytes(array: np.ndarray, **options: Any) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, **options)
    return stream.getvalue()


def forged(shape: str, dtype: str = "<f8", version: int = 1) -> bytes:
    """Return a file with a header of one's own and 16 bytes of numbers."""
    header = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return (
        b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(2, "little") + header + b"\0" * 16
    )


def refused(
    read: Callable[[Path], object], path: Path, message: str, most: int = 20_000_000
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as caught:
            read(path)
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(path))


HOSTILE = [
    forged("(3,)"),
    forged("(1,)"),
    forged("(-2,)"),
    forged("(-1, -2)"),
    forged(f"({2**62}, 4)"),
    forged(f"({2**70},)"),
    forged("(True, 2)"),
    forged("('2',)"),
    forged("2"),
    forged("(2,)", "|O"),
    forged("(2,)", "<f4,<f4"),
    forged("(2,)", "|V8"),
    forged("(2,)", "<M8[s]"),
    forged("(2,)", version=3),
    forged("(2,)", version=9),
    forged("(" + "(" * 5000 + "2" + ")" * 5000 + ",)"),
    forged("(" + "9" * 9000 + ",)"),
    forged("(2,)")[:-1],
    forged("(2,)")[:30],
    forged("(2, ''' "),
    b"\x93NUMPY\x02\0\xff\xff\xff\x7f{",
    b"",
    b"\0" * 100,
    b"{}",
]


@pytest.mark.parametrize("content", HOSTILE)
def test_hostile_arrays(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "f.npy"
    file.write_bytes(content)
    refused(read_npy, file, "is not a readable .npy file: ")
    refused(read_features, file, "is not a readable .npy file: ")
    archive = tmp_path / "f.npz"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("edges.npy", content)
    refused(read_npz, archive, "is not a readable .npz archive: ")
    with pytest.raises(DigestMismatchError, match=r"is not a readable \.npz archive: "):
        read_arrays(archive, "0" * 64)


def test_pickles_are_not_opened(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}], dtype=object)
    np.save(tmp_path / "f.npy", objects, allow_pickle=True)
    refused(read_npy, tmp_path / "f.npy", "not of plain numbers")
    np.savez(tmp_path / "f.npz", data=objects)
    refused(read_npz, tmp_path / "f.npz", "not of plain numbers")


def test_arrays_come_back(tmp_path: Path) -> None:
    for array in (
        np.arange(6.0).reshape(2, 3).T,
        np.float32(3),
        np.array(["ä", "bc"]),
        np.empty((0, 3)),
    ):
        np.save(tmp_path / "f.npy", array)
        np.testing.assert_array_equal(read_npy(tmp_path / "f.npy"), array)
        np.savez_compressed(tmp_path / "f.npz", a=array, b=np.arange(3))
        found = read_npz(tmp_path / "f.npz", ["a"])
        assert list(found) == ["a"]
        np.testing.assert_array_equal(found["a"], array)


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    """Some megabytes of zeros that take some kilobytes, as four gigabytes take four megabytes."""
    file = tmp_path / "cora.npz"
    np.savez_compressed(file, edges=np.zeros((2**22, 2), np.int32))
    assert file.stat().st_size < 100_000
    entry = catalog.find("cora")

    def read(path: Path) -> object:
        return read_arrays(path, entry.digest, entry.most_bytes)

    refused(read, file, "its arrays are larger than 1,000,000 bytes")
    assert all(one.most_bytes is not None for one in catalog.ENTRIES.values())


def test_arrays_that_do_not_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    np.save(tmp_path / "f.npy", np.zeros(1000))
    np.savez(tmp_path / "f.npz", data=np.zeros(1000))
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 4000)
    with pytest.raises(MemoryLimitError, match=r"the array in .*f\.npy needs 8,000 bytes"):
        read_npy(tmp_path / "f.npy")
    with pytest.raises(MemoryLimitError, match=r"the arrays in .*f\.npz needs 16,000 bytes"):
        check_npz(tmp_path / "f.npz")


def test_hostile_archives(tmp_path: Path) -> None:
    file = tmp_path / "f.npz"
    whole = npy_bytes(np.arange(3.0))
    with zipfile.ZipFile(file, "w") as target, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of the name
        target.writestr("data.npy", whole)
        target.writestr("data.npy", whole)
    refused(read_npz, file, "it holds 'data' twice")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as target:
        target.writestr("data.npy", whole)
    refused(read_npz, file, "packed in a way that is not known")
    inner = io.BytesIO()
    np.savez(inner, data=np.arange(3))
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("data.npz", inner.getvalue())
    refused(read_npz, file, "is not a readable .npz archive")
    np.savez(file, data=np.arange(1000))
    content = file.read_bytes()
    for length in (0, 10, 500, len(content) - 1):
        file.write_bytes(content[:length])
        refused(read_npz, file, "is not a readable .npz archive")
    pointing = bytearray(content)
    place = pointing.index(b"PK\x01\x02") + 42  # where the member begins
    pointing[place : place + 4] = b"\0\0\0\x80"
    file.write_bytes(pointing)
    refused(read_npz, file, "is not a readable .npz archive")
    ending = bytearray(content)
    place = ending.index(b"PK\x05\x06") + 16  # where the directory begins
    ending[place + 3] ^= 0x80
    file.write_bytes(ending)
    refused(read_npz, file, "is not a readable .npz archive")
    changed = bytearray(content)
    changed[1000] ^= 1
    file.write_bytes(changed)
    refused(read_npz, file, "is not a readable .npz archive: Bad CRC-32")


@pytest.mark.parametrize("entry", ["format", "indices", "indptr", "data", "shape"])
def test_sparse_matrices_that_lack_something(entry: str, tmp_path: Path) -> None:
    file = tmp_path / "f.npz"
    scipy.sparse.save_npz(file, scipy.sparse.csr_array(np.eye(3)))
    with np.load(file) as held:
        arrays = dict(held)
    del arrays[entry]
    np.savez(file, **arrays)
    refused(read_features, file, "is not a matrix as SciPy saves it")


@pytest.mark.parametrize("rows", [np.arange(3.0), np.array([["a"]]), np.array([[1j]])])
def test_features_that_are_no_rows_of_numbers(rows: np.ndarray, tmp_path: Path) -> None:
    np.save(tmp_path / "f.npy", rows)
    refused(read_features, tmp_path / "f.npy", "features must be (2D|a numeric array), not")


# --- text -----------------------------------------------------------------------------------------


def test_a_line_that_has_no_end(tmp_path: Path) -> None:
    refused(read_edges, Path("/dev/zero"), "line 1: longer than 1,048,576 bytes")
    file = tmp_path / "edges.txt"
    file.write_bytes(b"0 1\n" + b"x" * (2**20 + 10) + b"\n")
    refused(read_edges, file, "line 2: longer than 1,048,576 bytes")


def test_an_offending_line_is_shortened(tmp_path: Path) -> None:
    file = tmp_path / "edges.txt"
    file.write_text("0 1\n" + "a b c " * 150_000 + "\n")
    refused(read_edges, file, r"line 2: two nodes wanted, not 'a b c .*\.\.\.", most=100_000_000)
    table = tmp_path / "f.csv"
    table.write_text("1,2\n3," + "x" * 10**6 + "\n")
    refused(read_features, table, "could not convert", most=100_000_000)
    number = tmp_path / "numbers.txt"
    number.write_text("0 " + "9" * 10_000 + "\n")
    with pytest.raises(ValueError, match=r".{0,300}") as caught:
        read_edges(number)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a b\nc \0d\n", "line 2: a NUL character; this is not a text file"),
        (b"a b\nc \xff\n", "is not text in UTF-8 .line 2."),
        (b"\xff\xfea\0 \0b\0", "a NUL"),
        (os.urandom(0) + bytes(range(256)), "line 1"),
        (b"", "holds no edges"),
        (b"a\x1b[31m b c\n", r"two nodes wanted, not 'a.x1b\[31m b c'"),
    ],
)
def test_what_is_no_text(content: bytes, message: str, tmp_path: Path) -> None:
    file = tmp_path / "edges.txt"
    file.write_bytes(content)
    refused(read_edges, file, message)


def test_lines_are_numbered_as_they_always_were(tmp_path: Path) -> None:
    file = tmp_path / "edges.txt"
    file.write_bytes("\ufeffa b\r\n\rc d\ne f".encode())
    assert list(text_lines(file)) == [(1, "a b"), (2, ""), (3, "c d"), (4, "e f")]
    assert read_edges(file).names == ("a", "b", "c", "d", "e", "f")


def test_edges_may_come_through_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=("a b\nb c\n",))
    writer.start()
    assert read_edges(pipe).n_edges == 2
    writer.join()


@pytest.mark.parametrize("ending", ["npy", "npz", "csv"])
def test_features_are_a_file(ending: str, tmp_path: Path) -> None:
    pipe = tmp_path / f"pipe.{ending}"
    os.mkfifo(pipe)
    refused(read_features, pipe, "must be a regular file")
    folder = tmp_path / f"folder.{ending}"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        read_features(folder)


def test_an_endless_file_ends_with_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_reading, "_LINES_AT_ONCE", 10)
    monkeypatch.setattr("graphopt._validation.available_memory", lambda: 1000)
    file = tmp_path / "edges.txt"
    file.write_text("0 1\n" * 50)
    with pytest.raises(MemoryLimitError, match=r"edges\.txt on from line 10 needs 3,000 bytes"):
        read_edges(file)


# --- the archive of the authors' repository -------------------------------------------------------


def repository(path: Path, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("wrapper/data/a.content", content)
    return path


def test_texts_are_not_unpacked_beyond_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(origins, "_MOST_TEXT", 1000)
    path = repository(tmp_path / "a.zip", b"0" * 10**6)
    with origins.open_archive(path) as read, pytest.raises(ValueError, match="more than 1,000 byt"):
        read("data/a.content")
    path = repository(tmp_path / "b.zip", b"1 0 a\0")
    with origins.open_archive(path) as read, pytest.raises(ValueError, match="holds a NUL char"):
        read("data/a.content")


def test_one_error_for_all_that_is_damaged() -> None:
    assert issubclass(DigestMismatchError, DamagedFileError)
    assert issubclass(DamagedFileError, ValueError)
    assert len(array_digest({})) == 64
