"""Write data sets in the layout of the authors' repository: the converters' way backwards."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np

WRAPPER = "clusternet-0123abc"  # the folder that a repository archive wraps around everything


def archive(files: Mapping[str, str]) -> bytes:
    """Return a zip like those of GitHub."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for path, text in files.items():
            target.writestr(f"{WRAPPER}/{path}", text)
    return stream.getvalue()


def content(ids, x, classes, *, separator=" ", number="{:.6f}", end=" ") -> str:
    """Return a .content file: the authors end a line with a blank, LINQS separates by tabs."""
    return "".join(
        separator.join([str(node), *map(number.format, row.tolist()), str(label)]) + end + "\n"
        for node, row, label in zip(ids, x, classes, strict=True)
    )


def cites(ids, edges, *, scientific=False, loops=(), both_ways=False) -> str:
    """Return a .cites file, its lines in no order."""
    pairs = [(ids[u], ids[v]) for u, v in np.asarray(edges).tolist()]
    if both_ways:
        pairs += [(v, u) for u, v in pairs]
    pairs += [(ids[u], ids[u]) for u in loops]
    order = np.random.default_rng(0).permutation(len(pairs))
    form = "{:.18e} {:.18e}\n" if scientific else "{} {}\n"
    return "".join(form.format(*pairs[i]) for i in order)


def dense(arrays, key) -> np.ndarray:
    """Return a stored matrix in full."""
    x = np.zeros(tuple(arrays[f"{key}_shape"]), np.float32)
    rows = np.repeat(np.arange(len(x)), np.diff(arrays[f"{key}_indptr"]))
    x[rows, arrays[f"{key}_indices"]] = arrays[f"{key}_data"]
    return x


def edge_files(name, ids, arrays, **form) -> dict[str, str]:
    """Return the four edge lists of one graph."""
    return {
        f"data/{name}/{name}{ending}.cites": cites(ids, arrays[key], **form)
        for key, ending in (
            ("edges", ""),
            ("edges_train", "_train_0.40"),
            ("edges_valid", "_valid_0.40"),
            ("edges_test", "_test_0.40"),
        )
    }


def embedded_files(name, ids, arrays) -> dict[str, str]:
    """Return all files of a graph with embeddings."""
    nothing = ["0.000000"] * len(ids)
    return {
        f"data/{name}/{name}.content": content(ids, dense(arrays, "x"), nothing),
        f"data/{name}/{name}_train_0.40.content": content(ids, dense(arrays, "x_train"), nothing),
    } | edge_files(name, ids, arrays)


def words_files(name, ids, arrays, **form) -> dict[str, str]:
    """Return all files of a graph with a bag of words."""
    classes = arrays["label_names"][arrays["labels"]]
    linqs = {"separator": "\t", "number": "{:.0f}", "end": ""}
    x = dense(arrays, "x")
    files = {f"data/{name}/{name}.content": content(ids, x, classes, **linqs)}
    return files | edge_files(name, ids, arrays, **form)
