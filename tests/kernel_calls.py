"""One call or more of every compiled function, each large enough to be shared by two threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from graphopt._native import _convert, _core

Arguments = Callable[[int], tuple[Any, ...]]


@dataclass(frozen=True)
class KernelCall:
    """A function and its arguments, made afresh for a number of threads."""

    name: str
    function: Callable[..., Any]
    arguments: Arguments

    def __call__(self, num_threads: int) -> bytes:
        """Call it and return the bytes of what it returns and of arguments that it changes."""
        arguments = self.arguments(num_threads)
        return result_bytes(self.function(*arguments), arguments)


def result_bytes(result: Any, arguments: tuple[Any, ...]) -> bytes:
    """Return the bits of a result and of the arrays it was made from, which some kernels change."""
    return as_bytes((result, [part for part in arguments if isinstance(part, np.ndarray)]))


def as_bytes(thing: Any) -> bytes:
    """Return the bits of a result: arrays, numbers, tuples, lists and dictionaries of them."""
    if isinstance(thing, np.ndarray):
        return thing.tobytes()
    if isinstance(thing, tuple | list):
        return b"".join(as_bytes(part) for part in thing)
    return repr(thing).encode()


def compiled_functions() -> dict[str, Callable[..., Any]]:
    """Return every function of the compiled modules by its name."""
    return {
        name: thing
        for module in (_core, _convert)
        for name, thing in vars(module).items()
        if callable(thing) and not isinstance(thing, type) and not name.startswith("_")
    }


def kernel_calls() -> list[KernelCall]:
    """Return the calls, in the order of the functions' names."""
    functions = compiled_functions()
    calls = [
        KernelCall(f"{name}[{variant}]" if variant else name, functions[name], arguments)
        for name, variant, arguments in _arguments()
    ]
    return sorted(calls, key=lambda call: call.name)


# --- what they are called with ------------------------------------------------------------------


@cache
def _edges(n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n)
    ends = rng.integers(0, n, (2, m))
    return ends[0].copy(), ends[1].copy(), rng.integers(1, 9, m).astype(float)


@cache
def _csr(n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A symmetric graph with whole weights."""
    return _core.build_csr(n, *_edges(n, m), False, True, "min")  # type: ignore[return-value]


@cache
def _table(n_sites: int, n_customers: int, dtype: str) -> np.ndarray:
    rng = np.random.default_rng(n_customers)
    return rng.integers(1, 9, (n_sites, n_customers)).astype(dtype)


@cache
def _reals(dtype: str, *shape: int) -> np.ndarray:
    return np.random.default_rng(shape[0]).uniform(0.1, 0.9, shape).astype(dtype)


@cache
def _symmetric(n: int) -> np.ndarray:
    square = _table(n, n, "float64")
    return square + square.T


def _nodes(*nodes: int) -> np.ndarray:
    return np.array(nodes, np.int32)


def _arguments() -> Iterator[tuple[str, str, Arguments]]:
    """Name of a function, a word for the variant, arguments."""
    yield "build_info", "", lambda _: ()
    yield "openmp_max_threads", "", lambda _: ()
    yield "startable_threads", "", lambda t: (t,)
    yield "take_counted_work", "", lambda _: ()
    yield "usable_threads", "", lambda t: (t, 8)
    yield from _graphs()
    yield from _paths()
    yield from _centers()
    yield from _communities()
    yield from _facility()
    yield from _networks()
    yield from _soft_kmeans()


def _graphs() -> Iterator[tuple[str, str, Arguments]]:
    class Mapping(dict[int, Any]):
        """Not a plain dictionary: read by another branch."""

    rows = [(f"a{i % 50}", f"b{i % 70}") for i in range(300)]
    numbers = [(i % 50, i % 70) for i in range(300)]
    plain = [(i, {(i + j) % 60: {"w": 1.5 * j} for j in range(5)}) for i in range(60)]
    multi = [(i, Mapping({(i + 1) % 60: {0: {"w": 2}, 1: {}}})) for i in range(60)]
    position = {i: i for i in range(60)}
    yield "adjacency_edges", "", lambda _: (plain, position, True, "w", False, False)
    yield "adjacency_edges", "multigraph", lambda _: (multi, position, False, "w", True, True)
    yield "pair_edges", "numbers", lambda _: (numbers,)
    yield "pair_edges", "labels", lambda _: (rows,)
    yield "build_csr", "min", lambda _: (100, *_edges(100, 400), False, True, "min")
    yield "build_csr", "sum", lambda _: (100, *_edges(100, 400), True, True, "sum")
    yield (
        "build_csr",
        "unweighted",
        lambda _: ((100, *_edges(100, 400)[:2], None, False, True, "first")),
    )
    yield "check_csr", "", lambda _: _csr(100, 400)
    yield "check_indices", "int32", lambda _: (_csr(100, 400)[1], 100, "indices")
    yield "check_indices", "int64", lambda _: (_csr(100, 400)[0], 801, "indices")
    yield "check_sparse", "", lambda _: (*_csr(100, 400)[:2], 100)
    yield "transpose_csr", "", lambda _: _csr(100, 400)


def _paths() -> Iterator[tuple[str, str, Arguments]]:
    def hops(n: int, m: int, n_bytes: int, directed: bool) -> Arguments:
        sources = np.arange(n, dtype=np.int32)
        return lambda t: (*_csr(n, m)[:2], directed, sources, 2**32 - 1, n_bytes, t)

    for n_bytes in (1, 2, 4):
        yield (
            "hop_distances",
            f"{n_bytes} bytes",
            hops(1100 if n_bytes < 4 else 300, 6000, n_bytes, False),
        )
    yield "hop_distances", "directed", hops(600, 3000, 1, True)
    yield "hop_distances", "path", hops(600, 500, 1, False)
    for n_sources in (3, 80):
        sources = np.arange(n_sources, dtype=np.int32)
        for directed in (False, True):
            yield (
                "path_lengths",
                f"{n_sources}, {'directed' if directed else 'undirected'}",
                lambda t, d=directed, s=sources: (*_csr(300, 900), d, s, np.inf, t),
            )
    yield "floyd_warshall", "", lambda t: (*_csr(200, 900), False, t)
    yield "floyd_warshall", "directed", lambda t: (*_csr(200, 900)[:2], None, True, t)
    yield "distances_to_nearest", "", lambda _: (*_csr(300, 900), _nodes(3, 7))
    yield "distances_to_nearest", "hops", lambda _: (*_csr(300, 900)[:2], None, _nodes(3, 7))


def _centers() -> Iterator[tuple[str, str, Arguments]]:
    n = 300
    allowed = np.ones(n, np.uint8)
    allowed[5:20] = 0
    must = _nodes(2, 40)
    yield "gonzalez_from_graph", "", lambda _: (*_csr(n, 900), 6, 1, _nodes(), None)
    yield "gonzalez_from_graph", "rules", lambda _: (*_csr(n, 900)[:2], None, 6, -1, must, allowed)
    for dtype in ("uint8", "uint16", "uint32", "float32", "float64"):
        table = _table(n, n, dtype)
        yield "gonzalez_from_matrix", dtype, lambda _, d=table: (d, 6, -1, must, allowed)
        yield "greedy_k_center", dtype, lambda t, d=table: (d, 4, must, allowed, allowed, t)
        limits = np.full(n, 1, dtype)
        needed = np.ones(n, np.uint8)
        yield (
            "reduce_cover",
            dtype,
            lambda t, d=table, r=limits, y=needed: ((d, r, allowed, y, np.inf, 2**62, t)),
        )
        costs = None if dtype.startswith("float") else np.arange(9.0)
        swaps = (_nodes(0, 1, 2), None, 1, 3, 3, np.inf)
        narrow = _table(40, 400, dtype)
        yield (
            "swap_search",
            f"{dtype}, scenarios",
            lambda t, d=narrow, c=costs, s=swaps: (
                (d, c, 1e9, _reals("float64", 400), 4, 1.5, *s, t)
            ),
        )
    wide = _table(20, 16_400, "uint8")  # threads are for tables as wide as this
    yield (
        "swap_search",
        "wide",
        lambda t: (
            (wide, np.arange(9.0), 1e9, None, 1, 1.0, *(_nodes(0, 1), None, 0, 3, 3, np.inf), t)
        ),
    )
    yield "pipage_rounding", "", lambda t: (_reals("float64", 60), 10, 8, 1e-9, 0, t)


def _communities() -> Iterator[tuple[str, str, Arguments]]:
    def sides(n: int) -> np.ndarray:
        return np.arange(n) % 2 == 0

    strengths = _symmetric(40).sum(1)
    yield "cnm", "", lambda _: (_symmetric(40), 3)
    yield "kernighan_lin", "", lambda _: (_symmetric(40), strengths, strengths.sum(), sides(40))
    indptr, indices, weights = _csr(100, 400)
    ends = np.repeat(np.arange(100), np.diff(indptr))
    degrees = np.bincount(ends, weights, 100)
    yield (
        "kernighan_lin_sparse",
        "",
        lambda _: ((indptr, indices, weights, degrees, degrees.sum(), sides(100))),
    )
    few = _csr(24, 60)
    starts = (np.arange(72, dtype=np.int32) % 3).reshape(3, 24)
    for keep_all in (False, True):
        yield (
            "polish",
            "keep all" if keep_all else "",
            lambda t, k=keep_all: ((*few, starts, 3, 1.0, k, 1, 0, t)),
        )
    for dtype in ("float32", "float64"):
        yield (
            "modularity_gradient",
            dtype,
            lambda t, d=dtype: ((*_csr(9000, 9000), _reals(d, 9000, 3), 1.0, t)),
        )
    groups = np.arange(800) % 7
    for dtype in ("float32", "float64"):
        yield "all_finite", dtype, lambda t, d=dtype: (_reals(d, 30_000),)
    yield "weight_within", "", lambda t: (_symmetric(800), groups, t)
    yield "symmetric_product", "", lambda t: (_symmetric(800), _reals("float64", 800), t)


def _facility() -> Iterator[tuple[str, str, Arguments]]:
    steps = np.append(np.arange(9.0), 20.0)
    for table in (_table(200, 200, t) for t in ("uint8", "uint16", "uint32")):
        for dtype in ("float32", "float64"):
            x = _reals(dtype, 200)
            name = f"{table.dtype}, {dtype}"
            yield "expected_hops", name, lambda t, d=table, x=x: (d, x, steps, t)
            yield "expected_hops_gradient", name, lambda t, d=table, x=x: (d, x, x, steps, t)
            yield "mean_expected_hops", name, lambda t, d=table, x=x: (d, x, steps, t)
        large = _table(600, 600, str(table.dtype))
        yield "largest_finite_hop", str(table.dtype), lambda t, d=large: (d, t)
    lengths = _table(200, 200, "float64")
    order = np.argsort(lengths, axis=1, kind="stable").astype(np.int32)
    yield "order_sites", "", lambda t: (lengths, t)
    for dtype in ("float32", "float64"):
        x = _reals(dtype, 200)
        yield "expected_lengths", dtype, lambda t, x=x: (lengths, order, x, 9.0, t)
        yield "expected_lengths_gradient", dtype, lambda t, x=x: (lengths, order, x, x, 9.0, t)


def _networks() -> Iterator[tuple[str, str, Arguments]]:
    n, hidden, out = 400, 12, 5
    indptr, indices, _ = _csr(n, 1500)
    for dtype in ("float32", "float64"):
        values = _reals(dtype, len(indices))
        weight, bias, out_bias = (
            _reals(dtype, hidden, out),
            _reals(dtype, hidden),
            _reals(dtype, out),
        )
        rows, upstream = _reals(dtype, n, hidden), _reals(dtype, n, out)
        sparse = (indptr, indices, values, n)
        yield "spmm", dtype, lambda t, s=sparse, r=rows: (*s, r, t)
        wide, narrow = _reals(dtype, n, 70), _reals(dtype, 70, out)
        yield "tall_product", dtype, lambda t, a=wide, b=narrow: (a, b, t)
        yield "transposed_tall_product", dtype, lambda t, a=wide, b=upstream: (a, b, t)
        yield (
            "gcn_layers",
            dtype,
            lambda t, s=sparse, r=rows, a=(bias, weight, out_bias): ((*s, r, *a, 0.5, 1, t)),
        )
        yield (
            "gcn_layers_gradient",
            dtype,
            lambda t, s=sparse, r=rows, w=weight, u=upstream: ((*s, r, w, 0.5, u, t)),
        )
        many = _reals(dtype, 140_000)
        yield "dropout", dtype, lambda t, v=many: (v, 0.5, 1, t)
        yield (
            "adam_step",
            dtype,
            lambda t, v=many: (
                (v.copy(), v, v.copy(), v.copy(), 0.01, 0.0, 0.9, 0.99, 1e-8, 1.0, t)
            ),
        )


def _soft_kmeans() -> Iterator[tuple[str, str, Arguments]]:
    # A large graph, which all threads share, and small ones, side by side.
    sizes = np.array([6000, 40, 40, 40, 40])
    offsets = np.append(0, np.cumsum(sizes))
    n, k, p = int(sizes.sum()), 4, 6
    for dtype in ("float32", "float64"):
        x, centers = _reals(dtype, n, p), _reals(dtype, len(sizes), k, p)
        unit, lengths = _core.unit_rows(x, 1)
        image, assignment, _, mass = _core.soft_kmeans(
            x, offsets, centers, 3.0, 1, 1, True, False, 1
        )
        at = (x, offsets, centers)
        point = (image, mass[0], assignment)
        yield "soft_kmeans", dtype, lambda t, a=at: (*a, 3.0, 3, 2, True, True, t)
        yield (
            "soft_kmeans_step_vjp",
            dtype,
            lambda t, a=at, q=point: ((*a, *q, a[2], 3.0, a[0].copy(), t)),
        )
        yield (
            "soft_kmeans_assignment_vjp",
            dtype,
            lambda t, a=at, r=assignment: ((*a, r, r, 3.0, t)),
        )
        yield (
            "soft_kmeans_solve",
            dtype,
            lambda t, a=at, q=point: ((*a, *q, a[2], 3.0, 1e-3, 20, t)),
        )
        yield "unit_rows", dtype, lambda t, x=x: (x, t)
        yield "unit_rows_vjp", dtype, lambda t, u=unit, r=lengths: (u, r, u, t)
        if dtype == "float64":
            yield (
                "soft_kmeans_jacobian",
                "",
                lambda t, a=at, q=point: (
                    a[0][:6000],
                    a[2][:1],
                    q[0][:1],
                    q[1][:1],
                    q[2][:6000],
                    3.0,
                    t,
                ),
            )
