"""Graphs to learn on: the published data sets and synthetic ones."""
