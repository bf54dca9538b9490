"""How the arguments of every public function are drawn, by layer."""

from . import (  # noqa: F401
    algorithms,
    completions,
    evaluations,
    graphs,
    learners,
    networks,
    objectives,
    readers,
)
