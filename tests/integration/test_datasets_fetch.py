"""Fetch, convert, verify, keep: against a server on the loopback."""

from __future__ import annotations

import contextlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from authors_files import archive

from graphopt import datasets
from graphopt.datasets import catalog, origins, sources
from graphopt.datasets.archive import array_digest
from graphopt.datasets.catalog import Entry
from graphopt.errors import DatasetNotFoundError, DigestMismatchError

# A graph with a bag of words. The ids that edges use are not the source's, as in citeseer; numbers
# in scientific notation; an id that has no content; a self loop; an edge in both directions. Its
# largest component is 20, 10, 40: rows 0, 1 and 3.
WORDS = {
    "data/tiny/tiny.content": "20\t1\t0\t0\tfish\n10\t0\t1\t1\tbird\n30\t0\t0\t0\tfish\n"
    "40\t1\t1\t1\tant\n50\t0\t0\t1\tbird\n",
    "data/old/tiny_old.content": "a20\t1\t0\t0\tfish\nb10\t0\t1\t1\tbird\n30\t0\t0\t0\tfish\n"
    "c40\t1\t1\t1\tant\nlonger\t0\t0\t1\tbird\n",
    "data/tiny/tiny.cites": "4.0e+01 1.0e+01\n2.0e+01 1.0e+01\n1.0e+01 2.0e+01\n"
    "3.0e+01 3.0e+01\n9.9e+01 1.0e+01\n3.0e+01 5.0e+01\n",
    "data/tiny/tiny_train_0.40.cites": "20 10\n",
    "data/tiny/tiny_valid_0.40.cites": "10 20\n99 10\n",
    "data/tiny/tiny_test_0.40.cites": "30 50\n30 30\n40 10\n",
    # Its numbering is that of the component.
    "data/tiny_connected/tiny_connected.cites": "0 1\n1 0\n1 2\n2 1\n0 0\n1 1\n2 2\n",
    "data/tiny_connected/tiny_connected_train_0.40.cites": "2 1\n",
    "data/tiny_connected/tiny_connected_valid_0.40.cites": "0 0\n",
    "data/tiny_connected/tiny_connected_test_0.40.cites": "0 1\n1 2\n",
}
NO_EDGES = np.zeros((0, 2), np.int32)
TINY = {
    "node_ids": np.array(["a20", "b10", "30", "c40", "longer"]),
    "labels": np.array([2, 1, 2, 0, 1], np.int32),
    "label_names": np.array(["ant", "bird", "fish"]),
    "edges": np.array([[0, 1], [1, 3], [2, 4]], np.int32),
    "edges_train": np.array([[0, 1]], np.int32),
    "edges_valid": np.array([[0, 1]], np.int32),
    "edges_test": np.array([[1, 3], [2, 4]], np.int32),
    "x_indptr": np.array([0, 1, 3, 3, 6, 7], np.int32),
    "x_indices": np.array([0, 1, 2, 0, 1, 2, 2], np.int32),
    "x_data": np.ones(7, np.uint8),
    "x_shape": np.array([5, 3], np.int64),
}
TINY_CONNECTED = {
    "node_ids": np.array(["a20", "b10", "c40"]),
    "labels": np.array([2, 1, 0], np.int32),
    "label_names": np.array(["ant", "bird", "fish"]),
    "edges": np.array([[0, 1], [1, 2]], np.int32),
    "edges_train": np.array([[1, 2]], np.int32),
    "edges_valid": NO_EDGES,
    "edges_test": np.array([[0, 1], [1, 2]], np.int32),
    "x_indptr": np.array([0, 1, 3, 6], np.int32),
    "x_indices": np.array([0, 1, 2, 0, 1, 2], np.int32),
    "x_data": np.ones(6, np.uint8),
    "x_shape": np.array([3, 3], np.int64),
}

# Embeddings: a content file of the training graph too, its rows in another order.
EMBEDDED = {
    "data/emb/emb.content": "0 0.500000 -0.000000 0.000000 \n1 1.250000 2.000000 0.000000 \n"
    "2 0.000000 -3.000001 0.000000 \n3 1.000000 1.000000 0.000000 \n",
    "data/emb/emb_train_0.40.content": "1 4.000000 5.000000 0.000000 \n"
    "0 6.000000 7.000000 0.000000 \n3 0.000000 0.000000 0.000000 \n"
    "2 8.000000 9.000000 0.000000 \n",
    "data/emb/emb.cites": "1 3\n3 2\n",
    "data/emb/emb_train_0.40.cites": "3 1\n",
    "data/emb/emb_valid_0.40.cites": "",
    "data/emb/emb_test_0.40.cites": "3 2\n",
    "data/emb_connected/emb_connected.content": "0 1.000000 2.000000 0.000000 \n"
    "1 3.000000 4.000000 0.000000 \n2 5.000000 6.000000 0.000000 \n",
    "data/emb_connected/emb_connected_train_0.40.content": "0 0.100000 0.200000 0.000000 \n"
    "1 0.300000 0.400000 0.000000 \n2 0.500000 0.600000 0.000000 \n",
    "data/emb_connected/emb_connected.cites": "0 2\n2 0\n2 1\n1 2\n",
    "data/emb_connected/emb_connected_train_0.40.cites": "2 0\n",
    "data/emb_connected/emb_connected_valid_0.40.cites": "",
    "data/emb_connected/emb_connected_test_0.40.cites": "1 2\n",
}


def full_csr(key, values):
    x = np.array(values, np.float32)
    n, width = x.shape
    return {
        f"{key}_indptr": np.arange(0, n * width + 1, width, dtype=np.int32),
        f"{key}_indices": np.array(list(range(width)) * n, np.int32),
        f"{key}_data": x.reshape(-1),
        f"{key}_shape": np.array([n, width], np.int64),
    }


EMB = {
    "node_ids": np.arange(4),
    "labels": np.zeros(4, np.int32),
    "label_names": np.array(["0"]),
    "edges": np.array([[1, 3], [2, 3]], np.int32),
    "edges_train": np.array([[1, 3]], np.int32),
    "edges_valid": NO_EDGES,
    "edges_test": np.array([[2, 3]], np.int32),
    **full_csr("x", [[0.5, -0.0], [1.25, 2.0], [0.0, -3.000001], [1.0, 1.0]]),
    **full_csr("x_train", [[6, 7], [4, 5], [8, 9], [0, 0]]),
}
EMB_CONNECTED = {
    "node_ids": np.array([1, 2, 3]),  # the parent's
    "labels": np.zeros(3, np.int32),
    "label_names": np.array(["0"]),
    "edges": np.array([[0, 2], [1, 2]], np.int32),
    "edges_train": np.array([[0, 2]], np.int32),
    "edges_valid": NO_EDGES,
    "edges_test": np.array([[1, 2]], np.int32),
    **full_csr("x", [[1, 2], [3, 4], [5, 6]]),
    **full_csr("x_train", [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]),
}

MANY_FILES = {
    "data/many/many_0.content": "0 0.000001 -0.000001 0.000000 \n1 1.963846 -1.963846 0.000000 \n",
    "data/many/many_0_train_0.40.content": "1 0.065536 0.000000 0.000000 \n"
    "0 -0.065536 -0.065535 0.000000 \n",
    "data/many/many_0.cites": "1 0\n0 1\n",
    "data/many/many_0_train_0.40.cites": "",
    "data/many/many_1.content": "0 0.000000 0.000000 0.000000 \n1 0.100000 0.200000 0.000000 \n",
    "data/many/many_1_train_0.40.content": "0 0.300000 0.400000 0.000000 \n"
    "1 0.500000 0.600000 0.000000 \n",
    "data/many/many_1.cites": "0 1\n",
    "data/many/many_1_train_0.40.cites": "0 1\n",
}
MANY = {
    "graph_index": np.array([0, 1], np.int32),
    "node_ptr": np.array([0, 2, 4], np.int32),
    "edge_ptr": np.array([0, 1, 2], np.int32),
    "edges": np.array([[0, 1], [0, 1]], np.int32),
    "edge_train_ptr": np.array([0, 0, 1], np.int32),
    "edges_train": np.array([[0, 1]], np.int32),
}
for _key, _numbers in (
    ("x", [[[1, -1], [1963846, -1963846]], [[0, 0], [100000, 200000]]]),
    ("x_train", [[[-65536, -65535], [65536, 0]], [[300000, 400000], [500000, 600000]]]),
):
    MANY[f"{_key}_hi"] = (np.array(_numbers) >> 16).astype(np.int8)
    MANY[f"{_key}_lo"] = (np.array(_numbers) & 65535).astype(np.uint16)

CATALOGUE = [
    Entry("tiny", array_digest(TINY), "words", ids_file="tiny_old.content"),
    Entry("tiny_connected", array_digest(TINY_CONNECTED), "words", parent="tiny"),
    Entry("emb", array_digest(EMB), "embedding"),
    Entry("emb_connected", array_digest(EMB_CONNECTED), "embedding", parent="emb"),
    Entry("many", array_digest(MANY), "synthetic", roles=(range(1), range(1, 2), range(0))),
]
ARRAYS = {
    "tiny": TINY,
    "tiny_connected": TINY_CONNECTED,
    "emb": EMB,
    "emb_connected": EMB_CONNECTED,
    "many": MANY,
}
FILES = WORDS | EMBEDDED | MANY_FILES


class Server:
    """What a test's server answers, and how often it was asked."""

    def __init__(self) -> None:
        self.body = archive(FILES)
        self.status = 200
        self.announced: int | None = None  # a length the body does not have
        self.requests = 0
        self.url = ""


@contextlib.contextmanager
def serving(state):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            state.requests += 1
            self.send_response(state.status)
            self.send_header("Content-Length", str(state.announced or len(state.body)))
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.url = f"http://127.0.0.1:{server.server_address[1]}/archive/main.zip"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def cache(monkeypatch, tmp_path):
    folder = tmp_path / "cache"
    monkeypatch.setenv("GRAPHOPT_CACHE", str(folder))
    monkeypatch.delenv("GRAPHOPT_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for entry in CATALOGUE:
        monkeypatch.setitem(catalog.ENTRIES, entry.name, entry)
    return folder


@pytest.fixture
def server(monkeypatch, cache):
    state = Server()
    with serving(state):
        monkeypatch.setenv("GRAPHOPT_ORIGIN", state.url)
        yield state


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("entry", CATALOGUE, ids=lambda entry: entry.name)
def test_text_becomes_arrays(entry):
    parent = catalog.ENTRIES.get(entry.parent) if entry.parent else None
    parent = next((e for e in CATALOGUE if e.name == entry.parent), parent)
    elsewhere = {"data/tiny/tiny_old.content": FILES["data/old/tiny_old.content"]}
    found = sources.convert(entry, parent, (FILES | elsewhere).__getitem__)
    expected = ARRAYS[entry.name]
    assert found.keys() == expected.keys()
    for key, array in expected.items():
        assert found[key].dtype == array.dtype, key
        assert np.array_equal(found[key], array), key


def test_fetched_once_then_offline(server, cache):
    data = datasets.load("tiny")
    assert data.node_ids.tolist() == ["a20", "b10", "30", "c40", "longer"]
    assert data.graph.n_edges == 3
    assert server.requests == 1
    # The archive serves the others too.
    part = datasets.load("tiny_connected")
    assert part.graph.connected_components()[0] == 1
    assert part.features.toarray().tolist() == [[1, 0, 0], [0, 1, 1], [1, 1, 1]]
    emb = datasets.load("emb_connected")
    assert (
        emb.observed_features.tolist() == np.float32([[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]).tolist()
    )
    assert len(datasets.load("many")) == 2
    assert server.requests == 1
    assert {"tiny.npz", "tiny_connected.npz", "emb_connected.npz", "many.npz"} <= set(
        files_in(cache)
    )
    # Kept as arrays: neither the server nor the archive is needed any more.
    for path in (cache / "downloads").iterdir():
        path.unlink()
    again = datasets.load("tiny", download=False)
    assert again.graph == data.graph
    assert np.array_equal(again.features.toarray(), data.features.toarray())
    assert server.requests == 1


def test_a_wrong_digest_leaves_nothing_behind(server, cache, monkeypatch):
    monkeypatch.setitem(catalog.ENTRIES, "tiny", Entry("tiny", "1" * 64, "words"))
    with pytest.raises(DigestMismatchError) as caught:
        datasets.load("tiny")
    for words in ("tiny", server.url, "1" * 64):
        assert words in str(caught.value)
    assert files_in(cache) == []


@pytest.mark.parametrize("status", [404, 500])
def test_a_server_that_refuses(server, cache, status):
    server.status, server.body = status, b"no"
    with pytest.raises(DatasetNotFoundError) as caught:
        datasets.load("tiny")
    for words in ("tiny.npz", server.url, str(status), "GRAPHOPT_DATA"):
        assert words in str(caught.value)
    assert files_in(cache) == []


def test_a_server_that_is_not_there(cache, monkeypatch):
    state = Server()
    with serving(state):
        pass
    monkeypatch.setenv("GRAPHOPT_ORIGIN", state.url)
    with pytest.raises(DatasetNotFoundError, match=r"did not give it.*GRAPHOPT_DATA"):
        datasets.load("tiny")
    assert files_in(cache) == []


def test_a_download_that_breaks_off(server, cache):
    server.announced = len(server.body) + 1000
    with pytest.raises(DatasetNotFoundError, match=r"tiny\.npz"):
        datasets.load("tiny")
    assert files_in(cache) == []
    server.announced = None
    assert datasets.load("tiny").n_nodes == 5  # and the next try works


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>sign in</html>", "holds something else.*not a zip file"),
        (archive({"data/other/other.content": "1 2 3"}), "tiny.content is not in the archive"),
        (archive(FILES | {"data/tiny/tiny.content": "20\t1\n"}), "line 1 of a .content file"),
        (archive(FILES | {"data/tiny/tiny.content": "20 1 x\n10 1 1 x\n"}), "something else"),
        (archive(FILES | {"data/tiny/tiny.content": "20 1 x\n" * 5}), "names a node twice"),
        (archive(FILES | {"data/tiny/tiny.content": "20 1 x\n"}), "must have 1 nodes, not 5"),
        (archive({k: v.replace("\t1", "\t7") for k, v in FILES.items()}), "zeros and ones"),
        (archive(FILES | {"data/tiny/tiny.content": "20 word x\n"}), "something else"),
        (archive(FILES | {"data/tiny/tiny.content": "\n"}), "has no lines"),
        (archive(FILES | {"data/tiny/tiny.cites": "1 2 3\n"}), "two ids a line"),
        (archive(FILES | {"data/tiny/tiny.content": "20 inf x\n"}), "is not finite"),
        (
            archive(FILES | {"data/tiny/tiny.content": "20 1 x\0\n"}),
            "holds a NUL character; it is not",
        ),
        (
            archive(FILES | {"data/tiny/tiny.content": "20 " + "w" * 10**6 + " x\n"}),
            "something else: .{,300}To get it",
        ),
    ],
    ids=[
        "no zip",
        "no file",
        "short",
        "ragged",
        "twice",
        "fewer",
        "counts",
        "word",
        "empty",
        "odd",
        "infinite",
        "nul",
        "long",
    ],
)
def test_an_archive_of_something_else(server, cache, body, message):
    server.body = body
    with pytest.raises((DatasetNotFoundError, DigestMismatchError), match=message):
        datasets.load("tiny")
    assert files_in(cache) == []


def test_ids_that_do_not_fit():
    with pytest.raises(ValueError, match="an id does not fit 64 bits"):
        sources._id_array(["1", "9" * 30])


def test_a_download_without_an_end(server, cache, monkeypatch):
    monkeypatch.setattr(origins, "_MOST_PACKED", 1000)
    with pytest.raises(DatasetNotFoundError, match="more than 1,000 bytes came"):
        datasets.load("tiny")
    assert files_in(cache) == []


def test_embeddings_of_other_nodes(server, cache):
    server.body = archive(FILES | {"data/emb/emb_train_0.40.content": "7 1.0 2.0 0.0\n"})
    with pytest.raises(DatasetNotFoundError, match="name other nodes"):
        datasets.load("emb")


def test_download_false_asks_nobody(server, cache):
    with pytest.raises(DatasetNotFoundError, match=r"download=False.*GRAPHOPT_DATA"):
        datasets.load("tiny", download=False)
    assert server.requests == 0
    assert files_in(cache) == []
