"""The first of those between which trials cannot tell."""

import numpy as np
import pytest

from graphopt._selection import first_of_the_best


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([(0.5, 0.5), (0.4, 0.4)], 0),
        ([(0.4, 0.4), (0.5, 0.5)], 1),
        ([(0.4, 0.6), (0.5, 0.52)], 0),  # 0.01 behind, and cannot be told apart
        ([(0.4,), (0.41,)], 1),  # of one split there is no error
        ([(0.5, 0.5), (0.5, 0.5)], 0),
    ],
    ids=["best first", "best last", "within an error", "one split", "tie"],
)
def test_the_first_of_the_best_wins(values: list[tuple[float, ...]], first: int) -> None:
    assert first_of_the_best(np.array(values)) == first


def test_trials_on_the_same_data_are_less_sure() -> None:
    values = np.array([(0.4, 0.44, 0.42), (0.45, 0.46, 0.44)])
    assert first_of_the_best(values) == 1
    assert first_of_the_best(values, hidden_per_kept=3.0) == 0
