"""What a race is told by: the cells of its row, and the notes below the table."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.race.peers import ONE_THREAD
from benchmarks.race.race import Outcome, Timing
from benchmarks.race.report import Report, seconds_text, three_digits


def cells(outcome: Outcome) -> tuple[str, ...]:
    """Return a race's cells: work, contestants, medians, ratios, and goals."""
    contest, size, timings = outcome.contest, outcome.size, outcome.timings
    graph = "" if size.m is None else f", m = {size.m:,} ({size.data})"
    work = [contest.name, contest.work, f"n = {size.n:,}{graph}"]
    if outcome.memory is not None:
        work.append(f"memory: {outcome.memory / 1e6:,.1f} MB")
    goals = [
        f"{'✓' if verdict.met else '✗'} {verdict.goal}: {verdict.measured}"
        for verdict in outcome.reached()
    ]
    if contest.quoted:
        goals.append(f"published: {contest.quoted}")
    names = [_contestant_text(outcome, timing) for timing in timings]
    medians = [seconds_text(one.median) if one.seconds else "absent" for one in timings]
    ratios = [f"{three_digits(outcome.ratio(one))}x" if one.seconds else "-" for one in timings]
    columns = work, names, medians, ["", *ratios[1:]], goals
    return tuple("\n".join(lines) for lines in columns)


def _contestant_text(outcome: Outcome, timing: Timing) -> str:
    """Return a contestant's name and, in brackets, what part of the work it did how often."""
    said = [] if timing.share >= 1.0 else [f"{three_digits(100.0 * timing.share)} %"]
    n_turns = len(timing.seconds)
    if 0 < n_turns < len(outcome.ours.seconds):
        said.append(f"{n_turns} turn{'' if n_turns == 1 else 's'}")
    return f"{timing.name} ({', '.join(said)})" if said else timing.name


def summary(outcome: Outcome) -> str:
    """Return a race in a line: ours, and the fastest peer."""
    fastest = outcome.fastest_peer
    ours = f"{outcome.contest.name}: {seconds_text(outcome.ours.median)}"
    if fastest is None:
        return ours
    return f"{ours}, {three_digits(outcome.ratio(fastest))}x {fastest.name}"


def footnotes(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what a reader must know about the columns."""
    timings = [timing for outcome in outcomes for timing in outcome.others]
    notes = [
        "Medians of one run; ratio: how many times faster graphopt is. Every answer was compared.",
        "Memory: at the peak of graphopt's call, beside its input and its answer.",
    ]
    if any(timing.share < 1.0 for timing in timings):
        notes.append("(5 %): did this part of the work; its time is divided by it.")
    notes += sorted({f"{timing.name}: {timing.note}." for timing in timings if timing.note})
    alone = sorted({timing.name for timing in timings if timing.name.startswith(ONE_THREAD)})
    if alone:
        notes.append(f"On one thread, whatever graphopt runs on: {'; '.join(alone)}.")
    if any(timing.name == "rustworkx" and timing.seconds for timing in timings):
        notes.append("rustworkx takes its threads from RAYON_NUM_THREADS when it is first used.")
    missing = sorted({timing.name for timing in timings if "not installed" in timing.absent})
    if missing:
        notes.append(f"Not installed: {', '.join(missing)}; get it: pip install --group race")
    absent = {
        f"{timing.name}: {timing.absent}."
        for timing in timings
        if timing.absent and timing.name not in missing
    }
    return notes + sorted(absent)


REPORT = Report(
    title="The race",
    stem="race",
    key="races",
    columns=("work", "contestant", "median", "ratio", "to reach"),
    right=("median", "ratio"),
    cells=cells,
    summary=summary,
    footnotes=footnotes,
    plain=Outcome.as_dict,
    unbroken=("contestant", "median", "ratio"),
    met=lambda outcome: all(verdict.met for verdict in outcome.reached()),
)
