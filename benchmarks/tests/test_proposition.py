"""Proposition 1, measured: what holds, where the printed bound fails, what the picture shows."""

from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.paper.proposition import measurement
from benchmarks.paper.proposition.measurement import (
    counter_example,
    measure_proposition,
    separated_rows,
)
from benchmarks.paper.proposition.picture import plot_proposition
from benchmarks.paper.proposition.rows import PropositionRow, summarize_proposition
from graphopt.datasets import Dataset, synthetic
from tests.reference import soft_kmeans as reference


@pytest.fixture(scope="module")
def data() -> Dataset:
    return synthetic(80, features="attributes", random_state=0)


@pytest.fixture(scope="module")
def rows(data: Dataset) -> list[PropositionRow]:
    return measure_proposition(data, quick=True)


def of(rows: list[PropositionRow], source: str) -> list[PropositionRow]:
    return [row for row in rows if row.source.startswith(source)]


def test_rows_say_where_they_come_from(rows):
    assert {field.name for field in fields(PropositionRow)} >= {
        "source", "step", "temperature", "margin", "mass", "holds", "left", "left_of_inverse",
        "printed_bound", "corrected_step", "corrected_bound", "assignment_bound",
    }  # fmt: skip
    training = of(rows, "training on synthetic")
    assert [row.step for row in training] == [0, 10, 30, 60]
    assert {row.temperature for row in training} == {30.0}
    for source in ("separated rows, noise 0.02", "separated rows, noise 0.08", "counter-example"):
        constructed = of(rows, source)
        assert [row.temperature for row in constructed] == [4, 6, 10, 20]
        for row in constructed:
            assert row.step is None
            assert row.residual < 1e-12  # a fixed point
    for row in rows:
        assert math.isfinite(row.left)
        assert 0.0 < row.mass <= 1.0 / row.n_clusters + 1e-12


def test_the_corrected_bound_always_holds(rows):
    for row in rows:
        assert row.left <= row.assignment_bound <= row.corrected_step
        assert row.left_of_inverse <= row.corrected_bound
    assert all(summary.n_above_corrected == 0 for summary in summarize_proposition(rows))


def test_bounds_are_the_formulas(rows):
    for row in rows:
        scale = 2 * row.n_clusters**2 * row.temperature / row.mass
        step = scale * math.exp(-row.temperature * row.margin)
        assert row.printed_step == pytest.approx(step)
        assert row.threshold == pytest.approx(math.log(scale))
        assert row.holds == (step < 1.0)
        # As the paper writes it.
        inside = row.n_clusters**2 * row.temperature * math.exp(-row.temperature * row.margin)
        printed = inside / (row.mass / 2 - inside) if row.holds else math.inf
        assert row.printed_bound == pytest.approx(printed)


def test_separated_rows_fulfil_the_hypothesis_and_both_bounds(rows):
    near, far = (of(rows, f"separated rows, noise {noise}") for noise in (0.08, 0.02))
    assert sum(row.holds for row in near) >= 1
    assert sum(row.holds for row in far) > sum(row.holds for row in near)
    for row in near + far:
        if row.holds:
            assert row.left <= row.printed_bound
    assert [row.left for row in far] == sorted((row.left for row in far), reverse=True)


def test_the_counter_example_exceeds_the_printed_bound(rows):
    promised = [row for row in of(rows, "counter-example") if row.holds]
    assert len(promised) >= 2
    for row in promised:
        assert row.left > row.printed_bound
        assert row.left_of_inverse > row.printed_bound
    (summary,) = summarize_proposition(promised)
    assert summary.n_above_printed == summary.n_holds == len(promised)


def test_the_left_side_is_that_of_the_twin():
    x, start = separated_rows(0.1, random_state=3)
    row = measurement._measured("here", None, x, start, 5.0, None)
    size = start.size
    jacobian = reference.centers_jacobian(x, start, 5.0).reshape(size, size)
    assert row.left == pytest.approx(np.abs(jacobian).sum(axis=0).max())
    inverse = np.linalg.inv(np.eye(size) - jacobian) - np.eye(size)
    assert row.left_of_inverse == pytest.approx(np.abs(inverse).sum(axis=0).max())


def test_constructed_rows_are_of_unit_length_and_prefer_their_own_centre():
    for x, centers in (separated_rows(0.05), counter_example()):
        assert np.allclose(np.linalg.norm(x, axis=1), 1.0)
        assert np.allclose(centers @ centers.T, np.eye(len(centers)), atol=1e-12)
        assert set(np.argmax(x @ centers.T, axis=1).tolist()) == set(range(len(centers)))


def test_looking_does_not_change_the_training(data):
    def rows_at(*checkpoints: int) -> dict[int | None, PropositionRow]:
        sizes = replace(measurement._QUICK, iterations=20, checkpoints=checkpoints)
        found = measurement._along_training(data, sizes, np.random.default_rng(0), None)
        return {row.step: row for row in found}

    once, often = rows_at(20), rows_at(*range(0, 21, 2))
    assert list(often) == list(range(0, 21, 2))
    assert once[20] == often[20] != often[18]


def test_same_rows_for_any_threads(data, rows):
    assert measure_proposition(data, quick=True, num_threads=3) == rows


def test_summaries_can_be_read(rows):
    texts = [str(summary) for summary in summarize_proposition(rows)]
    assert texts[0].startswith("training on synthetic: the hypothesis holds at ")
    assert "times the printed bound, and above it at " in texts[-1]
    assert all(
        text.endswith("times the corrected bound, and above it at 0 places") for text in texts
    )
    assert summarize_proposition([]) == []


def test_the_picture_is_written(rows, tmp_path: Path):
    path = tmp_path / "proposition.png"
    plot_proposition(rows, path)
    assert path.read_bytes()[:4] == b"\x89PNG"
    assert path.stat().st_size > 20_000
    one = tmp_path / "one.svg"
    plot_proposition(rows[:4], one)  # one panel
    assert "<svg" in one.read_text()
    with pytest.raises(ValueError, match="rows must hold at least one row"):
        plot_proposition([], path)


def test_a_set_of_many_graphs_is_refused(monkeypatch):
    monkeypatch.setattr(measurement.datasets, "load", lambda name: name)
    with pytest.raises(ValueError, match="dataset must hold one graph; pubmed_inductive holds"):
        measure_proposition("pubmed_inductive")
