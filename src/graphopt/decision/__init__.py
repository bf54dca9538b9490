"""Decide on a graph by the best of several methods, and measure how good methods are.

To get an answer, call :func:`decide`. To measure how much worse methods decide if they see only
part of the edges, call :func:`compare` or :func:`regret`. All three use :func:`contest`, the loop
in which each :class:`Method` decides in each :class:`Trial` made of a :class:`Problem`.
"""

from graphopt.contest import Method, Result, Table, contest
from graphopt.decision._agreement import Agreement, agreement
from graphopt.decision._compare import compare, regret
from graphopt.decision._comparison import (
    ComparisonResult,
    PairedDifference,
    RegretResult,
    paired_difference,
)
from graphopt.decision._decide import decide, portfolio_decisions
from graphopt.decision._methods import METHODS
from graphopt.decision._result import Candidate, Decision
from graphopt.decision._statistics import Summary, signed_rank_p_value, summarize
from graphopt.objectives import Judgement, Problem, Reference, Trial

__all__ = [
    "METHODS",
    "Agreement",
    "Candidate",
    "ComparisonResult",
    "Decision",
    "Judgement",
    "Method",
    "PairedDifference",
    "Problem",
    "Reference",
    "RegretResult",
    "Result",
    "Summary",
    "Table",
    "Trial",
    "agreement",
    "compare",
    "contest",
    "decide",
    "paired_difference",
    "portfolio_decisions",
    "regret",
    "signed_rank_p_value",
    "summarize",
]
