"""The dashboard as it is sent, without a browser."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from ingest.jobs.progress import JobState
from search.evaluation.statistics import wilson
from search.photographers.photos.names import photographer_id
from search.photographers.training_files import TrainingFiles
from web.pages.photographers import TABS

HTML = {"Accept": "text/html"}
PAGES = ("", "?q=a&sort=name", "/predict", "/map", "/map?by=style&colour=photographer", "/report", "/develop")
SCRIPT = "<script>alert(1)</script>"


class Tags(HTMLParser):
    """Every tag of a page with its attributes, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def people(page: str) -> list[str]:
    found = re.findall(r'<h2><a class="person" href="/photographers/(\w+)">', page)
    assert len(found) == page.count('<li class="card')
    return found


def form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found
    return found[1]


def address(name: str) -> str:
    return f"/photographers/{photographer_id(name)}"


def test_no_page_holds_inline_code_or_runs_a_name(client: FlaskClient, desk: Any, library: Any) -> None:
    asked = f"/photographers/predict?like={library.ids['night_1.jpg']}"
    for path in (*(f"/photographers{path}" for path in PAGES), asked, *(address(name) for name in desk.names)):
        answer = client.get(path)
        assert answer.status_code == 200, path
        for tag, attributes in Tags(answer.text).found:
            assert tag != "style"
            assert tag != "script" or (attributes["src"] or "").startswith("/static/")
            assert not [name for name in attributes if name == "style" or name.startswith("on")]
            for name in ("src", "href", "action"):
                assert not re.match(r"(https?:)?//|javascript:|data:", attributes.get(name) or "")
            assert attributes.get("src") != "x"  # the picture that a photographer's name would like to be


def test_every_photographer_is_listed_with_what_is_known(client: FlaskClient, desk: Any) -> None:
    page = client.get("/photographers").text
    assert people(page) == [one.id for one in sorted(desk.list(), key=lambda one: -one.photos)]
    assert "9 and 1 group of alike photos" in page.replace("\u202f", "")
    grace = page[page.index(">Grace<") :].partition("</li>")[0]
    assert "1936 to 1939" in grace
    assert "from metadata (3)" in grace
    assert grace.count("/preview") == 5
    group = page[page.index(">Group 7<") :].partition("</li>")[0]
    assert "group of alike photos" in group


def test_the_list_is_sorted_and_narrowed(client: FlaskClient, desk: Any) -> None:
    by_name = people(client.get("/photographers?sort=name").text)
    assert by_name.index(photographer_id("Ada")) < by_name.index(photographer_id("Grace"))
    assert people(client.get("/photographers?sort=first").text)[0] == photographer_id("Ada")
    assert people(client.get("/photographers?q=POST+marion").text) == [photographer_id("Marion Post Wolcott")]
    assert people(client.get("/photographers?who=groups").text) == [photographer_id("Group 7")]
    assert len(people(client.get("/photographers?who=people").text)) == 9
    assert "No name contains this" in client.get("/photographers?q=zebra").text
    assert client.get("/photographers?sort=height", headers=HTML).status_code == 400


def test_five_hundred_photographers_come_a_page_at_a_time(client: FlaskClient, desk: Any) -> None:
    desk.names = [f"Photographer {n:03}" for n in range(500)]
    seen: list[str] = []
    path = "/photographers?sort=name"
    while path:
        page = client.get(path).text
        seen += people(page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert seen == [photographer_id(name) for name in desk.names]
    assert "beyond the last" in client.get("/photographers?page=99").text
    chart = client.get("/photographers/map").text
    assert chart.count('class="spot"') == 500
    assert 0 < chart.count('text-anchor="') < 600  # only as many names as there is room for


def test_one_photographer(client: FlaskClient, desk: Any) -> None:
    page = client.get(address("Grace")).text
    for words in (
        "more black shadows, less saturated and warmer colours",
        "2 ways of working",
        "Who works alike",
        "more alike than 93 % of pairs",
        "How the work has changed",
        "Credits worth a second look",
        "Leica M6",
        "6 photos, harvest",
        "Times are known of 20 of 30 photos",
    ):
        assert words in page
    charts = re.findall(r'<svg class="chart over-time".*?</svg>', page, re.DOTALL)
    assert len(charts) == 3
    assert all("<title>" in chart and "in %" in chart for chart in charts[:2])
    assert client.get("/photographers/0123456789abcdef", headers=HTML).status_code == 404


def test_a_bar_is_as_long_as_its_effect_and_on_its_side(client: FlaskClient) -> None:
    page = client.get(address("Grace")).text
    bars = re.findall(r'<rect class="(pro|con)" x="([\d.]+)%" y="2" width="([\d.]+)%"', page)[:3]
    assert [kind for kind, _, _ in bars] == ["pro", "con", "pro"]
    widths = [float(width) for _, _, width in bars]
    assert widths == pytest.approx([50, 50 * 1.4 / 2.1, 50 * 0.8 / 2.1], abs=0.1)
    assert [float(x) for _, x, _ in bars] == pytest.approx([50, 50 - widths[1], 50], abs=0.1)


def test_the_picture_answers_alone_unless_everything_is_asked(client: FlaskClient, desk: Any, library: Any) -> None:
    address = f"/photographers/predict?like={library.ids['night_1.jpg']}"
    page = client.get(address).text
    assert "goes by the picture alone" in page
    assert "The border alone is right for 56.0%." in page.partition('id="leaks"')[2].partition("</ul>")[0]
    assert page.index('id="by-subject"') < page.index('id="by-file"')
    more = re.search(r'href="([^"]+evidence=everything)"', page)
    assert more
    assert 'id="by-trees"' not in page
    everything = client.get(more[1].replace("&amp;", "&")).text
    assert "In this answer facts of file, clock and camera count as well" in everything
    trees = everything.partition('id="by-trees"')[2].partition("</section>")[0]
    assert "Absent tags count." in trees
    assert re.findall(r">(\d+) %<", trees) == ["4", "2"]
    assert client.get(f"{address}&evidence=dreams").status_code == 400


def test_a_stored_photo_is_asked_about(client: FlaskClient, desk: Any, library: Any) -> None:
    item = client.get(f"/item/{library.ids['night_1.jpg']}").text
    link = re.search(r'href="(/photographers/predict\?like=[^"]+)">Identify', item)
    assert link
    page = client.get(link[1]).text
    assert desk.asked[0].media_id == library.ids["night_1.jpg"]
    assert "82 % likely" in page
    assert page.count('class="threshold" x1="55.0%"') == 5
    assert "credited to <bdi>Ada</bdi>" in page
    assert page.index("How it is developed") < page.index("What it shows")
    assert "Calibrated" in page
    weights = re.findall(r'data-is="weight">([^<]+)<', page)
    assert weights == ["+1.31", "\u22120.84", "+0.62"]  # strongest first, whichever way
    assert "/photographers/predict" not in client.get(f"/item/{library.ids['sound_0.wav']}").text.partition("<aside")[2]


def test_nobody_comes_close_enough(client: FlaskClient, desk: Any, library: Any) -> None:
    desk.unknown = True
    page = client.get(f"/photographers/predict?like={library.ids['night_1.jpg']}").text
    assert '<h2 class="big">Unknown</h2>' in page
    assert "from 55 % on" in page
    assert "One of 2: <bdi>" in page
    assert "For 90 % of the photos by photographers who are known" in page


def test_an_upload_gets_an_address(client: FlaskClient, desk: Any) -> None:
    data = io.BytesIO()
    Image.new("RGB", (40, 30), (22, 26, 58)).save(data, "PNG")
    form = {"form_token": form_token(client.get("/photographers/predict").text)}
    sent = client.post("/photographers/predict", data={**form, "file": (io.BytesIO(data.getvalue()), "<b>.png")})
    assert sent.status_code == 303
    page = client.get(sent.headers["Location"]).text
    assert "&lt;b&gt;.png" in page
    assert desk.asked[0].name == "<b>.png"
    nothing = client.post("/photographers/predict", data=form, headers=HTML)
    assert nothing.status_code == 400
    text = client.post("/photographers/predict", data={**form, "file": (io.BytesIO(b"hi"), "a.txt")}, headers=HTML)
    assert text.status_code == 415
    assert client.post("/photographers/predict", data={"file": data}, headers=HTML).status_code == 403


def test_a_question_that_cannot_be_asked_is_explained_in_place(client: FlaskClient, desk: Any, library: Any) -> None:
    gone = client.get("/photographers/predict?like=upload-gone")
    assert gone.status_code == 404
    assert "no longer remembered" in gone.text
    assert 'id="predict"' in gone.text
    desk.trained = False
    untrained = client.get(f"/photographers/predict?like={library.ids['night_1.jpg']}").text
    assert "has not been trained" in untrained


def test_the_map_draws_everyone_where_they_are(client: FlaskClient, desk: Any) -> None:
    page = client.get("/photographers/map").text
    spots = re.findall(r'<a href="/photographers/(\w+)" class="spot" transform="translate\(([\d.]+) ([\d.]+)\)"', page)
    places = {id_: (float(x), float(y)) for id_, x, y in spots}
    chart = desk.map().charts[0]
    assert set(places) == {spot.id for spot in chart.spots}
    ada, grace, jack = chart.spots[:3]
    unit = (places[grace.id][0] - places[ada.id][0]) / (grace.at[0] - ada.at[0])
    for one in (grace, jack):  # one scale for both axes, the second pointing up
        assert places[one.id][0] - places[ada.id][0] == pytest.approx(unit * (one.at[0] - ada.at[0]), abs=0.3)
        assert places[one.id][1] - places[ada.id][1] == pytest.approx(-unit * (one.at[1] - ada.at[1]), abs=0.3)
    ways = re.findall(r'data-path="([^"]+)"', page)
    assert {len(way.split()) for way in ways} == {11}
    assert "61 % of the variance" in page
    assert page.count('<a href="/item/') == len(desk.photos)
    assert page.count("As a list") == 1


def test_a_training_from_random_vectors_is_drawn_beside_the_arranged_one(client: FlaskClient, desk: Any) -> None:
    assert "from random vectors" not in client.get("/photographers/map").text
    desk.from_random = True
    page = client.get("/photographers/map").text
    assert page.count("data-map") == page.count("data-play ") == 2
    arranged, random = re.findall(r"<figure[^>]*data-map.*?</figure>", page, re.DOTALL)
    assert "where their settings put them to step 2" in arranged
    assert "from random vectors to step 2" in random
    starts = [{way.split()[0] for way in re.findall(r'data-path="([^"]+)"', map_)} for map_ in (arranged, random)]
    assert [len(some) for some in starts] == [1, len(desk.names)]
    assert "Watch them find their places" not in client.get("/photographers/map?by=style").text


def test_plots_and_logs_of_the_training_are_linked(client: FlaskClient, desk: Any, tmp_path: Path) -> None:
    assert "Plots and logs" not in client.get("/photographers/map").text
    plot, other = tmp_path / "settling.html", tmp_path / "secret.html"
    plot.write_text("<script>1</script>", "utf-8")
    other.write_text("not to be had", "utf-8")
    desk.files = TrainingFiles("1", {plot.name: plot}, tmp_path / "logs")
    page = client.get("/photographers/map").text
    assert re.findall(r'href="/photographers/plots/([^"]+)"', page) == [plot.name]
    assert f"tensorboard --logdir {tmp_path / 'logs'}" in page
    answer = client.get(f"/photographers/plots/{plot.name}")
    assert (answer.mimetype, answer.text) == ("text/html", "<script>1</script>")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy  # it loads nothing,
    assert policy.endswith("sandbox allow-scripts")  # and its scripts are of no origin
    for name in (other.name, "..%2Fsecret.html", "../secret.html", "manifest.json"):
        assert client.get(f"/photographers/plots/{name}", headers=HTML).status_code == 404


def test_without_the_joint_model_the_map_is_of_profiles(client: FlaskClient, desk: Any) -> None:
    desk.joint = False
    page = client.get("/photographers/map").text
    assert 'id="people">Editing style' in page
    assert "data-path" not in page
    assert "data-play" not in page
    assert "Train the map" in page
    desk.names = []
    assert "nobody to draw" in client.get("/photographers/map").text


def test_when_nobody_is_credited_it_says_what_to_do(client: FlaskClient, desk: Any, node: Any) -> None:
    desk.names, desk.trained = [], False
    page = client.get("/photographers").text
    assert "Nobody is credited" in page
    token = {"form_token": form_token(page)}
    for data in (
        {"from": "exif"},
        {"from": "folder", "depth": "2"},
        {"from": "kmeans", "groups": "12"},
    ):
        assert client.post("/photographers/label", data={**token, **data, "apply": "1"}).status_code == 303
        assert node.tasks[-1] == ("label", data)
    table = (io.BytesIO("path,photographer\na.jpg,Zoë\n".encode("utf-16")), "names.csv")
    client.post("/photographers/label", data={**token, "from": "csv", "base": "'/mnt'", "table": table, "apply": "1"})
    assert node.tasks[-1] == ("label", {"from": "csv", "base": "/mnt", "table": "path,photographer\na.jpg,Zoë\n"})
    missing = client.post("/photographers/label", data={**token, "from": "csv"}, headers=HTML)
    assert missing.status_code == 400
    assert "No table" in missing.text
    assert client.post("/photographers/label", data={"from": "exif"}, headers=HTML).status_code == 403


@pytest.mark.parametrize(
    "data",
    [
        {"from": "folder", "depth": "65"},
        {"from": "kmeans", "groups": "10001"},
        {"from": "kmeans", "groups": "12", "colour": "red"},
        {"from": "hearsay"},
        {"from": "exif", "of": "all"},
        {"from": "none"},
        {"from": "csv"},
    ],
)
def test_a_form_for_labels_refuses_what_the_api_refuses(client: FlaskClient, node: Any, data: dict[str, str]) -> None:
    token = {"form_token": form_token(client.get("/photographers").text)}
    numbers = {name: int(text) if text.isdecimal() else text for name, text in data.items()}
    assert client.post("/photographers/label", data={**token, **data}, headers=HTML).status_code == 400
    assert client.post("/api/v1/photographers/label", json=numbers).status_code == 400
    assert node.tasks == []


def test_the_api_refuses_the_ids_that_the_form_for_a_credit_refuses(client: FlaskClient, node: Any) -> None:
    token = {"form_token": form_token(client.get("/photographers").text)}
    wrong = {"from": "person", "name": "Ada", "ids": ["../x"]}
    assert client.post("/photographers/credit", data={**token, "media": "../x", "name": "Ada"}).status_code == 404
    assert client.post("/api/v1/photographers/label", json=wrong).status_code == 404
    assert node.tasks == node.named == []


def test_every_page_of_the_dashboard_has_a_tab_that_it_marks(app: Flask) -> None:
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("photographers.")]
    pages = {
        rule.endpoint.partition(".")[2]: rule for rule in rules if "GET" in (rule.methods or ()) and not rule.arguments
    }
    assert pages.keys() == TABS.keys()
    for view, rule in pages.items():
        marked = f'<a href="{rule.rule}" aria-current="page">{TABS[view]}</a>'
        assert marked in app.test_client().get(rule.rule).text


def test_training_is_a_job_that_the_page_tells_of(client: FlaskClient, desk: Any, node: Any) -> None:
    desk.trained = False
    page = client.get("/photographers").text
    assert "The classifier has not been trained" in page
    token = {"form_token": form_token(page)}
    assert client.post("/photographers/train", data={**token, "kind": "classifier"}).location == "/photographers"
    assert client.post("/photographers/train", data={**token, "kind": "joint"}).location == "/photographers/map"
    assert node.tasks == [("train_photographers", {"seed": "0"}), ("train_joint", {"seed": "0"})]
    for path in ("", "/predict", "/map", "/report"):
        page = client.get(f"/photographers{path}").text
        assert page.count("data-work=") == 2
        assert "Training the classifier" in page
        assert 'max="10" value="4"' in page
    node.ingest.set("1", embedded=0)
    assert 'max="10" aria-label' in client.get("/photographers").text  # a bar that moves, not one that is empty
    for job in ("1", "2"):
        node.ingest.set(job, state=JobState.DONE)
    assert "data-work=" not in client.get("/photographers").text
    assert client.post("/photographers/train", data={**token, "kind": "<b>"}, headers=HTML).status_code == 400


def test_the_report_gives_every_figure_with_its_interval_and_n(client: FlaskClient, desk: Any) -> None:
    page = client.get("/photographers/report").text
    assert "71 % right" in page
    assert "95 % interval 64 to 78 %" in page
    assert page.count("n = 154") > 10
    told = re.findall(
        r'<svg class="meter interval".*?x1="([\d.]+)%" x2="([\d.]+)%" y1="7" y2="7"/>\s*<circle', page, re.S
    )
    assert len(told) == page.count('class="meter interval"')
    right = page[page.index("The most probable name is") :].partition("</tr>")[0]
    for place in ('x1="64.0%" x2="78.0%"', 'cx="71.0%"', 'class="chance" x1="20.0%"'):
        assert place in right
    assert "The camera gives it away" in page[: page.index("Figures")]  # before any figure can be quoted
    assert "4.1 points above the best simple recipe" in page
    assert page.count("not passed") == 1
    assert "at most 0.300" in page
    rows = re.findall(r'<td class="h(\d+)">(\d*)</td>', page)
    assert len(rows) == 25
    assert {shade for shade, count in rows if not count} == {"0"}
    dots = re.findall(r"<title>(\d+) % given, (\d+) % right, (\d+) photos</title>", page)
    assert dots == [("46", "50", "40"), ("84", "80", "114")]


def test_a_report_that_is_not_there_or_of_another_version(client: FlaskClient, desk: Any) -> None:
    desk.told = {"accuracy": 1}
    assert "another version" in client.get("/photographers/report").text
    desk.told = None
    assert "has not been measured" in client.get("/photographers/report").text
    assert "The classifier has not been trained" not in client.get("/photographers").text
    desk.trained = False
    assert "The classifier has not been trained" in client.get("/photographers/report").text


@pytest.mark.parametrize(
    ("share", "n", "low", "high"), [(0.5, 10, 0.2366, 0.7634), (1.0, 5, 0.5655, 1.0), (0.0, 0, 0, 1)]
)
def test_intervals_of_shares(share: float, n: int, low: float, high: float) -> None:
    assert wilson(share, n) == pytest.approx((low, high), abs=1e-4)
