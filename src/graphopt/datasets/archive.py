"""Data sets on disk: one .npz of plain arrays each, known by the digest of those arrays."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._files import replacing
from graphopt._reading import read_npz
from graphopt.errors import DamagedFileError, DigestMismatchError

# What makes a data set; a file may hold more (notes of whoever made it), which is left unread.
_CSR = ("indptr", "indices", "data", "shape")
DEFINING_ARRAYS = frozenset(
    ["node_ids", "labels", "label_names", "edges", "edges_train", "edges_valid", "edges_test"]
    + ["graph_index", "node_ptr", "edge_ptr", "edge_train_ptr", "pubmed_row"]
    + ["x_hi", "x_lo", "x_train_hi", "x_train_lo"]
    + [f"{key}_{part}" for key in ("x", "x_train") for part in _CSR]
)

Arrays = dict[str, NDArray[Any]]


def array_digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of arrays: of names, types, shapes and values, not of a file.

    Arrays are taken in the order of their names; each contributes its name, its dtype (little
    endian; text as wide as its longest string), its shape and its elements in C order. The same
    arrays have the same digest however they were compressed, on any machine.

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> array_digest({"edges": np.array([[0, 1]], dtype=np.int32)})[:16]
    '4178989905a85e17'
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.asarray(arrays[name])
        if array.dtype.kind == "U":
            array = np.array(array.tolist())
        plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).reshape(
            array.shape
        )
        digest.update(f"{name}:{plain.dtype.str}:{plain.shape};".encode())
        digest.update(plain.tobytes())
    return digest.hexdigest()


def read_arrays(path: Path, expected: str, most_bytes: int | None = None) -> Arrays:
    """Return the defining arrays of a file, whose digest must be `expected`.

    Parameters
    ----------
    path : Path
    expected : str
    most_bytes : int, optional
        Most bytes that the arrays may take together; more is refused before it is unpacked.

    Raises
    ------
    DigestMismatchError
        If the arrays are not those on record or the file is damaged.
    """
    try:
        arrays = read_npz(path, DEFINING_ARRAYS, most_bytes)
    except DamagedFileError as error:
        raise DigestMismatchError(str(error)) from error
    check_digest(str(path), arrays, expected)
    return arrays


def check_digest(what: str, arrays: Mapping[str, NDArray[Any]], expected: str) -> None:
    """Raise DigestMismatchError unless the arrays have the digest expected."""
    found = array_digest(arrays)
    if found != expected:
        raise DigestMismatchError(
            f"{what} is damaged or another version: its arrays should have the digest "
            f"{expected}, and have {found}"
        )


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a .npz in one step: readers and other processes see all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as stream:
        np.savez_compressed(stream, **dict(arrays))  # type: ignore[arg-type]
