"""Properties of a pair of nodes that are known before an edge between them is seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole
from graphopt._validation import check_memory
from graphopt.features import smoothed_features
from graphopt.graph import Graph

_BLOCK_ENTRIES = 2**21  # pairs described at a time
_DENSE_SHARE = 0.125  # of the entries; from there on a dense product is faster

STRUCTURE = (
    "lower degree",
    "higher degree",
    "common neighbours",
    "adamic-adar",
    "resource allocation",
    "3-paths",
)


class PairFeatures:
    """Structural properties and feature similarity of all pairs of nodes, row by row.

    Per pair: the logarithms of both degrees relative to the mean, of common neighbours, of the
    Adamic-Adar and resource allocation indices and of the number of 3-paths, each of these paths
    divided by the root of its inner nodes' degrees (I. A. Kovács et al., Nature Communications 10,
    1240, 2019); and the cosines of the nodes' features, as they are and smoothed over seen edges.

    Parameters
    ----------
    graph : Graph
        Undirected; weights are ignored.
    features : array or sparse array, shape (n_nodes, n_features), or None
    smoothing : int
        Number of averages over seen neighbours before the second cosine is computed.
    """

    def __init__(self, graph: Graph, features: Any, smoothing: int) -> None:
        load_whole("scipy.sparse")
        from scipy.sparse import csr_array, diags_array

        n = graph.n_nodes
        self.n_nodes = n
        self.names: tuple[str, ...] = STRUCTURE
        self._block = max(1, _BLOCK_ENTRIES // max(n, 1))
        degrees = graph.degrees.astype(np.float64)
        self._degree = np.log1p(degrees / max(degrees.mean(), 1e-12) if n else degrees).astype(
            np.float32
        )
        links = graph.to_scipy()
        links.data[:] = 1.0
        inverse = np.divide(1.0, degrees, out=np.zeros(n), where=degrees > 0)
        # A node between two others has two neighbours, so its logarithm is not 0.
        logarithm = np.log(np.maximum(degrees, 2.0))
        root = diags_array(np.sqrt(inverse)) if n else links
        inner = csr_array(root @ links @ root)
        self._links = links.astype(np.float32)
        n_paths = int(np.diff(links.indptr)[inner.indices].sum())
        check_memory(
            f"paths of two edges between {n:,} nodes", 8 * min(n_paths, n * n), "use fewer edges"
        )
        self._right = [
            self._links,
            csr_array(diags_array(1.0 / logarithm) @ links).astype(np.float32) if n else links,
            csr_array(diags_array(inverse) @ links).astype(np.float32) if n else links,
            csr_array(inner @ links).astype(np.float32),
        ]
        self._rows: list[Any] = []
        if features is not None:
            self.names = (*STRUCTURE, "cosine", *(["smoothed cosine"] if smoothing else []))
            for steps in dict.fromkeys((0, smoothing)):
                rows = smoothed_features(features, graph, steps)
                if not isinstance(rows, np.ndarray) and (
                    rows.nnz > _DENSE_SHARE * rows.shape[0] * rows.shape[1]
                ):
                    rows = rows.toarray()
                self._rows.append(rows)

    def blocks(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Yield the first node of each block and its values, shape (n_names, n_block, n_nodes)."""
        for start in range(0, self.n_nodes, self._block):
            yield start, self._values(start, min(start + self._block, self.n_nodes))

    def of(self, pairs: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
        """Return the values of some pairs, shape (n_pairs, n_names)."""
        order = np.argsort(pairs[:, 0], kind="stable")
        first = pairs[order, 0]
        found = np.empty((len(pairs), len(self.names)), np.float32)
        for start in range(0, self.n_nodes, self._block):
            stop = min(start + self._block, self.n_nodes)
            here = order[np.searchsorted(first, start) : np.searchsorted(first, stop)]
            if len(here):
                values = self._structure(start, stop)
                place = pairs[here, 0] - start, pairs[here, 1]
                found[here, : len(STRUCTURE)] = values[:, place[0], place[1]].T
        for column, rows in enumerate(self._rows, start=len(STRUCTURE)):
            found[:, column] = _cosines(rows, pairs)
        return found

    def _values(self, start: int, stop: int) -> NDArray[np.float32]:
        values = np.empty((len(self.names), stop - start, self.n_nodes), np.float32)
        self._structure(start, stop, out=values)
        for place, rows in enumerate(self._rows, start=len(STRUCTURE)):
            product = rows[start:stop] @ rows.T
            values[place] = product if isinstance(product, np.ndarray) else product.toarray()
        return values

    def _structure(
        self, start: int, stop: int, out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        shape = (len(STRUCTURE), stop - start, self.n_nodes)
        values = np.empty(shape, np.float32) if out is None else out
        mine = self._degree[start:stop, None]
        np.minimum(mine, self._degree, out=values[0])
        np.maximum(mine, self._degree, out=values[1])
        links = self._links[start:stop]
        for place, right in enumerate(self._right, start=2):
            (links @ right).toarray(out=values[place])
            np.log1p(values[place], out=values[place])
        return values


def _cosines(rows: Any, pairs: NDArray[np.integer[Any]]) -> NDArray[np.float32]:
    """Return the products of pairs of unit rows."""
    found = np.empty(len(pairs), np.float32)
    step = max(1, _BLOCK_ENTRIES // rows.shape[1])
    for start in range(0, len(pairs), step):
        some = pairs[start : start + step]
        left, right = rows[some[:, 0]], rows[some[:, 1]]
        if isinstance(rows, np.ndarray):
            found[start : start + step] = np.einsum("ij,ij->i", left, right)
        else:
            found[start : start + step] = left.multiply(right).sum(axis=1)
    return found
