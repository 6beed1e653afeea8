"""compose.yaml: what it refers to exists, what it runs is pinned, bounded and confined."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from .conftest import Document
from .test_image import IMAGE

PROFILES = ("cpu", "gpu", "monitoring")


def compose_clients() -> list[list[str]]:
    """Every client of Compose that this machine has: Docker's plugin, or the program of Debian 12."""
    docker = shutil.which("docker")
    found = [[shutil.which("docker-compose") or ""], [docker or "", "compose"]]
    return [
        client
        for client in found
        if client[0] and subprocess.run([*client, "version"], capture_output=True, check=False).returncode == 0
    ]


def test_clients_of_compose_read_it(ready: Path) -> None:
    """By whichever client there is, with every profile; the fields themselves are checked below in any case."""
    for client in compose_clients():
        for profile in PROFILES:
            text = (ready / "compose.yaml").read_text("utf-8")
            old = (
                "1."
                in subprocess.run([*client, "version", "--short"], capture_output=True, text=True, check=True).stdout[
                    :2
                ]
            )
            path = ready / "compose.for-the-client.yaml"
            path.write_text(re.sub(r"^name: .*\n", "", text, flags=re.MULTILINE) if old else text)  # not known to 1.x
            done = subprocess.run(
                [*client, "--file", path, "--profile", profile, "config"], capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stderr
            services = yaml.safe_load(done.stdout)["services"]
            assert {"redis", "qdrant", "postgres", "web"} <= set(services)


def test_every_field_is_one_of_compose(compose: Document) -> None:
    """Source: the Compose specification's service fields (those in use here)."""
    assert {key for key in compose if not key.startswith("x-")} == {"name", "services", "volumes", "secrets"}
    fields = {
        "image", "build", "command", "environment", "profiles", "ports", "volumes", "secrets", "depends_on", "user",
        "healthcheck", "restart", "init", "cap_drop", "security_opt", "logging", "read_only", "tmpfs", "ulimits",
        "deploy", "shm_size", "stop_signal", "stop_grace_period",
    }  # fmt: skip
    for name, service in compose["services"].items():
        assert set(service) <= fields, name


def test_what_services_refer_to_exists(compose: Document, ready: Path) -> None:
    services = compose["services"]
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        for secret in service.get("secrets", ()):
            assert (secret if isinstance(secret, str) else secret["source"]) in compose["secrets"], name
        for volume in service.get("volumes", ()):
            source, colon, _ = volume.partition(":")
            if not colon or source == "./media":  # made by Docker; the operator's own
                continue
            assert (ready / source).is_file() if source.startswith("./") else source in compose["volumes"], volume
    for secret in compose["secrets"].values():
        assert (ready / secret["file"]).is_file()


def test_a_service_waits_only_for_what_is_started_with_it(compose: Document) -> None:
    services = compose["services"]
    for name, service in services.items():
        for other in service.get("depends_on", ()):
            assert set(services[other].get("profiles", service.get("profiles", ()))) >= set(
                service.get("profiles", ())
            ), f"{name} waits for {other}"
            assert "healthcheck" in services[other], other


def test_profiles(compose: Document) -> None:
    by_profile = {
        profile: {name for name, service in compose["services"].items() if profile in service.get("profiles", ())}
        for profile in PROFILES
    }
    assert by_profile == {
        "cpu": {"worker-query", "worker"},
        "gpu": {"worker-query", "worker-gpu"},
        "monitoring": {"prometheus", "grafana"},
    }


def test_images_of_others_are_pinned_by_version_and_digest(compose: Document) -> None:
    for name, service in compose["services"].items():
        if "build" in service:
            assert service["image"] == f"likewise:{service['build']['args']['VARIANT']}"
        else:
            assert IMAGE.fullmatch(service["image"]), name


def test_every_service_is_bounded_confined_and_watched(compose: Document) -> None:
    for name, service in compose["services"].items():
        limits = service["deploy"]["resources"]["limits"]
        assert {"cpus", "memory"} <= set(limits), name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert service["restart"] == "unless-stopped", name
        assert "healthcheck" in service or name == "web", name  # web's is the image's


def test_nothing_listens_beyond_this_machine(compose: Document) -> None:
    for name, service in compose["services"].items():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), name


@pytest.mark.parametrize("service", ["web", "worker", "worker-gpu", "worker-query", "redis", "postgres", "prometheus"])
def test_the_root_file_system_is_read_only(compose: Document, service: str) -> None:
    assert compose["services"][service]["read_only"] is True


def test_secrets_are_made_once_and_agree(ready: Path) -> None:
    secrets = ready / "secrets"
    before = {path.name: path.read_text() for path in secrets.iterdir()}
    again = subprocess.run([secrets / "make.sh"], check=True, capture_output=True, text=True)
    assert {path.name: path.read_text() for path in secrets.iterdir()} == before
    assert "made" not in again.stdout
    assert before["redis_password"].strip() in before["broker_url"]
    assert before["redis.conf"] == f"requirepass {before['redis_password']}"
    assert before["postgres_password"].strip() in before["database_url"]
    assert yaml.safe_load(before["qdrant.yaml"])["service"]["api_key"] == before["qdrant_api_key"].strip()
    random = ("token", "redis_password", "postgres_password", "qdrant_api_key", "cluster_key")
    assert len({before[name] for name in random}) == len(random)
    assert secrets.stat().st_mode & 0o077 == 0


def test_git_never_sees_a_secret(repository: Path, ready: Path) -> None:
    made = [path.name for path in (ready / "secrets").iterdir() if path.suffix not in (".sh", "") or "_" in path.name]
    assert "database_url" in made
    secret = [name for name in made if name not in ("kustomization.yaml", ".gitignore", "make.sh")]
    ignored = subprocess.run(
        ["git", "check-ignore", *(f"deploy/secrets/{name}" for name in [*secret, "token"])],
        cwd=repository, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert len(ignored.stdout.splitlines()) == len(secret) + 1
