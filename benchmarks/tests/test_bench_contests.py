"""Every contest on a small input: all answers agree, and wrong ones do not."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.race import workloads
from benchmarks.race.contest import Contest, NotAvailable
from benchmarks.race.contests import CONTESTS, find, select
from graphopt import Graph

SCALE = 0.05

all_contests = pytest.mark.parametrize("contest", CONTESTS.values(), ids=list(CONTESTS))


def small(contest: Contest) -> Any:
    # A thousand steps are a thousand steps at any size.
    line_up = contest.line_up(SCALE)
    return line_up, line_up.contestants[0].prepare()()


def spoilt(answer: Any) -> Any:
    """The same answer, one number of it changed."""
    if isinstance(answer, tuple):
        return (spoilt(answer[0]), *answer[1:])
    if isinstance(answer, Graph):  # a graph is compared with a matrix
        return 2 * answer.to_scipy()
    wrong = copy.deepcopy(answer)
    if isinstance(wrong, list):  # losses
        wrong[0] = min(wrong) - 1.0
    elif wrong.ndim == 0:
        wrong += 1
    else:
        wrong[(-1,) * wrong.ndim] += 1
    return wrong


@all_contests
# Peers' own: formats in beta, deprecated calls.
@pytest.mark.filterwarnings("ignore")
def test_answers_agree_and_wrong_ones_do_not(contest: Contest) -> None:
    line_up, ours = small(contest)
    first = line_up.contestants[0]
    assert first.name == "graphopt"
    assert not first.peer
    line_up.agree(ours, copy.deepcopy(ours))
    with pytest.raises(AssertionError, match="graphopt and graphopt differ"):
        line_up.agreement(first, ours, spoilt(ours))
    for contestant in line_up.contestants[1:]:
        if contestant.name == "torch.compile":
            continue  # compiling takes longer than all the rest, and the race compares it
        try:
            call = contestant.prepare()
        except (ImportError, NotAvailable):
            continue  # peers are not needed to test graphopt
        line_up.agreement(contestant, ours, call())


@all_contests
def test_sizes(contest: Contest) -> None:
    size = contest.line_up(SCALE).size()
    assert size.data == "synthetic"
    assert size.n >= 40
    assert size.m is None or size.m >= size.n // 2


def test_names() -> None:
    assert find("hops-moreno").name == "hops-moreno"
    with pytest.raises(ValueError, match=r"no contest 'hops-pumbed'; the nearest are hops-pubmed"):
        find("hops-pumbed")
    with pytest.raises(
        ValueError, match=r"no contest 'zzz'; `python -m benchmarks.race --list` names them"
    ):
        find("zzz")
    assert select([]) == list(CONTESTS.values())
    assert {contest.name for contest in select([], quick=True)} < set(CONTESTS)
    hops = [contest.name for contest in select(["hops-", "hops-pgp"])]
    assert hops == ["hops-moreno", "hops-pubmed", "hops-pgp", "hops-million"]
    assert [contest.name for contest in select(["modularity"])] == ["modularity"]


# --- workloads ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "n", "m"),
    [
        (lambda: workloads.scale_free_graph(200, 800), 200, 800),
        (lambda: workloads.random_graph(300, 450), 300, None),
        (lambda: workloads.power_grid(500), 500, 668),
        (lambda: workloads.complete_graph(30), 30, 435),
        (lambda: workloads.citations(200, 400, connected=True).graph, 200, 400),
    ],
)
def test_graphs_are_connected_and_repeatable(make: Any, n: int, m: int | None) -> None:
    graph = make()
    workloads.forget()
    assert make() == graph
    assert graph.n_nodes == n
    assert m is None or graph.n_edges == m
    assert graph.connected_components()[0] == 1


def test_a_power_grid_has_long_paths_and_few_neighbours() -> None:
    graph = workloads.power_grid(2_000, lengths="integer")
    assert (graph.degrees <= 2).mean() > 0.4
    assert graph.edge_weights is not None
    assert set(graph.edge_weights) <= set(range(1, 101))
    assert workloads.power_grid(100, lengths="hops").edge_weights is None


def test_rows_and_probabilities() -> None:
    rows, centers = workloads.clustered_rows(100)
    assert rows.shape == (100, 50)
    assert centers.shape == (10, 50)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1.0, rtol=1e-6)
    opening = workloads.opening_probabilities(60, 10)
    assert opening.sum() == pytest.approx(10.0)
    assert ((opening >= 0.0) & (opening < 1.0)).all()
    np.testing.assert_allclose(workloads.assignment(50).sum(axis=1), 1.0, rtol=1e-6)
    sizes = workloads.ragged_sizes(64, 500)
    assert abs(sum(sizes) - 64 * 500) < 64
    assert min(sizes) < 400 < 600 < max(sizes)


def test_what_is_published_must_be_at_hand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRAPHOPT_DATA", str(tmp_path))
    monkeypatch.setenv("GRAPHOPT_CACHE", str(tmp_path))
    workloads.forget()
    assert workloads.published("cora") is None
    _, source = workloads.like("cora", workloads.CORA, 1.0)
    assert source()[1] == "synthetic"
    workloads.forget()


def test_threads_are_set_and_restored() -> None:
    import graphopt
    from benchmarks.race.peers import threads_for_all

    before, graphopt_before = torch.get_num_threads(), graphopt.get_num_threads()
    with threads_for_all(before + 1):
        assert torch.get_num_threads() == graphopt.get_num_threads() == before + 1
    assert (torch.get_num_threads(), graphopt.get_num_threads()) == (before, graphopt_before)
