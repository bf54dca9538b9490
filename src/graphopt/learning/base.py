"""What the estimators that learn a decision share: fit, predict, score, files."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._validation import RandomState, check_integer, check_random_state
from graphopt.centers import evaluate_centers
from graphopt.completion import Completion, spread_over_groups
from graphopt.datasets.hiding import check_share
from graphopt.features import node_features
from graphopt.graph import Graph, check_graph
from graphopt.learning.completing import completion_for
from graphopt.learning.descent import OnIteration
from graphopt.learning.files import SavedEstimator
from graphopt.learning.groups import (
    best_start,
    finished,
    groups_to_start_from,
    start_well,
    warm_start,
)
from graphopt.learning.inputs import (
    Batch,
    Case,
    Described,
    EncoderInputs,
    prepare_case,
    prepare_each,
    prepare_validation,
    rows_of_a_kind,
)
from graphopt.learning.one_thread import one_thread
from graphopt.learning.parameters import DecidingEstimator
from graphopt.learning.recipes import (
    Recipe,
    default_recipe,
    fine_tuning_recipe,
    inductive_recipe,
)
from graphopt.learning.trainer import DecidingNetwork, Trained, TrainingRun, train_restarts
from graphopt.nn.losses import Loss, loss_of
from graphopt.objectives import Objective

if TYPE_CHECKING:
    from typing_extensions import Self


class DecisionEstimator(SavedEstimator, DecidingEstimator):
    """Trains a network that decides on a partly seen graph; a subclass says which network."""

    training_value_: float
    runs_: list[TrainingRun]
    network_: Any
    completion_: Completion | None
    interrupted_: bool
    _n_features: int | None  # None: fitted without features
    _n_inputs: int  # width of what the encoder takes
    _trained_by: Recipe
    _outputs: ClassVar[tuple[str, ...]]  # attributes that hold the network's output as arrays

    def __init__(
        self,
        n_clusters: int = 10,
        objective: Literal["modularity", "k-center"] | Objective | Loss = "modularity",
        *,
        seen_fraction: float = 1.0,
        completion: Literal["auto", "features"] | Completion | None = "auto",
        features_from_edges: bool = False,
        recipe: Recipe | None = None,
        iterations: int | None = None,
        n_restarts: int | None = None,
        random_state: RandomState = None,
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.objective = objective
        self.seen_fraction = seen_fraction
        self.completion = completion
        self.features_from_edges = features_from_edges
        self.recipe = recipe
        self.iterations = iterations
        self.n_restarts = n_restarts
        self.random_state = random_state
        self.verbose = verbose

    @abstractmethod
    def _network(self, n_features: int, objective: Loss, recipe: Recipe) -> DecidingNetwork:
        """Return a new network, not yet initialised."""

    @abstractmethod
    def _publish_output(
        self, inputs: EncoderInputs, nodes: NDArray[np.int32], n_nodes: int
    ) -> None:
        """Set the attributes of `_outputs`, for all nodes, from the trained network."""

    # --- learning -------------------------------------------------------------------------------

    @one_thread()
    def fit(
        self,
        graph: Graph,
        features: Any = None,
        *,
        start_labels: ArrayLike | None = None,
        on_iteration: OnIteration | None = None,
    ) -> Self:
        """Train on what is seen and decide.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected, with every node.
        features : array, sparse array, tensor or callable, optional
            Node features, shape (n_nodes, n_features), or a function that computes them from a
            graph; None: every node is its own feature.
        start_labels : array of int, shape (n_nodes,), optional
            Groups to start from, at most `n_clusters`, in place of what the recipe says under
            ``start``: every restart's first centres are their mean embeddings.
        on_iteration : callable, optional
            Watches the training: called with (steps made, decision, value) before the first step
            and after every step of every restart. The decision, about the informative nodes, is
            the one decoded at the last look (the recipe's ``check_every``), and the value is its
            training value. If it returns True, training ends here and the best so far is kept.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            For a parameter out of range, fewer informative nodes than clusters, or features or
            labels that do not match.
        """
        check_graph("graph", graph)
        objective, recipe = self._settings(default_recipe)
        random_state = check_random_state(self.random_state)
        rows = node_features(graph, features)
        completion = self._completion(objective, [graph], [features])
        case = prepare_case(graph, rows, self.n_clusters, objective, recipe, completion)
        batch = Batch.of_one(case)
        inputs = batch.inputs
        groups = groups_to_start_from(objective, recipe, case, self.n_clusters, start_labels)

        def new_network() -> DecidingNetwork:
            network = self._initialized(inputs, objective, recipe, random_state)
            if groups is not None:
                warm_start(network, inputs, groups(random_state), recipe, random_state)
            return network

        trained = self._train(new_network, batch, objective, recipe, random_state, on_iteration)
        self.completion_ = completion
        self._n_features = None if features is None else inputs.n_features
        self._n_inputs = inputs.n_features
        self._publish(objective, recipe, case, inputs, trained, random_state)
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
        """Train one network on several graphs, to decide on others.

        Decide by :meth:`predict`, or by :meth:`fine_tune`, which trains a little. There is no
        ``labels_``, ``decision_`` or other result about a graph afterwards.

        Parameters
        ----------
        graphs : list of Graph
            What is seen of each, undirected, with every node; of any sizes.
        features : list of array, sparse array, tensor or callable
            Of each graph as for :meth:`fit`, of one kind and width.
        validation_graphs, validation_features : list, optional
            Further graphs, likewise, on which the state of the network and the restart are
            chosen: by the decoded objective on what is seen of them. Default: on `graphs`.
        on_iteration : callable, optional
            As for :meth:`fit`; the decision is a list, one for each graph on which is chosen, and
            the value is their mean.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            For lists that do not match, and as :meth:`fit`, naming the graph.

        Examples
        --------
        >>> from graphopt import ClusterNet, datasets
        >>> data = [datasets.synthetic(60, random_state=seed) for seed in range(3)]
        >>> seen, features = zip(*((d.observed, d.observed_features) for d in data))
        >>> model = ClusterNet(3, iterations=20, n_restarts=1, random_state=0)
        >>> model = model.fit_inductive(seen[:2], features[:2])
        >>> model.predict(seen[2], features[2]).shape
        (60,)
        >>> model.fine_tune(seen[2], features[2], iterations=5).labels_.shape
        (60,)
        """
        objective, recipe = self._settings(inductive_recipe)
        if recipe.start != "k-means++" or recipe.pretraining or recipe.consensus:
            raise ValueError(
                "start, pretraining and consensus are about the groups of one graph; "
                "fit_inductive learns on several"
            )
        random_state = check_random_state(self.random_state)

        def rows_of(graph: Graph, features: Any) -> Described:
            check_graph("graph", graph)
            return Described(graph, node_features(graph, features))

        def prepare(graph: Graph, rows: Any) -> Case:
            return prepare_case(graph, rows, self.n_clusters, objective, recipe, completion)

        names = ("graphs", "features")
        rows = [each.rows for each in prepare_each(names, graphs, features, rows_of)]
        completion = self._completion(objective, graphs, features)
        cases = prepare_each(names, graphs, rows, prepare)
        others = prepare_validation(cases, validation_graphs, validation_features, prepare)
        batch = Batch.of(cases)
        inputs = batch.inputs

        def new_network() -> DecidingNetwork:
            return self._initialized(inputs, objective, recipe, random_state)

        judged_on = Batch.of(others) if others else None
        self._train(new_network, batch, objective, recipe, random_state, on_iteration, judged_on)
        self.completion_ = completion
        self._n_features = self._n_inputs = inputs.n_features
        self._forget_decision()
        return self

    @one_thread()
    def fine_tune(
        self,
        graph: Graph,
        features: Any,
        *,
        iterations: int | None = None,
        on_iteration: OnIteration | None = None,
    ) -> Self:
        """Return a copy that went on training on another graph and has decided on it.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array, tensor or callable
            Of the same kind and width as those given to :meth:`fit` or :meth:`fit_inductive`.
        iterations : int, optional
            Steps of training. Default: see :func:`graphopt.learning.recipes.fine_tuning_recipe`.
        on_iteration : callable, optional
            As for :meth:`fit`.

        Returns
        -------
        estimator
            Fitted to `graph` as by :meth:`fit`, but started from the weights learned so far; this
            estimator stays as it is. Its training value is that of the first look, before any
            step, or better.

        Raises
        ------
        TypeError, ValueError
            As :meth:`fit`, and for features of another width.
        sklearn.exceptions.NotFittedError
            Before :meth:`fit` or :meth:`fit_inductive`.
        """
        self._check_learned()
        recipe = fine_tuning_recipe(self._trained_by, iterations)
        objective, random_state = self._objective(), check_random_state(self.random_state)
        case = self._case_of_a_kind(objective, recipe, graph, features)
        batch = Batch.of_one(case)
        tuned = type(self)(**self.get_params(deep=False))

        def new_network() -> DecidingNetwork:
            network: DecidingNetwork = copy.deepcopy(self.network_)
            start_well(
                network, batch.inputs, objective, case.problem, recipe.n_starts, random_state
            )
            return network

        trained = tuned._train(new_network, batch, objective, recipe, random_state, on_iteration)
        tuned.completion_ = self.completion_
        tuned._n_features, tuned._n_inputs = self._n_features, self._n_inputs
        tuned._publish(objective, recipe, case, batch.inputs, trained, random_state)
        return tuned

    @one_thread()
    def predict(self, graph: Graph, features: Any) -> NDArray[Any]:
        """Decide on another graph with the trained network, without training.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array, tensor or callable
            Of the same kind and width as those given to :meth:`fit` or :meth:`fit_inductive`.

        Returns
        -------
        array
            Labels of the nodes, or chosen nodes.
        """
        self._check_learned()
        objective, recipe = self._objective(), self._trained_by
        case = self._case_of_a_kind(objective, recipe, graph, features)
        inputs = Batch.of_one(case).inputs
        random_state = np.random.default_rng(0)
        decision, _ = best_start(
            self.network_, inputs, objective, case.problem, recipe.n_starts, random_state
        )
        if recipe.polish:
            decision = objective.improve(
                decision, case.problem, self.n_clusters, random_state=random_state
            )
        return self._on_all_nodes(objective, decision, case, random_state)

    # --- steps of a fit -------------------------------------------------------------------------

    def _objective(self) -> Loss:
        return loss_of(self.objective, self.n_clusters)

    def _settings(self, usual: Callable[[Loss, float], Recipe]) -> tuple[Loss, Recipe]:
        """Return the objective and the complete recipe; `usual` gives what is left out."""
        check_integer("n_clusters", self.n_clusters, minimum=1)
        objective = self._objective()
        share = check_share(self.seen_fraction)
        recipe = self._complete_recipe(
            usual(objective, share), iterations=self.iterations, n_restarts=self.n_restarts
        )
        if recipe.consensus and objective.decides != "labels":
            raise ValueError("consensus is of groups; the objective decides on centers")
        if recipe.polish and not objective.improves:
            raise ValueError(
                f"polish needs an objective with a method improve, which "
                f"{type(objective).__name__} does not have"
            )
        return objective, recipe

    def _completion(
        self, objective: Loss, graphs: Sequence[Graph], features: Sequence[Any]
    ) -> Completion | None:
        """Return the completion for graphs of this kind."""
        return completion_for(
            self.completion,
            graphs,
            features,
            n_clusters=self.n_clusters,
            objective=objective,
            seen_fraction=self.seen_fraction,
            features_from_edges=self.features_from_edges,
        )

    def _case_of_a_kind(self, objective: Loss, recipe: Recipe, graph: Graph, features: Any) -> Case:
        """Return a case that the trained network can decide on."""
        check_graph("graph", graph)
        rows = rows_of_a_kind(graph, features, self._n_features)
        return prepare_case(graph, rows, self.n_clusters, objective, recipe, self.completion_)

    def _initialized(
        self,
        inputs: EncoderInputs,
        objective: Loss,
        recipe: Recipe,
        random_state: np.random.Generator,
    ) -> DecidingNetwork:
        network = self._network(inputs.n_features, objective, recipe)
        network.initialize(inputs.features, inputs.adjacency.whole, random_state)
        return network

    def _train(
        self,
        new_network: Callable[[], DecidingNetwork],
        batch: Batch,
        objective: Loss,
        recipe: Recipe,
        random_state: np.random.Generator,
        on_iteration: OnIteration | None,
        judged_on: Batch | None = None,
    ) -> Trained:
        """Train from several starts, and set what the best of them leaves behind."""
        trained = train_restarts(
            new_network, batch, objective, recipe, random_state,
            judged_on=judged_on, on_iteration=on_iteration, verbose=self.verbose,
        )  # fmt: skip
        self.network_, self.training_value_ = trained.network, trained.best.value
        self.runs_, self.interrupted_ = trained.runs, trained.interrupted
        self._trained_by = recipe
        return trained

    def _publish(
        self,
        objective: Loss,
        recipe: Recipe,
        case: Case,
        inputs: EncoderInputs,
        trained: Trained,
        random_state: np.random.Generator,
    ) -> None:
        """Do what follows training, and set the public attributes, for all nodes of the graph."""
        best = trained.best.decision
        others = [run.best.decision for run in trained.runs]
        decision = finished(objective, recipe, case, best, others, self.n_clusters, random_state)
        if decision is not best:
            self.training_value_ = objective.training_value(decision, case.problem)
        self._forget_decision()  # of an earlier fit
        self._publish_output(inputs, case.nodes, case.graph.n_nodes)
        self.decision_ = self._on_all_nodes(objective, decision, case, random_state)
        if objective.decides == "centers":
            self.centers_ = self.decision_
            self.labels_ = evaluate_centers(case.graph, self.centers_).assignment
        else:
            self.labels_ = self.decision_

    def _forget_decision(self) -> None:
        super()._forget_decision()
        self._forget(*self._outputs)

    def _on_all_nodes(
        self,
        objective: Loss,
        decision: NDArray[Any],
        case: Case,
        random_state: np.random.Generator,
    ) -> NDArray[Any]:
        """Translate a decision on the informative nodes to the whole graph."""
        if objective.decides == "centers":
            chosen: NDArray[Any] = case.nodes[decision]
            return chosen
        return spread_over_groups(decision, case.nodes, case.graph, self.n_clusters, random_state)

    def _check_learned(self) -> None:
        self._check_fitted("network_", "has no decision")
