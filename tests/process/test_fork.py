"""A process forked after the threads have run computes the same, and does not hang."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import warnings

import numpy as np
import pytest
from helpers import random_graph

from graphopt import all_pairs_shortest_paths, greedy_k_center


def result_bytes() -> bytes:
    distances = all_pairs_shortest_paths(random_graph(1500, 6000, 0), num_threads=2)
    lengths = all_pairs_shortest_paths(random_graph(200, 600, 0, weights="float"), num_threads=2)
    centers = greedy_k_center(distances, 5, num_threads=2).centers
    return distances.tobytes() + lengths.tobytes() + centers.astype(np.int64).tobytes()


def send_result(connection: multiprocessing.connection.Connection) -> None:
    connection.send_bytes(result_bytes())
    connection.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_forked_child_computes_the_same() -> None:
    expected = result_bytes()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=send_result, args=(sender,))
    with warnings.catch_warnings():
        # Python 3.12 and later warn of what this test is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    try:
        sender.close()
        assert receiver.poll(None), "the child hangs"
        assert receiver.recv_bytes() == expected
        child.join()
        assert child.exitcode == 0
        assert result_bytes() == expected  # and the parent goes on
    finally:
        child.kill()
        child.join()
        child.close()
