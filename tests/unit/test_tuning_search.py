"""The search: what it proposes, what it keeps, and how it goes on after losses."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState, create_trial
from tuning_fakes import SPACE, Fake, value

from graphopt.errors import GraphoptError
from graphopt.tuning import (
    Findings,
    Params,
    Search,
    Space,
    as_code,
    default_space,
    findings,
    propose,
)
from graphopt.tuning.proposals import SAMPLERS, distributions

PUBLISHED = dict(SPACE.landmarks[0].params)


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path / "log")


def search(
    folder: Path, evaluation: Any, trials: int, *, jobs: int = 1, **settings: Any
) -> Findings:
    space = settings.pop("space", SPACE)
    with Search(
        evaluation, space, folder / "tune.sqlite", "study", trials=trials, **settings
    ) as running:
        assert running.run(jobs=jobs) is False
        return findings(running)


def asked(evaluation: Fake) -> list[str]:
    """Return the settings that were evaluated, in order."""
    return [line.split(maxsplit=1)[1] for line in evaluation.log.read_text().splitlines()]


def history(*points: Params) -> list[Any]:
    return [
        create_trial(params=p, distributions=distributions(SPACE), value=value(p)) for p in points
    ]


# --- proposals ------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_proposals_visit_the_whole_grid_once_and_the_published_choice_first(sampler: str) -> None:
    points: list[Params] = []
    while True:
        point = propose(SPACE, history(*points), sampler=sampler, seed=0, greater_is_better=True)
        if point is None:
            break
        points.append(point)
    assert len(points) == SPACE.size
    assert len({tuple(point.items()) for point in points}) == SPACE.size
    assert points[0] == PUBLISHED
    if sampler == "grid":
        rest = [SPACE.point(i) for i in range(SPACE.size)]
        assert points[1:] == [point for point in rest if point != PUBLISHED]


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("n", [3, 12])
def test_proposals_are_repeatable(sampler: str, n: int) -> None:
    past = history(*(SPACE.point(i) for i in range(n)))
    once, again = (
        propose(SPACE, past, sampler=sampler, seed=3, greater_is_better=True) for _ in range(2)
    )
    assert once == again is not None


def test_another_seed_gives_another_random_order() -> None:
    past = history(PUBLISHED)
    found = {
        tuple(
            (
                propose(SPACE, past, sampler="random", seed=seed, greater_is_better=True) or {}
            ).items()
        )
        for seed in range(8)
    }
    assert len(found) > 1


def test_tpe_learns() -> None:
    space = Space("wide", {"a": tuple(range(10)), "b": tuple(range(10))}, (10,), 10, 10, ())

    def trial(point: Params) -> Any:
        return create_trial(
            params=point, distributions=distributions(space), value=float(point["a"])
        )

    # b is 0 in all of them, so that no point with another b was tried.
    past = [trial({"a": a, "b": 0}) for a in range(10)] + [trial({"a": 9, "b": 1})]
    high, low = (
        [
            (propose(space, past, sampler="tpe", seed=s, greater_is_better=greater) or {})["a"]
            for s in range(12)
        ]
        for greater in (True, False)
    )
    assert sum(high) > sum(low)


def test_an_unknown_sampler_is_refused() -> None:
    with pytest.raises(ValueError, match="sampler must be"):
        propose(SPACE, [], sampler="best", seed=0, greater_is_better=True)


# --- a study on disk ------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_search_goes_on_where_it_was(tmp_path: Path, sampler: str) -> None:
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    for folder in (unbroken, broken):
        folder.mkdir()
    whole = Fake(unbroken / "log")
    search(unbroken, whole, 14, sampler=sampler, prune=False)
    parts = Fake(broken / "log")
    first = search(broken, parts, 3, sampler=sampler, prune=False)
    assert len(first.tried) == 3
    assert len(search(broken, parts, 3, sampler=sampler, prune=False).tried) == 3
    assert len(search(broken, parts, 14, sampler=sampler, prune=False).tried) == 14
    assert asked(parts) == asked(whole)
    assert len(set(asked(whole))) == 14


def test_a_search_ends_when_all_was_tried(tmp_path: Path, fake: Fake) -> None:
    found = search(tmp_path, fake, 1000, sampler="grid", prune=False)
    assert len(found.tried) == SPACE.size
    best = found.tried[0]
    assert best.params == {"a": 3, "b": 0.5, "c": True}
    assert (best.score, best.iterations) == (8.25, 20)
    (published,) = found.landmarks
    assert (published.rank, published.of) == (4, SPACE.size)
    assert published.score == value(PUBLISHED)


def test_lower_can_be_better(tmp_path: Path, fake: Fake) -> None:
    found = search(
        tmp_path, replace(fake, greater_is_better=False), 1000, sampler="grid", prune=False
    )
    best = found.tried[0]
    assert (best.params, best.score) == ({"a": 0, "b": 0.0, "c": False}, 0.0)
    half = found.tried[-1]  # half of the score at half of the length, so that counts
    assert (half.params, half.score, half.iterations) == (
        {"a": 3, "b": 0.5, "c": True},
        4.125,
        10,
    )
    # Published: 7 after its 20 steps; nobody's best is above 4.125.
    assert (found.landmarks[0].score, found.landmarks[0].rank) == (7.0, SPACE.size)


def test_poor_settings_are_cut_short_but_not_the_published_one(tmp_path: Path, fake: Fake) -> None:
    (landmark,) = SPACE.landmarks
    worst: Params = {"a": 0, "b": 0.0, "c": False}
    space = replace(SPACE, landmarks=(replace(landmark, params=worst),))
    found = search(tmp_path, fake, SPACE.size, sampler="random", space=space)
    assert found.n_pruned > 0
    assert len(found.tried) + found.n_pruned == SPACE.size
    (published,) = found.landmarks
    # Those cut short were better too.
    assert (published.score, published.rank, published.of) == (0.0, SPACE.size, SPACE.size)


def test_the_published_choice_is_added_to_a_study_that_lacks_it(tmp_path: Path, fake: Fake) -> None:
    bare = replace(SPACE, landmarks=())
    assert search(tmp_path, fake, 3, space=bare, sampler="grid").landmarks == []
    found = search(tmp_path, fake, 4, sampler="grid")
    assert [standing.params for standing in found.landmarks] == [PUBLISHED]
    assert asked(fake)[-1] == "2 0.5 False"


def test_studies_of_other_protocols_do_not_mix(tmp_path: Path, fake: Fake) -> None:
    search(tmp_path, fake, 1)
    with pytest.raises(GraphoptError, match="was made with another k; choose another name"):
        search(tmp_path, replace(fake, k=4), 2)
    assert len(search(tmp_path, fake, 2).tried) == 2


def test_a_study_of_somebody_else_is_left_alone(tmp_path: Path, fake: Fake) -> None:
    url = f"sqlite:///{tmp_path / 'tune.sqlite'}"
    study = optuna.create_study(storage=url, study_name="study", direction="maximize")
    study.add_trial(history(PUBLISHED)[0])
    with pytest.raises(ValueError, match="belongs to another program, and nothing was written"):
        search(tmp_path, fake, 2)


def test_a_study_of_somebody_else_in_our_file_is_left_alone(tmp_path: Path, fake: Fake) -> None:
    search(tmp_path, fake, 1)
    url = f"sqlite:///{tmp_path / 'tune.sqlite'}"
    study = optuna.create_study(storage=url, study_name="theirs", direction="maximize")
    study.add_trial(history(PUBLISHED)[0])
    with (
        pytest.raises(GraphoptError, match="another graph, k, space, task"),
        Search(fake, SPACE, tmp_path / "tune.sqlite", "theirs", trials=2),
    ):
        pass


def test_two_studies_share_a_file(tmp_path: Path, fake: Fake) -> None:
    for name in ("one", "two"):
        with Search(fake, SPACE, tmp_path / "tune.sqlite", name, trials=2) as running:
            running.run()
            assert len(findings(running).tried) == 2


def test_what_is_no_database_is_refused(tmp_path: Path, fake: Fake) -> None:
    (tmp_path / "tune.sqlite").write_text("words " * 1000)
    with pytest.raises(GraphoptError, match="is damaged or something else: file is not a data"):
        search(tmp_path, fake, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["tune.sqlite"]
    with pytest.raises(ValueError, match="storage must be in a folder that exists"):
        search(tmp_path / "nowhere", fake, 1)


def test_impossible_numbers_are_refused(tmp_path: Path, fake: Fake) -> None:
    with pytest.raises(ValueError, match="trials must be at least 1"):
        search(tmp_path, fake, 0)
    with pytest.raises(ValueError, match="jobs must be at least 1"):
        search(tmp_path, fake, 1, jobs=0)


# --- failures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_setting_that_fails_does_not_end_the_search(
    tmp_path: Path, fake: Fake, jobs: int
) -> None:
    found = search(
        tmp_path, replace(fake, wrong=(0,)), SPACE.size, sampler="grid", jobs=jobs, prune=False
    )
    assert (len(found.tried), found.n_failed) == (12, 4)
    assert len(asked(fake)) == SPACE.size


@pytest.mark.parametrize("trials", [2, 10])
def test_a_search_in_which_everything_fails_says_why(
    tmp_path: Path, fake: Fake, trials: int
) -> None:
    everything = replace(fake, wrong=(0, 1, 2, 3))
    with pytest.raises(GraphoptError, match="settings failed; the last said: ValueError: a must"):
        search(tmp_path, everything, trials)
    assert len(asked(fake)) <= 3


def test_ctrl_c_puts_back_what_was_running(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(self: Search, trial: Any, step: int, score: float) -> bool:
        if trial.params == PUBLISHED:
            return False
        raise KeyboardInterrupt

    with Search(fake, SPACE, tmp_path / "tune.sqlite", "study", trials=4) as running:
        with monkeypatch.context() as patch:
            patch.setattr(Search, "should_stop", interrupted)
            assert running.run() is True
        assert findings(running).n_lost == 1
    found = search(tmp_path, fake, 4)
    assert len(found.tried) == 4
    assert "RUNNING" not in states(tmp_path)


def test_ctrl_c_puts_back_what_workers_were_at(tmp_path: Path, fake: Fake) -> None:
    def interrupt(trial: Any) -> None:
        raise KeyboardInterrupt

    stuck = replace(fake, company=2, finishes=2)
    with Search(stuck, SPACE, tmp_path / "tune.sqlite", "study", trials=4) as running:
        assert running.run(jobs=2, notify=interrupt) is True
        assert "RUNNING" not in states(tmp_path)
    assert len(search(tmp_path, fake, 4).tried) == 4


def states(folder: Path) -> list[str]:
    with sqlite3.connect(folder / "tune.sqlite") as connection:
        rows = connection.execute("select state from trials order by number").fetchall()
    connection.close()
    return [row[0] for row in rows]


# --- several processes ----------------------------------------------------------------------------


def test_two_workers_share_a_study(tmp_path: Path, fake: Fake) -> None:
    found = search(tmp_path, replace(fake, company=2), 8, jobs=2, sampler="grid", prune=False)
    assert len(found.tried) == 8
    assert len(set(asked(fake))) == len(asked(fake)) == 8
    workers = {line.split()[0] for line in fake.log.read_text().splitlines()}
    assert len(workers) == 2


def test_a_killed_worker_is_replaced_and_its_setting_tried_again(
    tmp_path: Path, fake: Fake
) -> None:
    kills = tmp_path / "kills"
    kills.write_text("1")
    deadly = replace(fake, kills=kills)
    found = search(tmp_path, deadly, SPACE.size, jobs=2, sampler="grid", prune=False)
    assert len(found.tried) == SPACE.size
    assert (found.n_lost, found.n_failed) == (1, 0)
    assert len(asked(fake)) == SPACE.size + 1


def test_a_setting_that_kills_every_worker_is_given_up(tmp_path: Path, fake: Fake) -> None:
    kills = tmp_path / "kills"
    kills.write_text("1000")
    (landmark,) = SPACE.landmarks
    space = replace(SPACE, choices={"a": (2, 3), "b": (0.5,), "c": (False,)}, landmarks=(landmark,))
    found = search(tmp_path, replace(fake, kills=kills), 2, jobs=2, space=space)
    assert (len(found.tried), found.n_lost, found.n_failed) == (1, 2, 1)
    assert sum(line.startswith("3") for line in asked(fake)) == 3


def test_what_a_killed_search_was_at_is_tried_again(tmp_path: Path, fake: Fake) -> None:
    """No process has begun the trial, so no heartbeat is needed to see that it was lost."""
    with Search(fake, SPACE, tmp_path / "tune.sqlite", "study", trials=3) as running:
        running.study.enqueue_trial(PUBLISHED)
        with pytest.warns(UserWarning, match="Heartbeat"):
            assert running.study.ask().number == 0
    assert states(tmp_path) == ["RUNNING"]
    found = search(tmp_path, fake, 3)
    assert (len(found.tried), found.n_lost) == (3, 1)
    assert found.landmarks[0].params == PUBLISHED
    assert states(tmp_path) == ["FAIL", "COMPLETE", "COMPLETE", "COMPLETE"]


def test_no_setting_is_dropped_however_often_it_is_interrupted(tmp_path: Path, fake: Fake) -> None:
    def interrupt(params: Any, report: Any) -> Any:
        raise KeyboardInterrupt

    class Impatient(Fake):
        __call__ = staticmethod(interrupt)

    for _ in range(5):
        impatient = Impatient(fake.log)
        with Search(impatient, SPACE, tmp_path / "tune.sqlite", "study", trials=3) as running:
            assert running.run() is True
    found = search(tmp_path, fake, 3)
    assert (len(found.tried), found.n_lost, found.n_failed) == (3, 5, 0)
    assert found.landmarks[0].params == PUBLISHED


# --- findings -------------------------------------------------------------------------------------


def test_importances_tell_what_matters(tmp_path: Path, fake: Fake) -> None:
    assert search(tmp_path, fake, 1, prune=False).importances is None
    found = search(tmp_path, fake, SPACE.size, prune=False)
    assert found.importances is not None
    assert list(found.importances) == ["b", "a", "c"]
    assert sum(found.importances.values()) == pytest.approx(1.0)


@pytest.mark.parametrize(
    "space",
    [
        default_space("facility"),
        default_space("community"),
        default_space("community", "inductive"),
    ],
    ids=["facility", "community", "inductive"],
)
def test_the_code_for_a_setting_makes_its_estimator(space: Space) -> None:
    from graphopt.learning import ClusterNet, Recipe

    for landmark in space.landmarks:
        code = as_code(space, landmark.params, landmark.iterations, 7)
        names: dict[str, Any] = {"ClusterNet": ClusterNet, "Recipe": Recipe, "seen_fraction": 0.4}
        model = eval(code, names)
        assert model.n_clusters == 7
        words = space.estimator_params(landmark.params, landmark.iterations, 0.4)
        assert {name: getattr(model, name) for name in words} == words


def test_without_optuna_the_way_to_get_it_is_told(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(GraphoptError, match=r"pip install 'graphopt\[tune\]'"):
        search(tmp_path, fake, 1)


def test_optuna_s_own_notes_are_silent_only_here(
    tmp_path: Path, fake: Fake, capfd: pytest.CaptureFixture[str]
) -> None:
    before = optuna.logging.get_verbosity()
    told: list[TrialState] = []
    notify: Callable[[Any], None] = lambda trial: told.append(trial.state)  # noqa: E731
    with Search(fake, SPACE, tmp_path / "tune.sqlite", "study", trials=2) as running:
        running.run(notify=notify)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr().err == ""
    assert told == [TrialState.COMPLETE] * 2
