"""A library in a bucket from one end to the other: taken in, asked about, shown, played by range, taken in again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from PIL import Image
from s3fs import S3FileSystem

from ingest.node import Node
from search.media import MediaRecord, media_id
from search.settings import Settings
from search.store.filters import Filter
from web.app import create_app
from web.cli import main
from workers.storage.files import FileAccess

COLOURS = ("red", "green", "blue")


@pytest.fixture
def pictures(bucket: Any) -> dict[str, bytes]:
    """Three pictures of each colour, in the bucket: key to bytes."""
    made = {}
    for colour in COLOURS:
        for number in range(3):
            picture = Image.new("RGB", (64, 48), colour)
            picture.putpixel((number, 0), (255, 255, 255))
            target = io.BytesIO()
            picture.save(target, "png")
            made[f"lib/{colour}/{number}.png"] = target.getvalue()
    for key, content in made.items():
        bucket.put(key, content)
    return made


@pytest.fixture
def settings(make_settings: Callable[..., Settings], bucket: Any) -> Settings:
    """Previews and uploads lie in the bucket as well."""
    return make_settings(shared=f"{bucket.root}/likewise", decode_timeout=20.0)


@pytest.fixture
def node(settings: Settings, quick_models: Any, pictures: dict[str, bytes]) -> Iterator[Node]:
    with Node.open(settings) as opened:
        yield opened


@pytest.fixture
def client(node: Node) -> FlaskClient:
    client = create_app(node).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {node.token}"
    return client


def take_in(node: Node, *paths: str) -> Any:
    job = node.start_ingest(paths)
    node.wait_until_idle()
    return node.ingest.progress(job)


def records(node: Node) -> dict[str, MediaRecord]:
    found = (MediaRecord.from_payload(point.payload) for point in node.store.scroll("images", where=Filter()))
    return {path: record for record in found for path in record.paths}


def test_taken_in_asked_shown_and_taken_in_again(
    node: Node, client: FlaskClient, bucket: Any, pictures: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert take_in(node, "s3://media/lib").embedded == 9
    stored = records(node)
    assert set(stored) == {f"s3://media/{key}" for key in pictures}
    assert len(bucket.keys("likewise/previews/")) == 9

    red = stored["s3://media/lib/red/0.png"]
    hits = client.post("/api/v1/similar", json={"like": [red.id]}).get_json()["hits"]
    assert {hit["paths"][0].split("/")[-2] for hit in hits[:2]} == {"red"}
    below = client.post("/api/v1/similar", json={"like": [red.id], "path_prefix": "s3://media/lib/green"}).get_json()
    assert {hit["paths"][0] for hit in below["hits"]} == {f"s3://media/lib/green/{number}.png" for number in range(3)}

    preview = client.get(f"/media/{red.id}/preview")
    assert preview.mimetype == "image/webp"
    assert preview.data[:4] == b"RIFF"
    again = client.get(f"/media/{red.id}/preview", headers={"If-None-Match": preview.headers["ETag"]})
    assert again.status_code == 304
    page = client.get(f"/item/{red.id}").text
    assert "s3://media/lib/red/0.png" in page
    assert ">PNG<" in page

    monkeypatch.setattr(FileAccess, "read", lambda access, path, _: pytest.fail(f"read {path}"))
    assert take_in(node, "s3://media/lib").unchanged == 9


def test_an_original_is_served_in_whole_and_by_range(
    node: Node, client: FlaskClient, bucket: Any, pictures: dict[str, bytes]
) -> None:
    take_in(node, "s3://media/lib/red")
    content = pictures["lib/red/0.png"]
    address = f"/media/{records(node)['s3://media/lib/red/0.png'].id}/file"
    whole = client.get(address)
    assert whole.data == content
    assert whole.mimetype == "image/png"
    assert whole.content_length == len(content)
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert "sandbox" in whole.headers["Content-Security-Policy"]
    part = client.get(address, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.data) == (206, content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{len(content)}"
    end = client.get(address, headers={"Range": "bytes=-5"})
    assert (end.status_code, end.data) == (206, content[-5:])
    assert client.get(address, headers={"Range": "bytes=999999-"}).status_code == 416
    assert client.get(address, headers={"If-None-Match": whole.headers["ETag"]}).status_code == 304
    saved = client.get(f"{address}?download=1")
    assert saved.headers["Content-Disposition"] == "attachment; filename=0.png"
    bucket.delete("lib/red/0.png")
    gone = client.get(address)
    assert gone.status_code == 404
    assert "is gone or has changed" in gone.text


def test_only_some_objects_are_sent_at_once(node: Node, client: FlaskClient, pictures: dict[str, bytes]) -> None:
    """Each keeps a thread until its reader has taken all of it."""
    take_in(node, "s3://media/lib/red")
    address = f"/media/{records(node)['s3://media/lib/red/0.png'].id}/file"
    for _ in range(10):  # these give theirs back
        assert client.get(address, headers={"Range": "bytes=999999-"}).status_code == 416
        assert client.head(address).status_code == 200
    sent = [client.get(address, buffered=False) for _ in range(node.settings.web_threads // 2)]
    refused = client.get(address)
    assert refused.status_code == 503
    assert refused.headers["Retry-After"]
    sent.pop().close()
    assert client.get(address).data == pictures["lib/red/0.png"]
    for answer in sent:
        answer.close()


def test_a_range_of_a_large_object_fetches_no_more_than_it_needs(
    node: Node, client: FlaskClient, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = bytes(range(256)) * (20 * 4096)  # 20 MiB
    sha256 = "0" * 64
    record = MediaRecord(
        media_id(sha256), "image", (bucket.put("film.mp4", content),), size=len(content), mime="video/mp4"
    )  # type: ignore[arg-type]
    monkeypatch.setattr("web.api.media.find_record", lambda store, id_: record)
    ranges: list[str] = []
    call = S3FileSystem._call_s3

    async def noted(self: Any, method: str, *args: Any, **options: Any) -> Any:
        if method == "get_object":
            ranges.append(options["Range"])
        return await call(self, method, *args, **options)

    monkeypatch.setattr(S3FileSystem, "_call_s3", noted)
    part = client.get(f"/media/{record.id}/file", headers={"Range": "bytes=15000000-15000099"})
    assert part.data == content[15_000_000:15_000_100]
    (asked,) = ranges
    first, last = map(int, asked.removeprefix("bytes=").split("-"))
    assert first == 15_000_000
    assert last - first < 2 * 2**20


def test_moved_and_deleted(node: Node, client: FlaskClient, bucket: Any, pictures: dict[str, bytes]) -> None:
    take_in(node, "s3://media/lib")
    before = records(node)
    bucket.put("lib/new/0.png", pictures["lib/red/0.png"])
    bucket.delete("lib/red/0.png")
    bucket.delete("lib/blue/0.png")
    progress = take_in(node, "s3://media/lib")
    assert (progress.moved, progress.missing, progress.embedded) == (1, 1, 0)
    after = records(node)
    assert after["s3://media/lib/new/0.png"].id == before["s3://media/lib/red/0.png"].id
    assert "s3://media/lib/blue/0.png" not in after


def test_objects_that_vanish_or_change_between_scan_and_decoding(
    node: Node, bucket: Any, pictures: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    local = FileAccess.local

    def meddle(access: FileAccess, path: str, *rest: Any) -> Any:
        if path.endswith("red/0.png"):
            bucket.delete("lib/red/0.png")
        if path.endswith("red/1.png"):
            bucket.put("lib/red/1.png", bytes(reversed(pictures["lib/red/1.png"])))
        return local(access, path, *rest)

    monkeypatch.setattr(FileAccess, "local", meddle)
    progress = take_in(node, "s3://media/lib")
    assert (progress.embedded, progress.skipped, progress.failed) == (7, 2, 0)
    assert not {path for path in records(node) if path.endswith(("red/0.png", "red/1.png"))}


def test_a_question_about_an_upload_passes_through_the_bucket(
    node: Node, client: FlaskClient, bucket: Any, pictures: dict[str, bytes]
) -> None:
    take_in(node, "s3://media/lib")
    upload = {"file": (io.BytesIO(pictures["lib/green/1.png"]), "mine.png")}
    answer = client.post("/api/v1/similar", data=upload, content_type="multipart/form-data").get_json()
    assert answer["hits"][0]["paths"] == ["s3://media/lib/green/1.png"]
    assert answer["hits"][0]["relation"] == "exact_copy"
    broken = {"file": (io.BytesIO(b"\x89PNG\r\n\x1a\n and then nothing"), "mine.png")}
    refused = client.post("/api/v1/similar", data=broken, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert "mine.png" in refused.get_json()["error"]["message"]
    assert bucket.keys("likewise/uploads/") == []


def test_the_api_takes_addresses_of_buckets_and_no_others(client: FlaskClient, bucket: Any) -> None:
    started = client.post("/api/v1/jobs", json={"paths": ["s3://media/lib/"]})
    assert started.status_code == 202
    assert started.get_json()["roots"] == ["s3://media/lib"]
    for address in ("file://etc/passwd", "http://169.254.169.254/latest/meta-data", "ftp://host/a", "memory://a"):
        refused = client.post("/api/v1/jobs", json={"paths": [address]})
        assert refused.status_code == 400
        assert "not allowed" in refused.get_json()["error"]["message"]
    absent = client.post("/api/v1/jobs", json={"paths": ["s3://nowhere/lib"]})
    assert absent.status_code == 404
    assert "there is no bucket 'nowhere'" in absent.get_json()["error"]["message"]


def test_commands(
    bucket: Any, pictures: dict[str, bytes], quick_models: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIKEWISE_DEVICE", "cpu")

    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(main, [*arguments, "--home", str(tmp_path / "home"), "--json"])
        return result.exit_code, json.loads(result.stdout) if result.exit_code < 2 else result.stderr

    status, taken = run("ingest", "s3://media/lib")
    assert (status, taken["embedded"]) == (0, 9)
    status, answer = run("similar", "s3://media/lib/red/2.png", "--under", "s3://media/lib/red/")
    assert (status, answer["hits"][0]["paths"]) == (0, ["s3://media/lib/red/2.png"])
    assert {hit["paths"][0].rsplit("/", 1)[0] for hit in answer["hits"]} == {"s3://media/lib/red"}
    status, said = run("similar", "s3://media/lib/gone.png")
    assert status == 3
    assert "no such object" in said
    status, said = run("ingest", "s3://")
    assert status == 2
    assert "names no bucket" in said
