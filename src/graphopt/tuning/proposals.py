"""Which setting to try next: a function of the trials so far, the seed and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphopt._loading import load_whole
from graphopt._validation import check_choice
from graphopt.tuning.spaces import Params, Space

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

SAMPLERS = ("tpe", "grid", "random")
_STARTUP = 10  # random points before TPE has something to learn from
_ATTEMPTS = 20  # that TPE gets to name a point that is new


def propose(
    space: Space,
    trials: Sequence[FrozenTrial],
    *,
    sampler: str,
    seed: int,
    greater_is_better: bool,
) -> Params | None:
    """Return the next setting, never one that was tried; None when all were.

    Parameters
    ----------
    space : Space
    trials : sequence of FrozenTrial
        All that count so far, in any state.
    sampler : {"tpe", "grid", "random"}
        Optuna's tree-structured Parzen estimator; the grid's order; a random order of the grid.
        The space's landmarks come first in any case.
    seed : int
    greater_is_better : bool

    Returns
    -------
    dict or None
        The same for the same trials: a search that was interrupted goes on as if it had not been.
    """
    check_choice("sampler", sampler, SAMPLERS)
    tried = {key(trial_params(trial)) for trial in trials}
    for landmark in space.landmarks:
        if key(landmark.params) not in tried:
            return dict(landmark.params)
    if sampler == "tpe" and len(trials) >= _STARTUP:
        found = _by_tpe(space, trials, tried, seed, greater_is_better)
        if found is not None:
            return found
    order: Any = range(space.size)
    if sampler != "grid":
        order = np.random.default_rng(seed).permutation(space.size)
    for index in order:
        point = space.point(int(index))
        if key(point) not in tried:
            return point
    return None


def key(params: Any) -> tuple[Any, ...]:
    """Return something hashable that is equal for equal settings."""
    return tuple(sorted(params.items()))


def trial_params(trial: FrozenTrial) -> Params:
    """Return a trial's setting, also of one that waits."""
    fixed: Params = trial.system_attrs.get("fixed_params", {})
    return {**fixed, **trial.params}


def distributions(space: Space) -> dict[str, Any]:
    """Return the space as Optuna's distributions."""
    load_whole("optuna.distributions")
    from optuna.distributions import CategoricalDistribution

    return {name: CategoricalDistribution(values) for name, values in space.choices.items()}


def _by_tpe(
    space: Space,
    trials: Sequence[FrozenTrial],
    tried: set[tuple[Any, ...]],
    seed: int,
    greater_is_better: bool,
) -> Params | None:
    """Let TPE learn from the trials, in memory; None if it names only points that were tried."""
    load_whole("optuna")
    import optuna

    load_whole("optuna.trial")
    from optuna.trial import TrialState

    first = int(np.random.SeedSequence([seed, len(trials)]).generate_state(1)[0])
    study = optuna.create_study(
        direction="maximize" if greater_is_better else "minimize",
        sampler=optuna.samplers.TPESampler(n_startup_trials=0, constant_liar=True, seed=first),
    )
    # Those that run now keep TPE from sending another worker to the same place.
    useful = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.RUNNING)
    study.add_trials([t for t in trials if t.state in useful and t.params])
    for _ in range(_ATTEMPTS):
        params: Params = study.ask(distributions(space)).params
        if key(params) not in tried:
            return params
    return None
