"""proxy/nginx.conf: what a public deployment needs in front of Likewise, in agreement with Likewise's own limits."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from search.settings import Settings
from web.server.limits import MIB, OVERHEAD, ServerLimits

UNITS = {"": 1, "k": 1 << 10, "m": MIB, "s": 1}


@pytest.fixture(scope="module")
def text(deploy: Path) -> str:
    return (deploy / "proxy" / "nginx.conf").read_text("utf-8")


def values(text: str, directive: str) -> list[str]:
    """What a directive is set to, everywhere."""
    return re.findall(rf"^\s*{directive}\s+([^;]+);", text, re.MULTILINE)


def number(text: str, directive: str) -> int:
    (value,) = values(text, directive)
    amount, unit = re.fullmatch(r"(\d+)([kms]?)", value).groups()  # type: ignore[union-attr]
    return int(amount) * UNITS[unit]


def test_requests_and_answers_wait_at_the_proxy(text: str) -> None:
    (everything,) = re.findall(r"location / \{(.*?)\n    \}", text, re.DOTALL)
    assert values(everything, "proxy_request_buffering") == ["on"]
    assert values(everything, "proxy_buffering") == ["on"]


def test_slow_clients_have_deadlines_and_limits(text: str) -> None:
    limits = ServerLimits.of(Settings(), processes=1)
    assert number(text, "client_header_timeout") <= limits.head_seconds
    assert number(text, "client_body_timeout") <= 60
    assert number(text, "send_timeout") <= limits.reader_seconds
    own, _ = values(text, "keepalive_timeout")
    assert int(own.removesuffix("s")) < limits.idle_seconds  # of connections to Likewise, which closes them later
    assert {zone.split()[0] for zone in values(text, "limit_conn")} == set(
        re.findall(r"limit_conn_zone \S+ zone=(\w+)", text)
    )
    assert values(text, "limit_req")


def test_bodies_are_as_large_as_likewise_takes(text: str) -> None:
    assert number(text, "client_max_body_size") == Settings().max_upload_mb * MIB + OVERHEAD


def test_it_says_who_asks_and_how(text: str) -> None:
    """The headers that ``web.app`` believes, set to what the proxy knows and never to what a client says."""
    headers = dict(value.split(None, 1) for value in values(text, "proxy_set_header"))
    assert headers["X-Forwarded-For"] == "$remote_addr"
    assert headers["X-Forwarded-Proto"] == "$scheme"
    assert headers["X-Forwarded-Host"] == headers["Host"] == "$http_host"


def test_it_is_named_where_a_deployment_is_described(deploy: Path) -> None:
    readme = (deploy / "README.md").read_text("utf-8")
    assert "proxy/nginx.conf" in readme
    assert "LIKEWISE_WEB_PROXIES=1" in readme


@pytest.mark.skipif(shutil.which("nginx") is None or shutil.which("openssl") is None, reason="there is no nginx here")
def test_nginx_reads_it(text: str, tmp_path: Path) -> None:
    name = "media.example.com"
    key, certificate = tmp_path / f"{name}.key", tmp_path / f"{name}.crt"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    (tmp_path / "likewise.conf").write_text(text.replace("/etc/nginx/tls", str(tmp_path)))
    main = tmp_path / "nginx.conf"
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    inside = " ".join(["access_log off;", *(f"{place}_temp_path {tmp_path}/{place};" for place in places)])
    main.write_text(f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ {inside} include {tmp_path}/likewise.conf; }}\n")
    done = subprocess.run(["nginx", "-t", "-c", main], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
