"""How to train: every knob with its reason, and the settings that are good by default."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from graphopt._validation import as_tuple, check_choice, check_integer, check_number
from graphopt.nn.losses import KCenterLoss, Loss


@dataclass(frozen=True, slots=True)
class Recipe:
    """Settings of one training.

    The defaults are those for communities. They were chosen over all single-graph data sets
    together, not per data set.

    Parameters
    ----------
    iterations : int
        Steps of Adam.
    learning_rate, weight_decay : float
        Of Adam.
    kmeans_schedule : tuple of (float, int)
        (share of the training done, updates of soft k-means from then on), ascending from 0.
    temperature : float
        β of the softmax over clusters; larger is sharper.
    smoothing : int
        Averages of the features over seen neighbours before training.
    dropout, feature_dropout : float
        Share of the hidden layer, and of the features' entries, dropped at each step.
    masking : float
        Share of the seen edges hidden from the encoder at each step, drawn anew; the loss sees
        all. Keeps the network from fitting just what is seen; of no use where all is seen.
    check_every : int
        Steps between looks at the decoded decision, the best of which is kept.
    n_restarts : int
        Trainings from different starts; the best training value wins.
    n_starts : int
        Starts of soft k-means tried on a graph that the network was not trained on, the learned
        one and others by k-means++; the best value on what is seen of that graph wins.
    completion_in : {"both", "input", "loss"}
        Where expected edges count: in what the encoder averages over, in the loss, or in both.
    start : {"k-means++", "leiden"}
        First centres of soft k-means. ``"leiden"``: mean embeddings of the groups that Leiden finds
        in the graph of the loss, anew for every restart.
    pretraining : int
        Steps in which the encoder is taught the groups that training starts from, before it
        begins; such groups are Leiden's, or given to ``fit``.
    consensus : bool
        Decide by :func:`graphopt.learning.consensus` of the restarts' groups in the graph
        of the loss, instead of by the best restart.
    polish : bool
        Improve the final decision by local search on the graph of the loss
        (:meth:`Loss.improve`), without leaving it for another number of groups.
    """

    iterations: int = 150
    learning_rate: float = 0.03
    weight_decay: float = 0.0
    kmeans_schedule: tuple[tuple[float, int], ...] = ((0.0, 6),)
    temperature: float = 30.0
    smoothing: int = 2
    dropout: float = 0.5
    feature_dropout: float = 0.5
    masking: float = 0.0
    check_every: int = 15
    n_restarts: int = 3
    n_starts: int = 1
    completion_in: str = "both"
    start: str = "k-means++"
    pretraining: int = 0
    consensus: bool = False
    polish: bool = False

    def __post_init__(self) -> None:
        for name, minimum in (
            ("iterations", 1),
            ("smoothing", 0),
            ("check_every", 1),
            ("n_restarts", 1),
            ("n_starts", 1),
            ("pretraining", 0),
        ):
            check_integer(name, getattr(self, name), minimum=minimum)
        check_number("learning_rate", self.learning_rate, minimum=0.0, open_minimum=True)
        check_number("weight_decay", self.weight_decay, minimum=0.0)
        check_number("temperature", self.temperature, minimum=0.0)
        for name in ("dropout", "feature_dropout", "masking"):
            share = check_number(name, getattr(self, name), minimum=0.0, maximum=1.0)
            if share == 1.0:
                raise ValueError(f"{name} must be less than 1, not 1")
        check_choice("completion_in", self.completion_in, ("both", "input", "loss"))
        check_choice("start", self.start, ("k-means++", "leiden"))
        for name in ("consensus", "polish"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be a bool, not {type(getattr(self, name)).__name__}")
        if self.consensus and self.n_restarts == 1:
            raise ValueError("n_restarts must be at least 2 for a consensus, not 1")
        starts = []
        for entry in as_tuple("kmeans_schedule", self.kmeans_schedule):
            if not isinstance(entry, tuple | list) or len(entry) != 2:
                raise ValueError(f"kmeans_schedule must hold pairs (share, updates), not {entry!r}")
            starts.append(check_number("kmeans_schedule", entry[0], minimum=0.0))
            check_integer("kmeans_schedule", entry[1], minimum=1)
        if not starts or starts[0] != 0.0 or starts != sorted(starts):
            raise ValueError("kmeans_schedule must start at 0 and ascend")

    def kmeans_updates(self, step: int) -> int:
        """Return how many soft k-means updates `step` (from 0) makes."""
        share = step / self.iterations
        return [updates for start, updates in self.kmeans_schedule if start <= share][-1]

    def __repr__(self) -> str:
        changed = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if getattr(self, f.name) != f.default
        }
        return f"Recipe({', '.join(f'{k}={v!r}' for k, v in changed.items())})"


PAPER = Recipe(
    iterations=1000,
    learning_rate=0.01,
    kmeans_schedule=((0.0, 1), (0.5, 5)),
    smoothing=0,
    feature_dropout=0.0,
    n_restarts=1,
)
"""The published settings (appendix, 2.1)."""


def default_recipe(objective: Loss, seen_fraction: float) -> Recipe:
    """Return the settings that are good for an objective at a share of edges seen."""
    if isinstance(objective, KCenterLoss):
        return Recipe(
            iterations=200,
            learning_rate=0.01,
            smoothing=0,
            feature_dropout=0.0,
            check_every=20,
            n_restarts=3,
        )
    return Recipe(masking=0.4 if seen_fraction < 1.0 else 0.0)


PAPER_INDUCTIVE = Recipe(
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


def inductive_recipe(objective: Loss, seen_fraction: float) -> Recipe:
    """Return the settings that are good for many graphs of one kind.

    Little that is learned on one graph holds on another: small steps, many updates of soft k-means
    and many starts beat long training. Chosen on the validation graphs of the paper's inductive
    data sets, by what is seen of them alone.
    """
    facilities = isinstance(objective, KCenterLoss)
    return Recipe(
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
    """Return how to train on, on one more graph, a network that `recipe` has trained.

    One graph has more of its own to learn than many have in common: steps are longer and more.
    Training starts from what is learned already, and from nothing else.

    Parameters
    ----------
    recipe : Recipe
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
