"""Rules of the house that a test can hold: one version, documented public names."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from operator import attrgetter
from pathlib import Path

import pytest
from numpydoc.validate import validate
from typer.testing import CliRunner

import graphopt
from graphopt.cli import app

ROOT = Path(__file__).parents[2]
PUBLIC = {name: getattr(graphopt, name) for name in graphopt.__all__}


def test_one_version() -> None:
    declared = re.search(r'^version = "(.+)"$', (ROOT / "pyproject.toml").read_text(), re.M)
    assert declared is not None
    assert declared[1] == graphopt.__version__ == graphopt.build_config()["version"]
    assert f"\nversion: {graphopt.__version__}\n" in (ROOT / "CITATION.cff").read_text()
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.stdout) == (0, f"graphopt {graphopt.__version__}\n")


def test_public_names_are_sorted() -> None:
    assert list(graphopt.__all__) == sorted(graphopt.__all__)


def functions_and_classes() -> list[str]:
    """Return what is public, methods too, by its full name."""
    found = []
    for name, thing in PUBLIC.items():
        if inspect.ismodule(thing):
            continue
        found.append(f"graphopt.{name}")
        if inspect.isclass(thing):
            inherited = (base for base in thing.__mro__ if base.__module__.startswith("graphopt"))
            members = {key: value for base in inherited for key, value in vars(base).items()}
            found += [
                f"graphopt.{name}.{key}"
                for key, value in sorted(members.items())
                if key[0] != "_" and not inspect.ismemberdescriptor(value)
            ]
    return found


# Of numpydoc's checks. No docstring; parameters that are missing, or that the function has not; no
# returned value.
DOCUMENTED = {"GL08", "PR01", "PR02", "RT01"}


@pytest.mark.parametrize("name", functions_and_classes())
def test_public_names_are_documented(name: str) -> None:
    found = validate(name)
    thing = attrgetter(name.removeprefix("graphopt."))(graphopt)
    wrong = {code: message for code, message in found["errors"] if code in DOCUMENTED}
    if is_dataclass(thing):  # their fields are attributes
        wrong.pop("PR01", None)
    if callable(thing) and not inspect.isclass(thing):
        parameters = set(inspect.signature(thing).parameters) - {"self", "cls"}
        if len(parameters) < 2:  # a sentence may say it all, if it names the parameter
            named = all(f"`{parameter}`" in found["docstring"] for parameter in parameters)
            wrong = {} if named and found["docstring"] else wrong
    assert not wrong, f"{name}: {wrong}"


def test_every_module_has_a_docstring() -> None:
    for name, thing in PUBLIC.items():
        assert inspect.getdoc(thing), f"graphopt.{name} has no docstring"


def test_no_leftovers_in_the_source() -> None:
    sources = [path for path in (ROOT / "src").rglob("*") if path.suffix in (".py", ".pyx", ".pyi")]
    assert len(sources) > 50
    for path in sources:
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
    n_imports = 0
    for path in (ROOT / "src" / "graphopt").rglob("*.py"):
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
                n_imports += 1
    assert n_imports > 10
