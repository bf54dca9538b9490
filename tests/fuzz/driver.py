"""Runs many inputs in worker processes and counts what came of them."""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .known import known
from .registry import TARGETS
from .worker import STATE

_HANGS_AFTER = 120.0  # seconds without an input done
_LOOKS = 1.0  # seconds between two looks at a worker that is silent
_SAMPLES = 3  # faults of a kind that are kept

Job = tuple[str, int, int]  # target, first seed, how many


@dataclass
class Tally:
    """What came of the inputs of a target."""

    calls: int = 0
    reached: int = 0
    answered: int = 0
    faults: int = 0
    known: int = 0
    seconds: float = 0.0

    @property
    def refused(self) -> int:
        return self.calls - self.reached


@dataclass
class Report:
    """What came of a run."""

    tallies: dict[str, Tally] = field(default_factory=dict)
    found: list[dict[str, Any]] = field(default_factory=list)
    tell: Callable[[dict[str, Any]], None] | None = None
    """Is told of each fault that is kept, at once."""
    _kinds: Counter[tuple[str, str]] = field(default_factory=Counter)

    @property
    def unknown(self) -> list[dict[str, Any]]:
        """Faults that are not on the list of known ones."""
        return [fault for fault in self.found if fault["known"] is None]

    def add(self, name: str, counts: dict[str, int], seconds: float) -> None:
        tally = self.tallies.setdefault(name, Tally())
        tally.calls += counts["calls"]
        tally.reached += counts["reached"]
        tally.answered += counts["answered"]
        tally.seconds += seconds

    def add_fault(self, name: str, seed: int, fault: str, trace: str) -> None:
        tally = self.tallies.setdefault(name, Tally())
        id_ = known(name, fault, trace)
        if id_ is None:
            tally.faults += 1
        else:
            tally.known += 1
        kind = name, re.sub(r"0x\w+|\d+|'[^']*'|\[.*?\]", "", fault)[:60]
        self._kinds[kind] += 1
        if self._kinds[kind] <= _SAMPLES:
            found = {"target": name, "seed": seed, "fault": fault, "known": id_, "trace": trace}
            self.found.append(found)
            if self.tell is not None:
                self.tell(found)

    def as_dict(self) -> dict[str, Any]:
        total = Tally()
        for tally in self.tallies.values():
            for name, value in asdict(tally).items():
                setattr(total, name, getattr(total, name) + value)
        return {
            "total": asdict(total) | {"refused": total.refused},
            "targets": {
                name: asdict(tally) | {"refused": tally.refused}
                for name, tally in sorted(self.tallies.items())
            },
            "faults": self.found,
        }


class _Worker:
    """A process that is started again when it dies or hangs."""

    def __init__(self, report: Report, lock: threading.Lock) -> None:
        self._report, self._lock = report, lock
        self._folder = tempfile.TemporaryDirectory(prefix="fuzz-")
        self._state = Path(self._folder.name) / "running"
        self._errors = Path(self._folder.name) / "stderr"
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def run(self, job: Job) -> None:
        """Run a job to its end, whatever happens to the process."""
        name, first, count = job
        while count > 0:
            begin = time.monotonic()
            process = self._started()
            assert process.stdin is not None
            process.stdin.write(f"{name}\t{first}\t{count}\n".encode())
            process.stdin.flush()
            ended = self._listen(process, name)
            seconds = time.monotonic() - begin
            if ended is None:
                with self._lock:
                    self._report.add(name, self._counts(), seconds)
                return
            seed, calls, reached, answered = STATE.unpack(self._state.read_bytes())
            if not first <= seed < first + count:
                raise RuntimeError(f"a worker ended outside of an input: {self._last_words()}")
            with self._lock:
                counts = {"calls": calls + 1, "reached": reached + 1, "answered": answered}
                self._report.add(name, counts, seconds)
                self._report.add_fault(name, seed, ended, self._last_words())
            first, count = seed + 1, first + count - seed - 1

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
        self._folder.cleanup()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._state.write_bytes(bytes(STATE.size))
            paths = [str(Path(__file__).parents[1]), *filter(None, sys.path)]
            environment = os.environ | {
                "PYTHONPATH": os.pathsep.join(paths),
                "OMP_NUM_THREADS": "1",
                "PYTHONWARNINGS": "ignore",
                "GRAPHOPT_CACHE": self._folder.name,
            }
            with self._errors.open("w") as errors:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "fuzz.worker", str(self._state)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    bufsize=0,  # what select does not see must not wait in a buffer
                    env=environment,
                    cwd=self._folder.name,
                )
            self._unread = b""
            assert self._process.stdout is not None
            if not self._process.stdout.readline():
                raise RuntimeError(f"a worker did not start: {self._last_words()}")
        return self._process

    def _listen(self, process: subprocess.Popen[bytes], name: str) -> str | None:
        """Return None when the job is done, or how the process ended."""
        assert process.stdout is not None
        last, since = b"", time.monotonic()
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            while True:
                line, end, rest = self._unread.partition(b"\n")
                if end:
                    self._unread = rest
                    answer = json.loads(line)
                    if "fault" not in answer:
                        return None
                    with self._lock:
                        self._report.add_fault(
                            name, answer["seed"], answer["fault"], answer["trace"]
                        )
                    continue
                if not selector.select(_LOOKS):
                    state = self._state.read_bytes()
                    if state != last:
                        last, since = state, time.monotonic()
                    elif time.monotonic() - since > _HANGS_AFTER:
                        process.send_signal(signal.SIGABRT)
                        process.communicate()
                        return f"no end within {_HANGS_AFTER:g} s"
                    continue
                arrived = os.read(process.stdout.fileno(), 2**16)
                if not arrived:
                    code = process.wait()
                    return f"the process died: {_name_of(code)}"
                self._unread += arrived

    def _counts(self) -> dict[str, int]:
        _, calls, reached, answered = STATE.unpack(self._state.read_bytes())
        return {"calls": calls, "reached": reached, "answered": answered}

    def _last_words(self) -> str:
        return self._errors.read_text(errors="replace")[-3000:]


def _name_of(code: int) -> str:
    return signal.Signals(-code).name if code < 0 else f"exit code {code}"


def run_jobs(jobs: Iterable[Job], n_workers: int, report: Report | None = None) -> Report:
    """Run jobs in some processes."""
    report = Report() if report is None else report
    lock, source = threading.Lock(), iter(jobs)
    broken: list[BaseException] = []

    def work() -> None:
        worker = _Worker(report, lock)
        try:
            while True:
                with lock:
                    job = next(source, None)
                if job is None:
                    return
                worker.run(job)
        except BaseException as error:
            broken.append(error)
        finally:
            worker.close()

    threads = [threading.Thread(target=work) for _ in range(n_workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if broken:
        raise broken[0]
    return report


# --- which inputs ---------------------------------------------------------------------------------


def shares(names: Sequence[str], inputs: int, least: int = 1) -> dict[str, int]:
    """Return how many inputs each target gets, by weight, at least `least`."""
    total = sum(TARGETS[name].weight for name in names)
    return {name: max(least, round(inputs * TARGETS[name].weight / total)) for name in names}


def chunks(counts: dict[str, int], start: int, size: int = 200) -> Iterator[Job]:
    """Yield jobs of at most `size` inputs that make up the counts."""
    for name, count in counts.items():
        small = max(1, round(size * min(1.0, TARGETS[name].weight)))
        for first in range(0, count, small):
            yield name, start + first, min(small, count - first)


def until(deadline: float, names: Sequence[str], start: int) -> Iterator[Job]:
    """Yield jobs, round by round, until a time of the monotonic clock."""
    while True:
        for name in names:
            if time.monotonic() > deadline:
                return
            count = max(1, round(100 * TARGETS[name].weight))
            yield name, start, count
        start += 1000


def run_until_reached(
    names: Sequence[str], inputs: int, reach: int, start: int, n_workers: int, report: Report
) -> None:
    """Run a number of inputs, then go on with targets whose kernels were reached too rarely."""
    counts = shares(names, inputs, reach)
    run_jobs(chunks(counts, start), n_workers, report)
    for _ in range(10):
        short = [n for n in names if report.tallies[n].reached < reach]
        if not short:
            break
        more = {}
        for name in short:
            tally = report.tallies[name]
            rate = max(tally.reached / tally.calls, 0.02)
            more[name] = int((reach - tally.reached) / rate * 1.2) + 5
        offset = max(report.tallies[n].calls for n in short)
        run_jobs(chunks(more, start + offset), n_workers, report)
