"""What a proof is told by: the cells of its row, and the notes below the table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from benchmarks.race import spopt_peer
from benchmarks.race.exact import Row
from benchmarks.race.report import Report, seconds_text
from graphopt.centers import Reduction


def reduction_text(reduction: Reduction) -> str:
    """Return what was left of a radius and who settled it, in a line.

    Examples
    --------
    >>> from graphopt.centers import Reduction
    >>> reduction_text(Reduction(6.0, False, "linear program", 2, 34, 109, 1))
    '6 refuted: 34 x 109, linear program'
    """
    verdict = {True: "kept", False: "refuted", None: "open"}[reduction.kept]
    left = "" if reduction.sites is None else f"{reduction.customers:,} x {reduction.sites:,}, "
    return f"{reduction.radius:g} {verdict}: {left}{reduction.settled_by}"


def cells(row: Row) -> tuple[str, ...]:
    """Return a row's cells; lines are parted by newlines."""
    proven = row.status == "optimal"
    radius = f"{row.radius:g}, proven" if proven else f"{row.radius:g}, bound {row.lower_bound:g}"
    exchanges = ""
    if row.search_seconds is not None:
        exchanges = f"{row.search_radius:g} in {seconds_text(row.search_seconds)}"
    ratio = ""
    if row.ratio is not None:
        ratio = f"{row.ratio:,.3g}x"
    elif row.at_least is not None:
        ratio = f"> {row.at_least:,.3g}x"
    return (
        f"{row.name}\nn = {row.n:,}, m = {row.m:,}, k = {row.k}",
        seconds_text(row.seconds),
        radius,
        "\n".join(reduction_text(one) for one in row.decisive),
        exchanges,
        peer_text(row),
        ratio,
    )


def peer_text(row: Row) -> str:
    """Return what became of spopt."""
    peer = row.peer
    if peer is None:
        return "not asked"
    if peer.outcome == spopt_peer.OPTIMAL and peer.seconds is not None:
        return f"{row.peer_radius:g} in {seconds_text(peer.seconds)}"
    if peer.seconds is None:
        return peer.outcome
    where = "making the model" if peer.building is None else "solving it"
    best = "" if row.peer_radius is None else f", has {row.peer_radius:g}"
    return f"{peer.outcome} ({seconds_text(peer.seconds)}, {where}{best})"


def summary(row: Row) -> str:
    """Return a row in a line."""
    said = cells(row)
    return f"{row.name}: {said[1]}, {said[2]}; spopt: {said[5]}"


def footnotes(rows: Sequence[Row]) -> list[str]:
    """Return what a reader must know about the columns."""
    notes = [
        "graphopt, exchanges and spopt: on the same distances, one call each; where spopt is not "
        "asked, from the graph, with a limit on the time.",
        "What was left to prove: customers x sites after domination, at the largest radius that "
        "was refuted and the smallest that was kept, and who settled it.",
        "Exchanges: graphopt's local search as it comes, which proves nothing.",
        "spopt: PCenter.from_cost_matrix and CBC, on one thread, making the model included. Its "
        "centres were evaluated on the same distances; an answer that contradicts ours is an "
        "error.",
    ]
    if any(row.peer is not None and row.peer.outcome == spopt_peer.ABSENT for row in rows):
        notes.append("spopt is not installed; get it: pip install --group race-exact")
    return notes


def plain(row: Row) -> dict[str, Any]:
    """Return a row as plain values; infinity as None."""
    values = {**asdict(row), "ratio": row.ratio, "at_least": row.at_least}
    for name in ("radius", "lower_bound"):
        values[name] = values[name] if math.isfinite(values[name]) else None
    return values


REPORT = Report(
    title="Exact k-center",
    stem="exact",
    key="instances",
    columns=(
        "instance",
        "graphopt",
        "radius",
        "what was left to prove",
        "exchanges",
        "spopt",
        "ratio",
    ),
    right=("graphopt", "ratio"),
    cells=cells,
    summary=summary,
    footnotes=footnotes,
    plain=plain,
)
