"""What the pages say of the published graphs: how much is seen, and Gonzalez by its first centre.

``python -m benchmarks.paper.graph_facts results`` writes ``graphs.csv`` and
``first-centers.csv``.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.paper.jobs.specs import SINGLE, make_job
from graphopt import datasets
from graphopt._escaping import csv_table
from graphopt._files import write_text
from graphopt.centers import evaluate_centers, gonzalez

K = 10
NUMBERINGS = 5


def published(dataset: str, task: str) -> datasets.Dataset:
    """Return the graph that a table decides on."""
    data = datasets.load(make_job("decide", dataset, task, "learning", 0).data)
    if not isinstance(data, datasets.Dataset):
        raise TypeError(f"{dataset} holds many graphs")
    return data


def sizes(names: Iterable[str] = SINGLE) -> Iterator[dict[str, Any]]:
    """Yield the size of each graph and how much of it is seen."""
    for dataset in names:
        for task in ("community", "facility"):
            data = published(dataset, task)
            yield {
                "dataset": dataset,
                "task": task,
                "nodes": data.n_nodes,
                "edges": data.graph.n_edges,
                "seen_edges": data.observed.n_edges,
                "nodes_without_seen_edge": int((data.observed.degrees == 0).sum()),
            }


def first_centers(names: Iterable[str] = SINGLE) -> Iterator[dict[str, Any]]:
    """Yield how often Gonzalez' algorithm reaches each radius, every node once its first centre.

    It decides on the seen or on the full graph and is judged on the full one. As ties go to the
    smallest number, this is done for several numberings of the nodes, those of the tables' seeds.
    """
    for dataset in names:
        radii = {setting: Counter[float]() for setting in ("learning", "optimization")}
        for seed in range(NUMBERINGS):
            data = published(dataset, "facility").permuted(seed)
            for setting, graph in (("learning", data.observed), ("optimization", data.graph)):
                for node in range(graph.n_nodes):
                    chosen = gonzalez(graph, K, first=node).centers
                    radii[setting][evaluate_centers(data.graph, chosen).radius] += 1
        for setting, found in radii.items():
            for radius, starts in sorted(found.items()):
                yield {"dataset": dataset, "setting": setting, "radius": radius, "starts": starts}


def write(rows: Iterable[dict[str, Any]], path: Path) -> None:
    """Write rows as CSV."""
    lines = list(rows)
    write_text(path, csv_table(list(lines[0]), lines))


def main(folder: Path) -> None:
    """Write both files to a folder."""
    write(sizes(), folder / "graphs.csv")
    write(first_centers(), folder / "first-centers.csv")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
