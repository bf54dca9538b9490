"""Files of fitted estimators: parameters, network and decision in one file that can run no code.

The layout, numbers little endian::

    "graphopt model"    and a newline and a zero: 16 bytes
    SHA-256             32 bytes, of all that follows
    length              8 bytes, of the header
    header              JSON: "format", "graphopt", "settings", "arrays"
    arrays              one after the other, in the order of the header: in C order, no gaps

The checksum tells a damaged file from a whole one, and nothing that is read is larger than the
file.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import struct
from collections.abc import Mapping, Set
from dataclasses import fields
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from graphopt._escaping import quoted
from graphopt._files import UsersPath, check_path, regular_size, write_bytes
from graphopt._validation import check_integer, check_memory, check_number
from graphopt.completion import Completion
from graphopt.errors import DamagedFileError
from graphopt.learning import first_format
from graphopt.learning.completing import feature_neighbours
from graphopt.learning.descent import kmeans_updates, set_kmeans_updates
from graphopt.learning.first_format import checked_shape
from graphopt.learning.parameters import TrainedEstimator
from graphopt.learning.recipes import COMMUNITIES, Recipe
from graphopt.nn.losses import Loss

if TYPE_CHECKING:
    from typing_extensions import Self

    from graphopt.learning.base import DecisionEstimator

    Estimator = TypeVar("Estimator", bound=DecisionEstimator)

MAGIC = b"graphopt model\n\0"
FORMAT = 2
_DIGEST = hashlib.sha256().digest_size
_LENGTH = struct.Struct("<Q")
_KINDS = "biufc"
_HEADER = ("arrays", "format", "graphopt", "settings")
_ENTRIES = {
    "estimator", "params", "own", "recipe", "expects_edges", "n_features", "n_inputs",
    "kmeans_updates", "network", "arrays", "training_value", "interrupted",
}  # fmt: skip
_LATER = {"n_inputs", "expects_edges"}  # entries that the oldest files of the first format lack
_PARTS = ("network", "arrays")  # tables of arrays, in the file under names with a prefix
_OWN = ("objective", "completion")
_MOST_UPDATES = 2**31 - 1


# --- estimators -----------------------------------------------------------------------------------


class SavedEstimator(TrainedEstimator):
    """An estimator that can be kept in a file."""

    def save(self, path: UsersPath) -> None:
        """Write parameters, network and decision to a file.

        A file that is there is replaced as a whole: it stays as it is until the new one is on the
        disk, also if the process is killed.

        Parameters
        ----------
        path : path

        Raises
        ------
        OSError
            If the file cannot be written.

        Notes
        -----
        An objective or a completion object is not written: hand it to :meth:`load` again. Neither
        are a generator given as `random_state` and ``runs_``.
        """
        self._check_fitted("network_", "has no decision")
        _save(self, check_path("path", path))

    @classmethod
    def load(
        cls,
        path: UsersPath,
        *,
        objective: Loss | None = None,
        completion: Completion | None = None,
    ) -> Self:
        """Read what :meth:`save` wrote, now or in an earlier version; the file can run no code.

        Parameters
        ----------
        path : path
        objective, completion : object, optional
            Needed where the saved estimator was given an object.

        Returns
        -------
        estimator
            Fitted; ``runs_`` is empty.

        Raises
        ------
        DamagedFileError
            If the file is damaged, cut short, something else, or of a later version, which the
            message names. It is a ValueError.
        ValueError
            If it holds another estimator, or needs an object that was not given.
        """
        file = check_path("path", path)
        return _load(cls, file, objective=objective, completion=completion)


def _save(model: Any, path: str | Path) -> None:
    params = {name: _plain(value) for name, value in model.get_params(deep=False).items()}
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
    write(path, settings, arrays)


def _load(
    cls: type[Estimator],
    path: str | Path,
    *,
    objective: Loss | None,
    completion: Completion | None,
) -> Estimator:
    saved = contents(path)
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
    known = inspect.signature(cls.__init__).parameters
    params = {name: value for name, value in saved["params"].items() if name in known}
    recipe = _recipe(saved["recipe"], saved["params"].keys() - params.keys(), saved["params"])
    model = cls(**{**params, "recipe": recipe, **own})
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


def _recipe(stored: Mapping[str, Any], earlier: Set[str], params: Mapping[str, Any]) -> Recipe:
    """Return the stored recipe; `earlier` are settings that were once the constructor's."""
    known = [field.name for field in fields(Recipe)]
    for name in earlier:
        if name not in known:
            raise ValueError(f"{name!r} is not a parameter")
    schedule = tuple((share, updates) for share, updates in stored["kmeans_schedule"])
    for share, updates in schedule:
        check_number("kmeans_schedule", share)
        check_integer("kmeans_schedule", updates, minimum=1, maximum=_MOST_UPDATES)
    settings = {name: params[name] for name in earlier} | {**stored, "kmeans_schedule": schedule}
    return Recipe(**settings).over(COMMUNITIES)


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


def contents(path: str | Path) -> dict[str, Any]:
    """Return what a file of either format holds, arrays as arrays."""
    if is_container(path):
        saved, arrays = read(path)
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


# --- settings and arrays --------------------------------------------------------------------------


def write(
    path: str | Path, settings: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write settings and arrays to a file, which is replaced as a whole.

    Parameters
    ----------
    path : path
    settings : dict
        What JSON can hold; tuples come back as lists.
    arrays : dict of str to array
        Of numbers or truth values.

    Raises
    ------
    TypeError
        For something else.
    OSError
        If the file cannot be written.
    """
    listed, parts = [], []
    for name, array in arrays.items():
        if array.dtype.kind not in _KINDS:
            raise TypeError(f"{name} must hold numbers to be saved, not {array.dtype}")
        plain = np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)
        listed.append([name, plain.dtype.str, list(plain.shape)])
        parts.append(plain.tobytes())
    version = metadata.version("graphopt")
    values = (listed, FORMAT, version, dict(settings))
    header = json.dumps(dict(zip(_HEADER, values, strict=True))).encode()
    body = b"".join([_LENGTH.pack(len(header)), header, *parts])
    write_bytes(path, MAGIC + hashlib.sha256(body).digest() + body)


def is_container(path: str | Path) -> bool:
    """Return whether a file begins as those of :func:`write` do.

    Raises
    ------
    OSError, ValueError
        If it cannot be read, or is no regular file.
    """
    regular_size(path)
    with open(path, "rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def read(path: str | Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the settings and the arrays of a file.

    Raises
    ------
    DamagedFileError
        If it is not what :func:`write` wrote, or another version of graphopt wrote it, which the
        message names.
    MemoryLimitError
        If the file does not fit in memory.
    """
    size = regular_size(path)
    check_memory(f"{path}", 2 * size, "it must be read whole")
    content = memoryview(Path(path).read_bytes())
    body = content[len(MAGIC) + _DIGEST :]
    digest = content[len(MAGIC) : len(MAGIC) + _DIGEST]
    if content[: len(MAGIC)] != MAGIC or hashlib.sha256(body).digest() != digest:
        raise DamagedFileError(
            f"{path} is damaged or cut short: its checksum is not the stored one"
        )
    try:
        return _parsed(path, body)
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError, struct.error) as error:
        if isinstance(error, DamagedFileError):
            raise
        reason = quoted(f"{type(error).__name__}: {error}")
        raise DamagedFileError(f"{path} is not a model of graphopt: {reason}") from error


def _parsed(path: str | Path, body: memoryview) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    (length,) = _LENGTH.unpack_from(body)
    end = _LENGTH.size + length
    if end > len(body):
        raise ValueError("the header is longer than the file")
    header = json.loads(bytes(body[_LENGTH.size : end]))
    if not isinstance(header, dict):
        raise TypeError("the header is not a table")
    if header.get("format") != FORMAT:
        raise DamagedFileError(
            f"{path} has format {quoted(str(header.get('format')))} and was written by graphopt "
            f"{quoted(str(header.get('graphopt')))}, which reads it; graphopt "
            f"{metadata.version('graphopt')} reads formats 1 and {FORMAT}"
        )
    if sorted(header) != sorted(_HEADER) or not isinstance(header["settings"], dict):
        raise ValueError("the header has other entries")
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, shape in header["arrays"]:
        dtype = _dtype(kind)
        start, end = end, end + checked_shape(shape) * dtype.itemsize
        if end > len(body):
            raise ValueError("the arrays are longer than the file")
        if not isinstance(name, str) or name in arrays:
            raise ValueError("the names of the arrays are not distinct words")
        # A copy: it can be written to, and lies where its type wants it.
        arrays[name] = np.frombuffer(body[start:end], dtype).reshape(shape).astype(
            dtype.newbyteorder("="), copy=True
        )  # fmt: skip
    if end != len(body):
        raise ValueError("the file is longer than its arrays")
    return header["settings"], arrays


def _dtype(kind: Any) -> np.dtype[Any]:
    if not isinstance(kind, str) or len(kind) > 8:
        raise ValueError("the type of an array is not a word")
    dtype = np.dtype(kind)
    if dtype.kind not in _KINDS or dtype.fields is not None or dtype.subdtype is not None:
        raise ValueError("an array does not hold numbers")
    return dtype
