"""The Python examples of README.md and the guide: ``python -m tests.page_examples FOLDER``.

`make types` runs mypy --strict and pyright on the files: they see what a user's editor sees.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str) -> list[str]:
    """Return the blocks of a page of Markdown that are in a language; shell has none."""
    found = FENCED.findall((ROOT / page).read_text(encoding="utf-8"))
    return [text for name, text in found if name == language]


def programs() -> dict[str, str]:
    """Return the examples as programs that stand alone, by name.

    A block of the README is a program, if it takes no more than the package from the block before;
    the blocks of the guide build on each other.
    """
    readme = {
        f"readme_{number}": code if "import graphopt" in code else f"import graphopt\n{code}"
        for number, code in enumerate(blocks("README.md", "python"), start=1)
    }
    return {**readme, "guide": "\n".join(blocks("docs/guide.md", "python"))}


def main(folder: Path) -> None:
    """Write every program to a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.py"):
        old.unlink()
    for name, code in programs().items():
        (folder / f"{name}.py").write_text(code)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
