"""ClusterNet as an estimator: fit on what is seen, read off the decision."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from graphopt._validation import (
    RandomState,
    check_choice,
    check_integer,
    check_number,
    check_random_state,
)
from graphopt.centers import evaluate_centers
from graphopt.completion import Completion, FeatureNeighbours
from graphopt.errors import NotFittedError
from graphopt.features import check_features
from graphopt.graph import Graph
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.parameters import Parameters
from graphopt.learning.placement import informative_nodes, spread_over_groups
from graphopt.learning.progress import ProgressBar
from graphopt.learning.recipes import Recipe, default_recipe
from graphopt.learning.trainer import TrainingRun, train
from graphopt.nn import ClusterNet as Network
from graphopt.objectives import FacilityLocation, Modularity, Objective

if TYPE_CHECKING:
    from typing_extensions import Self

_FORMAT = 1  # of saved files


class ClusterNet(Parameters):
    """Learn a decision on a partly seen graph, end to end.

    Nodes are embedded by a graph convolutional network and clustered by soft k-means; gradients of
    the objective flow through both. Nothing but the graph and features given to :meth:`fit` is
    used, the choice among restarts and training states included.

    Parameters
    ----------
    n_clusters : int
        Number of groups, or of facilities.
    objective : {"modularity", "k-center"} or Objective
        What the decision is judged by; an object of your own works too, see
        :class:`graphopt.objectives.Objective`.
    seen_fraction : float
        Share of all edges that the graph given to :meth:`fit` holds, in (0, 1]. Below 1, edges
        are hidden from the encoder while training, and missing ones are expected, see
        `completion`.
    completion : "auto", None or Completion
        Where missing edges are expected. ``"auto"``: between nodes with like features
        (:class:`graphopt.completion.FeatureNeighbours`), if edges are missing, there are features
        and the objective can use expected edges.
    hidden_features, embedding_features : int
        Widths of the encoder.
    temperature : float
        β of the softmax over clusters.
    gradient : {"one-step", "implicit", "dense", "unrolled", "auto"}
        How to differentiate the clustering; see :class:`graphopt.nn.SoftKMeans`.
    recipe : Recipe, optional
        Every setting of the training; default: what is good for the objective.
        :data:`graphopt.learning.PAPER` holds the published settings.
    iterations, n_restarts : int, optional
        Shorthands that overrule the recipe's.
    random_state : int, Generator or None
        Seed of everything random; an int makes :meth:`fit` repeatable to the bit.
    verbose : bool
        Show a progress bar.

    Attributes
    ----------
    labels_ : array of int32, shape (n_nodes,)
        Group of each node; for facilities, position in `centers_` of the nearest one on the seen
        graph (-1: none can be reached).
    centers_ : array of int32, shape (n_clusters,)
        Chosen nodes; only after a fit that decides on locations.
    decision_ : array
        What the objective decoded: `labels_` or `centers_`.
    assignment_ : array of float32, shape (n_nodes, n_clusters)
        Soft membership of each node; uniform for a node of which nothing is known.
    cluster_centers_ : array of float32, shape (n_clusters, embedding_features)
        Centres in the embedding.
    embedding_ : array of float32, shape (n_nodes, embedding_features)
        Unit rows; 0 for a node of which nothing is known.
    training_value_ : float
        The decision's value on what was seen, which chose it.
    runs_ : list of TrainingRun
        One per restart.
    network_ : graphopt.nn.ClusterNet
        The trained network.
    interrupted_ : bool
        Whether Ctrl-C ended training early; everything else is the best so far.

    Notes
    -----
    A node without a seen edge and without features (or with features far smaller than other nodes
    have) tells nothing: it takes no part in training, is never chosen as a facility, and such
    nodes are spread over the groups in proportion to the groups' seen degrees.

    Wilder et al., "End to End Learning and Optimization on Graphs", NeurIPS 2019.

    Examples
    --------
    >>> from graphopt import datasets
    >>> data = datasets.synthetic(60, random_state=0)
    >>> model = ClusterNet(3, seen_fraction=0.4, iterations=20, n_restarts=1, random_state=0)
    >>> labels = model.fit_predict(data.observed, data.observed_features)
    >>> labels.shape
    (60,)
    >>> bool(-0.5 <= model.score(data.graph) <= 1.0)
    True
    """

    labels_: NDArray[np.int32]
    centers_: NDArray[np.int32]
    decision_: NDArray[Any]
    assignment_: NDArray[np.float32]
    cluster_centers_: NDArray[np.float32]
    embedding_: NDArray[np.float32]
    training_value_: float
    runs_: list[TrainingRun]
    network_: Network
    interrupted_: bool
    _n_features: int | None  # None: fitted without features

    def __init__(
        self,
        n_clusters: int = 10,
        objective: str | Objective = "modularity",
        *,
        seen_fraction: float = 1.0,
        completion: str | Completion | None = "auto",
        hidden_features: int = 50,
        embedding_features: int = 50,
        temperature: float = 30.0,
        gradient: str = "one-step",
        recipe: Recipe | None = None,
        iterations: int | None = None,
        n_restarts: int | None = None,
        random_state: RandomState = None,
        verbose: bool = False,
    ) -> None:
        self.n_clusters = n_clusters
        self.objective = objective
        self.seen_fraction = seen_fraction
        self.completion = completion
        self.hidden_features = hidden_features
        self.embedding_features = embedding_features
        self.temperature = temperature
        self.gradient = gradient
        self.recipe = recipe
        self.iterations = iterations
        self.n_restarts = n_restarts
        self.random_state = random_state
        self.verbose = verbose

    # --- learning -------------------------------------------------------------------------------

    def fit(self, graph: Graph, features: Any = None) -> Self:
        """Train on what is seen and decide.

        Parameters
        ----------
        graph : Graph
            The seen graph, undirected, with every node.
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional
            Node features; None: every node is its own feature.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For a parameter out of range, fewer nodes than clusters of which anything is known, or
            features that do not match.
        """
        _check_graph(graph)
        check_integer("n_clusters", self.n_clusters, minimum=1)
        objective, recipe = self._objective(), self._recipe()
        random_state = check_random_state(self.random_state)
        rows = None if features is None else check_features(features, graph.n_nodes)
        nodes = informative_nodes(graph, rows)
        if self.n_clusters > len(nodes):
            raise ValueError(
                f"n_clusters must be at most the number of nodes with an edge or features, "
                f"{len(nodes)}, not {self.n_clusters}"
            )
        seen = graph if len(nodes) == graph.n_nodes else graph.subgraph(nodes)
        rows = None if rows is None else rows[nodes]
        inputs, problem = self._prepared(objective, recipe, seen, rows)
        networks: list[Network] = []
        runs: list[TrainingRun] = []
        interrupted = False
        with ProgressBar(recipe.n_restarts * recipe.iterations, self.verbose) as progress:
            while len(runs) < recipe.n_restarts and not interrupted:
                try:
                    network = self._network(inputs.n_features, recipe)
                    network.initialize(inputs.features, inputs.adjacency.whole, random_state)
                    run = train(network, inputs, objective, problem, recipe, random_state, progress)
                except KeyboardInterrupt:  # between two trainings
                    if not runs:
                        raise
                    interrupted = True
                else:
                    progress.next_restart(recipe.iterations)
                    networks.append(network)
                    runs.append(run)
                    interrupted = run.interrupted
        chosen = 0
        for i, run in enumerate(runs):
            if objective.better(run.best.value, runs[chosen].best.value):
                chosen = i
        best = runs[chosen].best
        self.network_, self.training_value_ = networks[chosen], best.value
        self.runs_, self.interrupted_ = runs, interrupted
        self._n_features = None if features is None else inputs.n_features
        self._publish(objective, graph, nodes, inputs, best.decision, random_state)
        return self

    def fit_predict(self, graph: Graph, features: Any = None) -> NDArray[np.int32]:
        """Train on what is seen and return ``labels_``; see :meth:`fit`.

        Parameters
        ----------
        graph : Graph
        features : array, sparse array or tensor, shape (n_nodes, n_features), optional

        Returns
        -------
        array of int32, shape (n_nodes,)
        """
        return self.fit(graph, features).labels_

    def predict(self, graph: Graph, features: Any) -> NDArray[Any]:
        """Decide on another graph with the trained network, without training.

        Parameters
        ----------
        graph : Graph
            What is seen of it.
        features : array, sparse array or tensor, shape (n_nodes, n_features)
            Of the same kind and width as those given to :meth:`fit`.

        Returns
        -------
        array
            Labels of the nodes, or chosen nodes.
        """
        self._check_fitted()
        if features is None or self._n_features is None:
            raise ValueError(
                "features must be given, here and in fit: without them a network knows only the "
                "nodes it was trained on"
            )
        _check_graph(graph)
        objective, recipe = self._objective(), self._recipe()
        rows = check_features(features, graph.n_nodes)
        if rows.shape[1] != self._n_features:
            raise ValueError(
                f"features must have {self._n_features} columns, as in fit, not {rows.shape[1]}"
            )
        nodes = informative_nodes(graph, rows)
        seen = graph if len(nodes) == graph.n_nodes else graph.subgraph(nodes)
        inputs, problem = self._prepared(objective, recipe, seen, rows[nodes])
        random_state = np.random.default_rng(0)
        with torch.no_grad():
            relaxed = objective.relax(self.network_(inputs.features, inputs.adjacency.whole))
        decision = objective.decode(relaxed, problem, random_state=random_state)
        return _on_all_nodes(objective, decision, graph, nodes, self.n_clusters, random_state)

    def score(self, graph: Graph) -> float:
        """Return the decision's exact value on a graph of the same nodes, such as the full one.

        Parameters
        ----------
        graph : Graph

        Returns
        -------
        float
            Modularity, or the largest distance to a chosen node (lower is better there).
        """
        self._check_fitted()
        return float(self._objective().evaluate(self.decision_, graph))

    def _prepared(
        self, objective: Objective, recipe: Recipe, seen: Graph, rows: Any
    ) -> tuple[EncoderInputs, Any]:
        """Return what the encoder sees and what the loss is taken on."""
        completion, missing = self._completion(objective, rows is not None), None
        if completion is not None:
            missing = completion.missing_edges(seen, rows)
        inputs = EncoderInputs.make(seen, rows, smoothing=recipe.smoothing, missing=missing)
        return inputs, objective.prepare(seen if missing is None else seen.plus(missing))

    def _publish(
        self,
        objective: Objective,
        graph: Graph,
        nodes: NDArray[np.int32],
        inputs: EncoderInputs,
        decision: NDArray[Any],
        random_state: np.random.Generator,
    ) -> None:
        """Set the public attributes, for all nodes of `graph`."""
        with torch.no_grad():
            clusters = self.network_(inputs.features, inputs.adjacency.whole)
        n, k = graph.n_nodes, self.n_clusters
        self.cluster_centers_ = clusters.centers.reshape(k, -1).numpy()
        self.assignment_ = np.full((n, k), 1.0 / k, np.float32)
        self.assignment_[nodes] = clusters.assignment.numpy()
        self.embedding_ = np.zeros((n, self.embedding_features), np.float32)
        self.embedding_[nodes] = clusters.embedding.numpy()
        self.decision_ = _on_all_nodes(objective, decision, graph, nodes, k, random_state)
        if objective.decides == "centers":
            self.centers_ = self.decision_
            self.labels_ = evaluate_centers(graph, self.centers_).assignment
        else:
            self.__dict__.pop("centers_", None)  # of an earlier fit
            self.labels_ = self.decision_

    # --- parameters into parts ------------------------------------------------------------------

    def _objective(self) -> Objective:
        if isinstance(self.objective, Objective):
            return self.objective
        check_choice("objective", self.objective, ("modularity", "k-center"))
        if self.objective == "modularity":
            return Modularity()
        return FacilityLocation(self.n_clusters)

    def _recipe(self) -> Recipe:
        share = check_number(
            "seen_fraction", self.seen_fraction, minimum=0.0, maximum=1.0, open_minimum=True
        )
        if self.recipe is not None and not isinstance(self.recipe, Recipe):
            raise TypeError(f"recipe must be a Recipe or None, not {type(self.recipe).__name__}")
        recipe = self.recipe or default_recipe(self._objective(), share)
        overruled: dict[str, Any] = {"iterations": self.iterations, "n_restarts": self.n_restarts}
        return replace(recipe, **{k: v for k, v in overruled.items() if v is not None})

    def _completion(self, objective: Objective, described: bool) -> Completion | None:
        if not isinstance(self.completion, str):
            if self.completion is not None and not hasattr(self.completion, "missing_edges"):
                raise TypeError(
                    'completion must be "auto", None or an object with missing_edges, '
                    f"not {self.completion!r}"
                )
            return self.completion
        check_choice("completion", self.completion, ("auto",))
        if self.seen_fraction == 1.0 or not described or not objective.uses_expected_edges:
            return None
        return FeatureNeighbours(weight=1.0 / self.seen_fraction - 1.0)

    def _network(self, n_features: int, recipe: Recipe) -> Network:
        with torch.random.fork_rng(devices=[]):  # a new network draws what nobody will use
            return Network(
                n_features,
                self.n_clusters,
                hidden_features=self.hidden_features,
                embedding_features=self.embedding_features,
                dropout=recipe.dropout,
                temperature=self.temperature,
                iterations=recipe.kmeans_updates(recipe.iterations - 1),
                gradient=self.gradient,
            )

    def _check_fitted(self) -> None:
        if not hasattr(self, "decision_"):
            raise NotFittedError("this ClusterNet has no decision yet; call fit first")

    # --- files ----------------------------------------------------------------------------------

    def save(self, path: str | Path) -> None:
        """Write parameters, network and decision to a file.

        Parameters
        ----------
        path : path

        Notes
        -----
        An objective or a completion object is not written: hand it to :meth:`load` again. Neither
        are a generator given as `random_state` and ``runs_``.
        """
        self._check_fitted()
        params = {name: _plain(value) for name, value in self.get_params().items()}
        own = [name for name in ("objective", "completion") if _is_own(params[name])]
        recipe = self._recipe()
        params |= dict.fromkeys(["recipe", *own])
        if isinstance(params["random_state"], np.random.Generator):
            params["random_state"] = None
        arrays = ("labels_", "decision_", "assignment_", "cluster_centers_", "embedding_")
        torch.save(
            {
                "format": _FORMAT,
                "params": params,
                "own": own,
                "recipe": {f.name: _plain(getattr(recipe, f.name)) for f in fields(Recipe)},
                "n_features": self._n_features,
                "kmeans_updates": int(self.network_.cluster.iterations),
                "network": self.network_.state_dict(),
                "arrays": {name: torch.from_numpy(getattr(self, name)) for name in arrays},
                "training_value": self.training_value_,
                "interrupted": self.interrupted_,
            },
            path,
        )

    @classmethod
    def load(
        cls,
        path: str | Path,
        *,
        objective: Objective | None = None,
        completion: Completion | None = None,
    ) -> Self:
        """Read what :meth:`save` wrote; the file is not trusted to run code.

        Parameters
        ----------
        path : path
        objective, completion : object, optional
            Needed where the saved estimator was given an object.

        Returns
        -------
        ClusterNet
            Fitted; ``runs_`` is empty.

        Raises
        ------
        ValueError
            If the file has another format or needs an object that was not given.
        """
        try:
            saved = torch.load(path, weights_only=True)
        except (RuntimeError, EOFError, UnpicklingError):
            saved = None
        if not isinstance(saved, dict) or saved.get("format") != _FORMAT:
            raise ValueError(f"{path} does not hold a ClusterNet of format {_FORMAT}")
        given = {"objective": objective, "completion": completion}
        own = {name: thing for name, thing in given.items() if thing is not None}
        missing = [name for name in saved["own"] if name not in own]
        if missing:
            raise ValueError(
                f"{path} was saved with your own {' and '.join(missing)}; pass it to load"
            )
        recipe = Recipe(**saved["recipe"])
        model = cls(**{**saved["params"], "recipe": recipe, **own})
        model._n_features = saved["n_features"]
        n_inputs = saved["network"]["encoder.hidden_weight"].shape[0]
        model.network_ = model._network(n_inputs, recipe)
        model.network_.load_state_dict(saved["network"])
        model.network_.cluster.iterations = saved["kmeans_updates"]
        model.network_.eval()
        for name, tensor in saved["arrays"].items():
            setattr(model, name, tensor.numpy())
        if model._objective().decides == "centers":
            model.centers_ = model.decision_
        model.training_value_, model.interrupted_ = saved["training_value"], saved["interrupted"]
        model.runs_ = []
        return model


def _check_graph(graph: object) -> None:
    if not isinstance(graph, Graph):
        raise TypeError(
            f"graph must be a Graph, not {type(graph).__name__}; its from_... methods convert"
        )


def _on_all_nodes(
    objective: Objective,
    decision: NDArray[Any],
    graph: Graph,
    nodes: NDArray[np.int32],
    n_groups: int,
    random_state: np.random.Generator,
) -> NDArray[Any]:
    """Translate a decision on the graph induced by `nodes` to the whole graph."""
    if objective.decides == "centers":
        chosen: NDArray[Any] = nodes[decision]
        return chosen
    return spread_over_groups(decision, nodes, graph, n_groups, random_state)


def _is_own(value: Any) -> bool:
    return not (value is None or isinstance(value, str))


def _plain(value: Any) -> Any:
    """Turn NumPy's numbers into Python's, which a file that runs no code may hold."""
    if isinstance(value, tuple):
        return tuple(_plain(entry) for entry in value)
    return value.item() if isinstance(value, np.generic) else value
