"""Folded-in photographers are kept, and those of version 0.1.0 are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from search.errors import ModelError
from search.photographers.folded_in import FOLDED_IN, FoldedIn, read_folded_in, write_folded_in

ADA = FoldedIn("Ada", 3, (0.5, -1.0))


def test_the_last_of_a_name_is_kept(tmp_path: Path) -> None:
    assert read_folded_in(tmp_path) == ()
    write_folded_in(tmp_path, [FoldedIn("Ada", 1, (0.0, 0.0)), ADA])
    assert read_folded_in(tmp_path) == (ADA,)


def test_the_list_of_version_0_1_0_is_read_and_a_newer_layout_refused(tmp_path: Path) -> None:
    (tmp_path / FOLDED_IN).write_text('[{"name": "Ada", "photos": 3, "vector": [0.5, -1.0]}]')
    assert read_folded_in(tmp_path) == (ADA,)
    (tmp_path / FOLDED_IN).write_text('{"layout": 3, "photographers": []}')
    with pytest.raises(ModelError, match="newer version of Likewise"):
        read_folded_in(tmp_path)
