"""How packages are laid out: import circles, sizes, class names that mean one thing, docstrings that list modules."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

import pytest

PACKAGES = ("search", "workers", "ingest", "web", "deploy/release")
MOST_MODULES = 15
"""Modules side by side in one folder."""

MOST_LINES, MEDIAN_LINES = 400, 150


@pytest.fixture(scope="module")
def modules(repository: Path) -> Mapping[str, Path]:
    """Dotted name to file; packages by the name of the package."""
    files = (file for package in PACKAGES for file in sorted((repository / package).rglob("*.py")))
    return {
        ".".join(file.relative_to(repository).with_suffix("").parts).removesuffix(".__init__"): file for file in files
    }


def imports(tree: ast.Module, modules: Mapping[str, Path]) -> Iterator[str]:
    """Modules imported anywhere in a file, also inside functions; not those that only type checkers import."""
    for_types = {
        id(inside)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING"
        for inside in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in modules else node.module for name in names)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def circles(graph: Mapping[str, set[str]]) -> list[list[str]]:
    """Strongly connected components of more than one module, by Tarjan's algorithm."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        number[name] = lowest[name] = len(number)
        stack.append(name)
        for other in graph[name]:
            if other not in number:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], number[other])
        if lowest[name] == number[name]:
            component = stack[stack.index(name) :]
            del stack[stack.index(name) :]
            if len(component) > 1:
                found.append(sorted(component))

    for name in graph:
        if name not in number:
            visit(name)
    return found


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_no_module_imports_itself_in_a_circle_not_even_inside_functions(modules: Mapping[str, Path]) -> None:
    graph = {
        name: {other for other in imports(ast.parse(file.read_text("utf-8")), modules) if other in modules} - {name}
        for name, file in modules.items()
    }
    assert circles(graph) == []


def test_a_folder_holds_few_modules(modules: Mapping[str, Path]) -> None:
    beside: dict[Path, int] = defaultdict(int)
    for file in modules.values():
        beside[file.parent] += file.name != "__init__.py"
    assert {str(folder): count for folder, count in beside.items() if count > MOST_MODULES} == {}


def test_modules_are_short(modules: Mapping[str, Path]) -> None:
    lines = {name: len(file.read_text("utf-8").splitlines()) for name, file in modules.items()}
    assert {name: count for name, count in lines.items() if count > MOST_LINES} == {}
    assert median(count for name, count in lines.items() if modules[name].name != "__init__.py") <= MEDIAN_LINES


def test_a_public_class_name_means_one_thing(modules: Mapping[str, Path]) -> None:
    where: dict[str, list[str]] = defaultdict(list)
    for name, file in modules.items():
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                where[node.name].append(name)
    assert {name: several for name, several in where.items() if len(several) > 1} == {}


def test_the_docstring_of_a_package_lists_its_modules(modules: Mapping[str, Path]) -> None:
    missing = []
    for name, file in modules.items():
        if file.name != "__init__.py":
            continue
        docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
        inside = {one.removeprefix(f"{name}.") for one in modules if one.startswith(f"{name}.")}
        missing += [f"{name}: {one}" for one in sorted(inside) if "." not in one and f"``{one}``" not in docstring]
    assert missing == []


def test_files_that_contributing_names_exist(repository: Path) -> None:
    text = (repository / "CONTRIBUTING.md").read_text("utf-8")
    named = set(re.findall(r"`((?:search|workers|ingest|web|tests|deploy)/[\w/.]+)`", text))
    assert len(named) > 20
    assert {name for name in named if not (repository / name).exists()} == set()
