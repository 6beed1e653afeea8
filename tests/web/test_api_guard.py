"""Who may ask: hosts, origins, tokens, sessions and forms."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from search.errors import SettingsError
from search.settings import Settings
from web.access.throttle import Throttle
from web.app import create_app
from web.auth import check_exposure
from web.errors import Refusal

TOKEN = "correct horse battery"


@pytest.fixture
def client(app: Flask, new_browser: Any) -> FlaskClient:
    """A browser that is logged in."""
    return new_browser(app)  # type: ignore[no-any-return]


@pytest.fixture
def locked(make_node: Any, new_stranger: Any) -> FlaskClient:
    """A client of a node for which a token is set, without it."""
    return new_stranger(create_app(make_node(token=TOKEN)))  # type: ignore[no-any-return]


def form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8000", "[::1]:8000"])
def test_names_of_this_machine(client: FlaskClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8000"])
def test_a_rebound_name_is_refused(client: FlaskClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 403


def test_a_public_node_answers_to_any_name(make_node: Any) -> None:
    client = create_app(make_node(host="0.0.0.0", token=TOKEN)).test_client()
    headers = {"Host": "media.example", "Authorization": f"Bearer {TOKEN}"}
    assert client.get("/api/v1/status", headers=headers).status_code == 200


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "media.example"])
def test_a_public_address_needs_a_token(host: str) -> None:
    with pytest.raises(SettingsError, match="LIKEWISE_HOST"):
        check_exposure(Settings(host=host))
    check_exposure(Settings(host=host, token=TOKEN))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_a_loopback_address_needs_none(host: str) -> None:
    check_exposure(Settings(host=host))


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_other_sites_change_nothing(client: FlaskClient, node: Any, headers: dict[str, str]) -> None:
    answer = client.post("/api/v1/jobs", json={"paths": ["/"]}, headers=headers)
    assert answer.status_code == 403
    assert node.started == []


def test_a_form_needs_its_token(client: FlaskClient, node: Any, tmp_path: Any) -> None:
    client.get("/jobs")
    assert client.post("/jobs", data={"path": str(tmp_path)}).status_code == 403
    assert client.post("/jobs", data={"path": str(tmp_path), "form_token": "guess"}).status_code == 403
    assert node.started == []
    token = form_token(client.get("/jobs").text)
    assert client.post("/jobs", data={"path": str(tmp_path), "form_token": token}).status_code == 303
    assert len(node.started) == 1


def test_a_form_token_belongs_to_its_session(app: Any, new_browser: Any, tmp_path: Any) -> None:
    token = form_token(new_browser(app).get("/jobs").text)
    other = new_browser(app)
    other.get("/jobs")
    assert other.post("/jobs", data={"path": str(tmp_path), "form_token": token}).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/status", "/openapi.json", "/media/x/file", "/api/v1/jobs"])
def test_the_api_needs_the_token(locked: FlaskClient, path: str) -> None:
    headers = {"Accept": "application/json"}
    assert locked.get(path, headers=headers).status_code == 401
    assert locked.get(path, headers=headers | {"Authorization": "Bearer wrong"}).status_code == 401
    assert locked.get(path, headers=headers | {"Authorization": f"Bearer {TOKEN}"}).status_code in {200, 404}


def test_the_command_line_of_this_machine_has_its_own_token(locked: FlaskClient, tmp_path: Any) -> None:
    headers = {"Authorization": "Bearer own-token"}
    assert locked.post("/api/v1/jobs", json={"paths": [str(tmp_path)]}, headers=headers).status_code == 202


def test_health_needs_no_token(locked: FlaskClient) -> None:
    assert locked.get("/healthz").status_code == 200


def test_logging_in_and_out(locked: FlaskClient) -> None:
    sent = locked.get("/?q=dog", headers={"Accept": "text/html"})
    assert sent.status_code == 302
    page = locked.get(sent.headers["Location"])
    assert locked.post("/login", data={"token": TOKEN}).status_code == 403  # without the form's own token
    form = {"form_token": form_token(page.text), "next": "/?q=dog"}
    assert locked.post("/login", data=form | {"token": "wrong"}).status_code == 401
    entered = locked.post("/login", data=form | {"token": TOKEN})
    assert entered.headers["Location"] == "/?q=dog"
    cookie = entered.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert TOKEN not in cookie
    home = locked.get("/")
    assert home.status_code == 200
    assert locked.post("/api/v1/failures/retry").status_code == 403  # by cookie alone: could be another site's form
    headers = {"X-Form-Token": form_token(home.text)}
    assert locked.post("/api/v1/failures/retry", headers=headers).status_code == 200
    locked.post("/logout", data={"form_token": headers["X-Form-Token"]})
    assert locked.get("/api/v1/status").status_code == 401


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "javascript:alert(1)",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a\r\nSet-Cookie: a=b",
        "/\x00/evil.example",
    ],
)
def test_a_login_leads_nowhere_else(locked: FlaskClient, target: str) -> None:
    token = form_token(locked.get("/login").text)
    answer = locked.post("/login", data={"form_token": token, "token": TOKEN, "next": target})
    assert answer.headers["Location"] == "/"


def test_guessing_is_slowed_down_and_the_right_token_is_never_locked_out(locked: FlaskClient) -> None:
    def ask(token: str) -> Any:
        return locked.get("/api/v1/status", headers={"Authorization": f"Bearer {token}"})

    assert [ask(str(guess)).status_code for guess in range(12)] == [401] * 10 + [429] * 2
    assert 0 < int(ask("another").headers["Retry-After"]) <= 60
    assert ask(TOKEN).status_code == 200
    token = form_token(locked.get("/login").text)
    assert locked.post("/login", data={"form_token": token, "token": "wrong"}).status_code == 429
    assert locked.post("/login", data={"form_token": token, "token": TOKEN}).status_code == 303


def test_a_throttle_forgets() -> None:
    now = 0.0
    throttle = Throttle(limit=2, window=60, clock=lambda: now)
    for _ in range(2):
        throttle.fail("a")
    with pytest.raises(Refusal) as refused:
        throttle.fail("a")
    assert refused.value.retry_after == 60
    throttle.fail("b")
    now = 61.0
    throttle.fail("a")


@pytest.mark.parametrize("path", ["/", "/jobs", "/failures", "/duplicates", "/status", "/nothing", "/api/v1/status"])
def test_every_answer_is_locked_down(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
