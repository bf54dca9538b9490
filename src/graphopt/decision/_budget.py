"""Choose which methods continue in the trials: as time allows, those near the best."""

from __future__ import annotations

import math
import time

from graphopt.contest import Method, Table
from graphopt.objectives import Objective

_HOPELESS = 0.1  # behind the best by this part of its mean value


class Clock:
    """The time left of a time budget; None: no limit."""

    def __init__(self, budget: float | None) -> None:
        self.begin = time.monotonic()
        self._end = math.inf if budget is None else self.begin + budget

    @property
    def left(self) -> float:
        """Seconds."""
        return self._end - time.monotonic()

    @property
    def spent(self) -> float:
        """Seconds."""
        return time.monotonic() - self.begin


class Budget:
    """Decides which methods take part in a contest, and when it ends.

    A method is left out of further trials if it missed a trial because there was no time for it, or
    if it is far behind the best and one trial tells much.
    """

    def __init__(self, clock: Clock, objective: Objective) -> None:
        self.clock, self.objective = clock, objective
        self._behind: set[str] = set()

    def admit(self, table: Table, method: Method) -> bool:
        """Return whether a method takes part in the current trial."""
        if method.name in self._behind or len(table.of(method.name)) < table.n_trials:
            return False
        known = [table.seconds(name) for name in table.methods if table.of(name)]
        own = table.seconds(method.name) if table.of(method.name) else max(known, default=0.0)
        return own + _reserve(table) <= self.clock.left

    def stop(self, table: Table) -> bool:
        """Return whether there is no time for another trial; called after each trial."""
        if self.objective.sums_over_edges:
            self._drop_hopeless(table)
        return self.clock.left < _reserve(table)

    def _drop_hopeless(self, table: Table) -> None:
        values = {
            name: table.values(name)
            for name in table.methods
            if table.of(name) and not table.error(name) and name not in self._behind
        }
        most = max(map(len, values.values()), default=0)
        means = {name: math.fsum(of) / len(of) for name, of in values.items() if len(of) == most}
        if not means:
            return
        best = (max if self.objective.greater_is_better else min)(means.values())
        for name, mean in means.items():
            if self.objective.regret(mean, best) > _HOPELESS * abs(best):
                self._behind.add(name)


def _reserve(table: Table) -> float:
    """Return the seconds that the final decision will take; it sees more edges than a trial."""
    times = (table.seconds(name) for name in table.methods if not table.error(name))
    return 3.0 * max(times, default=0.0)
