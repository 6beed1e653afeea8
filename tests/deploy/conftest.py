"""What the tests of deploy/ share: a copy of the folder with secrets made, and every process that it starts."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

Document = dict[str, Any]

LIKEWISE_IMAGES = ("likewise:", "likewise-")


@dataclass(frozen=True)
class Process:
    """A container of ours, as a compose file or a manifest describes it.

    Attributes:
        grace: seconds between SIGTERM and SIGKILL.
        health: what asks it whether it is well, as text.
    """

    name: str
    arguments: list[str]
    environment: dict[str, str]
    grace: float
    health: str


@pytest.fixture(scope="session")
def deploy(repository: Path) -> Path:
    return repository / "deploy"


@pytest.fixture(scope="session")
def ready(deploy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of deploy/ in which ``secrets/make.sh`` has run."""
    copy = tmp_path_factory.mktemp("deploy") / "deploy"
    shutil.copytree(deploy, copy, ignore=shutil.ignore_patterns("media"))
    subprocess.run([copy / "secrets" / "make.sh"], check=True, stdout=subprocess.DEVNULL)
    return copy


@pytest.fixture(scope="session")
def compose(deploy: Path) -> Document:
    """compose.yaml with its variables at their defaults."""
    return yaml.safe_load(interpolate((deploy / "compose.yaml").read_text("utf-8")))


@pytest.fixture(scope="session")
def settings_of(ready: Path) -> Any:
    """The variables of a process, with its secrets where ``ready`` has them."""

    def find(process: Process) -> dict[str, str]:
        return {
            name: str(ready / "secrets" / Path(value).name) if name.endswith("_FILE") else value
            for name, value in process.environment.items()
            if name.startswith("LIKEWISE_")
        }

    return find


def interpolate(text: str) -> str:
    """``${NAME:-default}`` as with no variable set, ``$$`` as ``$``."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text).replace("$$", "$")


def of_compose(compose: Document) -> Iterator[Process]:
    for name, service in compose["services"].items():
        if service["image"].startswith(LIKEWISE_IMAGES):
            environment = {key: str(value) for key, value in service.get("environment", {}).items()}
            yield Process(
                name,
                service["command"],
                {key: value.lower() if value in ("True", "False") else value for key, value in environment.items()},
                seconds(service["stop_grace_period"]),
                " ".join(service.get("healthcheck", {}).get("test", ())),
            )


def seconds(text: str) -> float:
    amount, unit = re.fullmatch(r"(\d+)(s|m)", text).groups()  # type: ignore[union-attr]
    return float(amount) * {"s": 1, "m": 60}[unit]


def manifests(folder: Path) -> Iterator[Document]:
    """Every resource of a kustomization and of those it names, as written; what its generators make is left out."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text("utf-8"))
    for name in kustomization.get("resources", ()):
        path = (folder / name).resolve()
        if path.is_dir():
            yield from manifests(path)
        else:
            yield from (document for document in yaml.safe_load_all(path.read_text("utf-8")) if document)


def pods(documents: list[Document]) -> dict[str, Document]:
    """Name of a workload to the template of its pods."""
    return {
        document["metadata"]["name"]: document["spec"]["template"]
        for document in documents
        if document["kind"] in ("Deployment", "StatefulSet")
    }


def of_kubernetes(documents: list[Document], shared: Mapping[str, str]) -> Iterator[Process]:
    """
    Args:
        shared: variables that all of our containers get from the ConfigMap.
    """
    for name, template in pods(documents).items():
        for container in template["spec"]["containers"]:
            if container["image"].startswith(LIKEWISE_IMAGES):
                own = {entry["name"]: entry["value"] for entry in container["env"]}
                yield Process(
                    name,
                    container["args"],
                    dict(shared) | own,
                    template["spec"]["terminationGracePeriodSeconds"],
                    str([container[f"{probe}Probe"]["httpGet"] for probe in ("startup", "readiness", "liveness")]),
                )


def shared_settings(deploy: Path) -> dict[str, str]:
    base = yaml.safe_load((deploy / "kubernetes" / "base" / "kustomization.yaml").read_text("utf-8"))
    return dict(literal.split("=", 1) for literal in base["configMapGenerator"][0]["literals"])


@pytest.fixture(scope="session")
def processes(deploy: Path, compose: Document) -> list[Process]:
    """Every process of ours that deploy/ starts anywhere."""
    found = list(of_compose(compose))
    for overlay in ("cpu", "gpu"):
        documents = list(manifests(deploy / "kubernetes" / "overlays" / overlay))
        found += of_kubernetes(documents, shared_settings(deploy))
    return found
