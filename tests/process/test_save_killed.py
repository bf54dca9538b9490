"""A process that is killed while it writes a file leaves the older one, or the new one, whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]

# Forks a process for every step of a save (a piece of the content, a flush, a call that concerns
# files), which kills itself before that step; the last one comes to the end. After each, what the
# file holds is read by `examine`.
PROGRAM = """
import json, os, signal, sys
from pathlib import Path

sys.path.insert(0, {tests!r})
file = Path({file!r})
{prepare}

def killed_at(number):
    steps = 0

    def step():
        nonlocal steps
        if steps == number:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1

    def counted(function):
        def call(*arguments, **options):
            step()
            return function(*arguments, **options)
        return call

    class Pieces:
        def __init__(self, stream):
            self.stream = stream
        def write(self, content):
            content = bytes(content)
            size = len(content) // 4 + 1
            for start in range(0, len(content), size):
                step()
                self.stream.write(content[start : start + size])
                self.stream.flush()
            return len(content)
        def __enter__(self):
            return self
        def __exit__(self, *error):
            step()
            return self.stream.__exit__(*error)
        def __getattr__(self, name):
            return getattr(self.stream, name)

    fdopen = os.fdopen
    os.fdopen = lambda *a, **k: Pieces(fdopen(*a, **k))
    for name in ("open", "fsync", "fchmod", "fchown", "replace", "rename", "link", "unlink",
                 "truncate", "ftruncate"):
        setattr(os, name, counted(getattr(os, name)))
    save(new)

save(old)
number, ended = 0, False
while not ended:
    pid = os.fork()
    if pid == 0:
        try:
            killed_at(number)
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    ended = os.WIFEXITED(status)
    code = os.WEXITSTATUS(status) if ended else -os.WTERMSIG(status)
    print(json.dumps([number, code, examine()]), flush=True)
    number += 1
"""

MODEL = """
from estimator_cases import QUICK, described, planted
from graphopt import ClusterNet

graph, rows = planted(), described()
old = ClusterNet(3, **QUICK).fit(graph, rows)
new = ClusterNet(4, **QUICK).fit(graph, rows)

def save(model):
    model.save(file)

def examine():
    found = ClusterNet.load(file)
    same = {3: old, 4: new}[found.n_clusters]
    assert (found.predict(graph, rows) == same.predict(graph, rows)).all()
    return {3: "old", 4: "new"}[found.n_clusters]
"""

DATASET = """
import numpy as np
from graphopt.datasets.archive import array_digest, read_arrays, write_arrays

old = {"edges": np.arange(2000, dtype=np.int32).reshape(-1, 2)}
new = {"edges": np.arange(6000, dtype=np.int32).reshape(-1, 2)[::-1].copy()}

def save(arrays):
    write_arrays(file, arrays)

def examine():
    for name, arrays in (("old", old), ("new", new)):
        try:
            read_arrays(file, array_digest(arrays))
            return name
        except ValueError:
            pass
"""

TEXT = """
from graphopt._files import write_text

old, new = "old " * 999, "new " * 1001

def save(text):
    write_text(file, text)

def examine():
    return {old: "old", new: "new"}[file.read_text()]
"""


@pytest.mark.parametrize("prepare", [MODEL, DATASET, TEXT], ids=["model", "dataset", "text"])
def test_a_killed_save_leaves_a_whole_file(prepare: str, tmp_path: Path) -> None:
    file = tmp_path / "file.npz"
    program = PROGRAM.format(tests=str(TESTS), file=str(file), prepare=prepare)
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    steps: list[list[Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    codes = [code for _, code, _ in steps]
    contents = [content for *_, content in steps]
    assert codes == [-9] * (len(steps) - 1) + [0], done.stderr
    n_old = contents.count("old")
    assert contents == ["old"] * n_old + ["new"] * (len(steps) - n_old)
    assert n_old >= 8  # pieces, permissions, fsync, rename
    assert len(steps) - n_old >= 3  # the folder, and the one that came to the end
