"""A classifier's folder is read when it is whole and of this layout, and refused otherwise with words that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import ModelError
from search.photographers.classifier.model_files import FORMAT, MANIFEST, read_manifest
from workers.photographers.classifier.model_writer import write_manifest


def test_a_manifest_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "arrays.npz").write_bytes(b"arrays")
    write_manifest(tmp_path, {"photographers": ["Ada"]})
    found = read_manifest(tmp_path)
    assert (found["format"], found["photographers"], list(found["files"])) == (FORMAT, ["Ada"], ["arrays.npz"])


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ('{"format": 1, "files": {}}', "written by an earlier version"),
        (f'{{"format": {FORMAT + 1}, "files": {{}}}}', "written by a newer version"),
        ("{}", "damaged"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, manifest: str, message: str) -> None:
    (tmp_path / MANIFEST).write_text(manifest)
    with pytest.raises(ModelError, match=message) as refused:
        read_manifest(tmp_path)
    assert "likewise photographers train" in refused.value.hint
