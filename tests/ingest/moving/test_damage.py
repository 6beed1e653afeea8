"""What is damaged, half written, or of a version to come is never restored from."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.maintenance.backup import manifest as manifests
from ingest.maintenance.backup.manifest import MANIFEST, load_manifest
from ingest.maintenance.backup.verify import check_readable, find_damage
from search.errors import BackupError


def complaints(folder: Path) -> list[str]:
    return [complaint for _, complaint in find_damage(folder, load_manifest(folder)) if complaint]


def test_damage_is_found_and_named(desk: Any, make_desk: Callable[..., Any], folder: Path) -> None:
    desk.back_up(folder)
    assert complaints(folder) == []
    name = next(part.path for part in load_manifest(folder).parts if part.of == "images")
    part = folder / name
    whole = part.read_bytes()
    for broken, reason in (
        (whole[:-1], "bytes and should have"),
        (whole[:100] + b"X" + whole[101:], "its checksum is wrong"),
        (None, "cannot be read"),
    ):
        part.unlink()
        if broken is not None:
            part.write_bytes(broken)
        else:
            part.symlink_to("nowhere")
        found = complaints(folder)
        assert name in found[0]
        assert reason in found[0]
        target = make_desk(f"target {reason}")
        with pytest.raises(BackupError, match=name):
            list(target.restoring(folder).restore())
    part.unlink()
    part.write_bytes(whole)
    assert complaints(folder) == []


def test_a_damaged_manifest_is_none(desk: Any, folder: Path) -> None:
    desk.back_up(folder)
    whole = (folder / MANIFEST).read_text("utf-8")
    for damaged in (whole[:-20], whole.replace('"count": 400', '"count": 401').replace("images", "imagos", 1), "[]"):
        (folder / MANIFEST).write_text(damaged, "utf-8")
        with pytest.raises(BackupError, match=r"damaged: manifest\.json"):
            load_manifest(folder)


def test_what_a_newer_version_wrote_is_refused(desk: Any, folder: Path) -> None:
    desk.back_up(folder)
    body = json.loads((folder / MANIFEST).read_text("utf-8"))
    body["head"]["ledger_layout"] += 1
    body["head"]["made_by"] = "9.9"
    resealed(folder, body)
    with pytest.raises(BackupError, match=r"layout \d; this Likewise reads layouts up to \d.*9\.9"):
        check_readable(folder, load_manifest(folder))
    body["head"]["format"] = 3
    body["something new"] = {}
    resealed(folder, body)
    with pytest.raises(BackupError, match=r"format 3; this Likewise reads formats up to 2.*9\.9"):
        load_manifest(folder)


def test_a_part_cannot_lead_out_of_the_folder(desk: Any, folder: Path) -> None:
    desk.back_up(folder)
    body = json.loads((folder / MANIFEST).read_text("utf-8"))
    for of in ("../escaped", "server.json"):
        body["parts"][-1] |= {"holds": "file", "of": of}
        resealed(folder, body)
        with pytest.raises(BackupError, match="no backup holds"):
            check_readable(folder, load_manifest(folder))
    body["parts"][-1] |= {"of": "models/../../escaped"}
    resealed(folder, body)
    with pytest.raises(BackupError, match="no backup holds"):
        check_readable(folder, load_manifest(folder))


def resealed(folder: Path, body: dict[str, Any]) -> None:
    body.pop("checksum", None)
    (folder / MANIFEST).write_text(json.dumps({**body, "checksum": manifests._checksum(body)}), "utf-8")
