"""The networks as estimators: fit on what is seen, read off the decision."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from graphopt._validation import RandomState
from graphopt.completion import Completion
from graphopt.learning.base import DecisionEstimator
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.recipes import Recipe
from graphopt.nn import ClusterNet as ClusterNetwork
from graphopt.nn import DirectGCN as DirectNetwork
from graphopt.nn.losses import Loss
from graphopt.objectives import Objective


class ClusterNet(DecisionEstimator):
    """Learn a decision on a partly seen graph, end to end.

    Nodes are embedded by a graph convolutional network and clustered by soft k-means; gradients of
    the objective flow through both. Only the graph and features given to :meth:`fit` are used, also
    for the choice among restarts and training states.

    Parameters
    ----------
    n_clusters : int
        Number of groups, or of facilities.
    objective : {"modularity", "k-center"}, Objective or Loss
        What the decision is judged by; an object of your own works too, see
        :class:`graphopt.nn.losses.Loss`.
    seen_fraction : float
        Share of all edges that the graph given to :meth:`fit` holds, in (0, 1]. Below 1, edges
        are hidden from the encoder while training, and missing ones are expected, see
        `completion`.
    completion : "auto", "features", None or Completion
        Where missing edges are expected. ``"features"``: between nodes with like features
        (:class:`graphopt.completion.FeatureNeighbours`), if edges are missing, there are features
        and the objective uses expected edges, as modularity does and facility location does not.
        ``"auto"``: the same if it leads to better groups when part of the seen edges is hidden,
        else nowhere; the trial takes a fraction of the time of training. :meth:`fit_inductive`
        makes it once, on the first five graphs. An object completes every graph:
        :class:`graphopt.completion.Chosen` chooses among all completions of this package.
    features_from_edges : bool
        Whether features were computed from the seen edges, as embeddings are. Such features depend
        on the edges that ``"auto"`` would hide and mislead it; with True it expects nothing. If
        you have the function that computes them, pass it to :meth:`fit` instead; it is then called
        again on the edges that are not hidden.
    encoder : {"gcn", "sgc", "appnp"}
        What embeds the nodes: :class:`graphopt.nn.GCN`, :class:`graphopt.nn.SGC`, which is linear,
        or :class:`graphopt.nn.APPNP`, which looks further.
    recipe : Recipe, optional
        Every other setting of the network and its training; a setting that is left out has the
        value that is good for the objective, see :class:`graphopt.learning.Recipe`.
        :data:`graphopt.learning.PAPER` holds the published settings.
    iterations, n_restarts : int, optional
        Steps and number of trainings; these take precedence over the recipe's.
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
        What the objective decoded, or what consensus and polish made of it: `labels_` or
        `centers_`.
    assignment_ : array of float32, shape (n_nodes, n_clusters)
        Soft membership of each node; uniform for a node that is not informative.
    cluster_centers_ : array of float32, shape (n_clusters, embedding_features)
        Centres in the embedding.
    embedding_ : array of float32, shape (n_nodes, embedding_features)
        Unit rows; 0 for a node that is not informative.
    training_value_ : float
        The decision's value on what was seen, which chose it.
    runs_ : list of TrainingRun
        One per restart.
    completion_ : Completion or None
        Where missing edges are expected; None: nowhere.
    network_ : graphopt.nn.ClusterNet
        The trained network.
    interrupted_ : bool
        Whether Ctrl-C or a callback ended training early; everything else is the best so far.

    Notes
    -----
    A node without a seen edge and without features (or with features far smaller than those of
    other nodes) is not informative: it takes no part in training and is never chosen as a facility.
    Such nodes are spread over the groups in proportion to the groups' seen degrees.

    Wilder et al., "End to End Learning and Optimization on Graphs", NeurIPS 2019.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(60, random_state=0)
    >>> model = ClusterNet(3, seen_fraction=0.4, iterations=20, n_restarts=1, random_state=0)
    >>> labels = model.fit_predict(data.observed, data.observed_features)
    >>> labels.shape
    (60,)
    >>> bool(-0.5 <= model.score(data.graph) <= 1.0)
    True
    """

    assignment_: NDArray[np.float32]
    cluster_centers_: NDArray[np.float32]
    embedding_: NDArray[np.float32]
    network_: ClusterNetwork
    _outputs = ("assignment_", "cluster_centers_", "embedding_")

    def __init__(
        self,
        n_clusters: int = 10,
        objective: Literal["modularity", "k-center"] | Objective | Loss = "modularity",
        *,
        seen_fraction: float = 1.0,
        completion: Literal["auto", "features"] | Completion | None = "auto",
        features_from_edges: bool = False,
        encoder: Literal["gcn", "sgc", "appnp"] = "gcn",
        recipe: Recipe | None = None,
        iterations: int | None = None,
        n_restarts: int | None = None,
        random_state: RandomState = None,
        verbose: bool = False,
    ) -> None:
        super().__init__(
            n_clusters,
            objective,
            seen_fraction=seen_fraction,
            completion=completion,
            features_from_edges=features_from_edges,
            recipe=recipe,
            iterations=iterations,
            n_restarts=n_restarts,
            random_state=random_state,
            verbose=verbose,
        )
        self.encoder = encoder

    def _network(self, n_features: int, objective: Loss, recipe: Recipe) -> ClusterNetwork:
        with torch.random.fork_rng(devices=[]):  # a new network draws what nobody will use
            return ClusterNetwork(
                n_features,
                self.n_clusters,
                hidden_features=recipe.hidden_features,
                embedding_features=recipe.embedding_features,
                dropout=recipe.dropout,
                temperature=recipe.temperature,
                iterations=recipe.kmeans_updates(recipe.iterations - 1),
                gradient=recipe.gradient,
                encoder=self.encoder,
                propagation_steps=recipe.propagation_steps,
                teleport=recipe.teleport,
            )

    def _publish_output(
        self, inputs: EncoderInputs, nodes: NDArray[np.int32], n_nodes: int
    ) -> None:
        with torch.no_grad():
            clusters = self.network_(inputs.features, inputs.adjacency.whole)
        k = self.n_clusters
        self.cluster_centers_ = clusters.centers.reshape(k, -1).numpy()
        self.assignment_ = np.full((n_nodes, k), 1.0 / k, np.float32)
        self.assignment_[nodes] = clusters.assignment.numpy()
        self.embedding_ = np.zeros((n_nodes, clusters.embedding.shape[1]), np.float32)
        self.embedding_[nodes] = clusters.embedding.numpy()


class DirectGCN(DecisionEstimator):
    """Learn a decision on a partly seen graph by a graph convolutional network alone.

    The network puts out the decision itself: shares of every node in the groups, or a probability
    for every node that a facility opens there. It is trained with the same losses and in the same
    way as :class:`graphopt.ClusterNet`; the comparison shows what the clustering layer brings.

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
    recipe : Recipe, optional
        Every other setting of the network and its training; a setting that is left out has the
        value that is good for the objective, see :class:`graphopt.learning.Recipe`. The settings of
        soft k-means and ``embedding_features`` have no effect here.
    iterations, n_restarts : int, optional
        Steps and number of trainings; these take precedence over the recipe's.
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
        Soft membership of each node, uniform for a node that is not informative; only after a fit
        that decides on groups.
    opening_ : array of float32, shape (n_nodes,)
        Probability that a facility opens, 0 for a node that is not informative; only after a fit
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
        Whether Ctrl-C or a callback ended training early; everything else is the best so far.

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
    network_: DirectNetwork
    _outputs = ("assignment_", "opening_")

    def _network(self, n_features: int, objective: Loss, recipe: Recipe) -> DirectNetwork:
        with torch.random.fork_rng(devices=[]):  # a new network draws what nobody will use
            return DirectNetwork(
                n_features,
                self.n_clusters,
                decides=objective.decides,
                hidden_features=recipe.hidden_features,
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
