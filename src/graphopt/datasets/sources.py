"""From the authors' text files to our arrays.

A ``.content`` file has a line per node: its id, its features, its class. A ``.cites`` file has a
line per edge: two ids; an edge may stand there in one direction or both, self loops may stand
there too. Numbers may be written as integers or as ``6.898e+03``. Row i of ``.content`` becomes
node i; of the lines of ``.cites`` that name the same two nodes one remains, self loops and ids
without a ``.content`` line go.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphopt._escaping import shortened
from graphopt.datasets.archive import Arrays
from graphopt.datasets.catalog import Entry
from graphopt.graph import Graph

Read = Callable[[str], str]  # path inside the repository to text

_PARTS = ("train", "valid", "test")
_SEEN = "_train_0.40"


@dataclass(frozen=True, slots=True)
class Content:
    """A ``.content`` file, row by row."""

    ids: tuple[str, ...]
    x: NDArray[np.float32]
    classes: tuple[str, ...]


def convert(entry: Entry, parent: Entry | None, read: Read) -> Arrays:
    """Return the arrays of a data set.

    Parameters
    ----------
    entry : Entry
    parent : Entry or None
        The entry that `entry.parent` names.
    read : callable
        From a path inside the authors' repository to the text there.

    Raises
    ------
    ValueError
        If a file does not have the form it should have.
    """
    if entry.kind == "synthetic":
        return _many(entry.name, sum(len(role) for role in entry.roles or ()), read)
    if entry.kind == "words":
        return _words(entry, parent, read)
    return _embedded(entry, parent, read)


# --- the three kinds ----------------------------------------------------------------------------


def _words(entry: Entry, parent: Entry | None, read: Read) -> Arrays:
    """Return one graph with a bag of words; of a largest component, the parent's rows."""
    whole = parent or entry
    content = parse_content(read(_path(whole.name, ".content")))
    ids = content.ids
    if whole.ids_file is not None:
        ids = parse_ids(read(f"data/{whole.name}/{whole.ids_file}"))
        if len(ids) != len(content.ids):
            raise ValueError(f"{whole.ids_file} must have {len(content.ids)} nodes, not {len(ids)}")
    rows, numbers = np.arange(len(ids), dtype=np.int32), content.ids
    if parent is not None:
        rows = _largest_component(whole, content, read)
        numbers = tuple(str(i) for i in range(len(rows)))
    return (
        {"node_ids": _id_array([ids[i] for i in rows])}
        | _labels(content.classes, rows)
        | _edge_parts(entry.name, numbers, read)
        | _sparse("x", content.x[rows])
    )


def _embedded(entry: Entry, parent: Entry | None, read: Read) -> Arrays:
    """Return one graph with an embedding of its own and one of its training graph."""
    full = parse_content(read(_path(entry.name, ".content")))
    seen = parse_content(read(_path(entry.name, f"{_SEEN}.content")))
    ids = full.ids
    if parent is not None:
        above = parse_content(read(_path(parent.name, ".content")))
        ids = tuple(above.ids[i] for i in _largest_component(parent, above, read))
    return (
        {"node_ids": _id_array(ids)}
        | _labels(full.classes, np.arange(len(ids), dtype=np.int32))
        | _edge_parts(entry.name, full.ids, read)
        | _full("x", full.x)
        | _full("x_train", _aligned(seen, full.ids))
    )


def _many(name: str, n_graphs: int, read: Read) -> Arrays:
    """Return many graphs with embeddings, concatenated; features as exact millionths."""
    edges, seen_edges, x, x_seen = [], [], [], []
    for i in range(n_graphs):
        stem = f"data/{name}/{name}_{i}"
        full = parse_content(read(f"{stem}.content"))
        x.append(_millionths(full.x))
        x_seen.append(
            _millionths(_aligned(parse_content(read(f"{stem}{_SEEN}.content")), full.ids))
        )
        edges.append(parse_cites(read(f"{stem}.cites"), full.ids))
        seen_edges.append(parse_cites(read(f"{stem}{_SEEN}.cites"), full.ids))
    arrays: Arrays = {
        "graph_index": np.arange(n_graphs, dtype=np.int32),
        "node_ptr": _pointer(x),
        "edge_ptr": _pointer(edges),
        "edges": np.concatenate(edges),
        "edge_train_ptr": _pointer(seen_edges),
        "edges_train": np.concatenate(seen_edges),
    }
    for key, numbers in (("x", np.stack(x)), ("x_train", np.stack(x_seen))):
        arrays[f"{key}_hi"] = (numbers >> 16).astype(np.int8)
        arrays[f"{key}_lo"] = (numbers & 0xFFFF).astype(np.uint16)
    return arrays


# --- text ---------------------------------------------------------------------------------------


def parse_content(text: str) -> Content:
    """Read a ``.content`` file; fields are separated by blanks or tabs."""
    ids, numbers, classes = [], [], []
    for i, line in enumerate(text.splitlines(), 1):
        fields = line.split(None, 1)
        if not fields:
            continue
        inner = fields[-1].rsplit(None, 1)
        if len(fields) + len(inner) != 4:
            raise ValueError(f"line {i} of a .content file is not an id, numbers and a class")
        ids.append(_plain(fields[0]))
        numbers.append(inner[0])
        classes.append(_plain(inner[1]))
    if not ids:
        raise ValueError("a .content file has no lines")
    try:
        # loadtxt refuses words among the numbers and rows of different length.
        x = np.loadtxt(numbers, dtype=np.float32, comments=None, ndmin=2)
    except ValueError as error:
        reason = shortened(str(error).partition(";")[0])
        raise ValueError(f"a .content file holds no table of numbers: {reason}") from None
    if not np.isfinite(x).all():
        raise ValueError("a .content file holds a number that is not finite")
    return Content(tuple(ids), x, tuple(classes))


def parse_ids(text: str) -> tuple[str, ...]:
    """Read the ids of a ``.content`` file only."""
    return tuple(_plain(line.split(None, 1)[0]) for line in text.splitlines() if line.strip())


def parse_cites(text: str, ids: Sequence[str]) -> NDArray[np.int32]:
    """Read a ``.cites`` file into undirected pairs of rows, each once, u < v, sorted."""
    row = {name: i for i, name in enumerate(ids)}
    if len(row) != len(ids):
        raise ValueError("a .content file names a node twice")
    names = [_plain(word) for word in text.split()]
    if len(names) % 2:
        raise ValueError("a .cites file does not have two ids a line")
    pairs = np.array([row.get(name, -1) for name in names], dtype=np.int32).reshape(-1, 2)
    pairs.sort(axis=1)
    kept = pairs[(pairs[:, 0] >= 0) & (pairs[:, 0] != pairs[:, 1])]
    return np.unique(kept, axis=0)


def _plain(word: str) -> str:
    """Write a whole number the plain way, ``6.898e+03`` as ``6898``; leave other words alone."""
    if word.isdecimal():
        return word
    try:
        number = float(word)
    except ValueError:
        return word
    return str(int(number)) if number.is_integer() else word


# --- arrays -------------------------------------------------------------------------------------


def _path(name: str, ending: str) -> str:
    return f"data/{name}/{name}{ending}"


def _largest_component(whole: Entry, content: Content, read: Read) -> NDArray[np.int32]:
    """Return the rows, ascending: their order is the numbering of the ``_connected`` files."""
    edges = parse_cites(read(_path(whole.name, ".cites")), content.ids)
    return Graph.from_edges(edges, len(content.ids)).largest_component()[1]


def _edge_parts(name: str, ids: Sequence[str], read: Read) -> Arrays:
    arrays: Arrays = {"edges": parse_cites(read(_path(name, ".cites")), ids)}
    for part in _PARTS:
        arrays[f"edges_{part}"] = parse_cites(read(_path(name, f"_{part}_0.40.cites")), ids)
    return arrays


def _id_array(ids: Sequence[str]) -> NDArray[np.int64] | NDArray[np.str_]:
    if all(name.isdecimal() for name in ids):
        numbers = [int(name) for name in ids]
        if max(numbers, default=0) > np.iinfo(np.int64).max:
            raise ValueError("an id does not fit 64 bits")
        return np.array(numbers, dtype=np.int64)
    return np.array(ids)


def _labels(classes: Sequence[str], rows: NDArray[np.int32]) -> Arrays:
    label_names, labels = np.unique(np.array(classes), return_inverse=True)
    return {"labels": labels.astype(np.int32)[rows], "label_names": label_names}


def _aligned(content: Content, ids: Sequence[str]) -> NDArray[np.float32]:
    """Return the features in the order of `ids`."""
    row = {name: i for i, name in enumerate(content.ids)}
    if row.keys() != set(ids):
        raise ValueError("the .content files of a graph and its training part name other nodes")
    return content.x[[row[name] for name in ids]]


def _sparse(key: str, x: NDArray[np.float32]) -> Arrays:
    rows, columns = np.nonzero(x)
    if not (x[rows, columns] == 1).all():
        raise ValueError("a bag of words must hold zeros and ones")
    pointer = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(x)))])
    data = np.ones(len(rows), np.uint8)
    return _csr(key, pointer, columns, data, x.shape)


def _full(key: str, x: NDArray[np.float32]) -> Arrays:
    """Return a dense matrix as CSR with every entry stored, zeros too."""
    n, width = x.shape
    return _csr(key, np.arange(n + 1) * width, np.tile(np.arange(width), n), x.reshape(-1), x.shape)


def _csr(
    key: str,
    pointer: NDArray[np.int64],
    columns: NDArray[np.int64],
    data: NDArray[np.uint8] | NDArray[np.float32],
    shape: tuple[int, ...],
) -> Arrays:
    return {
        f"{key}_indptr": pointer.astype(np.int32),
        f"{key}_indices": columns.astype(np.int32),
        f"{key}_data": data,
        f"{key}_shape": np.array(shape, dtype=np.int64),
    }


def _millionths(x: NDArray[np.float32]) -> NDArray[np.int32]:
    """Return numbers of six decimals as integers, exact."""
    return np.rint(x.astype(np.float64) * 1e6).astype(np.int32)


def _pointer(parts: Sequence[NDArray[np.int32]]) -> NDArray[np.int32]:
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int32)
