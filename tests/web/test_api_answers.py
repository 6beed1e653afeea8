"""Bands, paging, orders, places and words of the JSON API, on a real store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from search.likeness.curve import Band


def names(hits: list[dict[str, Any]]) -> list[str]:
    return [Path(hit["paths"][0]).name for hit in hits]


def ask(client: FlaskClient, **body: Any) -> Any:
    answer = client.post("/api/v1/similar", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_every_hit_has_a_band_and_a_likeness_and_bands_order(client: FlaskClient, library: Any) -> None:
    answer = ask(client, like=[library.ids["forest_0.jpg"]], limit=40)
    bands = [Band(hit["band"]).rank for hit in answer["hits"]]
    assert bands == sorted(bands)
    by_name = dict(zip(names(answer["hits"]), answer["hits"], strict=True))
    assert (by_name["forest_1.jpg"]["band"], by_name["forest_1.jpg"]["likeness"]) == ("edited copy", 1.0)
    assert by_name["forest_2.jpg"]["band"] == "very similar"
    assert by_name["night_0.jpg"]["band"] == "weak"
    assert by_name["night_0.jpg"]["likeness"] < 0.5
    assert names(answer["hits"])[0] == "forest_1.jpg"


def test_pages_by_offset_hold_everything_once(client: FlaskClient, library: Any) -> None:
    like = [library.ids["forest_0.jpg"]]
    whole = ask(client, like=like, limit=40)
    paged = [ask(client, like=like, limit=10, offset=offset) for offset in range(0, 50, 10)]
    assert [hit["id"] for page in paged for hit in page["hits"]] == [hit["id"] for hit in whole["hits"]]
    assert len(whole["hits"]) == 38
    assert paged[1]["query"]["offset"] == 10
    assert [hit for page in paged for hit in page["by_collection"]["images"]] == whole["by_collection"]["images"]


def test_diversity_changes_the_order_and_brings_nothing_weak_forward(client: FlaskClient, library: Any) -> None:
    asked = {"like": [library.ids["forest_0.jpg"]], "in": ["images"], "limit": 20}
    alike = ask(client, **asked)
    varied = ask(client, **asked, diversity=0.9)
    assert names(varied["hits"]) != names(alike["hits"])
    assert varied["hits"][0]["band"] == alike["hits"][0]["band"] == "edited copy"
    bands = [hit["band"] == "weak" for hit in varied["hits"]]
    assert bands == sorted(bands)
    assert varied["query"]["diversity"] == 0.9


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"offset": -1}, "'offset' cannot be"),
        ({"offset": 10_001}, "'offset' cannot be 10001"),
        ({"diversity": 1.5}, "'diversity' cannot be 1.5"),
        ({"diversity": 0.5, "style": 0}, "not both"),
        ({"near": "here"}, "'near' cannot be 'here'"),
        ({"near": "91,0,10"}, "no place at latitude 91"),
        ({"near": "1,2,0"}, "positive number of metres"),
        ({"numbers": []}, "no parameter 'numbers'"),
        ({"lacking": "size"}, "no parameter 'lacking'"),
        ({"words": "-dog"}, "only leaves out"),
        ({"words": "x" * 10_000}, "10000 characters"),
    ],
)
def test_what_cannot_be_asked_is_told(client: FlaskClient, library: Any, given: Any, said: str) -> None:
    answer = client.post("/api/v1/similar", json={"like": [library.ids["forest_0.jpg"]], **given})
    assert answer.status_code == 400
    assert said in answer.json["error"]["message"]


def test_near_a_place(client: FlaskClient, library: Any) -> None:
    found = client.get("/api/v1/browse?collection=images&near=36.0,-5.6,2500").json
    assert {Path(record["paths"][0]).name for record in found["records"]} == {
        "beach_0.jpg",
        "beach_1.jpg",
        "beach_2.jpg",
    }
    assert found["total"] == 3
    media = library.ids["night_0.jpg"]
    similar = client.get(f"/api/v1/media/{media}/similar?near=36.0,-5.6,500").json
    assert names(similar["hits"]) == ["beach_0.jpg"]
    as_numbers = ask(client, like=[media], near=[36.0, -5.6, 500])
    assert names(as_numbers["hits"]) == ["beach_0.jpg"]


def browse(client: FlaskClient, **asked: Any) -> Any:
    answer = client.get("/api/v1/browse", query_string={"collection": "images", **asked})
    assert answer.status_code == 200, answer.text
    return answer.json


def test_browsing_goes_in_the_order_asked_for(client: FlaskClient) -> None:
    newest = browse(client, limit=500)
    taken = [record["taken_at"] for record in newest["records"]]
    assert taken == sorted(taken, reverse=True)
    assert (newest["total"], newest["position"]) == (32, 0)
    oldest = browse(client, limit=500, descending="false")
    assert [record["taken_at"] for record in oldest["records"]] == sorted(taken)
    named = names(browse(client, limit=500, order="name")["records"])
    assert named[1:4] == ["beach_0.jpg", "beach_1.jpg", "beach_2.jpg"]
    assert names(browse(client, limit=500, order="name", descending="true")["records"]) == named[::-1]
    sizes = [record["size"] for record in browse(client, limit=500, order="size")["records"]]
    assert sizes == sorted(sizes, reverse=True)


def test_pages_of_an_order_hold_everything_once_and_tell_where_they_are(client: FlaskClient) -> None:
    whole, pages, after = names(browse(client, limit=500, order="name")["records"]), [], {}
    while True:
        page = browse(client, limit=12, order="name", **after)
        pages.append(page)
        if page["after"] is None:
            break
        after = {"after": page["after"]}
    assert [name for page in pages for name in names(page["records"])] == whole
    assert [page["position"] for page in pages] == [0, 12, 24]
    assert {page["total"] for page in pages} == {32}


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("order=beauty", "no order 'beauty'"),
        ("after=not-a-cursor", "not where a listing ended"),
        ("order=size&after={cursor}", "belongs to a listing in the order 'newest'"),
    ],
)
def test_an_unknown_order_or_a_broken_cursor_is_told(client: FlaskClient, query: str, said: str) -> None:
    cursor = browse(client, limit=3)["after"]
    answer = client.get(f"/api/v1/browse?collection=images&{query.format(cursor=cursor)}")
    assert answer.status_code == 400
    assert said in answer.json["error"]["message"]
    if "beauty" in query:
        assert "newest, name, size, duration, added, id" in answer.json["error"]["hint"]


def test_words_say_why_they_found_a_picture(client: FlaskClient) -> None:
    answer = client.get("/api/v1/search?q=nights&in=images&limit=5").json
    assert (answer["total"], len(answer["hits"])) == (8, 5)
    assert {"word": "nights", "place": "tag", "text": "night", "strength": 1.0} in answer["hits"][0]["reasons"]
    rest = client.get("/api/v1/search?q=nights&in=images&limit=5&offset=5").json
    assert len({hit["id"] for hit in (*answer["hits"], *rest["hits"])}) == 8


def test_words_may_leave_out_and_fall_back_to_any(client: FlaskClient) -> None:
    found = client.get("/api/v1/search", query_string={"q": "beach -clip", "limit": 500}).json
    assert {hit["kind"] for hit in found["hits"]} == {"image", "audio"}
    some = client.get("/api/v1/search?q=beach night&in=images&limit=500").json
    assert some["matched_any"]
    assert some["total"] == 16
    assert some["notes"]
    assert client.get("/api/v1/search?q=beech&in=images").json["corrected"] in (
        [],
        [{"typed": "beech", "instead": "beach"}],
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [("", "'q' is needed"), ("   ", "'q' is needed"), ("x" * 10_000, "10000 characters"), ("-dog", "only leaves out")],
)
def test_words_that_cannot_be_asked(client: FlaskClient, words: str, said: str) -> None:
    answer = client.get("/api/v1/search", query_string={"q": words})
    assert answer.status_code == 400
    assert said in answer.json["error"]["message"]


def test_words_in_any_script_are_words(client: FlaskClient) -> None:
    for words in ("пляж", "浜辺", "شاطئ", "!?"):
        assert client.get("/api/v1/search", query_string={"q": words}).json["hits"] == []


def test_words_narrow_a_question_by_example(client: FlaskClient, library: Any) -> None:
    like = [library.ids["beach_1.jpg"]]
    answer = ask(client, like=like, words="night", **{"in": ["images"]})
    assert set(names(answer["hits"])) == {f"night_{n}.jpg" for n in range(8)}
    assert answer["query"]["words"] == "night"
    by_get = client.get(f"/api/v1/media/{like[0]}/similar?words=night&in=images").json
    assert by_get["hits"] == answer["hits"]
    assert ask(client, like=like, words="round -night", limit=500, **{"in": ["images"]})["hits"]


def test_words_that_nothing_holds_leave_no_hits_and_say_so(client: FlaskClient, library: Any) -> None:
    answer = ask(client, like=[library.ids["beach_1.jpg"]], words="xylophone")
    assert answer["hits"] == []
    assert all(hits == [] for hits in answer["by_collection"].values())
    assert answer["notes"][0] == "Nothing here holds the words 'xylophone'."


@pytest.mark.parametrize(
    ("words", "note"),
    [
        ("the", "Not looked for, because most pictures would answer to it: the."),
        ("!?", "No word was typed that could be looked for."),
    ],
)
def test_words_that_are_not_looked_for_narrow_nothing_and_are_named(
    client: FlaskClient, library: Any, words: str, note: str
) -> None:
    like = [library.ids["beach_1.jpg"]]
    answer = ask(client, like=like, words=words, **{"in": ["images"]})
    assert answer["hits"] == ask(client, like=like, **{"in": ["images"]})["hits"] != []
    assert answer["notes"][0] == note


def test_a_stop_word_among_others_is_named(client: FlaskClient, library: Any) -> None:
    answer = ask(client, like=[library.ids["beach_1.jpg"]], words="the night", **{"in": ["images"]})
    assert set(names(answer["hits"])) == {f"night_{n}.jpg" for n in range(8)}
    assert answer["notes"][0] == "Not looked for, because most pictures would answer to it: the."


def test_a_cap_on_what_holds_the_words_is_told(
    client: FlaskClient, library: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.words.find.MOST", 3)
    answer = ask(client, like=[library.ids["beach_1.jpg"]], words="night", **{"in": ["images"]})
    assert len(answer["hits"]) == 3
    assert answer["notes"][0] == (
        "More of the images hold the words 'night' than the 3 that do so most, which were compared."
    )
