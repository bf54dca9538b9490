# cython: language_level=3, boundscheck=False, wraparound=False
"""Python containers (networkx dictionaries, lists of hashable labels) into edge arrays."""
