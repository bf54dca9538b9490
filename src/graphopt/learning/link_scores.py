"""How well predicted probabilities tell edges from other pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graphopt._loading import load_whole


@dataclass(frozen=True, slots=True)
class LinkScores:
    """How well held-out edges are told from pairs without an edge.

    Attributes
    ----------
    auc : float
        Area under the receiver operating characteristic: how often an edge scores higher than a
        pair without one.
    average_precision : float
        Of the edges, ranked together with the pairs without one.
    hits : mapping of int to float
        By K: the share of edges that score higher than the K-th best pair without one (1 where
        there are fewer than K).
    n_edges, n_others : int
        How many were compared.
    """

    auc: float
    average_precision: float
    hits: Mapping[int, float]
    n_edges: int
    n_others: int


def score_links(
    present: NDArray[np.float32], missing: NDArray[np.float32], hits_at: Sequence[int]
) -> LinkScores:
    """Compare the probabilities of edges with those of pairs without one; both at least one."""
    load_whole("sklearn.metrics")
    from sklearn.metrics import average_precision_score, roc_auc_score

    truth = np.repeat([1, 0], [len(present), len(missing)])
    scores = np.concatenate([present, missing])
    falling = np.sort(missing)[::-1]
    return LinkScores(
        auc=float(roc_auc_score(truth, scores)),
        average_precision=float(average_precision_score(truth, scores)),
        hits={
            k: float((present > falling[k - 1]).mean()) if k <= len(falling) else 1.0
            for k in hits_at
        },
        n_edges=len(present),
        n_others=len(missing),
    )
