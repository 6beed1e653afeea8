"""Developing a photo like somebody's: page, files and API, which call the same function."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image

from search.photographers.photos.names import photographer_id

PAGE = "/photographers/develop"
GRACE = photographer_id("Grace")


@pytest.fixture
def photo(library: Any) -> str:
    return str(library.ids["night_1.jpg"])


def test_the_page_shows_before_and_after_the_change_and_its_files(client: FlaskClient, photo: str) -> None:
    page = client.get(f"{PAGE}?like={photo}&photographer={GRACE}&strength=1&taken_from=&style=")
    assert page.status_code == 200
    assert "Half a stop brighter, darker corners, less contrast" in page.text
    assert page.text.count('<tr data-setting="') == 12
    assert page.text.count("over-time") == 12
    files = re.findall(r'(?:src|href)="(/photographers/develop/[^"]+)"', page.text)
    answers = [client.get(file.replace("&amp;", "&")) for file in files]
    assert [answer.status_code for answer in answers] == [200] * 4
    before, after = (Image.open(io.BytesIO(answer.data)) for answer in answers[:2])
    assert before.size == after.size
    assert before.tobytes() != after.tobytes()
    assert answers[2].text.startswith('TITLE "Like Grace (100%)"\nLUT_3D_SIZE 33')
    assert answers[3].text.startswith("<x:xmpmeta")
    assert 'filename="Like Grace (100%).xmp"' in answers[3].headers["Content-Disposition"]


def test_without_a_photo_or_a_photographer_it_asks_for_them(client: FlaskClient, photo: str) -> None:
    for query in ("", f"?like={photo}", f"?photographer={GRACE}"):
        page = client.get(PAGE + query)
        assert page.status_code == 200
        assert 'id="developed"' not in page.text
    assert client.get(f"{PAGE}?like={photo}&photographer=nobody").status_code == 404
    assert client.get(f"{PAGE}?like={photo}&photographer={GRACE}&strength=9").status_code == 400


def test_an_uploaded_photo_gets_an_address(client: FlaskClient, desk: Any) -> None:
    token = re.search(r'name="form_token" value="([^"]+)"', client.get(PAGE).text)
    assert token
    file = io.BytesIO()
    Image.linear_gradient("L").convert("RGB").save(file, "JPEG")
    form = {"form_token": token[1], "photographer": GRACE, "file": (io.BytesIO(file.getvalue()), "new.jpg")}
    answer = client.post(PAGE, data=form)
    assert answer.status_code == 303
    assert f"photographer={GRACE}" in answer.headers["Location"]
    assert "like=upload-" in answer.headers["Location"]
    assert client.get(answer.headers["Location"]).status_code == 200
    assert desk.asked[-1].name == "new.jpg"


def test_the_api_gives_the_same(client: FlaskClient, photo: str) -> None:
    asked = {"like": photo, "photographer": "Grace", "strength": 0.5, "include": ["cube", "xmp", "preview"]}
    answer = client.post("/api/v1/photographers/develop", json=asked).json
    assert answer["development"]["words"][0] == "a quarter of a stop brighter"
    query = f"like={photo}&photographer={GRACE}&strength=0.5"
    assert answer["cube"] == client.get(f"{PAGE}/cube?{query}").text
    assert answer["xmp"] == client.get(f"{PAGE}/xmp?{query}").text
    assert base64.b64decode(answer["preview"]) == client.get(f"{PAGE}/preview?{query}").data
    bare = client.post("/api/v1/photographers/develop", json={"like": photo, "photographer": "Grace"}).json
    assert (bare["cube"], bare["xmp"], bare["preview"]) == (None, None, None)
    courses = client.get(f"/api/v1/photographers/{GRACE}/development").json
    assert [course["style"] for course in courses] == [None, 1]


@pytest.mark.parametrize("wrong", [{}, {"photographer": "Grace"}, {"photographer": "Grace", "strength": 2}])
def test_the_api_says_what_is_wrong(client: FlaskClient, photo: str, wrong: dict[str, Any]) -> None:
    like = {"like": photo} if "strength" in wrong else {}
    assert client.post("/api/v1/photographers/develop", json=wrong | like).status_code == 400
