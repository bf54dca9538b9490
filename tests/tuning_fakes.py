"""Evaluations for tests of the search; a module of its own, as worker processes import it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphopt.tuning import Landmark, Space, Value, default_space

if TYPE_CHECKING:
    from graphopt.tuning import Report

SPACE = Space(
    "tiny",
    {"a": (0, 1, 2, 3), "b": (0.0, 0.5), "c": (False, True)},
    iterations=(10, 20),
    check_every=10,
    rise=10,
    landmarks=(Landmark("published", {"a": 2, "b": 0.5, "c": False}, 20),),
)


def short(kind: str = "single", lengths: tuple[int, ...] = (2, 4)) -> Space:
    """Return the default grid with next to no training."""
    space = default_space("community", kind)
    landmarks = tuple(replace(one, iterations=lengths[-1]) for one in space.landmarks)
    return replace(
        space, iterations=lengths, check_every=lengths[0], rise=lengths[0], landmarks=landmarks
    )


def value(params: Mapping[str, Value]) -> float:
    """Return the score that the fake gives in the end."""
    return float(params["a"] + 10 * params["b"] + 0.25 * params["c"])


@dataclass(frozen=True)
class Fake:
    """Scores by a formula, half of it at the first length.

    `log` lists the settings asked for; `kills` holds how often the process shall kill itself when
    a is 3; `wrong` lists values of a that raise. Nothing goes on before `company` processes have
    begun, and the first `finishes` evaluations alone come to an end while there is a parent.
    """

    log: Path
    kills: Path | None = None
    wrong: tuple[int, ...] = ()
    company: int = 1
    finishes: int | None = None
    greater_is_better: bool = True
    k: int = 3

    @property
    def protocol(self) -> dict[str, Any]:
        return {"graph": "fake", "task": "none", "k": self.k, "space": "tiny"}

    def _hold(self) -> None:
        """Wait as long as `company` and `finishes` say."""
        while len({line.split()[0] for line in self._begun()}) < self.company:
            time.sleep(0.01)
        if self.finishes is not None and len(self._begun()) > self.finishes:
            parent = parent_process()  # known however early it dies; None: this is the search
            while parent is None or parent.is_alive():
                time.sleep(0.01)

    def _begun(self) -> list[str]:
        return self.log.read_text().splitlines()

    def __call__(self, params: Mapping[str, Value], report: Report) -> dict[int, float]:
        with self.log.open("a") as log:
            log.write(f"{os.getpid()} {params['a']} {params['b']} {params['c']}\n")
        self._hold()
        if params["a"] in self.wrong:
            raise ValueError(f"a must not be {params['a']}")
        if params["a"] == 3 and self.kills is not None:
            left = int(self.kills.read_text())
            if left > 0:
                self.kills.write_text(str(left - 1))
                os.kill(os.getpid(), signal.SIGKILL)
        scores: dict[int, float] = {}
        for step, share in ((10, 0.5), (20, 1.0)):
            scores[step] = share * value(params)
            if report(step, scores[step]):
                break
        return scores
