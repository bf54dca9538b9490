"""How a network is built and trained: every setting with its reason, and the usual ones."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from graphopt._validation import as_tuple, check_choice, check_integer, check_number
from graphopt.nn.losses import KCenterLoss, Loss

_USUAL: Any = None  # stands for a setting that is left out


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of a network and its training.

    A setting that is left out has the value that is good for the objective and the share of the
    edges seen; the defaults below are those for communities on a fully seen graph. They were chosen
    over all single-graph data sets together, not per data set.

    Parameters
    ----------
    iterations : int
        Steps of Adam. Default: 150.
    learning_rate, weight_decay : float
        Of Adam. Defaults: 0.03 and 0.
    kmeans_schedule : tuple of (float, int)
        (share of the training done, updates of soft k-means from then on), ascending from 0.
        Default: 6 updates throughout.
    temperature : float
        β of the softmax over clusters; larger is sharper. Default: 30.
    smoothing : int
        Averages of the features over seen neighbours before training. Default: 2.
    dropout, feature_dropout : float
        Share of the hidden layer, and of the features' entries, dropped at each step.
        Defaults: 0.5 and 0.5.
    masking : float
        Share of the seen edges hidden from the encoder at each step, drawn anew; the loss sees
        all. It keeps the network from fitting only what is seen, and is of no use where all is
        seen. Default: 0.
    check_every : int
        Steps between looks at the decoded decision, the best of which is kept. Default: 15.
    n_restarts : int
        Trainings from different starts; the best training value wins. Default: 3.
    n_starts : int
        Starts of soft k-means tried on a graph that the network was not trained on, the learned
        one and others by k-means++; the best value on what is seen of that graph wins. Default: 1.
    completion_in : {"both", "input", "loss"}
        Where expected edges count: in what the encoder averages over, in the loss, or in both.
    start : {"k-means++", "leiden"}
        First centres of soft k-means. ``"leiden"``: mean embeddings of the groups that Leiden finds
        in the graph of the loss, anew for every restart.
    pretraining : int
        Steps before training in which the encoder is taught the groups that training starts from:
        those of Leiden, or those given to ``fit``. Default: 0.
    consensus : bool
        Decide by :func:`graphopt.learning.consensus` of the restarts' groups in the graph
        of the loss, instead of by the best restart. Default: False.
    polish : bool
        Improve the final decision by local search on the graph of the loss
        (:meth:`Loss.improve`); the number of groups stays. Default: False.
    hidden_features, embedding_features : int
        Widths of the encoder. Defaults: 50 and 50.
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        How to differentiate the clustering; see :class:`graphopt.nn.SoftKMeans`.
    propagation_steps : int, optional
        Averages over neighbours, of SGC and APPNP. Default: the encoder's own.
    teleport : float, optional
        Share of itself that a node keeps at each step of APPNP. Default: the encoder's own.

    Examples
    --------
    >>> Recipe(temperature=50.0).over(PAPER).temperature
    50.0
    """

    iterations: int = _USUAL
    learning_rate: float = _USUAL
    weight_decay: float = _USUAL
    kmeans_schedule: tuple[tuple[float, int], ...] = _USUAL
    temperature: float = _USUAL
    smoothing: int = _USUAL
    dropout: float = _USUAL
    feature_dropout: float = _USUAL
    masking: float = _USUAL
    check_every: int = _USUAL
    n_restarts: int = _USUAL
    n_starts: int = _USUAL
    completion_in: Literal["both", "input", "loss"] = _USUAL
    start: Literal["k-means++", "leiden"] = _USUAL
    pretraining: int = _USUAL
    consensus: bool = _USUAL
    polish: bool = _USUAL
    hidden_features: int = _USUAL
    embedding_features: int = _USUAL
    gradient: Literal["one-step", "implicit", "dense", "unrolled", "auto"] = _USUAL
    propagation_steps: int | None = None
    teleport: float | None = None

    def __post_init__(self) -> None:
        given = self.given()
        for name, minimum in _INTEGERS.items():
            if name in given:
                check_integer(name, given[name], minimum=minimum)
        for name in ("learning_rate", "weight_decay", "temperature"):
            if name in given:
                positive = name == "learning_rate"
                check_number(name, given[name], minimum=0.0, open_minimum=positive)
        for name in ("dropout", "feature_dropout", "masking"):
            if name in given and check_number(name, given[name], minimum=0.0, maximum=1.0) == 1.0:
                raise ValueError(f"{name} must be less than 1, not 1")
        for name, choices in _CHOICES.items():
            if name in given:
                check_choice(name, given[name], choices)
        for name in ("consensus", "polish"):
            if not isinstance(given.get(name, False), bool):
                raise TypeError(f"{name} must be a bool, not {type(given[name]).__name__}")
        if self.consensus and self.n_restarts == 1:
            raise ValueError("n_restarts must be at least 2 for a consensus, not 1")
        if "kmeans_schedule" in given:
            _check_schedule(self.kmeans_schedule)

    def given(self) -> dict[str, Any]:
        """Return the settings that are not left out, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def over(self, usual: Recipe) -> Recipe:
        """Return this recipe, with the settings that it leaves out taken from another."""
        return replace(usual, **self.given())

    def kmeans_updates(self, step: int) -> int:
        """Return how many soft k-means updates `step` (from 0) makes."""
        share = step / self.iterations
        return [updates for start, updates in self.kmeans_schedule if start <= share][-1]

    def __repr__(self) -> str:
        return f"Recipe({', '.join(f'{k}={v!r}' for k, v in self.given().items())})"


_INTEGERS = {
    "iterations": 1,
    "smoothing": 0,
    "check_every": 1,
    "n_restarts": 1,
    "n_starts": 1,
    "pretraining": 0,
    "hidden_features": 1,
    "embedding_features": 1,
}
_CHOICES = {
    "completion_in": ("both", "input", "loss"),
    "start": ("k-means++", "leiden"),
}


def _check_schedule(schedule: Any) -> None:
    starts = []
    for entry in as_tuple("kmeans_schedule", schedule):
        if not isinstance(entry, tuple | list) or len(entry) != 2:
            raise ValueError(f"kmeans_schedule must hold pairs (share, updates), not {entry!r}")
        starts.append(check_number("kmeans_schedule", entry[0], minimum=0.0))
        check_integer("kmeans_schedule", entry[1], minimum=1)
    if not starts or starts[0] != 0.0 or starts != sorted(starts):
        raise ValueError("kmeans_schedule must start at 0 and ascend")


COMMUNITIES = Recipe(
    iterations=150,
    learning_rate=0.03,
    weight_decay=0.0,
    kmeans_schedule=((0.0, 6),),
    temperature=30.0,
    smoothing=2,
    dropout=0.5,
    feature_dropout=0.5,
    masking=0.0,
    check_every=15,
    n_restarts=3,
    n_starts=1,
    completion_in="both",
    start="k-means++",
    pretraining=0,
    consensus=False,
    polish=False,
    hidden_features=50,
    embedding_features=50,
    gradient="one-step",
)
"""The usual settings for communities on a fully seen graph."""

PAPER = replace(
    COMMUNITIES,
    iterations=1000,
    learning_rate=0.01,
    kmeans_schedule=((0.0, 1), (0.5, 5)),
    smoothing=0,
    feature_dropout=0.0,
    n_restarts=1,
)
"""The published settings (appendix, 2.1)."""

PAPER_INDUCTIVE = replace(
    COMMUNITIES,
    iterations=220,
    learning_rate=0.001,
    kmeans_schedule=((0.0, 1),),
    temperature=70.0,
    smoothing=0,
    dropout=0.2,
    feature_dropout=0.0,
    check_every=10,
    n_restarts=1,
)
"""The published settings for many graphs (appendix, 2.1): those for pubmed's.

For synthetic graphs: ``replace(PAPER_INDUCTIVE, iterations=70, kmeans_schedule=((0.0, 10),))``.
"""

LINKS = replace(
    COMMUNITIES,
    iterations=300,
    learning_rate=0.01,
    smoothing=0,
    feature_dropout=0.0,
    masking=0.2,
    check_every=10,
    n_restarts=1,
)
"""The usual settings of :class:`graphopt.LinkPredictor`."""


def default_recipe(objective: Loss, seen_fraction: float) -> Recipe:
    """Return the settings that are good for an objective at a share of edges seen."""
    if isinstance(objective, KCenterLoss):
        return replace(
            COMMUNITIES,
            iterations=200,
            learning_rate=0.01,
            smoothing=0,
            feature_dropout=0.0,
            check_every=20,
        )
    return replace(COMMUNITIES, masking=0.4 if seen_fraction < 1.0 else 0.0)


def inductive_recipe(objective: Loss, seen_fraction: float) -> Recipe:
    """Return the settings that are good for many graphs of one kind.

    Little that is learned on one graph holds on another: small steps, many updates of soft k-means
    and many starts beat long training. Chosen on the validation graphs of the paper's inductive
    data sets, using only what is seen of them.
    """
    facilities = isinstance(objective, KCenterLoss)
    return replace(
        COMMUNITIES,
        iterations=60,
        learning_rate=0.003,
        kmeans_schedule=((0.0, 20),),
        temperature=50.0,
        smoothing=2 if facilities else 5,
        feature_dropout=0.0 if facilities else 0.5,
        masking=0.4 if seen_fraction < 1.0 and not facilities else 0.0,
        check_every=10,
        n_restarts=1,
        n_starts=4 if facilities else 8,
    )


def fine_tuning_recipe(recipe: Recipe, iterations: int | None = None) -> Recipe:
    """Return how to go on training, on one more graph, a network that `recipe` has trained.

    One graph has more of its own to learn than many have in common, so there are more and longer
    steps. Training starts from the learned weights and from nothing else.

    Parameters
    ----------
    recipe : Recipe
        Complete.
    iterations : int, optional
        Default: 5/2 as many as in `recipe`, at most 150.
    """
    updates = min(recipe.kmeans_updates(recipe.iterations - 1), 10)
    return replace(
        recipe,
        iterations=min(150, -(-5 * recipe.iterations // 2)) if iterations is None else iterations,
        learning_rate=max(recipe.learning_rate, 0.01),
        kmeans_schedule=((0.0, updates),),
        n_restarts=1,
        start="k-means++",
        pretraining=0,
        consensus=False,
    )
