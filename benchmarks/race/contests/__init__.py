"""Every contest: one file per subject, one row of the table each."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from benchmarks.race.contest import Contest
from benchmarks.race.contests import (
    centers,
    communities,
    convert,
    facility,
    paths,
    rounding,
    soft_kmeans,
    training,
)

CONTESTS: dict[str, Contest] = {
    contest.name: contest
    for subject in (
        paths, centers, soft_kmeans, facility, communities, rounding, training, convert
    )
    for contest in subject.CONTESTS
}  # fmt: skip


def find(name: str) -> Contest:
    """Return a contest, or raise ValueError with the nearest names."""
    if name in CONTESTS:
        return CONTESTS[name]
    near = [known for known in CONTESTS if known.startswith(name)]
    near += [known for known in get_close_matches(name, CONTESTS, 5, 0.5) if known not in near]
    hint = f"; the nearest are {', '.join(near[:6])}" if near else ""
    raise ValueError(
        f"there is no contest {name!r}{hint}; `python -m benchmarks.race --list` names them"
    )


def select(names: Sequence[str], *, quick: bool = False) -> list[Contest]:
    """Return the contests named, or all of them (with `quick`: those that are).

    A name that is the start of others and none itself stands for those: ``hops-`` for all hops.

    Examples
    --------
    >>> [contest.name for contest in select(["modul"])]
    ['modularity', 'modularity-20k']
    """
    if not names:
        return [contest for contest in CONTESTS.values() if contest.quick or not quick]
    chosen: dict[str, Contest] = {}
    for name in names:
        if name in CONTESTS:
            chosen[name] = CONTESTS[name]
            continue
        begun = [contest for known, contest in CONTESTS.items() if name and known.startswith(name)]
        for contest in begun or [find(name)]:
            chosen[contest.name] = contest
    return list(chosen.values())
