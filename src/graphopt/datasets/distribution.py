"""The synthetic distribution of ClusterNet's appendix 2.2: graphs to learn on and to decide on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_random_state,
)
from graphopt.datasets.dataset import Dataset, InductiveDataset
from graphopt.datasets.structural_features import structural_features
from graphopt.datasets.synthetic import synthetic
from graphopt.features import RoleEmbedding, learn_roles
from graphopt.graph import Graph


def synthetic_distribution(
    n_train: int = 30,
    n_validation: int = 10,
    n_test: int = 20,
    *,
    n_nodes: int = 500,
    features: str = "role2vec",
    n_features: int = 64,
    seen_fraction: float = 0.4,
    random_state: RandomState = 0,
    num_threads: int | None = None,
) -> InductiveDataset:
    """Draw the graphs of :func:`synthetic` and say which to learn on.

    Parameters
    ----------
    n_train, n_validation, n_test : int
        Graphs of each role, at least 1 to learn on; in this order.
    n_nodes : int
        Of each graph.
    features : {"role2vec", "structural", "attributes"}
        ``"role2vec"``: roles are learned from the graphs to learn on alone, and the others' nodes
        are looked up. `observed_features` come from observed graphs only, of that graph and of
        those learned from, so edges that are not seen do not speak through them; `features` from
        full graphs likewise. Else as for :func:`synthetic`. The graphs are the same for all.
    n_features : int
        Columns of role2vec or structural features, of the latter at least 7.
    seen_fraction : float
    random_state : int, Generator or None
    num_threads : int, optional
        The result is the same bits at any number.

    Returns
    -------
    InductiveDataset
        As :func:`load` returns for ``"synthetic_spa"``, the published draw.

    Raises
    ------
    ValueError
        For arguments out of range.

    Notes
    -----
    In the published draw every node has a row of features of its own, also those without an edge;
    here nodes of one role share a row, and nodes without a seen edge have zeros.

    Examples
    --------
    >>> synthetic_distribution(2, 1, 1, n_nodes=60, n_features=8)
    InductiveDataset('synthetic_distribution', n_graphs=4, train=2, validation=1, test=1)
    """
    n_train = check_integer("n_train", n_train, minimum=1)
    n_validation = check_integer("n_validation", n_validation, minimum=0)
    n_test = check_integer("n_test", n_test, minimum=0)
    check_choice("features", features, ("role2vec", "structural", "attributes"))
    n_features = check_integer("n_features", n_features, minimum=1)
    rng = check_random_state(random_state)

    n_graphs = n_train + n_validation + n_test
    drawn = synthetic(
        n_nodes,
        n_graphs=n_graphs,
        features="attributes",
        seen_fraction=seen_fraction,
        random_state=rng,
    )
    if features == "role2vec":
        drawn = _with_roles(drawn, n_train, n_features, num_threads)
    elif features == "structural":
        drawn = _with_structure(drawn, n_features, rng)
    name = "synthetic_distribution"
    members = tuple(replace(data, name=f"{name}/{i}") for i, data in enumerate(drawn))
    chosen = n_train + n_validation
    return InductiveDataset(
        name,
        members,
        tuple(range(n_train)),
        tuple(range(n_train, chosen)),
        tuple(range(chosen, n_graphs)),
    )


def _with_roles(
    drawn: Sequence[Dataset], n_train: int, n_features: int, num_threads: int | None
) -> list[Dataset]:
    """Replace features by those of roles, learned from the first `n_train` graphs."""

    def learned(part: Callable[[Dataset], Graph]) -> RoleEmbedding:
        return learn_roles(
            (part(data) for data in drawn[:n_train]),
            n_features=n_features,
            num_threads=num_threads,
        )

    seen, full = learned(lambda data: data.observed), learned(lambda data: data.graph)
    return [
        replace(
            data,
            observed_features=seen.transform(data.observed),
            features=full.transform(data.graph),
        )
        for data in drawn
    ]


def _with_structure(
    drawn: Sequence[Dataset], n_features: int, rng: np.random.Generator
) -> list[Dataset]:
    return [
        replace(
            data,
            observed_features=structural_features(data.observed, n_features, random_state=rng),
            features=structural_features(data.graph, n_features, random_state=rng),
        )
        for data in drawn
    ]
