"""Where media may lie: what callers may name, what is scanned, and what is served."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.ledger.database import Ledger
from ingest.ledger.libraries import register
from ingest.scan.allowed import AllowedFolders
from ingest.scan.stored_files import StoredFiles
from search.errors import NotAllowedError, NotFoundError
from search.media import Kind, MediaRecord, media_id
from search.settings import Settings

Allow = Callable[..., AllowedFolders]


@pytest.fixture
def allow(make_settings: Callable[..., Settings], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Allow:
    """Rules over a ledger in which ``known`` has been imported; the user's home folder is ``person``."""
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "person")

    def make(**settings: object) -> AllowedFolders:
        given = make_settings(**settings)
        ledger = Ledger(given.ledger_url)
        with ledger.write() as connection:
            register(connection, [str(tmp_path / "known")], None)
        return AllowedFolders(given, ledger)

    return make


def allowed(rules: AllowedFolders, path: object, *, anywhere: bool = False) -> bool:
    try:
        rules.check(str(path), anywhere=anywhere)
    except NotAllowedError:
        return False
    return True


def test_the_command_line_of_this_machine_names_what_it_likes_but_for_the_kernels_view(allow: Allow) -> None:
    rules = allow()
    assert allowed(rules, "/srv/photos", anywhere=True)
    for path in ("/proc", "/proc/self/environ", "/sys/kernel", "/dev/sda", "/dev"):
        assert not allowed(rules, path, anywhere=True)
    assert allowed(rules, "/processed", anywhere=True)


def test_others_on_loopback_name_home_mounted_media_and_what_is_known(allow: Allow, tmp_path: Path) -> None:
    rules = allow()
    for path in (tmp_path / "person" / "a.jpg", tmp_path / "known" / "b", "/media/card", "/mnt/nas", "s3://bucket/a"):
        assert allowed(rules, path), path
    for path in ("/", "/etc", "/srv/photos", tmp_path, tmp_path / "known2", "/mntx"):
        assert not allowed(rules, path), path


def test_others_elsewhere_name_only_what_is_known(allow: Allow, tmp_path: Path) -> None:
    rules = allow(host="0.0.0.0", token="correct horse battery")
    assert allowed(rules, tmp_path / "known" / "b")
    for path in (tmp_path / "person", "/mnt/nas", "s3://bucket/a"):
        assert not allowed(rules, path), path


def test_a_list_is_the_whole_list_for_everybody(allow: Allow, tmp_path: Path) -> None:
    rules = allow(allowed_folders=(str(tmp_path / "listed"), "s3://bucket/shown"))
    for anywhere in (True, False):
        assert allowed(rules, tmp_path / "listed" / "a.jpg", anywhere=anywhere)
        assert allowed(rules, "s3://bucket/shown/a.jpg", anywhere=anywhere)
        for path in (tmp_path / "known", tmp_path / "person", "s3://bucket/other", "/mnt/nas"):
            assert not allowed(rules, path, anywhere=anywhere), path


def test_a_job_over_a_folder_that_is_not_allowed_is_not_made(desk: Any, tmp_path: Path) -> None:
    desk.fill(1)
    with pytest.raises(NotAllowedError):
        desk.ingest.start([desk.media], anywhere=False)
    with pytest.raises(NotAllowedError, match="may be imported"):
        desk.ingest.start([tmp_path / "nothing here"], anywhere=False)  # nor does it tell what there is
    (desk.media / "to-proc").symlink_to("/proc/self")
    with pytest.raises(NotAllowedError):
        desk.ingest.start([desk.media / "to-proc"])
    assert desk.ingest.jobs() == []
    desk.run()
    assert desk.ingest.start([desk.media], anywhere=False), "what the command line took in may be scanned again"


def test_what_an_administrator_no_longer_lists_is_not_scanned(make_desk: Any, tmp_path: Path) -> None:
    desk = make_desk()
    desk.fill(2)
    job = desk.ingest.start([desk.media])
    desk.ingest.halt()
    other = make_desk(allowed_folders=(str(tmp_path / "other"),))
    done = other.ingest.run(job)
    assert (done.embedded, done.failed) == (0, 1)
    assert "LIKEWISE_ALLOWED_FOLDERS" in other.ingest.failures()[0].detail


def test_a_file_that_became_a_link_after_the_scan_is_not_read(
    desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.fill(2)
    (tmp_path / "private.jpg").write_bytes(b"private")
    scan = desk.ingest._sources.found

    def swapped(*arguments: Any) -> Any:
        yield from scan(*arguments)
        (desk.media / "00001.jpg").unlink()
        (desk.media / "00001.jpg").symlink_to(tmp_path / "private.jpg")

    monkeypatch.setattr(desk.ingest._sources, "found", swapped)
    done = desk.run()
    assert (done.embedded, done.failed) == (1, 1)
    assert "symbolic link" in desk.ingest.failures()[0].detail
    assert desk.seen == ["00000.jpg"]


class TestServing:
    """A file is served from an allowed folder, with the content that was imported."""

    @pytest.fixture
    def media(self, tmp_path: Path) -> Path:
        (tmp_path / "media").mkdir()
        return tmp_path / "media"

    @pytest.fixture
    def stored(self, make_settings: Callable[..., Settings], media: Path) -> StoredFiles:
        settings = make_settings()
        ledger = Ledger(settings.ledger_url)
        with ledger.write() as connection:
            register(connection, [str(media)], None)
        return StoredFiles(settings, ledger)

    def record(self, path: Path, content: bytes = b"content") -> MediaRecord:
        id_ = media_id(hashlib.sha256(content).hexdigest())
        return MediaRecord(id=id_, kind=Kind.IMAGE, paths=(str(path),), mime="image/jpeg", size=len(content))

    def test_the_bytes_of_an_allowed_file(self, stored: StoredFiles, media: Path) -> None:
        (media / "a.jpg").write_bytes(b"content")
        found = stored.open(self.record(media / "a.jpg"))
        assert found.opened is not None
        with found.opened as opened:
            assert opened.read() == b"content"

    def test_other_bytes_of_the_same_size_are_not(self, stored: StoredFiles, media: Path) -> None:
        (media / "a.jpg").write_bytes(b"content")
        assert stored.is_there(self.record(media / "a.jpg"))
        status = (media / "a.jpg").stat()
        (media / "a.jpg").write_bytes(b"private")
        os.utime(media / "a.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
        assert not stored.is_there(self.record(media / "a.jpg"))

    def test_a_file_is_hashed_once(self, stored: StoredFiles, media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (media / "a.jpg").write_bytes(b"content")
        assert stored.is_there(self.record(media / "a.jpg"))
        monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("hashed again"))
        assert stored.is_there(self.record(media / "a.jpg"))

    def test_a_link_out_of_the_folder_is_not_followed(self, stored: StoredFiles, media: Path, tmp_path: Path) -> None:
        (tmp_path / "private").write_bytes(b"content")  # even with the very content
        (media / "a.jpg").symlink_to(tmp_path / "private")
        with pytest.raises(NotFoundError):
            stored.open(self.record(media / "a.jpg"))
        (media / "b.jpg").write_bytes(b"content")
        (media / "link.jpg").symlink_to("b.jpg")
        assert stored.is_there(self.record(media / "link.jpg"))

    @pytest.mark.parametrize("path", ["/proc/self/environ", "/etc/passwd"])
    def test_what_was_never_taken_in_is_not_served(self, stored: StoredFiles, path: str) -> None:
        content = Path(path).read_bytes()
        assert not stored.is_there(self.record(Path(path), content))

    def test_a_pipe_in_the_files_place_is_not_waited_for(self, stored: StoredFiles, media: Path) -> None:
        os.mkfifo(media / "a.jpg")
        assert not stored.is_there(self.record(media / "a.jpg", b""))

    def test_where_this_machine_sees_the_folder_elsewhere(
        self, make_settings: Callable[..., Settings], media: Path
    ) -> None:
        settings = make_settings(roots={"/elsewhere": str(media)})
        ledger = Ledger(settings.ledger_url)
        with ledger.write() as connection:
            register(connection, ["/elsewhere"], None)
        (media / "a.jpg").write_bytes(b"content")
        assert StoredFiles(settings, ledger).is_there(self.record(Path("/elsewhere/a.jpg")))
