"""Graph encoders: GCN, SGC and APPNP."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from graphopt._threads import resolve_num_threads
from graphopt._validation import (
    WORTH_ASKING,
    check_choice,
    check_integer,
    check_memory,
    check_number,
)
from graphopt.nn.functional import check_dropped_share, dropout, standardised
from graphopt.nn.operators import gcn_layers
from graphopt.nn.sparse import SparseMatrix, check_inputs, product

_ACTIVATIONS = 4  # the outputs of a layer, before and after averages, and the gradients of both
_OPTIMIZED = 4  # a weight, its gradient and the two moments that Adam keeps


class Encoder(nn.Module):
    """Embeds the nodes of a graph; drawn anew and then fitted to the scale of the data.

    Works in float32 and float64, and on a batch of graphs as one block diagonal matrix.
    """

    def forward(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        """Embed every node.

        Parameters
        ----------
        features : Tensor or SparseMatrix, shape (n_nodes, in_features)
        adjacency : SparseMatrix, shape (n_nodes, n_nodes)
            Usually :attr:`Adjacency.whole`.

        Returns
        -------
        Tensor, shape (n_nodes, out_features)
        """
        _check_operands(features, adjacency)
        return self._embed(features, adjacency)

    @torch.no_grad()
    def calibrate(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> None:
        """Scale and shift each layer so that its outputs on these data have mean 0 and spread 1.

        Without it, averages over neighbours of sparse features make all nodes nearly alike, and
        clusters are empty at the start. A unit that is constant on the data is only shifted.
        After D. Mishkin and J. Matas, "All you need is a good init", ICLR 2016.

        Parameters
        ----------
        features, adjacency
            As for :meth:`forward`.
        """
        _check_operands(features, adjacency)
        self._standardise(features, adjacency)

    def initialize(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        random_state: np.random.Generator,
    ) -> None:
        """Draw weights anew and :meth:`calibrate` them.

        Parameters
        ----------
        features, adjacency
            As for :meth:`forward`.
        random_state : numpy.random.Generator

        Raises
        ------
        graphopt.errors.MemoryLimitError
            If the layers of all nodes do not fit in memory.
        """
        check_inputs(features, adjacency)
        width = sum(weight.shape[1] for weight in self.parameters() if weight.ndim == 2)
        n_bytes = _ACTIVATIONS * adjacency.dtype.itemsize * adjacency.shape[0] * width
        if n_bytes > WORTH_ASKING:
            check_memory(
                f"the layers of {adjacency.shape[0]:,} nodes, {width:,} wide together,",
                n_bytes,
                "use fewer hidden or embedding features, or fewer nodes at a time",
            )
        self.reset_parameters(torch.Generator().manual_seed(int(random_state.integers(2**63))))
        self.calibrate(features, adjacency)

    @torch.no_grad()
    def reset_parameters(self, generator: torch.Generator | None = None) -> None:
        """Draw weights anew, normal with variance 1 / inputs; biases are 0.

        Parameters
        ----------
        generator : torch.Generator, optional
            Default: PyTorch's global generator.
        """
        for parameter in self.parameters():
            if parameter.ndim == 2:
                parameter.normal_(std=parameter.shape[0] ** -0.5, generator=generator)
            else:
                parameter.zero_()

    @abstractmethod
    def _embed(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        """Embed every node."""

    @abstractmethod
    def _standardise(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> None:
        """Calibrate each layer."""


class TwoLayerEncoder(Encoder):
    """An encoder whose parameters are those of two dense layers, with dropout between."""

    def __init__(
        self, in_features: int, hidden_features: int, out_features: int, dropout: float
    ) -> None:
        super().__init__()
        # Python's integers: the products of NumPy's may overflow.
        in_features = check_integer("in_features", in_features, minimum=1)
        hidden_features = check_integer("hidden_features", hidden_features, minimum=1)
        out_features = check_integer("out_features", out_features, minimum=1)
        self.dropout = check_dropped_share("dropout", dropout)
        check_parameters("an encoder", (in_features + 1 + out_features) * hidden_features)
        self.hidden_weight = nn.Parameter(torch.empty(in_features, hidden_features))
        self.hidden_bias = nn.Parameter(torch.empty(hidden_features))
        self.out_weight = nn.Parameter(torch.empty(hidden_features, out_features))
        self.out_bias = nn.Parameter(torch.empty(out_features))
        self.reset_parameters()


class GCN(TwoLayerEncoder):
    """Two graph convolutions: ``Â dropout(relu(Â X W1 + b1)) W2 + b2``.

    Parameters
    ----------
    in_features, hidden_features, out_features : int
        Widths.
    dropout : float
        In [0, 1); applied to the hidden layer while training.

    Notes
    -----
    T. N. Kipf and M. Welling, "Semi-Supervised Classification with Graph Convolutional Networks",
    ICLR 2017; ClusterNet paper, section 4.
    """

    def __init__(
        self, in_features: int, hidden_features: int, out_features: int, *, dropout: float = 0.5
    ) -> None:
        super().__init__(in_features, hidden_features, out_features, dropout)

    def _embed(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        projected = product(features, self.hidden_weight)
        adjacency.check_operand("features", projected)
        share = self.dropout if self.training else 0.0
        seed = torch.randint(2**62, ()) if share > 0.0 else torch.zeros((), dtype=torch.int64)
        embedding: Tensor
        embedding, _ = gcn_layers(
            *adjacency.operands,
            projected,
            self.hidden_bias,
            self.out_weight,
            self.out_bias,
            seed,
            share,
            resolve_num_threads(None),
        )
        return embedding

    def _standardise(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> None:
        hidden = adjacency @ product(features, self.hidden_weight)
        hidden = functional.relu(standardised(hidden, self.hidden_weight, self.hidden_bias))
        standardised(adjacency @ product(hidden, self.out_weight), self.out_weight, self.out_bias)


class SGC(Encoder):
    """A linear encoder, features averaged over neighbours several times: ``Âᴷ X W + b``.

    Parameters
    ----------
    in_features, out_features : int
        Widths.
    steps : int
        K, the averages over neighbours. 0: neighbours do not count.

    Notes
    -----
    The product is taken from the right, so that averages are over `out_features` columns, however
    wide and sparse the features. As the encoder is linear, nothing is dropped while training.

    F. Wu et al., "Simplifying Graph Convolutional Networks", ICML 2019.

    Examples
    --------
    >>> from graphopt import Graph
    >>> from graphopt.nn import Adjacency
    >>> ring = Adjacency(Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])).whole
    >>> SGC(4, 2)(torch.eye(4), ring).shape
    torch.Size([4, 2])
    """

    def __init__(self, in_features: int, out_features: int, *, steps: int = 2) -> None:
        super().__init__()
        in_features = check_integer("in_features", in_features, minimum=1)
        out_features = check_integer("out_features", out_features, minimum=1)
        self.steps = check_integer("steps", steps, minimum=0)
        check_parameters("an encoder", (in_features + 1) * out_features)
        self.weight = nn.Parameter(torch.empty(in_features, out_features))
        self.bias = nn.Parameter(torch.empty(out_features))
        self.reset_parameters()

    def _embed(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        return self._averaged(features, adjacency) + self.bias

    def _standardise(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> None:
        standardised(self._averaged(features, adjacency), self.weight, self.bias)

    def _averaged(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        rows = product(features, self.weight)
        adjacency.check_operand("features", rows)
        for _ in range(self.steps):
            rows = adjacency @ rows
        return rows

    def extra_repr(self) -> str:
        """Return the settings, for printing."""
        return f"{self.weight.shape[0]}, {self.weight.shape[1]}, steps={self.steps}"


class APPNP(TwoLayerEncoder):
    """Two dense layers, then K steps ``Z ← (1 - α) Â Z + α H`` from their output H.

    These are steps of personalised PageRank: a node sees neighbours as far as K steps away without
    losing itself, as α of it is put back at each step.

    Parameters
    ----------
    in_features, hidden_features, out_features : int
        Widths.
    steps : int
        K. 0: neighbours do not count.
    teleport : float
        α in [0, 1]. 1: as with K = 0.
    dropout : float
        In [0, 1); applied to the hidden layer while training.

    Notes
    -----
    Â is averaged over rows here (:class:`Adjacency`) and symmetrically in the source.

    J. Gasteiger (Klicpera), A. Bojchevski and S. Günnemann, "Predict then Propagate: Graph Neural
    Networks meet Personalized PageRank", ICLR 2019.

    Examples
    --------
    >>> from graphopt import Graph
    >>> from graphopt.nn import Adjacency
    >>> ring = Adjacency(Graph.from_edges([(0, 1), (1, 2), (2, 3), (3, 0)])).whole
    >>> APPNP(4, 8, 2)(torch.eye(4), ring).shape
    torch.Size([4, 2])
    """

    def __init__(
        self,
        in_features: int,
        hidden_features: int,
        out_features: int,
        *,
        steps: int = 10,
        teleport: float = 0.1,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(in_features, hidden_features, out_features, dropout)
        self.steps = check_integer("steps", steps, minimum=0)
        self.teleport = check_number("teleport", teleport, minimum=0.0, maximum=1.0)

    def _embed(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> Tensor:
        hidden = functional.relu(product(features, self.hidden_weight) + self.hidden_bias)
        hidden = dropout(hidden, self.dropout, self.training)
        return self.propagate(product(hidden, self.out_weight) + self.out_bias, adjacency)

    def _standardise(self, features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> None:
        hidden = product(features, self.hidden_weight)
        hidden = functional.relu(standardised(hidden, self.hidden_weight, self.hidden_bias))
        # Rows of Â sum to 1, so a bias goes through propagation as it is.
        propagated = self.propagate(product(hidden, self.out_weight), adjacency)
        standardised(propagated, self.out_weight, self.out_bias)

    def propagate(self, rows: Tensor, adjacency: SparseMatrix) -> Tensor:
        """Return the rows spread over the graph, each node keeping a part of its own.

        Parameters
        ----------
        rows : Tensor, shape (n_nodes, width)
        adjacency : SparseMatrix, shape (n_nodes, n_nodes)

        Returns
        -------
        Tensor, shape (n_nodes, width)
        """
        _check_operands(rows, adjacency)
        adjacency.check_operand("features", rows)
        spread, kept = rows, self.teleport * rows
        for _ in range(self.steps):
            spread = torch.add(kept, adjacency @ spread, alpha=1.0 - self.teleport)
        return spread

    def extra_repr(self) -> str:
        """Return the settings, for printing."""
        widths = (*self.hidden_weight.shape, self.out_weight.shape[1])
        return (
            f"{', '.join(map(str, widths))}, steps={self.steps}, teleport={self.teleport:g}, "
            f"dropout={self.dropout:g}"
        )


class EncoderNetwork(nn.Module):
    """A network that begins with an :class:`Encoder`."""

    encoder: Encoder

    def initialize(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        random_state: np.random.Generator,
    ) -> None:
        """Draw parameters anew and calibrate the encoder to the data.

        Parameters
        ----------
        features, adjacency
            As for :meth:`forward`.
        random_state : numpy.random.Generator
        """
        self.encoder.initialize(features, adjacency, random_state)
        self._restart(features, adjacency, random_state)

    def _restart(
        self,
        features: Tensor | SparseMatrix,
        adjacency: SparseMatrix,
        random_state: np.random.Generator,
    ) -> None:
        """Set anew what comes after the encoder, which is initialised."""


EncoderName: TypeAlias = Literal["gcn", "sgc", "appnp"]
ENCODERS: tuple[EncoderName, ...] = get_args(EncoderName)


def make_encoder(
    name: EncoderName,
    in_features: int,
    hidden_features: int,
    out_features: int,
    *,
    dropout: float = 0.5,
    propagation_steps: int | None = None,
    teleport: float | None = None,
) -> Encoder:
    """Return a new encoder.

    Parameters
    ----------
    name : {"gcn", "sgc", "appnp"}
        :class:`GCN`, :class:`SGC` (which has neither a hidden layer nor dropout) or :class:`APPNP`.
    in_features, hidden_features, out_features : int
        Widths.
    dropout : float
        Dropped share of the hidden layer while training.
    propagation_steps : int, optional
        Averages over neighbours, of SGC and APPNP. Default: the encoder's own.
    teleport : float, optional
        α of APPNP. Default: its own.

    Returns
    -------
    GCN, SGC or APPNP

    Raises
    ------
    ValueError
        For another name, a setting out of range, or one that the encoder does not have.

    Examples
    --------
    >>> make_encoder("sgc", 20, 50, 10, propagation_steps=3)
    SGC(20, 10, steps=3)
    """
    check_choice("encoder", name, ENCODERS)
    if propagation_steps is not None and name == "gcn":
        raise ValueError("propagation_steps are for encoder sgc or appnp, not gcn")
    if teleport is not None and name != "appnp":
        raise ValueError(f"teleport is for encoder appnp, not {name}")
    own = {"steps": propagation_steps, "teleport": teleport}
    given: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
    if name == "gcn":
        return GCN(in_features, hidden_features, out_features, dropout=dropout)
    if name == "sgc":
        return SGC(in_features, out_features, **given)
    return APPNP(in_features, hidden_features, out_features, dropout=dropout, **given)


def check_parameters(what: str, n_parameters: int) -> None:
    """Raise MemoryLimitError if the memory is too small to train so many parameters.

    Parameters
    ----------
    what : str
        The layer, for the message.
    n_parameters : int

    Notes
    -----
    On the meta device parameters take no memory.
    """
    if torch.get_default_device().type == "meta":
        return
    n_bytes = _OPTIMIZED * torch.get_default_dtype().itemsize * n_parameters
    if n_bytes > WORTH_ASKING:
        check_memory(
            f"training {what} of {n_parameters:,} parameters",
            n_bytes,
            "use fewer features, hidden or embedding features, or clusters",
        )


def _check_operands(features: Tensor | SparseMatrix, adjacency: SparseMatrix) -> None:
    check_inputs(features, adjacency)
    adjacency.check_square("adjacency")
