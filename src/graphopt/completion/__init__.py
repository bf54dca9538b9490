"""Completions: they estimate missing edges from a seen graph, for any algorithm to use."""

from graphopt.completion._bagging import Bagging
from graphopt.completion._base import Completion, Mixture, PairCompletion
from graphopt.completion._calibration import Reliability, choose_sharpness, reliability_curve
from graphopt.completion._choice import (
    Choice,
    Chosen,
    Outcome,
    choose,
    default_candidates,
)
from graphopt.completion._link_model import LinkModel
from graphopt.completion._neighbours import FeatureNeighbours
from graphopt.completion._placement import PLACEMENTS, decide_under, spread_over_groups
from graphopt.completion._probabilities import EdgeProbabilities

__all__ = [
    "PLACEMENTS",
    "Bagging",
    "Choice",
    "Chosen",
    "Completion",
    "EdgeProbabilities",
    "FeatureNeighbours",
    "LinkModel",
    "Mixture",
    "Outcome",
    "PairCompletion",
    "Reliability",
    "choose",
    "choose_sharpness",
    "decide_under",
    "default_candidates",
    "reliability_curve",
    "spread_over_groups",
]
