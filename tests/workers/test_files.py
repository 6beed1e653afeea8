"""Files wherever they lie: seen elsewhere, fetched, checked, and nothing left behind."""

from __future__ import annotations

import errno
import hashlib
import io
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from s3fs import S3FileSystem

from search.errors import (
    CorruptMediaError,
    DecodeTimeoutError,
    DiskFullError,
    MediaTooLargeError,
    UnreadableFileError,
)
from search.media import Kind
from search.settings import Settings
from workers.decode.opened import ExpectedFile
from workers.decode.sandbox.pool import DecodePool
from workers.storage.files import FileAccess
from workers.storage.objects import FileChangedError, Objects, UnreachableError
from workers.storage.temporary_copies import PREFIX, TemporaryCopies

Make = Callable[..., Settings]


@pytest.fixture(autouse=True)
def borrowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where copies go in these tests."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def left_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.name != "lock"]


@pytest.mark.parametrize(
    ("path", "here"),
    [
        ("/mnt/photos/a.jpg", "/data/a.jpg"),
        ("/mnt/photos", "/data"),
        ("/mnt/photos/raw/a.nef", "s3://raw/a.nef"),
        ("/mnt/photos2/a.jpg", "/mnt/photos2/a.jpg"),
        ("s3://media/x/a.jpg", "/buckets/x/a.jpg"),
        ("s3://mediaeval/a.jpg", "s3://mediaeval/a.jpg"),
    ],
)
def test_roots_seen_elsewhere(make_settings: Make, path: str, here: str) -> None:
    roots = {"/mnt/photos": "/data", "/mnt/photos/raw/": "s3://raw/", "s3://media": "/buckets"}
    assert FileAccess(make_settings(roots=roots)).local_address(path) == here


def test_a_file_of_this_machine_is_used_where_it_is(make_settings: Make, tmp_path: Path, borrowed: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"bytes")
    access = FileAccess(make_settings())
    with access.local(str(path), "of no concern") as here:
        assert here == str(path)
    assert access.read(str(path)).sha256 == hashlib.sha256(b"bytes").hexdigest()
    assert access.head(str(path), 2) == b"by"
    assert access.size_and_time(str(path)) == (5, path.stat().st_mtime_ns)
    assert not list(borrowed.iterdir())


def test_a_copy_keeps_its_name_and_is_gone_afterwards(make_settings: Make, bucket: Any, borrowed: Path) -> None:
    address = bucket.put("trip/my photo.NEF", b"bytes")
    digest = hashlib.sha256(b"bytes").hexdigest()
    access = FileAccess(make_settings())
    contents = access.read(address)
    assert (contents.sha256, contents.size) == (digest, 5)
    assert access.size_and_time(address) == (5, contents.mtime_ns)
    with access.local(address, digest) as here:
        assert Path(here).read_bytes() == b"bytes"
        assert Path(here).name == "my photo.NEF"
    assert not left_in(borrowed)
    with pytest.raises(RuntimeError), access.local(address):
        raise RuntimeError
    assert not left_in(borrowed)


def test_a_name_too_long_for_a_file_keeps_its_extension(make_settings: Make, bucket: Any) -> None:
    address = bucket.put(f"{'ä' * 300}.jpg", b"bytes")
    with FileAccess(make_settings()).local(address) as here:
        assert Path(here).name == "file.jpg"


def test_sidecars_lie_beside_the_copy(make_settings: Make, bucket: Any, borrowed: Path) -> None:
    address = bucket.put("trip/a.jpg", b"bytes")
    bucket.put("trip/a.jpg.XMP", b"first")
    bucket.put("trip/a.xmp", b"second")
    bucket.put("trip/b.xmp", b"of another file")
    names = ("a.jpg.XMP", "a.xmp", "gone.xmp", "b.xmp", "../trip/b.xmp")
    with FileAccess(make_settings()).local(address, sidecars=names) as here:
        beside = {path.name: path.read_bytes() for path in Path(here).parent.iterdir()}
    assert beside == {"a.jpg": b"bytes", "a.jpg.XMP": b"first", "a.xmp": b"second"}
    assert not left_in(borrowed)


def test_sidecars_of_a_name_too_long_are_found_by_its_short_one(make_settings: Make, bucket: Any) -> None:
    long = "ä" * 300
    address = bucket.put(f"{long}.jpg", b"bytes")
    bucket.put(f"{long}.xmp", b"one")
    bucket.put(f"{long}.jpg.xmp", b"two")
    with FileAccess(make_settings()).local(address, sidecars=(f"{long}.jpg.xmp", f"{long}.xmp")) as here:
        beside = {path.name: path.read_bytes() for path in Path(here).parent.iterdir()}
    assert beside == {"file.jpg": b"bytes", "file.jpg.xmp": b"two", "file.xmp": b"one"}


def test_a_sidecar_that_is_too_large_is_not_fetched(
    make_settings: Make, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.storage.files.SIDECAR_BYTES", 3)
    address = bucket.put("a.jpg", b"bytes")
    bucket.put("a.xmp", b"four")
    with FileAccess(make_settings()).local(address, sidecars=("a.xmp",)) as here:
        assert [path.name for path in Path(here).parent.iterdir()] == ["a.jpg"]


def test_other_bytes_than_were_scanned(make_settings: Make, bucket: Any, borrowed: Path) -> None:
    access = FileAccess(make_settings())
    address = bucket.put("a.jpg", b"first")
    before = access.size_and_time(address)
    bucket.put("a.jpg", b"other")  # as long, and in the same second
    assert access.size_and_time(address) != before
    with pytest.raises(FileChangedError), access.local(address, hashlib.sha256(b"first").hexdigest()):
        pytest.fail("was handed out")
    assert not left_in(borrowed)


def test_an_object_replaced_while_it_is_read(make_settings: Make, bucket: Any) -> None:
    objects = Objects(make_settings())
    address = bucket.put("a.jpg", bytes(100))

    def read_slowly() -> None:
        with objects.opened(address) as (file, _):
            file.read(10)
            bucket.put("a.jpg", bytes(range(100)))
            file.read(10)

    with pytest.raises(FileChangedError):
        read_slowly()


def test_only_what_settings_allow_is_opened(make_settings: Make, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "a.jpg").write_bytes(b"bytes")
    access = FileAccess(make_settings(roots={"/mnt/photos": f"file://{tmp_path}/place"}))
    assert access.head("/mnt/photos/a.jpg", 5) == b"bytes"
    for address in (f"file://{tmp_path}/secret", f"file://{tmp_path}/place2/a.jpg", "http://127.0.0.1:9/a.jpg"):
        with pytest.raises(OSError, match="not allowed"):
            access.read(address)
        with pytest.raises(UnreadableFileError, match="not allowed"), access.local(address):
            pytest.fail("was handed out")


def test_what_is_too_large_is_not_fetched(make_settings: Make, bucket: Any, borrowed: Path) -> None:
    address = bucket.put("a.mp4", bytes(2**20 + 1))
    with (
        pytest.raises(MediaTooLargeError, match="LIKEWISE_MAX_FILE_MB"),
        FileAccess(make_settings(max_file_mb=1)).local(address),
    ):
        pytest.fail("was handed out")
    assert not left_in(borrowed)


def test_a_full_temporary_folder_is_no_error_of_the_file(
    make_settings: Make, bucket: Any, borrowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = bucket.put("full.jpg", b"some bytes")

    def full(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr("workers.storage.temporary_copies.tempfile.mkdtemp", full)
        with pytest.raises(DiskFullError, match="temporary folder"), FileAccess(make_settings()).local(address):
            pass

    class Full(io.BytesIO):
        def write(self, _data: Any) -> int:
            full()
            return 0

    monkeypatch.setattr(Path, "open", lambda _self, *_args, **_kwargs: Full())
    with pytest.raises(DiskFullError, match="temporary folder"), FileAccess(make_settings()).local(address):
        pass


def test_what_has_gone(make_settings: Make, bucket: Any, borrowed: Path) -> None:
    access = FileAccess(make_settings())
    with pytest.raises(UnreadableFileError, match="no such object"), access.local("s3://media/gone.jpg"):
        pytest.fail("was handed out")
    with pytest.raises(FileNotFoundError):
        access.read("s3://media/gone.jpg")
    with pytest.raises(FileNotFoundError):
        access.size_and_time("s3://media/gone.jpg")
    assert not left_in(borrowed)


def _read_in_child(settings: Settings, address: str, said: Any) -> None:
    said.send(FileAccess(settings).read(address).size)


def test_a_forked_process_reads_as_well(make_settings: Make, bucket: Any) -> None:
    address = bucket.put("a.jpg", b"bytes")
    assert FileAccess(make_settings()).read(address).size == 5  # so that there is a connection to take across
    said, mine = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(
        target=_read_in_child, args=(make_settings(), address, mine), daemon=True
    )
    process.start()
    assert said.poll(60)
    assert said.recv() == 5
    process.join()


def test_decoders_are_given_copies(make_settings: Make, bucket: Any, tmp_path: Path, borrowed: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(picture, "png")
    content = picture.getvalue()
    (tmp_path / "seen").mkdir()
    (tmp_path / "seen" / "a.png").write_bytes(content)
    address = bucket.put("a.png", content)
    with DecodePool(make_settings(roots={"/mnt/elsewhere": str(tmp_path / "seen")})) as pool:
        near = pool.submit("/mnt/elsewhere/a.png")
        far = pool.submit(address, Kind.IMAGE, ExpectedFile(hashlib.sha256(content).hexdigest(), len(content), 0.0))
        changed = pool.submit(address, Kind.IMAGE, ExpectedFile("0" * 64, len(content), 0.0))
        broken = pool.submit(bucket.put("b.png", content[:20]))
        absent = pool.submit("s3://media/c.png")
        assert near.result().facts == far.result().facts
        assert isinstance(changed.exception(), FileChangedError)
        assert isinstance(broken.exception(), CorruptMediaError)
        assert "'b.png'" in str(broken.exception())
        assert isinstance(absent.exception(), UnreadableFileError)
    assert not left_in(borrowed)


class Wire:
    """A wire to a server that can be cut."""

    def __init__(self, endpoint: str) -> None:
        host, port = endpoint.removeprefix("http://").split(":")
        self._server = host, int(port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cuts = 0
        """Connections still to be cut off once their answer has begun."""
        self.asked = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._server)
            threading.Thread(target=self._carry, args=(near, far, False), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, True), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, answering: bool) -> None:
        try:
            while data := source.recv(65536):
                self.asked += not answering
                if answering and self.cuts > 0:
                    self.cuts -= 1
                    target.sendall(data[: len(data) // 2])
                    break
                target.sendall(data)
        except OSError:
            pass
        finally:
            for end in (source, target):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def wire(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    made = Wire(bucket.endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", made.url)
    S3FileSystem.clear_instance_cache()
    yield made
    made.close()


def test_a_connection_that_breaks_off_is_made_again(make_settings: Make, bucket: Any, wire: Wire) -> None:
    content = os.urandom(300_000)
    address = bucket.put("a.jpg", content)
    wire.cuts = 6
    with FileAccess(make_settings()).local(address) as here:
        assert Path(here).read_bytes() == content
    assert wire.cuts == 0


def test_a_store_that_stays_away_makes_a_file_unreadable(
    make_settings: Make, bucket: Any, wire: Wire, borrowed: Path
) -> None:
    address = bucket.put("a.jpg", b"bytes")
    access = FileAccess(make_settings(decode_timeout=3.0))
    with access.local(address):
        before = wire.asked  # the library's client is made by now, which may take longer than all tries
    wire.cuts = 10_000
    with pytest.raises(UnreadableFileError, match="gives no answer"), access.local(address):
        pytest.fail("was handed out")
    assert wire.asked > before + 4, "more than the library tries itself"
    with pytest.raises(UnreachableError):
        access.read(address)
    assert not left_in(borrowed)


def test_what_does_not_come_in_time(
    make_settings: Make, bucket: Any, borrowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = bucket.put("a.jpg", bytes(1000))
    monkeypatch.setattr("workers.storage.files.READ_BYTES", 10)
    access = FileAccess(make_settings(decode_timeout=0.01))
    with pytest.raises(DecodeTimeoutError, match="could not be fetched within"), access.local(address):
        pytest.fail("was handed out")
    assert not left_in(borrowed)


def test_closing_ends_a_wait(make_settings: Make, bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    access = FileAccess(make_settings(decode_timeout=3600.0))
    threading.Timer(0.5, access.close).start()
    with pytest.raises(UnreadableFileError), access.local("s3://media/a.jpg"):
        pytest.fail("was handed out")


def _borrow_for_ever(said: Any) -> None:
    with TemporaryCopies().path_for("a.jpg") as place:
        Path(place).write_bytes(b"bytes")
        said.send(place)
        time.sleep(600)


def test_the_folder_of_a_killed_process_is_removed_by_the_next(borrowed: Path) -> None:
    said, mine = multiprocessing.get_context("fork").Pipe()
    process = multiprocessing.get_context("fork").Process(target=_borrow_for_ever, args=(mine,))
    process.start()
    left = Path(said.recv())
    with TemporaryCopies().path_for("b.jpg") as place:
        assert left.is_file()  # its owner lives
        assert Path(place).parent != left.parent
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert left.is_file()
    with TemporaryCopies().path_for("c.jpg"):
        assert not left.exists()


def test_a_folder_goes_with_its_object(borrowed: Path) -> None:
    folder = TemporaryCopies()
    with folder.path_for("a.jpg"):
        assert [path.name.startswith(PREFIX) for path in borrowed.iterdir()] == [True]
    del folder
    assert not list(borrowed.iterdir())
