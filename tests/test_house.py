"""The rules of the house that a machine can check."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sessions import SLOW

from web.cli import COMMANDS

ROOMS = ("search", "workers", "ingest", "web", "deploy")
MAX_LINES = 400
MIN_TEXT = 1_000_000
"""Bytes over which a tracked file is taken for a picture and not searched."""

# Put together from parts, because this file is searched too.
REGISTRY_HOSTS = tuple(
    "".join(parts) for parts in (("pypi", ".org"), ("python", "hosted"), ("registry.npm", "js"), ("debian", ".org"))
)
MACHINE_PATHS = tuple("".join(parts) for parts in (("/work", "/"), ("/root", "/"), ("/home/", "user/")))


def tracked(repository: Path) -> list[Path]:
    if not (repository / ".git").exists():
        pytest.skip("not a git checkout, so nothing says which files belong to it")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=True)
    return [repository / name for name in listed.stdout.split("\0") if name]


def test_imports_go_one_way(repository: Path) -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_stay_short(repository: Path) -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in tracked(repository) if path.suffix == ".py"}
    assert {path.name: n for path, n in lengths.items() if n > MAX_LINES} == {}


def test_no_path_of_a_machine_and_no_registry_host_is_written_down(repository: Path) -> None:
    found = []
    for path in tracked(repository):
        if not path.is_file() or path.stat().st_size > MIN_TEXT:
            continue
        text = path.read_bytes().decode("utf-8", "ignore")
        found += [f"{path.name}: {words}" for words in (*REGISTRY_HOSTS, *MACHINE_PATHS) if words in text]
    assert found == []


def test_no_tests_folder_is_a_package(repository: Path) -> None:
    assert [path for path in tracked(repository) if path.name == "__init__.py" and "tests" in path.parts] == []


def test_every_top_level_name_has_its_place(repository: Path) -> None:
    allowed = {
        *ROOMS,
        "tests",
        "pyproject.toml",
        "README.md",
        "Makefile",
        "LICENSE",
        "NOTICE",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "requirements.lock",
        "requirements-weights.lock",
    }
    names = {path.relative_to(repository).parts[0] for path in tracked(repository)}
    assert {name for name in names if not name.startswith(".")} <= allowed


def test_only_settings_read_the_environment(repository: Path) -> None:
    """A variable that some module reads by itself is one that nobody can list, check or document."""
    reads = re.compile(r"os\.environ|os\.getenv|from os import .*\b(environ|getenv)\b")
    readers = {
        path.relative_to(repository).as_posix()
        for path in tracked(repository)
        if path.suffix == ".py"
        and path.relative_to(repository).parts[0] in ROOMS
        and reads.search(path.read_text("utf-8"))
    }
    # checks.py names variables that nobody obeys; process.py keeps from children what is none of their business;
    # powers.py lets them read where the loader looks for libraries; runtime.py and scrape.py tell libraries what they
    # take from nowhere else; sbom.py takes its time as builds do, from SOURCE_DATE_EPOCH.
    allowed = {
        "search/settings.py",
        "search/scrape.py",
        "deploy/release/sbom.py",
        "web/checks/run.py",
        "workers/decode/sandbox/powers.py",
        "workers/decode/sandbox/process.py",
        "workers/runtime.py",
    }
    assert readers - allowed == set()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_commands_in_the_pages_exist(repository: Path, page: str) -> None:
    text = (repository / page).read_text("utf-8")
    code = "\n".join(re.findall(r"```.*?\n(.*?)```", text, re.DOTALL) + re.findall(r"`([^`\n]+)`", text))
    targets = set(re.findall(r"^([a-z-]+):", (repository / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", code)) <= targets
    assert set(re.findall(r"\blikewise ([a-z]+)\b", code)) <= set(COMMANDS)


def test_make_describes_every_target(repository: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    done = subprocess.run(["make", "help"], cwd=repository, capture_output=True, text=True, check=True)
    for target in ("install", "run", "test", "test-fast", "check", "fix", "bench", "clean"):
        assert re.search(rf"^  {target} +\S", done.stdout, re.MULTILINE)


def test_what_is_marked_as_slow_exists(repository: Path) -> None:
    tests = repository / "tests"
    assert [place for places in SLOW.values() for place in places if not [*tests.glob(place)]] == []


def test_the_lock_pins_everything_with_hashes(repository: Path) -> None:
    lines = (repository / "requirements.lock").read_text("utf-8").splitlines()
    pins = [at for at, line in enumerate(lines) if line and not line.startswith((" ", "#"))]
    assert len(pins) > 50
    for at in pins:
        assert re.match(r"[a-z0-9-]+==\S+", lines[at]), lines[at]
        assert "--hash=sha256:" in lines[at + 1], lines[at]
