"""Proposition 1 measured: while training, and on constructed rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.paper.proposition.rows import PropositionRow
from graphopt import datasets
from graphopt._validation import FloatArray, RandomState, check_random_state
from graphopt.clustering import fixed_point_residual, soft_kmeans
from graphopt.learning import PAPER, train
from graphopt.learning.inputs import EncoderInputs
from graphopt.nn import ClusterNet, gradient_certificate
from graphopt.nn.losses import ModularityLoss

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Sizes:
    """How much is measured."""

    n_clusters: int
    width: int
    iterations: int
    checkpoints: tuple[int, ...]
    temperatures: tuple[float, ...]


_FULL = _Sizes(
    n_clusters=10,
    width=50,
    iterations=1000,
    checkpoints=(0, 10, 30, 60, 100, *range(150, 1001, 50)),
    temperatures=tuple(range(1, 25)),
)
_QUICK = _Sizes(
    n_clusters=5, width=20, iterations=60, checkpoints=(0, 10, 30, 60), temperatures=(4, 6, 10, 20)
)
_TRAINING_TEMPERATURE = 30.0
_NOISE = (0.02, 0.08)  # standard deviation of an entry, before rows are brought to unit length


def measure_proposition(
    dataset: str | datasets.Dataset = "cora",
    *,
    quick: bool = False,
    random_state: RandomState = 0,
    num_threads: int | None = None,
) -> list[PropositionRow]:
    """Measure both sides of Proposition 1 along a training and on constructed rows.

    Parameters
    ----------
    dataset : str or Dataset
        What ClusterNet is trained on, for communities, with the published settings: its observed
        part. A name is loaded.
    quick : bool
        A short training of a small network, and fewer temperatures.
    random_state : int, Generator or None
    num_threads : int, optional

    Returns
    -------
    list of PropositionRow
        Training, separated rows at two levels of noise, and the counter-example at growing
        temperature: see :func:`separated_rows` and :func:`counter_example`.

    Raises
    ------
    ValueError
        For a data set of many graphs.
    KeyboardInterrupt
        Also where Ctrl-C ended the training: half of it would look like all of it.
    """
    data = datasets.load(dataset) if isinstance(dataset, str) else dataset
    if not isinstance(data, datasets.Dataset):
        raise ValueError(f"dataset must hold one graph; {dataset} holds many")
    sizes = _QUICK if quick else _FULL
    rng = check_random_state(random_state)
    rows = list(_along_training(data, sizes, rng, num_threads))
    for noise in _NOISE:
        x, start = separated_rows(noise, random_state=rng)
        source = f"separated rows, noise {noise:g}"
        rows += _over_temperatures(source, x, start, sizes.temperatures, num_threads)
    x, start = counter_example()
    return rows + _over_temperatures("counter-example", x, start, sizes.temperatures, num_threads)


def separated_rows(noise: float, *, random_state: RandomState = 0) -> tuple[Array, Array]:
    """Return unit rows around five orthogonal directions, and the directions.

    Parameters
    ----------
    noise : float
        Standard deviation of what is added to each entry: the less, the larger the margin.
    random_state : int, Generator or None

    Returns
    -------
    x : array of float64, shape (200, 50)
    centers : array of float64, shape (5, 50)
    """
    rng = check_random_state(random_state)
    n_clusters, width, n_rows = 5, 50, 200
    centers = np.linalg.qr(rng.standard_normal((width, n_clusters)))[0].T
    x = centers[np.arange(n_rows) % n_clusters] + noise * rng.standard_normal((n_rows, width))
    return x / np.linalg.norm(x, axis=1, keepdims=True), np.ascontiguousarray(centers)


def counter_example(width: int = 401) -> tuple[Array, Array]:
    """Return rows for which the printed bound does not hold, and their two centres.

    Rows lie at ``(e_1 + d) / sqrt(2)`` and ``(e_1 - d) / sqrt(2)``, all entries of d but the first
    alike. The proof takes the entries of a unit row to sum to at most 1; here they sum to
    about ``sqrt(width / 2)``.

    Parameters
    ----------
    width : int

    Returns
    -------
    x : array of float64, shape (40, width)
    centers : array of float64, shape (2, width)
    """
    first = np.eye(1, width)[0]
    dense = (1.0 - first) / math.sqrt(width - 1)
    centers = np.stack([first + dense, first - dense]) / math.sqrt(2.0)
    return np.repeat(centers, 20, axis=0), centers


def _over_temperatures(
    source: str,
    x: Array,
    start: Array,
    temperatures: Sequence[float],
    num_threads: int | None,
) -> list[PropositionRow]:
    """Measure at the fixed point that is reached from `start`, at each temperature."""
    rows = []
    for temperature in temperatures:
        centers = soft_kmeans(
            x,
            start,
            temperature=temperature,
            iterations=500,
            normalize=False,
            num_threads=num_threads,
        ).centers
        rows.append(_measured(source, None, x, centers, float(temperature), num_threads))
    return rows


def _along_training(
    data: datasets.Dataset,
    sizes: _Sizes,
    rng: np.random.Generator,
    num_threads: int | None,
) -> Iterator[PropositionRow]:
    """Train ClusterNet and measure where its clustering layer ends, before and between steps."""
    recipe = replace(PAPER, iterations=sizes.iterations, check_every=sizes.iterations)
    inputs = EncoderInputs.make(data.observed, data.observed_features, smoothing=recipe.smoothing)
    network = ClusterNet(
        inputs.n_features,
        sizes.n_clusters,
        hidden_features=sizes.width,
        embedding_features=sizes.width,
        dropout=recipe.dropout,
        temperature=_TRAINING_TEMPERATURE,
        iterations=recipe.kmeans_updates(0),
    )
    network.initialize(inputs.features, inputs.adjacency.whole, rng)
    rows: list[PropositionRow] = []

    def look(step: int, decision: Any, value: float) -> None:
        if step not in sizes.checkpoints:
            return
        network.eval()
        with torch.no_grad():
            output = network(inputs.features, inputs.adjacency.whole)
        network.train()
        x, centers = (part.double().numpy() for part in (output.embedding, output.centers))
        source = f"training on {data.name}"
        rows.append(_measured(source, step, x, centers, _TRAINING_TEMPERATURE, num_threads))

    objective = ModularityLoss()
    run = train(network, inputs, objective, objective.prepare(data.observed), recipe, rng, look)
    if run.interrupted:
        raise KeyboardInterrupt
    yield from rows


def _measured(
    source: str,
    step: int | None,
    x: FloatArray,
    centers: FloatArray,
    temperature: float,
    num_threads: int | None,
) -> PropositionRow:
    here = soft_kmeans(
        x, centers, temperature=temperature, iterations=0, normalize=False, num_threads=num_threads
    )
    residual = fixed_point_residual(
        x, centers, temperature=temperature, normalize=False, num_threads=num_threads
    )
    found = gradient_certificate(
        x, centers, here.assignment, temperature, max_size=centers.size, num_threads=num_threads
    )
    left, left_of_inverse = found.measured_norm, found.measured_inverse_distance
    assert left is not None  # as max_size allows it
    assert left_of_inverse is not None
    n_clusters, width = centers.shape
    threshold = math.log(2.0 * temperature * n_clusters**2 / found.mass) if found.mass else math.inf
    return PropositionRow(
        source=source,
        step=step,
        temperature=temperature,
        n_clusters=n_clusters,
        width=width,
        margin=found.margin,
        mass=found.mass,
        residual=float(residual[0]),
        threshold=threshold,
        holds=temperature * found.margin > threshold,
        left=left,
        left_of_inverse=left_of_inverse,
        printed_step=found.paper_bound,
        printed_bound=_of_inverse(found.paper_bound),
        corrected_step=found.margin_bound,
        corrected_bound=_of_inverse(found.margin_bound),
        assignment_bound=found.bound,
    )


def _of_inverse(bound: float) -> float:
    """Return Lemma 2's bound on ``|A^-1 - I|``, given one on ``|A - I|``."""
    return bound / (1.0 - bound) if bound < 1.0 else math.inf
