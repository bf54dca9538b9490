"""Command line of the fuzzer; see ``python -m tests.fuzz --help``."""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
import time
from pathlib import Path
from typing import Any

from . import driver, targets, trial  # noqa: F401
from .draw import Draw
from .registry import TARGETS

CORPUS = Path(__file__).parent / "corpus.jsonl"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--target", default="*", help="name, or pattern of names")
    parser.add_argument("--seed", type=int, help="show and run this one input, in this process")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long (default: 10)")
    parser.add_argument("--inputs", type=int, help="how many, instead of how long")
    parser.add_argument("--reach", type=int, default=0, help="kernel calls at least, a target")
    parser.add_argument("--start", type=int, help="first seed (default: from the clock)")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default: 1)")
    parser.add_argument("--output", type=Path, help="JSON file for counts and faults")
    parser.add_argument("--keep", action="store_true", help="add what is found to the corpus")
    asked = parser.parse_args()
    names = [name for name in TARGETS if fnmatch.fnmatch(name, asked.target)]
    if not names:
        parser.error(f"no target is called {asked.target}")
    if asked.seed is not None:
        return _show(names, asked.seed)
    start = int(time.time()) * 1000 if asked.start is None else asked.start
    report = driver.Report(tell=_tell)
    if asked.inputs is not None:
        driver.run_until_reached(names, asked.inputs, asked.reach, start, asked.jobs, report)
    else:
        deadline = time.monotonic() + 60.0 * asked.minutes
        driver.run_jobs(driver.until(deadline, names, start), asked.jobs, report)
    result = {"start": start} | report.as_dict()
    if asked.output is not None:
        asked.output.write_text(json.dumps(result, indent=1))
    if asked.keep:
        _keep(report)
    _print(report, start)
    return 1 if report.unknown else 0


def _show(names: list[str], seed: int) -> int:
    faults = 0
    trial.prepare_process()
    for name in names:
        call = TARGETS[name].build(Draw(f"{name} {seed}"))
        print(f"{name} {seed}: {call.args!r} {call.kwargs!r}", flush=True)
        with trial.strict():
            outcome = trial.run(name, seed)
        print(f"  reached={outcome.reached} answered={outcome.answered} {outcome.fault or ''}")
        print(outcome.trace, end="")
        faults += outcome.fault is not None
    return 1 if faults else 0


def _keep(report: driver.Report) -> None:
    """Append new faults to the corpus, which the tests replay."""
    with CORPUS.open("a", encoding="utf-8") as corpus:
        for fault in report.unknown:
            entry = {name: fault[name] for name in ("target", "seed", "fault")}
            corpus.write(json.dumps(entry) + "\n")


def _tell(fault: dict[str, Any]) -> None:
    mark = f" [{fault['known']}]" if fault["known"] else ""
    print(f"{fault['target']} --seed {fault['seed']}{mark}: {fault['fault']}", flush=True)


def _print(report: driver.Report, start: int) -> None:
    result = report.as_dict()
    head = ("calls", "refused", "reached", "answered", "faults", "known")
    print(f"{'':52}" + "".join(f"{word:>10}" for word in head) + f"{'ms':>9}")
    for name, row in [*result["targets"].items(), ("all", result["total"])]:
        cells = "".join(f"{row[word]:>10,}" for word in head)
        print(f"{name:52}{cells}{1000 * row['seconds'] / max(row['calls'], 1):>9.2f}")
    print(f"seeds from {start}")


if __name__ == "__main__":
    sys.exit(main())
