"""How good are decisions on partly seen graphs: clean splits, regret, paired comparison."""

from graphopt.evaluation._judgement import (
    TASKS,
    Agreement,
    DistanceTail,
    Judgement,
    agreement,
    distance_tail,
    judge,
    quality,
    regret_of,
)
from graphopt.evaluation._methods import METHODS, exact_within_reach
from graphopt.evaluation._protocol import compare, regret
from graphopt.evaluation._results import (
    ComparisonResult,
    PairedDifference,
    Reference,
    RegretResult,
    Run,
    paired_difference,
)
from graphopt.evaluation._splits import CleanSplit, clean_splits
from graphopt.evaluation._statistics import Summary, signed_rank_p_value, summarize

__all__ = [
    "METHODS",
    "TASKS",
    "Agreement",
    "CleanSplit",
    "ComparisonResult",
    "DistanceTail",
    "Judgement",
    "PairedDifference",
    "Reference",
    "RegretResult",
    "Run",
    "Summary",
    "agreement",
    "clean_splits",
    "compare",
    "distance_tail",
    "exact_within_reach",
    "judge",
    "paired_difference",
    "quality",
    "regret",
    "regret_of",
    "signed_rank_p_value",
    "summarize",
]
