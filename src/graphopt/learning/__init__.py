"""Training: from a graph and features to a decision."""

import graphopt._sklearn  # isort: split

import graphopt._torch  # noqa: F401  # isort: split
from graphopt.learning.descent import Checkpoint, OnIteration
from graphopt.learning.estimators import ClusterNet, DirectGCN
from graphopt.learning.groups import consensus
from graphopt.learning.link_predictor import LinkPredictor
from graphopt.learning.link_probabilities import LinkScores
from graphopt.learning.predicted_links import PredictedLinks
from graphopt.learning.recipes import PAPER, PAPER_INDUCTIVE, Recipe
from graphopt.learning.trainer import TrainingRun, train
from graphopt.learning.two_stage import TwoStage

__all__ = [
    "PAPER",
    "PAPER_INDUCTIVE",
    "Checkpoint",
    "ClusterNet",
    "DirectGCN",
    "LinkPredictor",
    "LinkScores",
    "OnIteration",
    "PredictedLinks",
    "Recipe",
    "TrainingRun",
    "TwoStage",
    "consensus",
    "train",
]
