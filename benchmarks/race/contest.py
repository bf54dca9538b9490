"""A contest: one piece of work, who does it, when two answers agree, and what is to be reached."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Call = Callable[[], Any]
Agree = Callable[[Any, Any], None]


class NotAvailable(Exception):
    """A contestant cannot take part here; the message says why."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """Somebody who does the work of a contest.

    Attributes
    ----------
    name : str
    prepare : callable
        Untimed set-up: imports the library, converts the input to its structures, and returns the
        call to be timed, whose answer is compared. ImportError: the library is not installed.
        NotAvailable: it is, but cannot do this.
    share : float
        The part of the work the call does: 0.1 times a tenth, and 50.0 repeats it fifty times.
        Times are divided by it.
    note : str
        What a reader of the table must know.
    peer : bool
        Whether it counts as a rival. Ours does not, nor do variants shown beside it.
    agree : callable, optional
        Instead of the contest's own comparison.
    slow : bool
        Left out where there is little time.
    """

    name: str
    prepare: Callable[[], Call]
    share: float = 1.0
    note: str = ""
    peer: bool = True
    agree: Agree | None = None
    slow: bool = False


@dataclass(frozen=True, slots=True)
class Size:
    """How large the input is, and where it comes from.

    Attributes
    ----------
    n : int
        Nodes or rows.
    m : int or None
        Edges; None where there is no graph.
    data : str
    """

    n: int
    m: int | None = None
    data: str = "synthetic"


@dataclass(frozen=True, slots=True)
class LineUp:
    """Who competes, on what, and when their answers agree.

    Attributes
    ----------
    size : callable
        Returns the :class:`Size`; may make the input, which nothing else needs before `prepare`.
    contestants : tuple of Contestant
        Ours first.
    agree : callable
        ``agree(ours, theirs)`` raises AssertionError where the answers differ.
    """

    size: Callable[[], Size]
    contestants: tuple[Contestant, ...]
    agree: Agree

    def named(self, name: str) -> Contestant:
        """Return the contestant of a name, or raise ValueError listing the names."""
        for contestant in self.contestants:
            if contestant.name == name:
                return contestant
        names = ", ".join(contestant.name for contestant in self.contestants)
        raise ValueError(f"contestant must be one of {names}, not {name!r}")

    def agreement(self, contestant: Contestant, ours: Any, theirs: Any) -> None:
        """Raise AssertionError naming the contestant if its answer differs from ours."""
        try:
            (contestant.agree or self.agree)(ours, theirs)
        except AssertionError as error:
            raise AssertionError(f"{contestant.name} and graphopt differ: {error}") from error


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a goal was reached: what it says, what was measured, and whether that is enough."""

    goal: str
    measured: str
    met: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """What goals judge.

    Attributes
    ----------
    ours : float
        Median seconds.
    others : mapping of str to float
        Median seconds of the others who took part.
    peers : frozenset of str
        Who of the others counts as a rival.
    memory : int or None
        Bytes of ours above the input and the answer; None: not measured.
    """

    ours: float
    others: Mapping[str, float]
    peers: frozenset[str]
    memory: int | None


class Goal(Protocol):
    """What a contest is to show."""

    def judge(self, found: Measured) -> Reached | None:
        """Return whether the goal was reached; None: what was measured does not tell."""


@dataclass(frozen=True, slots=True)
class Faster:
    """At least `times` as fast as the fastest peer, or as the contestant `than`."""

    times: float
    than: str | None = None

    def judge(self, found: Measured) -> Reached | None:
        """See :class:`Goal`."""
        rivals = found.peers & found.others.keys() if self.than is None else {self.than}
        seconds = [found.others[name] for name in rivals if name in found.others]
        if not seconds:
            return None
        ratio = min(seconds) / found.ours
        who = "the fastest peer" if self.than is None else self.than
        return Reached(f"{self.times:g}x {who}", f"{ratio:.3g}x", ratio >= self.times)


@dataclass(frozen=True, slots=True)
class AtMostTimes:
    """At most `times` the seconds of the contestant `of`."""

    times: float
    of: str

    def judge(self, found: Measured) -> Reached | None:
        """See :class:`Goal`."""
        if self.of not in found.others:
            return None
        times = found.ours / found.others[self.of]
        goal = f"at most {self.times:g} times {self.of}"
        return Reached(goal, f"{times:.3g} times", times <= self.times)


@dataclass(frozen=True, slots=True)
class Within:
    """At most so many seconds."""

    seconds: float

    def judge(self, found: Measured) -> Reached | None:
        """See :class:`Goal`."""
        return Reached(
            f"within {self.seconds:g} s", f"{found.ours:.3g} s", found.ours <= self.seconds
        )


@dataclass(frozen=True, slots=True)
class WithinMemory:
    """At most so many bytes above the input and the answer."""

    n_bytes: int

    def judge(self, found: Measured) -> Reached | None:
        """See :class:`Goal`."""
        if found.memory is None:
            return None
        goal = f"within {self.n_bytes / 1e6:,.0f} MB beside input and answer"
        return Reached(goal, f"{found.memory / 1e6:,.1f} MB", found.memory <= self.n_bytes)


@dataclass(frozen=True, slots=True)
class Contest:
    """One row of the table.

    Attributes
    ----------
    name : str
        Short and stable.
    work : str
        What is done, in a line.
    line_up : callable
        ``line_up(scale)`` returns the :class:`LineUp` for an input `scale` times the usual size.
        It makes nothing large itself: contestants do, when they prepare.
    goals : tuple of Goal
    quick : bool
        Over in seconds, its slow contestants aside.
    quoted : str
        A figure somebody published, not measured here.
    """

    name: str
    work: str
    line_up: Callable[[float], LineUp]
    goals: tuple[Goal, ...] = ()
    quick: bool = False
    quoted: str = ""
