"""Files of fitted estimators: parameters, network and decision, without code."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch

from graphopt._escaping import quoted
from graphopt._validation import check_integer, check_number
from graphopt.completion import Completion
from graphopt.errors import DamagedFileError
from graphopt.learning import container, first_format
from graphopt.learning.completing import feature_neighbours
from graphopt.learning.recipes import Recipe
from graphopt.learning.trainer import kmeans_updates, set_kmeans_updates
from graphopt.nn.losses import Loss

if TYPE_CHECKING:
    from graphopt.learning.base import DecisionEstimator

    Estimator = TypeVar("Estimator", bound=DecisionEstimator)

_ENTRIES = {
    "estimator", "params", "own", "recipe", "expects_edges", "n_features", "n_inputs",
    "kmeans_updates", "network", "arrays", "training_value", "interrupted",
}  # fmt: skip
_LATER = {"n_inputs", "expects_edges"}  # entries that the oldest files of the first format lack
_PARTS = ("network", "arrays")  # tables of arrays, in the file under names with a prefix
_OWN = ("objective", "completion")
_MOST_UPDATES = 2**31 - 1


def save(model: DecisionEstimator, path: str | Path) -> None:
    """Write a fitted estimator; see :meth:`DecisionEstimator.save`."""
    params = {name: _plain(value) for name, value in model.get_params().items()}
    own = [name for name in _OWN if _is_own(params[name])]
    recipe = model._trained_by
    params |= dict.fromkeys(["recipe", *own])
    if isinstance(params["random_state"], np.random.Generator):
        params["random_state"] = None
    settings = {
        "estimator": type(model).__name__,
        "params": params,
        "own": own,
        "recipe": {f.name: _plain(getattr(recipe, f.name)) for f in fields(Recipe)},
        "expects_edges": model.completion_ is not None,
        "n_features": model._n_features,
        "n_inputs": model._n_inputs,
        "kmeans_updates": kmeans_updates(model.network_),
        "training_value": model.training_value_,
        "interrupted": model.interrupted_,
    }
    network = {name: tensor.numpy() for name, tensor in model.network_.state_dict().items()}
    published = {name: getattr(model, name) for name in _published(model) if hasattr(model, name)}
    parts = zip(_PARTS, (network, published), strict=True)
    arrays = {f"{part}/{name}": array for part, table in parts for name, array in table.items()}
    container.write(path, settings, arrays)


def load(
    cls: type[Estimator],
    path: str | Path,
    *,
    objective: Loss | None,
    completion: Completion | None,
) -> Estimator:
    """Read a fitted estimator of class `cls`; see :meth:`DecisionEstimator.load`."""
    saved = _contents(path)
    if saved["estimator"] != cls.__name__:
        raise ValueError(
            f"{path} does not hold a {cls.__name__}, but a {quoted(str(saved['estimator']))}"
        )
    given = {"objective": objective, "completion": completion}
    own = {name: thing for name, thing in given.items() if thing is not None}
    missing = [name for name in _OWN if name in saved["own"] and name not in own]
    if missing:
        raise ValueError(f"{path} was saved with your own {' and '.join(missing)}; pass it to load")
    try:
        return _restored(cls, saved, own)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RuntimeError) as error:
        reason = quoted(f"{type(error).__name__}: {error}")
        raise DamagedFileError(f"{path} does not hold a {cls.__name__}: {reason}") from error


def _restored(cls: type[Estimator], saved: dict[str, Any], own: dict[str, Any]) -> Estimator:
    recipe = _recipe(saved["recipe"])
    known = inspect.signature(cls.__init__).parameters
    unknown = [name for name in saved["params"] if name not in known]
    if unknown:
        raise ValueError(f"{unknown[0]!r} is not a parameter")
    model = cls(**{**saved["params"], "recipe": recipe, **own})
    check_integer("n_clusters", model.n_clusters, minimum=1)
    check_number("seen_fraction", model.seen_fraction, minimum=0.0, maximum=1.0)
    objective = model._objective()
    model.completion_ = own.get("completion")
    if model.completion_ is None and _expects_edges(model, saved):
        model.completion_ = feature_neighbours(model.seen_fraction)
    model._trained_by = recipe
    model._n_features = saved["n_features"]
    if model._n_features is not None:
        check_integer("n_features", model._n_features, minimum=0)
    if "n_inputs" in saved:
        model._n_inputs = check_integer("n_inputs", saved["n_inputs"], minimum=0)
    else:  # written when there was one encoder
        model._n_inputs = saved["network"]["encoder.hidden_weight"].shape[0]
    with torch.device("meta"):  # nothing is allocated for what the file may not hold
        network = model._network(model._n_inputs, objective, recipe)
    network.load_state_dict(_state(network, saved["network"]), assign=True)
    updates = check_integer(
        "kmeans_updates", saved["kmeans_updates"], minimum=0, maximum=_MOST_UPDATES
    )
    set_kmeans_updates(network, updates)
    model.network_ = network.eval()
    for name, array in saved["arrays"].items():
        if name not in _published(model):
            raise ValueError(f"{name!r} is not a result")
        setattr(model, name, array)
    if hasattr(model, "decision_") and objective.decides == "centers":
        model.centers_ = model.decision_
    _check_results(model)
    model.training_value_ = _number(saved["training_value"])
    if not isinstance(saved["interrupted"], bool):
        raise TypeError("interrupted is not a truth value")
    model.interrupted_ = saved["interrupted"]
    model.runs_ = []
    return model


def _recipe(stored: Mapping[str, Any]) -> Recipe:
    schedule = tuple((share, updates) for share, updates in stored["kmeans_schedule"])
    for share, updates in schedule:
        check_number("kmeans_schedule", share)
        check_integer("kmeans_schedule", updates, minimum=1, maximum=_MOST_UPDATES)
    return Recipe(**{**stored, "kmeans_schedule": schedule})


def _state(network: torch.nn.Module, stored: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Return stored arrays as the state of a network of this shape."""
    wanted = network.state_dict()
    if stored.keys() != wanted.keys():
        raise ValueError("the network has other parameters")
    state = {name: torch.from_numpy(array) for name, array in stored.items()}
    for name, tensor in state.items():
        if tensor.shape != wanted[name].shape or tensor.dtype != wanted[name].dtype:
            raise ValueError(f"{name} of the network has another shape or type")
    return state


def _check_results(model: DecisionEstimator) -> None:
    """Raise unless labels, and centres, are integers in a row."""
    for name in ("labels_", "centers_"):
        array = getattr(model, name, None)
        if array is not None and (array.ndim != 1 or array.dtype.kind not in "iu"):
            raise ValueError(f"{name} does not hold integers in a row")


def _expects_edges(model: DecisionEstimator, saved: dict[str, Any]) -> bool:
    """Return whether a model that was given a word was fitted to expected edges."""
    if "expects_edges" in saved:
        return bool(saved["expects_edges"])
    # Written when the word "auto" meant: wherever that is possible.
    possible = model.seen_fraction < 1.0 and model._objective().uses_expected_edges
    return possible and saved["n_features"] is not None and model.completion is not None


def _contents(path: str | Path) -> dict[str, Any]:
    """Return what a file of either format holds, arrays as arrays."""
    if container.is_container(path):
        saved, arrays = container.read(path)
        saved |= {part: {} for part in _PARTS}
        for name, array in arrays.items():
            part, _, rest = name.partition("/")
            if part not in _PARTS:
                raise DamagedFileError(f"{path} is not a model: it holds {quoted(name)}")
            saved[part][rest] = array
        whole = saved.keys() == _ENTRIES
    else:
        saved = first_format.read(path)
        del saved["format"]
        saved.setdefault("estimator", "ClusterNet")  # written before there was another one
        whole = saved.keys() <= _ENTRIES and saved.keys() >= _ENTRIES - _LATER
    tables = all(isinstance(saved.get(name), dict) for name in ("params", "recipe", *_PARTS))
    if not (whole and tables and isinstance(saved["own"], list)):
        raise DamagedFileError(f"{path} is not a model: entries of it are missing or unknown")
    if not all(isinstance(array, np.ndarray) for part in _PARTS for array in saved[part].values()):
        raise DamagedFileError(f"{path} is not a model: something else stands for an array")
    return saved


def _published(model: DecisionEstimator) -> tuple[str, ...]:
    """Return the attributes that hold results as arrays."""
    return ("labels_", "decision_", *model._outputs)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("the value of the training is not a number")
    return value


def _is_own(value: Any) -> bool:
    return not (value is None or isinstance(value, str))


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers into Python's, which a file that runs no code may hold."""
    if isinstance(value, tuple):
        return tuple(_plain(entry) for entry in value)
    return value.item() if isinstance(value, np.generic) else value
