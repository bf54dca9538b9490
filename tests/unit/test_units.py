"""No function depends on the unit of weights, lengths or features: powers of two change no bit."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from unit_cases import (
    EXPONENTS,
    FEW,
    LABELS,
    Case,
    Values,
    adjacency,
    calibration,
    choice,
    chosen,
    club,
    compared,
    completed,
    decided,
    estimators,
    facility_objective,
    hidden,
    judged,
    link_model,
    link_prediction,
    matrix,
    modularity_objective,
    opened,
    partition,
    paths,
    proven,
    robust,
    rows_of_features,
    soft_clusters,
    soft_kmeans_module,
    sparse_club,
    sums,
    table,
    with_demand,
)

import graphopt

#: What each case covers; the test below sees to it that nothing public is left out.
CASES: dict[str, tuple[Case, tuple[int, ...], str]] = {
    "modularity": (
        lambda e: [
            (graphopt.modularity(club(e), LABELS), 0),
            (graphopt.modularity(matrix(e), LABELS, resolution=0.7), 0),
        ],
        EXPONENTS,
        "modularity check_strengths",
    ),
    "cnm": (
        lambda e: [
            *partition(graphopt.cnm(club(e), 4)),
            *partition(graphopt.cnm(club(e))),
            *partition(graphopt.cnm(matrix(e), 4)),
            *partition(graphopt.cnm(sparse_club(e), 200)),
        ],
        EXPONENTS,
        "cnm CommunityResult",
    ),
    "newman": (
        lambda e: [
            *partition(graphopt.newman(club(e), 4)),
            *partition(graphopt.newman(club(e), refine=False)),
            *partition(graphopt.newman(matrix(e), 4)),
        ],
        EXPONENTS,
        "newman",
    ),
    "spectral": (
        lambda e: [
            *partition(graphopt.spectral(club(e), 4, random_state=0)),
            *partition(graphopt.spectral(matrix(e), 4, normalized=False, random_state=0)),
            *partition(graphopt.spectral(sparse_club(e), 4, random_state=0)),  # Lanczos
        ],
        EXPONENTS,
        "spectral",
    ),
    "leiden": (
        lambda e: [
            *partition(graphopt.leiden(club(e), random_state=0)),
            *partition(graphopt.leiden(club(e), 4, random_state=0)),
            *partition(graphopt.leiden(club(e), 12, exactly=True, random_state=0)),
        ],
        EXPONENTS,
        "leiden",
    ),
    "polish": (
        lambda e: [
            *partition(graphopt.polish(club(e), LABELS, random_state=0)),
            *partition(graphopt.polish(matrix(e), LABELS, 8, exactly=True, random_state=0)),
        ],
        EXPONENTS,
        "polish",
    ),
    "sums": (sums, EXPONENTS, "Graph"),
    "paths": (paths, EXPONENTS, "all_pairs_shortest_paths"),
    "evaluate_centers": (
        lambda e: [
            *chosen(graphopt.evaluate_centers(club(e), [3, 5])),
            *chosen(graphopt.evaluate_centers(table(e), [3, 5])),
        ],
        EXPONENTS,
        "evaluate_centers KCenterResult",
    ),
    "gonzalez": (
        lambda e: [
            *chosen(graphopt.gonzalez(club(e), 4, first=2)),
            *chosen(graphopt.gonzalez(table(e), 4, first=2)),
        ],
        EXPONENTS,
        "gonzalez",
    ),
    "greedy": (
        lambda e: [
            *chosen(graphopt.greedy_k_center(club(e), 4)),
            *chosen(graphopt.greedy_k_center(table(e), 4)),
        ],
        EXPONENTS,
        "greedy_k_center",
    ),
    "local_search": (
        lambda e: [
            *chosen(graphopt.local_search_k_center(club(e), 4, n_rounds=5, random_state=0)),
            *chosen(graphopt.local_search_k_center(table(e), 4, n_rounds=5, random_state=0)),
        ],
        EXPONENTS,
        "local_search_k_center",
    ),
    "exact": (
        lambda e: [
            *proven(graphopt.exact_k_center(club(e), 4)),
            *proven(graphopt.exact_k_center(table(e), 4)),
        ],
        EXPONENTS,
        "exact_k_center ExactKCenterResult Reduction",
    ),
    "robust": (robust, EXPONENTS, "robust_k_center RobustKCenterResult"),
    "demand": (with_demand, EXPONENTS, ""),
    "expected_distances": (opened, EXPONENTS, "expected_distances"),
    "soft_kmeans": (soft_clusters, EXPONENTS, "soft_kmeans SoftKMeansResult"),
    "nn.SoftKMeans": (soft_kmeans_module, EXPONENTS, "SoftKMeans SoftKMeansOutput"),
    "nn.Adjacency": (adjacency, EXPONENTS, "Adjacency SparseMatrix"),
    "modularity loss": (modularity_objective, EXPONENTS, ""),
    "k-center loss": (facility_objective, EXPONENTS, ""),
    "features": (
        rows_of_features,
        EXPONENTS,
        "check_features smoothed_features unit_features role2vec RoleEmbedding learn_roles "
        "motif_counts node_features row_norms structural_features",
    ),
    "completion": (
        completed,
        EXPONENTS,
        "FeatureNeighbours Bagging Mixture EdgeProbabilities",
    ),
    "LinkModel": (link_model, FEW, "LinkModel"),
    "choose": (
        choice,
        FEW,
        "choose Choice Outcome Chosen decide_under spread_over_groups default_candidates",
    ),
    "calibration": (calibration, FEW, "reliability_curve Reliability choose_sharpness"),
    "hiding": (hidden, EXPONENTS, "split_edges EdgeSplit observed_graph Hiding"),
    "objectives": (
        judged,
        EXPONENTS,
        "Modularity KCenter distance_tail DistanceTail exact_within_reach",
    ),
    "compare": (
        compared,
        FEW,
        "compare ComparisonResult regret RegretResult Run clean_splits METHODS Method contest "
        "Result Table",
    ),
    "decide": (
        decided,
        FEW,
        "decide Decision Candidate portfolio_decisions MethodDecision Problem Trial Judgement",
    ),
    "estimators": (
        estimators,
        FEW,
        "ClusterNet DirectGCN train TrainingRun Checkpoint",
    ),
    "links": (link_prediction, FEW, "LinkPredictor TwoStage PredictedLinks consensus"),
}

#: Public names that read no weights, lengths or features, or only what others have normalised.
WITHOUT_A_UNIT = {
    "MOTIFS",
    "PLACEMENTS",
    "OBJECTIVES",
    "as_objective",
    "PAPER",
    "PAPER_INDUCTIVE",
    "Agreement",
    "agreement",
    "PairedDifference",
    "paired_difference",
    "Reference",
    "Summary",
    "summarize",
    "signed_rank_p_value",
    "build_config",
    "get_num_threads",
    "set_num_threads",
    "pipage_rounding",
    "Completion",
    "PairCompletion",
    "Objective",
    "GCN",
    "SGC",
    "APPNP",
    "dropout",
    "GradientCertificate",
    "gradient_certificate",
    "Dataset",
    "InductiveDataset",
    "load",
    "names",
    "synthetic",
    "synthetic_distribution",
    "LinkScores",
    "OnIteration",
    "Recipe",
}


def array(value: Any) -> NDArray[Any]:
    if hasattr(value, "toarray"):
        value = value.toarray()
    return value.numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


BASE: dict[str, Values] = {}


@pytest.mark.parametrize(
    ("name", "exponent"),
    [(name, exponent) for name, (_, exponents, _) in CASES.items() for exponent in exponents],
)
def test_a_power_of_two_changes_no_bit(name: str, exponent: int) -> None:
    case = CASES[name][0]
    if name not in BASE:
        BASE[name] = case(0)
    found = case(exponent)
    assert len(found) == len(BASE[name])
    for i, ((value, power), (other, _)) in enumerate(zip(found, BASE[name], strict=True)):
        expected = array(other)
        assert not np.issubdtype(expected.dtype, np.floating) or not np.isnan(expected).any(), i
        if power:
            expected = np.ldexp(expected, power * exponent)
        np.testing.assert_array_equal(array(value), expected, strict=True, err_msg=f"value {i}")


def test_every_public_name_has_a_case() -> None:
    modules = ("features", "objectives", "nn", "completion", "datasets", "decision")
    public = set(graphopt.__all__) - {*modules, "learning"}
    for module in (*modules, "learning", "centers", "communities"):
        public |= set(import_module(f"graphopt.{module}").__all__)
    covered = {word for _, _, names in CASES.values() for word in names.split()}
    assert public - covered - WITHOUT_A_UNIT == set()
    assert (covered | WITHOUT_A_UNIT) - public == set()
    assert covered & WITHOUT_A_UNIT == set()
