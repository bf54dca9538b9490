"""Write the numbers of the pages anew: ``python -m benchmarks.paper.pages.build``.

Run it in the root of a checkout after a file with results has changed. A test compares the pages
with the files, and looks for numbers that come from none.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from benchmarks.paper.pages.files import Files
from benchmarks.paper.pages.markup import regenerated, unmarked_numbers
from benchmarks.paper.pages.numbers import Numbers
from benchmarks.paper.pages.parts import Parts
from graphopt._files import write_text

PAGES = ("README.md", "docs/guide.md", "docs/performance.md", "docs/results.md")

ALLOWED = re.compile(
    r"""
    \btables?\s\d[a-f]?(?:(?:,|\sand|\sto|,\sand)\s\d[a-f]?)*    # names in the paper and here
    | Proposition\ 1 | appendix\ \d\.\d
    | NeurIPS\ 2019 | Bengio\ 2003
    | C\+\+20 | Python\ 3\.\d+\ to\ 3\.\d+ | AVX-512 | float32 | AVX2
    | \b10\ (?:communities|groups|facilities|centres) | K\ =\ 5(?:\ (?:and|or)\ 10)?
    | (?:40|90|95)\ %                                            # how much is seen; intervals
    | 512\ (?:sources|searches) | 32\ (?:sources|graphs|rows)    # how kernels and methods work
    | within\s0\.2\ s                                           # what is promised for Ctrl-C
    | pmed1\ to\ 10
    | β\ =\ \d+                                                  # settings of the paper
    | \b20,\ 80\ and\ 160 | 80\ and\ 20 | to\ 20\ neighbours     # of feature neighbours
    | \b[1-6][a-f]\b | role2vec | r2v | GCN-e2e | GCN-2stage | k-means\+\+ | L2
    """,
    re.VERBOSE | re.IGNORECASE,
)
"""Phrases whose numbers are no results."""


def rebuilt(root: Path) -> dict[str, str]:
    """Return the pages of a checkout as its files with results have them."""
    files = Files(root)
    sources = {**Numbers(files).by_name(), **Parts(files).by_name()}
    return {name: regenerated((root / name).read_text(encoding="utf-8"), sources) for name in PAGES}


def without_source(root: Path) -> list[str]:
    """Return the numbers in a checkout's pages that come from no file, a line each."""
    return [
        f"{name}: {number}"
        for name in PAGES
        for number in unmarked_numbers((root / name).read_text(encoding="utf-8"), ALLOWED)
    ]


def main(root: Path) -> int:
    """Rewrite the pages, name the numbers without a source, and return how many there are."""
    for name, page in rebuilt(root).items():
        write_text(root / name, page)
    missing = without_source(root)
    for line in missing:
        sys.stderr.write(f"no source: {line}\n")
    return len(missing)


if __name__ == "__main__":
    sys.exit(min(main(Path.cwd()), 1))
