"""Where the cases of the command line come from: data sets, files, a synthetic graph."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any
from zipfile import BadZipFile
from zlib import error as ZlibError

import numpy as np

import graphopt.datasets as datasets
from graphopt._escaping import quoted, shortened
from graphopt._files import regular_size
from graphopt._loading import load_whole
from graphopt._reading import check_npz, read_npy, text_lines
from graphopt._sparse import checked_rows, is_sparse
from graphopt._validation import check_float_array, check_memory
from graphopt.cli._comparison import Case
from graphopt.errors import DamagedFileError, InfeasibleError, MemoryLimitError
from graphopt.graph import Graph
from graphopt.objectives import Problem, as_objective

_LONGEST_ROW = 2**26  # bytes of a row of features as text
_CONNECTED = "_connected"  # ends the name of a data set's largest component

# What NumPy, SciPy and zipfile raise when a file is not what its name promises.
_NOT_READABLE = (
    ValueError,
    TypeError,
    KeyError,
    AttributeError,
    RuntimeError,  # an encrypted member, a format that SciPy does not load
    OverflowError,
    EOFError,
    BadZipFile,
    ZlibError,
    UserWarning,
)


def dataset_case(name: str, objective: str, setting: str, k: int, seed: int) -> Case:
    """Return a published data set as a case, its nodes renumbered at random by `seed`.

    In some data sets the order of the nodes follows their groups; renumbered, no method can profit
    from it, not even by breaking ties.

    Raises
    ------
    ValueError
        For a set of many graphs; for an objective that needs a connected graph on one that falls
        apart, naming the ``_connected`` variant where there is one.
    """
    data = datasets.load(name)
    if not isinstance(data, datasets.Dataset):
        raise ValueError(f"{name} holds many graphs; choose one with a single graph")
    try:
        as_objective(objective).check_feasible(data.graph, k)
    except InfeasibleError:
        variant = name + _CONNECTED
        if variant in datasets.names():
            message = f"{name} is not connected; for {objective} use {variant}"
            raise ValueError(message) from None
    return case_of(name, data.permuted(seed), objective, setting, k)


def synthetic_case(objective: str, setting: str, k: int, seen: float, seed: int) -> Case:
    """Return a synthetic graph (paper, appendix 2.2) with known attributes as a case."""
    data = datasets.synthetic(features="attributes", seen_fraction=seen, random_state=seed)
    return case_of("synthetic", data, objective, setting, k)


def case_of(name: str, data: datasets.Dataset, objective: str, setting: str, k: int) -> Case:
    """Return a data set as a case: with setting ``"optimization"`` all of it is seen."""
    # Features that differ for what is seen were computed from the edges there.
    computed = data.observed_features is not data.features
    if setting == "optimization":
        return _case(name, data.graph, data.graph, data.features, objective, k, computed)
    seen, features = data.observed, data.observed_features
    return _case(name, data.graph, seen, features, objective, k, computed)


def file_case(
    edges: Path, features: Path | None, objective: str, setting: str, k: int, seen: float, seed: int
) -> Case:
    """Return a user's graph as a case.

    With setting ``"learning"`` a share `seen` of its edges is drawn as the seen ones and the
    decision is judged on all of them.
    """
    graph = read_edges(edges)
    matrix = None if features is None else read_features(features)
    if matrix is not None and matrix.shape[0] != graph.n_nodes:
        raise ValueError(f"{features} has {matrix.shape[0]} rows for {graph.n_nodes} nodes")
    observed = graph
    if setting == "learning":
        split = datasets.split_edges(graph, seen, random_state=seed)
        observed = datasets.observed_graph(graph, split)
    return _case(edges.stem, graph, observed, matrix, objective, k)


def _case(
    name: str,
    full: Graph,
    seen: Graph,
    features: Any,
    objective: str,
    k: int,
    features_from_edges: bool = False,
) -> Case:
    share = seen.n_edges / full.n_edges if full.n_edges else 1.0
    goal = as_objective(objective)
    return Case(name, Problem(seen, k, goal, features, share, features_from_edges), full)


def read_edges(path: Path) -> Graph:
    """Read an edge list: two nodes a line, split by white space or commas; ``#`` starts a comment.

    Integers from 0 are node numbers; anything else is a name, numbered in order of appearance.

    Raises
    ------
    ValueError
        For a line that does not hold two nodes, which it names, or a file without edges.
    """
    pairs: list[tuple[str, str]] = []
    for number, line in text_lines(path):
        words = line.split("#")[0].replace(",", " ").split()
        if not words:
            continue
        if len(words) != 2:
            raise ValueError(f"{path}, line {number}: two nodes wanted, not {quoted(line.strip())}")
        pairs.append((words[0], words[1]))
    if not pairs:
        raise ValueError(f"{path} holds no edges")
    if all(u.isdecimal() and v.isdecimal() for u, v in pairs):
        return Graph.from_edges([(int(u), int(v)) for u, v in pairs])
    return Graph.from_edges(pairs)


def read_features(path: Path) -> Any:
    """Read node features, one row per node: ``.npy``, ``.npz`` as SciPy saves it, or CSV.

    Raises
    ------
    ValueError
        Names the file, if it cannot be read so or holds no matrix of numbers; a
        :class:`~graphopt.errors.DamagedFileError` for one that is cut short, or whose header asks
        for more than it holds.
    MemoryLimitError
        If the features do not fit in memory.
    """
    try:
        rows = _read_matrix(path)
        if is_sparse(rows):
            return checked_rows("features", rows)
        return check_float_array("features", rows, ndim=2)
    except (DamagedFileError, MemoryLimitError):
        raise
    except MemoryError as error:
        raise MemoryLimitError(f"{path} does not fit in memory: {shortened(error)}") from None
    except _NOT_READABLE as error:
        raise ValueError(f"{path}: {shortened(error)}") from error


def _read_matrix(path: Path) -> Any:
    if path.suffix == ".npy":
        return read_npy(path)
    if path.suffix == ".npz":
        return _read_sparse(path)
    return _read_table(path)


def _read_sparse(path: Path) -> Any:
    load_whole("scipy.sparse")
    from scipy.sparse import load_npz

    check_npz(path)
    try:
        return load_npz(path)
    except _NOT_READABLE as error:
        reason = shortened(f"{type(error).__name__}: {error}")
        raise DamagedFileError(f"{path} is not a matrix as SciPy saves it: {reason}") from error


def _read_table(path: Path) -> Any:
    check_memory(f"the table in {path}", regular_size(path), "give a smaller file, or .npy")
    lines = (line for _, line in text_lines(path, _LONGEST_ROW))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # an empty file
        return np.loadtxt(lines, delimiter=",", ndmin=2)
