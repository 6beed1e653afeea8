"""The pages as they are sent, without a browser."""

from __future__ import annotations

import gzip
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from flask.testing import FlaskClient
from PIL import Image

from ingest.jobs.progress import Failure, JobProgress, JobState
from search.errors import NotFoundError
from search.media import DECODING_REVISION
from search.similar.questions import Probe
from web.api.questions import _find_groups as find_groups
from web.app import create_app
from web.pages.formats import borders, clock, exposure, likeness, percent, size, span
from web.pages.forms import typed_path
from web.pages.recent_uploads import OwnRecentUploads

HTML = {"Accept": "text/html"}


def names(page: str) -> list[str]:
    return re.findall(r'class="tile [^>]*data-name="([^"]*)"', page)


class Tags(HTMLParser):
    """Every tag of a page with its attributes, as a browser reads them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.parametrize("path", ["/", "/jobs", "/failures", "/duplicates", "/status", "/login", "/?q=beach"])
def test_no_page_holds_inline_code_or_anything_from_elsewhere(client: FlaskClient, path: str) -> None:
    tags = Tags()
    tags.feed(client.get(path).text)
    for tag, attributes in tags.found:
        assert tag != "style"
        assert tag != "script" or "src" in attributes
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("src", "href", "action"):
            assert not re.match(r"(https?:)?//|javascript:|data:", attributes.get(name) or "")
    assert len(tags.found) > 20


def test_the_dark_scheme_changes_colours_only(repository: Path) -> None:
    """So the pages are as wide in it, and tests of their width load them once."""
    styles = "".join(path.read_text("utf-8") for path in (repository / "web" / "static" / "css").glob("*.css"))
    dark = re.findall(r"@media \(prefers-color-scheme: dark\) \{\s*:root \{([^{}]+)\}\s*\}", styles)
    assert len(dark) == styles.count("prefers-color-scheme") > 0
    for declared in filter(str.strip, ";".join(dark).split(";")):
        assert re.fullmatch(r"\s*--[\w-]+: (#[0-9a-f]{6}|(.* rgb\(0 0 0 / \d+%\),?)+)\s*", declared), declared


def test_the_start_page_shows_what_there_is(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "In the library" in page
    assert page.count('class="row"') == 3
    assert "because this is a test" not in page  # notes about the models stand on Status alone
    assert "because this is a test" in client.get("/status").text


def test_an_empty_library_says_how_to_fill_it(make_node: Any, tmp_path: Path) -> None:
    from search.settings import Settings
    from search.store import open_store

    store = open_store(Settings(home=tmp_path / "empty"))
    node = make_node()
    node.store = store
    page = create_app(node).test_client().get("/").text
    store.close()
    assert "likewise ingest" not in page  # the page has the button
    assert "workspace bare" in page  # nothing to filter yet
    assert 'action="/jobs"' in page


def test_words(client: FlaskClient) -> None:
    page = client.get("/?q=beach&in=images").text
    assert len(names(page)) == 8
    assert all(name.startswith("beach") for name in names(page))
    assert "Nothing shows these words or is called so" in client.get("/?q=zebra").text


def test_more_like_this_and_unlike_that(client: FlaskClient, library: Any) -> None:
    like, unlike = library.ids["beach_1.jpg"], library.ids["night_2.jpg"]
    page = client.get(f"/?like={like}&unlike={unlike}&in=images&limit=7").text
    assert all(name.startswith("beach") for name in names(page))
    assert "7 most like" in page
    assert f'href="/?unlike={unlike}&amp;in=images&amp;limit=7"' in page  # takes the example away again


def test_words_narrow_a_question(client: FlaskClient, library: Any) -> None:
    page = client.get(f"/?like={library.ids['beach_1.jpg']}&q=night&in=images").text
    assert set(names(page)) == {f"night_{n}.jpg" for n in range(8)}


def test_every_filter_narrows_and_can_be_taken_away(client: FlaskClient, library: Any) -> None:
    asked = "photographers=Ada&cameras=Nikon+F3&orientations=landscape&taken_from=2011-01-01&taken_to=2013-12-31"
    page = client.get(f"/?q=beach&in=images&{asked}&min_size=100&max_size=1000000&path_prefix={library.folder}").text
    assert set(names(page)) == {"beach_1.jpg", "beach_3.jpg"}
    assert page.count("Take this filter away") == 9
    assert "Kind: <b>Images</b>" in page
    assert '<a class="all" href="/?q=beach"' in page


def test_rows_by_kind(client: FlaskClient, library: Any) -> None:
    page = client.get(f"/?like={library.ids['forest_2.jpg']}&view=rows").text
    assert re.findall(r'id="row-(\w+)"', page) == ["images", "videos", "audio"]
    assert re.search(r">through <a [^>]*>clip_\d.webm</a>", page.replace("\n", ""))  # how the sounds were reached


def test_pages_of_a_collection(client: FlaskClient) -> None:
    first = client.get("/?in=images&limit=20").text
    more = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert more
    second = client.get(more[1].replace("&amp;", "&")).text
    assert len(names(first)) == 20
    assert len(names(second)) == 12
    assert not set(names(first)) & set(names(second))


def test_a_listing_that_one_kind_alone_matches_goes_on_page_by_page(client: FlaskClient) -> None:
    """Only pictures name a photographer here."""
    first = client.get("/?photographers=Ada&limit=10").text
    assert '<small class="position">1–10 of 16</small>' in first
    more = re.search(r'href="([^"]*after=[^"]*)"', first)
    assert more
    second = client.get(more[1].replace("&amp;", "&")).text
    assert '<small class="position">11–16 of 16</small>' in second
    assert (len(names(first)), len(names(second))) == (10, 6)
    assert not set(names(first)) & set(names(second))
    assert "after=" not in second


def test_a_listing_of_several_kinds_has_no_one_position(client: FlaskClient) -> None:
    page = client.get("/?limit=10").text
    assert 'class="position"' not in page
    assert "after=" not in page


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ("like=nothing", 404, "not the id"),
        ("like=upload-gone", 404, "no longer remembered"),
        ("limit=x", 400, "cannot be"),
    ],
)
def test_a_question_that_cannot_be_asked_is_explained_in_place(
    client: FlaskClient, library: Any, query: str, status: int, said: str
) -> None:
    answer = client.get("/?" + query.format(id=library.ids["beach_1.jpg"]))
    assert answer.status_code == status
    assert said in answer.text
    assert 'id="question"' in answer.text


@pytest.mark.parametrize("path", ["/", "/photographers", "/photographers/predict", "/photographers/develop", "/jobs"])
def test_parameters_of_other_sites_are_ignored(client: FlaskClient, path: str) -> None:
    page = client.get(f"{path}?utm_source=letter&in=images")
    assert page.status_code == 200
    assert "utm_source" not in page.text
    assert client.get("/api/v1/search?q=beach&utm_source=letter").status_code == 400


def test_the_last_example_can_be_taken_away(client: FlaskClient, library: Any) -> None:
    unlike = library.ids["night_2.jpg"]
    page = client.get(f"/?unlike={unlike}&q=beach&in=images")
    assert page.status_code == 200
    assert "needs an example to search by" in page.text
    assert set(names(page.text)) == {f"beach_{n}.jpg" for n in range(8)}


def test_an_upload_gets_an_address(client: FlaskClient) -> None:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), (22, 26, 58)).save(data, "PNG")
    form = {"form_token": form_token(client.get("/").text), "in": "images"}
    sent = client.post("/look", data={**form, "file": (io.BytesIO(data.getvalue()), "evening.png")})
    assert sent.status_code == 303
    assert re.fullmatch(r"/\?in=images&like=upload-[\w-]+", sent.headers["Location"])
    page = client.get(sent.headers["Location"]).text
    assert all(name.startswith("night") for name in names(page)[:8])
    assert "evening.png" in page


def test_an_upload_that_is_no_media(client: FlaskClient) -> None:
    form = {"form_token": form_token(client.get("/").text)}
    answer = client.post("/look", data={**form, "file": (io.BytesIO(b"hello"), "a.txt")}, headers=HTML)
    assert answer.status_code == 415
    assert "is not a picture, video or sound" in answer.text
    assert client.post("/look", data=form, headers=HTML).status_code == 400


def test_a_hostile_name_is_text(client: FlaskClient, library: Any) -> None:
    for path in ("/?q=rose", f"/item/{library.ids['<img src=x onerror=alert(1)>.jpg']}"):
        page = client.get(path).text
        assert "&lt;img src=x onerror=alert(1)&gt;.jpg" in page
        assert "<img src=x" not in page


def test_the_item_page(client: FlaskClient, library: Any) -> None:
    page = client.get(f"/item/{library.ids['forest_0.jpg']}").text
    for text in ("Nikon F3", "2010-06-15", "240 × 160 px", "Edited copies", "mean colour", "/file?download=1"):
        assert text in page
    both = client.get(f"/item/{library.ids['night_0.jpg']}").text
    assert "2 identical files" in both
    video = client.get(f"/item/{library.ids['clip_0.webm']}?t=2").text
    assert "/file#t=2.0" in video
    assert 'data-jump="2.00"' in video
    assert client.get("/item/nothing", headers=HTML).status_code == 404


def test_the_page_of_a_sound_opens_at_its_span_and_finds_parts(client: FlaskClient, library: Any) -> None:
    sound = library.ids["sound_0.wav"]
    facts = {"duration": 40.0, "sound_runs": [0.0, 10.0, 10.0, 4.0]}
    library.store.patch_payload("audio", {sound: facts})
    page = client.get(f"/item/{sound}?t=10&until=20").text
    assert '<rect x="25.0" width="25.0" height="1"/>' in page
    assert f'/media/{sound}/file#t=10.0"' in page
    assert 'href="?t=10.0&amp;until=20.0" data-jump="10.0">Play from 10.0 s to 20.0 s</a>' in page
    assert 'name="start" min="0" step="any" value="10.0" max="40.0"' in page
    for nowhere in ("?t=50&until=60", "?t=x", "?t=-1", "?t=nan&until=5", "?until=5"):
        plain = client.get(f"/item/{sound}{nowhere}").text
        assert "Find this part" in plain
        assert 'class="span"' not in plain
        assert "data-moment" not in plain[: plain.index("Find this part")]
    asked = client.get(f"/?like={sound}&start=45&end=50", headers=HTML)
    library.store.patch_payload("audio", {sound: {"duration": 1.0, "sound_runs": None}})
    assert asked.status_code == 400
    assert "ends after 40.0 s, before the part from 45.0 s on" in asked.text
    assert "<small>from 45.0 s to 50.0 s</small>" in asked.text
    assert "start=45" not in re.findall(r'href="([^"]+)" data-ask aria-label="Remove', asked.text)[0]


def test_whose_video_it_is_leads_to_all_of_theirs(client: FlaskClient, library: Any) -> None:
    """The pages of photographers tell of pictures alone, and may know nobody of that name."""
    video = library.ids["clip_0.webm"]
    library.store.patch_payload("videos", {video: {"photographer": "Vera"}})
    page = client.get(f"/item/{video}").text
    library.store.patch_payload("videos", {video: {"photographer": None}})
    assert '<a href="/?photographers=Vera"><bdi>Vera</bdi></a>' in page


def test_jobs(client: FlaskClient, node: Any, tmp_path: Path) -> None:
    assert "No job has run yet" in client.get("/jobs").text
    token = form_token(client.get("/jobs").text)
    wrong = client.post("/jobs", data={"form_token": token, "path": "/mnt/no/such"}, headers=HTML)
    assert wrong.status_code == 404
    assert 'value="/mnt/no/such"' in wrong.text
    client.post("/jobs", data={"form_token": token, "path": f' "{tmp_path}" ', "library": "holiday"})
    assert node.started[-1][0] == (tmp_path,)
    node.ingest.set("1", state=JobState.RUNNING, total=2000, embedded=500, rate=12.5, eta_seconds=120.0)
    page = client.get("/jobs").text
    assert "holiday" in page
    assert "2\u202f000" in page
    assert "2 min" in page
    client.post("/jobs/1/pause", data={"form_token": token})
    assert node.ingest.progress("1").state is JobState.PAUSED
    assert "Resume" in client.get("/jobs").text
    assert client.post("/jobs/1/explode", data={"form_token": token}, headers=HTML).status_code == 404


def test_a_job_that_waits_for_a_yes(client: FlaskClient, node: Any, tmp_path: Path) -> None:
    token = form_token(client.get("/jobs").text)
    client.post("/jobs", data={"form_token": token, "path": str(tmp_path)})
    node.ingest.set("1", state=JobState.NEEDS_CONFIRMATION, message="Nearly all files have gone.")
    page = client.get("/jobs").text
    assert "Nearly all files have gone." in page
    form = dict(re.findall(r'<(?:input|button) [^>]*name="(path|library|confirm_missing)" value="([^"]+)">', page))
    client.post("/jobs", data={**form, "form_token": token})
    assert node.started[-1] == ((tmp_path,), tmp_path.name, True)
    assert "Confirm removal" not in client.get("/jobs").text  # asked and answered


def test_failures_by_code(client: FlaskClient, node: Any) -> None:
    assert "Every file was usable" in client.get("/failures").text
    node.ingest.failed = [
        Failure("/media/a.jpg", "corrupt", "It ends too early.", 3, "media", "1"),
        Failure("/media/<b>.jpg", "empty", "It has no bytes.", 1, "media", "1"),
    ]
    page = client.get("/failures").text
    assert "It ends too early." in page
    assert "<b>&lt;b&gt;.jpg</b> <small>/media</small>" in page
    assert "a.jpg" not in client.get("/failures?code=empty").text
    client.post("/failures/retry", data={"form_token": form_token(page)})
    assert node.ingest.progress("1").total == 2


def test_duplicates_and_status(client: FlaskClient, library: Any) -> None:
    page = client.get("/duplicates").text
    assert "Identical files <small>" in " ".join(page.split())
    assert "Edited copies <small>" in " ".join(page.split())
    status = client.get("/status").text
    assert str(library.home) in status
    assert "fake-sound" in status


def test_duplicates_are_looked_for_again_only_after_a_job_did_something(
    client: FlaskClient, node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []
    monkeypatch.setattr("web.api.questions._found_groups", WeakKeyDictionary())
    monkeypatch.setattr("web.api.questions._find_groups", lambda node: looked.append(node) or find_groups(node))
    first = client.get("/duplicates").text
    assert client.get("/duplicates").text == first
    assert len(looked) == 1
    node.start_ingest([Path("/")])
    client.get("/duplicates")
    assert len(looked) == 2


def test_jobs_at_work_come_first_then_the_queue_then_the_latest(client: FlaskClient, node: Any) -> None:
    states = ("done", "failed", "running", "queued", "queued")
    for at, state in enumerate(states):
        node.ingest.known[str(at)] = JobProgress(str(at), JobState(state), "media", (), created=float(at))
    assert re.findall(r'data-job="(\d)"', client.get("/jobs").text) == ["2", "3", "4", "1", "0"]


def test_the_shelf_forgets_the_oldest() -> None:
    shelf = OwnRecentUploads(capacity=2)
    first, second = (shelf.put(Probe("image", {}, {}, name=str(n))) for n in range(2))
    shelf.get(first)
    third = shelf.put(Probe("image", {}, {}, name="2"))
    assert [shelf.get(name).name for name in (first, third)] == ["0", "2"]
    with pytest.raises(NotFoundError):
        shelf.get(second)


def test_paths_as_people_paste_them(client: FlaskClient, library: Any) -> None:
    pasted = ("'/a b'", '"/a b"', " “/a b” ", "file:///a%20b", "file://localhost/a%20b", "/a b")
    assert {typed_path(text) for text in pasted} == {"/a b"}
    assert [typed_path(text) for text in ("", '"', "s3://b/'a'", "/a'b'")] == ["", '"', "s3://b/'a'", "/a'b'"]
    assert len(names(client.get(f"/?in=images&path_prefix='{library.folder}'").text)) == 32


def test_similar_sounds_come_before_what_videos_lead_to(client: FlaskClient, library: Any) -> None:
    page = client.get(f"/item/{library.ids['sound_0.wav']}").text
    assert re.findall(r'id="row-(\w+)"', page) == ["audio", "videos", "images"]


def test_numbers_as_people_read_them() -> None:
    assert [clock(s) for s in (None, 7.9, 750, 3723)] == ["", "0:07", "12:30", "1:02:03"]
    assert [span(s) for s in (None, 12, 120, 12_000)] == ["", "12 s", "2 min", "3 h 20 min"]
    assert [size(n) for n in (0, 999, 1_500, 123_456, 5_600_000)] == ["0 B", "999 B", "1.5 kB", "123 kB", "5.6 MB"]
    assert [percent(m) for m in (12.9, 98.99, 99.0, 99.96, 100.0)] == ["12 %", "98 %", "99.0 %", "99.9 %", "99.9 %"]
    assert [likeness(p) for p in (0.0, 0.0099, 0.29, 0.5, 0.899, 0.999)] == [
        "under 1 %", "under 1 %", "29 %", "50 %", "89 %", "99 %",
    ]  # fmt: skip
    assert [exposure(s) for s in (None, 1 / 250, 2.5)] == ["", "1/250 s", "2.5 s"]
    assert [borders(s) for s in ((), (0.0, 0.12, 0.004, 0.118))] == ["", "12 % top, 12 % bottom"]


def test_the_status_page_counts_what_an_older_version_decoded(client: FlaskClient, library: Any, node: Any) -> None:
    said = "were decoded otherwise by an older version"
    ids = [point.id for point in node.store.scroll("images", payload=False)]
    node.store.patch_payload("images", {ids[0]: {"decoding": 1}})
    before = client.get("/status", headers=HTML).text
    node.store.patch_payload("images", {id_: {"decoding": DECODING_REVISION} for id_ in ids})
    after = client.get("/status", headers=HTML).text
    assert before.count(said) - after.count(said) == 1


def test_browsers_keep_scripts_and_styles_for_good_and_texts_are_compressed(client: FlaskClient) -> None:
    page = client.get("/").text
    taken = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)
    assert len(taken) >= 5
    packed = {"Accept-Encoding": "gzip, deflate"}
    for address in taken:
        answer = client.get(address, headers=packed)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        if "Content-Encoding" in answer.headers:
            assert gzip.decompress(answer.data) == client.get(address).data
    assert "immutable" not in client.get("/static/js/main.js").headers["Cache-Control"]
    assert client.get("/static/js/none.js").status_code == 404
    for address in ("/", "/openapi.json", taken[0]):
        small = client.get(address, headers=packed)
        assert small.headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in small.headers["Vary"]
        whole = client.get(address)
        assert "Content-Encoding" not in whole.headers
        assert len(small.data) < len(whole.data) / 2
