"""Media by id: previews, whole files, ranges, and what must not be shown in place."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import EnvironBuilder, FlaskClient
from PIL import Image
from waitress.buffers import ReadOnlyFileBasedBuffer
from werkzeug.http import parse_options_header

from search.media import Kind, MediaRecord, media_id
from search.settings import Settings
from search.store.base import Point
from web.api.media import offered_name
from workers.decode.file import decode_file
from workers.decode.opened import open_media
from workers.decode.sandbox.options import DecodeOptions
from workers.decode.sound import Sound

OWN = {"Authorization": "Bearer own-token"}


def test_preview(client: FlaskClient, library: Any) -> None:
    answer = client.get(f"/media/{library.ids['beach_1.jpg']}/preview")
    assert answer.mimetype == "image/webp"
    assert answer.data[:4] == b"RIFF"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_whole_file(client: FlaskClient, library: Any) -> None:
    answer = client.get(f"/media/{library.ids['sound_0.wav']}/file")
    assert answer.data == (library.folder / "sound_0.wav").read_bytes()
    assert answer.mimetype == "audio/wav"
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize(("asked", "first"), [("", 0), ("bytes=100-199", 100)])
def test_the_server_gets_the_file_itself(app: Flask, library: Any, asked: str, first: int) -> None:
    """Its own wrapper of the file, which it sends without keeping a thread, and at the first byte that is wanted."""
    headers = {"Authorization": "Bearer own-token"} | ({"Range": asked} if asked else {})
    environ = EnvironBuilder(app, f"/media/{library.ids['sound_0.wav']}/file", headers=headers).get_environ()
    environ["wsgi.file_wrapper"] = ReadOnlyFileBasedBuffer
    answer = app.wsgi_app(environ, lambda status, headers, *_: None)  # type: ignore[arg-type, return-value]
    assert isinstance(answer, ReadOnlyFileBasedBuffer)
    assert answer.tell() == first
    answer.close()


def test_part_of_a_file(client: FlaskClient, library: Any) -> None:
    answer = client.get(f"/media/{library.ids['sound_0.wav']}/file", headers={"Range": "bytes=100-199"})
    assert answer.status_code == 206
    assert answer.data == (library.folder / "sound_0.wav").read_bytes()[100:200]
    beyond = client.get(f"/media/{library.ids['sound_0.wav']}/file", headers={"Range": "bytes=99999999-"})
    assert beyond.status_code == 416


def test_unchanged_file_is_not_sent_again(client: FlaskClient, library: Any) -> None:
    address = f"/media/{library.ids['beach_1.jpg']}/file"
    tag = client.get(address).headers["ETag"]
    assert client.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_download_is_an_attachment(client: FlaskClient, library: Any) -> None:
    answer = client.get(f"/media/{library.ids['beach_1.jpg']}/file?download=1")
    assert answer.headers["Content-Disposition"] == "attachment; filename=beach_1.jpg"


@pytest.fixture
def stored(library: Any) -> Iterator[Any]:
    """Puts a record with vectors of nothing into the store for one test."""
    made: list[str] = []

    def put(path: Path, mime: str, **facts: object) -> str:
        size = path.stat().st_size if path.exists() else 7
        record = replace(MediaRecord(media_id(str(path)), Kind.IMAGE, (str(path),), size=size, mime=mime), **facts)
        library.store.upsert("images", [Point(record.id, {}, record.to_payload())])
        made.append(record.id)
        return record.id

    yield put
    library.store.delete("images", made)


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "application/xhtml+xml", "", "image/heic"])
def test_what_could_carry_a_script_is_only_downloaded(
    client: FlaskClient, stored: Any, tmp_path: Path, mime: str
) -> None:
    path = tmp_path / "page.svg"
    path.write_text("<svg onload='alert(1)'/>")
    answer = client.get(f"/media/{stored(path, mime)}/file")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.mimetype == "application/octet-stream"


def test_a_file_that_has_gone(client: FlaskClient, stored: Any, tmp_path: Path) -> None:
    answer = client.get(f"/media/{stored(tmp_path / 'gone.jpg', 'image/jpeg')}/file")
    assert answer.status_code == 404
    assert "gone.jpg" in answer.text


def test_a_file_that_became_another(client: FlaskClient, stored: Any, tmp_path: Path) -> None:
    path = tmp_path / "was.jpg"
    path.write_bytes(b"a picture")
    media = stored(path, "image/jpeg")
    path.write_bytes(b"something of another length")
    assert client.get(f"/media/{media}/file").status_code == 404


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_folder_that_may_not_be_entered(client: FlaskClient, stored: Any, tmp_path: Path) -> None:
    folder = tmp_path / "closed"
    folder.mkdir()
    path = folder / "a.jpg"
    path.write_bytes(b"a picture")
    media = stored(path, "image/jpeg")
    folder.chmod(0)
    try:
        assert client.get(f"/media/{media}/file").status_code == 404
    finally:
        folder.chmod(0o700)


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "ab/../../secret.webp"])
def test_a_preview_key_cannot_lead_elsewhere(client: FlaskClient, stored: Any, tmp_path: Path, key: str) -> None:
    media = stored(tmp_path / "a.jpg", "image/jpeg", thumbnail=key)
    assert client.get(f"/media/{media}/preview").status_code == 404


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "x", "00000000-0000-0000-0000-000000000000"])
def test_only_ids_are_looked_up(client: FlaskClient, name: str) -> None:
    assert client.get(f"/media/{name}/file").status_code == 404


@pytest.mark.parametrize("mime", ["image/mpo", None])
def test_a_jpeg_with_further_pictures_is_shown(
    client: FlaskClient, stored: Any, tmp_path: Path, mime: str | None
) -> None:
    """Older records call it image/mpo, new ones what its decoder calls it."""
    path = tmp_path / "gain_map.jpg"
    picture = Image.new("RGB", (64, 48), "red")
    picture.save(path, "MPO", save_all=True, append_images=[Image.new("L", (32, 24), 90).convert("RGB")])
    with Image.open(path) as opened:
        assert opened.format == "MPO"
    with open_media(str(path), 1 << 20) as media:
        decoded = decode_file(media, None, DecodeOptions.of(Settings()), Sound())
    answer = client.get(f"/media/{stored(path, mime or decoded.mime)}/file")
    assert answer.status_code == 200
    assert answer.mimetype == "image/jpeg"
    assert not answer.headers.get("Content-Disposition", "inline").startswith("attachment")
    assert answer.data == path.read_bytes()


@pytest.mark.parametrize(
    ("name", "offered"),
    [
        ("two\nlines.jpg", "two_lines.jpg"),
        ("a\r\nSet-Cookie: x=y\t\x7f\x1b.jpg", "a__Set-Cookie: x=y___.jpg"),
        ('say "cheese" \\ ;.jpg', 'say "cheese" \\ ;.jpg'),
        ("Zoë & 写真 🏔.jpg", "Zoë & 写真 🏔.jpg"),
        ("line\u2028\u0085end.jpg", "line__end.jpg"),
        ("turned\u202egpj.exe.jpg", "turned_gpj.exe.jpg"),
        ("100%25 'it's'.jpg", "100%25 'it's'.jpg"),
    ],
)
@pytest.mark.parametrize("query", ["", "?download"])
def test_a_file_of_any_name_is_sent(
    client: FlaskClient, stored: Any, tmp_path: Path, name: str, offered: str, query: str
) -> None:
    path = tmp_path / name
    Image.new("RGB", (8, 8), "red").save(path, "JPEG")
    answer = client.get(f"/media/{stored(path, 'image/jpeg')}/file{query}")
    assert answer.status_code == 200
    assert answer.data == path.read_bytes()
    header = answer.headers["Content-Disposition"]
    assert header.isascii()
    assert header.isprintable()
    kind, options = parse_options_header(header)
    assert kind == ("attachment" if query else "inline")
    assert options["filename"] == offered
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("name", "offered"), [("half\udce9.jpg", "half_.jpg"), ("\n", "_"), (" . ", "file")])
def test_a_name_that_no_header_can_carry_is_replaced(name: str, offered: str) -> None:
    assert offered_name(name) == offered


@pytest.mark.parametrize("what", ["preview", "file"])
def test_caches_that_others_share_keep_nothing(client: FlaskClient, library: Any, what: str) -> None:
    answer = client.get(f"/media/{library.ids['beach_1.jpg']}/{what}")
    assert answer.status_code == 200
    assert answer.cache_control.private
    assert not answer.cache_control.public
