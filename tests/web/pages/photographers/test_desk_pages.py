"""What a picture editor does on the pages: several photos at once, credits by hand, display names, tables of facts."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from PIL import Image
from playwright.sync_api import Page, expect

from ingest.jobs.progress import JobState
from search.media import Kind
from search.photographers.photos.names import photographer_id
from search.similar.questions import Probe
from web.pages.photographers.predict import MOST_FILES

HTML = {"Accept": "text/html"}
SCRIPT = "<script>alert(1)</script>"


def png(colour: str) -> io.BytesIO:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(data, "PNG")
    data.seek(0)
    return data


def token(page: str) -> dict[str, str]:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return {"form_token": found[1]}


def address(name: str) -> str:
    return f"/photographers/{photographer_id(name)}"


def test_several_uploads_are_answered_together_and_have_no_credit(client: FlaskClient, desk: Any) -> None:
    form = token(client.get("/photographers/predict").text)
    files = [(png("navy"), "<b>.png"), (png("red"), "two.png")]
    sent = client.post("/photographers/predict", data={**form, "file": files})
    assert sent.status_code == 303
    page = client.get(sent.location).text
    assert "All 2 together" in page
    assert "All by one of ours" in page
    assert "70 % likely" in page
    assert "&lt;b&gt;.png" in page
    assert page.count("not in the library</small>") == 2
    for at in range(2 * MOST_FILES):  # two others ask about as many as a form takes
        client.application.extensions["recent_uploads"].put(Probe(Kind.IMAGE, {}, {}, name=str(at)))
    assert client.get(sent.location).status_code == 200
    assert 'name="accept"' not in page
    broken = client.post(
        "/photographers/predict", data={**form, "file": [(png("red"), "a.png"), (io.BytesIO(b"broken"), "b.jpg")]}
    )
    assert broken.status_code == 200
    assert "b.jpg: &#39;b.jpg&#39; ends in the middle" in broken.text
    assert (
        client.post(
            "/photographers/predict", data={**form, "file": [(png("red"), "a.png") for _ in range(41)]}
        ).status_code
        == 400
    )


def test_a_folder_is_answered_and_its_table_is_the_commands(client: FlaskClient, desk: Any, library: Any) -> None:
    page = client.get(f"/photographers/predict?folder={library.folder}").text
    pictures = {name for name in library.ids if name.endswith(".jpg")}
    assert f"All {len(pictures)} together" in page
    link = re.search(r'href="(/photographers/predict/csv[^"]+)"', page)
    assert link
    table = client.get(link[1].replace("&amp;", "&"))
    assert (table.mimetype, "predictions.csv" in table.headers["Content-Disposition"]) == ("text/csv", True)
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert {row["file"].rsplit("/", 1)[-1] for row in rows} == pictures
    assert {(row["photographer"], row["unknown"], row["one_of"]) for row in rows} == {("Ada", "no", "Ada; Grace")}
    one_named = {"folder": str(library.folder), "like": [library.ids["night_1.jpg"]]}
    many = client.post("/api/v1/photographers/predict/many", json=one_named).get_json()
    assert many["total"] == len(many["photos"]) == len(pictures)  # the one that is named is not counted twice
    assert client.get("/photographers/predict?folder=/nowhere", headers=HTML).status_code == 404


def test_answers_are_accepted_corrected_and_undone(client: FlaskClient, desk: Any, node: Any, library: Any) -> None:
    ids = [library.ids["night_1.jpg"], library.ids["night_2.jpg"]]  # by Ada and by Grace
    page = client.get("/photographers/predict", query_string={"like": ids}).text
    form = {**token(page), "like": ids, **{f"predicted:{id_}": "Ada" for id_ in ids}}
    assert page.count('name="accept"') == 2  # of the one that is not Ada's yet, and of all that are ticked
    one = client.post("/photographers/predict/credit", data={**form, "accept": ids[1], "photo": ids[0]})
    assert node.named == [(ids[1], "Ada")]
    shown = client.get(one.location).text
    assert "1 photo is credited by hand" in shown
    assert "All 2 together" in shown
    node.named.clear()
    client.post("/photographers/predict/credit", data={**form, "accept": "chosen", "photo": ids})
    client.post("/photographers/predict/credit", data={**form, "correct": ids[0], f"name:{ids[0]}": SCRIPT})
    several = client.post(
        "/photographers/predict/credit", data={**form, "correct": "chosen", "photo": ids, "name": "new one"}
    )
    assert node.named == [(ids[0], "Ada"), (ids[1], "Ada"), (ids[0], SCRIPT), (ids[0], "new one"), (ids[1], "new one")]
    edit = several.location.rpartition("edit=")[2]
    back = client.post("/photographers/predict/undo", data={**form, "edit": edit})
    assert (back.status_code, "edit=" in back.location, node.named[-1]) == (303, False, ("undo", edit))
    assert client.get(several.location).status_code == 200  # undone meanwhile
    for wrong in ({"accept": "chosen"}, {"correct": "chosen", "photo": ids}, {}):
        assert client.post("/photographers/predict/credit", data={**form, **wrong}, headers=HTML).status_code in (
            400,
            404,
        )
    assert client.post("/photographers/predict/credit", data={"accept": ids[0]}, headers=HTML).status_code == 403


def test_an_unknown_photographer_is_not_accepted_by_one_click(client: FlaskClient, desk: Any, library: Any) -> None:
    desk.unknown = True
    page = client.get("/photographers/predict", query_string={"like": library.ids["night_2.jpg"]}).text
    assert 'name="accept"' not in page
    assert 'name="correct"' in page


def test_display_names_stand_wherever_a_photographer_does(
    client: FlaskClient, desk: Any, node: Any, library: Any
) -> None:
    desk.names = ["alfred_t_palmer", "Grace", "Jack Delano", "jan_van_der_berg", SCRIPT]
    own = photographer_id("alfred_t_palmer")
    for path in ("", f"/{own}", "/map", "/develop", f"/predict?like={library.ids['night_1.jpg']}"):
        page = client.get(f"/photographers{path}").text
        assert "Alfred T. Palmer" in page, path
    form = token(page)
    said = client.post(f"/photographers/{own}/display-name", data={**form, "display_name": "A. T. Palmer"})
    assert said.location == f"/photographers/{own}"
    page = client.get(said.location).text
    assert "<h1><bdi>A. T. Palmer</bdi>" in page
    assert "<code>alfred_t_palmer</code>" in page
    assert client.post("/api/v1/photographers/0123/display-name", json={"display_name": "x"}).status_code == 404


def test_evidence_is_one_file_that_loads_nothing(client: FlaskClient, desk: Any, library: Any) -> None:
    desk.names[0] = "alfred_t_palmer"
    desk.photos = [replace(photo, score=0.9 - at / 100, space="style") for at, photo in enumerate(desk.photos)]
    form = token(client.get("/photographers/predict").text)
    files = {"file": [(png("navy"), f"{SCRIPT}.png"), (png("red"), "two.png")]}
    query = client.post("/photographers/predict", data={**form, **files}).location.partition("?")[2]
    stored = library.ids["night_1.jpg"]
    link = f"/photographers/predict/evidence?{query}&like={stored}"
    made = client.get(link)
    assert re.search(r"attachment; filename=evidence-\d{8}T\d{6}Z\.html", made.headers["Content-Disposition"])
    page = made.text
    assert not re.search(r"<script|<link|@import|url\(|javascript:", page)
    sources = re.findall(r'(?:src|href|action)="([^"]*)"', page)
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    assert len(sources) == 1 + 3 * 4  # the stored photo, and the nearest of each; the fake encoder makes no previews
    for words in ("Alfred T. Palmer", "All 3 together", "cosine 0.9", "ab" * 32, "0f1e2d3c4b5a6978", "more blocked"):
        assert words in page, words
    for words in ("By file, clock and camera alone", "not passed: The border alone is right for 56.0%", "new shoots"):
        assert words in page, words
    told = client.post("/api/v1/photographers/predict/evidence", json={"like": [stored]}).get_json()
    assert told["html"].startswith("<!doctype html>")
    many = client.post("/api/v1/photographers/predict/evidence", json={"like": [stored] * 50})
    assert many.status_code == 200  # the same photo
    ids = [id_ for name, id_ in library.ids.items() if name.endswith(".jpg")]
    assert len(ids) <= 40


def test_two_photographers_stand_beside_each_other(client: FlaskClient, desk: Any) -> None:
    desk.names[0] = "alfred_t_palmer"
    one, other = photographer_id("alfred_t_palmer"), photographer_id(SCRIPT)
    assert f'action="/photographers/{one}/compare"' in client.get(f"/photographers/{one}").text
    page = client.get(f"/photographers/{one}/compare?with={other}").text
    assert "Alfred T. Palmer" in page
    assert SCRIPT not in page
    assert page.count("may be chance") == 1
    for words in (">14.2 <small>12", "more alike than 93 % of pairs", "taken for", "darker, higher contrast"):
        assert words in page, words
    assert page.count('<li class="pair">') == 2
    told = client.get(f"/api/v1/photographers/{one}/compare/{other}").get_json()
    assert (told["one"]["name"], told["traits"][0]["difference"]["low"]) == ("alfred_t_palmer", 9.0)
    assert client.get(f"/photographers/{one}/compare", headers=HTML).status_code == 400
    assert client.get(f"/photographers/{one}/compare?with=nobody", headers=HTML).status_code == 404


def test_a_table_of_dates_and_places_is_shown_before_it_is_noted(client: FlaskClient, node: Any) -> None:
    form = token(client.get("/photographers").text)
    table = "path,taken\na.jpg,1942-06-15\n"
    page = client.post("/photographers/facts", data={**form, "table": (io.BytesIO(table.encode()), "t.csv")}).text
    assert "1942-06-15, &lt;script&gt;" in page
    assert "1 line cannot be used" in page
    assert "Line 3 names no photo" in page
    assert node.tasks == []
    noted = client.post(
        "/photographers/facts", data={**form, "table": table, "base": "/p", "overwrite": "1", "apply": "1"}
    )
    assert noted.location == "/photographers"
    client.post("/photographers/facts", data={**form, "forget": "1"})
    assert node.tasks == [("facts", {"table": table, "base": "/p", "overwrite": "1"}), ("facts", {"forget": "1"})]
    assert client.post("/photographers/facts", data=form, headers=HTML).status_code == 400


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390])
def test_photos_are_chosen_credited_and_undone_in_a_browser(page: Page, node: Any, library: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/photographers/predict")
    files = [
        {"name": f"{colour}.png", "mimeType": "image/png", "buffer": png(colour).getvalue()}
        for colour in ("navy", "red")
    ]
    page.locator("#file").set_input_files(files)  # type: ignore[arg-type]
    expect(page.locator("#set-verdict .big")).to_have_text("All by one of ours")
    expect(page.locator(".predictions img")).to_have_count(2)  # the chosen pictures themselves
    page.get_by_label("Or a folder of the library").fill(str(library.folder))
    page.get_by_role("button", name="Ask about the folder").click()
    page.get_by_label("Tick all that are in the library").check()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.get_by_label("Or all that are ticked to")
    box.fill("Grace")
    box.press("Enter")  # credits nothing
    assert node.named == []
    page.get_by_role("button", name="Credit by hand").click()
    expect(page.get_by_role("status").filter(has_text="credited by hand")).to_contain_text("Grace")
    assert {name for _, name in node.named} == {"Grace"}
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_have_count(0)
    assert node.named[-1][0] == "undo"


def test_names_are_shown_before_they_are_given_and_can_be_taken_back(client: FlaskClient, node: Any) -> None:
    """Folders of objects were taken for photographers at once, for good."""
    form = token(client.get("/photographers").text)
    asked = {"from": "folder", "depth": "2", "path": '"/mnt/photos"'}
    shown = client.post("/photographers/label", data={**form, **asked})
    assert node.tasks == []
    page = " ".join(shown.text.split())
    assert (
        "<b>9</b> photos would be credited to somebody else than now, to 2 photographers in <code>/mnt/photos</code>"
        in page
    )
    assert '&lt;script&gt;alert(1)&lt;/script&gt;</bdi> <span class="tag">new</span>' in page
    fields = dict(re.findall(r'<input type="hidden" name="(from|depth|path)" value="([^"]*)">', page))
    client.post("/photographers/label", data={**form, **fields, "apply": "1"})
    assert node.tasks == [("label", {"from": "folder", "depth": "2", "path": "/mnt/photos"})]
    node.ingest.set("1", state=JobState.DONE)
    undo = client.get("/photographers").text
    assert "9 photos credited from folders by job 12" in undo
    client.post("/photographers/label/undo", data={**form, "job": "12"})
    assert node.tasks[-1] == ("label", {"from": "none", "undo": "12"})


def test_renaming_merging_and_correcting(client: FlaskClient, desk: Any, node: Any, library: Any) -> None:
    page = client.get(address(SCRIPT)).text
    form = token(page)
    sure = {**form, "confirmed": "yes"}
    asked = client.post(f"{address(SCRIPT)}/rename", data={**form, "name": "  Script  Ada "}).text
    assert "will be credited to <bdi>Script  Ada</bdi>" in asked
    assert (
        "will be credited to <bdi>../../x</bdi>, who has"
        in client.post(f"{address(SCRIPT)}/merge", data={**form, "into": photographer_id("../../x")}).text
    )
    assert node.named == []  # nothing before it is confirmed
    renamed = client.post(f"{address(SCRIPT)}/rename", data={**sure, "name": "  Script  Ada "})
    assert renamed.location.startswith(address("Script Ada") + "?former=")
    merged = client.post(f"{address(SCRIPT)}/merge", data={**sure, "into": photographer_id("../../x")})
    assert merged.location.startswith(address("../../x") + "?former=")
    assert "are credited here now" in client.get(merged.location).text
    client.post("/photographers/former-name", data={**form, "former": SCRIPT})
    assert node.named.pop() == (SCRIPT, SCRIPT)  # which undoes a rename
    photo = library.ids["night_1.jpg"]
    back = client.post("/photographers/credit", data={**form, "media": photo, "name": "Grace", "back": "0" * 16})
    assert back.location == "/photographers"
    item = client.post("/photographers/credit", data={**form, "media": photo, "name": ""})
    assert item.location == f"/item/{photo}"
    assert node.named == [(SCRIPT, "Script  Ada"), (SCRIPT, "../../x"), (photo, "Grace"), (photo, "")]
    assert client.post(f"{address(SCRIPT)}/merge", data={**form, "into": ""}, headers=HTML).status_code == 400
    assert client.post("/photographers/credit", data={**form, "media": "../x"}, headers=HTML).status_code == 404
