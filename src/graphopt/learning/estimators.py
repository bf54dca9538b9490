"""ClusterNet as an estimator: fit on what is seen, read off the decision."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from graphopt._validation import RandomState
from graphopt.completion import Completion
from graphopt.learning.base import DecisionEstimator
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.recipes import Recipe
from graphopt.nn import ClusterNet as Network
from graphopt.nn.losses import Loss
from graphopt.objectives import Objective


class ClusterNet(DecisionEstimator):
    """Learn a decision on a partly seen graph, end to end.

    Nodes are embedded by a graph convolutional network and clustered by soft k-means; gradients of
    the objective flow through both. Nothing but the graph and features given to :meth:`fit` is
    used, the choice among restarts and training states included.

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
        else nowhere; asking takes a fraction of the time of training. :meth:`fit_inductive` asks
        once, on the first five graphs to learn on. An object is asked about every graph:
        :class:`graphopt.completion.Chosen` chooses among all completions of this package.
    features_from_edges : bool
        Whether features were computed from the seen edges, as embeddings are. Such features know
        the edges that ``"auto"`` would hide, and mislead it: with True it expects nothing. Where
        it is known how they are computed, give :meth:`fit` that function instead, and they are
        computed anew from what is not hidden.
    hidden_features, embedding_features : int
        Widths of the encoder.
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        How to differentiate the clustering; see :class:`graphopt.nn.SoftKMeans`.
    encoder : {"gcn", "sgc", "appnp"}
        What embeds the nodes: :class:`graphopt.nn.GCN`, :class:`graphopt.nn.SGC`, which is linear,
        or :class:`graphopt.nn.APPNP`, which looks further.
    propagation_steps : int, optional
        Averages over neighbours, of SGC and APPNP. Default: the encoder's own.
    teleport : float, optional
        Share of itself that a node keeps at each step of APPNP. Default: the encoder's own.
    recipe : Recipe, optional
        Every setting of the training; default: what is good for the objective.
        :data:`graphopt.learning.PAPER` holds the published settings.
    iterations, n_restarts, temperature : optional
        Shorthands that overrule the recipe's.
    completion_in, start, pretraining, consensus, polish : optional
        Further ones: where expected edges count, what training starts from, and what follows it;
        see :class:`graphopt.learning.Recipe`.
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
        Soft membership of each node; uniform for a node of which nothing is known.
    cluster_centers_ : array of float32, shape (n_clusters, embedding_features)
        Centres in the embedding.
    embedding_ : array of float32, shape (n_nodes, embedding_features)
        Unit rows; 0 for a node of which nothing is known.
    training_value_ : float
        The decision's value on what was seen, which chose it.
    runs_ : list of TrainingRun
        One per restart.
    completion_ : Completion or None
        Where missing edges are expected; None: nowhere.
    network_ : graphopt.nn.ClusterNet
        The trained network.
    interrupted_ : bool
        Whether Ctrl-C ended training early; everything else is the best so far.

    Notes
    -----
    A node without a seen edge and without features (or with features far smaller than other nodes
    have) tells nothing: it takes no part in training, is never chosen as a facility, and such
    nodes are spread over the groups in proportion to the groups' seen degrees.

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
    network_: Network
    _outputs = ("assignment_", "cluster_centers_", "embedding_")

    def __init__(
        self,
        n_clusters: int = 10,
        objective: str | Objective | Loss = "modularity",
        *,
        seen_fraction: float = 1.0,
        completion: str | Completion | None = "auto",
        features_from_edges: bool = False,
        hidden_features: int = 50,
        embedding_features: int = 50,
        temperature: float | None = None,
        gradient: str = "one-step",
        encoder: str = "gcn",
        propagation_steps: int | None = None,
        teleport: float | None = None,
        recipe: Recipe | None = None,
        iterations: int | None = None,
        n_restarts: int | None = None,
        completion_in: str | None = None,
        start: str | None = None,
        pretraining: int | None = None,
        consensus: bool | None = None,
        polish: bool | None = None,
        random_state: RandomState = None,
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.objective = objective
        self.seen_fraction = seen_fraction
        self.completion = completion
        self.features_from_edges = features_from_edges
        self.hidden_features = hidden_features
        self.embedding_features = embedding_features
        self.temperature = temperature
        self.gradient = gradient
        self.encoder = encoder
        self.propagation_steps = propagation_steps
        self.teleport = teleport
        self.recipe = recipe
        self.iterations = iterations
        self.n_restarts = n_restarts
        self.completion_in = completion_in
        self.start = start
        self.pretraining = pretraining
        self.consensus = consensus
        self.polish = polish
        self.random_state = random_state
        self.verbose = verbose

    def _network(self, n_features: int, objective: Loss, recipe: Recipe) -> Network:
        with torch.random.fork_rng(devices=[]):  # a new network draws what nobody will use
            return Network(
                n_features,
                self.n_clusters,
                hidden_features=self.hidden_features,
                embedding_features=self.embedding_features,
                dropout=recipe.dropout,
                temperature=recipe.temperature,
                iterations=recipe.kmeans_updates(recipe.iterations - 1),
                gradient=self.gradient,
                encoder=self.encoder,
                propagation_steps=self.propagation_steps,
                teleport=self.teleport,
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
        self.embedding_ = np.zeros((n_nodes, self.embedding_features), np.float32)
        self.embedding_[nodes] = clusters.embedding.numpy()
