"""Find a data set, here or at its origin, and make graphs of it."""

from __future__ import annotations

import os
import zipfile
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from graphopt._escaping import shortened
from graphopt._files import UsersPath, check_path
from graphopt._loading import load_whole
from graphopt._sparse import checked_rows
from graphopt.datasets import catalog, origins, sources
from graphopt.datasets.archive import Arrays, check_digest, read_arrays, write_arrays
from graphopt.datasets.catalog import Entry
from graphopt.datasets.dataset import Dataset, Features, InductiveDataset
from graphopt.datasets.splits import EdgeSplit, without
from graphopt.errors import DatasetNotFoundError, GraphoptError
from graphopt.graph import Graph

# What converting an archive raises when it is none, or another one.
_NOT_THE_ARCHIVE = (OSError, ValueError, RuntimeError, zipfile.BadZipFile, zlib.error)


SingleGraph = Literal[
    "cora", "cora_connected", "citeseer", "citeseer_connected",
    "cite", "cite_connected",
    "protein_vidal", "protein_vidal_connected", "prot", "prot_connected",
    "moreno", "moreno_connected", "adol", "adol_connected",
    "fb_small", "fb_small_connected", "fb", "fb_connected",
    "pubmed",
]  # fmt: skip
"""The names of data sets that are one graph, for type checkers."""

ManyGraphs = Literal["pubmed_inductive", "pubmed_connected_inductive", "synthetic_spa"]
"""The names of data sets that are many graphs, for type checkers."""


@overload
def load(
    name: SingleGraph, *, data_home: UsersPath | None = None, download: bool = True
) -> Dataset: ...


@overload
def load(
    name: ManyGraphs, *, data_home: UsersPath | None = None, download: bool = True
) -> InductiveDataset: ...


@overload
def load(
    name: str, *, data_home: UsersPath | None = None, download: bool = True
) -> Dataset | InductiveDataset: ...


def load(
    name: str, *, data_home: UsersPath | None = None, download: bool = True
) -> Dataset | InductiveDataset:
    """Return a published data set.

    Looks for ``name.npz`` in `data_home`, in the folder that the environment variable
    ``GRAPHOPT_DATA`` names, and in the user's cache (``GRAPHOPT_CACHE`` moves it). If the file is
    in none of them, fetches the authors' repository (``GRAPHOPT_ORIGIN`` names another copy),
    converts its text files and keeps the result in the cache. In every case the arrays must have
    the digest on record.

    Parameters
    ----------
    name : str
        One of :func:`graphopt.datasets.names`. The paper's short names (``prot``, ``adol``,
        ``fb``) are understood, and ``moreno_connected`` and ``fb_small_connected``, which are
        connected as they are.
    data_home : path, optional
        Folder to look in first.
    download : bool
        False: never touch the network.

    Returns
    -------
    Dataset or InductiveDataset
        The latter for ``pubmed_inductive``, ``pubmed_connected_inductive`` and ``synthetic_spa``.

    Raises
    ------
    ValueError
        For a name that is not known or a `data_home` that is no folder.
    DatasetNotFoundError
        If the data are nowhere; the message says how to get them.
    DigestMismatchError
        If the data found are not the ones on record. A bad download is not kept.

    Notes
    -----
    The published ``_connected`` and synthetic splits were drawn over directed lines: 62 to 66 % of
    the undirected edges are seen there, and `splits.test` overlaps `splits.train`.

    Examples
    --------
    Once the data are on this machine, ``load("cora")`` gives::

        Dataset('cora', n_nodes=2708, n_edges=5278, n_observed=2150, n_features=1433, n_classes=7)
    """
    folder = None if data_home is None else check_path("data_home", data_home)
    finder = _Finder(folder, download)
    entry = catalog.find(name)
    arrays = finder.arrays(entry)
    if entry.roles is None:
        return _single(entry, arrays)
    if entry.kind == "synthetic":
        members = _synthetic_members(entry, arrays)
    else:
        members = _subgraph_members(entry, arrays, finder.arrays(catalog.find(str(entry.parent))))
    train, validation, test = (tuple(role) for role in entry.roles)
    return InductiveDataset(entry.name, members, train, validation, test)


def cache_folder() -> Path:
    """Return where fetched data sets are kept."""
    moved = os.environ.get("GRAPHOPT_CACHE")
    if moved:
        return Path(moved)
    load_whole("pooch")
    import pooch

    return Path(pooch.os_cache("graphopt"))


class _Finder:
    """Finds the arrays of an entry: in folders first, then at the origin."""

    def __init__(self, data_home: Path | None, download: bool) -> None:
        if data_home is not None and not data_home.is_dir():
            raise ValueError(f"data_home must be a folder, not {str(data_home)!r}")
        self.download = download
        self.cache = cache_folder()
        given = (data_home, os.environ.get("GRAPHOPT_DATA") or None)
        self.folders = [Path(folder) for folder in given if folder is not None] + [self.cache]

    def arrays(self, entry: Entry) -> Arrays:
        for folder in self.folders:
            path = folder / f"{entry.name}.npz"
            if path.is_file():
                return read_arrays(path, entry.digest, entry.most_bytes)
        if entry.no_origin is not None:
            raise self._not_found(entry, f"it cannot be fetched: {entry.no_origin}")
        if not self.download:
            raise self._not_found(entry, "download=False forbids to fetch it")
        return self._fetch(entry)

    def _fetch(self, entry: Entry) -> Arrays:
        url = origins.origin_url()
        try:
            archive = origins.fetch(url, self.cache / "downloads")
        except (OSError, ValueError) as error:
            raise self._not_found(entry, f"{url} did not give it: {error}") from error
        parent = None if entry.parent is None else catalog.find(entry.parent)
        try:
            with origins.open_archive(archive) as read:
                arrays = sources.convert(entry, parent, read)
            check_digest(f"{entry.name}, converted from {url},", arrays, entry.digest)
        except Exception as error:
            archive.unlink(missing_ok=True)
            if isinstance(error, GraphoptError) or not isinstance(error, _NOT_THE_ARCHIVE):
                raise
            reason = shortened(error)
            raise self._not_found(entry, f"{url} holds something else: {reason}") from error
        write_arrays(self.cache / f"{entry.name}.npz", arrays)
        return arrays

    def _not_found(self, entry: Entry, reason: str) -> DatasetNotFoundError:
        looked = ", ".join(str(folder) for folder in self.folders)
        way = "put the path of a folder that holds it into the environment variable GRAPHOPT_DATA"
        if entry.no_origin is None:
            way += f", or let it be fetched from {origins.origin_url()} once (download=True)"
        return DatasetNotFoundError(
            f"{entry.name}.npz is in none of {looked}, and {reason}. To get it: {way}."
        )


# --- from arrays to data sets -------------------------------------------------------------------


def _single(entry: Entry, arrays: Arrays) -> Dataset:
    features = _matrix(arrays, "x")
    n_classes = len(arrays["label_names"])
    return _dataset(
        entry.name,
        arrays["node_ids"],
        arrays["edges"],
        arrays["edges_train"],
        features,
        _matrix(arrays, "x_train") if "x_train_data" in arrays else features,
        valid=arrays["edges_valid"],
        test=arrays["edges_test"],
        labels=arrays["labels"] if n_classes > 1 else None,
        label_names=arrays["label_names"] if n_classes > 1 else None,
    )


def _subgraph_members(entry: Entry, arrays: Arrays, parent: Arrays) -> tuple[Dataset, ...]:
    store = _matrix(parent, "x")
    members = []
    for i, (nodes, edges, seen) in enumerate(_slices(arrays)):
        features = store[arrays["pubmed_row"][nodes]]
        members.append(
            _dataset(
                f"{entry.name}/{arrays['graph_index'][i]}",
                arrays["node_ids"][nodes],
                arrays["edges"][edges],
                arrays["edges_train"][seen],
                features,
                features,
                labels=arrays["labels"][nodes],
                label_names=arrays["label_names"],
            )
        )
    return tuple(members)


def _synthetic_members(entry: Entry, arrays: Arrays) -> tuple[Dataset, ...]:
    return tuple(
        _dataset(
            f"{entry.name}/{arrays['graph_index'][i]}",
            np.arange(nodes.stop - nodes.start),
            arrays["edges"][edges],
            arrays["edges_train"][seen],
            _from_millionths(arrays["x_hi"][i], arrays["x_lo"][i]),
            _from_millionths(arrays["x_train_hi"][i], arrays["x_train_lo"][i]),
        )
        for i, (nodes, edges, seen) in enumerate(_slices(arrays))
    )


def _dataset(
    name: str,
    node_ids: NDArray[Any],
    edges: NDArray[np.int32],
    seen: NDArray[np.int32],
    features: Features,
    observed_features: Features,
    *,
    valid: NDArray[np.int32] | None = None,
    test: NDArray[np.int32] | None = None,
    labels: NDArray[np.int32] | None = None,
    label_names: NDArray[np.str_] | None = None,
) -> Dataset:
    n = len(node_ids)
    return Dataset(
        name=name,
        graph=Graph.from_edges(edges, n),
        observed=Graph.from_edges(seen, n),
        features=features,
        observed_features=observed_features,
        splits=EdgeSplit(train=seen, unseen=without(edges, seen, n), valid=valid, test=test),
        labels=labels,
        label_names=None if label_names is None else tuple(str(word) for word in label_names),
        node_ids=node_ids,
    )


def _matrix(arrays: Arrays, key: str) -> Any:
    """Return stored CSR as a dense array where every entry is stored, else as it is."""
    load_whole("scipy.sparse")
    from scipy.sparse import csr_array

    rows, columns = (int(size) for size in arrays[f"{key}_shape"])
    data = arrays[f"{key}_data"].astype(np.float32)
    if len(data) == rows * columns:
        return data.reshape(rows, columns)
    pattern = (arrays[f"{key}_indices"], arrays[f"{key}_indptr"])
    return checked_rows(key, csr_array((data, *pattern), shape=(rows, columns)))


def _slices(arrays: Arrays) -> list[tuple[slice, slice, slice]]:
    """Return of each graph its nodes, edges and training edges."""
    pointers = [arrays[key].tolist() for key in ("node_ptr", "edge_ptr", "edge_train_ptr")]
    ranges = [[slice(a, b) for a, b in pairwise(p)] for p in pointers]
    return list(zip(*ranges, strict=True))


def _from_millionths(high: NDArray[np.int8], low: NDArray[np.uint16]) -> NDArray[np.float32]:
    return ((high.astype(np.int32) * 65536 + low) / 1e6).astype(np.float32)
