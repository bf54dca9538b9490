"""Rules of the house that a test can hold: one version, documented public names."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest

import graphopt

ROOT = Path(__file__).parents[2]
PUBLIC = {name: getattr(graphopt, name) for name in graphopt.__all__}


def test_one_version() -> None:
    declared = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert declared is not None
    assert declared[1] == metadata.version("graphopt") == graphopt.build_config()["version"]


def test_public_names_are_sorted() -> None:
    assert list(graphopt.__all__) == sorted(graphopt.__all__)


def documented_callables() -> dict[str, object]:
    found: dict[str, object] = {}
    for name, thing in PUBLIC.items():
        found[name] = thing
        if inspect.isclass(thing):
            own = [base for base in thing.__mro__ if base.__module__.startswith("graphopt")]
            for method, member in (item for base in reversed(own) for item in vars(base).items()):
                if not method.startswith("_") and not inspect.ismemberdescriptor(member):
                    found[f"{name}.{method}"] = getattr(member, "__func__", member)
    return found


@pytest.mark.parametrize("name", documented_callables())
def test_public_names_are_documented(name: str) -> None:
    thing = documented_callables()[name]
    doc = inspect.getdoc(thing)
    assert doc, f"{name} has no docstring"
    if not callable(thing) or inspect.isclass(thing):
        return
    parameters = [p for p in inspect.signature(thing).parameters if p not in ("self", "cls")]
    for parameter in parameters:
        assert re.search(rf"(^|[^\w]){parameter}\b", doc), f"{name} does not document {parameter}"
    if len(parameters) > 1:
        assert "Parameters\n---" in doc
        assert "Returns\n---" in doc


def test_no_leftovers_in_the_source() -> None:
    for path in (ROOT / "src").rglob("*.py*"):
        if path.suffix in (".py", ".pyx", ".pyi"):
            text = path.read_text()
            for word in ("TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"):
                assert word not in text, f"{path.name} holds {word}"


def test_nothing_is_compiled_for_one_machine() -> None:
    """One macro in simd.hpp names instruction sets; what users install runs everywhere."""
    forbidden = re.compile(
        r"-m(arch|tune|cpu|avx|sse)|(intrin|arm_neon|arm_sve)\.h|\b_mm\d*_|__builtin_ia32|\basm\b"
        r"|target_clones|__AVX|__ARM"
    )
    built_from = [
        *(ROOT / "csrc").rglob("*"),
        *(ROOT / "src").rglob("*.py*"),
        *(ROOT / name for name in ("CMakeLists.txt", "CMakePresets.json", "Makefile", ".ci/run")),
        ROOT / "pyproject.toml",
    ]
    texts = [path for path in built_from if path.is_file() and path.suffix != ".pyc"]
    assert len(texts) > 50
    for path in texts:
        if path.name != "simd.hpp":
            found = forbidden.search(path.read_text())
            assert found is None, f"{path.relative_to(ROOT)} holds {found and found[0]}"
    simd = (ROOT / "csrc/include/graphopt/support/simd.hpp").read_text()
    assert re.search(r"-m(arch|tune)|intrin\.h|\b_mm\d*_", simd) is None


def imports_of(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt | None]]:
    """Yield the modules that the statements of a function import, each with what stands before."""
    before = None
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from ((alias.name, before) for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module is not None:
            yield statement.module, before
        else:
            before = statement
            for field in ("body", "orelse", "handlers", "finalbody"):
                yield from imports_of(getattr(statement, field, []))


def test_libraries_are_loaded_whole() -> None:
    """Ctrl-C in the import of a library would leave it broken: see `load_whole`."""
    ours = ROOT / "src" / "graphopt"
    for path in ours.rglob("*.py"):
        tree = ast.parse(path.read_text())
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for module, before in imports_of(function.body):
                library = module.split(".")[0]
                if library in sys.stdlib_module_names or library in ("graphopt", "numpy"):
                    continue
                loaded = before is not None and f"load_whole('{library}" in ast.unparse(before)
                assert loaded, f"{path.name}: {function.name} imports {module} without load_whole"
