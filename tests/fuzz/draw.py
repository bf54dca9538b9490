"""Arguments drawn from a seed: valid ones in many forms, and odd ones."""

from __future__ import annotations

import importlib.util
import random
import string
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse

from graphopt import Graph

_VALID_SHARE = 0.6
_ODD_SHARE = 0.3

HUGE = (2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30, 10**400)
NAN, INF = float("nan"), float("inf")
_NO_NUMBERS: tuple[Any, ...] = (
    None,
    "3",
    "",
    b"3",
    True,
    np.False_,
    1j,
    [1],
    (),
    {},
    object(),
    np.array([3, 4]),
    np.array("3"),
    np.datetime64("2020-01-01"),
    np.complex64(1),
    Decimal("NaN"),
)
_NO_INTEGERS: tuple[Any, ...] = (1.0, 1.5, NAN, INF, Fraction(7, 2), Decimal(2), np.float32(2))
_NOTHING_LIKE_IT: tuple[Any, ...] = (
    None,
    "abc",
    b"\xff\x00",
    3,
    NAN,
    10**400,
    True,
    {},
    {1: 2},
    {1, 2},
    object(),
    [[1], [1, 2]],
    [None, 1],
    ["a", "b"],
    [10**400],
    [2**64, -1],
    np.array(3.0),
    np.array(["a"], dtype=object),
    np.zeros(3, dtype=[("a", "i4"), ("b", "f8")]),
    np.array(["2020-01-01"], dtype="datetime64[D]"),
    memoryview(b"1234"),
    range(3),
    lambda *_: None,  # another signature is the user's own error, and Python names it
    ValueError,
)
# Index arrays that contradict each other: SciPy's own code dies of them where it is asked first.
BROKEN_SPARSE = importlib.util.find_spec("graphopt._sparse") is not None
_FORMATS = ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")


class Draw:
    """A stream of choices that a seed determines.

    Parameters
    ----------
    seed : str
    threads : int, optional
        What `num_threads` gives in place of what it draws, to repeat a call on other threads.

    Attributes
    ----------
    valid : bool
        Whether the whole call is to be one that a function must answer.
    repeatable : bool
        Whether the same call must give the same bits: False once a fresh seed is drawn.
    """

    def __init__(self, seed: str, threads: int | None = None) -> None:
        self.random = random.Random(seed)
        self.valid = self.random.random() < _VALID_SHARE
        self.repeatable = True
        self._threads = threads

    @cached_property
    def generator(self) -> np.random.Generator:
        """For what is drawn by the array."""
        return np.random.default_rng(self.random.getrandbits(64))

    # --- choices ----------------------------------------------------------------------------------

    def odd(self, share: float = _ODD_SHARE) -> bool:
        """Return whether the next argument is to be odd; never in a valid call."""
        return not self.valid and self.random.random() < share

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def pick(self, *options: Any) -> Any:
        return options[self.random.randrange(len(options))]

    def some(self, **makers: Callable[[], Any]) -> dict[str, Any]:
        """Return about half of the optional arguments."""
        return {name: make() for name, make in makers.items() if self.random.random() < 0.5}

    def size(self, low: int, high: int) -> int:
        """Return a plain number that no function sees as an argument; small ones are likelier."""
        span = max(high - low, 0) + 1
        return low + min(self.random.randrange(span), self.random.randrange(span))

    # --- scalars ----------------------------------------------------------------------------------

    def integer(self, low: int, high: int, *, costly: bool = False) -> Any:
        """Return an integer argument that must be within bounds.

        Odd ones lie outside or are no integers; what makes a call longer (`costly`) is never huge,
        unless no machine could be asked for so much.
        """
        if self.odd():
            outside = [low - 1, -1, -(2**63), -(10**400)]
            if not costly:
                outside += [high + 1, *HUGE]
            return self.pick(*outside, *_NO_INTEGERS, *_NO_NUMBERS)
        value = self.random.randint(low, max(low, high))
        kind = self.random.randrange(10)
        if kind == 0 and 0 <= value < 256:
            return np.uint8(value)
        if kind == 1:
            return np.int64(value)
        if kind == 2 and abs(value) < 2**31:
            return np.int32(value)
        return value

    def number(self, low: float, high: float, *, odd: tuple[Any, ...] = ()) -> Any:
        """Return a finite number argument within bounds."""
        if self.odd():
            extremes = (NAN, INF, -INF, -1.0, -1e308, 5e-324, 10**400, -(10**400), "nan")
            return self.pick(*extremes, *odd, *_NO_NUMBERS)
        value = self.pick(low, high, self.random.uniform(low, high), self.random.uniform(low, high))
        kind = self.random.randrange(8)
        if kind == 0:
            return np.float64(value)
        if kind == 1 and float(np.float32(value)) == value:
            return np.float32(value)
        if kind == 2 and float(value).is_integer():
            return int(value)
        return float(value)

    def flag(self) -> Any:
        return self.pick(True, False, True, False, True, False, np.True_)

    def choice(self, *options: str) -> Any:
        """Return a word out of those that are understood."""
        if self.odd():
            return self.pick(*_NO_NUMBERS, "Leiden", options[0] + " ", options[0].upper(), "\0", 3)
        return self.pick(*options)

    def random_state(self) -> Any:
        if self.odd():
            return self.pick(
                *_NO_INTEGERS,
                -1,
                -(10**400),
                "0",
                True,
                1j,
                [1],
                object(),
                np.random.RandomState(0),
            )
        kind = self.random.randrange(8)
        if kind == 0:
            self.repeatable = False
            return None
        if kind == 1:
            return np.random.default_rng(self.random.getrandbits(32))
        if kind == 2:
            return self.pick(0, 2**64, 10**30, np.uint64(2**64 - 1), 10**400)
        return self.random.randrange(100)

    def seed(self) -> Any:
        """Return a random state that is an integer."""
        if self.odd():
            return self.pick(*_NO_INTEGERS, -1, "0", True, None, object())
        return self.random.randrange(1000)

    def num_threads(self) -> Any:
        if self.odd():
            return self.pick(0, -1, -(10**400), *_NO_INTEGERS, "2", True, [1], object())
        drawn = self.pick(None, 1, 1, 2, 3, np.int64(2))
        return drawn if self._threads is None else self._threads

    def text(self) -> str:
        letters = self.pick(string.ascii_letters, "äß→\u202e\0\n\ud800", string.printable, "01 ")
        return "".join(self.random.choice(letters) for _ in range(self.random.randrange(6)))

    # --- arrays -----------------------------------------------------------------------------------

    def array(self, values: Any, *, lists: bool = True) -> Any:
        """Return values in some layout that must be read alike, or an odd array."""
        array = np.asarray(values)
        if self.odd():
            return self.odd_array(array)
        kind = self.random.randrange(12)
        if kind == 0:
            array = np.array(array)
            array.flags.writeable = False
        elif kind == 1 and array.ndim:
            array = np.repeat(array, 2, axis=0)[::2]
        elif kind == 2 and array.ndim:
            array = array[::-1].copy()[::-1]
        elif kind == 3:
            array = np.asfortranarray(array) if array.ndim == 2 else array
        elif kind == 4 and lists:
            return array.tolist() if array.ndim == 1 or array.size else array
        elif kind == 5:
            array = array.astype(array.dtype.newbyteorder(">"))
        elif kind == 6 and lists and array.ndim == 1:
            return tuple(array.tolist())
        return array

    def odd_array(self, array: np.ndarray) -> Any:
        """Return an array that is wrong in one way, or none at all."""
        with np.errstate(all="ignore"):
            return self._odd_array(array)

    def _odd_array(self, array: np.ndarray) -> Any:
        kind = self.random.randrange(22)
        if kind < 5:
            return self.pick(*_NOTHING_LIKE_IT)
        if kind < 10:
            dtype = self.pick(
                complex, object, str, bool, "f2", np.longdouble, "i1", "u8", "S3", "f4", "f8", "i8"
            )
            return array.astype(dtype)
        if kind == 10:
            return array[None]
        if kind == 11:
            return array.reshape(-1)
        if kind == 12:
            return array[:-1] if array.ndim else array
        if kind == 13:
            return np.concatenate([array, array[:1]]) if array.ndim else array
        if kind == 14:
            return array[:0] if array.ndim else array
        if kind == 15:
            return array.T if array.ndim == 2 else array[..., None]
        if kind == 16 and array.size:
            mask = self.generator.random(array.shape) < 0.3
            return np.ma.masked_array(array, mask)
        spoilt = array.astype(np.float64) if array.dtype.kind in "fb" else array.copy()
        if not spoilt.size or spoilt.dtype.kind not in "fiu":
            return self.pick(*_NOTHING_LIKE_IT)
        at = self.random.randrange(spoilt.size)
        if spoilt.dtype.kind == "f":
            value = self.pick(NAN, INF, -INF, -1.0, 1e308, -1e308, 5e-324, -0.0, 2.0)
            spoilt.reshape(-1)[at] = value
            return spoilt.reshape(array.shape)
        limits = np.iinfo(spoilt.dtype)
        spoilt.reshape(-1)[at] = self.pick(limits.max, limits.min, limits.max // 2)
        return spoilt

    def numbers(self, *shape: int, dtype: Any = np.float64) -> np.ndarray:
        """Return plain finite numbers, often repeated, zero or whole."""
        kind = self.random.randrange(5)
        if kind == 0:
            values = np.zeros(shape)
        elif kind == 1:
            values = self.generator.integers(-2, 3, shape).astype(np.float64)
        elif kind == 2 and shape:
            values = np.broadcast_to(self.generator.standard_normal(shape[1:]), shape).copy()
        else:
            values = self.generator.standard_normal(shape)
        return values.astype(dtype)

    def probabilities(self, n: int, dtype: Any = np.float64) -> np.ndarray:
        kind = self.random.randrange(4)
        if kind == 0:
            return self.generator.integers(0, 2, n).astype(dtype)
        if kind == 1:
            return np.full(n, self.pick(0.0, 1.0, 0.5), dtype)
        return self.generator.random(n).astype(dtype)

    def nodes(self, n: int, count: int, *, distinct: bool = True) -> Any:
        """Return node numbers as an argument."""
        count = min(count, n) if distinct else (count if n else 0)
        chosen = (
            self.generator.permutation(n)[:count]
            if distinct
            else self.generator.integers(0, max(n, 1), count)
        )
        dtype = self.pick(np.int64, np.int32, np.uint32, np.uint64, np.int16)
        if self.odd(0.15):
            return np.append(chosen, self.pick(n, -1, 2**31, 2**62, chosen[0] if count else 0))
        return self.array(chosen.astype(dtype))

    def labels(self, n: int, k: int | None = None) -> Any:
        """Return a group for each node as an argument."""
        k = self.size(1, 5) if k is None else k
        groups = self.generator.integers(0, k, n)
        return self.array(groups.astype(self.pick(np.int64, np.int32, np.uint8)))

    # --- graphs -----------------------------------------------------------------------------------

    def edges(self, n: int) -> np.ndarray:
        """Return pairs of nodes, with repeats and self loops."""
        count = self.pick(0, 1, n, 2 * n, 4 * n) if n else 0
        if self.chance(0.15) and n > 1:
            return np.column_stack([np.arange(n - 1), np.arange(1, n)])  # a path
        if self.chance(0.1) and n > 1:
            return np.column_stack([np.zeros(n - 1, np.int64), np.arange(1, n)])  # a star
        used = self.size(1, n) if n and self.chance(0.3) else n  # leaves nodes isolated
        return self.generator.integers(0, max(used, 1), (count, 2))

    def edge_weights(self, count: int, kinds: str = "none int float zero") -> np.ndarray | None:
        kind = self.pick(*kinds.split())
        if kind == "none":
            return None
        if kind == "int":
            return self.generator.integers(1, 4, count).astype(np.float64)
        if kind == "float":
            return self.generator.uniform(0.1, 3.0, count)
        if kind == "zero":
            return self.generator.integers(0, 2, count).astype(np.float64)
        if kind == "negative":
            return self.generator.standard_normal(count)
        extremes = np.array([0.0, 5e-324, 1e-300, 1e-16, 1.0, 1e16, 1e300, 1.7e308])
        return self.generator.choice(extremes, count)  # kind == "extreme"

    def plain_graph(
        self,
        low: int = 0,
        high: int = 12,
        *,
        directed: bool | None = False,
        kinds: str = "none none int float zero",
    ) -> Graph:
        """Return a graph that nothing is wrong with."""
        n = self.size(low, high) if self.chance(0.5) else self.random.randint(low, high)
        edges = self.edges(n)
        names = None
        if self.chance(0.15):
            kind = self.pick(str, float, lambda i: (i, "x"), lambda i: f"é{i}")
            names = [kind(i) for i in range(n)]
        if directed is None:
            directed = self.chance(0.4)
        weights = self.edge_weights(len(edges), kinds)
        return Graph.from_edges(edges, n, weights, directed, names=names)

    def graph(self, low: int = 0, high: int = 12, **how: Any) -> Any:
        """Return a graph as an argument; odd: too small, directed, odd weights, or no graph."""
        if not self.odd():
            return self.plain_graph(low, high, **how)
        kind = self.random.randrange(10)
        if kind < 3:
            return self.plain_graph(low, high, kinds=self.pick("negative", "extreme", "extreme"))
        if kind < 5:
            return self.plain_graph(0, 2, directed=None)
        if kind < 7:
            return self.plain_graph(low, high, directed=True)
        if kind == 7:
            return self.plain_graph(1, max(1, high)).to_networkx()
        if kind == 8:
            return self.sparse(self.numbers(4, 4))
        return self.pick(*_NOTHING_LIKE_IT)

    def matrix_of_weights(self, n: int) -> Any:
        """Return the weights of all pairs as an argument."""
        half = self.pick(
            lambda: self.generator.random((n, n)),
            lambda: self.generator.integers(0, 3, (n, n)).astype(float),
            lambda: np.zeros((n, n)),
        )()
        whole = half + half.T
        return self.array(whole.astype(self.pick(np.float64, np.float64, np.float32)))

    def distances(self, n: int, m: int | None = None) -> Any:
        """Return distances as an argument: hops or lengths, some of them unreachable."""
        shape = (n, n if m is None else m)
        kind = self.random.randrange(5)
        if kind == 0:
            values = self.generator.random(shape) * 5
            values[self.generator.random(shape) < 0.1] = INF
            values = values.astype(self.pick(np.float64, np.float32))
        elif kind == 1:
            values = self.generator.integers(0, 4, shape).astype(np.float64)
        else:
            dtype = self.pick(np.uint8, np.uint16, np.uint32)
            values = self.generator.integers(0, 6, shape).astype(dtype)
            values[self.generator.random(shape) < 0.1] = np.iinfo(dtype).max
        if m is None and n and values.dtype.kind in "uf":
            np.fill_diagonal(values, 0)
        return self.array(values, lists=False)

    # --- features ---------------------------------------------------------------------------------

    def sparse(self, dense: np.ndarray) -> Any:
        """Return a sparse matrix of some format, as SciPy's array or matrix."""
        name = self.pick(*_FORMATS)
        kind = self.pick("array", "matrix")
        return getattr(scipy.sparse, f"{name}_{kind}")(dense)

    def broken_sparse(self, dense: np.ndarray) -> Any:
        """Return compressed rows or columns whose index arrays are wrong."""
        kind = self.pick(scipy.sparse.csr_array, scipy.sparse.csc_array, scipy.sparse.csr_matrix)
        matrix = kind(dense)
        index = np.array(matrix.indices, self.pick(np.int32, np.int64))
        pointer = np.array(matrix.indptr, index.dtype)
        spoilt = self.pick(index, pointer)
        if len(spoilt):
            at = self.random.randrange(len(spoilt))
            spoilt[at] = self.pick(-1, 2**20, len(dense), 2**31 - 1, -(2**31))
        if BROKEN_SPARSE:
            matrix.indices, matrix.indptr = index, pointer
        return matrix

    def features(self, n: int, width: int | None = None) -> Any:
        """Return a row for each of n nodes, dense or sparse."""
        width = self.size(1, 5) if width is None else width
        dense = self.numbers(n, width, dtype=self.pick(np.float32, np.float64))
        if self.odd(0.1):
            return self.broken_sparse(dense)
        if self.chance(0.3):
            return self.sparse(dense)
        return self.array(dense, lists=False)
