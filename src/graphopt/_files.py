"""Files written as a whole: the older file stays until the new one is on the disk."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from graphopt._loading import load_whole
from graphopt._validation import shown

AnyPath: TypeAlias = str | os.PathLike[str]
UsersPath: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


@contextmanager
def replacing(path: AnyPath) -> Iterator[IO[bytes]]:
    """Give a stream whose content becomes the file `path` when the block ends without an error.

    The content goes to a temporary file in the same folder, which is then renamed. Whenever the
    process ends, by a kill too, `path` holds all of the old content or all of the new. An error
    removes the temporary file; a kill leaves it, as ``.graphopt-*.tmp``. A file that is replaced
    keeps its permissions; a symbolic link stays, and what it points to is replaced; hard links to
    the older file keep the older content. What is not a regular file (``/dev/stdout``, a pipe) is
    written to directly.

    Raises
    ------
    OSError
        Names `path`. Also if the file that is there, or its folder, may not be written to.
    """
    with _named(path):
        target = Path(os.path.realpath(path))
        try:
            before = os.stat(path)
        except FileNotFoundError:
            before = None
        if before is not None and not stat.S_ISREG(before.st_mode):
            with open(path, "wb") as stream:
                yield stream
            return
        if before is not None and not os.access(target, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), os.fspath(path))
        temporary = target.parent / f".graphopt-{secrets.token_hex(8)}.tmp"
        try:
            # Made with the permissions that any new file gets here.
            with os.fdopen(os.open(temporary, _NEW, 0o666), "wb") as stream:
                yield stream
                stream.flush()
                if before is not None:
                    _adopt(stream.fileno(), before)
                os.fsync(stream.fileno())
            os.replace(temporary, target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        _settle(target.parent)


def check_path(name: str, value: object) -> Path:
    """Return a path that a user gave, as text or bytes, or raise an error that names `name`."""
    try:
        text = os.fsdecode(cast(UsersPath, value))
        os.fsencode(text)
    except TypeError:
        raise TypeError(f"{name} must be a path, not {type(value).__name__}") from None
    except UnicodeError:
        raise ValueError(f"{name} must be one that files can have, not {shown(value)}") from None
    if "\0" in text:
        raise ValueError(f"{name} must not hold a NUL character")
    return Path(text)


def write_bytes(path: AnyPath, content: bytes) -> None:
    """Write a file as a whole; see :func:`replacing`."""
    with replacing(path) as stream:
        stream.write(content)


def write_text(path: AnyPath, text: str) -> None:
    """Write a file as a whole, in UTF-8 with lines as they are; see :func:`replacing`."""
    write_bytes(path, text.encode("utf-8"))


def write_figure(figure: Any, path: AnyPath) -> None:
    """Write a figure of matplotlib's as a whole, in the format of the name's ending; close it."""
    load_whole("matplotlib.pyplot")
    from matplotlib import pyplot as plt

    try:
        with replacing(path) as stream:
            figure.savefig(stream, dpi=110, format=Path(path).suffix[1:] or "png")
    finally:
        plt.close(figure)


def check_folder(path: AnyPath) -> None:
    """Raise unless a folder can be written to or, where it is missing, made; nothing is made.

    To be called before long work whose outcome goes there.

    Raises
    ------
    OSError
        If it is a file, lies in one, or it or what it lies in may not be written to.
    """
    folder = Path(path).absolute()
    there = next(place for place in (folder, *folder.parents) if os.path.lexists(place))
    if not there.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(there))
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(there))


def make_folder(path: AnyPath) -> None:
    """Make a folder and what it lies in, where they are missing.

    Raises
    ------
    OSError
        As :func:`check_folder`.
    """
    check_folder(path)
    Path(path).mkdir(parents=True, exist_ok=True)


def regular_size(path: AnyPath) -> int:
    """Return the size of a regular file, without opening it.

    Raises
    ------
    OSError
        If there is nothing, or a folder.
    ValueError
        If it is a pipe or a device, which may have no end and cannot be read twice.
    """
    found = os.stat(path)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if not stat.S_ISREG(found.st_mode):
        raise ValueError(f"{os.fspath(path)} must be a regular file, not a pipe or a device")
    return found.st_size


def _adopt(handle: int, before: os.stat_result) -> None:
    """Give a new file the owner, as far as that is allowed, and permissions of an older one."""
    with suppress(OSError, AttributeError):
        os.fchown(handle, before.st_uid, before.st_gid)
    os.fchmod(handle, stat.S_IMODE(before.st_mode))


def _settle(folder: Path) -> None:
    """Bring a rename to the disk, on systems that can be asked to."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _named(path: AnyPath) -> Iterator[None]:
    """Let an OSError name the file that was asked for, not the temporary one."""
    try:
        yield
    except OSError as error:
        name = os.fspath(path)
        if error.errno is None or cast(object, error.filename) == name:
            raise
        raise OSError(error.errno, os.strerror(error.errno), name) from error
