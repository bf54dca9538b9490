"""What a hyperparameter search has found, beside the settings that it started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from graphopt._loading import load_whole
from graphopt.tuning.proposals import key, trial_params
from graphopt.tuning.search import Search
from graphopt.tuning.spaces import Landmark, Params, Space, Value

if TYPE_CHECKING:
    from optuna.study import Study
    from optuna.trial import FrozenTrial

_ENOUGH = 10  # trials from which on importances say something


@dataclass(frozen=True, slots=True)
class Tried:
    """A setting that was trained to the full length.

    Attributes
    ----------
    trial : int
        Number in the study.
    params : dict
    iterations : int
        Length of training at which it scored best.
    score : float
    seconds : float
        Wall time of the trial.
    landmark : str or None
        Name of the landmark it is, if any.
    """

    trial: int
    params: Params
    iterations: int
    score: float
    seconds: float
    landmark: str | None


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a landmark stands among the settings that the search tried.

    Attributes
    ----------
    name : str
    params : dict
    iterations : int
        Its own length of training.
    score : float
        After that length.
    rank : int
        1 and the number of other settings that, at their best lengths, score better; those whose
        training was cut short, at the best length they came to.
    of : int
        Settings tried, those included whose training was cut short.
    """

    name: str
    params: Params
    iterations: int
    score: float
    rank: int
    of: int


@dataclass(frozen=True, slots=True)
class Findings:
    """The outcome of a search so far.

    Attributes
    ----------
    study : str
    protocol : dict
        What scores depend on.
    greater_is_better : bool
    tried : list of Tried
        Best first; equal scores by number.
    landmarks : list of Standing
        As far as they have been evaluated.
    importances : dict of str to float, or None
        Share of the scores' variance that a setting explains (functional ANOVA), largest first;
        None with too few trials to tell.
    n_pruned, n_failed, n_lost : int
        Trials cut short; that raised an error; whose process ended, and which were tried again.
    """

    study: str
    protocol: dict[str, Any]
    greater_is_better: bool
    tried: list[Tried]
    landmarks: list[Standing]
    importances: dict[str, float] | None
    n_pruned: int
    n_failed: int
    n_lost: int

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return asdict(self)


def findings(search: Search) -> Findings:
    """Read what a search has found from its study."""
    study, space = search.study, search.space
    counted = search.counted()
    by_state: dict[str, list[FrozenTrial]] = {"COMPLETE": [], "PRUNED": [], "FAIL": []}
    for trial in counted:
        by_state.setdefault(trial.state.name, []).append(trial)
    names = {key(landmark.params): landmark.name for landmark in space.landmarks}
    sign = -1.0 if search.evaluation.greater_is_better else 1.0
    tried = sorted(
        (_tried(trial, names) for trial in by_state["COMPLETE"]),
        key=lambda one: (sign * one.score, one.trial),
    )
    begun = tried + [_tried(trial, names) for trial in by_state["PRUNED"]]
    standings = []
    for landmark in space.landmarks:
        for trial in by_state["COMPLETE"]:
            if key(trial_params(trial)) == key(landmark.params):
                standings.append(_standing(landmark, trial, begun, sign))
                break
    return Findings(
        study=study.study_name,
        protocol=search.evaluation.protocol,
        greater_is_better=search.evaluation.greater_is_better,
        tried=tried,
        landmarks=standings,
        importances=_importances(study, by_state["COMPLETE"]),
        n_pruned=len(by_state["PRUNED"]),
        n_failed=len(by_state["FAIL"]),
        n_lost=search.n_lost(),
    )


def as_code(space: Space, params: Mapping[str, Value], iterations: int, n_clusters: int) -> str:
    """Return Python that makes the estimator of a setting."""
    words = space.estimator_params(params, iterations, 1.0)
    arguments = [str(n_clusters)]
    for name, value in words.items():
        if name == "seen_fraction":
            if words["completion"] is not None:
                arguments.append("seen_fraction=seen_fraction")  # the user's own
        else:
            arguments.append(f"{name}={value!r}")
    return f"ClusterNet({', '.join(arguments)})"


def _tried(trial: FrozenTrial, landmarks: Mapping[Any, str]) -> Tried:
    outcome = trial.user_attrs["outcome"]
    return Tried(
        trial=trial.number,
        params=trial_params(trial),
        iterations=outcome["iterations"],
        score=outcome["scores"][str(outcome["iterations"])],
        seconds=outcome["seconds"],
        landmark=landmarks.get(key(trial_params(trial))),
    )


def _standing(landmark: Landmark, trial: FrozenTrial, begun: list[Tried], sign: float) -> Standing:
    score: float = trial.user_attrs["outcome"]["scores"][str(landmark.iterations)]
    better = sum(one.trial != trial.number and sign * one.score < sign * score for one in begun)
    return Standing(
        landmark.name, dict(landmark.params), landmark.iterations, score, 1 + better, len(begun)
    )


def _importances(study: Study, complete: list[FrozenTrial]) -> dict[str, float] | None:
    load_whole("optuna")
    import optuna

    varied = len({trial.value for trial in complete}) > 1
    if len(complete) < _ENOUGH or not varied:
        return None
    evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
    return dict(optuna.importance.get_param_importances(study, evaluator=evaluator))
