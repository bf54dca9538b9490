"""What holds for the partition of any graph by any algorithm."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import random_graph
from hypothesis import given, settings
from hypothesis import strategies as st

from graphopt import cnm, leiden, modularity, newman, spectral
from tests.reference import communities as twin

ALGORITHMS = {
    "cnm": cnm,
    "newman": newman,
    "newman without refining": lambda graph, k: newman(graph, k, refine=False),
    "spectral": lambda graph, k: spectral(graph, k, n_init=2, random_state=0),
    "leiden": lambda graph, k: leiden(graph, k, random_state=0),
}
each_algorithm = pytest.mark.parametrize("name", ALGORITHMS)
graphs = st.builds(
    random_graph,
    st.integers(1, 25),
    st.integers(0, 60),
    st.integers(0, 1000),
    weights=st.sampled_from([None, "int", "float"]),
)


@each_algorithm
@settings(max_examples=40, deadline=None)
@given(graphs, st.data())
def test_k_groups_none_empty_and_worth_what_is_said(name, graph, data):
    k = data.draw(st.integers(1, graph.n_nodes))
    found = ALGORITHMS[name](graph, k)
    sizes = np.bincount(found.labels)
    assert sizes.min() >= 1
    assert sizes.sum() == graph.n_nodes
    assert found.n_communities <= k if name == "leiden" else found.n_communities == k
    assert found.modularity == modularity(graph, found.labels)
    dense = graph.to_scipy().toarray()
    assert found.modularity == pytest.approx(twin.modularity(dense, found.labels), abs=1e-9)
    assert -0.5 <= found.modularity <= 1.0


@pytest.mark.parametrize("algorithm", [cnm, newman], ids=["cnm", "newman"])
@settings(max_examples=40, deadline=None)
@given(graphs)
def test_left_alone_no_component_is_joined_to_another(algorithm, graph):
    found = algorithm(graph)
    n_components, component = graph.connected_components()
    assert found.n_communities >= n_components
    for group in range(found.n_communities):
        assert len(np.unique(component[found.labels == group])) == 1
