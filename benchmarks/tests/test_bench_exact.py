"""The contest of exact solvers: instances, comparison of answers, spopt's process, the page."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.race import exact, exact_table, spopt_peer
from benchmarks.race.exact import Instance, Row
from benchmarks.race.machine import describe_machine
from benchmarks.race.spopt_peer import PeerResult
from graphopt import Graph, all_pairs_shortest_paths
from graphopt.centers import Reduction

PATH = Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)])
COSTS = all_pairs_shortest_paths(PATH)
SMALL = Instance("path", lambda: (PATH, 2))
REDUCTIONS = (
    Reduction(0.0, False, "count", 2, 0, 0),
    Reduction(1.0, True, "greedy", 0, 3, 4),
    Reduction(2.0, None, "open"),
)
ROW = Row("path", 6, 5, 2, 0.5, 1.0, 1.0, "optimal", REDUCTIONS, 0.1, 1.0)

# What takes the place of spopt and pulp in the other process, which imports nothing else of them.
FAKE_PULP = """
LpSolutionOptimal, LpSolutionIntegerFeasible = 1, 2
def PULP_CBC_CMD(msg, timeLimit): return timeLimit
"""
FAKE_SPOPT = """
import time
from types import SimpleNamespace as Namespace
class PCenter:
    def from_cost_matrix(costs, k):
        {building}
        model = PCenter()
        model.shape = costs.shape
        return model
    def solve(self, solver, results):
        {solving}
        self.problem = Namespace(sol_status={status})
        self.fac_vars = [Namespace(value=lambda j=j: float(j in (1, 4))) for j in range(6)]
        if {status} == 0:
            raise RuntimeError("Model is not solved")
"""


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    def make(building: str = "pass", solving: str = "pass", status: int = 1) -> None:
        folder = tmp_path / "spopt"
        folder.mkdir()
        (tmp_path / "pulp.py").write_text(FAKE_PULP)
        (folder / "__init__.py").write_text("")
        text = FAKE_SPOPT.format(building=building, solving=solving, status=status)
        (folder / "locate.py").write_text(text)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return make


def run_peer(seconds: float = 30.0, memory: int = 8 * 2**30) -> PeerResult:
    return spopt_peer.run(COSTS, 2, seconds=seconds, memory=memory)


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spopt_peer, "installed", lambda: True)


@pytest.mark.usefixtures("there")
class TestSpoptsProcess:
    def test_a_proof(self, fake) -> None:  # type: ignore[no-untyped-def]
        fake()
        found = run_peer()
        assert (found.outcome, found.centers) == ("optimal", (1, 4))
        assert found.seconds is not None
        assert found.building is not None
        assert 0 <= found.building <= found.seconds

    @pytest.mark.parametrize(("status", "centers"), [(2, (1, 4)), (0, ())])
    def test_the_solver_out_of_time(self, fake, status: int, centers: tuple[int, ...]) -> None:  # type: ignore[no-untyped-def]
        fake(status=status)
        found = run_peer()
        assert (found.outcome, found.centers) == ("out of time", centers)
        assert found.building is not None

    def test_out_of_time_making_the_model(self, fake) -> None:  # type: ignore[no-untyped-def]
        fake(building="time.sleep(3600)")
        found = run_peer(seconds=0.5)
        assert (found.outcome, found.building, found.centers) == ("out of time", None, ())
        assert found.seconds is not None
        assert 0.4 < found.seconds < 3600

    def test_a_solver_that_does_not_look_at_its_clock(
        self,
        fake,  # type: ignore[no-untyped-def]
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        # The alarm, as though time were over by now.
        fake(solving="import signal; signal.raise_signal(signal.SIGALRM)")
        found = run_peer()
        assert found.outcome == "out of time"
        assert found.building is not None

    def test_out_of_memory(self, fake) -> None:  # type: ignore[no-untyped-def]
        fake(building="bytearray(1 << 40)")
        found = run_peer()
        assert (found.outcome, found.building) == ("out of memory", None)

    def test_a_process_that_hangs_is_ended(
        self,
        fake,  # type: ignore[no-untyped-def]
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        fake(building="import signal; signal.setitimer(signal.ITIMER_REAL, 0); time.sleep(3600)")
        monkeypatch.setattr(spopt_peer, "_START", 3.0)
        assert run_peer(seconds=0.5) == PeerResult("out of time", 3.5)

    def test_a_failure_is_told(self, fake) -> None:  # type: ignore[no-untyped-def]
        fake(solving="raise KeyError('no such thing')")
        assert run_peer() == PeerResult("failed: KeyError: 'no such thing'")


def test_without_spopt_the_row_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "spopt", None)
    monkeypatch.setattr(spopt_peer.util, "find_spec", lambda name: None)
    assert not spopt_peer.installed()
    (row,) = exact.run([SMALL], threads=1)
    assert row.peer == PeerResult("not installed")
    assert (row.ratio, row.at_least) == (None, None)
    assert exact_table.peer_text(row) == "not installed"
    assert "race-exact" in exact_table.footnotes([row])[-1]


def test_spopt_itself_proves_the_same() -> None:
    if not spopt_peer.installed():
        pytest.skip("spopt is not installed")
    (row,) = exact.run([SMALL], threads=1, peer_seconds=60.0)
    assert row.peer is not None
    assert (row.peer.outcome, row.peer_radius, row.radius) == ("optimal", 1.0, 1.0)
    assert row.ratio is not None
    assert row.ratio > 0


def test_ours_alone() -> None:
    (row,) = exact.run([SMALL], threads=1, peer_seconds=None)
    assert (row.n, row.m, row.k, row.radius, row.status) == (6, 5, 2, 1.0, "optimal")
    assert row.search_radius == 1.0
    assert row.peer is None
    assert row.reductions
    (large,) = exact.run([replace(SMALL, large=True)], threads=1)
    assert (large.radius, large.search_radius, large.peer) == (1.0, None, None)


@pytest.mark.parametrize(
    ("row", "peer", "message"),
    [
        (replace(ROW, lower_bound=2.0), PeerResult("out of time", 9.0, 1.0, (1, 4)), "below the"),
        (ROW, PeerResult("optimal", 9.0, 1.0, (0, 1)), "spopt calls 4 optimal, graphopt has 1"),
        (ROW, PeerResult("optimal", 9.0, 1.0, (0, 1, 4)), "spopt has 3 centres"),
    ],
    ids=["below-bound", "not-optimal", "too-many"],
)
def test_answers_that_contradict_raise(row: Row, peer: PeerResult, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        exact.compare(row, peer, COSTS)


def test_ratios() -> None:
    proof = exact.compare(ROW, PeerResult("optimal", 9.0, 1.0, (1, 4)), COSTS)
    assert (proof.ratio, proof.at_least, proof.peer_radius) == (18.0, None, 1.0)
    late = exact.compare(ROW, PeerResult("out of time", 9.0, None), COSTS)
    assert (late.ratio, late.at_least, late.peer_radius) == (None, 18.0, None)
    worse = exact.compare(ROW, PeerResult("out of time", 9.0, 1.0, (0, 1)), COSTS)
    assert worse.peer_radius == 4.0


@pytest.mark.parametrize(
    ("peer", "text", "ratio"),
    [
        (PeerResult("optimal", 9.0, 1.0, (1, 4)), "1 in 9 s", "18x"),
        (PeerResult("out of time", 9.0), "out of time (9 s, making the model)", "> 18x"),
        (
            PeerResult("out of time", 9.0, 1.0, (0, 1)),
            "out of time (9 s, solving it, has 4)",
            "> 18x",
        ),
        (PeerResult("out of memory", 9.0), "out of memory (9 s, making the model)", ""),
        (PeerResult("failed: why"), "failed: why", ""),
    ],
    ids=lambda value: value.outcome if isinstance(value, PeerResult) else None,
)
def test_a_row_in_words(peer: PeerResult, text: str, ratio: str) -> None:
    said = exact_table.cells(exact.compare(ROW, peer, COSTS))
    assert len(said) == len(exact_table.REPORT.columns)
    assert said[0] == "path\nn = 6, m = 5, k = 2"
    assert said[1:5] == (
        "500 ms",
        "1, proven",
        "0 refuted: 0 x 0, count\n1 kept: 3 x 4, greedy",
        "1 in 100 ms",
    )
    assert said[5:] == (text, ratio)
    bound = replace(ROW, lower_bound=0.5, status="time_limit")
    assert exact_table.cells(bound)[2] == "1, bound 0.5"
    assert exact_table.cells(bound)[5] == "not asked"


def test_files(tmp_path: Path) -> None:
    rows = [
        exact.compare(ROW, PeerResult("optimal", 9.0, 1.0, (1, 4)), COSTS),
        replace(ROW, name="a | b", radius=math.inf, status="time_limit"),
    ]
    exact_table.REPORT.save(rows, describe_machine(), 2, tmp_path / "new")
    found = json.loads((tmp_path / "new" / "exact.json").read_text())
    first, second = found["instances"]
    assert (found["threads"], first["ratio"], first["peer"]["outcome"]) == (2, 18.0, "optimal")
    assert first["reductions"][1]["customers"] == 3
    assert second["radius"] is None
    lines = (tmp_path / "new" / "exact.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert len(table) == 4
    assert "a \\| b" in table[3]
    assert describe_machine()["processor"] in lines[2]


def test_instances_are_found_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHOPT_DATA", str(tmp_path))
    assert exact.orlib_folder() is None
    assert len(exact.instances()) == 13
    (tmp_path / "orlib").mkdir()
    (tmp_path / "orlib" / "pmed1.txt").write_text("3 3 1\n1 2 5\n2 3 4\n2 1 7\n")
    names = [one.name for one in exact.instances(quick=True)]
    assert len(names) == 20
    assert names[0] == "cora_connected, K = 5"
    assert [one.name for one in exact.instances(["pmed1"])] == ["pmed1"]
    assert [one.name for one in exact.instances(["moreno", "pmed10"])] == [
        "moreno, K = 5",
        "moreno, K = 10",
        "pmed10",
    ]
    with pytest.raises(ValueError, match="no instance begins with 'nothing'; there are: cora"):
        exact.instances(["nothing"])
    (one,) = exact.instances(["pmed1"])
    graph, k = one.load()
    assert (graph.n_nodes, graph.n_edges, k) == (3, 2, 1)
    assert sorted(np.asarray(graph.edge_weights).tolist()) == [4.0, 7.0]  # the last line counts


def test_the_geometric_graph_is_connected_and_large() -> None:
    (instance,) = exact.instances(["geometric"])
    graph, k = instance.load()
    assert instance.large
    assert k == 50
    assert graph.n_nodes > 19_000
    assert graph.connected_components()[0] == 1
