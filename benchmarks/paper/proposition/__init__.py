"""Proposition 1 of the paper, both sides measured."""
