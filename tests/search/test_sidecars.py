from __future__ import annotations

import pytest

from search.sidecars import is_sidecar, sidecar_names


def test_names_in_the_order_in_which_they_decide() -> None:
    names = sidecar_names("IMG_1.jpg")
    assert names.index("IMG_1.jpg.xmp") < names.index("IMG_1.jpg.XMP") < names.index("IMG_1.xmp")
    assert {"IMG_1.xmp", "IMG_1.XMP", "IMG_1.Xmp", "IMG_1.jpg.XMP"} <= set(names)
    assert len(names) == len(set(names)) == 16
    assert all(map(is_sidecar, names))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("noextension", "noextension.xmp"),
        ("a.b.CR2", "a.b.CR2.xmp"),
        (".hidden", ".hidden.xmp"),
        ("bad\udcff.jpg", "bad\udcff.jpg.xmp"),
    ],
)
def test_any_name_has_one(name: str, first: str) -> None:
    assert sidecar_names(name)[0] == first


def test_a_sidecar_has_none_of_its_own() -> None:
    assert sidecar_names("a.xmp") == sidecar_names("a.jpg.XMP") == ()
    assert not is_sidecar(".xmp")
    assert not is_sidecar("xmp")
    assert not is_sidecar("a.xmp.jpg")
