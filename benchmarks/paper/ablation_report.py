"""The ablation as text: for the terminal, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console

from benchmarks.paper.ablation import ALONE, FULL, REFERENCE, SEEN, Difference, Line
from benchmarks.paper.jobs.specs import SINGLE
from benchmarks.paper.report.render import in_markdown, on_terminal
from benchmarks.paper.report.sheets import Entry, Sheet
from benchmarks.paper.report.sheets import Line as SheetLine
from graphopt._escaping import for_markdown, for_markup
from graphopt._text import counted

_HEAD = "variant"
HEADS = (
    "median",
    "mean [95 %]",
    "less Leiden, s. + e. [95 %]",
    "p",
    "less Leiden, seen [95 %]",
    "less full recipe [95 %]",
    "on s. + e.",
    "seconds",
)
_JUDGES = {
    "published": "the full graph, decided from the published seen edges",
    "clean": "the full graph, decided from fresh 40 % of the undirected edges",
    "inner": "all published seen edges, decided from a part of them",
}
_VERDICTS = {"better": "adds", "worse": "falls short", "undecided": None}
_WORDS = {
    "better": "adds to",
    "worse": "falls short of",
    "undecided": "cannot be told from",
}


def headline(lines: Sequence[Line], split: str, k: int) -> str:
    """Say what the numbers are."""
    seeds = max((line.n for line in lines), default=0)
    return (
        f"Modularity of {counted(k, 'group')} on {_JUDGES[split]}; node numbers permuted; "
        f"{counted(seeds, 'seed')}, pairs by seed"
    )


def answers(lines: Sequence[Line]) -> Iterator[str]:
    """Say for each data set whether learning adds to the best classical answer.

    Three comparisons that were fixed beforehand, each of a learned variant and Leiden on the graph
    of its loss; the best of many variants, picked by the score that it is then praised for, would
    always seem to add.
    """
    for dataset in SINGLE:
        for name, other in (("ClusterNet, default", REFERENCE), (FULL, REFERENCE), (ALONE, SEEN)):
            for line in lines:
                if line.dataset != dataset or line.variant.name != name:
                    continue
                difference = line.to_reference if other == REFERENCE else line.to_seen
                if difference is not None:
                    words = _WORDS[difference.verdict]
                    beside = other if other == REFERENCE else f"{other}, which knows no features"
                    yield f"{dataset}: {name} {words} {beside}: {_difference(difference)}"


def sheets(lines: Sequence[Line]) -> list[Sheet]:
    """Return a table for each data set."""
    return [
        Sheet(dataset, "", HEADS, tuple(map(_line, mine)), "")
        for dataset in SINGLE
        if (mine := [line for line in lines if line.dataset == dataset])
    ]


def _line(line: Line) -> SheetLine:
    spread = "" if line.summary is None else _interval(line.summary.low, line.summary.high, "")
    reference = line.to_reference
    verdict = None if reference is None else _VERDICTS[reference.verdict]
    entries = (
        Entry(f"{line.median:.3f}", value=line.median),
        Entry(f"{line.mean:.3f}{spread}", value=line.mean),
        Entry(_difference(reference), verdict=verdict),
        Entry("" if reference is None else f"{reference.p_value:.3f}"),
        Entry(_difference(line.to_seen)),
        Entry(_difference(line.to_full)),
        Entry(f"{line.expected_median:.4f}", value=line.expected_median),
        Entry(f"{line.seconds:.1f}", value=line.seconds),
    )
    return SheetLine(line.variant.name, entries, kind=line.variant.kind)


def print_lines(lines: Sequence[Line], split: str, k: int, console: Console) -> None:
    """Print what the numbers are, a table for each data set, and the answers."""
    console.print(headline(lines, split, k), highlight=False, soft_wrap=True)
    for sheet in sheets(lines):
        console.print(for_markup(sheet.name))
        console.print(on_terminal(sheet, _HEAD))
    for answer in answers(lines):
        console.print(for_markup(answer), highlight=False, soft_wrap=True)


def as_markdown(lines: Sequence[Line], split: str, k: int) -> str:
    """Return the tables and the answers as Markdown."""
    parts = ["# Ablation of ClusterNet", headline(lines, split, k) + "."]
    for sheet in sheets(lines):
        parts += [f"## {for_markdown(sheet.name)}", "\n".join(in_markdown(sheet, _HEAD))]
    parts.append("## Does learning add?")
    parts.append("\n".join(f"- {answer}" for answer in answers(lines)))
    return "\n\n".join(parts) + "\n"


def as_json(lines: Sequence[Line], split: str, k: int) -> str:
    """Return everything as JSON."""
    rows: list[dict[str, Any]] = []
    for line in lines:
        row = asdict(line)
        row["kind"], row["variant"] = line.variant.kind, line.variant.name
        for name in ("to_reference", "to_seen", "to_full"):
            difference = getattr(line, name)
            if difference is not None:
                row[name]["verdict"] = difference.verdict
        rows.append(row)
    return json.dumps({"split": split, "k": k, "reference": REFERENCE, "lines": rows}, indent=2)


def _difference(difference: Difference | None) -> str:
    if difference is None:
        return ""
    summary = difference.summary
    spread = "" if summary is None else _interval(summary.low, summary.high, "+")
    return f"{difference.mean:+.3f}{spread}"


def _interval(low: float, high: float, sign: str) -> str:
    return f" [{low:{sign}.3f}, {high:{sign}.3f}]"
