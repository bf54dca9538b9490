"""Types of the Cython module; columns are bytes for `numpy.frombuffer`."""

from collections.abc import Hashable, Iterable

__test__: dict[str, str]  # Cython's

def adjacency_edges(
    adjacency: Iterable[tuple[Hashable, object]],
    position: dict[Hashable, int],
    plain: bool,
    weight: Hashable | None,
    multigraph: bool,
    directed: bool,
) -> tuple[bytes, bytes, bytes | None]: ...
def pair_edges(
    edges: Iterable[object], position: dict[Hashable, int] | None = None
) -> tuple[bytes, bytes, tuple[Hashable, ...] | None]: ...
