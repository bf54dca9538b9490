"""Training a link predictor on the seen edges of one graph or several."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt.communities import check_strengths
from graphopt.completion.unseen_pairs import UnseenPairs
from graphopt.graph import Graph
from graphopt.learning.adam import Adam
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.trainer import Progress
from graphopt.nn import LinkPredictor as Network

_CHECK_EVERY = 10


@dataclass(frozen=True, slots=True, eq=False)
class LinkCase:
    """A seen graph and its rows as the encoder takes them."""

    graph: Graph
    rows: Any


def check_learnable(graph: Graph) -> None:
    """Raise ValueError unless `graph` is undirected, with and without edges between nodes."""
    check_strengths("graph", graph)
    n, m = graph.n_nodes, graph.n_edges
    if m == 0 or m == n * (n - 1) // 2:
        raise ValueError(
            f"graph must have both pairs with and without an edge, not {m} edges between {n} nodes"
        )


class LinkCases:
    """Seen graphs, one after another: their edges, and pairs without an edge to tell them from.

    Parameters
    ----------
    cases : sequence of LinkCase
        At least one.
    """

    def __init__(self, cases: Sequence[LinkCase]) -> None:
        graphs = [case.graph for case in cases]
        self.inputs = EncoderInputs.stack(
            [case.rows for case in cases], graphs, [None] * len(graphs)
        )
        self._starts = list(accumulate((graph.n_nodes for graph in graphs), initial=0))[:-1]
        self._counts = [graph.n_edges for graph in graphs]
        self._unseen = [UnseenPairs(graph.n_nodes, graph.edges) for graph in graphs]
        self.edges = self._joined([graph.edges.astype(np.int64) for graph in graphs])

    def draw_others(self, random_state: np.random.Generator) -> Tensor:
        """Return as many pairs without a seen edge as each graph has edges."""
        return self._joined(
            [
                unseen.draw(count, random_state)
                for unseen, count in zip(self._unseen, self._counts, strict=True)
            ]
        )

    def _joined(self, pairs: list[NDArray[np.int64]]) -> Tensor:
        shifted = [part + start for part, start in zip(pairs, self._starts, strict=True)]
        return torch.from_numpy(np.concatenate(shifted))


def train_links(
    network: Network,
    cases: LinkCases,
    optimizer: Adam,
    iterations: int,
    *,
    feature_dropout: float,
    edge_dropout: float,
    random_state: np.random.Generator,
    progress: Progress,
    judged_on: LinkCases | None = None,
) -> tuple[list[float], bool]:
    """Train `network`, already initialised, to tell seen edges from other pairs.

    Every seen edge of every graph counts alike, and so does a pair without one for each, drawn
    anew at each step.

    Parameters
    ----------
    network : graphopt.nn.LinkPredictor
        Left in evaluation mode.
    cases : LinkCases
    optimizer : Adam
        Of the network's parameters.
    iterations : int
    feature_dropout, edge_dropout : float
        Shares hidden from the encoder.
    random_state : numpy.random.Generator
    progress : callable
    judged_on : LinkCases, optional
        The state is kept that has the lowest loss here, on pairs and an encoder's view drawn once.
        Default: the last state is kept.

    Returns
    -------
    losses : list of float
    interrupted : bool
        Whether Ctrl-C ended it.
    """
    losses: list[float] = []
    interrupted = False
    network.train()
    with torch.random.fork_rng(devices=[]):  # dropout draws from the global generator
        torch.manual_seed(int(random_state.integers(2**63)))
        judge = None if judged_on is None else _Judge(judged_on, edge_dropout, random_state)
        try:
            for step in range(1, iterations + 1):
                others = cases.draw_others(random_state)
                seen = cases.inputs.perturbed(feature_dropout, edge_dropout)
                optimizer.zero_grad()
                loss = network.loss(network(*seen), cases.edges, others)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                losses.append(loss.item())
                if judge is not None and (step % _CHECK_EVERY == 0 or step == iterations):
                    judge.look(network)
                progress(step, losses[-1], min(losses))
        except KeyboardInterrupt:
            interrupted = True
    if judge is not None and judge.state is not None:
        network.load_state_dict(judge.state)
    network.eval()
    return losses, interrupted


class _Judge:
    """Keeps the state of a network that does best on some graphs."""

    def __init__(
        self, cases: LinkCases, edge_dropout: float, random_state: np.random.Generator
    ) -> None:
        self._edges, self._others = cases.edges, cases.draw_others(random_state)
        self._view = cases.inputs.perturbed(0.0, edge_dropout)
        self._best = float("inf")
        self.state: dict[str, Tensor] | None = None

    def look(self, network: Network) -> None:
        network.eval()
        with torch.no_grad():
            loss = float(network.loss(network(*self._view), self._edges, self._others))
        network.train()
        if loss < self._best:
            self._best, self.state = loss, copy.deepcopy(network.state_dict())
