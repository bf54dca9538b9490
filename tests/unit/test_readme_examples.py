"""What type checkers are given of README's examples."""

from __future__ import annotations

import pytest
from tests.readme_examples import examples, main, taken


def test_code_blocks_are_found() -> None:
    page = "a\n```python\nx = 1\n```\n```\nmake run\n```\n```python\ny = 2\n```\n"
    assert examples(page) == ["x = 1\n", "y = 2\n"]


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("labels = graph.degrees", ["graph"]),
        ("graph = 1\nprint(graph)", []),
        ("f(features, unheard_of)", ["features"]),
    ],
)
def test_names_that_readers_have(code: str, names: list[str]) -> None:
    assert taken(code) == names


def test_every_example_becomes_a_file(tmp_path) -> None:
    (tmp_path / "example_99.py").write_text("of an earlier README")
    main(tmp_path)
    written = sorted(path.name for path in tmp_path.glob("*.py"))
    assert "example_1.py" in written
    assert "example_99.py" not in written
    for path in tmp_path.glob("*.py"):
        compile(path.read_text(), path.name, "exec")
