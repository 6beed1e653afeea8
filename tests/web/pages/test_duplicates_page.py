"""The page of duplicates: what is reclaimable, what differs, and bursts apart."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Page, expect

from search.media import Kind, MediaRecord, media_id
from search.settings import Settings
from search.spaces import CollectionSchema, Space, VectorField
from search.store import open_store
from search.store.base import Point
from workers.storage.previews import Previews

VISUAL = Space("visual", "fake", "1", "hand", 4)
COMMON = {"width": 600, "height": 400, "camera": "Acme A1", "mime": "image/jpeg"}
RECORDS = (
    {"name": "walk1.jpg", "size": 5000, "taken_at": "2024-05-06T10:20:31", "person": 100, "bits": 0},
    {"name": "walk2.jpg", "size": 5000, "taken_at": "2024-05-06T10:20:32", "person": 130, "bits": 4},
    {"name": "wave.jpg", "size": 5000, "seed": 5, "person": 100, "bits": 100, "width": 300, "height": 200},
    {"name": "wave-large.jpg", "size": 7000, "seed": 5, "person": 100, "bits": 101},
    {"name": "wave-equal.jpg", "size": 6000, "seed": 5, "person": 100, "bits": 102},
    {"name": "bare <b>.jpg", "size": 2000, "seed": 9, "bits": 200, "pixel_hash": "ab" * 32, "camera": None},
    {"name": "said.jpg", "size": 1900, "seed": 9, "bits": 200, "pixel_hash": "ab" * 32, "photographer": "Ada <i>"},
)


def texture(width: int, height: int, seed: int) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def preview(seed: int, person: int) -> bytes:
    picture = texture(480, 320, seed)
    picture.paste(texture(60, 140, seed + 1), (person, 120))
    buffer = io.BytesIO()
    picture.save(buffer, "WEBP", quality=78)
    return buffer.getvalue()


@pytest.fixture
def library(tmp_path: Path) -> Iterator[SimpleNamespace]:
    settings = Settings(home=tmp_path / "home")
    store = open_store(settings)
    store.ensure(CollectionSchema(Kind.IMAGE, (VectorField(VISUAL),)))
    points = []
    for facts in RECORDS:
        told = COMMON | facts
        name, seed, person, bits = (told.pop(key, 0) for key in ("name", "seed", "person", "bits"))
        id_ = media_id(str(name))
        thumbnail = Previews(settings).save({id_: preview(int(seed), int(person))})[id_]
        record = MediaRecord(
            id_,
            Kind.IMAGE,
            (f"/photos/{name}",),
            thumbnail=thumbnail,
            fingerprints=(f"{(1 << bits) - 1:064x}",),
            **told,
        )
        points.append(Point(id_, {"visual": np.array([[1, 0, 0, 0]], np.float32)}, record.to_payload()))
    store.upsert("images", points)
    yield SimpleNamespace(home=settings.home, store=store)
    store.close()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_each_relation_has_its_words_and_bursts_stand_apart(client: FlaskClient) -> None:
    page = client.get("/duplicates").text
    copies, bursts = page.split('id="bursts"')

    assert "Duplicates 3 groups, 7.0 kB reclaimable" in words(page)
    assert "Same picture, other metadata 2 files" in words(copies)
    assert "Edited copies 3 files" in words(copies)
    assert "walk1.jpg" not in copies
    assert "Burst 2 shots" in words(bursts)
    assert "none is proposed for removal" in words(bursts)
    assert "reclaimable" not in bursts


def test_what_differs_is_listed_and_the_one_to_keep_is_named(client: FlaskClient) -> None:
    page = client.get("/duplicates").text
    shown = words(page)

    assert "Differs in said.jpg bare &lt;b&gt;.jpg" in shown
    assert "Photographer Ada &lt;i&gt; –" in shown
    assert "Camera Acme A1 –" in shown
    assert "Bytes 1,900 2,000" in shown
    assert "The first, said.jpg , says most of the picture and is the one to keep." in shown
    assert "<b>.jpg" not in page


def test_an_edit_of_equal_size_is_not_counted(client: FlaskClient) -> None:
    assert "it may be another shot of the same scene: wave-equal.jpg ." in words(client.get("/duplicates").text)


def test_the_page_of_a_shot_names_its_burst(client: FlaskClient) -> None:
    page = client.get(f"/item/{media_id('walk1.jpg')}").text
    assert "Of the same burst 1" in words(page)
    assert '<span class="badge burst">Burst</span>' in page
    same = client.get(f"/item/{media_id('said.jpg')}").text
    assert "Same picture, other metadata 1" in words(same)
    assert '<span class="badge same-picture">Same picture</span>' in same


def test_the_api_tells_four_relations(client: FlaskClient) -> None:
    answer = client.get("/api/v1/duplicates").json
    assert [group["relation"] for group in answer["groups"]] == ["same_picture", "edited_copy", "burst"]
    same, edits, burst = answer["groups"]
    assert (same["keep"], same["spare"]) == (media_id("said.jpg"), 2000)
    assert {one["field"]: one["values"] for one in same["differing"]} == {
        "photographer": ["Ada <i>", None],
        "camera": ["Acme A1", None],
        "size": [1900, 2000],
    }
    assert [member["removable"] for member in edits["members"]] == [False, False, True]
    assert (burst["keep"], burst["spare"], answer["notes"]) == (None, 0, [])

    schemas = client.get("/openapi.json").json["components"]["schemas"]
    assert schemas["Relation"]["enum"] == ["exact_copy", "same_picture", "edited_copy", "burst", "similar"]
    assert "same picture" in schemas["Band"]["enum"]


def test_pages_of_groups_go_on_where_the_one_before_ended(client: FlaskClient) -> None:
    whole = client.get("/api/v1/duplicates").json
    found, after = [], ""
    while after is not None:
        page = client.get("/api/v1/duplicates", query_string={"limit": 1, "after": after}).json
        assert (len(page["groups"]), page["total"]) == (1, 3)
        found += page["groups"]
        after = page["after"]
    assert found == whole["groups"]
    assert whole["after"] is None


def test_a_group_that_has_gone_takes_no_other_along(client: FlaskClient, library: SimpleNamespace) -> None:
    first = client.get("/api/v1/duplicates?limit=1").json
    library.store.delete("images", [media_id("said.jpg")])
    rest = client.get("/api/v1/duplicates", query_string={"after": first["after"]}).json
    assert [group["relation"] for group in rest["groups"]] == ["edited_copy", "burst"]


def test_the_page_leads_to_more_groups_and_back(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.pages.library.GROUPS_SHOWN", 2)
    first = client.get("/duplicates").text
    assert "Duplicates 3 groups, 7.0 kB reclaimable in those shown" in words(first)
    more = client.get(first.split('">More groups')[0].rpartition('href="')[2]).text
    assert "Burst 2 shots" in words(more)
    assert "No duplicates" not in more
    assert ("First groups" in more, "More groups" in more) == (True, False)


@pytest.mark.browser
def test_the_page_fits_its_window(page: Page) -> None:
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto("/duplicates")
        expect(page.locator("h1").nth(1)).to_contain_text("Bursts")
        expect(page.locator(".differing th").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
