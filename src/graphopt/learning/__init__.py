"""Training: from a graph and features to a decision."""

import graphopt._torch  # noqa: F401  # isort: split
from graphopt.learning.direct import DirectGCN
from graphopt.learning.ensemble import consensus
from graphopt.learning.estimators import ClusterNet
from graphopt.learning.link_predictor import LinkPredictor
from graphopt.learning.link_scores import LinkScores
from graphopt.learning.predicted_links import PredictedLinks
from graphopt.learning.recipes import PAPER, PAPER_INDUCTIVE, Recipe
from graphopt.learning.trainer import Checkpoint, TrainingRun, train
from graphopt.learning.two_stage import TwoStage

__all__ = [
    "PAPER",
    "PAPER_INDUCTIVE",
    "Checkpoint",
    "ClusterNet",
    "DirectGCN",
    "LinkPredictor",
    "LinkScores",
    "PredictedLinks",
    "Recipe",
    "TrainingRun",
    "TwoStage",
    "consensus",
    "train",
]
