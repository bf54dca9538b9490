"""The numbers printed in the paper's appendix."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources


@cache
def published() -> dict[int, dict[str, dict[str, float | None]]]:
    """Return the six tables: number to row to column to value, None where it prints a dash.

    Columns are ``setting/dataset`` in tables 1 and 2, data sets in the others.

    Notes
    -----
    Wilder et al., "End to End Learning and Optimization on Graphs", NeurIPS 2019, supplementary
    material, tables 1 to 6, for k = 10. Times were taken on 14 cores.

    Examples
    --------
    >>> published()[1]["ClusterNet"]["learning/cora"]
    0.56
    """
    text = resources.files(__package__).joinpath("published.json").read_text("utf-8")
    stored = json.loads(text)
    return {number: stored[f"table{number}"]["rows"] for number in range(1, 7)}


def published_on() -> str:
    """Return the machine that the published times were taken on."""
    text = resources.files(__package__).joinpath("published.json").read_text("utf-8")
    return str(json.loads(text)["hardware"])
