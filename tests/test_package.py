"""The wheel, installed where there is no checkout, brings the pages with it."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import venv
import zipfile
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


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(repository)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = target.glob("likewise-*.whl")
    return built


def test_wheel_holds_code_pages_and_licence_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"ingest", "search", "web", "workers"}
    assert any(name.startswith("web/templates/") for name in names)
    assert any(name.startswith("web/static/") for name in names)
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert not any("__pycache__" in name for name in names)


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
