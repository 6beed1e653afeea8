"""Wheel and sdist: the same wherever they are built, complete, without anything private. The wheel, installed where
there is no checkout, brings the pages with it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import site
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PROBE = """
import json, sys
from pathlib import Path

import web
from search.settings import Settings
from web.app import create_app
from ingest.node import Node

with Node.open(Settings(home=Path(sys.argv[1]), device="cpu")) as node:
    client = create_app(node).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {node.token}"
    page, sheet = client.get("/"), client.get(sys.argv[2])
    print(json.dumps({
        "where": web.__file__, "page": page.status_code, "html": page.text[:200],
        "sheet": sheet.status_code, "css": sheet.content_type,
    }))
"""


PACKAGES = ("ingest", "search", "web", "workers")
PRIVATE = (".ci/run", ".env", "deploy/secrets/redis.key", "deploy/.env", "shared/data/photo.jpg", "tests/test_x.py")
GENERATED = ("web/__pycache__/app.cpython-311.pyc", ".hypothesis/x", ".venv/x", "dist/old.whl", "build/x")
EPOCH = "1764547200"


@dataclass(frozen=True)
class Built:
    source: Path
    wheel: Path
    sdist: Path


def build(source: Path, target: Path, program: Sequence[str]) -> Built:
    command = [sys.executable, "-m", *program, str(target)]
    done = subprocess.run(
        command, cwd=source, capture_output=True, text=True, check=False, env={**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,), (sdist,) = target.glob("likewise-*.whl"), target.glob("likewise-*.tar.gz")
    return Built(source, wheel, sdist)


def copy(repository: Path, target: Path) -> Path:
    """What is published, without what a working tree gathers."""
    target.mkdir()
    for name in PACKAGES:
        shutil.copytree(repository / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in repository.iterdir():
        if file.is_file():
            shutil.copy2(file, target)
    return target


@pytest.fixture(scope="module")
def built(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """As `make build` does it: the wheel from the sdist."""
    folder = tmp_path_factory.mktemp("built")
    return build(copy(repository, folder / "source"), folder / "dist", ["build", "--no-isolation", "--outdir"])


@pytest.fixture(scope="module")
def wheel(built: Built) -> Path:
    return built.wheel


def test_wheel_holds_code_pages_and_licence_and_nothing_else(built: Built) -> None:
    names = zipfile.ZipFile(built.wheel).namelist()
    said = {name.partition("/")[2] for name in names if ".dist-info/" in name}
    assert said == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE", "licenses/NOTICE"}
    expected = {
        file.relative_to(built.source).as_posix()
        for folder in PACKAGES
        for file in (built.source / folder).rglob("*")
        if file.is_file()
    }
    assert {name for name in names if ".dist-info/" not in name} == expected
    assert {"web/templates/search.html", "web/static/js/search.js", "search/words/concepts.tsv"} <= expected


def test_sdist_holds_what_the_wheel_is_made_of_and_nothing_private(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        members = archive.getmembers()
    names = {member.name.partition("/")[2] for member in members}
    top = {name.partition("/")[0] for name in names}
    documents = {"CHANGELOG.md", "LICENSE", "NOTICE", "README.md", "SECURITY.md"}
    made = {*PACKAGES, "pyproject.toml", "requirements.lock", "requirements-weights.lock", "PKG-INFO", ".gitignore"}
    assert top == documents | made
    assert not [name for name in names if "__pycache__" in name]
    assert {(member.uid, member.gid, member.uname, member.gname) for member in members} == {(0, 0, "", "")}


def test_builds_elsewhere_are_the_same_bit_for_bit(
    built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another folder, with other times and permissions of files, by hatchling alone, straight from the tree, and
    with everything lying about that must not be published."""
    before = os.umask(0o077)
    try:
        source = copy(built.source, tmp_path / "elsewhere")
        for name in (*PRIVATE, *GENERATED):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_text("private")
        for file in source.rglob("*"):
            if file.is_file():
                file.chmod(0o600)
                os.utime(file, (1, 1))
        monkeypatch.setenv("TZ", "Pacific/Auckland")
        again = build(source, tmp_path / "dist", ["hatchling", "build", "--directory"])
    finally:
        os.umask(before)
    for one, other in ((built.wheel, again.wheel), (built.sdist, again.sdist)):
        assert (one.name, hashlib.sha256(one.read_bytes()).hexdigest()) == (
            other.name, hashlib.sha256(other.read_bytes()).hexdigest(),
        )  # fmt: skip


def test_installed_wheel_serves_its_own_pages(wheel: Path, tmp_path: Path) -> None:
    """In an empty environment. The dependencies, gigabytes that this test is not about, are lent by the environment
    that runs it; Likewise is not, because its editable install works through a .pth file, which PYTHONPATH ignores."""
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    packages = subprocess.run(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    zipfile.ZipFile(wheel).extractall(packages)  # what installing a wheel of pure Python comes to
    static = next(name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".css"))
    done = subprocess.run(
        [python, "-c", PROBE, str(tmp_path / "data"), "/" + static.removeprefix("web/")],
        capture_output=True, text=True, check=False, cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(site.getsitepackages()), "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert Path(seen["where"]).is_relative_to(packages)
    assert seen["page"] == 200
    assert "<html" in seen["html"]
    assert seen["sheet"] == 200
    assert seen["css"].startswith("text/css")
