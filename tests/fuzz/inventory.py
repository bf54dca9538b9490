"""What is public: names that a target must be called by."""

from __future__ import annotations

import inspect
import types
from collections.abc import Iterator
from dataclasses import is_dataclass
from importlib import import_module
from typing import Any

# Those with an `__all__` first, as names count where they are found first.
MODULES = (
    "graphopt",
    "graphopt.centers",
    "graphopt.communities",
    "graphopt.completion",
    "graphopt.datasets",
    "graphopt.decision",
    "graphopt.features",
    "graphopt.learning",
    "graphopt.nn",
    "graphopt.objectives",
    "graphopt.nn.losses",
    "graphopt.nn.facility_distances",
    "graphopt.clustering",
    "graphopt.facility",
    "graphopt.paths",
    "graphopt.rounding",
    "graphopt.completion.unseen_pairs",
)

_INTERNAL = "takes what its callers in the package have checked"
_NOTHING = "takes nothing, and hence nothing odd"
_ABSTRACT = "has no body of its own; its subclasses are targets"

EXCLUDED = {
    "graphopt.build_config": _NOTHING,
    "graphopt.get_num_threads": _NOTHING,
    "graphopt.datasets.names": _NOTHING,
    "graphopt.completion.Completion": _ABSTRACT,
    "graphopt.completion.Completion.missing_edges": _ABSTRACT,
    "graphopt.completion.PairCompletion": _ABSTRACT,
    "graphopt.completion.PairCompletion.missing_edges": _ABSTRACT,
    "graphopt.completion.PairCompletion.probabilities": _ABSTRACT,
    "graphopt.completion.PairCompletion.sample": _ABSTRACT,
    **{
        f"graphopt.objectives.{kind}.{name}": _INTERNAL
        for kind in ("Modularity", "KCenter", "Objective")
        for name in (
            "better",
            "check_feasible",
            "describe",
            "evaluate_main_part",
            "hide",
            "judge",
            "kept_share",
            "number",
            "prove",
            "reference",
            "renumber",
            "simplify",
        )
    },
    "graphopt.objectives.Objective": _ABSTRACT,
    **{
        f"graphopt.objectives.Objective.{name}": _ABSTRACT
        for name in ("check", "evaluate", "measures", "regret")
    },
    "graphopt.datasets.Hiding.as_whole": _INTERNAL,
    "graphopt.decision.Problem.once": _INTERNAL,
    "graphopt.decision.Problem.with_hidden_edges": _INTERNAL,
    "graphopt.decision.contest": _INTERNAL,
    "graphopt.decision.Method": _ABSTRACT,
    "graphopt.decision.Method.decide": _ABSTRACT,
    **{
        f"graphopt.decision.Table.{name}": _INTERNAL
        for name in ("best", "complete", "error", "of", "seconds", "to_rows", "values")
    },
    "graphopt.nn.losses.SoftClusters": _ABSTRACT,
    "graphopt.nn.losses.Loss": _ABSTRACT,
    **{
        f"graphopt.nn.losses.Loss.{name}": _ABSTRACT
        for name in (
            "better",
            "decode",
            "evaluate",
            "improve",
            "loss",
            "prepare",
            "relax",
            "training_value",
        )
    },
    "graphopt.clustering.SoftKMeansSettings.check_dtype": _INTERNAL,
    "graphopt.clustering.SoftKMeansSettings.unpack": _INTERNAL,
    "graphopt.paths.find_distances": _INTERNAL,
    "graphopt.paths.largest_distance": _INTERNAL,
    "graphopt.paths.unreachable": _INTERNAL,
    "graphopt.facility.check_charge": _INTERNAL,
    "graphopt.facility.check_distances": _INTERNAL,
    "graphopt.facility.check_opening": _INTERNAL,
    "graphopt.facility.distance_costs": _INTERNAL,
    "graphopt.facility.hop_steps": _INTERNAL,
    "graphopt.facility.in_ordinary_unit": _INTERNAL,
    "graphopt.facility.order_sites": _INTERNAL,
    "graphopt.completion.unseen_pairs.UnseenPairs": _INTERNAL,
}


def public_names() -> Iterator[str]:
    """Yield every public function, class with a constructor of its own, and method."""
    seen: set[int] = set()
    for place in MODULES:
        module = import_module(place)
        for name in _names(module):
            thing = getattr(module, name)
            if id(thing) in seen or isinstance(thing, types.ModuleType):
                continue
            seen.add(id(thing))
            if inspect.isclass(thing):
                if not _is_record(thing):
                    yield f"{place}.{name}"
                yield from (f"{place}.{name}.{method}" for method in _methods(thing))
            elif inspect.isroutine(thing):
                yield f"{place}.{name}"


def _names(module: types.ModuleType) -> list[str]:
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    return sorted(
        name
        for name, thing in vars(module).items()
        if not name.startswith("_") and getattr(thing, "__module__", None) == module.__name__
    )


def _is_record(kind: type) -> bool:
    """Whether a class only holds what it is given, as results do."""
    if issubclass(kind, tuple):
        return True
    own = "__post_init__" in vars(kind) or "__init__" in inspect.getsource(kind)
    return is_dataclass(kind) and not own


def _methods(kind: type) -> Iterator[str]:
    for name in sorted({name for base in _own_bases(kind) for name in vars(base)}):
        given: Any = next(vars(base)[name] for base in _own_bases(kind) if name in vars(base))
        if not name.startswith("_") and isinstance(
            given, types.FunctionType | classmethod | staticmethod
        ):
            yield name


def _own_bases(kind: type) -> list[type]:
    return [base for base in kind.__mro__ if base.__module__.startswith("graphopt")]
