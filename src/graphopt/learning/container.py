"""Settings and arrays in one file, without code: what is damaged is told from what is whole.

The layout, numbers little endian::

    "graphopt model"    and a newline and a zero: 16 bytes
    SHA-256             32 bytes, of all that follows
    length              8 bytes, of the header
    header              JSON: "format", "graphopt", "settings", "arrays"
    arrays              one after the other, in the order of the header: in C order, no gaps

Nothing in it can be run, and nothing in it is larger than the file.
"""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._escaping import quoted
from graphopt._files import regular_size, write_bytes
from graphopt._validation import check_memory
from graphopt.errors import DamagedFileError

MAGIC = b"graphopt model\n\0"
FORMAT = 2
_DIGEST = hashlib.sha256().digest_size
_LENGTH = struct.Struct("<Q")
_KINDS = "biufc"
_MOST_DIMENSIONS = 32
_HEADER = ("arrays", "format", "graphopt", "settings")


def write(
    path: str | Path, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write settings and arrays to a file, which is replaced as a whole.

    Parameters
    ----------
    path : path
    settings : dict
        What JSON can hold; tuples come back as lists.
    arrays : dict of str to array
        Of numbers or truth values.

    Raises
    ------
    TypeError
        For something else.
    OSError
        If the file cannot be written.
    """
    listed, parts = [], []
    for name, array in arrays.items():
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"{name} must hold numbers to be saved, not {array.dtype}")
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
        listed.append([name, plain.dtype.str, list(plain.shape)])
        parts.append(plain.tobytes())
    version = metadata.version("graphopt")
    values = (listed, FORMAT, version, dict(settings))
    header = json.dumps(dict(zip(_HEADER, values, strict=True))).encode()
    body = b"".join([_LENGTH.pack(len(header)), header, *parts])
    write_bytes(path, MAGIC + hashlib.sha256(body).digest() + body)


def is_container(path: str | Path) -> bool:
    """Return whether a file begins as those of :func:`write` do.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or is no regular file.
    """
    regular_size(path)
    with open(path, "rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the settings and the arrays of a file.

    Raises
    ------
    DamagedFileError
        If it is not what :func:`write` wrote, or another version of graphopt wrote it, which the
        message names.
    MemoryLimitError
        If the file does not fit in memory.
    """
    size = regular_size(path)
    check_memory(f"{path}", 2 * size, "it must be read whole")
    content = memoryview(Path(path).read_bytes())
    body = content[len(MAGIC) + _DIGEST :]
    digest = content[len(MAGIC) : len(MAGIC) + _DIGEST]
    if content[: len(MAGIC)] != MAGIC or hashlib.sha256(body).digest() != digest:
        raise DamagedFileError(
            f"{path} is damaged or cut short: its checksum is not the stored one"
        )
    try:
        return _parsed(path, body)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, struct.error) as error:
        if isinstance(error, DamagedFileError):
            raise
        reason = quoted(f"{type(error).__name__}: {error}")
        raise DamagedFileError(f"{path} is not a model of graphopt: {reason}") from error


def _parsed(path: str | Path, body: memoryview) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    (length,) = _LENGTH.unpack_from(body)
    end = _LENGTH.size + length
    if end > len(body):
        raise ValueError("the header is longer than the file")
    header = json.loads(bytes(body[_LENGTH.size : end]))
    if not isinstance(header, dict):
        raise TypeError("the header is not a table")
    if header.get("format") != FORMAT:
        raise DamagedFileError(
            f"{path} has format {quoted(str(header.get('format')))} and was written by graphopt "
            f"{quoted(str(header.get('graphopt')))}, which reads it; graphopt "
            f"{metadata.version('graphopt')} reads formats 1 and {FORMAT}"
        )
    if sorted(header) != sorted(_HEADER) or not isinstance(header["settings"], dict):
        raise ValueError("the header has other entries")
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, shape in header["arrays"]:
        dtype = _dtype(kind)
        start, end = end, end + checked_shape(shape) * dtype.itemsize
        if end > len(body):
            raise ValueError("the arrays are longer than the file")
        if not isinstance(name, str) or name in arrays:
            raise ValueError("the names of the arrays are not distinct words")
        # A copy: it can be written to, and lies where its type wants it.
        arrays[name] = np.frombuffer(body[start:end], dtype).reshape(shape).astype(
            dtype.newbyteorder("="), copy=True
        )  # fmt: skip
    if end != len(body):
        raise ValueError("the file is longer than its arrays")
    return header["settings"], arrays


def checked_shape(shape: Any) -> int:
    """Return the number of elements of a shape that a file gives, or raise ValueError."""
    if not isinstance(shape, list | tuple) or len(shape) > _MOST_DIMENSIONS:
        raise ValueError("the shape of an array is not a list of sizes")
    if not all(type(length) is int and 0 <= length < 2**63 for length in shape):
        raise ValueError("the shape of an array does not hold sizes")
    return math.prod(shape)


def _dtype(kind: Any) -> np.dtype[Any]:
    if not isinstance(kind, str) or len(kind) > 8:
        raise ValueError("the type of an array is not a word")
    dtype = np.dtype(kind)
    if dtype.kind not in _KINDS or dtype.fields is not None or dtype.subdtype is not None:
        raise ValueError("an array does not hold numbers")
    return dtype
