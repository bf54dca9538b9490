"""Proposition 1 of the paper, both sides measured: while training, and on constructed rows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from graphopt import datasets
from graphopt._validation import FloatArray, RandomState, check_random_state
from graphopt.clustering import fixed_point_residual, soft_kmeans
from graphopt.learning import PAPER
from graphopt.learning.inputs import EncoderInputs
from graphopt.learning.trainer import train
from graphopt.nn import ClusterNet, gradient_certificate
from graphopt.objectives import Modularity

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PropositionRow:
    """Both sides of Proposition 1 at one place.

    With f(mu) = mu - F(mu), ``|df/dmu - I| = |J|`` is the norm of the Jacobian of one update
    (operator 1-norm, as everywhere here), delta the margin and alpha the mass. The proof bounds
    that norm by ``b = 2 K^2 beta e^(-beta delta) / alpha`` and turns it by Lemma 2 into
    ``b / (1 - b)``, which bounds ``|(df/dmu)^-1 - I|`` and is what the proposition prints. See
    :func:`graphopt.nn.gradient_certificate` for the constant that holds in place of ``2 K^2``.

    Attributes
    ----------
    source : str
        What was measured: a training, separated rows, the counter-example.
    step : int or None
        Training steps made before; None for constructed rows.
    temperature, n_clusters, width, margin, mass
        beta, K, p, delta (in similarity) and alpha.
    residual : float
        How far one more update would move the centres: 0 at a fixed point.
    threshold : float
        ``log(2 beta K^2 / alpha)``.
    holds : bool
        ``beta delta > threshold``: the proposition's hypothesis.
    left : float
        ``|df/dmu - I|``, the proposition's left side.
    left_of_inverse : float
        ``|(df/dmu)^-1 - I|``, what the one-step gradient leaves out.
    printed_step, printed_bound : float
        b, and ``b / (1 - b)``; the latter is inf unless b < 1.
    corrected_step, corrected_bound : float
        The same with the constant that holds.
    assignment_bound : float
        The bound on `left` from the whole assignment instead of delta and alpha.
    """

    source: str
    step: int | None
    temperature: float
    n_clusters: int
    width: int
    margin: float
    mass: float
    residual: float
    threshold: float
    holds: bool
    left: float
    left_of_inverse: float
    printed_step: float
    printed_bound: float
    corrected_step: float
    corrected_bound: float
    assignment_bound: float


@dataclass(frozen=True, slots=True)
class PropositionSummary:
    """What the rows of one source say.

    Attributes
    ----------
    source : str
    n_rows, n_holds : int
        Places measured, and those where the hypothesis holds.
    n_above_printed : int
        Of the latter, those with `left` above `printed_bound`: the proposition fails there.
    n_above_corrected : int
        Of all, those with `left` above `corrected_step` or `left_of_inverse` above
        `corrected_bound`: never.
    printed_ratio : tuple of float, or None
        Smallest and largest `left` / `printed_bound` where the hypothesis holds; None if nowhere.
    corrected_ratio : tuple of float
        Smallest and largest `left` / `corrected_step` over all rows.
    """

    source: str
    n_rows: int
    n_holds: int
    n_above_printed: int
    n_above_corrected: int
    printed_ratio: tuple[float, float] | None
    corrected_ratio: tuple[float, float]

    def __str__(self) -> str:
        text = f"{self.source}: the hypothesis holds at {self.n_holds} of {self.n_rows}"
        if self.printed_ratio is not None:
            low, high = self.printed_ratio
            text += (
                f"; there the left side is {low:.2g} to {high:.2g} times the printed bound, "
                f"above it at {self.n_above_printed}"
            )
        low, high = self.corrected_ratio
        return (
            f"{text}; {low:.2g} to {high:.2g} times the corrected bound, "
            f"above it at {self.n_above_corrected}"
        )


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


def summarize_proposition(rows: Sequence[PropositionRow]) -> list[PropositionSummary]:
    """Return what the rows say, source by source.

    Parameters
    ----------
    rows : sequence of PropositionRow

    Returns
    -------
    list of PropositionSummary
        In the order in which the sources appear.
    """
    return [_summary(source, list(group)) for source, group in _by_source(rows).items()]


# --- what is measured ---------------------------------------------------------------------------


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

    def look(step: int, *_: Any) -> None:
        if step not in sizes.checkpoints:
            return
        network.eval()
        with torch.no_grad():
            output = network(inputs.features, inputs.adjacency.whole)
        network.train()
        x, centers = (part.double().numpy() for part in (output.embedding, output.centers))
        source = f"training on {data.name}"
        rows.append(_measured(source, step, x, centers, _TRAINING_TEMPERATURE, num_threads))

    objective = Modularity()
    look(0)
    train(network, inputs, objective, objective.prepare(data.observed), recipe, rng, look)
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


# --- what the rows say --------------------------------------------------------------------------


def _by_source(rows: Sequence[PropositionRow]) -> dict[str, list[PropositionRow]]:
    groups: dict[str, list[PropositionRow]] = {}
    for row in rows:
        groups.setdefault(row.source, []).append(row)
    return groups


def _summary(source: str, rows: Sequence[PropositionRow]) -> PropositionSummary:
    promised = [row for row in rows if row.holds]
    printed = [row.left / row.printed_bound for row in promised]
    corrected = [row.left / row.corrected_step for row in rows]
    above = [
        row.left > row.corrected_step or row.left_of_inverse > row.corrected_bound for row in rows
    ]
    return PropositionSummary(
        source=source,
        n_rows=len(rows),
        n_holds=len(promised),
        n_above_printed=sum(ratio > 1.0 for ratio in printed),
        n_above_corrected=sum(above),
        printed_ratio=(min(printed), max(printed)) if printed else None,
        corrected_ratio=(min(corrected), max(corrected)),
    )


# --- the picture --------------------------------------------------------------------------------

_LINES: tuple[tuple[str, str, str, Callable[[PropositionRow], float]], ...] = (
    ("measured: $|\\partial f/\\partial\\mu - I|_1$", "#1f5fa8", "o-", lambda row: row.left),
    (
        "measured: $|(\\partial f/\\partial\\mu)^{-1} - I|_1$",
        "#1f5fa8",
        "--",
        lambda row: row.left_of_inverse,
    ),
    (
        "printed, in the proof: $2K^2\\beta e^{-\\beta\\delta}/\\alpha$",
        "#c0392b",
        "-",
        lambda row: row.printed_step,
    ),
    ("printed, right side (Lemma 2)", "#c0392b", "--", lambda row: row.printed_bound),
    (
        "corrected: $4(K-1)X_1X_\\infty$ in place of $2K^2$",
        "#2e8b57",
        "-",
        lambda row: row.corrected_step,
    ),
    ("corrected, by Lemma 2", "#2e8b57", "--", lambda row: row.corrected_bound),
    ("bound from the whole assignment", "#8e7cc3", ":", lambda row: row.assignment_bound),
)


def plot_proposition(rows: Sequence[PropositionRow], path: str | Path) -> None:
    """Draw both sides, one panel for each source, and write the picture to a file.

    Solid lines are about ``|df/dmu - I|``, dashed ones about ``|(df/dmu)^-1 - I|``. Where the
    hypothesis holds the ground is shaded.

    Parameters
    ----------
    rows : sequence of PropositionRow
        At least one.
    path : path
        Its ending says the format.

    Raises
    ------
    ValueError
        For no rows.
    """
    if not rows:
        raise ValueError("rows must hold at least one row")
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    groups = _by_source(rows)
    columns = min(2, len(groups))
    lines = math.ceil(len(groups) / columns)
    figure, axes = plt.subplots(
        lines, columns, figsize=(5.6 * columns, 3.9 * lines + 0.9), squeeze=False
    )
    for panel, (source, group) in zip(axes.flat, groups.items(), strict=False):
        _draw_panel(panel, source, group)
    for panel in axes.flat[len(groups) :]:
        panel.set_visible(False)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=columns, fontsize=9, frameon=False)
    inches = 0.22 * math.ceil(len(labels) / columns) + 0.15
    figure.tight_layout(rect=(0.0, inches / figure.get_figheight(), 1.0, 1.0))
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _draw_panel(panel: Any, source: str, rows: Sequence[PropositionRow]) -> None:
    training = rows[0].step is not None
    at = np.array([row.step if training else row.temperature for row in rows], float)
    for label, colour, style, value in _LINES:
        values = np.array([value(row) for row in rows])
        values[~np.isfinite(values) | (values <= 0.0)] = np.nan
        panel.semilogy(at, values, style, color=colour, label=label, markersize=3.5, linewidth=1.4)
    panel.axhline(1.0, color="#999999", linewidth=0.8)
    holds = [row.holds for row in rows]
    for i, held in enumerate(holds):
        if held:  # half way to the places before and after
            left = at[i] if i == 0 else (at[i - 1] + at[i]) / 2
            right = at[i] if i + 1 == len(at) else (at[i] + at[i + 1]) / 2
            panel.axvspan(left, right, color="#f2d98d", alpha=0.35, linewidth=0)
    first, summary = rows[0], _summary(source, rows)
    verdict = f"hypothesis holds at {summary.n_holds} of {summary.n_rows}"
    if summary.n_holds:
        verdict += f" (shaded), printed bound exceeded at {summary.n_above_printed}"
    title = f"{source}: K = {first.n_clusters}, p = {first.width}\n{verdict}"
    panel.set_title(title, fontsize=9)
    panel.set_xlabel(f"steps made ($\\beta$ = {first.temperature:g})" if training else "$\\beta$")
    panel.set_ylabel("operator 1-norm")
    panel.grid(True, which="major", alpha=0.3)
