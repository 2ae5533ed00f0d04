"""What holds of the code as a whole."""

import ast
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

SOURCES = sorted((ROOT / "ctxchat").rglob("*.py"))
MOST_LINES, MOST_FUNCTION_LINES = 300, 40


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_and_functions_are_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) < MOST_LINES
    for function in functions(ast.parse(text)):
        assert function.end_lineno is not None
        assert function.end_lineno - function.lineno < MOST_FUNCTION_LINES, function.name


def test_one_function_builds_a_prompt() -> None:
    builders = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("Prompt", "Piece")
    }
    assert builders == {"ctxchat/context/assemble.py"}


def test_only_one_module_imports_llama_cpp() -> None:
    importers = {
        path.name
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(a.name.startswith("llama_cpp") for a in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("llama_cpp"))
    }
    assert importers <= {"bindings.py"}


def test_what_is_built_holds_the_prompts_the_example_the_migrations_and_the_embedding(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        sizes = {entry.filename: entry.file_size for entry in wheel.infolist()}
    with tarfile.open(next(tmp_path.glob("*.tar.gz"))) as source:
        sources = {entry.name.partition("/")[2]: entry.size for entry in source}
    expected = {f"ctxchat/prompts/{path.name}" for path in (ROOT / "prompts").iterdir()}
    shipped = {
        str(path.relative_to(ROOT)): path.stat().st_size
        for folder in ("migrations", "embedding")
        for path in (ROOT / "ctxchat/store" / folder).iterdir()
    }
    assert expected | {"ctxchat/config.example.toml", "ctxchat/py.typed"} <= sizes.keys()
    assert shipped.items() <= sizes.items()
    assert shipped.items() <= sources.items()


def test_no_committed_text_names_a_host_of_a_registry() -> None:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            assert b"pypi.org" not in (ROOT / name).read_bytes(), name
