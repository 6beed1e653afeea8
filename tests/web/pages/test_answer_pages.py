"""What the pages say of answers: bands, folds, pages, orders, words and places."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from search.media import Kind
from search.words import Correction, FoundByWords, MatchPlace, WordHit, WordReason


def names(page: str) -> list[str]:
    return re.findall(r'class="tile [^>]*data-name="([^"]*)"', page)


def parts(page: str) -> tuple[str, str]:
    """What is shown, and what is folded away."""
    shown, _, folded = page.partition('<details class="weaker"')
    return shown, folded


def link(page: str, words: str) -> str:
    found = re.search(rf'<a [^>]*href="([^"]*)"[^>]*>{re.escape(words)}</a>', page)
    assert found, words
    return html.unescape(found[1])


def test_copies_are_told_by_words_others_by_likeness_and_weak_ones_are_folded(
    client: FlaskClient, library: Any
) -> None:
    page = client.get(f"/?like={library.ids['forest_0.jpg']}&in=images").text
    shown, folded = parts(page)
    assert names(shown) == [f"forest_{n}.jpg" for n in (1, 6, 5, 3, 4, 2, 7)]
    assert shown.count('<span class="badge edited-copy">Edited copy</span>') == 1
    assert re.findall(r'<span class="figure"[^>]*>([^<]*)</span>', shown) == ["99 %"] * 6  # none for the copy
    assert "7 most like" in page
    assert "<summary>24 weaker results</summary>" in page
    assert not page.partition('<details class="weaker"')[2].startswith(" open")
    assert len(names(folded)) == 24
    assert not [name for name in names(folded) if name.startswith("forest")]
    for said in (
        "99 % likely the same label, when as many pairs are as are not",
        "random pairs here",
        "in visual, by fake",
    ):
        assert said in shown


def test_rows_are_folded_too_the_own_kind_first(client: FlaskClient, library: Any) -> None:
    page = client.get(f"/?like={library.ids['sound_0.wav']}&view=rows").text
    assert re.findall(r'id="row-(\w+)"', page) == ["audio", "videos", "images"]
    assert page.count('<details class="weaker"') == 3
    item = client.get(f"/item/{library.ids['clip_0.webm']}").text
    assert re.findall(r'id="row-(\w+)"', item) == ["videos", "images", "audio"]
    assert item.count('<details class="weaker"') == 3


def test_nothing_better_than_weak_is_said(client: FlaskClient, library: Any) -> None:
    page = client.get(f"/?like={library.ids['forest_2.jpg']}&in=images&tags=rose").text
    assert "Nothing much like" in page
    assert "Nothing that was asked is more than weakly similar." in page
    assert names(parts(page)[0]) == []
    assert "<summary>8 weaker results</summary>" in page
    rows = client.get(f"/?like={library.ids['forest_2.jpg']}&in=images&tags=rose&view=rows").text
    assert "None is more than a weak result." in rows


def test_what_came_through_a_video_stands_after_direct_hits_and_says_so(client: FlaskClient, library: Any) -> None:
    shown, _ = parts(client.get(f"/?like={library.ids['forest_2.jpg']}").text)
    assert set(names(shown)[-2:]) == {"sound_0.wav", "sound_1.wav"}
    assert shown.count(">through <a href") == 2
    assert "likely the same label, by both steps through the video" in shown


def test_copies_have_their_own_section_on_the_page_of_an_item(client: FlaskClient, library: Any) -> None:
    page = client.get(f"/item/{library.ids['forest_0.jpg']}").text
    section = re.search(r"<h2>Edited copies <small>1</small></h2>.*?</section>", page, re.DOTALL)
    assert section
    assert names(section[0]) == ["forest_1.jpg"]
    assert names(page).count("forest_1.jpg") == 1


def test_more_of_what_is_weak_is_shown_in_its_fold(client: FlaskClient, library: Any) -> None:
    page = client.get(f"/?like={library.ids['forest_0.jpg']}&limit=20").text
    more = link(parts(page)[1], "Show more")
    assert "limit=40" in more
    assert "weaker=true" in more
    longer = client.get(more).text
    assert '<details class="weaker" open>' in longer
    assert len(names(longer)) == 38
    assert "Show more" not in longer


def test_answers_go_on_page_by_page_and_hold_everything_once(
    client: FlaskClient, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("web.pages.results.MOST", 10)  # 500 in truth
    like = library.ids["clip_0.webm"]
    address, met, ranges = f"/?like={like}&limit=10", [], []
    while address:
        page = client.get(address).text
        met += names(page)
        ranges += re.findall(r"<h1[^>]*>\s*(\d+–\d+) most like", page)
        address = link(page, "Next page") if "Next page" in page else ""
    assert len(met) == len(set(met)) == 38
    assert ranges == ["11–20", "21–30", "31–38"]
    assert link(page, "Previous page") == f"/?like={like}&limit=10&weaker=true&offset=20"


def test_results_can_be_varied(client: FlaskClient, library: Any) -> None:
    like = library.ids["forest_0.jpg"]
    page = client.get(f"/?like={like}").text
    assert '<input type="checkbox" name="diversity" value="0.5" form="question" ' in page
    varied = client.get(f"/?like={like}&diversity=0.9&limit=6&in=images").text
    assert 'value="0.9" form="question" checked' in varied
    assert names(varied) != names(client.get(f"/?like={like}&limit=6&in=images").text)
    weighing = client.get(f"/?like={like}&style=0").text
    assert 'name="diversity"' not in weighing  # the dial orders by itself
    assert "diversity" not in link(varied, "Match by subject or style")


def test_what_moves_alike_is_asked_from_a_film_where_movement_is_kept(
    client: FlaskClient, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    film, photo = f"/?like={library.ids['clip_0.webm']}&style=0&in=videos", f"/?like={library.ids['forest_0.jpg']}"
    assert "Moves alike" not in client.get(film).text  # its key frames are all that is kept of a film here
    monkeypatch.setattr("web.pages.search.SCENE", "visual")
    asked = link(client.get(film).text, "Moves alike")
    assert asked == f"/?like={library.ids['clip_0.webm']}&in=videos&spaces=motion"
    assert "Moves alike" not in client.get(asked).text
    assert "Moves alike" not in client.get(photo).text


def test_the_library_is_listed_newest_first_and_in_other_orders(client: FlaskClient) -> None:
    page = client.get("/?in=images&limit=12").text
    assert "no particular order" not in page
    assert {name[-5] for name in names(page)[:4]} == {"7"}  # taken in 2017
    assert '<option value="" selected>Date taken</option>' in page
    assert "1–12 of 32" in page
    oldest = client.get(link(page, "Newest first")).text
    assert "Oldest first" in oldest
    assert names(oldest)[:3] != names(page)[:3]
    assert link(oldest, "Oldest first") == "/?in=images&limit=12"
    by_name = client.get("/?in=images&limit=12&order=name").text
    assert names(by_name)[1:4] == ["beach_0.jpg", "beach_1.jpg", "beach_2.jpg"]
    second = client.get(link(by_name, "Next page")).text
    assert "13–24 of 32" in second
    assert not set(names(second)) & set(names(by_name))
    assert link(second, "First page") == "/?in=images&limit=12&order=name"
    rows = client.get("/?order=name&descending=true").text
    assert names(rows)[:2] == ["rose_7.jpg", "rose_6.jpg"]
    assert names(rows)[32:34] == ["clip_2.webm", "clip_1.webm"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("order=beauty", "There is no order &#39;beauty&#39;."),
        ("in=images&after=x", "is not where a listing ended"),
        ("near=x", "&#39;near&#39; cannot be"),
        ("q=-dog", "only leaves out"),
        ("q=" + "x" * 10_000, "10000 characters"),
        ("offset=10001", "&#39;offset&#39; cannot be"),
    ],
)
def test_what_cannot_be_asked_is_explained_in_place(client: FlaskClient, query: str, said: str) -> None:
    answer = client.get(f"/?{query}")
    assert answer.status_code == 400
    assert said in answer.text
    assert 'id="question"' in answer.text


def test_what_was_taken_near_a_place(client: FlaskClient, library: Any) -> None:
    item = client.get(f"/item/{library.ids['beach_0.jpg']}").text
    around = link(item, "Within 1 km of here")
    assert around == "/?near=36,-5.6,1000"
    page = client.get(around).text
    assert names(page) == ["beach_0.jpg"]
    assert "Taken: <b>within 1 km of 36.000° N, 5.600° W</b>" in page
    assert "Within 1 km" not in client.get(f"/item/{library.ids['night_0.jpg']}").text


def test_words_say_why_and_how_they_were_read(
    client: FlaskClient, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hit(name: str, kind: Kind, **rest: Any) -> WordHit:
        reasons = (
            WordReason("butterfly", MatchPlace.SHOWS, "butterfly", 0.974),
            WordReason("butterfly", MatchPlace.NAME, name, 0.9),
        )
        return WordHit(library.ids[name], kind, (f"/{name}",), None, (), 0.9, ("butterfly",), reasons, **rest)

    found = FoundByWords(
        (hit("clip_0.webm", Kind.VIDEO, moment=2.0), hit("rose_1.jpg", Kind.IMAGE, weak=True)),
        total=1,
        weaker=1,
        at_least=True,
        corrected=(Correction("buterfly", "butterfly"),),
        notes=("Nothing holds all of these words; what holds some of them is given.",),
    )
    monkeypatch.setattr("web.api.questions.search_words", lambda *_, **__: found)
    page = client.get("/?q=buterfly").text
    shown, folded = parts(page)
    assert "1+ results for “<em>buterfly</em>”" in page
    assert "Showing results for butterfly instead of buterfly." in page
    assert "Nothing holds all of these words" in page
    assert ">shows butterfly</p>" in shown
    assert "shows butterfly (97 % sure)" in shown
    assert f'href="/item/{library.ids["clip_0.webm"]}?t=2.0"' in shown
    assert names(shown) == ["clip_0.webm"]
    assert "<summary>1 weaker result</summary>" in page
    assert names(folded) == ["rose_1.jpg"]


def test_words_are_looked_for_page_by_page(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.pages.results.MOST", 5)
    first = client.get("/?q=night&in=images&limit=5").text
    second = client.get(link(first, "Next page")).text
    assert "8 results for “<em>night</em>”" in first
    assert len({*names(first), *names(second)}) == 8
    assert "Next page" not in second


def test_the_search_box_gives_an_example(client: FlaskClient, library: Any) -> None:
    assert 'placeholder="Words, such as red car"' in client.get("/").text
    assert 'placeholder="Narrow by words: red"' in client.get(f"/?like={library.ids['beach_0.jpg']}").text


def test_words_narrow_a_question_as_the_api_does(client: FlaskClient, library: Any) -> None:
    like = library.ids["beach_1.jpg"]
    page = client.get(f"/?like={like}&q=night").text
    answer = client.post("/api/v1/similar", json={"like": [like], "words": "night", "limit": 40}).json
    assert sorted(re.findall(r'data-id="([^"]+)"', page)) == sorted(hit["id"] for hit in answer["hits"])
    nothing = client.get(f"/?like={like}&q=xylophone").text
    assert "Nothing here holds the words &#39;xylophone&#39;." in nothing
    assert names(nothing) == []
