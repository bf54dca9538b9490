"""GCN-e2e as an estimator: what ClusterNet is without its clustering layer."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from graphopt._validation import RandomState
from graphopt.completion import Completion
from graphopt.learning.base import DecisionEstimator
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.recipes import Recipe
from graphopt.nn import DirectGCN as Network
from graphopt.nn.losses import Loss
from graphopt.objectives import Objective


class DirectGCN(DecisionEstimator):
    """Learn a decision on a partly seen graph by a graph convolutional network alone.

    The network puts out the decision itself: shares of every node in the groups, or a probability
    for every node that a facility opens there. It is trained with the same losses and in the same
    way as :class:`graphopt.ClusterNet`, beside which it shows what the clustering layer brings.

    Parameters
    ----------
    n_clusters : int
        Number of groups, or of facilities.
    objective : {"modularity", "k-center"}, Objective or Loss
        What the decision is judged by; one that decides on centers gets one probability per node,
        any other a share in each group.
    seen_fraction : float
        Share of all edges that the graph given to :meth:`fit` holds, in (0, 1].
    completion : "auto", "features", None or Completion
    features_from_edges : bool
        Where missing edges are expected; see :class:`graphopt.ClusterNet`.
    hidden_features : int
        Width of the hidden layer.
    recipe : Recipe, optional
        Every setting of the training but those of soft k-means, which have no effect here.
    iterations, n_restarts : int, optional
        Shorthands that overrule the recipe's.
    random_state : int, Generator or None
        Seed of everything random; an int makes :meth:`fit` repeatable to the bit.
    verbose : bool
        Show a progress bar.

    Attributes
    ----------
    labels_ : array of int32, shape (n_nodes,)
        Group of each node; for facilities, position in `centers_` of the nearest one on the seen
        graph (-1: none can be reached).
    centers_ : array of int32, shape (n_clusters,)
        Chosen nodes; only after a fit that decides on locations.
    decision_ : array
        What the objective decoded: `labels_` or `centers_`.
    assignment_ : array of float32, shape (n_nodes, n_clusters)
        Soft membership of each node, uniform for a node of which nothing is known; only after a
        fit that decides on groups.
    opening_ : array of float32, shape (n_nodes,)
        Probability that a facility opens, 0 for a node of which nothing is known; only after a fit
        that decides on locations.
    training_value_ : float
        The decision's value on what was seen, which chose it.
    runs_ : list of TrainingRun
        One per restart.
    completion_ : Completion or None
        Where missing edges are expected; None: nowhere.
    network_ : graphopt.nn.DirectGCN
        The trained network.
    interrupted_ : bool
        Whether Ctrl-C ended training early; everything else is the best so far.

    Notes
    -----
    GCN-e2e in Wilder et al., "End to End Learning and Optimization on Graphs", NeurIPS 2019. The
    published loop stepped another network's optimizer and so never trained this one.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(60, random_state=0)
    >>> model = DirectGCN(3, seen_fraction=0.4, iterations=20, n_restarts=1, random_state=0)
    >>> labels = model.fit_predict(data.observed, data.observed_features)
    >>> labels.shape
    (60,)
    """

    assignment_: NDArray[np.float32]
    opening_: NDArray[np.float32]
    network_: Network
    _outputs = ("assignment_", "opening_")

    def __init__(
        self,
        n_clusters: int = 10,
        objective: str | Objective | Loss = "modularity",
        *,
        seen_fraction: float = 1.0,
        completion: str | Completion | None = "auto",
        features_from_edges: bool = False,
        hidden_features: int = 50,
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
        self.hidden_features = hidden_features
        self.recipe = recipe
        self.iterations = iterations
        self.n_restarts = n_restarts
        self.random_state = random_state
        self.verbose = verbose

    def _network(self, n_features: int, objective: Loss, recipe: Recipe) -> Network:
        with torch.random.fork_rng(devices=[]):  # a new network draws what nobody will use
            return Network(
                n_features,
                self.n_clusters,
                decides=objective.decides,
                hidden_features=self.hidden_features,
                dropout=recipe.dropout,
            )

    def _publish_output(
        self, inputs: EncoderInputs, nodes: NDArray[np.int32], n_nodes: int
    ) -> None:
        with torch.no_grad():
            output = self.network_(inputs.features, inputs.adjacency.whole).numpy()
        if self.network_.decides == "centers":
            self.opening_ = np.zeros(n_nodes, np.float32)
            self.opening_[nodes] = output
        else:
            self.assignment_ = np.full((n_nodes, self.n_clusters), 1 / self.n_clusters, np.float32)
            self.assignment_[nodes] = output
