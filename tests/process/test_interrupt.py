"""Ctrl-C ends every public function, and the next call works."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
from pathlib import Path

import interrupted_calls
import pytest
from processes import next_line

import graphopt

# Functions, and methods of classes, that are not interrupted here, by the reason.
EXCLUDED = {
    "returns at once, or after one pass of NumPy over its arguments": """
        build_config get_num_threads set_num_threads
        ClusterNet.get_params ClusterNet.set_params Graph.neighbors Graph.to_edge_index
        Graph.to_scipy RobustKCenterResult.quantile completion.Completion.missing_edges
        completion.EdgeProbabilities.expected completion.EdgeProbabilities.sample
        completion.EdgeProbabilities.sharpened completion.EdgeProbabilities.with_total
        completion.default_candidates completion.spread_over_groups
        datasets.Dataset.permuted datasets.Hiding.as_whole datasets.names
        datasets.observed_graph datasets.split_edges
        decision.ComparisonResult.difference decision.Problem.once decision.Table.best
        decision.Table.complete decision.Table.error decision.Table.of decision.Table.seconds
        decision.Table.to_rows decision.Table.values
        decision.ComparisonResult.to_rows decision.RegretResult.per_split
        decision.RegretResult.summary decision.RegretResult.to_rows decision.agreement
        decision.paired_difference decision.signed_rank_p_value
        decision.summarize features.RoleEmbedding.transform features.check_features
        features.node_features features.row_norms features.smoothed_features
        features.unit_features learning.Recipe.given learning.Recipe.kmeans_updates
        learning.Recipe.over
        objectives.KCenter.better objectives.KCenter.check objectives.KCenter.describe
        objectives.KCenter.kept_share objectives.KCenter.number objectives.KCenter.regret
        objectives.KCenter.renumber objectives.KCenter.simplify
        objectives.Modularity.check_feasible objectives.Modularity.describe
        objectives.Modularity.kept_share objectives.Modularity.number
        objectives.Modularity.prove objectives.Modularity.simplify objectives.Objective.evaluate
        objectives.Objective.reference objectives.as_objective""",
    "one call of a function that is interrupted here, and what returns at once": """
        Graph.from_edge_index Graph.from_igraph Graph.largest_component Graph.to_networkx
        completion.Bagging.probabilities completion.Bagging.sample completion.Choice.labels
        completion.Choice.missing_edges completion.FeatureNeighbours.missing_edges
        completion.LinkModel.missing_edges completion.Mixture.missing_edges
        completion.PairCompletion.probabilities completion.decide_under
        decision.Method.decide decision.Problem.of decision.Problem.with_hidden_edges
        decision.contest objectives.KCenter.check_feasible objectives.KCenter.evaluate
        objectives.KCenter.evaluate_main_part objectives.KCenter.hide objectives.KCenter.judge
        objectives.KCenter.measures objectives.KCenter.prove objectives.KCenter.reference
        objectives.Modularity.evaluate objectives.Modularity.evaluate_main_part
        objectives.Modularity.hide objectives.Modularity.judge objectives.Modularity.measures
        objectives.Modularity.reference objectives.Objective.measures
        objectives.distance_tail learning.consensus""",
    "the loop of training, which fit enters, or a forward pass": """
        ClusterNet.fine_tune ClusterNet.fit_inductive ClusterNet.fit_predict ClusterNet.predict
        ClusterNet.score LinkPredictor.evaluate LinkPredictor.fine_tune
        LinkPredictor.fit_inductive LinkPredictor.predict LinkPredictor.predict_dense
        LinkPredictor.transfer TwoStage.fine_tune TwoStage.fit_inductive TwoStage.predict
        TwoStage.score learning.PredictedLinks.probabilities learning.train""",
    "reads or writes files; tests/process/test_save_killed.py": """
        ClusterNet.load ClusterNet.save datasets.load""",
}
STEPS = ("nn",)  # modules with parts of a step of training, nothing longer


def public_functions() -> dict[object, str]:
    """Return the names of all that is public and can be called, once where they share code."""
    names: dict[object, str] = {}
    modules = {name: getattr(graphopt, name) for name in graphopt.__all__}
    folders = {name: module for name, module in modules.items() if inspect.ismodule(module)}
    for prefix, module in [("", graphopt), *((f"{name}.", folders[name]) for name in folders)]:
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isfunction(thing):
                names.setdefault(thing, prefix + name)
            elif inspect.isclass(thing) and prefix.rstrip(".") not in STEPS:
                for method, found in inspect.getmembers(thing):
                    code = inspect.unwrap(getattr(found, "__func__", found))
                    ours = str(getattr(code, "__module__", "")).startswith("graphopt")
                    if inspect.isfunction(code) and ours and not method.startswith("_"):
                        names.setdefault(code, f"{prefix}{name}.{method}")
    return {code: name for code, name in names.items() if name.split(".")[0] not in STEPS}


def test_every_public_function_is_interrupted_or_excluded() -> None:
    excluded = [name for names in EXCLUDED.values() for name in names.split()]
    interrupted = set(interrupted_calls.CALLS)
    assert len(excluded) == len(set(excluded))
    assert not interrupted & set(excluded)
    public = set(public_functions().values())
    shared = {"DirectGCN.fit"}  # the code of ClusterNet.fit, on a network of its own
    assert public | shared == interrupted | set(excluded)


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_call(threads: int) -> None:
    """One process, so that each call also follows interrupted ones; no thread may be lost."""
    names = list(interrupted_calls.CALLS)
    learning = [name for name in names if name.endswith(".fit")]
    names = names if threads == 2 else [name for name in names if name not in learning]
    process = subprocess.Popen(
        [sys.executable, str(Path(interrupted_calls.__file__)), *names],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": str(threads)},
    )
    try:
        for name in names:
            assert next_line(process.stdout) == "begun\n", (name, process.communicate()[1])
            process.send_signal(signal.SIGINT)
            assert next_line(process.stdout) == "interrupted\n", (name, process.communicate()[1])
            assert next_line(process.stdout) == "right\n", (name, process.communicate()[1])
        assert process.wait() == 0
    finally:
        process.kill()
        process.communicate()
