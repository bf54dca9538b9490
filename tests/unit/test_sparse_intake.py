"""Every sparse matrix is checked before it is used, whatever it is and wherever it comes in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from forged_matrices import FORGED, FORMATS, N, sound

import graphopt
from graphopt import ClusterNet, DirectGCN, Graph, LinkPredictor, TwoStage, datasets, decide, nn
from graphopt._sparse import checked_rows
from graphopt.completion import (
    Choice,
    Chosen,
    FeatureNeighbours,
    LinkModel,
    Mixture,
    choose,
    choose_sharpness,
    reliability_curve,
)
from graphopt.datasets import clean_splits, loading
from graphopt.decision import compare, portfolio_decisions, regret
from graphopt.features import check_features, node_features, smoothed_features, unit_features
from graphopt.learning import PredictedLinks
from graphopt.nn import SparseMatrix

RING = Graph.from_edges([(i, (i + 1) % N) for i in range(N)])
BAD = (ValueError, TypeError)


# --- what comes out -------------------------------------------------------------------------------


@pytest.mark.parametrize("as_matrix", [False, True])
@pytest.mark.parametrize("kind", FORMATS)
def test_a_sound_matrix_is_read_as_scipy_reads_it(kind: str, as_matrix: bool) -> None:
    given = sound(kind, as_matrix)
    rows = checked_rows("x", given)
    assert type(rows) is sp.csr_array
    assert rows.has_canonical_format
    assert np.array_equal(rows.toarray(), given.toarray())


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (3, 5)])
def test_an_empty_matrix_is_read(kind: str, shape: tuple[int, int]) -> None:
    rows = checked_rows("x", sp.csr_array(shape).asformat(kind))
    assert rows.shape == shape
    assert rows.nnz == 0


@pytest.mark.parametrize("kind", FORMATS)
def test_a_random_rectangle_is_read(kind: str) -> None:
    drawn = sp.random_array((31, 17), density=0.2, rng=0).asformat(kind)
    assert np.array_equal(checked_rows("x", drawn).toarray(), drawn.toarray())
    taller = sp.random_array((17, 31), density=0.2, rng=0).asformat(kind)
    assert np.array_equal(checked_rows("x", taller).toarray(), taller.toarray())


@pytest.mark.parametrize(
    "dtype", [bool, np.int8, np.uint64, np.float16, np.float32, ">f8", np.longdouble]
)
def test_values_of_any_number_type_are_read(dtype: Any) -> None:
    given = sound("csr")
    given.data = given.data.astype(dtype)
    rows = checked_rows("x", given)
    assert rows.dtype == (np.float32 if dtype is np.float16 else np.dtype(dtype).newbyteorder("="))
    assert np.array_equal(rows.toarray(), sound("csr").toarray())
    wanted = np.bool_ if dtype is bool else np.float64
    assert checked_rows("x", given, np.float64).dtype == wanted


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "bsr"])
def test_indices_of_64_bits_are_read(kind: str) -> None:
    wide = sound(kind)
    for name in ("indptr", "indices") if kind != "coo" else ("row", "col"):
        setattr(wide, name, getattr(wide, name).astype(np.int64))
    assert np.array_equal(checked_rows("x", wide).toarray(), wide.toarray())


def test_repeated_entries_are_added_up_in_the_type_asked_for() -> None:
    data, place = np.full(3, 100, np.int8), np.zeros(3, np.int32)
    rows = checked_rows("x", sp.coo_array((data, (place, place)), shape=(1, 1)), np.float64)
    assert rows.toarray().tolist() == [[300.0]]


def test_room_behind_the_last_row_is_left_alone() -> None:
    given = sound("csr")
    given.indices = np.append(given.indices, [2**30, -7]).astype(np.int32)
    given.data = np.append(given.data, [np.nan, 5.0])
    assert np.array_equal(checked_rows("x", given).toarray(), sound("csr").toarray())


@pytest.mark.parametrize("kind", ["csr", "csc", "bsr", "coo", "dia"])
def test_what_was_checked_cannot_be_changed_from_outside(kind: str) -> None:
    given = sound(kind)
    rows = checked_rows("x", given)
    names = ("data", "indptr", "indices", "row", "col", "offsets")
    outside = [getattr(given, name) for name in names if hasattr(given, name)]
    assert len(outside) > 1
    for array in outside:
        assert not any(
            np.shares_memory(array, own) for own in (rows.data, rows.indices, rows.indptr)
        )


def test_nan_is_for_the_caller_to_judge() -> None:
    given = sound("csr")
    given.data[2] = np.nan
    assert np.isnan(checked_rows("x", given).data[2])


def test_a_diagonal_far_outside_holds_nothing() -> None:
    given = sp.dia_array((np.ones((3, N)), [0, 2**31 - 1, -(2**31)]), shape=(N, N))
    assert np.array_equal(checked_rows("x", given).toarray(), np.eye(N))


# --- what is refused, at every entrance -----------------------------------------------------------

FEW: dict[str, Any] = {
    "n_clusters": 2,
    "completion": None,
    "iterations": 1,
    "n_restarts": 1,
    "random_state": 0,
}
EYE = np.eye(N)
HALF: dict[str, Any] = {"seen_fraction": 0.5, "n_splits": 1, "random_state": 0}
LIKELY = FeatureNeighbours(n_neighbours=1)


def links() -> LinkPredictor:
    return LinkPredictor(iterations=1, random_state=0)


def two_stage() -> TwoStage:
    return TwoStage(2, predictor=links(), random_state=0)


def chosen() -> Choice:
    return choose(RING, EYE, 2, candidates=[LIKELY], **HALF)


def estimator(make: Callable[[], Any]) -> dict[str, Callable[[Any], object]]:
    """Return what every estimator does with features."""
    return {
        "fit": lambda x: make().fit(RING, x),
        "fit_predict": lambda x: make().fit_predict(RING, x),
        "fit_inductive": lambda x: make().fit_inductive([RING, RING], [EYE, x]),
        "predict": lambda x: make().fit_inductive([RING], [EYE]).predict(RING, x),
        "transfer": lambda x: make().fit_inductive([RING], [EYE]).transfer(RING, x),
        "fine_tune": lambda x: make().fit_inductive([RING], [EYE]).fine_tune(RING, x),
    }


def completion(make: Callable[[], Any]) -> dict[str, Callable[[Any], object]]:
    return {
        "missing_edges": lambda x: make().missing_edges(RING, x),
        "probabilities": lambda x: make().probabilities(RING, x),
        "sample": lambda x: make().sample(RING, x, 1),
        "labels": lambda x: make().labels(RING, x),
    }


THINGS = {
    "ClusterNet": estimator(lambda: ClusterNet(**FEW)),
    "DirectGCN": estimator(lambda: DirectGCN(**FEW)),
    "LinkPredictor": estimator(links),
    "TwoStage": estimator(two_stage),
    "FeatureNeighbours": completion(lambda: LIKELY),
    "LinkModel": completion(lambda: LinkModel(weight=0.5)),
    "PredictedLinks": completion(lambda: PredictedLinks(0.5, predictor=links(), random_state=0)),
    "Mixture": completion(lambda: Mixture((LIKELY, LinkModel(weight=0.5)))),
    "Chosen": completion(lambda: Chosen(2, 0.5, candidates=(None, LIKELY), n_splits=1)),
    "Choice": completion(chosen),
    "Graph": {"from_scipy": Graph.from_scipy},
    "SparseMatrix": {"from_scipy": SparseMatrix.from_scipy},
}
FUNCTIONS: dict[str, Callable[[Any], object]] = {
    "check_features": lambda x: check_features(x, N),
    "node_features": lambda x: node_features(RING, x),
    "unit_features": unit_features,
    "smoothed_features": lambda x: smoothed_features(x, RING, 1),
    "choose": lambda x: choose(RING, x, 2, candidates=[None, LIKELY], **HALF),
    "choose_sharpness": lambda x: choose_sharpness(LinkModel(), RING, x, **HALF),
    "reliability_curve": lambda x: reliability_curve(LinkModel(), RING, x, **HALF),
    "decide": lambda x: decide(RING, x, k=2, seen_fraction=0.5, n_trials=1),
    "portfolio_decisions": lambda x: portfolio_decisions(RING, x, k=2, seen_fraction=0.5),
    "clean_splits": lambda x: list(clean_splits(RING, x, splits=1)),
    "compare": lambda x: compare(["leiden"], RING, x, k=2, splits=2),
    "regret": lambda x: regret("leiden", RING, x, k=2, splits=2),
}
# What takes features without looking at them, or tensors (see below).
NOT_READ = {"Bagging", "PairCompletion", "Completion", "Objective", "Dataset", "Hiding", "Problem"}
TENSORS = {"APPNP", "GCN", "SGC"}
MODULES = ["completion", "datasets", "decision", "features", "learning", "nn"]


def public_entrances() -> dict[str, Callable[[Any], object]]:
    """Return, of everything public with an argument `features` or `matrix`, how it is called."""
    found: dict[str, Callable[[Any], object]] = {}
    for module in [graphopt, *(import_module(f"graphopt.{name}") for name in MODULES)]:
        for name in module.__all__:
            thing = getattr(module, name)
            if name in NOT_READ | TENSORS or not callable(thing):
                continue
            if not inspect.isclass(thing):
                if _takes_a_matrix(thing):
                    found[name] = FUNCTIONS[name]
                continue
            if module.__name__ == "graphopt.nn" and name != "SparseMatrix":
                continue
            for method in dir(thing):
                member = getattr(thing, method)
                if not method.startswith("_") and _takes_a_matrix(member):
                    found[f"{name}.{method}"] = THINGS[name][method]
    return found


def _takes_a_matrix(thing: Any) -> bool:
    if not callable(thing) or not str(getattr(thing, "__module__", "")).startswith("graphopt"):
        return False
    parameters = inspect.signature(thing).parameters
    return not {"features", "matrix"}.isdisjoint(parameters) and thing.__name__ not in (
        "synthetic",
        "synthetic_distribution",
    )


ENTRANCES = public_entrances()
# One of each way to be wrong; all of them go through one function.
SOME = [
    "csr: indptr starts at -1",
    "csr: index too large",
    "csc: indptr falls",
    "bsr: indptr ends beyond indices",
    "coo: column far out",
    "lil: more values than columns",
    "dok: row too large",
    "a subclass",
]


def test_all_entrances_are_found() -> None:
    assert len(ENTRANCES) > 40
    assert set(FUNCTIONS) <= set(ENTRANCES)


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_matrix_is_refused(name: str) -> None:
    with pytest.raises(BAD, match=r"x must be a valid .* matrix: "):
        checked_rows("x", FORGED[name]())


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize("entrance", ENTRANCES)
def test_a_forged_matrix_is_refused_at_every_entrance(entrance: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"(features|matrix).* must be a valid .* matrix: "):
        ENTRANCES[entrance](FORGED[name]())


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_a_sound_matrix_is_taken_at_every_entrance(entrance: str) -> None:
    ENTRANCES[entrance](sound("csr"))


def test_features_that_a_callable_returns_are_checked() -> None:
    with pytest.raises(ValueError, match="features must be a valid csr matrix"):
        node_features(RING, lambda graph: FORGED["csr: index too large"]())


@pytest.mark.parametrize(
    "network",
    [
        nn.GCN(N, 4, 2),
        nn.APPNP(N, 4, 2),
        nn.SGC(N, 2),
        nn.ClusterNet(N, 2, hidden_features=4, embedding_features=3),
        nn.DirectGCN(N, 2, hidden_features=4),
        nn.LinkPredictor(N, hidden_features=4, embedding_features=3),
    ],
    ids=lambda network: type(network).__name__,
)
def test_networks_multiply_no_scipy_matrix(network: Any) -> None:
    adjacency, features = nn.Adjacency(RING).whole, torch.eye(N)
    forged = FORGED["csr: index too large"]()
    rng = np.random.default_rng(0)
    for run in (network, lambda x, a: network.initialize(x, a, rng)):
        with pytest.raises(TypeError, match="features must be a Tensor or SparseMatrix, not csr"):
            run(forged, adjacency)
        with pytest.raises(TypeError, match="adjacency must be a SparseMatrix, not csr_array"):
            run(features, forged)


def test_stored_features_are_checked() -> None:
    sound_rows = sp.csr_array(np.eye(N))
    stored = {f"x_{part}": getattr(sound_rows, part) for part in ("data", "indices", "indptr")}
    stored["x_shape"] = np.array(sound_rows.shape)
    assert np.array_equal(loading._matrix(stored, "x").toarray(), np.eye(N))
    with pytest.raises(ValueError, match="x must be a valid csr matrix: indices must be"):
        loading._matrix(stored | {"x_indices": stored["x_indices"] + 1}, "x")


def test_a_data_set_of_a_forged_matrix_is_not_renumbered() -> None:
    made = datasets.synthetic(N, n_groups=1, features="attributes")
    forged = replace(made, features=FORGED["csr: index too large"]())
    with pytest.raises(ValueError, match="features must be a valid csr matrix"):
        forged.permuted(0)
