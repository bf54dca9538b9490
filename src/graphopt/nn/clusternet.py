"""ClusterNet: a graph encoder and a differentiable clustering layer, end to end."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from graphopt._validation import check_integer
from graphopt.clustering import kmeans_plus_plus
from graphopt.clustering.settings import Gradient
from graphopt.nn.encoders import EncoderName, EncoderNetwork, check_parameters, make_encoder
from graphopt.nn.functional import group_means
from graphopt.nn.soft_kmeans import SoftKMeans, SoftKMeansOutput
from graphopt.nn.sparse import SparseMatrix


class ClusterNet(EncoderNetwork):
    """Embed the nodes of a graph, then cluster the embedding by soft k-means on the unit sphere.

    The objective makes a decision of the clusters. Group memberships are the soft assignment
    itself; facility locations come from the similarity of nodes to centres
    (:meth:`graphopt.nn.losses.KCenterLoss.relax`).

    Parameters
    ----------
    in_features : int
        Width of the node features.
    n_clusters : int
        K.
    hidden_features, embedding_features : int
        Widths of the encoder.
    dropout : float
        Dropped share of the hidden layer while training.
    temperature : float
        β of the softmax over clusters; larger is sharper.
    iterations : int
        Updates of soft k-means per forward pass; may be set between calls
        (``net.cluster.iterations = 5``).
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        How to differentiate the clustering; see :class:`graphopt.nn.SoftKMeans`.
    encoder : {"gcn", "sgc", "appnp"}
        :class:`GCN`, :class:`SGC` or :class:`APPNP`.
    propagation_steps : int, optional
        Averages over neighbours, of SGC and APPNP; default: 2 and 10.
    teleport : float, optional
        α of APPNP; default: 0.1.
    tolerance : float
        Relative residual at which the solver of the implicit gradient stops. The default is far
        below the noise of masks and dropout, and within the reach of float32.

    Notes
    -----
    Every forward pass starts from the same centres, a buffer. :meth:`initialize` draws them from
    the embedded nodes by k-means++. Wilder et al., "End to End Learning and Optimization on
    Graphs", NeurIPS 2019, section 4.
    """

    initial_centers: Tensor

    def __init__(
        self,
        in_features: int,
        n_clusters: int,
        *,
        hidden_features: int = 50,
        embedding_features: int = 50,
        dropout: float = 0.5,
        temperature: float = 30.0,
        iterations: int = 1,
        gradient: Gradient = "one-step",
        encoder: EncoderName = "gcn",
        propagation_steps: int | None = None,
        teleport: float | None = None,
        tolerance: float = 1e-4,
    ) -> None:
        super().__init__()
        n_clusters = check_integer("n_clusters", n_clusters, minimum=1)
        embedding_features = check_integer("embedding_features", embedding_features, minimum=1)
        self.encoder = make_encoder(
            encoder,
            in_features,
            hidden_features,
            embedding_features,
            dropout=dropout,
            propagation_steps=propagation_steps,
            teleport=teleport,
        )
        self.cluster = SoftKMeans(
            n_clusters, temperature, iterations, gradient, tolerance=tolerance
        )
        check_parameters("the centres", n_clusters * embedding_features)
        self.register_buffer("initial_centers", torch.rand(n_clusters, embedding_features))

    def _restart(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        random_state: np.random.Generator,
    ) -> None:
        embedding = self._embedded(features, adjacency)
        with torch.no_grad():
            self.initial_centers.copy_(self.draw_centers(embedding, random_state))

    @torch.no_grad()
    def _embedded(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        """Return the embedding without dropout."""
        training = self.encoder.training
        embedding: Tensor = self.encoder.eval()(features, adjacency)
        self.encoder.train(training)
        return embedding

    def draw_centers(self, embedding: Tensor, random_state: np.random.Generator) -> Tensor:
        """Return centres drawn from embedded nodes by k-means++, on the unit sphere.

        Parameters
        ----------
        embedding : Tensor, shape (n_nodes, embedding_features)
            The output of the encoder.
        random_state : numpy.random.Generator

        Returns
        -------
        Tensor, shape (n_clusters, embedding_features)
        """
        _check_finite(embedding)
        rows = functional.normalize(embedding.detach(), dim=1).numpy()
        drawn = kmeans_plus_plus(rows, self.cluster.n_clusters, random_state=random_state)
        return torch.from_numpy(drawn)

    @torch.no_grad()
    def start_from(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        labels: Tensor,
        random_state: np.random.Generator,
    ) -> None:
        """Let every forward pass start from given groups: centres are their mean embeddings.

        Parameters
        ----------
        features, adjacency
            As for :meth:`forward`, of one graph.
        labels : Tensor of int64, shape (n_nodes,)
            Groups, ``0 .. n_clusters - 1``. A group without nodes starts at a node that is drawn
            by k-means++.
        random_state : numpy.random.Generator

        Raises
        ------
        ValueError
            For labels of another shape or out of range.
        """
        embedding = self._embedded(features, adjacency)
        n_clusters = self.cluster.n_clusters
        if labels.shape != embedding.shape[:1]:
            raise ValueError(f"labels must have shape ({len(embedding)},), not {(*labels.shape,)}")
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < n_clusters:
            raise ValueError(f"labels must be in 0..{n_clusters - 1}")
        _check_finite(embedding)
        centers, sizes = group_means(functional.normalize(embedding, dim=1), labels, n_clusters)
        if (sizes == 0).any():
            centers[sizes == 0] = self.draw_centers(embedding, random_state)[sizes == 0]
        self.initial_centers.copy_(centers)

    def forward(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        centers: Tensor | None = None,
        *,
        offsets: Tensor | None = None,
    ) -> SoftKMeansOutput:
        """Cluster the nodes.

        Parameters
        ----------
        features : Tensor or SparseMatrix, shape (n_nodes, in_features)
        adjacency : SparseMatrix, shape (n_nodes, n_nodes)
            Row-normalised, with self loops; block diagonal for a batch of graphs.
        centers : Tensor, shape (n_clusters, embedding_features), optional
            Start of soft k-means; default: the buffer ``initial_centers``.
        offsets : Tensor of int64, shape (n_graphs + 1,), optional
            First node of each graph in a batch; each is clustered by itself.

        Returns
        -------
        SoftKMeansOutput
            ``assignment`` (n_nodes, n_clusters), ``centers`` and the unit ``embedding``.
        """
        embedding = self.encoder(features, adjacency)
        start = self.initial_centers if centers is None else centers
        if offsets is not None and offsets.ndim == 1 and start.ndim == 2:
            start = start.expand(len(offsets) - 1, *start.shape)
        output: SoftKMeansOutput = self.cluster(embedding, start, offsets=offsets)
        return output


def _check_finite(embedding: Tensor) -> None:
    if not torch.isfinite(embedding).all():
        raise ValueError("the embedding of features must be finite; they may be too large")
