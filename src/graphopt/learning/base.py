"""What the estimators that learn a decision share: fit, predict, score, files."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_number,
    check_random_state,
)
from graphopt.centers import evaluate_centers
from graphopt.completion import Completion, FeatureNeighbours
from graphopt.errors import NotFittedError
from graphopt.features import check_features
from graphopt.graph import Graph
from graphopt.learning import files
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.parameters import Parameters, check_graph
from graphopt.learning.placement import informative_nodes, spread_over_groups
from graphopt.learning.progress import ProgressBar
from graphopt.learning.recipes import Recipe, default_recipe
from graphopt.learning.trainer import TrainingRun, decide, train
from graphopt.nn import ClusterNet, DirectGCN
from graphopt.objectives import FacilityLocation, Modularity, Objective

if TYPE_CHECKING:
    from typing_extensions import Self


class DecisionEstimator(Parameters):
    """Trains a network that decides on a partly seen graph; a subclass says which network.

    Its constructor keeps the parameters below, and more of its own.
    """

    n_clusters: int
    objective: str | Objective
    seen_fraction: float
    completion: str | Completion | None
    recipe: Recipe | None
    iterations: int | None
    n_restarts: int | None
    random_state: RandomState
    verbose: bool

    labels_: NDArray[np.int32]
    centers_: NDArray[np.int32]
    decision_: NDArray[Any]
    training_value_: float
    runs_: list[TrainingRun]
    network_: Any
    interrupted_: bool
    _n_features: int | None  # None: fitted without features
    _outputs: ClassVar[tuple[str, ...]]  # attributes that hold the network's output as arrays

    @abstractmethod
    def _network(
        self, n_features: int, objective: Objective, recipe: Recipe
    ) -> ClusterNet | DirectGCN:
        """Return a new network, not yet initialised."""

    @abstractmethod
    def _publish_output(
        self, inputs: EncoderInputs, nodes: NDArray[np.int32], n_nodes: int
    ) -> None:
        """Set the attributes of `_outputs`, for all nodes, from the trained network."""

    # --- learning -------------------------------------------------------------------------------

    def fit(self, graph: Graph, features: Any = None) -> Self:
        """Train on what is seen and decide.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected, with every node.
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional
            Node features; None: every node is its own feature.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a parameter out of range, fewer nodes than clusters of which anything is known, or
            features that do not match.
        """
        check_graph(graph)
        check_integer("n_clusters", self.n_clusters, minimum=1)
        objective, recipe = self._objective(), self._recipe()
        random_state = check_random_state(self.random_state)
        rows = None if features is None else check_features(features, graph.n_nodes)
        nodes = informative_nodes(graph, rows)
        if self.n_clusters > len(nodes):
            raise ValueError(
                f"n_clusters must be at most the number of nodes with an edge or features, "
                f"{len(nodes)}, not {self.n_clusters}"
            )
        seen = graph if len(nodes) == graph.n_nodes else graph.subgraph(nodes)
        rows = None if rows is None else rows[nodes]
        inputs, problem = self._prepared(objective, recipe, seen, rows)
        networks: list[ClusterNet | DirectGCN] = []
        runs: list[TrainingRun] = []
        interrupted = False
        with ProgressBar(recipe.n_restarts * recipe.iterations, self.verbose) as progress:
            while len(runs) < recipe.n_restarts and not interrupted:
                try:
                    network = self._network(inputs.n_features, objective, recipe)
                    network.initialize(inputs.features, inputs.adjacency.whole, random_state)
                    run = train(network, inputs, objective, problem, recipe, random_state, progress)
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
        self.runs_, self.interrupted_ = runs, interrupted
        self._n_features = None if features is None else inputs.n_features
        self._publish(objective, graph, nodes, inputs, best.decision, random_state)
        return self

    def fit_predict(self, graph: Graph, features: Any = None) -> NDArray[np.int32]:
        """Train on what is seen and return ``labels_``; see :meth:`fit`.

        Parameters
        ----------
        graph : Graph
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional

        Returns
        -------
        array of int32, shape (n_nodes,)
        """
        return self.fit(graph, features).labels_

    def predict(self, graph: Graph, features: Any) -> NDArray[Any]:
        """Decide on another graph with the trained network, without training.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array or tensor, shape (n_nodes, n_features)
            Of the same kind and width as those given to :meth:`fit`.

        Returns
        -------
        array
            Labels of the nodes, or chosen nodes.
        """
        self._check_fitted()
        if features is None or self._n_features is None:
            raise ValueError(
                "features must be given, here and in fit: without them a network knows only the "
                "nodes it was trained on"
            )
        check_graph(graph)
        objective, recipe = self._objective(), self._recipe()
        rows = check_features(features, graph.n_nodes)
        if rows.shape[1] != self._n_features:
            raise ValueError(
                f"features must have {self._n_features} columns, as in fit, not {rows.shape[1]}"
            )
        nodes = informative_nodes(graph, rows)
        seen = graph if len(nodes) == graph.n_nodes else graph.subgraph(nodes)
        inputs, problem = self._prepared(objective, recipe, seen, rows[nodes])
        random_state = np.random.default_rng(0)
        with torch.no_grad():
            relaxed = decide(self.network_, objective, inputs.features, inputs.adjacency.whole)
        decision = objective.decode(relaxed, problem, random_state=random_state)
        return _on_all_nodes(objective, decision, graph, nodes, self.n_clusters, random_state)

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
        self._check_fitted()
        return float(self._objective().evaluate(self.decision_, graph))

    def _prepared(
        self, objective: Objective, recipe: Recipe, seen: Graph, rows: Any
    ) -> tuple[EncoderInputs, Any]:
        """Return what the encoder sees and what the loss is taken on."""
        completion, missing = self._completion(objective, rows is not None), None
        if completion is not None:
            missing = completion.missing_edges(seen, rows)
        inputs = EncoderInputs.make(seen, rows, smoothing=recipe.smoothing, missing=missing)
        return inputs, objective.prepare(seen if missing is None else seen.plus(missing))

    def _publish(
        self,
        objective: Objective,
        graph: Graph,
        nodes: NDArray[np.int32],
        inputs: EncoderInputs,
        decision: NDArray[Any],
        random_state: np.random.Generator,
    ) -> None:
        """Set the public attributes, for all nodes of `graph`."""
        for name in (*self._outputs, "centers_"):
            self.__dict__.pop(name, None)  # of an earlier fit
        self._publish_output(inputs, nodes, graph.n_nodes)
        self.decision_ = _on_all_nodes(
            objective, decision, graph, nodes, self.n_clusters, random_state
        )
        if objective.decides == "centers":
            self.centers_ = self.decision_
            self.labels_ = evaluate_centers(graph, self.centers_).assignment
        else:
            self.labels_ = self.decision_

    # --- parameters into parts ------------------------------------------------------------------

    def _objective(self) -> Objective:
        if isinstance(self.objective, Objective):
            return self.objective
        check_choice("objective", self.objective, ("modularity", "k-center"))
        if self.objective == "modularity":
            return Modularity()
        return FacilityLocation(self.n_clusters)

    def _recipe(self) -> Recipe:
        share = check_number(
            "seen_fraction", self.seen_fraction, minimum=0.0, maximum=1.0, open_minimum=True
        )
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            raise TypeError(f"recipe must be a Recipe or None, not {type(self.recipe).__name__}")
        recipe = self.recipe or default_recipe(self._objective(), share)
        overruled: dict[str, Any] = {"iterations": self.iterations, "n_restarts": self.n_restarts}
        return replace(recipe, **{k: v for k, v in overruled.items() if v is not None})

    def _completion(self, objective: Objective, described: bool) -> Completion | None:
        if not isinstance(self.completion, str):
            if self.completion is not None and not hasattr(self.completion, "missing_edges"):
                raise TypeError(
                    'completion must be "auto", None or an object with missing_edges, '
                    f"not {self.completion!r}"
                )
            return self.completion
        check_choice("completion", self.completion, ("auto",))
        if self.seen_fraction == 1.0 or not described or not objective.uses_expected_edges:
            return None
        return FeatureNeighbours(weight=1.0 / self.seen_fraction - 1.0)

    def _check_fitted(self) -> None:
        if not hasattr(self, "decision_"):
            raise NotFittedError(f"this {type(self).__name__} has no decision yet; call fit first")

    # --- files ----------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write parameters, network and decision to a file.

        Parameters
        ----------
        path : path

        Notes
        -----
        An objective or a completion object is not written: hand it to :meth:`load` again. Neither
        are a generator given as `random_state` and ``runs_``.
        """
        self._check_fitted()
        files.save(self, path)

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        objective: Objective | None = None,
        completion: Completion | None = None,
    ) -> Self:
        """Read what :meth:`save` wrote; the file is not trusted to run code.

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
        ValueError
            If the file has another format, holds another estimator, or needs an object that was
            not given.
        """
        return files.load(cls, path, objective=objective, completion=completion)


def _on_all_nodes(
    objective: Objective,
    decision: NDArray[Any],
    graph: Graph,
    nodes: NDArray[np.int32],
    n_groups: int,
    random_state: np.random.Generator,
) -> NDArray[Any]:
    """Translate a decision on the graph induced by `nodes` to the whole graph."""
    if objective.decides == "centers":
        chosen: NDArray[Any] = nodes[decision]
        return chosen
    return spread_over_groups(decision, nodes, graph, n_groups, random_state)
