"""One call for an answer: the best decision of several methods, with its evidence."""

from graphopt.decision._decide import decide
from graphopt.decision._methods import MethodDecision, portfolio_decisions
from graphopt.decision._result import Candidate, Decision

__all__ = ["Candidate", "Decision", "MethodDecision", "decide", "portfolio_decisions"]
