"""What several commands let their user choose."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Goal(str, Enum):
    """The objective of a decision."""

    modularity = "modularity"
    k_center = "k-center"


class Setting(str, Enum):
    """What is seen of the graph while deciding."""

    learning = "learning"
    optimization = "optimization"


FeaturesFile = Annotated[
    Path | None,
    typer.Option(
        help="Its node features: .npy, .npz (SciPy sparse) or CSV.", exists=True, dir_okay=False
    ),
]


def check_source(dataset: str | None, edges: Path | None, features: Path | None) -> None:
    """Raise BadParameter unless at most one graph is named, and features only with edges."""
    if dataset is not None and edges is not None:
        raise typer.BadParameter("give --dataset or --edges, not both")
    if features is not None and edges is None:
        raise typer.BadParameter("--features belongs to --edges")
