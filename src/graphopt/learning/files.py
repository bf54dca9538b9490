"""Files of fitted estimators: parameters, network and decision, without code."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from graphopt.completion import Completion
from graphopt.learning.completing import feature_neighbours
from graphopt.learning.recipes import Recipe
from graphopt.learning.trainer import kmeans_updates, set_kmeans_updates
from graphopt.objectives import Objective

if TYPE_CHECKING:
    from graphopt.learning.base import DecisionEstimator

    Estimator = TypeVar("Estimator", bound=DecisionEstimator)

_FORMAT = 1


def save(model: DecisionEstimator, path: str | Path) -> None:
    """Write a fitted estimator; see :meth:`DecisionEstimator.save`."""
    params = {name: _plain(value) for name, value in model.get_params().items()}
    own = [name for name in ("objective", "completion") if _is_own(params[name])]
    recipe = model._trained_by
    params |= dict.fromkeys(["recipe", *own])
    if isinstance(params["random_state"], np.random.Generator):
        params["random_state"] = None
    arrays = ("labels_", "decision_", *model._outputs)
    torch.save(
        {
            "format": _FORMAT,
            "estimator": type(model).__name__,
            "params": params,
            "own": own,
            "recipe": {f.name: _plain(getattr(recipe, f.name)) for f in fields(Recipe)},
            "expects_edges": model.completion_ is not None,
            "n_features": model._n_features,
            "n_inputs": model._n_inputs,
            "kmeans_updates": kmeans_updates(model.network_),
            "network": model.network_.state_dict(),
            "arrays": {
                name: torch.from_numpy(getattr(model, name))
                for name in arrays
                if hasattr(model, name)
            },
            "training_value": model.training_value_,
            "interrupted": model.interrupted_,
        },
        path,
    )


def load(
    cls: type[Estimator],
    path: str | Path,
    *,
    objective: Objective | None,
    completion: Completion | None,
) -> Estimator:
    """Read a fitted estimator of class `cls`; see :meth:`DecisionEstimator.load`."""
    saved = _contents(path)
    if saved is None or saved.get("estimator", "ClusterNet") != cls.__name__:
        raise ValueError(f"{path} does not hold a {cls.__name__} of format {_FORMAT}")
    given = {"objective": objective, "completion": completion}
    own = {name: thing for name, thing in given.items() if thing is not None}
    missing = [name for name in saved["own"] if name not in own]
    if missing:
        raise ValueError(f"{path} was saved with your own {' and '.join(missing)}; pass it to load")
    recipe = Recipe(**saved["recipe"])
    model = cls(**{**saved["params"], "recipe": recipe, **own})
    model.completion_ = completion
    if completion is None and _expects_edges(model, saved):
        model.completion_ = feature_neighbours(model.seen_fraction)
    model._trained_by = recipe
    model._n_features = saved["n_features"]
    if "n_inputs" in saved:
        model._n_inputs = saved["n_inputs"]
    else:  # written when there was one encoder
        model._n_inputs = saved["network"]["encoder.hidden_weight"].shape[0]
    network = model._network(model._n_inputs, model._objective(), recipe)
    network.load_state_dict(saved["network"])
    set_kmeans_updates(network, saved["kmeans_updates"])
    model.network_ = network.eval()
    for name, tensor in saved["arrays"].items():
        setattr(model, name, tensor.numpy())
    if hasattr(model, "decision_") and model._objective().decides == "centers":
        model.centers_ = model.decision_
    model.training_value_, model.interrupted_ = saved["training_value"], saved["interrupted"]
    model.runs_ = []
    return model


def _expects_edges(model: DecisionEstimator, saved: dict[str, Any]) -> bool:
    """Return whether a model that was given a word was fitted to expected edges."""
    if "expects_edges" in saved:
        return bool(saved["expects_edges"])
    # Written when the word "auto" meant: wherever that is possible.
    possible = model.seen_fraction < 1.0 and model._objective().uses_expected_edges
    return possible and saved["n_features"] is not None and model.completion is not None


def _contents(path: str | Path) -> dict[str, Any] | None:
    """Return what a file of this format holds, None if it is something else."""
    try:
        saved = torch.load(path, weights_only=True)
    except (RuntimeError, EOFError, UnpicklingError):
        return None
    return saved if isinstance(saved, dict) and saved.get("format") == _FORMAT else None


def _is_own(value: Any) -> bool:
    return not (value is None or isinstance(value, str))


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers into Python's, which a file that runs no code may hold."""
    if isinstance(value, tuple):
        return tuple(_plain(entry) for entry in value)
    return value.item() if isinstance(value, np.generic) else value
