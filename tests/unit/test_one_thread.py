"""One thread for torch and BLAS while an estimator learns, and what is found out about a fault."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info
from torch import Tensor
from torch_operations import first_difference

from graphopt import ClusterNet, Graph
from graphopt.learning.one_thread import one_thread
from graphopt.nn.losses import ModularityLoss


def in_another_thread(function: Callable[[], Any]) -> Any:
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def blas_threads() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def three_torch_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


def test_torch_and_blas_have_one_thread_and_then_what_they_had() -> None:
    before = blas_threads()
    with one_thread():
        assert torch.get_num_threads() == 1
        assert blas_threads() == {1}
        with one_thread():
            assert torch.get_num_threads() == 1
        assert blas_threads() == {1}
    assert torch.get_num_threads() == 3
    assert blas_threads() == before


def test_an_exception_leaves_the_settings_as_they_were() -> None:
    before = blas_threads()
    with pytest.raises(RuntimeError, match="stop"), one_thread():
        raise RuntimeError("stop")
    assert torch.get_num_threads() == 3
    assert blas_threads() == before


def test_other_threads_keep_torchs_setting() -> None:
    begun, inside, over = (threading.Event() for _ in range(3))
    seen: list[int] = []

    def other() -> None:
        torch.get_num_threads()  # without a look, torch forgets what is set next
        torch.set_num_threads(2)
        begun.set()
        inside.wait()
        seen.append(torch.get_num_threads())
        over.wait()
        seen.append(torch.get_num_threads())

    thread = threading.Thread(target=other)
    thread.start()
    try:
        begun.wait()
        torch.set_num_threads(3)
        with one_thread():
            assert in_another_thread(torch.get_num_threads) == 3
            inside.set()
        assert in_another_thread(torch.get_num_threads) == 3
    finally:
        inside.set()
        over.set()
        thread.join()
    assert seen == [2, 2]


def test_the_last_of_overlapping_callers_gives_blas_its_threads_back() -> None:
    before = blas_threads()
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with one_thread():
            entered.set()
            leave.wait()

    thread = threading.Thread(target=other)
    try:
        with one_thread():
            thread.start()
            entered.wait()
        assert blas_threads() == {1}
    finally:
        leave.set()
        thread.join()
    assert blas_threads() == before


def test_an_objective_of_ones_own_is_computed_on_one_thread() -> None:
    seen = set()

    class Watching(ModularityLoss):
        def loss(self, decision: Tensor, problem: Any) -> Tensor:
            seen.add(torch.get_num_threads())
            return super().loss(decision, problem)

    graph = Graph.from_edges([(0, 1), (1, 2), (0, 2), (2, 3), (3, 4), (4, 5), (3, 5)])
    ClusterNet(2, Watching(), iterations=2, n_restarts=1, random_state=0).fit(graph)
    assert seen == {1}
    assert torch.get_num_threads() == 3


# --- naming what breaks the promise ---------------------------------------------------------------

library = torch.library.Library("graphopt_tests", "DEF")
library.define("threads_added(Tensor x) -> Tensor")
library.impl("threads_added", lambda x: x + torch.get_num_threads(), "CPU")


def at(n_threads: int, compute: Callable[[Tensor], Tensor]) -> Callable[[], Tensor]:
    def run() -> Tensor:
        torch.set_num_threads(n_threads)
        return compute(torch.arange(5.0))

    return run


def test_the_operation_is_named_whose_bits_differ_first() -> None:
    def compute(x: Tensor) -> Tensor:
        added: Tensor = torch.ops.graphopt_tests.threads_added(x * 2.0)
        return added.sum()

    said = first_difference(at(1, compute), at(2, compute))
    assert "torch operation graphopt_tests::threads_added" in said


def test_an_operation_of_the_backward_pass_is_named() -> None:
    class Odd(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Tensor) -> Tensor:
            return x * 2.0

        @staticmethod
        def backward(ctx: Any, upstream: Tensor) -> Tensor:
            result: Tensor = torch.ops.graphopt_tests.threads_added(upstream)
            return result

    def compute(x: Tensor) -> Tensor:
        x.requires_grad_()
        Odd.apply(x).sum().backward()
        assert x.grad is not None
        return x.grad

    said = first_difference(at(1, compute), at(2, compute))
    assert "torch operation graphopt_tests::threads_added" in said


def test_what_is_not_torchs_is_not_blamed_on_torch() -> None:
    def compute(x: Tensor) -> Tensor:
        factor = np.array([torch.get_num_threads()], np.float32)
        return (x * 2.0) * torch.from_numpy(factor)

    said = first_difference(at(1, compute), at(2, compute))
    assert "no torch operation: what differs arises between" in said
    assert "aten::mul" in said
