"""Tokens, sessions and login codes: who gets in, how far, and until when."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ingest.jobs.progress import JobProgress, JobState
from ingest.ledger.access import HELD_SECONDS, Access, Login, Scope
from web.access import peer
from web.access.operations import login_address
from web.api import generations, maintenance
from web.api.description.document import OPERATIONS
from web.app import create_app

New = Callable[[Flask], FlaskClient]
JSON = {"Accept": "application/json"}
HTML = {"Accept": "text/html"}
OWN = {"Authorization": "Bearer own-token"}


@pytest.fixture
def token_of(node: Any) -> Callable[[Scope], str]:
    """Makes a token of a scope; all are revoked afterwards."""
    return lambda scope: node.access.add_token(f"{scope}-{os.urandom(4).hex()}", scope)  # type: ignore[no-any-return]


class TestLoopback:
    """On 127.0.0.1 too, nothing is answered to whoever has neither token nor session."""

    @pytest.mark.parametrize(
        "path", ["/", "/jobs", "/status", "/metrics", "/openapi.json", "/api/v1/status", "/media/x/file"]
    )
    def test_a_stranger_gets_nothing(self, app: Flask, new_stranger: New, path: str) -> None:
        assert new_stranger(app).get(path, headers=JSON).status_code == 401
        sent = new_stranger(app).get(path, headers=HTML)
        assert sent.status_code == 401 or sent.headers["Location"].startswith("/login?")

    def test_probes_are_answered(self, app: Flask, new_stranger: New) -> None:
        assert [new_stranger(app).get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]

    def test_a_stranger_changes_nothing(self, app: Flask, node: Any, new_stranger: New) -> None:
        assert new_stranger(app).post("/api/v1/jobs", json={"paths": ["/"]}).status_code == 401
        assert new_stranger(app).post("/jobs", data={"path": "/"}).status_code == 403
        assert node.started == []

    def test_the_login_page_says_where_the_token_is(self, app: Flask, node: Any, new_stranger: New) -> None:
        page = new_stranger(app).get("/", headers=HTML, follow_redirects=True)
        assert str(node.settings.home / "token") in page.text
        assert "likewise open" in page.text
        assert "own-token" not in page.text
        told = new_stranger(app).get("/api/v1/status").json
        assert str(node.settings.home / "token") in told["error"]["hint"]

    def test_a_node_with_a_set_token_does_not_tell_of_the_file(self, make_node: Any, new_stranger: New) -> None:
        client = new_stranger(create_app(make_node(token="correct horse battery")))
        assert str(make_node().settings.home) not in client.get("/login").text + client.get("/api/v1/status").text


class TestLoginCode:
    """The address that is printed and opened lets one browser in."""

    def test_it_works_once_and_leaves_the_address_bar(self, app: Flask, node: Any, new_stranger: New) -> None:
        address = login_address(node, "")
        browser = new_stranger(app)
        entered = browser.get(address)
        assert (entered.status_code, entered.headers["Location"]) == (303, "/")
        assert browser.get("/").status_code == 200
        assert browser.get(address).status_code == 303, "the browser that is in already just goes on"
        second = new_stranger(app)
        refused = second.get(address)
        assert refused.status_code == 401
        assert "used already" in refused.text
        assert second.get("/", headers=HTML).status_code == 302

    def test_guessed_codes_are_throttled(self, app: Flask, new_stranger: New) -> None:
        answers = [new_stranger(app).get(f"/login?code={guess}").status_code for guess in range(11)]
        assert answers == [401] * 10 + [429]

    def test_another_account_can_neither_use_it_nor_use_it_up(
        self, app: Flask, node: Any, new_stranger: New, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        address = login_address(node, "")
        monkeypatch.setattr("web.auth.account_of", lambda _: os.getuid() + 1)
        assert new_stranger(app).get(address).status_code == 403
        monkeypatch.setattr("web.auth.account_of", lambda _: os.getuid())
        assert new_stranger(app).get(address).status_code == 303

    def test_a_stolen_cookie_is_of_no_use_to_another_account(
        self, app: Flask, new_browser: New, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("web.auth.account_of", lambda _: os.getuid())
        browser = new_browser(app)
        monkeypatch.setattr("web.auth.account_of", lambda _: os.getuid() + 1)
        assert browser.get("/", headers=JSON).status_code == 401
        monkeypatch.setattr("web.auth.account_of", lambda _: None)
        assert browser.get("/", headers=JSON).status_code == 200

    @pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
    def test_the_kernel_tells_whose_a_connection_is(self, family: socket.AddressFamily, host: str) -> None:
        with socket.socket(family) as listening:
            listening.bind((host, 0))
            listening.listen()
            port = listening.getsockname()[1]
            with socket.create_connection((host, port)) as connection:
                own = connection.getsockname()[1]
                environ = {"REMOTE_ADDR": host, "REMOTE_PORT": str(own), "SERVER_PORT": str(port)}
                assert peer.account_of(environ) == os.getuid()
                assert peer.account_of(environ | {"REMOTE_ADDR": "192.0.2.1"}) is None
                assert peer.account_of(environ | {"SERVER_PORT": "1"}) is None

    def test_the_kernel_is_asked_once_a_connection(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answers = iter((None, 1, 2))
        monkeypatch.setattr(peer, "_looked_up", lambda _: next(answers))
        one: dict[str, Any] = {peer.CONNECTION: {}}
        other: dict[str, Any] = {peer.CONNECTION: {}}
        assert [peer.account_of(one) for _ in range(3)] == [None, 1, 1]  # what is not known is asked again
        assert peer.account_of(other) == 2


class TestScopes:
    """Every call needs a scope, and says which is lacking."""

    @pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
    def test_an_operation_is_refused_below_its_scope(
        self, app: Flask, new_stranger: New, token_of: Callable[[Scope], str], operation: Any
    ) -> None:
        assert isinstance(operation.scope, Scope)
        path = "/api/v1" + operation.rule.replace("<", "").replace(">", "")
        for scope in Scope:
            if scope.covers(operation.scope):
                continue
            headers = {"Authorization": f"Bearer {token_of(scope)}"}
            answer = new_stranger(app).open(path, method=operation.method, headers=headers)
            assert answer.status_code == 403
            assert f"'{operation.scope}'" in answer.json["error"]["message"]

    def test_what_deletes_or_leaves_the_machine_is_for_administrators(self) -> None:
        admin = {operation.name for operation in OPERATIONS if operation.scope is Scope.ADMIN}
        assert {"back_up", "migrate", "drop_generations", "make_token", "make_login"} <= admin

    def test_verifying_and_repairing_are_for_administrators_as_their_siblings_are(self) -> None:
        kept_up = (*maintenance.OPERATIONS, *generations.OPERATIONS)
        assert {one.name for one in kept_up if one.method == "POST"} >= {"verify", "calibrate", "reembed"}
        assert {one.scope for one in kept_up if one.method == "POST"} == {Scope.ADMIN}
        assert {one.scope for one in kept_up if one.method == "GET"} == {Scope.READ}

    def test_only_questions_are_posted_with_read(self) -> None:
        asked = {operation.name for operation in OPERATIONS if operation.scope is Scope.READ}
        assert {o.name for o in OPERATIONS if o.method == "POST" and o.name in asked} == {
            "similar",
            "predict_photographer",
            "predict_set",
            "predict_many",
            "predict_evidence",
            "develop_photo",
            "preview_facts",
        }

    def test_pages_obey_too(
        self, app: Flask, node: Any, new_stranger: New, token_of: Callable[[Scope], str], tmp_path: Any
    ) -> None:
        reader = {"Authorization": f"Bearer {token_of(Scope.READ)}"}
        client = new_stranger(app)
        assert client.get("/jobs", headers=reader).status_code == 200
        refused = client.post("/jobs", data={"path": str(tmp_path)}, headers=reader)
        assert refused.status_code == 403
        assert "ingest" in refused.text
        assert node.started == []
        assert client.post("/look", data={}, headers=reader).status_code == 400, "a question"


class TestSessions:
    """They are kept by the server and end there."""

    def enter(self, app: Flask, new_stranger: New, token: str) -> FlaskClient:
        browser = new_stranger(app)
        page = browser.get("/login").text
        form_token = page.split('name="form_token" value="')[1].split('"')[0]
        assert browser.post("/login", data={"form_token": form_token, "token": token}).status_code == 303
        return browser

    def test_after_logging_out_the_old_cookie_is_worth_nothing(self, app: Flask, new_browser: New) -> None:
        browser = new_browser(app)
        page = browser.get("/jobs").text
        kept = next(iter(browser._cookies.values())).value  # type: ignore[union-attr]
        form_token = page.split('name="form_token" value="')[1].split('"')[0]
        assert browser.post("/logout", data={"form_token": form_token}).status_code == 303
        browser.set_cookie(app.config["SESSION_COOKIE_NAME"], kept, domain="localhost")
        assert browser.get("/", headers=JSON).status_code == 401

    def test_its_cookie_is_sent_when_it_changes_and_not_with_every_answer(self, app: Flask, new_browser: New) -> None:
        browser = new_browser(app)
        for _ in range(2):  # the login has sent it, with the secret of its forms
            assert "Set-Cookie" not in browser.get("/jobs").headers

    def test_a_session_ends_with_its_token_in_every_process(self, node: Any, app: Flask, new_stranger: New) -> None:
        token = node.access.add_token("Ada", Scope.READ)
        browser = self.enter(app, new_stranger, token)
        assert browser.get("/", headers=JSON).status_code == 200
        other = new_stranger(create_app(node))  # another process over the same ledger
        other.set_cookie(app.config["SESSION_COOKIE_NAME"], next(iter(browser._cookies.values())).value)  # type: ignore[union-attr]
        assert other.get("/", headers=JSON).status_code == 200
        node.access.revoke("Ada")
        assert [one.get("/", headers=JSON).status_code for one in (browser, other)] == [401, 401]
        assert browser.get("/", headers=JSON | {"Authorization": f"Bearer {token}"}).status_code == 401

    def test_what_another_process_ends_has_ended_within_two_seconds(
        self, node: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        here, there = (Access(node.access._ledger) for _ in range(2))
        clock = [0.0]
        monkeypatch.setattr("ingest.ledger.access.time", SimpleNamespace(monotonic=lambda: clock[0]))
        login = Login("root", Scope.READ)
        secrets = [here.new_session(login) for _ in range(2)]
        assert [here.session(secret, {"root"}) for secret in secrets] == [login, login]
        assert here.session(secrets[0], {"another"}) is None
        here.end_session(secrets[0])
        there.end_session(secrets[1])
        assert here.session(secrets[0], {"root"}) is None
        clock[0] += HELD_SECONDS
        assert here.session(secrets[1], {"root"}) is None

    def test_it_has_the_scope_of_its_token(self, node: Any, app: Flask, new_stranger: New) -> None:
        browser = self.enter(app, new_stranger, node.access.add_token("Bo", Scope.READ))
        form_token = browser.get("/jobs").text.split('name="form-token" content="')[1].split('"')[0]
        headers = {"X-Form-Token": form_token}
        assert browser.post("/api/v1/failures/retry", headers=headers).status_code == 403
        node.access.revoke("Bo")

    def test_another_set_token_ends_the_sessions_of_the_one_before(self, make_node: Any, new_stranger: New) -> None:
        first, second = (create_app(make_node(token=f"correct horse battery {n}")) for n in range(2))
        browser = self.enter(first, new_stranger, "correct horse battery 0")
        secret = browser.get("/") and next(iter(browser._cookies.values())).value  # type: ignore[union-attr]
        second.config["SECRET_KEY"] = first.config["SECRET_KEY"]  # even if the signature were right
        other = new_stranger(second)
        other.set_cookie(second.config["SESSION_COOKIE_NAME"], secret)
        assert other.get("/", headers=JSON).status_code == 401

    def test_the_cookie_is_for_tls_alone_where_that_is_in_front(self, make_node: Any, new_stranger: New) -> None:
        app = create_app(make_node(token="correct horse battery", web_proxies=1))
        for proto, secure in (("https", True), ("http", False)):
            cookie = new_stranger(app).get("/login", headers={"X-Forwarded-Proto": proto}).headers["Set-Cookie"]
            assert ("Secure" in cookie) is secure


class TestPlaces:
    """What is read and written is in allowed places; the command line of this machine may name any."""

    @pytest.fixture
    def admin(self, node: Any, app: Flask, new_stranger: New) -> Iterator[FlaskClient]:
        """A program with a token that allows everything, but is not this machine's command line."""
        client = new_stranger(app)
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {node.access.add_token('admin', Scope.ADMIN)}"
        yield client
        node.access.revoke("admin")

    def test_a_job_needs_an_allowed_folder(self, admin: FlaskClient, client: FlaskClient, tmp_path: Path) -> None:
        assert admin.post("/api/v1/jobs", json={"paths": [str(tmp_path)]}).status_code == 202, "taken in before"
        refused = admin.post("/api/v1/jobs", json={"paths": ["/etc"]})
        assert (refused.status_code, refused.json["error"]["code"]) == (403, "not_allowed")
        assert client.post("/api/v1/jobs", json={"paths": ["/etc"]}).status_code == 202
        assert client.post("/api/v1/jobs", json={"paths": ["/proc/self"]}).status_code == 403

    def test_so_does_the_page(self, node: Any, app: Flask, new_browser: New) -> None:
        browser = new_browser(app)
        form_token = browser.get("/jobs").text.split('name="form_token" value="')[1].split('"')[0]
        refused = browser.post("/jobs", data={"form_token": form_token, "path": "/etc"})
        assert refused.status_code == 403
        assert "LIKEWISE_ALLOWED_FOLDERS" in refused.text
        assert node.started == []

    def test_and_learning_from_folders(self, admin: FlaskClient) -> None:
        assert admin.post("/api/v1/calibrations", json={"folders": ["/etc"]}).status_code == 403

    @pytest.mark.parametrize(
        ("call", "given", "setting", "listed"),
        [
            ("backups", "/mnt/backup/1", "backup_folders", "/mnt/backup"),
            ("migrations", "http://qdrant:6333/", "migration_targets", "http://qdrant:6333"),
        ],
    )
    def test_data_leave_only_for_places_that_are_configured(
        self, make_node: Any, new_stranger: New, call: str, given: str, setting: str, listed: str
    ) -> None:
        def ask(token: str, to: str, **settings: object) -> int:
            node = make_node(token="correct horse battery", **settings)
            node.ingest.known["1"] = JobProgress("1", JobState.QUEUED, call, ())
            node.start_task = lambda name, options: "1"
            headers = {"Authorization": f"Bearer {token}"}
            return new_stranger(create_app(node)).post(f"/api/v1/{call}", json={"to": to}, headers=headers).status_code

        elsewhere, here = "correct horse battery", "own-token"
        assert ask(elsewhere, given) == 403
        assert ask(here, given) == 202
        for token in (elsewhere, here):
            assert ask(token, given, **{setting: (listed,)}) == 202
            assert ask(token, f"{given}/../../other", **{setting: (listed,)}) == 403


def test_tokens_are_made_listed_and_revoked(app: Flask, client: FlaskClient, node: Any, new_stranger: New) -> None:
    made = client.post("/api/v1/tokens", json={"name": "backup script", "scope": "ingest"}).json
    assert client.post("/api/v1/tokens", json={"name": "backup script", "scope": "read"}).status_code == 400
    headers = {"Authorization": f"Bearer {made['token']}"}
    assert new_stranger(app).get("/api/v1/status", headers=headers).status_code == 200
    listed = client.get("/api/v1/tokens").json
    assert [(one["name"], one["scope"]) for one in listed if one["name"] == "backup script"] == [
        ("backup script", "ingest")
    ]
    assert made["token"] not in str(listed)
    assert client.post("/api/v1/tokens/revoke", json={"name": "backup script"}).status_code == 200
    assert new_stranger(app).get("/api/v1/status", headers=headers).status_code == 401
    assert client.post("/api/v1/tokens/revoke", json={"name": "backup script"}).status_code == 404


def test_only_digests_are_kept(node: Any, ledger_file: Path) -> None:
    token = node.access.add_token("kept?", Scope.READ)
    code = login_address(node, "").partition("code=")[2]
    stored = b"".join(path.read_bytes() for path in ledger_file.parent.iterdir())
    assert token.encode() not in stored
    assert code.encode() not in stored
    assert b"kept?" in stored
    node.access.revoke("kept?")
