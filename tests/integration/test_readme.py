"""The README's examples run as they are written, on small data in place of what they leave open."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pytest
import torch

import graphopt
from graphopt import Graph, datasets
from graphopt.cli import app

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
EXAMPLES = [text for language, text in FENCED.findall(README) if language == "python"]
SMALL = datasets.synthetic(60, features="attributes", random_state=0)


def left_open() -> dict[str, Any]:
    """What the examples take as given."""
    rng = np.random.default_rng(0)
    graph = SMALL.observed
    rows = torch.nn.functional.normalize(torch.from_numpy(rng.random((60, 8))), dim=1)

    def decide(graph: Graph, features: Any, k: int, random_state: Any) -> Any:
        return graphopt.leiden(graph, k, random_state=random_state).labels

    return {
        "graphopt": graphopt,
        "data": SMALL,
        "graph": graph,
        "nx_graph": nx.karate_club_graph(),
        "labels": np.arange(graph.n_nodes) % 10,
        "features": SMALL.observed_features,
        "embedding": rng.random((graph.n_nodes, 6)),
        "x": rows,
        "held_out_edges": SMALL.splits.unseen,
        "graphs": [datasets.synthetic(60, random_state=seed).observed for seed in range(2)],
        "new_graph": graph,
        "new_features": SMALL.observed_features,
        "decide": decide,
    }


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 11


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples(number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    names = left_open()
    example = EXAMPLES[number].replace("splits=10", "splits=2").replace("seeds=2", "seeds=1")
    monkeypatch.setattr(datasets, "load", lambda name: SMALL)
    monkeypatch.chdir(tmp_path)
    if "fit_inductive" in example:
        names["features"] = [datasets.synthetic(60, random_state=seed).observed_features
                             for seed in range(2)]  # fmt: skip
        names["new_graph"], names["new_features"] = names["graphs"][0], names["features"][0]
    if "polish" in example and "nx_graph" in example:
        names["labels"] = np.arange(34) % 10
    if "gradient_certificate" in example:
        names["embedding"] = names["x"]
    if "backend" in example:  # the six tables take an hour
        compile(example, "README.md", "exec")
        return
    exec(compile(example, f"README.md, example {number}", "exec"), names)


def test_commands() -> None:
    """Every command and option that the README names exists."""
    from typer.main import get_command

    commands = get_command(app).commands  # type: ignore[attr-defined]
    fenced = FENCED.findall(README)
    shell = "".join(text for language, text in fenced if not language)
    named = re.findall(r"^graphopt ([a-z]+)((?: [^#\n]*)?)", shell, re.M)
    assert len(named) >= 2
    for command, rest in named:
        options = {option for one in commands[command].params for option in one.opts}
        for option in re.findall(r"--[a-z-]+", rest):
            assert option in options, f"graphopt {command} {option}"
