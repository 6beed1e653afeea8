"""Commands that ask a Likewise elsewhere, priorities, and watching a job that others run."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from werkzeug.serving import make_server

from ingest.node import Node
from search.settings import Settings
from web.app import create_app

TOKEN = "a token of sixteen or more"


@pytest.fixture
def elsewhere(
    make_settings: Callable[..., Settings], tmp_path: Path, quick_models: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Node]:
    """A Likewise on another machine, as far as the command line can tell: another data directory, a real server."""
    settings = make_settings(
        home=tmp_path / "elsewhere", token=SecretStr(TOKEN), allowed_folders=(str(tmp_path.resolve()),)
    )
    with Node.open(settings) as node:
        node.prepare()
        server = make_server("127.0.0.1", 0, create_app(node), threaded=True)
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        monkeypatch.setenv("LIKEWISE_SERVER_URL", f"http://127.0.0.1:{server.port}/")
        monkeypatch.setenv("LIKEWISE_TOKEN", TOKEN)
        yield node
        server.shutdown()
        serving.join()


def ask(cli: Any, *words: object, status: int = 0) -> Any:
    """As ``cli.json`` without ``--home``, which would name this machine's own data directory."""
    result = cli(*words, "--json", home=False)
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def test_commands_ask_the_likewise_elsewhere(cli: Any, media: Path, elsewhere: Node) -> None:
    answer = ask(cli, "ingest", media, "--priority", "high", status=1)
    assert (answer["embedded"], answer["priority"]) == (9, "high")
    assert elsewhere.store.count("images") == 9
    assert ask(cli, "status")["home"] == str(elsewhere.settings.home)
    hits = ask(cli, "similar", media / "red" / "red-1.png")["hits"]
    assert hits[0]["relation"] == "exact_copy"
    assert ask(cli, "jobs", answer["job"])["id"] == answer["job"]
    assert not (cli.home / "ledger.sqlite").exists()
    assert not cli.home.exists(), "nothing is made on this machine"


def test_home_on_the_command_line_means_this_machine(cli: Any, elsewhere: Node) -> None:
    assert cli.json("status")["home"] == str(cli.home)


def test_a_wrong_token_and_a_wrong_address(cli: Any, elsewhere: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIKEWISE_TOKEN", "another token of that length")
    error = ask(cli, "status", status=2)["error"]
    assert (error["code"], "LIKEWISE_TOKEN" in error["hint"] + error["message"]) == ("settings", True)
    monkeypatch.setenv("LIKEWISE_SERVER_URL", "http://127.0.0.1:1")
    error = ask(cli, "status", status=3)["error"]
    assert error["code"] == "store_unavailable"
    assert "LIKEWISE_SERVER_URL" in error["hint"] + error["message"]
    for wrong in ("127.0.0.1:8000", "ftp://nowhere", "http://[::1"):
        monkeypatch.setenv("LIKEWISE_SERVER_URL", wrong)
        assert ask(cli, "status", status=2)["error"]["code"] == "settings", wrong


def test_follow_a_job_to_its_end(cli: Any, media: Path, elsewhere: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.commands.job_progress.REMOTE_POLL_SECONDS", 0.05)
    job = elsewhere.start_ingest([media])
    ended = ask(cli, "jobs", job, "--follow", status=1)
    assert (ended["state"], ended["embedded"], ended["failed"]) == ("done_with_failures", 9, 1)


def test_an_interrupted_follower_leaves_the_job_alone(
    cli: Any, media: Path, elsewhere: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = elsewhere.ingest.start([media])

    def press(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("web.commands.job_progress.time.sleep", press)
    assert cli("jobs", job, "--follow", home=False).exit_code == 130
    assert elsewhere.ingest.progress(job).state == "queued"


def test_nobody_is_waited_for(cli: Any, media: Path, make_settings: Callable[..., Settings]) -> None:
    with Node.open(make_settings(home=cli.home)) as node:
        job = node.ingest.start([media])
    result = cli("jobs", job, "--follow")
    assert result.exit_code == 2
    assert f"likewise jobs resume {job}" in result.output
    assert cli.json("jobs", job)["state"] == "queued"


@pytest.mark.parametrize("words", [("--follow",), ("pause", "1", "--follow"), ("dance", "1"), ("pause",), ("1", "2")])
def test_words_that_make_no_sense(cli: Any, words: tuple[str, ...]) -> None:
    assert cli("jobs", *words).exit_code == 2
