"""Models that graphopt wrote before files had a checksum: archives of PyTorch, read without it.

PyTorch's own reader runs no code of such a file either, but it trusts the sizes in it. Here every
size is compared with the data, and the checksums of the archive are checked.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graphopt._escaping import quoted
from graphopt._files import regular_size
from graphopt._validation import check_memory
from graphopt.errors import DamagedFileError

_MOST_DIMENSIONS = 32

_KNOWN = {
    "APPEND", "APPENDS", "BINFLOAT", "BINGET", "BININT", "BININT1", "BININT2", "BINPERSID",
    "BINPUT", "BINUNICODE", "BUILD", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "GLOBAL", "LONG1",
    "LONG_BINGET", "LONG_BINPUT", "MARK", "NEWFALSE", "NEWTRUE", "NONE", "PROTO", "REDUCE",
    "SETITEM", "SETITEMS", "STOP", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
}  # fmt: skip
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "?",
}
_DAMAGE = (
    zipfile.BadZipFile,
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    EOFError,
    OverflowError,
    RecursionError,
    RuntimeError,  # a member that is encrypted
    UnicodeError,
)


class _Closed:
    """What a file cannot change, though it can ask for it."""

    __slots__ = ()

    def __setstate__(self, state: object) -> None:
        raise ValueError("only tables have a state")


class _Table(dict[Any, Any]):
    """Stands for an OrderedDict; what else is stored with one is left out."""

    def __init__(self) -> None:  # begins empty: a copy of another could be made any number of times
        super().__init__()

    def __setstate__(self, state: object) -> None:
        pass


class _Storage(_Closed):
    """Stands for the class of a storage until its numbers are asked for."""

    __slots__ = ("dtype",)

    def __init__(self, dtype: str) -> None:
        self.dtype = dtype


class _Rebuild(_Closed):
    """Stands for PyTorch's function from a storage to a tensor: the result is an array.

    Several arrays may share a storage; all copies together are not larger than the file.
    """

    __slots__ = ("_left",)

    def __init__(self, n_bytes: int) -> None:
        self._left = n_bytes

    def __call__(
        self, storage: NDArray[Any], offset: Any, shape: Any, stride: Any, *_: Any
    ) -> NDArray[Any]:
        n = checked_shape(shape)
        steps = [*shape, *stride, offset]
        if not all(type(step) is int and step >= 0 for step in steps):
            raise ValueError("where an array lies in its storage is not said by numbers")
        last = offset + sum((m - 1) * step for m, step in zip(shape, stride, strict=True))
        if n and last >= len(storage):
            raise ValueError("an array is larger than its storage")
        self._left -= n * storage.itemsize
        if self._left < 0:
            raise ValueError("the arrays are larger than the file")
        if n == 0:
            return np.empty(shape, storage.dtype)
        strides = [step * storage.itemsize for step in stride]
        return np.lib.stride_tricks.as_strided(storage[offset:], shape, strides).copy()


def read(path: str | Path) -> dict[str, Any]:
    """Return what a file of the first format holds, with arrays in the place of tensors.

    Raises
    ------
    DamagedFileError
        If it is damaged, or something else.
    """
    size = regular_size(path)
    check_memory(f"{path}", 2 * size, "it must be read whole")
    try:
        with zipfile.ZipFile(io.BytesIO(Path(path).read_bytes())) as archive:
            members = _members(archive, size)
        found = _Unpickler(members).load()
    except _DAMAGE as error:
        reason = quoted(f"{type(error).__name__}: {error}")
        raise DamagedFileError(f"{path} is damaged or not a model of graphopt: {reason}") from error
    if not isinstance(found, dict) or found.get("format") != 1:
        raise DamagedFileError(
            f"{path} is not a model of graphopt, or of a version that is unknown"
        )
    return found


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, bytes]:
    """Return the content of every file in the archive, without the name of its folder."""
    members: dict[str, bytes] = {}
    total = 0
    for info in archive.infolist():
        total += info.file_size
        if info.compress_type != zipfile.ZIP_STORED or total > size:
            raise ValueError("the archive holds more than the file")
        name = info.filename.partition("/")[2]
        if name in members:
            raise ValueError("the archive holds a name twice")
        members[name] = archive.read(info)  # compares the checksum of the member
    if members.get("byteorder", b"little") != b"little":
        raise ValueError("the numbers are not little endian")
    return members


class _Unpickler(pickle.Unpickler):
    """Builds tables, numbers, words and arrays, and knows no function but those of this file."""

    def __init__(self, members: dict[str, bytes]) -> None:
        content = members["data.pkl"]
        for code, argument, _ in pickletools.genops(content):
            if code.name not in _KNOWN:
                raise ValueError(f"{code.name} has no place in a model")
            if code.name == "LONG_BINPUT" and (argument or 0) > len(content):
                raise ValueError("a number of a memo is larger than the file")
        super().__init__(io.BytesIO(content), encoding="utf-8")
        self._members = members
        self._rebuild = _Rebuild(sum(map(len, members.values())))

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return _Table
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._rebuild
        if module == "torch" and name in _STORAGES:
            return _Storage(_STORAGES[name])
        raise ValueError(f"{module}.{name} has no place in a model")

    def persistent_load(self, pid: Any, /) -> NDArray[Any]:
        kind, storage, key, _, _ = pid
        if kind != "storage" or not isinstance(storage, _Storage):
            raise ValueError("something else than a storage is kept beside")
        return np.frombuffer(self._members[f"data/{key}"], storage.dtype)


def checked_shape(shape: Any) -> int:
    """Return the number of elements of a shape that a file gives, or raise ValueError."""
    if not isinstance(shape, list | tuple) or len(shape) > _MOST_DIMENSIONS:
        raise ValueError("the shape of an array is not a list of sizes")
    if not all(type(length) is int and 0 <= length < 2**63 for length in shape):
        raise ValueError("the shape of an array does not hold sizes")
    return math.prod(shape)
