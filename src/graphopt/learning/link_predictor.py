"""A link predictor as an estimator: fit on seen edges, then ask for probabilities of others."""

from __future__ import annotations

import copy
import operator
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt._validation import RandomState, check_integer, check_random_state
from graphopt.communities import check_strengths
from graphopt.completion.unseen_pairs import UnseenPairs
from graphopt.features import check_features
from graphopt.graph import Graph, check_graph
from graphopt.learning.descent import Keeper, OnIteration, descend, progress_bar, seeded
from graphopt.learning.inputs import (
    Described,
    EncoderInputs,
    encoder_rows,
    prepare_each,
    prepare_validation,
    rows_of_a_kind,
)
from graphopt.learning.link_probabilities import LinkProbabilities
from graphopt.learning.one_thread import one_thread
from graphopt.learning.recipes import LINKS, Recipe
from graphopt.nn import LinkPredictor as Network

if TYPE_CHECKING:
    from typing_extensions import Self


class LinkPredictor(LinkProbabilities):
    """Learn from seen edges and node features how likely an edge is between any two nodes.

    Nodes are embedded by a graph convolutional network, pairs are scored by
    ``sum_d e_id r_d e_jd`` (DistMult), and both are trained by cross-entropy on the seen edges and
    as many pairs without a seen edge, drawn anew at each step.

    Parameters
    ----------
    recipe : Recipe, optional
        Settings of the network and its training: ``hidden_features``, ``embedding_features``,
        ``iterations``, ``learning_rate``, ``weight_decay``, ``dropout``, ``feature_dropout``,
        ``masking``, ``smoothing`` and, for validation graphs, ``check_every``; the others have no
        effect here. A setting that is left out is that of
        :data:`graphopt.learning.recipes.LINKS`.
    iterations : int, optional
        Steps of Adam; takes precedence over the recipe's. Default: 300.
    random_state : int, Generator or None
        Seed of everything random; an int makes :meth:`fit` repeatable to the bit.
    verbose : bool
        Show a progress bar.

    Attributes
    ----------
    embedding_ : array of float32, shape (n_nodes, embedding_features)
    relation_ : array of float32, shape (embedding_features,)
        The weights r.
    losses_ : list of float
        Loss of every step.
    graph_ : Graph
        The seen graph that predictions are about.
    graphs_ : tuple of Graph
        What it was trained on: `graph_`, or the graphs given to :meth:`fit_inductive`.
    network_ : graphopt.nn.LinkPredictor
    interrupted_ : bool
        Whether Ctrl-C or a callback ended training early.

    Notes
    -----
    Probabilities are those of training, where edges and other pairs are equally frequent; true
    edges are far rarer, so probabilities of all pairs sum to many more edges than there are.
    Rankings are not affected; :class:`TwoStage` can correct the sum.

    Wilder et al., "End to End Learning and Optimization on Graphs", NeurIPS 2019, the first of the
    two stages.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(60, random_state=0)
    >>> model = LinkPredictor(iterations=30, random_state=0)
    >>> model = model.fit(data.observed, data.observed_features)
    >>> model.predict([(0, 1), (5, 7)]).shape
    (2,)
    >>> scores = model.evaluate(data.splits.unseen)
    >>> 0.0 <= scores.auc <= 1.0
    True
    """

    losses_: list[float]
    graphs_: tuple[Graph, ...]
    network_: Network
    interrupted_: bool
    _n_features: int | None  # None: fitted without features

    def __init__(
        self,
        *,
        recipe: Recipe | None = None,
        iterations: int | None = None,
        random_state: RandomState = None,
        verbose: bool = False,
    ) -> None:
        self.recipe = recipe
        self.iterations = iterations
        self.random_state = random_state
        self.verbose = verbose

    # --- learning -------------------------------------------------------------------------------

    @one_thread()
    def fit(
        self, graph: Graph, features: Any = None, *, on_iteration: OnIteration | None = None
    ) -> Self:
        """Train on the seen edges.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected, with every node.
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional
            Node features; None: every node is its own feature.
        on_iteration : callable, optional
            Called with (steps made, None, loss) after every step; training ends if it returns True.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a parameter out of range, features that do not match, or a graph without an edge or
            with an edge between all nodes.
        """
        recipe, random_state = self._settings(), check_random_state(self.random_state)
        cases = LinkCases([self._case(graph, features)])
        self._start(cases, recipe, random_state)
        self._train(cases, recipe, random_state, on_iteration)
        self.graphs_ = (graph,)
        self._describe(graph, cases)
        self._n_features = None if features is None else cases.inputs.n_features
        return self

    @one_thread()
    def fit_inductive(
        self,
        graphs: Sequence[Graph],
        features: Sequence[Any],
        *,
        validation_graphs: Sequence[Graph] | None = None,
        validation_features: Sequence[Any] | None = None,
        on_iteration: OnIteration | None = None,
    ) -> Self:
        """Train on the seen edges of several graphs, to predict those of others.

        Go on with :meth:`transfer` or :meth:`fine_tune`; until then there is no ``graph_`` and no
        ``embedding_``, and nothing can be predicted.

        Parameters
        ----------
        graphs : list of Graph
            What is seen of each, undirected, with every node; of any sizes.
        features : list of array, sparse array or tensor, shape (n_nodes, n_features)
            Node features, of one kind and width.
        validation_graphs, validation_features : list, optional
            Further graphs, likewise. The state of the network is kept in which the cross-entropy
            on their seen edges is lowest, a share of them (the recipe's ``masking``) hidden.
            Default: the last state is kept.
        on_iteration : callable, optional
            As for :meth:`fit`.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            For lists that do not match, and as :meth:`fit`, naming the graph.

        Examples
        --------
        >>> from graphopt import datasets
        >>> data = [datasets.synthetic(60, random_state=seed) for seed in range(3)]
        >>> seen, features = zip(*((d.observed, d.observed_features) for d in data))
        >>> model = LinkPredictor(iterations=30, random_state=0)
        >>> model = model.fit_inductive(seen[:2], features[:2])
        >>> model.transfer(seen[2], features[2]).predict([(0, 1), (5, 7)]).shape
        (2,)
        """
        recipe, random_state = self._settings(), check_random_state(self.random_state)
        given = prepare_each(("graphs", "features"), graphs, features, self._case)
        others = prepare_validation(given, validation_graphs, validation_features, self._case)
        cases = LinkCases(given)
        self._start(cases, recipe, random_state)
        judged_on = LinkCases(others) if others else None
        self._train(cases, recipe, random_state, on_iteration, judged_on)
        self._forget("graph_", "embedding_")  # of an earlier fit
        self.graphs_ = tuple(graphs)
        self._n_features = cases.inputs.n_features
        return self

    @one_thread()
    def transfer(self, graph: Graph, features: Any) -> Self:
        """Return a copy that predicts on another graph, without training.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array or tensor, shape (n_nodes, n_features)
            Of the same kind and width as those given to :meth:`fit` or :meth:`fit_inductive`.

        Returns
        -------
        LinkPredictor
            Fitted; ``losses_`` are those of this one.

        Raises
        ------
        TypeError, ValueError
            For features that do not match.
        sklearn.exceptions.NotFittedError
            Before :meth:`fit` or :meth:`fit_inductive`.
        """
        other, cases = self._copy_for(graph, features)
        other._describe(graph, cases)
        return other

    @one_thread()
    def fine_tune(
        self,
        graph: Graph,
        features: Any,
        *,
        iterations: int | None = None,
        on_iteration: OnIteration | None = None,
    ) -> Self:
        """Return a copy that is trained on, on the seen edges of another graph.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array or tensor, shape (n_nodes, n_features)
            Of the same kind and width as those given to :meth:`fit` or :meth:`fit_inductive`.
        iterations : int, optional
            Steps of training. Default: a quarter of those before.
        on_iteration : callable, optional
            As for :meth:`fit`.

        Returns
        -------
        LinkPredictor
            Fitted to `graph`; this one stays as it is.

        Raises
        ------
        TypeError, ValueError
            As :meth:`fit`, and for features of another width.
        sklearn.exceptions.NotFittedError
            Before :meth:`fit` or :meth:`fit_inductive`.
        """
        other, cases = self._copy_for(graph, features)
        recipe = self._settings()
        steps = max(1, recipe.iterations // 4) if iterations is None else iterations
        check_integer("iterations", steps, minimum=1)
        recipe = replace(recipe, iterations=steps)
        other._train(cases, recipe, check_random_state(self.random_state), on_iteration)
        other._describe(graph, cases)
        return other

    def _settings(self) -> Recipe:
        return self._complete_recipe(LINKS, iterations=self.iterations)

    def _case(self, graph: Graph, features: Any) -> Described:
        """Return what is learned from on one graph."""
        check_graph("graph", graph)
        rows = None if features is None else check_features(features, graph.n_nodes)
        _check_learnable(graph)
        return Described(graph, encoder_rows(graph, rows, self._settings().smoothing))

    def _copy_for(self, graph: Graph, features: Any) -> tuple[Self, LinkCases]:
        """Return a copy with the trained network, and `graph` as it sees it."""
        self._check_fitted("network_", "has learned nothing")
        check_graph("graph", graph)
        case = self._case(graph, rows_of_a_kind(graph, features, self._n_features))
        other = type(self)(**self.get_params(deep=False))
        other.network_ = copy.deepcopy(self.network_)
        other.losses_, other.interrupted_ = list(self.losses_), self.interrupted_
        other.graphs_, other._n_features = self.graphs_, self._n_features
        return other, LinkCases([case])

    def _start(self, cases: LinkCases, recipe: Recipe, random_state: np.random.Generator) -> None:
        """Make a new network."""
        inputs = cases.inputs
        with torch.random.fork_rng(devices=[]):  # a new network draws what nobody will use
            self.network_ = Network(
                inputs.n_features,
                hidden_features=recipe.hidden_features,
                embedding_features=recipe.embedding_features,
                dropout=recipe.dropout,
            )
        self.network_.initialize(inputs.features, inputs.adjacency.whole, random_state)

    def _train(
        self,
        cases: LinkCases,
        recipe: Recipe,
        random_state: np.random.Generator,
        on_iteration: OnIteration | None,
        judged_on: LinkCases | None = None,
    ) -> None:
        """Train the network, from the state it is in, to tell seen edges from other pairs.

        Every seen edge of every graph counts alike, and so does a pair without one for each, drawn
        anew at each step. The state is kept that has the lowest loss on `judged_on`, on pairs and
        an encoder's view drawn once; by default the last.
        """
        network = self.network_
        best = np.inf

        def loss(step: int) -> Tensor:
            others = cases.draw_others(random_state)
            seen = cases.inputs.perturbed(recipe.feature_dropout, recipe.masking)
            return network.loss(network(*seen), cases.edges, others)

        def after(step: int, loss: float) -> bool | None:
            nonlocal best
            best = min(best, loss)
            report(step, loss, best)
            return on_iteration is not None and on_iteration(step, None, loss)

        with progress_bar(recipe.iterations, self.verbose) as report, seeded(random_state):
            keeper = None
            if judged_on is not None:
                keeper = Keeper(
                    network, _judge(network, judged_on, recipe, random_state), operator.lt
                )
            self.losses_, self.interrupted_ = descend(
                network, loss, recipe, keeper=keeper, after=after
            )
        if keeper is not None and keeper.checks:
            keeper.restore()
        network.eval()

    def _describe(self, graph: Graph, cases: LinkCases) -> None:
        """Set what predictions on `graph` are made from."""
        with torch.no_grad():
            embedding = self.network_(cases.inputs.features, cases.inputs.adjacency.whole)
        self.embedding_ = embedding.numpy()
        self.relation_ = self.network_.relation.detach().numpy().copy()
        self.graph_ = graph


def _judge(
    network: Network, cases: LinkCases, recipe: Recipe, random_state: np.random.Generator
) -> Callable[[], tuple[float, None]]:
    """Return a function that computes the loss on some graphs, on pairs and a view drawn now."""
    others = cases.draw_others(random_state)
    view = cases.inputs.perturbed(0.0, recipe.masking)
    return lambda: (float(network.loss(network(*view), cases.edges, others)), None)


def _check_learnable(graph: Graph) -> None:
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
    cases : sequence of Described
        At least one.
    """

    def __init__(self, cases: Sequence[Described]) -> None:
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
