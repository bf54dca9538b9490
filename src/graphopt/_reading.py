"""Foreign files read within bounds: sizes are checked before anything of that size is made."""

from __future__ import annotations

import errno
import io
import math
import os
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from graphopt._escaping import quoted
from graphopt._files import AnyPath, regular_size
from graphopt._validation import check_memory
from graphopt.errors import DamagedFileError

LONGEST_LINE = 2**20
"""Bytes of a line of text."""
_LINES_AT_ONCE = 2**16
_BYTES_PER_LINE = 300  # of two short words and what holds them, in Python
_KINDS = "biufcUS"
_HEADERS: dict[tuple[int, int], tuple[Callable[..., Any], int]] = {
    (1, 0): (npy.read_array_header_1_0, 2),
    (2, 0): (npy.read_array_header_2_0, 4),
}
_LONGEST_HEADER = 10_000  # as NumPy has it
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_WAY = "give a smaller file"
# What zipfile and NumPy raise when a file is not what it should be.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    EOFError,
    KeyError,
    TypeError,
    AttributeError,
    OverflowError,
    RuntimeError,  # a member that is encrypted
    SyntaxError,  # a header that is not Python's
    tokenize.TokenError,
    RecursionError,
)


def text_lines(path: AnyPath, longest: int = LONGEST_LINE) -> Iterator[tuple[int, str]]:
    """Yield the lines of a text file in UTF-8, each with its number from 1.

    The file may be a pipe; one line at a time is in memory.

    Raises
    ------
    DamagedFileError
        For a line that is longer than `longest` bytes or holds a NUL, and for other text than
        UTF-8.
    MemoryLimitError
        If memory becomes too short for a list of such lines.
    """
    name, number = os.fspath(path), 0
    with open(path, "rb") as stream:
        while content := stream.readline(longest + 1):
            place = f"{name}, line {number + 1}"
            if len(content) > longest:
                raise DamagedFileError(
                    f"{place}: longer than {longest:,} bytes; this is not a text file"
                )
            if b"\0" in content:
                raise DamagedFileError(f"{place}: a NUL character; this is not a text file")
            try:
                text = content.decode("utf-8" if number else "utf-8-sig")
            except UnicodeDecodeError:
                raise DamagedFileError(f"{name} is not text in UTF-8 (line {number + 1})") from None
            for line in text.splitlines() or [""]:
                number += 1
                if number % _LINES_AT_ONCE == 0:
                    what = f"reading {name} on from line {number:,}"
                    check_memory(what, _LINES_AT_ONCE * _BYTES_PER_LINE, _WAY)
                yield number, line


def read_npy(path: AnyPath) -> NDArray[Any]:
    """Return the array of a ``.npy`` file.

    Raises
    ------
    DamagedFileError
        If the file is not as large as its header says, or holds something else than plain numbers
        or text.
    MemoryLimitError
        If the array does not fit.
    """
    size = regular_size(path)
    name = os.fspath(path)
    with _readable(name, ".npy file"), open(path, "rb") as stream:
        n_bytes = _array_bytes(stream, size)
        check_memory(f"the array in {name}", n_bytes, _WAY)
        stream.seek(0)
        return np.asarray(npy.read_array(stream, allow_pickle=False))


def check_npz(
    path: AnyPath, names: Collection[str] | None = None, most_bytes: int | None = None
) -> list[str]:
    """Check the sizes of the arrays in a ``.npz`` file; return the names of the arrays.

    Parameters
    ----------
    path : path
    names : collection of str, optional
        Arrays to look at; default: all.
    most_bytes : int, optional
        Most bytes that they may take together.

    Raises
    ------
    DamagedFileError
        If a member is not as large as its header says, there are two of a name, something else
        than plain arrays is in it, or they are larger than `most_bytes`.
    MemoryLimitError
        If they do not fit in memory.
    """
    regular_size(path)
    name, total = os.fspath(path), 0
    found: list[str] = []
    with _readable(name, ".npz archive"), zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            key = info.filename.removesuffix(".npy")
            if names is not None and key not in names:
                continue
            if key in found:
                raise ValueError(f"it holds {quoted(key)} twice")
            if info.compress_type not in _PACKED:
                raise ValueError(f"{quoted(key)} is packed in a way that is not known")
            with archive.open(info) as stream:
                total += _array_bytes(stream, info.file_size)
            if most_bytes is not None and total > most_bytes:
                raise ValueError(f"its arrays are larger than {most_bytes:,} bytes")
            found.append(key)
    check_memory(f"the arrays in {name}", 2 * total, _WAY)
    return found


def read_npz(
    path: AnyPath, names: Collection[str] | None = None, most_bytes: int | None = None
) -> dict[str, NDArray[Any]]:
    """Return arrays of a ``.npz`` file by name; see :func:`check_npz`."""
    found = check_npz(path, names, most_bytes)
    # A file object, so that it is closed even when NumPy finds no archive in it.
    with (
        _readable(os.fspath(path), ".npz archive"),
        open(path, "rb") as stream,
        np.load(stream, allow_pickle=False) as held,
    ):
        return {name: held[name] for name in found}


def _array_bytes(stream: IO[bytes], size: int) -> int:
    """Return the bytes of an array's numbers, which must be what is left of `size` bytes."""
    version = npy.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError(f"an array in version {version} of the format, which holds no numbers")
    read, width = _HEADERS[version]
    length = stream.read(width)  # NumPy would make room for as many bytes as this says
    n_header = int.from_bytes(length, "little")
    if n_header > _LONGEST_HEADER:
        raise ValueError(f"a header of {n_header:,} bytes")
    header = stream.read(n_header)
    shape, _, dtype = read(io.BytesIO(length + header))
    if dtype.hasobject or dtype.fields is not None or dtype.kind not in _KINDS:
        raise ValueError(f"an array of {quoted(str(dtype))}, not of plain numbers")
    n_bytes = int(math.prod(shape) * dtype.itemsize)
    if min(shape, default=0) < 0 or n_bytes != size - npy.MAGIC_LEN - width - n_header:
        raise ValueError("an array is not as large as its header says")
    return n_bytes


@contextmanager
def _readable(name: str, kind: str) -> Iterator[None]:
    """Raise DamagedFileError for what NumPy and zipfile raise when a file is not of its kind."""
    try:
        yield
    except (*_DAMAGE, OSError) as error:
        # The system finds an argument invalid when a damaged archive points before its start.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        reason = quoted(str(error))[1:-1]
        raise DamagedFileError(f"{name} is not a readable {kind}: {reason}") from error
