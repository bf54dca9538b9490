"""Slow, readable twins of every kernel, for tests and for reading."""
