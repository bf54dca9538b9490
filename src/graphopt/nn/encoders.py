"""The encoders that a network can be built on, by name."""

from __future__ import annotations

from typing import TypeAlias

from graphopt._validation import check_choice
from graphopt.nn.appnp import APPNP
from graphopt.nn.gcn import GCN
from graphopt.nn.sgc import SGC

Encoder: TypeAlias = GCN | SGC | APPNP
"""Embeds nodes: ``encoder(features, adjacency)``; has ``initialize`` and ``calibrate``."""

ENCODERS = ("gcn", "sgc", "appnp")


def make_encoder(
    name: str,
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
        :class:`GCN`, :class:`SGC` (which has no hidden layer, nor dropout) or :class:`APPNP`.
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
    given = {name: value for name, value in own.items() if value is not None}
    if name == "gcn":
        return GCN(in_features, hidden_features, out_features, dropout=dropout)
    if name == "sgc":
        return SGC(in_features, out_features, **given)  # type: ignore[arg-type]
    return APPNP(in_features, hidden_features, out_features, dropout=dropout, **given)  # type: ignore[arg-type]
