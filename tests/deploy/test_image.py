"""The image: pinned, locked, not root; what the CPU variant leaves out is what CUDA needs, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

IMAGE = re.compile(r"[a-z0-9./-]+:[\w.-]+@sha256:[0-9a-f]{64}")


@pytest.fixture(scope="session")
def instructions(deploy: Path) -> list[str]:
    """Every instruction of the Dockerfile on one line, without comments."""
    lines = [line for line in (deploy / "Dockerfile").read_text("utf-8").splitlines() if not re.match(r"\s*#", line)]
    return [line.strip() for line in re.sub(r"\\\n", " ", "\n".join(lines)).splitlines() if line.strip()]


def locked(repository: Path) -> dict[str, str]:
    """Name to version of everything in requirements.lock."""
    return dict(pins(repository))


def pins(repository: Path) -> set[tuple[str, str]]:
    """Names and versions in requirements.lock; of some there is one for each range of Python versions."""
    text = (repository / "requirements.lock").read_text("utf-8")
    return set(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


def names(path: Path) -> set[str]:
    return {line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")}


def test_the_base_is_pinned_by_version_and_digest(instructions: list[str]) -> None:
    arguments = dict(line.removeprefix("ARG ").split("=", 1) for line in instructions if line.startswith("ARG "))
    bases = [line.split()[1] for line in instructions if line.startswith("FROM ")]
    assert bases == ["${PYTHON}", "${PYTHON}"]
    assert IMAGE.fullmatch(arguments["PYTHON"])
    assert "slim" in arguments["PYTHON"]
    assert arguments["PYTHON"].startswith(f"python:{sys.version_info.major}.{sys.version_info.minor}."), (
        "the image's Python is not the one these tests run with"
    )


def test_it_runs_as_a_numbered_user_who_is_not_root(instructions: list[str]) -> None:
    users = [line.split()[1] for line in instructions if line.startswith("USER ")]
    assert len(users) == 1
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", users[0])
    last_from = max(at for at, line in enumerate(instructions) if line.startswith("FROM "))
    assert instructions.index(f"USER {users[0]}") > last_from


def test_it_says_how_it_is(instructions: list[str]) -> None:
    (health,) = [line for line in instructions if line.startswith("HEALTHCHECK ")]
    assert "/healthz" in health


def test_everything_is_installed_from_the_lock_by_hash(instructions: list[str]) -> None:
    installs = re.findall(r"(?:uv )?pip install [^&;]*", " ".join(instructions))
    assert len(installs) == 7
    loose = [install for install in installs if "--require-hashes" not in install]
    assert all("--no-deps" in install for install in loose)
    assert {re.search(r"torch-cpu\.lock|wheels/\*\.whl", install).group() for install in loose} == {  # type: ignore[union-attr]
        "torch-cpu.lock",
        "wheels/*.whl",
    }


def test_the_cpu_variant_leaves_out_cuda_and_its_torch(repository: Path, deploy: Path) -> None:
    versions = locked(repository)
    cuda = {name for name in versions if name.startswith(("nvidia-", "cuda-"))}
    assert len(cuda) > 10
    assert names(deploy / "cpu-excludes.txt") == cuda | {"triton", "torch", "torchvision", "torchaudio"}


def test_the_cpu_variant_has_the_locked_versions_of_torch(repository: Path, deploy: Path) -> None:
    versions = locked(repository)
    pinned = re.findall(r"^(\w+)==([\d.]+)\+cpu", (deploy / "torch-cpu.lock").read_text("utf-8"), re.MULTILINE)
    assert dict(pinned) == {name: versions[name] for name in ("torch", "torchvision", "torchaudio")}


def test_what_torch_needs_besides_is_named(repository: Path, deploy: Path) -> None:
    """The CPU build is installed without its dependencies, so that these come from the lock: none may be missing."""
    from importlib.metadata import requires

    named = re.search(r"\^\(\(([a-z0-9|-]+)\)==", (deploy / "Dockerfile").read_text("utf-8"))
    assert named is not None
    needed = {
        re.match(r"[A-Za-z0-9-]+", requirement).group().lower()  # type: ignore[union-attr]
        for requirement in requires("torch") or ()
        if "extra ==" not in requirement and 'platform_system == "Linux"' not in requirement
    }
    assert set(named.group(1).split("|")) == needed
    assert needed <= set(locked(repository))


@pytest.mark.parametrize("variant", ["cpu", "cuda"])
def test_the_lock_can_be_installed_as_the_image_does(
    repository: Path, deploy: Path, tmp_path: Path, variant: str
) -> None:
    """Resolved for real from lock and project; with hashes for everything, without what the variant leaves out."""
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, tmp_path / "venv"], check=True)
    (tmp_path / "nothing.txt").touch()
    excludes = deploy / "cpu-excludes.txt" if variant == "cpu" else tmp_path / "nothing.txt"
    command = [uv, "pip", "install", "--dry-run", "--python", tmp_path / "venv" / "bin" / "python", "--require-hashes"]
    command += ["--constraints", "requirements.lock", "--excludes", excludes, "--requirement", "pyproject.toml"]
    command += ["--extra", "postgres", "--extra", "raw", "--extra", "s3"]
    done = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    installed = dict(re.findall(r"^ \+ ([a-z0-9-]+)==(\S+)", done.stderr, re.MULTILINE))
    assert installed.items() <= pins(repository)
    heavy = {name for name in installed if name.startswith(("nvidia-", "cuda-", "triton", "torch"))}
    assert (len(heavy) > 15) if variant == "cuda" else (heavy == set())
    assert {"celery", "waitress", "psycopg", "s3fs"} <= set(installed)
    assert {"pytest", "moto", "playwright", "mypy"}.isdisjoint(installed)


def test_the_build_sees_no_secrets(deploy: Path) -> None:
    lines = names(deploy / "Dockerfile.dockerignore")
    assert "*" in lines
    assert not any("secrets" in line for line in lines if line.startswith("!"))


def test_the_wheel_is_built_with_its_licence_files(repository: Path, instructions: list[str]) -> None:
    files = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["project"]["license-files"]
    copied = {word for line in instructions if line.startswith("COPY ") for word in line.split()[1:-1]}
    assert set(files) <= copied


def test_every_file_that_is_copied_is_let_in(repository: Path, deploy: Path, instructions: list[str]) -> None:
    let_in = {line.removeprefix("!") for line in names(deploy / "Dockerfile.dockerignore") if line.startswith("!")}
    copied = [line.split()[1:-1] for line in instructions if line.startswith("COPY ") and "--from" not in line]
    for source in {name for names in copied for name in names}:
        assert source in let_in
        assert (repository / source).exists()
