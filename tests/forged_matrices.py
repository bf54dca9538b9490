"""Sparse matrices whose arrays lie, for the tests of everything that takes one.

SciPy builds each as a sound matrix; then its arrays are replaced, as a file, another program or a
thread could leave them. Most make SciPy's own conversions write where they must not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp

N = 6
FORMATS = ("csr", "csc", "bsr", "coo", "dia", "lil", "dok")


def sound(kind: str, matrix: bool = False) -> Any:
    """Return a symmetric 0/1 matrix with two entries a row, in a format of SciPy."""
    around = np.roll(np.eye(N), 1, axis=1)
    made = sp.csr_array(around + around.T).asformat(kind)
    return getattr(sp, f"{kind}_matrix")(made) if matrix else made


def _with(kind: str, **arrays: Callable[[Any], Any]) -> Callable[[], Any]:
    def forge() -> Any:
        forged = sound(kind)
        for name, change in arrays.items():
            setattr(forged, name, change(getattr(forged, name).copy()))
        return forged

    return forge


def _put(place: Any, value: Any) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array[place] = value
        return array

    return change


def _compressed(kind: str) -> dict[str, Callable[[], Any]]:
    return {
        f"{kind}: indptr starts at -1": _with(kind, indptr=_put(0, -1)),
        f"{kind}: indptr falls": _with(kind, indptr=_put(2, 100)),
        f"{kind}: indptr falls below 0": _with(kind, indptr=_put(2, -5)),
        f"{kind}: indptr ends beyond indices": _with(kind, indptr=_put(-1, 10**6)),
        f"{kind}: indptr ends at -1": _with(kind, indptr=_put(-1, -1)),
        f"{kind}: indptr is short": _with(kind, indptr=lambda a: a[:-1]),
        f"{kind}: indptr is empty": _with(kind, indptr=lambda a: a[:0]),
        f"{kind}: indptr is 2D": _with(kind, indptr=lambda a: a[None]),
        f"{kind}: indptr holds floats": _with(kind, indptr=lambda a: a + 0.5),
        f"{kind}: index too large": _with(kind, indices=_put(3, 2**31 - 1)),
        f"{kind}: index just too large": _with(kind, indices=_put(3, N)),
        f"{kind}: index negative": _with(kind, indices=_put(3, -1)),
        f"{kind}: index 2**40 in int64": _with(
            kind,
            indices=lambda a: _put(3, 2**40)(a.astype(np.int64)),
            indptr=lambda a: a.astype(np.int64),
        ),
        f"{kind}: index beyond int64": _with(
            kind, indices=lambda a: np.full(len(a), 2**64 - 1, np.uint64)
        ),
        f"{kind}: indices are short": _with(kind, indices=lambda a: a[:-3]),
        f"{kind}: data are short": _with(kind, data=lambda a: a[:1]),
        f"{kind}: shape is larger": _shaped(kind, 10**6, 10**6),
        f"{kind}: shape is smaller": _shaped(kind, 2, 2),
        f"{kind}: shape is negative": _shaped(kind, -1, -1),
        f"{kind}: data are words": _with(kind, data=lambda a: a.astype(str)),
        f"{kind}: data are complex": _with(kind, data=lambda a: a + 1j),
        f"{kind}: data are objects": _with(kind, data=lambda a: a.astype(object)),
    }


def _shaped(kind: str, *shape: int) -> Callable[[], Any]:
    def forge() -> Any:
        forged = sound(kind)
        forged._shape = shape
        return forged

    return forge


def _lists(change: Callable[[Any], None]) -> Callable[[], Any]:
    def forge() -> Any:
        forged = sound("lil")
        change(forged)
        return forged

    return forge


def _key(place: tuple[Any, ...]) -> Callable[[], Any]:
    def forge() -> Any:
        forged = sound("dok")
        forged._dict[place] = 1.0
        return forged

    return forge


def _subclass() -> Any:
    class Own(sp.csr_array):  # type: ignore[misc]
        """A user's own class is checked like any other."""

    forged = Own(sound("csr"))
    forged.indices[3] = 2**30
    return forged


def _hollow() -> Any:
    return sp.csr_array.__new__(sp.csr_array)


class Foreign:
    """A matrix of another library, which makes a SciPy matrix of itself: a broken one."""

    shape = (N, N)

    def tocsr(self) -> Any:
        return FORGED["csr: indptr starts at -1"]()


FORGED: dict[str, Callable[[], Any]] = {
    **_compressed("csr"),
    **_compressed("csc"),
    **_compressed("bsr"),
    "bsr: blocks do not fill the shape": _with("bsr", data=lambda a: np.ones((len(a), 4, 5))),
    "bsr: blocks without columns": _with("bsr", data=lambda a: np.ones((len(a), 2, 0))),
    "bsr: data are 1D": _with("bsr", data=lambda a: np.ones(3)),
    "coo: row too large": _with("coo", row=_put(3, N)),
    "coo: row negative": _with("coo", row=_put(3, -1)),
    "coo: column far out": _with("coo", col=_put(3, 2**31 - 1)),
    "coo: rows are short": _with("coo", row=lambda a: a[:-2]),
    "coo: data are short": _with("coo", data=lambda a: a[:-2]),
    "coo: shape is smaller": _shaped("coo", 2, 2),
    "coo: shape is a vector": _shaped("coo", N),
    "coo: shape is huge": _shaped("coo", 2**40, 2**40),
    "dia: offsets repeat": _with("dia", offsets=lambda a: np.zeros_like(a)),
    "dia: offsets are short": _with("dia", offsets=lambda a: a[:1]),
    "dia: data are 1D": _with("dia", data=lambda a: a[0]),
    "lil: column too large": _lists(lambda m: m.rows[1].__setitem__(0, N)),
    "lil: column negative": _lists(lambda m: m.rows[1].__setitem__(0, -3)),
    "lil: column is a word": _lists(lambda m: m.rows[1].__setitem__(0, "a")),
    "lil: more values than columns": _lists(lambda m: m.data[1].extend([1.0] * 1000)),
    "lil: more columns than values": _lists(lambda m: m.rows[1].extend([0] * 1000)),
    "lil: rows are missing": _lists(lambda m: setattr(m, "rows", m.rows[:2])),
    "dok: row too large": _key((N, 0)),
    "dok: column negative": _key((0, -1)),
    "dok: key is one number": _key((0,)),
    "dok: key is a word": _key(("a", 0)),
    "a subclass": _subclass,
    "nothing inside": _hollow,
    "another library's": Foreign,
}
