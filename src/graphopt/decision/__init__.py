"""Decide on a graph by the best of several methods, and measure how good methods are.

:func:`decide` is the one call for an answer; :func:`compare` and :func:`regret` say how much worse
methods decide where they see only part of the edges. All three stand on a :class:`Problem`, the
:class:`Trial` made of one, the :class:`Method` that decides, and :func:`contest`, the one loop.
"""

from graphopt.contest import Method, Result, Table, contest
from graphopt.decision._agreement import Agreement, agreement
from graphopt.decision._compare import compare, regret
from graphopt.decision._comparison import (
    ComparisonResult,
    PairedDifference,
    RegretResult,
    Run,
    paired_difference,
)
from graphopt.decision._decide import MethodDecision, decide, portfolio_decisions
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
    "MethodDecision",
    "PairedDifference",
    "Problem",
    "Reference",
    "RegretResult",
    "Result",
    "Run",
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
