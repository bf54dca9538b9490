"""What a data set is: a graph, what is seen of it, features and labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias, overload

import numpy as np
from numpy.typing import NDArray

from graphopt._validation import RandomState, check_random_state
from graphopt.datasets.splits import EdgeSplit
from graphopt.features import check_features
from graphopt.graph import Graph

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Features: TypeAlias = "NDArray[np.float32] | csr_array"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Dataset:
    """A graph, the part of it that is seen, and what is known of its nodes.

    Attributes
    ----------
    name : str
    graph : Graph
        The full graph, undirected: what decisions are judged on.
    observed : Graph
        All nodes, the training edges only.
    features : array of float32 or scipy csr_array of float32, shape (n_nodes, n_features)
        Belong to `graph`. Bags of words are sparse, embeddings dense. Not normalised.
    observed_features : like `features`
        Belong to `observed`. The same object as `features` unless those were computed from the
        full graph: an embedding of the full graph knows the edges that are not seen.
    splits : EdgeSplit
    labels : array of int32, shape (n_nodes,), or None
        Class of each node, an index into `label_names`; None where there are no classes.
    label_names : tuple of str or None
    node_ids : array of int64 or str, shape (n_nodes,)
        What the source calls each node.
    """

    name: str
    graph: Graph
    observed: Graph
    features: Features
    observed_features: Features
    splits: EdgeSplit
    labels: NDArray[np.int32] | None
    label_names: tuple[str, ...] | None
    node_ids: NDArray[Any]

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return self.graph.n_nodes

    @property
    def n_features(self) -> int:
        """Number of feature columns."""
        return int(self.features.shape[1])

    def permuted(self, random_state: RandomState = None) -> Dataset:
        """Return the same data set with its nodes renumbered at random.

        Published numberings may carry an answer: in ``fb_small`` the neighbours of a hub have
        numbers close together. Node i of the result is the node with id ``node_ids[i]``; only the
        numbers change.
        """
        order = check_random_state(random_state).permutation(self.n_nodes)
        position = np.argsort(order).astype(np.int32)

        def renumbered(edges: NDArray[np.int32]) -> NDArray[np.int32]:
            return np.unique(np.sort(position[edges], axis=1), axis=0)

        splits = self.splits
        features = check_features(self.features, self.n_nodes)[order]
        shared = self.observed_features is self.features
        return replace(
            self,
            graph=self.graph.subgraph(order),
            observed=self.observed.subgraph(order),
            features=features,
            observed_features=features
            if shared
            else check_features(self.observed_features, self.n_nodes)[order],
            splits=EdgeSplit(
                train=renumbered(splits.train),
                unseen=renumbered(splits.unseen),
                valid=None if splits.valid is None else renumbered(splits.valid),
                test=None if splits.test is None else renumbered(splits.test),
            ),
            labels=None if self.labels is None else self.labels[order],
            node_ids=self.node_ids[order],
        )

    def __repr__(self) -> str:
        words = [
            repr(self.name),
            f"n_nodes={self.n_nodes}",
            f"n_edges={self.graph.n_edges}",
            f"n_observed={self.observed.n_edges}",
            f"n_features={self.n_features}",
        ]
        if self.label_names is not None:
            words.append(f"n_classes={len(self.label_names)}")
        return f"Dataset({', '.join(words)})"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class InductiveDataset(Sequence[Dataset]):
    """Many graphs of one kind: learn on some, choose on others, decide on the rest.

    A sequence of :class:`Dataset`, in the order of the source's numbering.

    Attributes
    ----------
    name : str
    members : tuple of Dataset
    train_indices, validation_indices, test_indices : tuple of int
        Positions of the graphs that play each role.
    """

    name: str
    members: tuple[Dataset, ...]
    train_indices: tuple[int, ...]
    validation_indices: tuple[int, ...]
    test_indices: tuple[int, ...]

    @property
    def train(self) -> tuple[Dataset, ...]:
        """The graphs to learn on."""
        return tuple(self.members[i] for i in self.train_indices)

    @property
    def validation(self) -> tuple[Dataset, ...]:
        """The graphs to choose settings on."""
        return tuple(self.members[i] for i in self.validation_indices)

    @property
    def test(self) -> tuple[Dataset, ...]:
        """The graphs to be judged on."""
        return tuple(self.members[i] for i in self.test_indices)

    @overload
    def __getitem__(self, index: int) -> Dataset: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Dataset, ...]: ...
    def __getitem__(self, index: int | slice) -> Dataset | tuple[Dataset, ...]:
        return self.members[index]

    def __iter__(self) -> Iterator[Dataset]:
        return iter(self.members)

    def __len__(self) -> int:
        return len(self.members)

    def __repr__(self) -> str:
        roles = (
            f"train={len(self.train_indices)}, validation={len(self.validation_indices)}, "
            f"test={len(self.test_indices)}"
        )
        return f"InductiveDataset({self.name!r}, n_graphs={len(self)}, {roles})"
