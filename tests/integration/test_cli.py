"""The command line, from arguments to what is printed where."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from typer.testing import CliRunner, Result

from graphopt import ClusterNet, Graph, cli, datasets
from graphopt.cli._comparison import Case, compare
from graphopt.cli._problems import file_case, read_edges, read_features
from graphopt.errors import InfeasibleError
from graphopt.objectives import KCenter, Problem

COMMUNITY_METHODS = ["ClusterNet", "Leiden", "CNM", "Newman", "SC", "decide"]
QUICK = ["--iterations", "5", "--restarts", "1"]

needs_data = pytest.mark.skipif(
    not os.environ.get("GRAPHOPT_DATA"),
    reason="the published data are not here: GRAPHOPT_DATA names no folder",
)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(cli.app, [str(argument) for argument in arguments])


def answer(*arguments: object) -> dict[str, Any]:
    result = invoke("run", "--json", *QUICK, *arguments)
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object
) -> str:
    """Return the one line that `main` ends with."""
    monkeypatch.setattr(sys, "argv", ["graphopt", *(str(argument) for argument in arguments)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("error: ")
    assert errors.count("\n") == 1
    return errors.removeprefix("error: ").rstrip("\n")


def two_rings(folder: Path, size: int = 12) -> Path:
    """Two rings with chords, joined by one edge."""
    lines = ["# two rings", ""]
    for start in (0, size):
        for i in range(size):
            lines += [f"{start + i} {start + (i + j) % size}" for j in (1, 2)]
    lines.append(f"0, {size}  # the bridge")
    file = folder / "rings.txt"
    file.write_text("\n".join(lines) + "\n")
    return file


# --- graphopt run ---------------------------------------------------------------------------------


def test_the_default_is_a_synthetic_graph_and_a_table() -> None:
    result = invoke("run", *QUICK)
    assert result.exit_code == 0
    assert "synthetic: 500 nodes" in result.stdout
    assert "nodes without a seen edge" in result.stdout
    assert "modularity, full graph" in result.stdout
    for method in COMMUNITY_METHODS:
        assert f"│ {method} " in result.stdout
    assert "higher is better" in result.stdout


def test_the_default_shows_what_learning_is_for() -> None:
    scores = {row["method"]: row["full"] for row in answer()["results"]}
    best_usual = max(scores[name] for name in ("Leiden", "CNM", "Newman", "SC"))
    assert min(scores["ClusterNet"], scores["decide"]) > best_usual + 0.05


def test_json_has_every_key() -> None:
    found = answer("--seed", 3)
    assert list(found) == [
        "name", "objective", "k", "n_nodes", "n_edges", "n_seen_edges", "n_nodes_without_seen_edge",
        "setting", "seed", "results",
    ]  # fmt: skip
    assert (found["name"], found["objective"], found["setting"]) == (
        "synthetic",
        "modularity",
        "learning",
    )
    assert (found["k"], found["seed"], found["n_nodes"]) == (10, 3, 500)
    assert found["n_seen_edges"] == round(0.4 * found["n_edges"])
    assert [row["method"] for row in found["results"]] == COMMUNITY_METHODS
    for row in found["results"]:
        assert list(row) == ["method", "full", "seen", "seconds"]
        assert -0.5 <= row["full"] <= 1.0
        assert -0.5 <= row["seen"] <= 1.0
        assert row["seconds"] >= 0.0


def test_a_seed_repeats_the_answer() -> None:
    one, same, other = (
        [(row["full"], row["seen"]) for row in answer("--seed", seed)["results"]]
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_centers_and_what_no_center_reaches() -> None:
    found = answer("--objective", "k-center", "--k", 8)
    assert [row["method"] for row in found["results"]] == [
        "ClusterNet",
        "greedy",
        "Gonzalez",
        "decide",
    ]
    assert all(row["full"] >= 1.0 for row in found["results"])
    assert all(row["seen"] is None for row in found["results"])  # infinite: JSON has no number


def test_centers_in_a_table(tmp_path: Path) -> None:
    options = ["--edges", two_rings(tmp_path), "--objective", "k-center", "--k", 3, "--hide", 0.8]
    result = invoke("run", *QUICK, *options)
    assert "3 centers" in result.stdout
    assert "∞" in result.stdout


def test_the_share_of_edges_seen_reaches_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    shares: list[float] = []
    original = ClusterNet.fit

    def fit(self: ClusterNet, *arguments: Any) -> ClusterNet:
        shares.append(self.seen_fraction)
        return original(self, *arguments)

    monkeypatch.setattr(ClusterNet, "fit", fit)
    found = answer("--hide", 0.3)
    assert shares == [found["n_seen_edges"] / found["n_edges"]] == pytest.approx([0.7], abs=0.01)
    found = answer("--setting", "optimization")
    assert shares[1] == 1.0
    assert found["n_seen_edges"] == found["n_edges"]
    assert all(row["full"] == row["seen"] for row in found["results"])


@needs_data
def test_a_published_data_set() -> None:
    found = answer("--dataset", "cora", "--setting", "learning")
    assert (found["n_nodes"], found["n_edges"], found["n_seen_edges"]) == (2708, 5278, 2150)
    assert found["n_nodes_without_seen_edge"] == 691


def test_k_center_needs_a_connected_variant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = datasets.synthetic(60, random_state=0)
    in_pieces = replace(whole, name="cora", graph=whole.observed)
    monkeypatch.setattr(datasets, "load", lambda name: in_pieces)
    message = failure(monkeypatch, capsys, "run", "--dataset", "cora", "--objective", "k-center")
    assert message == "cora is not connected; for k-center use cora_connected"


def test_sets_of_many_graphs_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = tuple(datasets.synthetic(60, n_graphs=3, random_state=0))
    many = datasets.InductiveDataset("synthetic_spa", drawn, (0,), (1,), (2,))
    monkeypatch.setattr(datasets, "load", lambda name: many)
    message = failure(monkeypatch, capsys, "run", "--dataset", "synthetic_spa")
    assert message.startswith("synthetic_spa holds many graphs")


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_a_graph_of_ones_own(objective: str, tmp_path: Path) -> None:
    options = ["--edges", two_rings(tmp_path), "--k", 2, "--objective", objective]
    found = answer(*options, "--setting", "optimization")
    assert (found["name"], found["n_nodes"], found["n_edges"]) == ("rings", 24, 49)
    assert len(found["results"]) == (6 if objective == "modularity" else 4)
    found = answer(*options, "--hide", 0.5)
    assert found["n_seen_edges"] == 24


@pytest.mark.parametrize("kind", ["npy", "npz", "csv"])
def test_features_of_ones_own(kind: str, tmp_path: Path) -> None:
    rows = np.random.default_rng(0).random((24, 5)).round(3)
    file = tmp_path / f"features.{kind}"
    if kind == "npy":
        np.save(file, rows)
    elif kind == "npz":
        scipy.sparse.save_npz(file, scipy.sparse.csr_array(rows))
    else:
        np.savetxt(file, rows, delimiter=",")
    read = read_features(file)
    np.testing.assert_array_equal(read if kind != "npz" else read.toarray(), rows)
    found = answer("--edges", two_rings(tmp_path), "--features", file, "--k", 2)
    assert found["results"][0]["method"] == "ClusterNet"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("f.csv", b"1,2\n3,4\n", "f.csv has 2 rows for 24 nodes"),
        ("f.csv", b"width,height\n1,2\n", "f.csv: could not convert string 'width' to float64"),
        ("f.csv", b"1,2\n3\n", "f.csv: the number of columns changed from 2 to 1"),
        ("f.csv", b"", "f.csv: loadtxt: input contained no data"),
        ("f.csv", b"\xff\xfe1,2\n", "f.csv is not text in UTF-8 (line 1)"),
        ("f.csv", b"1,2\0\n", "f.csv, line 1: a NUL character; this is not a text file"),
        ("f.npy", b"", "f.npy is not a readable .npy file: "),
        ("f.npy", b"\x93what", "f.npy is not a readable .npy file: "),
        ("f.npz", b"PK what", "f.npz is not a readable .npz archive: "),
    ],
)
def test_features_that_cannot_be_used(
    name: str,
    content: bytes,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    options = ["run", "--edges", two_rings(tmp_path), "--features", file, "--k", 2]
    assert message in failure(monkeypatch, capsys, *options)


def forged_file(folder: Path, **changes: Any) -> Path:
    """Write a sparse matrix as SciPy saves it, one of its arrays replaced."""
    file = folder / "forged.npz"
    scipy.sparse.save_npz(file, scipy.sparse.eye_array(24, format="csr"))
    with np.load(file) as stored:
        arrays = dict(stored) | changes
    np.savez(file, **arrays)
    return file


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"indptr": np.arange(-1, 24)}, "(indptr|index pointer) (must|should) start with 0"),
        (
            {"indptr": np.append(np.arange(24), 10**6)},
            "(indptr must end|Last value of index pointer)",
        ),
        ({"indptr": np.append([0, 9], np.arange(2, 25))}, "indptr must not decrease"),
        ({"indptr": np.arange(3)}, "(indptr|index pointer)"),
        ({"indices": np.full(24, 10**9, np.int32)}, "indices must be at least 0 and less than 24"),
        ({"indices": np.full(24, -1, np.int32)}, "indices must be at least 0 and less than 24"),
        ({"indices": np.arange(9)}, "24, not 9|same size"),
        ({"data": np.ones(24, complex)}, "must hold numbers, not complex128"),
        ({"data": np.full(24, np.nan)}, "features must be finite"),
        ({"shape": np.array([24, -1])}, ""),
        ({"shape": np.array([24, 2**40])}, "columns must be at most 2147483647"),
        ({"shape": np.array([24])}, ""),
        ({"format": np.array("nonsense")}, ""),
        ({"format": np.array("lil")}, ""),
        (
            {"format": np.array(b"csc"), "indptr": np.arange(-1, 24)},
            "(indptr|index pointer) (must|should) start with 0",
        ),
        (
            {"format": np.array("bsr"), "data": np.ones((24, 1, 1)), "indptr": np.arange(-1, 24)},
            "(indptr|index pointer) (must|should) start with 0",
        ),
        ({"format": np.array("coo"), "row": np.arange(24), "col": np.arange(1, 25)}, ""),
        ({"format": np.array("dia"), "offsets": np.zeros(24, int)}, ""),
    ],
)
def test_a_forged_matrix_ends_with_one_line(
    changes: dict[str, Any],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = forged_file(tmp_path, **changes)
    options = ["run", "--edges", two_rings(tmp_path), "--features", file, "--k", 2]
    said = failure(monkeypatch, capsys, *options)
    assert "forged.npz" in said or "features" in said
    assert re.search(message, said), said


@pytest.mark.parametrize("kind", ["complex", "one dimension", "no array", "huge"])
def test_arrays_that_are_no_features_end_with_one_line(
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "f.npy"
    if kind == "huge":  # says that it holds 8 EB
        header = {"descr": "<f8", "fortran_order": False, "shape": (24, 2**55)}
        with file.open("wb") as stream:
            np.lib.format.write_array_header_1_0(stream, header)
    else:
        np.save(
            file,
            {
                "complex": np.ones((24, 2), complex),
                "one dimension": np.ones(24),
                "no array": np.float64(3.0),
            }[kind],
        )
    options = ["run", "--edges", two_rings(tmp_path), "--features", file, "--k", 2]
    assert "f.npy" in failure(monkeypatch, capsys, *options)


@pytest.mark.parametrize(
    ("text", "edges", "names"),
    [
        ("0 1\n1 2\n", [[0, 1], [1, 2]], None),
        ("0,1\n1 , 3\n", [[0, 1], [1, 3]], None),
        ("# a comment\n\n0\t1 # another\n  1   2\n", [[0, 1], [1, 2]], None),
        ("0 1\n1 0\n0 0\n", [[0, 1]], None),
        ("b a\na 7\n", [[0, 1], [1, 2]], ("b", "a", "7")),
        ("Ä,ö\n", [[0, 1]], ("Ä", "ö")),
        ("-1 2\n2 3\n", [[0, 1], [1, 2]], ("-1", "2", "3")),
    ],
    ids=["numbers", "commas", "comments", "repeated", "names", "utf-8", "negative"],
)
def test_edge_lists(
    text: str, edges: list[list[int]], names: tuple[str, ...] | None, tmp_path: Path
) -> None:
    file = tmp_path / "edges.txt"
    file.write_text(text, encoding="utf-8")
    graph = read_edges(file)
    assert graph.edges.tolist() == edges
    assert graph.names == names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"0 1\n\n2\n", "edges.txt, line 3: two nodes wanted, not '2'"),
        (b"0 1 2\n", "edges.txt, line 1: two nodes wanted, not '0 1 2'"),
        (b"# nothing\n", "edges.txt holds no edges"),
        (b"0 1\n1 99999999999\n", "node numbers must be below 2147483647, not 99999999999"),
        (b"\xff\xfe\n", "edges.txt is not text in UTF-8"),
    ],
)
def test_edge_lists_that_make_no_sense(
    content: bytes,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "edges.txt"
    file.write_bytes(content)
    assert message in failure(monkeypatch, capsys, "run", "--edges", file)


def test_names_stay_with_the_seen_graph(tmp_path: Path) -> None:
    file = tmp_path / "[friends]\x1b[2J.txt"
    file.write_text("ada bob\nbob cy\ncy dan\ndan ada\n")
    case = file_case(file, None, "modularity", "learning", 2, 0.5, 0)
    problem = case.problem
    assert problem.graph.names == case.full.names == ("ada", "bob", "cy", "dan")
    assert (problem.graph.n_edges, case.full.n_edges) == (2, 4)
    assert problem.seen_fraction == 0.5
    result = invoke("run", *QUICK, "--edges", file, "--k", 2)
    assert r"[friends]\x1b[2J: 4 nodes, 4 edges" in result.stdout
    assert "\x1b" not in result.stdout


# --- requests that cannot be met ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--dataset", "cora", "--edges", __file__], "give --dataset or --edges, not both"),
        (["--features", __file__], "--features belongs to --edges"),
        (["--hide", "1"], "--hide must be at least 0 and below 1, not 1"),
        (["--hide", "-0.5"], "--hide must be at least 0 and below 1, not -0.5"),
        (["--hide", "0.5", "--dataset", "cora"], "--hide cannot be used with --dataset"),
        (
            ["--hide", "0.5", "--setting", "optimization"],
            "--hide cannot be used with --setting optimization",
        ),
        (["--k", "0"], "--k"),
        (["--iterations", "0"], "--iterations"),
        (["--objective", "colouring"], "--objective"),
        (["--edges", "/no/such/file"], "--edges"),
        (["--edges", "/"], "--edges"),
        (["--fast"], "--fast"),
    ],
)
def test_wrong_usage(options: list[str], message: str) -> None:
    result = invoke("run", *options)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_unknown_data_sets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    message = failure(monkeypatch, capsys, "run", "--dataset", "karate")
    assert message.endswith("not 'karate'")
    assert "cora_connected" in message
    assert failure(monkeypatch, capsys, "data", "show", "karate") == message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--k", "25"], "k must be in 1..24, not 25"),
        (["--k", "2", "--hide", "0.999"], "rings: no edge is seen of 49"),
        (["--k", "20", "--hide", "0.95"], "n_clusters must be at most"),
    ],
)
def test_problems_nobody_can_solve(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = ["run", *QUICK, "--edges", two_rings(tmp_path), *options]
    assert message in failure(monkeypatch, capsys, *arguments)


def test_centers_that_cannot_reach_everyone() -> None:
    pieces = Graph.from_edges([(0, 1), (2, 3), (4, 5)])
    case = Case("pieces", Problem(pieces, 2, KCenter()), pieces)
    with pytest.raises(InfeasibleError, match="pieces: graph has 3 components, so k = 2 centers"):
        compare(case, ClusterNet(2, "k-center"), status=nullcontext)
    Case("pieces", Problem(pieces, 3, KCenter()), pieces).check()


# --- graphopt data --------------------------------------------------------------------------------


def test_data_sets_are_listed() -> None:
    result = invoke("data", "list")
    assert result.exit_code == 0
    assert tuple(result.stdout.split()) == tuple(datasets.names())


@needs_data
def test_a_data_set_is_described() -> None:
    result = invoke("data", "show", "cora")
    assert result.stdout.startswith("Dataset('cora', n_nodes=2708, n_edges=5278")
    assert result.stdout.count("\n") == 1


# --- as a process ---------------------------------------------------------------------------------


def test_json_alone_goes_to_standard_output(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from graphopt.cli import main; main()"]
    options = ["run", "--edges", str(two_rings(tmp_path)), "--k", "2", "--json", *QUICK]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["name"] == "rings"
    assert done.stderr == ""
    done = subprocess.run([*command, *options, "--hide", "1"], capture_output=True, check=False)
    assert done.returncode == 2
    assert done.stdout == b""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["run", "--help"], ["data", "list"], []], ids=" ".join
)
def test_help_does_not_wait_for_torch(arguments: list[str]) -> None:
    program = f"""
import sys
from graphopt.cli import main
sys.argv[1:] = {arguments}
try:
    main()
finally:
    print("torch" in sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == (0 if arguments else 2)
    assert done.stderr.split()[-1] == "False"
