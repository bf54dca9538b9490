"""What the estimators that learn a decision share: fit, predict, score, files."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graphopt._files import UsersPath, check_path
from graphopt._validation import (
    RandomState,
    check_random_state,
)
from graphopt.centers import evaluate_centers
from graphopt.completion import Completion, spread_over_groups
from graphopt.features import node_features
from graphopt.graph import Graph
from graphopt.learning import files, inductive
from graphopt.learning.cases import Case, prepare_case
from graphopt.learning.finish import finished
from graphopt.learning.inputs import EncoderInputs, rows_of_a_kind
from graphopt.learning.one_thread import one_thread
from graphopt.learning.parameters import check_graph
from graphopt.learning.progress import ProgressBar
from graphopt.learning.recipes import (
    Recipe,
    default_recipe,
    fine_tuning_recipe,
    inductive_recipe,
)
from graphopt.learning.settings import DecisionSettings
from graphopt.learning.trainer import Checkpoint, TrainingRun, train
from graphopt.learning.warm_start import groups_to_start_from, warm_start
from graphopt.nn import ClusterNet, DirectGCN
from graphopt.nn.losses import Loss

if TYPE_CHECKING:
    from typing_extensions import Self


class DecisionEstimator(DecisionSettings):
    """Trains a network that decides on a partly seen graph; a subclass says which network."""

    random_state: RandomState
    verbose: bool

    labels_: NDArray[np.int32]
    centers_: NDArray[np.int32]
    decision_: NDArray[Any]
    training_value_: float
    runs_: list[TrainingRun]
    network_: Any
    completion_: Completion | None
    interrupted_: bool
    _n_features: int | None  # None: fitted without features
    _n_inputs: int  # width of what the encoder takes
    _trained_by: Recipe
    _outputs: ClassVar[tuple[str, ...]]  # attributes that hold the network's output as arrays

    @abstractmethod
    def _network(self, n_features: int, objective: Loss, recipe: Recipe) -> ClusterNet | DirectGCN:
        """Return a new network, not yet initialised."""

    @abstractmethod
    def _publish_output(
        self, inputs: EncoderInputs, nodes: NDArray[np.int32], n_nodes: int
    ) -> None:
        """Set the attributes of `_outputs`, for all nodes, from the trained network."""

    # --- learning -------------------------------------------------------------------------------

    @one_thread()
    def fit(
        self, graph: Graph, features: Any = None, *, start_labels: ArrayLike | None = None
    ) -> Self:
        """Train on what is seen and decide.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected, with every node.
        features : array, sparse array, tensor or callable, optional
            Node features, shape (n_nodes, n_features), or what makes them of a graph; None: every
            node is its own feature.
        start_labels : array of int, shape (n_nodes,), optional
            Groups to start from, at most `n_clusters`, in the place of what the recipe says under
            ``start``: every restart's first centres are their mean embeddings.

        Returns
        -------
        self

        Raises
        ------
        TypeError, ValueError
            For a parameter out of range, fewer nodes than clusters of which anything is known, or
            features or labels that do not match.
        """
        check_graph(graph)
        objective, recipe = self._settings(default_recipe)
        random_state = check_random_state(self.random_state)
        rows = node_features(graph, features)
        completion = self._completion(objective, [graph], [features])
        case = self._case(objective, recipe, graph, rows, completion)
        inputs = case.inputs
        groups = groups_to_start_from(objective, recipe, case, self.n_clusters, start_labels)

        def attempt(progress: ProgressBar) -> tuple[ClusterNet | DirectGCN, TrainingRun]:
            network = self._network(inputs.n_features, objective, recipe)
            network.initialize(inputs.features, inputs.adjacency.whole, random_state)
            if groups is not None:
                warm_start(network, inputs, groups(random_state), recipe, random_state)
            return network, train(
                network, inputs, objective, case.problem, recipe, random_state, progress
            )

        best = self._learn(objective, recipe, attempt)
        self.completion_ = completion
        self._n_features = None if features is None else inputs.n_features
        self._n_inputs = inputs.n_features
        decision = self._finish(objective, recipe, case, best, random_state)
        self._publish(objective, case, inputs, decision, random_state)
        return self

    @one_thread()
    def fit_inductive(
        self,
        graphs: Sequence[Graph],
        features: Sequence[Any],
        *,
        validation_graphs: Sequence[Graph] | None = None,
        validation_features: Sequence[Any] | None = None,
    ) -> Self:
        """Train one network on several graphs, to decide on others.

        Decide by :meth:`predict`, or by :meth:`fine_tune` at the price of some training. There is
        no ``labels_``, ``decision_`` or other result about a graph afterwards.

        Parameters
        ----------
        graphs : list of Graph
            What is seen of each, undirected, with every node; of any sizes.
        features : list of array, sparse array, tensor or callable
            Of each graph as for :meth:`fit`, of one kind and width.
        validation_graphs, validation_features : list, optional
            Further graphs, likewise, on which the state of the network and the restart are
            chosen: by the decoded objective on what is seen of them. Default: on `graphs`.

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

        described = inductive.prepare_each(
            ("graphs", "features"), graphs, features, inductive.Rows.of
        )
        completion = self._completion(objective, graphs, features)

        def prepare(graph: Graph, rows: Any) -> Case:
            return self._case(objective, recipe, graph, rows, completion)

        batch, judged_on = inductive.batches(
            graphs,
            [each.rows for each in described],
            validation_graphs,
            validation_features,
            prepare,
        )
        inputs = batch.inputs

        def attempt(progress: ProgressBar) -> tuple[ClusterNet | DirectGCN, TrainingRun]:
            network = self._network(inputs.n_features, objective, recipe)
            network.initialize(inputs.features, inputs.adjacency.whole, random_state)
            return network, inductive.train_on_many(
                network, batch, objective, recipe, random_state, progress, judged_on
            )

        self._learn(objective, recipe, attempt)
        self.completion_ = completion
        self._n_features = self._n_inputs = inputs.n_features
        self._forget_decision()
        return self

    @one_thread()
    def fine_tune(self, graph: Graph, features: Any, *, iterations: int | None = None) -> Self:
        """Return a copy that is trained on, on another graph, and has decided on it.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array, tensor or callable
            Of the same kind and width as those given to :meth:`fit` or :meth:`fit_inductive`.
        iterations : int, optional
            Steps of training. Default: see :func:`graphopt.learning.recipes.fine_tuning_recipe`.

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
        graphopt.errors.NotFittedError
            Before :meth:`fit` or :meth:`fit_inductive`.
        """
        self._check_learned()
        check_graph(graph)
        recipe = fine_tuning_recipe(self._trained_by, iterations)
        objective, random_state = self._objective(), check_random_state(self.random_state)
        case = self._case_of_a_kind(objective, recipe, graph, features)
        inputs = case.inputs
        tuned = type(self)(**self.get_params())

        def attempt(progress: ProgressBar) -> tuple[ClusterNet | DirectGCN, TrainingRun]:
            network = copy.deepcopy(self.network_)
            inductive.start_well(
                network, inputs, objective, case.problem, recipe.n_starts, random_state
            )
            return network, train(
                network, inputs, objective, case.problem, recipe, random_state, progress
            )

        best = tuned._learn(objective, recipe, attempt)
        tuned.completion_ = self.completion_
        tuned._n_features, tuned._n_inputs = self._n_features, self._n_inputs
        decision = tuned._finish(objective, recipe, case, best, random_state)
        tuned._publish(objective, case, inputs, decision, random_state)
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
        check_graph(graph)
        objective = self._objective()
        case = self._case_of_a_kind(objective, self._trained_by, graph, features)
        random_state = np.random.default_rng(0)
        start = inductive.best_start(
            self.network_,
            case.inputs,
            objective,
            case.problem,
            self._trained_by.n_starts,
            random_state,
        )
        decision = start.decision
        if self._trained_by.polish:
            decision = objective.improve(
                decision, case.problem, self.n_clusters, random_state=random_state
            )
        return self._on_all_nodes(objective, decision, case, random_state)

    def score(self, graph: Graph) -> float:
        """Return the decision's exact value on a graph of the same nodes, such as the full one.

        Parameters
        ----------
        graph : Graph

        Returns
        -------
        float
            Modularity, or the largest distance to a chosen node (lower is better there).
        """
        self._check_decided()
        return float(self._objective().evaluate(self.decision_, graph))

    def _learn(
        self,
        objective: Loss,
        recipe: Recipe,
        attempt: Callable[[ProgressBar], tuple[ClusterNet | DirectGCN, TrainingRun]],
    ) -> Checkpoint:
        """Attempt a training as often as the recipe says, keep the best and return its best."""
        networks: list[ClusterNet | DirectGCN] = []
        runs: list[TrainingRun] = []
        interrupted = False
        with ProgressBar(recipe.n_restarts * recipe.iterations, self.verbose) as progress:
            while len(runs) < recipe.n_restarts and not interrupted:
                try:
                    network, run = attempt(progress)
                except KeyboardInterrupt:  # between two trainings
                    if not runs:
                        raise
                    interrupted = True
                else:
                    progress.next_restart(recipe.iterations)
                    networks.append(network)
                    runs.append(run)
                    interrupted = run.interrupted
        chosen = 0
        for i, run in enumerate(runs):
            if objective.better(run.best.value, runs[chosen].best.value):
                chosen = i
        best = runs[chosen].best
        self.network_, self.training_value_ = networks[chosen], best.value
        self.runs_, self.interrupted_, self._trained_by = runs, interrupted, recipe
        return best

    def _finish(
        self,
        objective: Loss,
        recipe: Recipe,
        case: Case,
        best: Checkpoint,
        random_state: np.random.Generator,
    ) -> NDArray[Any]:
        """Return the decision after what the recipe asks for once training is over."""
        others = [run.best.decision for run in self.runs_]
        decision = finished(
            objective, recipe, case, best.decision, others, self.n_clusters, random_state
        )
        if decision is not best.decision:
            self.training_value_ = objective.training_value(decision, case.problem)
        return decision

    def _case(
        self,
        objective: Loss,
        recipe: Recipe,
        graph: Graph,
        features: Any,
        completion: Completion | None,
    ) -> Case:
        """Return what the encoder sees of a graph and what the loss is taken on."""
        check_graph(graph)
        return prepare_case(graph, features, self.n_clusters, objective, recipe, completion)

    def _case_of_a_kind(self, objective: Loss, recipe: Recipe, graph: Graph, features: Any) -> Case:
        """Return a case that the trained network can decide on."""
        rows = rows_of_a_kind(graph, features, self._n_features)
        return self._case(objective, recipe, graph, rows, self.completion_)

    def _forget_decision(self) -> None:
        for name in (*self._outputs, "labels_", "centers_", "decision_"):
            self.__dict__.pop(name, None)

    def _publish(
        self,
        objective: Loss,
        case: Case,
        inputs: EncoderInputs,
        decision: NDArray[Any],
        random_state: np.random.Generator,
    ) -> None:
        """Set the public attributes, for all nodes of the graph."""
        self._forget_decision()  # of an earlier fit
        self._publish_output(inputs, case.nodes, case.graph.n_nodes)
        self.decision_ = self._on_all_nodes(objective, decision, case, random_state)
        if objective.decides == "centers":
            self.centers_ = self.decision_
            self.labels_ = evaluate_centers(case.graph, self.centers_).assignment
        else:
            self.labels_ = self.decision_

    def _on_all_nodes(
        self,
        objective: Loss,
        decision: NDArray[Any],
        case: Case,
        random_state: np.random.Generator,
    ) -> NDArray[Any]:
        """Translate a decision on the nodes of which something is known to the whole graph."""
        if objective.decides == "centers":
            chosen: NDArray[Any] = case.nodes[decision]
            return chosen
        return spread_over_groups(decision, case.nodes, case.graph, self.n_clusters, random_state)

    def _check_learned(self) -> None:
        self._check_fitted("network_", "has no decision")

    # --- files ----------------------------------------------------------------------------------

    def save(self, path: UsersPath) -> None:
        """Write parameters, network and decision to a file.

        A file that is there is replaced as a whole: it stays as it is until the new one is on the
        disk, also if the process is killed.

        Parameters
        ----------
        path : path

        Raises
        ------
        OSError
            If the file cannot be written.

        Notes
        -----
        An objective or a completion object is not written: hand it to :meth:`load` again. Neither
        are a generator given as `random_state` and ``runs_``.
        """
        self._check_learned()
        files.save(self, check_path("path", path))

    @classmethod
    def load(
        cls,
        path: UsersPath,
        *,
        objective: Loss | None = None,
        completion: Completion | None = None,
    ) -> Self:
        """Read what :meth:`save` wrote, now or in an earlier version; the file can run no code.

        Parameters
        ----------
        path : path
        objective, completion : object, optional
            Needed where the saved estimator was given an object.

        Returns
        -------
        estimator
            Fitted; ``runs_`` is empty.

        Raises
        ------
        DamagedFileError
            If the file is damaged, cut short, something else, or of a later version, which the
            message names. It is a ValueError.
        ValueError
            If it holds another estimator, or needs an object that was not given.
        """
        file = check_path("path", path)
        return files.load(cls, file, objective=objective, completion=completion)
