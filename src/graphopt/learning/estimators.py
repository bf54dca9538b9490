"""ClusterNet as an estimator: fit on what is seen, read off the decision."""

from __future__ import annotations

import inspect
import io
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from graphopt._validation import RandomState, check_choice, check_integer, check_random_state
from graphopt.errors import NotFittedError
from graphopt.graph import Graph
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.progress import ProgressBar
from graphopt.learning.trainer import TrainingRun, TrainingSettings, train
from graphopt.nn import ClusterNet as ClusterNetModule
from graphopt.nn import SoftKMeansOutput
from graphopt.objectives import FacilityLocation, Modularity, Objective

_OBJECTIVES: dict[str, type[Objective]] = {
    "modularity": Modularity,
    "k-center": FacilityLocation,
}
_FORMAT = 1
Self = TypeVar("Self", bound="ClusterNet")


class ClusterNet:
    """Learn a decision on a partly seen graph, end to end.

    Nodes are embedded by a graph convolutional network and clustered by soft k-means; gradients of
    the objective flow through both.

    Parameters
    ----------
    n_clusters : int
        Number of groups, or of facilities.
    objective : {"modularity", "k-center"} or Objective
        What the decision is judged by; an object of your own works too, see
        :class:`graphopt.objectives.Objective`.
    hidden_features, embedding_features : int
        Widths of the encoder.
    dropout : float
        Dropped share of the hidden layer while training.
    temperature : float
        β of the softmax over clusters.
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        How to differentiate the clustering; see :class:`graphopt.nn.SoftKMeans`.
    training : TrainingSettings, optional
        Steps, learning rate, masking and so on.
    n_restarts : int
        Trainings from different starts; the one with the best training value is kept.
    random_state : int, Generator or None
        Seed of everything random; an int makes `fit` repeatable to the bit.
    verbose : bool
        Show a progress bar.

    Attributes
    ----------
    labels_ : array of int32, shape (n_nodes,)
        Group of each node; for facilities, position in `centers_` of the nearest one on the seen
        graph (-1: none can be reached).
    centers_ : array of int32, shape (n_clusters,)
        Chosen nodes; only after a fit that decides on locations.
    assignment_ : array of float32, shape (n_nodes, n_clusters)
        Soft membership of each node.
    cluster_centers_ : array of float32, shape (n_clusters, embedding_features)
        Centres in the embedding.
    embedding_ : array of float32, shape (n_nodes, embedding_features)
        Unit rows.
    training_value_ : float
        The decision's value on the seen graph, which chose it.
    runs_ : list of TrainingRun
        One per restart.
    interrupted_ : bool
        Whether Ctrl-C ended training early; everything else is the best so far.

    Examples
    --------
    >>> from graphopt import datasets
    >>> from graphopt.learning import TrainingSettings
    >>> data = datasets.synthetic(60, random_state=0)
    >>> model = ClusterNet(3, training=TrainingSettings(iterations=20), random_state=0)
    >>> labels = model.fit_predict(data.observed, data.observed_features)
    >>> labels.shape
    (60,)
    >>> model.score(data.graph) > -0.5
    True
    """

    labels_: NDArray[np.int32]
    centers_: NDArray[np.int32]
    assignment_: NDArray[np.float32]
    cluster_centers_: NDArray[np.float32]
    embedding_: NDArray[np.float32]
    training_value_: float
    runs_: list[TrainingRun]
    interrupted_: bool

    def __init__(
        self,
        n_clusters: int = 10,
        objective: str | Objective = "modularity",
        *,
        completion: Completion | None = None,
        smoothing: int = 2,
        hidden_features: int = 50,
        embedding_features: int = 50,
        dropout: float = 0.5,
        temperature: float = 30.0,
        gradient: str = "one-step",
        iterations: int = 1000,
        learning_rate: float = 0.01,
        weight_decay: float = 0.0,
        kmeans_schedule: tuple[tuple[float, int], ...] = ((0.0, 1), (0.5, 5)),
        masking: float = 0.4,
        n_restarts: int = 1,
        random_state: RandomState = None,
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.objective = objective
        self.completion = completion
        self.smoothing = smoothing
        self.hidden_features = hidden_features
        self.embedding_features = embedding_features
        self.dropout = dropout
        self.temperature = temperature
        self.gradient = gradient
        self.iterations = iterations
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.kmeans_schedule = kmeans_schedule
        self.masking = masking
        self.n_restarts = n_restarts
        self.random_state = random_state
        self.verbose = verbose

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
            For a parameter out of range, more clusters than nodes, or features that do not match.
        """
        objective = self._make_objective()
        settings = self._make_settings()
        check_integer("n_restarts", self.n_restarts, minimum=1)
        check_integer("n_clusters", self.n_clusters, minimum=1, maximum=graph.n_nodes)
        random_state = check_random_state(self.random_state)
        believed = graph
        if self.completion is not None and features is not None:
            believed = self.completion.complete(graph, features)
        inputs = EncoderInputs.make(believed, features, smoothing=self.smoothing)
        problem = objective.prepare(believed)

        self.runs_ = []
        best: tuple[TrainingRun, ClusterNetModule] | None = None
        with ProgressBar(self.n_restarts * settings.iterations, self.verbose) as progress:
            for _ in range(self.n_restarts):
                network = self._make_network(inputs.n_features)
                network.initialize(inputs.features, inputs.adjacency.whole, random_state)
                run = train(
                    network,
                    inputs.features,
                    inputs.adjacency,
                    objective,
                    problem,
                    settings,
                    random_state,
                    progress,
                )
                progress.next_restart(settings.iterations)
                self.runs_.append(run)
                if best is None or objective.better(run.best.value, best[0].best.value):
                    best = run, network
                if run.interrupted:
                    break
        assert best is not None
        self.network_ = best[1]
        return self

    # --- scikit-learn's habits ------------------------------------------------------------------

    @classmethod
    def _parameter_names(cls) -> list[str]:
        return sorted(set(inspect.signature(cls.__init__).parameters) - {"self"})

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's parameters by name."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> Self:
        """Set parameters by name; they count from the next :meth:`fit` on.

        Raises
        ------
        ValueError
            For a name that is not a parameter.
        """
        for name, value in params.items():
            if name not in self._parameter_names():
                raise ValueError(f"{name!r} is not a parameter of {type(self).__name__}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        changed = {
            name: value
            for name, value in self.get_params().items()
            if value is not defaults[name].default
        }
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in changed.items())})"
