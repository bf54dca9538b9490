"""The published data: what they are known to hold. Needs the folder in GRAPHOPT_DATA."""

from __future__ import annotations

import os

import authors_files
import numpy as np
import pytest
from scipy.sparse import issparse

from graphopt import datasets
from graphopt.datasets import catalog, sources
from graphopt.datasets.archive import array_digest

pytestmark = pytest.mark.skipif(
    not os.environ.get("GRAPHOPT_DATA"),
    reason="the published data are not here: GRAPHOPT_DATA names no folder",
)

# nodes, edges, train, valid, test, not in train, without a train edge, components, largest, columns
COUNTS = {
    "cora": (2708, 5278, 2150, 539, 2683, 3128, 691, 78, 2485, 1433),
    "cora_connected": (2485, 5069, 3209, 971, 3805, 1860, 233, 1, 2485, 1433),
    "citeseer": (3312, 4536, 1831, 458, 2278, 2705, 1246, 438, 2110, 3703),
    "citeseer_connected": (2110, 3668, 2350, 716, 2748, 1318, 284, 1, 2110, 3703),
    "protein_vidal": (3133, 6149, 2454, 615, 3080, 3695, 1141, 210, 2783, 128),
    "protein_vidal_connected": (2783, 6007, 3855, 1136, 4529, 2152, 413, 1, 2783, 128),
    "moreno": (2539, 10455, 4798, 1275, 5858, 5657, 121, 1, 2539, 128),
    "fb_small": (2888, 2981, 1192, 298, 1491, 1789, 1699, 1, 2888, 128),
    "pubmed": (19717, 44324, 17733, 4433, 22166, 26591, 7213, 1, 19717, 500),
}


def load(name):
    return datasets.load(name, download=False)


@pytest.mark.parametrize("name", COUNTS)
def test_single_graphs(name):
    data = load(name)
    count, label = data.graph.connected_components()
    assert (
        data.n_nodes,
        data.graph.n_edges,
        data.observed.n_edges,
        len(data.splits.valid),
        len(data.splits.test),
        len(data.splits.unseen),
        int((data.observed.degrees == 0).sum()),
        count,
        int(np.bincount(label).max()),
        data.features.shape[1],
    ) == COUNTS[name]
    assert len(data.node_ids) == len(set(data.node_ids.tolist())) == data.n_nodes
    assert data.observed.n_nodes == data.n_nodes
    assert np.array_equal(data.observed.edges, data.splits.train)
    parts = np.concatenate([data.splits.train, data.splits.valid, data.splits.test])
    assert np.array_equal(np.unique(parts, axis=0), data.graph.edges)
    for x in (data.features, data.observed_features):
        assert x.shape == (data.n_nodes, COUNTS[name][-1])
        assert x.dtype == np.float32
        assert (abs(x).sum(axis=1) > 0).all()
    if data.features.shape[1] == 128:
        assert isinstance(data.features, np.ndarray)
        assert data.labels is None
        assert not (data.features == data.observed_features).all(axis=1).any()
    else:
        assert issparse(data.features)
        assert data.observed_features is data.features
        assert data.label_names is not None
        assert set(data.labels.tolist()) == set(range(len(data.label_names)))


def test_known_values():
    assert load("pubmed").features.nnz == 988_031
    assert np.bincount(load("pubmed").labels).tolist() == [4103, 7875, 7739]
    assert load("cora").features.nnz == 49_216
    assert load("cora").node_ids[:3].tolist() == [31336, 1061127, 1106406]
    assert load("citeseer").label_names == ("AI", "Agents", "DB", "HCI", "IR", "ML")
    first = np.float32([-0.579669, 0.162545, -0.319734])
    assert np.array_equal(load("moreno").observed_features[0, :3], first)


@pytest.mark.parametrize("name", ["moreno", "fb_small"])
def test_connected_as_they_are(name):
    assert load(f"{name}_connected").graph == load(name).graph


@pytest.mark.parametrize(
    ("name", "nodes", "edges", "most_nodes", "most_edges", "disconnected"),
    [
        ("pubmed_inductive", 19687, 35932, 1015, 4175, [1, 4, 5, 12, 14, 15, 16, 17]),
        ("pubmed_connected_inductive", 19501, 35740, 1015, 4175, []),
        ("synthetic_spa", 30000, 52524, 500, 909, []),
    ],
)
def test_many_graphs(name, nodes, edges, most_nodes, most_edges, disconnected):
    data = load(name)
    assert sum(part.n_nodes for part in data) == nodes
    assert sum(part.graph.n_edges for part in data) == edges
    assert max(part.n_nodes for part in data) == most_nodes
    assert max(part.graph.n_edges for part in data) == most_edges
    several = [i for i, part in enumerate(data) if part.graph.connected_components()[0] > 1]
    assert several == disconnected
    roles = [data.train_indices, data.validation_indices, data.test_indices]
    assert sorted(i for role in roles for i in role) == list(range(len(data)))
    for part in data:
        assert part.splits.unseen.shape[0] + part.observed.n_edges == part.graph.n_edges
        assert part.features.shape[0] == part.n_nodes == part.observed.n_nodes


def test_roles():
    pubmed, synthetic = load("pubmed_inductive"), load("synthetic_spa")
    assert [len(r) for r in (pubmed.train, pubmed.validation, pubmed.test)] == [10, 2, 8]
    assert pubmed.validation_indices == (10, 11)
    assert [len(r) for r in (synthetic.train, synthetic.validation, synthetic.test)] == [20, 10, 30]
    assert synthetic.validation_indices == tuple(range(50, 60))
    seen = sum(part.observed.n_edges for part in synthetic)
    assert seen == 33_696


def test_subgraphs_are_induced_by_their_nodes():
    whole, parts = load("pubmed"), load("pubmed_connected_inductive")
    row = {node: i for i, node in enumerate(whole.node_ids.tolist())}
    for part in parts[::5]:
        rows = [row[node] for node in part.node_ids.tolist()]
        assert whole.graph.subgraph(rows) == part.graph
        assert (whole.features[rows] != part.features).nnz == 0
        assert np.array_equal(whole.labels[rows], part.labels)


def read_all(name):
    """Return every array of a file, its notes too."""
    with np.load(os.path.join(os.environ["GRAPHOPT_DATA"], f"{name}.npz")) as held:
        return {key: held[key] for key in held.files}


@pytest.mark.parametrize("name", ["cora", "protein_vidal"])
def test_the_converters_make_these_arrays_of_the_authors_files(name):
    # The files are written back in the authors' layout, then converted again, with the graph's
    # largest component, to the digests on record.
    whole, part = read_all(name), read_all(f"{name}_connected")
    ids, part_ids = range(len(whole["node_ids"])), range(len(part["node_ids"]))
    loops = part["self_loops"].tolist()
    if name == "protein_vidal":
        files = authors_files.embedded_files(name, ids, whole)
        files |= authors_files.embedded_files(f"{name}_connected", part_ids, part)
    else:
        numbers = whole["node_ids"].tolist()
        files = authors_files.words_files(name, numbers, whole, scientific=True)
        files |= authors_files.edge_files(
            f"{name}_connected", part_ids, part, both_ways=True, loops=loops
        )
    for entry in (catalog.ENTRIES[name], catalog.ENTRIES[f"{name}_connected"]):
        parent = catalog.ENTRIES[entry.parent] if entry.parent else None
        assert array_digest(sources.convert(entry, parent, files.__getitem__)) == entry.digest
