"""How many threads a kernel uses: argument, setting, environment, processors, in this order."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import threadpoolctl

import graphopt
from graphopt import _threads
from graphopt._native import _core


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(_core, "openmp_max_threads", lambda: 0)  # as if none were loaded
    yield
    graphopt.set_num_threads(None)


def test_the_order_of_the_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "_usable_processors", lambda: 5)
    assert graphopt.get_num_threads() == 5
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert graphopt.get_num_threads() == 3
    graphopt.set_num_threads(7)
    assert graphopt.get_num_threads() == _threads.resolve_num_threads(None) == 7
    assert _threads.resolve_num_threads(2) == 2
    graphopt.set_num_threads(None)
    assert graphopt.get_num_threads() == 3


@pytest.mark.parametrize(("in_runtime", "expected"), [(2, 2), (9, 5), (0, 5)])
def test_the_loaded_runtime_limits_the_threads(
    monkeypatch: pytest.MonkeyPatch, in_runtime: int, expected: int
) -> None:
    monkeypatch.setattr(_threads, "_usable_processors", lambda: 5)
    monkeypatch.setattr(_core, "openmp_max_threads", lambda: in_runtime)
    assert graphopt.get_num_threads() == expected


@pytest.mark.parametrize("user_api", [None, "openmp"])
def test_threadpoolctl_limits_the_threads(
    monkeypatch: pytest.MonkeyPatch, user_api: str | None
) -> None:
    monkeypatch.setattr(_threads, "_usable_processors", lambda: 5)
    with threadpoolctl.threadpool_limits(3, user_api=user_api):
        assert graphopt.get_num_threads() == 3
        with threadpoolctl.threadpool_limits(1, user_api=user_api):
            assert graphopt.get_num_threads() == 1
        assert graphopt.get_num_threads() == 3
        graphopt.set_num_threads(4)  # said by the user
        assert graphopt.get_num_threads() == 4
        graphopt.set_num_threads(None)
    assert graphopt.get_num_threads() == 5
    with threadpoolctl.threadpool_limits(1, user_api="blas"):
        assert graphopt.get_num_threads() == 5


def test_the_number_of_threads_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "_usable_processors", lambda: 5)
    with _threads.kept_threads():
        monkeypatch.setattr(_core, "openmp_max_threads", lambda: 1)
        with _threads.kept_threads():
            assert graphopt.get_num_threads() == 5
        assert graphopt.get_num_threads() == 5
        graphopt.set_num_threads(3)  # said by the user
        assert graphopt.get_num_threads() == 3
        graphopt.set_num_threads(None)
    assert graphopt.get_num_threads() == 1


def test_threadpoolctl_shows_the_kernels() -> None:
    (shown,) = [
        library
        for library in threadpoolctl.threadpool_info()
        if library["internal_api"] == "graphopt"
    ]
    assert shown["user_api"] == "openmp"
    assert shown["num_threads"] == graphopt.get_num_threads()


@pytest.mark.parametrize("text", ["", "0", "-2", "many", "1.5", " ", "²", "1e3"])
def test_a_senseless_environment_is_ignored(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(_threads, "_usable_processors", lambda: 5)
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert graphopt.get_num_threads() == 5


@pytest.mark.parametrize(
    ("text", "expected"),
    [("4", 4), ("4,2", 4), (" 6 ", 6), ("2147483648", 2**31 - 1), ("9" * 5000, 2**31 - 1)],
)
def test_the_environment_may_list_levels(
    monkeypatch: pytest.MonkeyPatch, text: str, expected: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    assert graphopt.get_num_threads() == expected


def test_the_environment_of_a_new_process() -> None:
    program = "import graphopt; print(graphopt.get_num_threads())"
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "OMP_NUM_THREADS": "3"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == "3"


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (0, ValueError, "num_threads must be at least 1, not 0"),
        (-1, ValueError, "num_threads must be at least 1, not -1"),
        (2**31, ValueError, "num_threads must be at most 2147483647, not 2147483648"),
        (2**64, ValueError, "num_threads must be at most 2147483647, not 18446744073709551616"),
        (10**400, ValueError, "num_threads must be at most 2147483647, not an integer of about"),
        (2.0, TypeError, "num_threads must be an integer, not float"),
        (True, TypeError, "num_threads must be an integer, not True"),
        ("2", TypeError, "num_threads must be an integer, not str"),
    ],
)
def test_bad_numbers_are_refused(value: object, error: type, message: str) -> None:
    with pytest.raises(error, match=message):
        graphopt.set_num_threads(value)  # type: ignore[arg-type]
    if value is not None:
        with pytest.raises(error, match=message):
            _threads.resolve_num_threads(value)  # type: ignore[arg-type]
    assert _threads._chosen is None


# --- control groups -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("max 100000\n", None),
        ("200000 100000\n", 2),
        ("250000 100000\n", 2),
        ("50000 100000\n", 1),
        ("100000 0\n", None),
        ("nonsense\n", None),
        ("", None),
    ],
)
def test_the_quota_of_version_two(tmp_path: Path, text: str, expected: int | None) -> None:
    (tmp_path / "cpu.max").write_text(text)
    assert _threads._cgroup_quota(tmp_path) == expected


@pytest.mark.parametrize(("quota", "expected"), [("-1", None), ("300000", 3), ("10", 1)])
def test_the_quota_of_version_one(tmp_path: Path, quota: str, expected: int | None) -> None:
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text(quota + "\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert _threads._cgroup_quota(tmp_path) == expected


def test_no_control_group(tmp_path: Path) -> None:
    assert _threads._cgroup_quota(tmp_path / "absent") is None


@pytest.mark.parametrize(("quota", "expected"), [(None, 6), (2, 2), (64, 6)])
def test_the_quota_limits_the_processors(
    monkeypatch: pytest.MonkeyPatch, quota: int | None, expected: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(6)), raising=False)
    monkeypatch.setattr(_threads, "_cgroup_quota", lambda: quota)
    assert _threads._usable_processors() == expected
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert _threads._usable_processors() == expected
