"""Files that are written as a whole: permissions, links, errors, and what is not a file."""

from __future__ import annotations

import errno
import os
import re
import resource
import stat
import threading
from pathlib import Path

import pytest

from graphopt import _files
from graphopt._files import (
    check_folder,
    make_folder,
    regular_size,
    replacing,
    write_bytes,
    write_text,
)

SOURCE = Path(__file__).parents[2] / "src" / "graphopt"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_content_is_replaced(tmp_path: Path) -> None:
    file = tmp_path / "table.md"
    write_text(file, "Ä\n")
    assert file.read_bytes() == "Ä\n".encode()
    write_bytes(str(file), b"\r\n\0")
    assert file.read_bytes() == b"\r\n\0"
    assert names(tmp_path) == ["table.md"]


def test_a_long_name_and_a_relative_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a" * 255, "b"):
        write_text(name, "x")
        assert Path(name).read_text() == "x"


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_a_new_file_has_the_permissions_of_any_new_file(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_text(tmp_path / "ours", "")
        (tmp_path / "other").write_text("")
    finally:
        os.umask(before)
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("ours", "other")}
    assert modes == {0o666 & ~mask}


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_an_older_file_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    file.chmod(mode)
    write_text(file, "new")
    assert file.read_text() == "new"
    assert stat.S_IMODE(file.stat().st_mode) == mode


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link, again = tmp_path / "there" / "target", tmp_path / "link", tmp_path / "again"
    link.symlink_to("there/target")
    again.symlink_to("link")
    for text in ("made through a dangling link", "replaced"):
        write_text(again, text)
        assert again.is_symlink()
        assert link.is_symlink()
        assert target.read_text() == text
        assert not target.is_symlink()
    assert names(target.parent) == ["target"]


class Stop(Exception):
    pass


@pytest.mark.parametrize("error", [Stop, KeyboardInterrupt, SystemExit, MemoryError])
@pytest.mark.parametrize("present", [True, False])
def test_an_error_leaves_the_folder_as_it_was(
    tmp_path: Path, error: type[BaseException], present: bool
) -> None:
    file = tmp_path / "file"
    if present:
        file.write_text("old")

    def write() -> None:
        with replacing(file) as stream:
            stream.write(b"new")
            raise error

    with pytest.raises(error):
        write()
    assert names(tmp_path) == ["file"] * present
    assert not present or file.read_text() == "old"


def test_a_disk_that_fills_up_while_writing(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match=re.escape(f"{os.strerror(errno.EFBIG)}: '{file}'")):
            write_text(file, "new" * 10_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert names(tmp_path) == ["file"]
    assert file.read_text() == "old"


@pytest.mark.parametrize("step", ["fsync", "replace", "fchmod"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
def test_a_full_disk_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, code: int
) -> None:
    file = tmp_path / "file"
    file.write_text("old")

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match=re.escape(f"{os.strerror(code)}: '{file}'")) as caught:
        write_text(file, "new")
    assert (caught.value.errno, caught.value.filename) == (code, str(file))
    monkeypatch.undo()
    assert names(tmp_path) == ["file"]
    assert file.read_text() == "old"


def test_the_file_and_then_its_folder_are_brought_to_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    sync, rename = os.fsync, os.replace

    def fsync(handle: int) -> None:
        steps.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        sync(handle)

    def replace(source: object, target: object) -> None:
        steps.append("rename")
        rename(source, target)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    write_text(tmp_path / "file", "new")
    assert steps == ["file", "rename", "folder"]


def test_a_file_that_may_not_be_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write to all
    with pytest.raises(PermissionError, match=str(file)):
        write_text(file, "new")
    with pytest.raises(PermissionError, match=str(tmp_path)):
        make_folder(tmp_path)
    assert file.read_text() == "old"


def test_folders_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileNotFoundError, match="absent/file'"):
        write_text(tmp_path / "absent" / "file", "")
    with pytest.raises(IsADirectoryError):
        write_text(tmp_path, "")
    with pytest.raises(NotADirectoryError, match="file/file'"):
        write_text(tmp_path / "file" / "file", "")
    for place in (tmp_path / "file", tmp_path / "file" / "a" / "b"):
        for use in (make_folder, check_folder):
            with pytest.raises(NotADirectoryError, match="file'"):
                use(place)
    check_folder(tmp_path / "a" / "b")
    assert names(tmp_path) == ["file"]
    for _ in range(2):
        make_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    assert names(tmp_path) == ["a", "file"]


def test_what_is_no_regular_file_is_written_to_directly(tmp_path: Path) -> None:
    write_text("/dev/null", "x")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        write_text("/dev/full", "x")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "through it")
    reader.join()
    assert read == ["through it"]
    assert names(tmp_path) == ["pipe"]


def test_sizes_are_those_of_regular_files(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("four")
    assert regular_size(tmp_path / "file") == 4
    with pytest.raises(ValueError, match="/dev/zero must be a regular file"):
        regular_size("/dev/zero")
    with pytest.raises(IsADirectoryError):
        regular_size(tmp_path)


def test_nobody_else_writes_files() -> None:
    """A writer that opens its target destroys the older file when it is stopped."""
    writes = re.compile(
        r"\.write_(text|bytes)\(|savefig\(path|np\.savez?\w*\(path|torch\.save\(|to_csv\("
        r"|\bopen\([^)]*[\"'][wx]b?[\"']|json\.dump\("
    )
    elsewhere = {
        "_files.py",
        "bench/memory.py",  # a file of the kernel's
    }
    for path in SOURCE.rglob("*.py"):
        name = path.relative_to(SOURCE).as_posix()
        found = None if name in elsewhere else writes.search(path.read_text())
        assert found is None, f"{name} holds {found and found[0]}; graphopt._files writes files"
    assert writes.search((SOURCE / "_files.py").read_text())


def test_temporary_names_are_not_guessed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_files.secrets, "token_hex", lambda n: "0" * 2 * n)
    other = tmp_path / ".graphopt-0000000000000000.tmp"
    other.symlink_to(tmp_path / "victim")
    with pytest.raises(FileExistsError):
        write_text(tmp_path / "file", "new")
    assert not (tmp_path / "victim").exists()
    assert not (tmp_path / "file").exists()
