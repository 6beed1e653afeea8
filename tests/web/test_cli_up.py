"""``likewise up`` as a process of its own, and the command line beside it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from PIL import Image

from ingest.sample import library
from ingest.sample.library import SampleLibrary
from search.errors import StoreLockedError, StoreUnavailableError
from web.cli import main
from web.client import Client
from web.running import FILE, Running, announced, find_running

MODELS = {
    "LIKEWISE_IMAGE_MODEL": "efficientnet_lite0",
    "LIKEWISE_VIDEO_MODEL": "frames",
    "LIKEWISE_SOUND_MODEL": "logmel_rows",
    "LIKEWISE_DEVICE": "cpu",
}
"""Weights that come with the packages, so that nothing looks for a download."""


@dataclass(frozen=True)
class Up:
    home: Path
    url: str
    process: subprocess.Popen[str]

    def json(self, *arguments: object, status: int = 0) -> Any:
        words = [str(argument) for argument in arguments]
        result = CliRunner().invoke(main, [*words, "--json", "--home", str(self.home)])
        assert result.exit_code == status, result.output
        return json.loads(result.stdout)


def start(home: Path, *arguments: object) -> Up:
    command = [
        sys.executable,
        "-m",
        "web.cli",
        "up",
        "--home",
        str(home),
        "--port",
        "0",
        "--json",
        *map(str, arguments),
    ]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("LIKEWISE_")} | MODELS
    with (home.parent / "up.log").open("w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environ)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, (home.parent / "up.log").read_text()
    return Up(home, json.loads(line)["url"], process)


def check_end(up: Up, number: signal.Signals) -> None:
    """A signal ends it cleanly."""
    assert find_running(up.home) is not None
    up.process.send_signal(number)
    assert up.process.wait(60) == 0
    assert not (up.home / FILE).exists()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A running server that took a folder in from the start. In the end it is interrupted, which ends it cleanly."""
    root = tmp_path_factory.mktemp("up")
    (root / "media").mkdir()
    for number, colour in enumerate(("red", "green", "blue")):
        Image.linear_gradient("L").convert("RGB", None).rotate(90 * number).save(root / "media" / f"{colour}.png")
    running = start(root / "home", root / "media")
    yield running
    try:
        check_end(running, signal.SIGINT)
    finally:
        running.process.kill()
        running.process.wait()


@pytest.mark.models
def test_page_and_api_answer(up: Up) -> None:
    accept = {"Accept": "text/html"}
    with httpx.Client(follow_redirects=True, timeout=60, headers=accept) as browser:  # it is loading models meanwhile
        assert "Log in" in browser.get(up.url).text
        entered = browser.get(up.json("open", "--no-browser")["open"])
        assert (entered.status_code, str(entered.url)) == (200, f"{up.url}/")
        assert "Log out" in browser.get(up.url).text
    assert httpx.get(f"{up.url}/healthz", timeout=60).status_code == 200


@pytest.mark.models
def test_commands_ask_the_running_server(up: Up) -> None:
    media = up.home.parent / "media"
    answer = up.json("ingest", media)
    assert answer["state"] == "done"
    assert answer["total"] == 3
    assert up.json("status")["collections"]["images"]["points"] == 3
    hits = up.json("similar", media / "red.png", "--limit", 2)["hits"]
    assert [hit["relation"] for hit in hits[:1]] == ["exact_copy"]
    assert up.json("search", "green")["hits"][0]["paths"] == [str(media / "green.png")]
    assert up.json("failures") == []
    assert up.json("duplicates")["groups"] is not None
    assert {job["state"] for job in up.json("jobs")} == {"done"}
    assert up.json("export", up.home.parent / "out.npz")["rows"] == 3
    assert up.json("ingest", media / "nowhere", status=2)["error"]["code"] == "not_found"
    assert up.json("similar", "6f3d7c1e-0f0a-5b53-9d0a-3b6f5f9f1c11", status=2)["error"]["code"] == "not_found"
    note = up.home.parent / "note.txt"
    note.write_text("no media")
    refused = up.json("similar", note, status=3)["error"]
    assert refused["code"] == "unsupported"
    assert "note.txt" in refused["message"]
    store = next(check for check in up.json("doctor")["checks"] if check["name"] == "store")
    assert up.url in store["detail"]


@pytest.mark.models
def test_an_upload_far_over_the_cap_is_refused_in_json(up: Up, tmp_path: Path) -> None:
    big = tmp_path / "big.jpg"
    with big.open("wb") as file:
        file.truncate(300 << 20)
    error = up.json("similar", big, status=3)["error"]
    assert error["code"] == "too_large"
    assert "256 MiB" in error["message"]
    assert "LIKEWISE_MAX_UPLOAD_MB" in error["hint"]


def test_a_second_server_of_the_same_directory_is_refused(up: Up) -> None:
    error = up.json("up", "--port", 0, status=3)["error"]
    assert error["code"] == "store_locked"
    assert up.url in error["message"]


@pytest.mark.models
def test_only_the_owner_reads_the_token(up: Up) -> None:
    assert stat.S_IMODE(up.home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in up.home.rglob("*") if path.is_file()} == {0o600}
    assert up.json("token", "show")["token"] == json.loads((up.home / FILE).read_text())["token"]
    assert up.json("token", "show")["file"] == str(up.home / "token")


@pytest.mark.models
def test_a_signal_ends_it_cleanly(tmp_path: Path) -> None:
    up = start(tmp_path / "home")
    check_end(up, signal.SIGTERM)
    assert up.json("status")["collections"].keys() == {"images", "videos", "audio"}


def test_a_port_in_use_is_an_error_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(main, ["up", "--home", str(tmp_path / "home"), "--port", str(port)])
    assert result.exit_code == 3
    assert str(port) in result.stderr
    assert "--port" in result.stderr
    assert not (tmp_path / "home").exists()


class TestFindingTheServer:
    """``server.json`` is believed only while somebody answers."""

    def test_nobody_there(self, tmp_path: Path) -> None:
        assert find_running(tmp_path) is None

    def test_a_file_of_the_version_before_is_read_and_one_of_a_newer_is_refused(self, tmp_path: Path) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            written = {"url": url, "pid": os.getpid(), "token": "t"}
            (tmp_path / FILE).write_text(json.dumps(written))
            assert find_running(tmp_path) is None, "its server does not answer"
            (tmp_path / FILE).write_text(json.dumps(written | {"version": 2}))
            with pytest.raises(StoreLockedError, match="newer version"):
                find_running(tmp_path)
            with announced(tmp_path, Running(url, os.getpid(), "t")):
                assert json.loads((tmp_path / FILE).read_text()) == {"version": 1, **written}

    def test_left_behind_by_a_killed_process(self, tmp_path: Path) -> None:
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        with announced(tmp_path, Running("http://127.0.0.1:9", gone.pid, "t")):
            assert find_running(tmp_path) is None

    def test_process_lives_but_does_not_serve(self, tmp_path: Path) -> None:
        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
            with announced(tmp_path, Running(url, os.getpid(), "t")):
                assert find_running(tmp_path) is None

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"url": "http://x"}', '{"url": 1, "pid": "x", "token": 2}'])
    def test_damaged(self, tmp_path: Path, text: str) -> None:
        (tmp_path / FILE).write_text(text)
        assert find_running(tmp_path) is None

    def test_gone_after_the_block_unless_another_took_its_place(self, tmp_path: Path) -> None:
        other = Running("http://127.0.0.1:2", os.getpid(), "other")
        with announced(tmp_path, Running("http://127.0.0.1:1", os.getpid(), "t")):
            assert (tmp_path / FILE).exists()
        assert not (tmp_path / FILE).exists()
        with announced(tmp_path, Running("http://127.0.0.1:1", os.getpid(), "t")):
            (tmp_path / FILE).write_text(json.dumps({"url": other.url, "pid": other.pid, "token": other.token}))
        assert (tmp_path / FILE).exists()


def test_the_server_going_away_is_told() -> None:
    def cut(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("connection refused")

    http = httpx.Client(base_url="http://127.0.0.1:1", transport=httpx.MockTransport(cut))
    with http, pytest.raises(StoreUnavailableError, match="does not answer"):
        Client(http, None).get("/status")


GROUPS = ("video_items", "picture_items", "sound_items", "broken_items", "copy_items")
"""The functions that say what a sample library consists of."""


def lighten_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave a tenth of the films of ``fewer_samples``, a fifth of its sounds, and what copies are made of."""
    originals = {item.file.copy_of or item.file.edit_of for item in library.copy_items()}
    for group, step in zip(GROUPS[:3], (10, 1, 5), strict=True):
        items = getattr(library, group)()
        kept = [item for number, item in enumerate(items) if number % step == 0 or item.file.path in originals]
        monkeypatch.setattr(library, group, lambda kept=kept: kept)


@pytest.mark.models
def test_demo_makes_a_library_that_answers(
    tmp_path: Path, sample_library: SampleLibrary, fewer_samples: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in MODELS.items():
        monkeypatch.setenv(name, value)
    home = tmp_path / "home"
    lighten_sample(monkeypatch)
    for path in (library.MARKER, *(item.file.path for group in GROUPS for item in getattr(library, group)()[1:])):
        (home / "sample" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(sample_library.folder / path, home / "sample" / path)  # the demo makes what is not there
    result = CliRunner().invoke(main, ["demo", "--no-serve", "--json", "--home", str(home)])
    assert result.exit_code == 1, result.output  # two of its files are broken on purpose
    assert result.stdout, result.exception or result.stderr
    answer = json.loads(result.stdout)
    assert answer["state"] == "done_with_failures"
    assert answer["failed"] == 2
    assert answer["duplicate"] > 0
    picture = home / "sample" / "photographers" / "lucia-ferrante" / "sailing-boat-01.jpg"

    def ask(*arguments: object) -> Any:
        asked = CliRunner().invoke(main, [*map(str, arguments), "--json", "--home", str(home)])
        assert asked.exit_code == 0, asked.output
        return json.loads(asked.stdout)

    by_collection = ask("similar", picture)["by_collection"]
    assert {name for name, hits in by_collection.items() if hits} == {"images", "videos", "audio"}
    check_photographers(ask, picture)


def check_photographers(ask: Any, picture: Path) -> None:
    """What was trained on real pictures by real models tells photographers apart."""
    names = {one["name"] for one in ask("photographers", "list")}
    report = ask("photographers", "report")
    right = report["product"]["accuracy"]
    assert right["n"] == report["photos"] > 0
    # Too few photos of new shoots for an interval above chance; bench_photographers measures real ones.
    assert right["value"] > report["chance"], "better than guessing on photos that were not learnt from"

    answer = ask("photographers", "predict", picture)
    assert answer["unknown"] or answer["candidates"][0]["probability"] >= answer["threshold"]
    assert {one["photographer"] for one in answer["candidates"]} <= names
    assert sum(one["probability"] for one in answer["candidates"]) == pytest.approx(1)
    assert answer["candidates"][0]["photographer"] == "Lucia Ferrante"
    assert 0 < answer["threshold"] < 1
    assert answer["reasons"]
    shown = ask("photographers", "show", answer["candidates"][0]["photographer"])
    assert not any("likeness alone" in note for note in shown["notes"]), "what was said out of fold is at hand"


@pytest.mark.models
def test_a_running_server_backs_up(up: Up, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    done = up.json("backup", folder)
    assert (done["state"], done["done"]) == ("done", done["total"])
    checked = up.json("backup", folder, "--verify")
    assert checked["whole"] is True
    assert checked["collections"]["images"] == up.json("status")["collections"]["images"]["points"] > 0
    assert up.json("restore", folder, status=3)["error"]["code"] == "store_locked"
