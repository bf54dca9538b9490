"""The public origin: an archive of the authors' repository."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

from graphopt._files import replacing
from graphopt._loading import load_whole
from graphopt._validation import check_memory
from graphopt.datasets.sources import Read
from graphopt.errors import DatasetNotFoundError

# https://github.com/bwilder0/clusternet (MIT licence), at the commit that brought the data.
REPOSITORY_ARCHIVE = (
    "https://github.com/bwilder0/clusternet/archive/b6acabbf054f2da73f80a543892c30a5f006b7b6.zip"
)

_MOST_TEXT = 2**28  # bytes of a text file in it; the longest are of some 10 MB
_MOST_PACKED = 2**30  # bytes of it
_PARSING = 6  # times its size, for what is made of a text on the way


def origin_url() -> str:
    """Return where to fetch from: ``GRAPHOPT_ORIGIN``, or the authors' repository."""
    return os.environ.get("GRAPHOPT_ORIGIN") or REPOSITORY_ARCHIVE


def fetch(url: str, folder: Path) -> Path:
    """Download an archive into a folder, once; return its path.

    Raises
    ------
    OSError
        If the server does not answer, or not with the file. Nothing is left behind.
    """
    path = folder / f"{hashlib.sha256(url.encode()).hexdigest()[:12]}.zip"
    if path.exists():
        return path
    load_whole("pooch")
    import pooch

    folder.mkdir(parents=True, exist_ok=True)
    pooch.get_logger().info("Downloading %s to %s", url, path)
    responses: list[Any] = []
    hooks = {"response": lambda response, **_: responses.append(response)}
    try:
        with replacing(path) as stream:
            # Its errors are requests' own, which are OSErrors.
            pooch.HTTPDownloader(timeout=60, hooks=hooks)(url, _Bounded(stream), None)
    finally:
        for response in responses:  # pooch leaves them open when something goes wrong
            response.close()
    return path


class _Bounded:
    """Passes on what a server sends, up to a number of bytes."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._left = _MOST_PACKED

    def write(self, content: bytes) -> int:
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"more than {_MOST_PACKED:,} bytes came")
        return self._stream.write(content)

    def flush(self) -> None:
        self._stream.flush()


@contextlib.contextmanager
def open_archive(path: Path) -> Iterator[Read]:
    """Give a reader of the text files in a repository archive, by their path in the repository.

    A file that is not at its path is taken from elsewhere if exactly one has that name.
    """
    with zipfile.ZipFile(path) as archive:
        members: dict[str, str] = {}
        for member in archive.namelist():
            _, _, inside = member.partition("/")  # the archive wraps everything in one folder
            members[inside] = member

        def read(wanted: str) -> str:
            found = [wanted] if wanted in members else []
            if not found:
                ending = "/" + PurePosixPath(wanted).name
                found = [inside for inside in members if inside.endswith(ending)]
            if len(found) != 1:
                raise DatasetNotFoundError(f"{wanted} is not in the archive {path}")
            info = archive.getinfo(members[found[0]])
            if info.file_size > _MOST_TEXT:
                raise ValueError(f"{wanted} would unpack to more than {_MOST_TEXT:,} bytes")
            check_memory(wanted, _PARSING * info.file_size, "free memory, or use another machine")
            text = archive.read(info).decode("utf-8", errors="replace")
            if "\0" in text:
                raise ValueError(f"{wanted} holds a NUL character; it is not a text file")
            return text

        yield read
