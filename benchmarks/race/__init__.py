"""graphopt beside its peers: the same work, the same data, one process, answers compared."""
