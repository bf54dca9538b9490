"""Search of hyperparameters on a user's graph, judged on seen edges alone; on Optuna.

A share of the *seen* edges is hidden from training, and the decision is judged on all seen edges.
Trials are kept in a SQLite file by Optuna, so that a search that was stopped or killed goes on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphopt._loading import load_whole
from graphopt.tuning.findings import Findings, Standing, Tried, as_code, findings
from graphopt.tuning.proposals import propose
from graphopt.tuning.search import Search, default_study
from graphopt.tuning.spaces import Landmark, Params, Space, Value, default_space

if TYPE_CHECKING:
    from graphopt.tuning.judging import Evaluation, HiddenEdges, Inductive, Report, SingleGraph

__all__ = [
    "Evaluation",
    "Findings",
    "HiddenEdges",
    "Inductive",
    "Landmark",
    "Params",
    "Report",
    "Search",
    "SingleGraph",
    "Space",
    "Standing",
    "Tried",
    "Value",
    "as_code",
    "default_space",
    "default_study",
    "findings",
    "propose",
]

_WITH_TORCH = ("Evaluation", "HiddenEdges", "Inductive", "Report", "SingleGraph")


def __getattr__(name: str) -> Any:
    """Load PyTorch with what needs it: worker processes start sooner without."""
    if name in _WITH_TORCH:
        return getattr(load_whole("graphopt.tuning.judging"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
