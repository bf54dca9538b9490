"""The public origin: an archive of the authors' repository."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from graphopt._loading import load_whole
from graphopt.datasets.sources import Read
from graphopt.errors import DatasetNotFoundError

# https://github.com/bwilder0/clusternet (MIT licence), at the commit that brought the data.
REPOSITORY_ARCHIVE = (
    "https://github.com/bwilder0/clusternet/archive/b6acabbf054f2da73f80a543892c30a5f006b7b6.zip"
)


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
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{path.name}.")
    os.close(handle)
    responses: list[Any] = []
    hooks = {"response": lambda response, **_: responses.append(response)}
    try:
        # Its errors are requests' own, which are OSErrors.
        pooch.HTTPDownloader(timeout=60, hooks=hooks)(url, temporary, None)
        os.replace(temporary, path)
    finally:
        for response in responses:  # pooch leaves them open when something goes wrong
            response.close()
        Path(temporary).unlink(missing_ok=True)
    return path


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
            return archive.read(members[found[0]]).decode("utf-8", errors="replace")

        yield read
