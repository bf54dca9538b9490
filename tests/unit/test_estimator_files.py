"""ClusterNet in files: what they hold, what they cannot hold, which are refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from estimator_cases import QUICK, LargestCut, Planned, described, planted

from graphopt import ClusterNet
from graphopt.learning import Recipe
from graphopt.objectives import FacilityLocation

PUBLISHED = ("labels_", "decision_", "assignment_", "cluster_centers_", "embedding_")


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_files_hold_everything(objective: str, tmp_path: Path) -> None:
    graph, rows = planted(), described()
    recipe = Recipe(iterations=8, smoothing=1, kmeans_schedule=((0.0, 1), (0.5, 3)))
    model = ClusterNet(3, objective, recipe=recipe, seen_fraction=0.5, n_restarts=2, random_state=3)
    model.fit(graph, rows)
    model.save(tmp_path / "model.pt")
    again = ClusterNet.load(str(tmp_path / "model.pt"))
    for name in PUBLISHED:
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
        assert getattr(again, name).dtype == getattr(model, name).dtype
    assert hasattr(again, "centers_") == (objective == "k-center")
    assert again.training_value_ == model.training_value_
    assert again.interrupted_ is False
    assert again.runs_ == []
    assert again.score(graph) == model.score(graph)
    np.testing.assert_array_equal(again.predict(graph, rows), model.predict(graph, rows))
    # The parameters too: a fit of the loaded one is a fit of the saved one.
    assert again.get_params() | {"recipe": None} == model.get_params() | {"recipe": None}
    np.testing.assert_array_equal(again.fit(graph, rows).assignment_, model.assignment_)


def test_files_are_safe_to_read(tmp_path: Path) -> None:
    ClusterNet(3, **QUICK).fit(planted()).save(tmp_path / "model.pt")
    saved = torch.load(tmp_path / "model.pt", weights_only=True)
    assert saved["format"] == 1
    before = torch.get_rng_state()
    ClusterNet.load(tmp_path / "model.pt")
    assert torch.equal(torch.get_rng_state(), before)


def test_numbers_of_numpy_can_be_saved(tmp_path: Path) -> None:
    settings = {**QUICK, "random_state": np.int64(3), "hidden_features": np.int32(7)}
    model = ClusterNet(np.int64(3), seen_fraction=np.float64(0.5), temperature=np.float32(9))
    model.set_params(**settings, recipe=Recipe(kmeans_schedule=((np.float64(0), np.int64(2)),)))
    model.fit(planted(), described()).save(tmp_path / "model.pt")
    again = ClusterNet.load(tmp_path / "model.pt")
    assert again.random_state == 3
    np.testing.assert_array_equal(again.labels_, model.labels_)


def test_generators_are_not_saved(tmp_path: Path) -> None:
    model = ClusterNet(3, **{**QUICK, "random_state": np.random.default_rng(0)}).fit(planted())
    model.save(tmp_path / "model.pt")
    assert ClusterNet.load(tmp_path / "model.pt").random_state is None


def test_own_parts_are_handed_over_again(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    model = ClusterNet(2, LargestCut(), **QUICK, completion=Planned()).fit(planted())
    model.save(file)
    with pytest.raises(ValueError, match="was saved with your own objective and completion; pass"):
        ClusterNet.load(file)
    with pytest.raises(ValueError, match="was saved with your own completion; pass it to load"):
        ClusterNet.load(file, objective=LargestCut())
    again = ClusterNet.load(file, objective=LargestCut(), completion=Planned())
    assert again.score(planted()) == model.score(planted())

    sites = FacilityLocation(3, growth=0.0)
    model = ClusterNet(3, sites, **QUICK).fit(planted())
    model.save(file)
    again = ClusterNet.load(file, objective=sites)
    np.testing.assert_array_equal(again.centers_, model.centers_)
    assert model.objective is sites  # saving changes nothing


def test_other_files_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    file.write_text("what is this?")
    contents = [{"format": 99}, [1, 2], torch.zeros(2)]
    with pytest.raises(ValueError, match=re.escape(f"{file} does not hold a ClusterNet of format")):
        ClusterNet.load(file)
    for content in contents:
        torch.save(content, file)
        with pytest.raises(ValueError, match="does not hold a ClusterNet of format 1"):
            ClusterNet.load(file)
    with pytest.raises(FileNotFoundError):
        ClusterNet.load(tmp_path / "absent.pt")
