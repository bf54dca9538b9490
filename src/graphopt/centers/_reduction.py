"""What an exact solver did about one radius."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reduction:
    """What was left of the set cover at a radius, and who settled it.

    Attributes
    ----------
    radius : float
    kept : bool or None
        Whether k sites keep the radius; None: not known, as time was over or other radii made it
        needless to know.
    settled_by : str
        ``"unserved"``: somebody has no site that near. ``"packing"``: more than k customers were
        found of which no site serves two. ``"count"``: more than k sites were forced.
        ``"greedy"``, ``"exchanges"``: a choice that these found. ``"prices"``,
        ``"linear program"``: checked prices, of a rule of thumb or of a linear program.
        ``"branching"``: branch and bound, which rests on checked prices. ``"solver"``: HiGHS's
        branch and bound, whose word is taken where `kept` is False. ``"open"``: nobody.
    opened : int or None
        How many sites were required, or forced by the reduction. None, here and below: the cover
        was not made, or not reduced to the end.
    customers, sites : int or None
        How many rows and columns domination left of the n_nodes x n_nodes.
    linear_programs : int
        How many were solved, those inside of HiGHS's branch and bound not counted.
    """

    radius: float
    kept: bool | None
    settled_by: str
    opened: int | None = None
    customers: int | None = None
    sites: int | None = None
    linear_programs: int = 0
