"""The Python examples of README.md as files: ``python -m tests.readme_examples FOLDER``.

`make types` runs mypy --strict and pyright on them, so that they see what a user's editor sees.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"

# The names that examples take from their reader, and their types.
GIVEN = """\
from collections.abc import Callable
from typing import Any

import networkx
import numpy as np
import torch
from numpy.typing import NDArray

import graphopt
from graphopt.datasets import Dataset

data: Dataset
nx_graph: networkx.Graph[Any]
graph: graphopt.Graph
graphs: list[graphopt.Graph]
new_graph: graphopt.Graph
features: Any  # of one graph, of several, or a function
new_features: NDArray[np.float32]
embedding: NDArray[np.float32]
labels: NDArray[np.int64]
held_out_edges: NDArray[np.int64]
x: torch.Tensor
decide: Callable[..., NDArray[np.int64]]
"""
_NAMES = frozenset(re.findall(r"^(\w+): ", GIVEN, re.MULTILINE))


def examples(page: str) -> list[str]:
    """Return the Python code of a page of Markdown, block by block."""
    return re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def taken(code: str) -> list[str]:
    """Return the names that code uses without making them, as far as readers have them.

    Examples
    --------
    >>> taken("labels = graph.degrees")
    ['graph']
    """
    names = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)]
    made = {name.id for name in names if isinstance(name.ctx, ast.Store)} | set(dir(builtins))
    return sorted({name.id for name in names} & _NAMES - made)


def main(folder: Path) -> None:
    """Write every example to a file of its own, and what they take to a stub beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("example_*.py"):
        old.unlink()
    (folder / "given.pyi").write_text(GIVEN)
    for number, code in enumerate(examples(README.read_text(encoding="utf-8")), start=1):
        names = taken(code)
        header = "import graphopt\n" + (f"from given import {', '.join(names)}\n" if names else "")
        (folder / f"example_{number}.py").write_text(header + code)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
