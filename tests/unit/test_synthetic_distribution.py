"""The synthetic distribution: which graphs play which role, and what their features know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from graphopt.datasets import InductiveDataset, synthetic, synthetic_distribution
from graphopt.datasets.distribution import _with_roles
from graphopt.features import learn_roles

SMALL = {"n_nodes": 80, "n_features": 8}


def test_sixty_graphs_by_default():
    data = synthetic_distribution(n_nodes=100)
    assert isinstance(data, InductiveDataset)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [30, 10, 20]
    assert data.train + data.validation + data.test == data.members
    assert [member.name for member in data[:2]] == [f"synthetic_distribution/{i}" for i in (0, 1)]
    for member in data:
        assert member.n_nodes == 100
        assert member.observed.n_edges == round(0.4 * member.graph.n_edges)
        for x in (member.features, member.observed_features):
            assert x.shape == (100, 64)
            assert x.dtype == np.float32
            assert np.isfinite(x).all()
        alone = member.observed.degrees == 0
        assert ((member.observed_features == 0).all(axis=1) == alone).all()
        assert len(np.unique(member.observed_features, axis=0)) < 50  # roles, not nodes


def test_roles_come_from_the_graphs_to_learn_on():
    data = synthetic_distribution(3, 1, 2, **SMALL)
    seen = learn_roles([member.observed for member in data.train], n_features=8)
    full = learn_roles([member.graph for member in data.train], n_features=8)
    for member in data:
        assert np.array_equal(member.observed_features, seen.transform(member.observed))
        assert np.array_equal(member.features, full.transform(member.graph))
    fewer = synthetic_distribution(3, 0, 0, **SMALL)
    for one, other in zip(data.train, fewer, strict=True):
        assert np.array_equal(one.observed_features, other.observed_features)


def test_edges_that_are_not_seen_do_not_speak_through_features():
    drawn = synthetic(60, n_graphs=3, features="attributes", random_state=1)
    blind = [replace(data, graph=data.observed) for data in drawn]
    knowing, ignorant = (_with_roles(part, 2, 8, None) for part in (drawn, blind))
    for one, other in zip(knowing, ignorant, strict=True):
        assert np.array_equal(one.observed_features, other.observed_features)
        assert not np.array_equal(one.features, other.features)


def test_same_seed_same_bits():
    one, same = (synthetic_distribution(2, 1, 1, num_threads=t, **SMALL) for t in (1, 3))
    other = synthetic_distribution(2, 1, 1, random_state=1, **SMALL)
    for a, b, c in zip(one, same, other, strict=True):
        assert a.graph == b.graph
        assert a.observed == b.observed
        assert np.array_equal(a.features, b.features)
        assert np.array_equal(a.observed_features, b.observed_features)
        assert a.graph != c.graph


def test_the_graphs_are_those_of_synthetic_whatever_the_features():
    plain = synthetic(60, n_graphs=2, features="attributes", random_state=4)
    for features, n_features in (("role2vec", 8), ("structural", 8), ("attributes", 2)):
        data = synthetic_distribution(
            1, 0, 1, features=features, n_nodes=60, n_features=8, random_state=4
        )
        for member, wanted in zip(data, plain, strict=True):
            assert member.graph == wanted.graph
            assert member.observed == wanted.observed
            assert np.array_equal(member.labels, wanted.labels)
            assert member.observed_features.shape == (60, n_features)
            assert member.features.shape == (60, n_features)


def test_structural_features_belong_to_their_graphs():
    member = synthetic_distribution(1, 0, 0, features="structural", n_nodes=60)[0]
    for x, graph in (
        (member.observed_features, member.observed),
        (member.features, member.graph),
    ):
        assert np.allclose(x[:, 0], np.log1p(graph.degrees))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_train": 0}, "n_train must be at least 1"),
        ({"n_validation": -1}, "n_validation must be at least 0"),
        ({"n_test": -1}, "n_test must be at least 0"),
        ({"n_nodes": 0}, "n_nodes must be at least 1"),
        ({"features": "words"}, "features must be one of attributes, role2vec, structural"),
        ({"n_features": 0}, "n_features must be at least 1"),
        ({"features": "structural", "n_features": 6}, "n_features must be at least 7"),
        ({"seen_fraction": 2}, "seen_fraction must be at most 1"),
        ({"num_threads": 0}, "num_threads must be at least 1"),
    ],
)
def test_bad_requests_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        synthetic_distribution(**{"n_train": 1, "n_nodes": 30} | arguments)
