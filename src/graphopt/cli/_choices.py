"""What several commands let their user choose."""

from __future__ import annotations

from enum import Enum


class Task(str, Enum):
    """What is decided."""

    community = "community"
    facility = "facility"


class Setting(str, Enum):
    """What is seen of the graph while deciding."""

    learning = "learning"
    optimization = "optimization"
