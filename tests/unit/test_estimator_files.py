"""ClusterNet in files: what they hold, what they cannot hold, which are refused."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from estimator_cases import (
    QUICK,
    LargestCut,
    Planned,
    arranged,
    described,
    in_first_format,
    planted,
)

from graphopt import ClusterNet
from graphopt.errors import DamagedFileError, GraphoptError
from graphopt.learning import Recipe, files
from graphopt.nn.losses import KCenterLoss

PUBLISHED = ("labels_", "decision_", "assignment_", "cluster_centers_", "embedding_")


@pytest.mark.parametrize("objective", ["modularity", "k-center"])
def test_files_hold_everything(objective: str, tmp_path: Path) -> None:
    graph, rows = planted(), described()
    recipe = Recipe(iterations=8, smoothing=1, kmeans_schedule=((0.0, 1), (0.5, 3)))
    model = ClusterNet(3, objective, recipe=recipe, seen_fraction=0.5, n_restarts=2, random_state=3)
    model.fit(graph, rows)
    model.save(tmp_path / "model.pt")
    again = ClusterNet.load(str(tmp_path / "model.pt"))
    for name in PUBLISHED:
        np.testing.assert_array_equal(getattr(again, name), getattr(model, name))
        assert getattr(again, name).dtype == getattr(model, name).dtype
    assert hasattr(again, "centers_") == (objective == "k-center")
    assert again.training_value_ == model.training_value_
    assert again.interrupted_ is False
    assert again.runs_ == []
    assert again.score(graph) == model.score(graph)
    np.testing.assert_array_equal(again.predict(graph, rows), model.predict(graph, rows))
    # The parameters too: a fit of the loaded one is a fit of the saved one.
    unset = {"recipe": None}
    assert again.get_params(deep=False) | unset == model.get_params(deep=False) | unset
    np.testing.assert_array_equal(again.fit(graph, rows).assignment_, model.assignment_)


def test_files_are_safe_to_read(tmp_path: Path) -> None:
    ClusterNet(3, **QUICK).fit(planted()).save(tmp_path / "model.pt")
    before = torch.get_rng_state()
    ClusterNet.load(tmp_path / "model.pt")
    assert torch.equal(torch.get_rng_state(), before)


def test_numbers_of_numpy_can_be_saved(tmp_path: Path) -> None:
    recipe = Recipe(
        kmeans_schedule=((np.float64(0), np.int64(2)),),
        hidden_features=np.int32(7),
        temperature=np.float32(9),
    )
    model = ClusterNet(np.int64(3), seen_fraction=np.float64(0.5))
    model.set_params(**{**QUICK, "random_state": np.int64(3), "recipe": recipe})
    model.fit(planted(), described()).save(tmp_path / "model.pt")
    again = ClusterNet.load(tmp_path / "model.pt")
    assert again.random_state == 3
    np.testing.assert_array_equal(again.labels_, model.labels_)


def test_generators_are_not_saved(tmp_path: Path) -> None:
    model = ClusterNet(3, **{**QUICK, "random_state": np.random.default_rng(0)}).fit(planted())
    model.save(tmp_path / "model.pt")
    assert ClusterNet.load(tmp_path / "model.pt").random_state is None


def test_own_parts_are_handed_over_again(tmp_path: Path) -> None:
    file = tmp_path / "model.pt"
    model = ClusterNet(2, LargestCut(), **QUICK, completion=Planned()).fit(planted())
    model.save(file)
    with pytest.raises(ValueError, match="was saved with your own objective and completion; pass"):
        ClusterNet.load(file)
    with pytest.raises(ValueError, match="was saved with your own completion; pass it to load"):
        ClusterNet.load(file, objective=LargestCut())
    again = ClusterNet.load(file, objective=LargestCut(), completion=Planned())
    assert again.score(planted()) == model.score(planted())

    sites = KCenterLoss(3, growth=0.0)
    model = ClusterNet(3, sites, **QUICK).fit(planted())
    model.save(file)
    again = ClusterNet.load(file, objective=sites)
    np.testing.assert_array_equal(again.centers_, model.centers_)
    assert model.objective is sites  # saving changes nothing


def test_a_fine_tuned_model_is_restored(tmp_path: Path) -> None:
    """What trained it last is not what its parameters say."""
    model = ClusterNet(
        3, **arranged(**{**QUICK, "n_restarts": None}, consensus=True, start="leiden")
    )
    tuned = model.fit(planted(), described()).fine_tune(planted(1), described(), iterations=2)
    tuned.save(tmp_path / "model.pt")
    again = ClusterNet.load(tmp_path / "model.pt")
    assert again._trained_by == tuned._trained_by
    np.testing.assert_array_equal(again.labels_, tuned.labels_)


# --- damaged and hostile files ----------------------------------------------------------------


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A small model of the present format."""
    file = tmp_path_factory.mktemp("model") / "model.pt"
    settings = {**QUICK, "iterations": 2}
    ClusterNet(3, **arranged(**settings, hidden_features=3, embedding_features=2)).fit(
        planted(), described()
    ).save(file)
    return file.read_bytes()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model.pt"


def refused(file: Path, message: str = "model") -> None:
    with pytest.raises(DamagedFileError, match=message) as caught:
        ClusterNet.load(file)
    assert str(file) in str(caught.value)
    assert len(str(caught.value)) < 600 + len(str(file))
    assert isinstance(caught.value, GraphoptError)
    assert isinstance(caught.value, ValueError)


def header_of(content: bytes) -> tuple[dict[str, Any], bytes]:
    (length,) = struct.unpack_from("<Q", content, 48)
    return json.loads(content[56 : 56 + length]), content[56 + length :]


def sealed(header: object, arrays: bytes, length: int | None = None) -> bytes:
    """Return a file with a checksum that is right, whatever it holds."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    body = struct.pack("<Q", len(text) if length is None else length) + text + arrays
    return files.MAGIC + hashlib.sha256(body).digest() + body


def test_every_flipped_bit_is_noticed(file: Path, stored: bytes) -> None:
    rng = np.random.default_rng(0)
    places = {0, 15, 16, 47, 48, 56, len(stored) - 1, *rng.integers(0, len(stored), 150).tolist()}
    for place in places:
        changed = bytearray(stored)
        changed[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(changed)
        refused(file)


def test_every_truncated_file_is_noticed(file: Path, stored: bytes) -> None:
    for length in [*range(0, 64, 5), len(stored) // 2, len(stored) - 1]:
        file.write_bytes(stored[:length])
        refused(file)
    file.write_bytes(stored + b"\0")
    refused(file)


@pytest.mark.parametrize(
    "content",
    [b"", b"what is this?", b"PK\x03\x04 what", b"\0" * 5000, pickle.dumps({"format": 1}), b"\x80"],
)
def test_other_files_are_refused(content: bytes, file: Path) -> None:
    file.write_bytes(content)
    refused(file, "not a model")


@pytest.mark.parametrize("content", [{"format": 99}, [1, 2], torch.zeros(2), {"format": 1}])
def test_other_files_of_torch_are_refused(content: object, file: Path) -> None:
    torch.save(content, file)
    refused(file)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        ClusterNet.load(tmp_path / "absent.pt")
    with pytest.raises(IsADirectoryError):
        ClusterNet.load(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ValueError, match="must be a regular file"):
            ClusterNet.load(path)


def test_a_later_version_is_named(file: Path, stored: bytes) -> None:
    header, arrays = header_of(stored)
    header |= {"format": 3, "graphopt": "9.1", "more": 1}
    file.write_bytes(sealed(header, arrays))
    refused(file, "has format '3' and was written by graphopt '9.1', which reads it; graphopt .* 1")


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda h: h["settings"].pop("recipe"),
        lambda h: h["settings"].update(more=1),
        lambda h: h["settings"].update(params=[]),
        lambda h: h["settings"]["params"].update(fit=1),
        lambda h: h["settings"]["params"].update({"a\0b": 1}),
        lambda h: h["settings"]["params"].update(n_clusters="3"),
        lambda h: h["settings"]["params"].update(n_clusters=10**9),
        lambda h: h["settings"]["recipe"].update(hidden_features=10**15),
        lambda h: h["settings"]["params"].update(objective="cut"),
        lambda h: h["settings"]["params"].update(objective=None),
        lambda h: h["settings"]["recipe"].update(iterations=-1),
        lambda h: h["settings"]["recipe"].update(kmeans_schedule=[[0.0, 10**30]]),
        lambda h: h["settings"]["recipe"].update(kmeans_schedule=7),
        lambda h: h["settings"]["recipe"].update(more=7),
        lambda h: h["settings"].update(n_inputs=10**12),
        lambda h: h["settings"].update(n_inputs=-1),
        lambda h: h["settings"].update(n_features=[1]),
        lambda h: h["settings"].update(kmeans_updates=10**40),
        lambda h: h["settings"].update(training_value="high"),
        lambda h: h["settings"].update(interrupted="no"),
        lambda h: h["settings"].update(own={}),
        lambda h: h.update(settings=None),
        lambda h: h.update(more=1),
        lambda h: h.pop("graphopt"),
        lambda h: h.update(arrays=None),
        lambda h: h["arrays"].pop(),
        lambda h: h["arrays"][0].__setitem__(0, "network/other"),
        lambda h: h["arrays"][0].__setitem__(0, "elsewhere/initial_centers"),
        lambda h: h["arrays"][-1].__setitem__(0, "arrays/predict"),
        lambda h: h["arrays"][-1].__setitem__(0, "arrays/network_"),
        lambda h: h["arrays"][0].__setitem__(0, h["arrays"][1][0]),
        lambda h: h["arrays"][0].__setitem__(1, "|O"),
        lambda h: h["arrays"][0].__setitem__(1, "<i4"),
        lambda h: h["arrays"][0].__setitem__(1, "f4,f4"),
        lambda h: h["arrays"][0].__setitem__(2, [2**40, 2**40]),
        lambda h: h["arrays"][0].__setitem__(2, [2**70, 0]),
        lambda h: h["arrays"][0].__setitem__(2, [-1, -6]),
        lambda h: h["arrays"][0].__setitem__(2, [0] * 100),
        lambda h: h["arrays"][0].__setitem__(2, [6]),
        lambda h: h["arrays"][0].__setitem__(2, "6"),
        lambda h: h["arrays"].append(["arrays/labels_", "<f4", []]),
    ],
)  # fmt: skip
def test_hostile_files_are_refused(change: Change, file: Path, stored: bytes) -> None:
    header, arrays = header_of(stored)
    change(header)
    file.write_bytes(sealed(header, arrays))
    tracemalloc.start()
    try:
        refused(file)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("header", "length"),
    [
        (b"", None),
        (b"{}", 2**63),
        (b"{}", 2**64 - 1),
        (b"[1]", None),
        (b"[" * 100_000, None),
        (b"\xff\xfe", None),
        (b'{"format": ' + b"9" * 10_000 + b"}", None),
        (json.dumps({"format": "x" * 100_000}).encode(), None),
    ],
)
def test_hostile_headers_are_refused(header: bytes, length: int | None, file: Path) -> None:
    file.write_bytes(sealed(header, b"", length))
    refused(file)


# --- the first format -----------------------------------------------------------------------------

FIRST = Path(__file__).parents[1] / "fixtures" / "model-format-1.pt"


def test_a_model_of_the_first_format_still_loads(tmp_path: Path) -> None:
    model = ClusterNet.load(FIRST)
    assert model.get_params()["recipe__hidden_features"] == 4
    assert model.training_value_ == 0.5901785432197725
    assert model.score(planted()) == pytest.approx(model.training_value_, abs=0.2)
    assert model.labels_.dtype == np.int32
    np.testing.assert_array_equal(np.bincount(model.labels_), [20, 20, 20])
    model.save(tmp_path / "again.pt")
    again = ClusterNet.load(tmp_path / "again.pt")
    rows = described()
    np.testing.assert_array_equal(again.predict(planted(), rows), model.predict(planted(), rows))


def test_damage_in_the_first_format_is_refused_or_without_effect(file: Path) -> None:
    whole, rng = FIRST.read_bytes(), np.random.default_rng(1)
    expected = ClusterNet.load(FIRST)
    params = expected.get_params(deep=False)
    n_refused = 0
    for place in rng.integers(0, len(whole), 150).tolist():
        changed = bytearray(whole)
        changed[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(changed)
        try:
            found = ClusterNet.load(file)
        except DamagedFileError as error:
            n_refused += str(file) in str(error)
        else:
            assert found._trained_by == expected._trained_by
            assert found.get_params(deep=False) == params | {"recipe": found.recipe}
            for name in PUBLISHED:
                np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
            for name, tensor in expected.network_.state_dict().items():
                assert torch.equal(tensor, found.network_.state_dict()[name])
    assert n_refused > 75
    for length in range(0, len(whole), 501):
        file.write_bytes(whole[:length])
        refused(file)


class Runs:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("pickles-ran-code",)


def forged(file: Path, content: bytes, **members: bytes) -> None:
    """Write an archive whose pickle is `content`, with the members of the fixture or others."""
    with zipfile.ZipFile(FIRST) as source, zipfile.ZipFile(file, "w") as target:
        for info in source.infolist():
            name = info.filename.partition("/")[2]
            if name != "data.pkl":
                target.writestr(f"m/{name}", members.get(name, source.read(info)))
        target.writestr("m/data.pkl", content)


def test_pickles_in_the_first_format_run_nothing(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    storage = "(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x09tQ"
    rebuild = "ctorch._utils\n_rebuild_tensor_v2\n"
    contents = [
        pickle.dumps(Runs(), 2),
        pickle.dumps({"format": 1, "params": Runs()}, 2),
        pickle.dumps({"format": 1, "params": Runs()}, 5),
        b"\x80\x02cbuiltins\nbytearray\n\x8a\x06" + (2**40).to_bytes(6, "little") + b"\x85R.",
        b"\x80\x02}r\xff\xff\xff\x7f.",  # a number in the memo that asks for 16 GB
        b"\x80\x02X\xff\xff\xff\x7fabc.",  # text longer than the file
        b"\x80\x02" + b"(" * 200_000 + b".",
        f"\x80\x02{rebuild}}}X\x01\0\0\0aK\x01sb.".encode("latin-1"),  # sets an attribute
        f"\x80\x02{rebuild}({storage}K\0(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft(K\0K\0ttR.".encode(
            "latin-1"
        ),
        b"\x80\x02ccollections\nOrderedDict\n}\x85R.",
        f"\x80\x02{rebuild}({storage}K\0K\x63\x85K\x01\x85tR.".encode("latin-1"),
    ]
    for content in contents:
        forged(file, content)
        refused(file)
    assert not (tmp_path / "pickles-ran-code").exists()


def test_archives_that_unpack_to_more_than_they_are(file: Path, stored: bytes) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("m/data.pkl", pickle.dumps({"format": 1}, 2))
        target.writestr("m/data/0", bytes(10**7))
    refused(file, "holds more than the file")
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as nested:
        nested.writestr("m/data.pkl", stored)
    file.write_bytes(inner.getvalue())
    refused(file)
    with zipfile.ZipFile(file, "w") as target:
        target.writestr("m/data.pkl", b"")
        target.writestr("n/data.pkl", b"")
    refused(file, "a name twice")


def test_the_first_format_with_wrong_entries(file: Path, stored: bytes) -> None:
    file.write_bytes(stored)
    saved = in_first_format(file)
    for change in (
        {"network": {}},
        {"network": {"encoder.hidden_weight": 3}},
        {"arrays": {"predict": torch.zeros(2)}},
        {"params": 5},
        {"more": 5},
    ):
        torch.save(saved | change, file)
        refused(file)
    del saved["params"]
    torch.save(saved, file)
    refused(file)
