"""ClusterNet: a graph encoder and a differentiable clustering layer, end to end."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from graphopt.clustering import kmeans_plus_plus
from graphopt.nn.gcn import GCN
from graphopt.nn.soft_kmeans import SoftKMeans, SoftKMeansOutput
from graphopt.nn.sparse import SparseMatrix


class ClusterNet(nn.Module):
    """Embed the nodes of a graph, then cluster the embedding by soft k-means on the unit sphere.

    What the clusters decide is the objective's business: group memberships are the soft
    assignment itself; facility locations come from the similarity of nodes to centres
    (:meth:`graphopt.objectives.FacilityLocation.relax`).

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
        Updates of soft k-means per forward pass; may be set anew between calls
        (``net.cluster.iterations = 5``).
    gradient : str
        How to differentiate the clustering; see :class:`graphopt.nn.SoftKMeans`.

    Notes
    -----
    Every forward pass starts from the same centres, a buffer that :meth:`initialize` fills. Wilder
    et al., "End to End Learning and Optimization on Graphs", NeurIPS 2019, section 4.
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
        gradient: str = "one-step",
    ) -> None:
        super().__init__()
        self.encoder = GCN(in_features, hidden_features, embedding_features, dropout=dropout)
        self.cluster = SoftKMeans(n_clusters, temperature, iterations, gradient)
        self.register_buffer("initial_centers", torch.rand(n_clusters, embedding_features))

    def initialize(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        random_state: np.random.Generator,
    ) -> None:
        """Draw parameters anew and choose the centres that every forward pass starts from.

        The encoder is calibrated to the data (:meth:`GCN.calibrate`) and the centres are drawn
        from the embedded nodes by k-means++.

        Parameters
        ----------
        features, adjacency
            As for :meth:`forward`.
        random_state : numpy.random.Generator
        """
        self.encoder.initialize(features, adjacency, random_state)
        training = self.encoder.training
        with torch.no_grad():
            embedding = functional.normalize(self.encoder.eval()(features, adjacency), dim=1)
            chosen = kmeans_plus_plus(
                embedding.numpy(), self.cluster.n_clusters, random_state=random_state
            )
            self.initial_centers.copy_(torch.from_numpy(chosen))
        self.encoder.train(training)

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
        if offsets is not None and start.ndim == 2:
            start = start.expand(len(offsets) - 1, *start.shape)
        output: SoftKMeansOutput = self.cluster(embedding, start, offsets=offsets)
        return output
