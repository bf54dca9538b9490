"""The catalogue, archives, and data sets made of arrays."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from typing import get_args

import numpy as np
import pytest
from scipy.sparse import issparse

from graphopt import datasets
from graphopt.datasets import EdgeSplit, InductiveDataset, catalog, loading
from graphopt.datasets.archive import (
    DEFINING_ARRAYS,
    array_digest,
    check_digest,
    read_arrays,
    write_arrays,
)
from graphopt.datasets.catalog import Entry
from graphopt.errors import DatasetNotFoundError, DigestMismatchError


def words_arrays():
    """Five nodes, two classes, six words."""
    x = np.array([[1, 0, 0, 1, 0, 0], [0, 1, 0, 0, 0, 0], [0] * 6, [0, 0, 1, 1, 1, 0], [1] * 6])
    rows, columns = np.nonzero(x)
    return {
        "node_ids": np.array([31, 7, 12, 5, 40]),
        "edges": np.array([[0, 1], [0, 2], [1, 2], [3, 4]], np.int32),
        "edges_train": np.array([[0, 1], [3, 4]], np.int32),
        "edges_valid": np.array([[0, 2]], np.int32),
        "edges_test": np.array([[0, 1], [1, 2]], np.int32),
        "x_indptr": np.concatenate([[0], np.cumsum(x.sum(axis=1))]).astype(np.int32),
        "x_indices": columns.astype(np.int32),
        "x_data": np.ones(len(rows), np.uint8),
        "x_shape": np.array([5, 6]),
        "labels": np.array([1, 0, 1, 0, 0], np.int32),
        "label_names": np.array(["bird", "fish"]),
    }


def embedding_arrays():
    """Three nodes without classes, two features of each of two graphs."""
    arrays = {
        "node_ids": np.arange(3),
        "edges": np.array([[0, 1], [0, 2]], np.int32),
        "edges_train": np.array([[0, 2]], np.int32),
        "edges_valid": np.zeros((0, 2), np.int32),
        "edges_test": np.array([[0, 1]], np.int32),
        "labels": np.zeros(3, np.int32),
        "label_names": np.array(["0"]),
    }
    for key, values in (("x", [0.0, 1, 2, 3, 4, 5]), ("x_train", [9.0, 8, 7, 6, 5, -0.0])):
        arrays |= {
            f"{key}_indptr": np.array([0, 2, 4, 6], np.int32),
            f"{key}_indices": np.array([0, 1] * 3, np.int32),
            f"{key}_data": np.array(values, np.float32),
            f"{key}_shape": np.array([3, 2]),
        }
    return arrays


@pytest.fixture(autouse=True)
def no_other_place(monkeypatch, tmp_path):
    for name in ("GRAPHOPT_DATA", "GRAPHOPT_ORIGIN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GRAPHOPT_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def put(monkeypatch):
    """Return a function that adds a data set to the catalogue and writes its file."""

    def put_there(folder, name, arrays, **entry):
        folder.mkdir(exist_ok=True)
        entry = {"kind": "words", "digest": array_digest(arrays)} | entry
        monkeypatch.setitem(catalog.ENTRIES, name, Entry(name, **entry))
        write_arrays(folder / f"{name}.npz", arrays)

    return put_there


# --- the catalogue ------------------------------------------------------------------------------


def test_names_and_aliases():
    assert len(datasets.names()) == len(set(datasets.names())) == 12
    for alias, name in catalog.ALIASES.items():
        assert alias not in datasets.names()
        assert catalog.find(alias).name == name
    for entry in catalog.ENTRIES.values():
        assert len(entry.digest) == 64
        assert entry.parent is None or entry.parent in catalog.ENTRIES


def test_type_checkers_know_the_names() -> None:
    single, many = get_args(loading.SingleGraph), get_args(loading.ManyGraphs)
    assert {*single, *many} == {*catalog.ENTRIES, *catalog.ALIASES}
    assert all(catalog.find(name).roles is None for name in single)
    assert all(catalog.find(name).roles is not None for name in many)


def test_an_unknown_name_is_an_error_that_lists_the_names():
    with pytest.raises(ValueError, match=r"name must be one of citeseer, .*pubmed.* not 'corra'"):
        datasets.load("corra")
    with pytest.raises(ValueError, match="name must be one of"):
        datasets.load(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="name must be one of"):
        datasets.load(["cora"])  # type: ignore[arg-type]


def test_importing_datasets_loads_nothing_heavy():
    code = (
        "import sys, graphopt.datasets;"
        "print([m for m in ('torch', 'scipy', 'pooch', 'igraph') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- digests and archives -----------------------------------------------------------------------


def test_the_digest_is_of_the_arrays():
    arrays = words_arrays()
    digest = array_digest(arrays)
    assert digest == array_digest(dict(reversed(arrays.items())))
    big_endian = {k: v.astype(v.dtype.newbyteorder(">")) for k, v in arrays.items()}
    assert digest == array_digest(big_endian)
    fortran = arrays | {"edges": np.asfortranarray(arrays["edges"])}
    assert digest == array_digest(fortran)
    wide = arrays | {"label_names": arrays["label_names"].astype("<U50")}
    assert digest == array_digest(wide)


@pytest.mark.parametrize(
    "change",
    [
        {"edges": np.array([[0, 1], [0, 2], [1, 2], [2, 4]], np.int32)},
        {"labels": np.array([1, 0, 1, 0, 0], np.int64)},
        {"edges_valid": np.array([0, 2], np.int32)},
        {"label_names": np.array(["bird", "Fish"])},
        {"another": np.zeros(0)},
    ],
    ids=["value", "type", "shape", "text", "name"],
)
def test_the_digest_sees_every_change(change):
    assert array_digest(words_arrays()) != array_digest(words_arrays() | change)


def test_archives_come_back(tmp_path):
    arrays = words_arrays()
    path = tmp_path / "new" / "folder" / "file.npz"
    write_arrays(path, arrays | {"notes": np.arange(3)})
    back = read_arrays(path, array_digest(arrays))
    assert back.keys() == arrays.keys() <= DEFINING_ARRAYS  # notes are not read
    assert all(np.array_equal(back[key], arrays[key]) for key in arrays)
    assert [p.name for p in path.parent.iterdir()] == ["file.npz"]


def test_a_write_that_fails_leaves_nothing(tmp_path):
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        write_arrays(tmp_path / "file.npz", {"edges": Broken()})  # type: ignore[dict-item]
    assert list(tmp_path.iterdir()) == []


def test_a_mismatch_names_file_expected_and_found(tmp_path):
    arrays = words_arrays()
    path = tmp_path / "file.npz"
    write_arrays(path, arrays)
    with pytest.raises(DigestMismatchError) as caught:
        read_arrays(path, "0" * 64)
    for words in (str(path), "0" * 64, array_digest(arrays)):
        assert words in str(caught.value)
    check_digest("x", arrays, array_digest(arrays))


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 half a zip"])
def test_a_damaged_file_is_told(tmp_path, content):
    path = tmp_path / "file.npz"
    path.write_bytes(content)
    with pytest.raises(DigestMismatchError, match=r"file\.npz is not a readable \.npz archive"):
        read_arrays(path, "0" * 64)


def test_a_truncated_file_is_told(tmp_path):
    path = tmp_path / "file.npz"
    write_arrays(path, words_arrays())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DigestMismatchError, match="not a readable"):
        read_arrays(path, "0" * 64)


def test_rotten_bits_are_told(tmp_path):
    path = tmp_path / "file.npz"
    write_arrays(path, {"edges": np.random.default_rng(0).integers(0, 9, (500, 2), np.int32)})
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)
    with pytest.raises(DigestMismatchError, match="not a readable"):
        read_arrays(path, "0" * 64)


def test_pickles_are_not_opened(tmp_path):
    path = tmp_path / "file.npz"
    np.savez(path, edges=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DigestMismatchError, match="not a readable"):
        read_arrays(path, "0" * 64)


# --- loading ------------------------------------------------------------------------------------


def test_a_bag_of_words(tmp_path, put):
    put(tmp_path / "home", "tiny", words_arrays())
    data = datasets.load("tiny", data_home=tmp_path / "home", download=False)
    assert repr(data) == (
        "Dataset('tiny', n_nodes=5, n_edges=4, n_observed=2, n_features=6, n_classes=2)"
    )
    assert data.n_nodes == 5
    assert data.graph.edges.tolist() == [[0, 1], [0, 2], [1, 2], [3, 4]]
    assert data.observed.n_nodes == 5
    assert data.observed.edges.tolist() == [[0, 1], [3, 4]]
    assert issparse(data.features)
    assert data.features.dtype == np.float32
    assert data.features.toarray()[3].tolist() == [0, 0, 1, 1, 1, 0]
    assert data.observed_features is data.features
    assert data.label_names == ("bird", "fish")
    assert data.labels.tolist() == [1, 0, 1, 0, 0]
    assert data.node_ids.tolist() == [31, 7, 12, 5, 40]
    assert isinstance(data.splits, EdgeSplit)
    assert data.splits.unseen.tolist() == [[0, 2], [1, 2]]
    assert data.splits.valid.tolist() == [[0, 2]]
    assert data.splits.test.tolist() == [[0, 1], [1, 2]]
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.name = "other"


def test_embeddings(tmp_path, put):
    put(tmp_path / "home", "tiny", embedding_arrays(), kind="embedding")
    data = datasets.load("tiny", data_home=str(tmp_path / "home"))
    assert isinstance(data.features, np.ndarray)
    assert data.features.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert data.observed_features.tolist() == [[9, 8], [7, 6], [5, 0]]
    assert data.features.dtype == data.observed_features.dtype == np.float32
    assert data.labels is None
    assert data.label_names is None
    assert repr(data) == "Dataset('tiny', n_nodes=3, n_edges=2, n_observed=1, n_features=2)"


@pytest.mark.parametrize("arrays", [words_arrays(), embedding_arrays()], ids=["words", "embedding"])
def test_permuted_changes_the_numbers_only(tmp_path, put, arrays):
    put(tmp_path, "tiny", arrays)
    data = datasets.load("tiny", data_home=tmp_path)
    other = data.permuted(3)
    assert other.node_ids.tolist() != data.node_ids.tolist()
    assert data.permuted(3).node_ids.tolist() == other.node_ids.tolist()

    def by_id(one, edges):
        return {frozenset(one.node_ids[edge].tolist()) for edge in edges}

    for part in ("train", "unseen", "valid", "test"):
        edges = getattr(other.splits, part)
        assert by_id(other, edges) == by_id(data, getattr(data.splits, part))
        assert edges.dtype == np.int32
        assert (edges[:, 0] < edges[:, 1]).all()
    assert by_id(other, other.graph.edges) == by_id(data, data.graph.edges)
    assert np.array_equal(other.observed.edges, other.splits.train)
    old_row = [data.node_ids.tolist().index(node) for node in other.node_ids.tolist()]
    for key in ("features", "observed_features"):
        assert abs(getattr(other, key) - getattr(data, key)[old_row]).sum() == 0
    assert (other.observed_features is other.features) == (data.features is data.observed_features)
    assert data.labels is None or np.array_equal(other.labels, data.labels[old_row])


def test_data_sets_travel_between_processes(tmp_path, put):
    put(tmp_path, "tiny", words_arrays())
    data = datasets.load("tiny", data_home=tmp_path)
    back = pickle.loads(pickle.dumps(data))
    assert back.graph == data.graph
    assert back.observed_features is back.features
    assert repr(back) == repr(data)
    many = InductiveDataset("many", (data, data), (0,), (), (1,))
    assert repr(pickle.loads(pickle.dumps(many))) == repr(many)


def many_arrays():
    """Two graphs of three and two nodes."""
    return {
        "graph_index": np.array([4, 6], np.int32),
        "node_ptr": np.array([0, 3, 5], np.int32),
        "edge_ptr": np.array([0, 2, 3], np.int32),
        "edges": np.array([[0, 1], [1, 2], [0, 1]], np.int32),
        "edge_train_ptr": np.array([0, 1, 1], np.int32),
        "edges_train": np.array([[1, 2]], np.int32),
    }


def test_subgraphs_take_features_from_the_parent(tmp_path, put):
    put(tmp_path, "whole", words_arrays())
    arrays = many_arrays() | {
        "node_ids": np.array([5, 31, 7, 40, 12]),
        "pubmed_row": np.array([3, 0, 1, 4, 2], np.int32),
        "labels": np.array([0, 1, 0, 0, 1], np.int32),
        "label_names": np.array(["bird", "fish"]),
    }
    roles = (range(1), range(1, 2), range(0))
    put(tmp_path, "parts", arrays, kind="subgraphs", parent="whole", roles=roles)
    data = datasets.load("parts", data_home=tmp_path)
    assert isinstance(data, InductiveDataset)
    assert repr(data) == "InductiveDataset('parts', n_graphs=2, train=1, validation=1, test=0)"
    assert len(data) == 2
    assert [part.name for part in data] == ["parts/4", "parts/6"]
    assert data.train == (data[0],)
    assert data.validation == (data[1],)
    assert data.test == ()
    assert data[:] == data.members
    assert data[-1] is data.members[1]
    whole = datasets.load("whole", data_home=tmp_path)
    assert np.array_equal(data[0].features.toarray(), whole.features.toarray()[[3, 0, 1]])
    assert data[0].labels.tolist() == [0, 1, 0]
    assert data[0].node_ids.tolist() == [5, 31, 7]
    assert data[0].observed.edges.tolist() == [[1, 2]]
    assert data[0].splits.unseen.tolist() == [[0, 1]]
    assert data[0].splits.valid is None
    assert data[1].observed.n_edges == 0
    assert data[1].observed.n_nodes == 2


def test_features_in_millionths(tmp_path, put):
    values = np.array([[[0, -1], [1_963_846, -1_963_846], [65_535, -65_536]]] * 2)
    arrays = many_arrays() | {"node_ptr": np.array([0, 3, 6], np.int32)}
    for key, numbers in (("x", values), ("x_train", -values)):
        arrays[f"{key}_hi"] = (numbers >> 16).astype(np.int8)
        arrays[f"{key}_lo"] = (numbers & 65_535).astype(np.uint16)
    put(tmp_path, "many", arrays, kind="synthetic", roles=(range(1), range(0), range(1, 2)))
    data = datasets.load("many", data_home=tmp_path)
    expected = (values[1] / 1e6).astype(np.float32)
    assert np.array_equal(data[1].features, expected)
    assert np.array_equal(data[1].observed_features, -expected)
    assert data[1].features.dtype == np.float32
    assert data[1].node_ids.tolist() == [0, 1, 2]
    assert data[1].labels is None


def test_places_are_searched_in_order(tmp_path, put, monkeypatch):
    places = {name: tmp_path / name for name in ("home", "data", "cache")}
    for number, folder in enumerate(places.values()):
        put(folder, "tiny", words_arrays() | {"node_ids": np.arange(5) + 100 * number})
    monkeypatch.setenv("GRAPHOPT_DATA", str(places["data"]))

    def accept(number):  # makes the file of one place the right one
        digest = array_digest(words_arrays() | {"node_ids": np.arange(5) + 100 * number})
        monkeypatch.setitem(catalog.ENTRIES, "tiny", Entry("tiny", digest, "words"))

    accept(0)
    assert datasets.load("tiny", data_home=places["home"]).node_ids[0] == 0
    with pytest.raises(DigestMismatchError, match="data"):  # never silently the next place
        datasets.load("tiny")
    accept(1)
    assert datasets.load("tiny").node_ids[0] == 100
    (places["data"] / "tiny.npz").unlink()
    accept(2)
    assert datasets.load("tiny").node_ids[0] == 200


def test_absent_and_offline_tells_how_to_get_it(tmp_path):
    with pytest.raises(DatasetNotFoundError) as caught:
        datasets.load("cora", data_home=tmp_path, download=False)
    message = str(caught.value)
    for words in ("cora.npz", str(tmp_path), "GRAPHOPT_DATA", "github.com/bwilder0/clusternet"):
        assert words in message
    assert isinstance(caught.value, FileNotFoundError)
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize("name", ["pubmed", "pubmed_inductive", "pubmed_connected_inductive"])
def test_what_has_no_public_origin_says_why(name):
    with pytest.raises(DatasetNotFoundError, match=r"cannot be fetched.*Planetoid.*GRAPHOPT_DATA"):
        datasets.load(name)


def test_a_data_home_that_is_no_folder(tmp_path):
    with pytest.raises(ValueError, match="data_home must be a folder, not"):
        datasets.load("cora", data_home=tmp_path / "nowhere")


def test_the_cache_is_the_users_own_by_default(monkeypatch):
    from graphopt.datasets.loading import cache_folder

    monkeypatch.delenv("GRAPHOPT_CACHE")
    assert "graphopt" in str(cache_folder())
