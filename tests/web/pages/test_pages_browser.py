"""The pages in Chromium: what scripts add, and that nothing breaks the Content-Security-Policy."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from ingest.jobs.progress import Failure, JobProgress, JobState
from search.errors import WorkerUnavailableError
from search.settings import Settings
from search.store import open_store

pytestmark = pytest.mark.browser

Drop = Callable[[Page, str, bytes], None]


def until(page: Page, expression: str, seconds: float = 15.0) -> None:
    """Wait until an expression holds. ``wait_for_function`` cannot: it evaluates text inside the page, which the
    Content-Security-Policy forbids from the second try on."""
    deadline = time.monotonic() + seconds
    while not page.evaluate(expression):
        assert time.monotonic() < deadline, expression
        page.wait_for_timeout(50)


def tiles(page: Page) -> list[str]:
    return page.locator("#results .tile").evaluate_all("found => found.map(tile => tile.dataset.name)")


def png(colour: tuple[int, int, int]) -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (60, 40), colour).save(data, "PNG")
    return data.getvalue()


def test_a_dropped_file_finds_its_like_and_the_address_can_be_shared(page: Page, drop: Drop) -> None:
    page.goto("/?in=images")
    drop(page, "evening.png", png((22, 26, 58)))
    page.wait_for_url(re.compile(r"like=upload-"))
    expect(page.locator(".summary h1")).to_contain_text("evening.png")
    expect(page.locator(".example .thumb img")).to_be_visible()  # the dropped picture itself
    assert all(name.startswith("night") for name in tiles(page)[:6])
    before = tiles(page)
    page.reload()
    expect(page.locator(".summary h1")).to_contain_text("evening.png")
    assert tiles(page) == before


def test_a_chosen_file_finds_its_like(page: Page) -> None:
    page.goto("/?in=images")
    page.set_input_files("#file", {"name": "sand.png", "mimeType": "image/png", "buffer": png((228, 198, 142))})
    expect(page.locator(".summary h1")).to_contain_text("sand.png")
    assert tiles(page)[0].startswith("beach")


def test_a_dropped_file_that_is_no_media_is_refused_in_words(page: Page, drop: Drop) -> None:
    page.goto("/")
    drop(page, "notes.txt", b"hello")
    expect(page.locator(".busy")).to_contain_text("'notes.txt' is not a picture, video or sound")
    drop(page, "half.jpg", b"broken")
    expect(page.locator(".busy")).to_contain_text("ends in the middle")


def test_words_then_filters_then_back(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Words").fill("beach")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=beach")
    expect(page.locator(".summary h1")).to_contain_text("beach")
    page.get_by_label("Images", exact=True).check()
    page.wait_for_url(re.compile("in=images"))
    expect(page.locator("#results .tile")).to_have_count(8)
    page.get_by_label("Photographer").select_option("Ada")
    expect(page.locator("#results .tile")).to_have_count(4)
    page.get_by_title("Take this filter away").last.click()
    expect(page.locator("#results .tile")).to_have_count(8)
    assert page.get_by_label("Photographer").input_value() == ""
    page.go_back()
    expect(page.locator("#results .tile")).to_have_count(4)
    assert page.get_by_label("Photographer").input_value() == "Ada"


def test_more_like_this_several_examples_and_unlike(page: Page) -> None:
    page.goto("/?q=night&in=images")
    tile = page.locator("#results .tile").first
    tile.hover()
    tile.get_by_text("More like this").click()
    page.wait_for_url(re.compile(r"like="))
    expect(page.locator(".example")).to_have_count(1)
    assert tiles(page)[0].startswith("night")
    page.locator("#results .tile").nth(1).hover()
    page.get_by_label(re.compile("^Add to search")).nth(1).click()
    expect(page.locator(".examples.like .example")).to_have_count(2)
    page.locator("#results > .grid .tile").last.hover()
    page.locator("#results > .grid").get_by_label(re.compile("^Less like this")).last.click()
    expect(page.locator(".examples.unlike .example")).to_have_count(1)
    page.get_by_label(re.compile("^Remove")).last.click()
    expect(page.locator(".examples.unlike")).to_have_count(0)


def test_together_or_by_kind(page: Page, library: Any) -> None:
    page.goto(f"/?like={library.ids['forest_2.jpg']}")
    expect(page.locator("#results > .grid")).to_have_count(1)
    page.get_by_role("link", name="By kind").click()
    expect(page.locator(".row")).to_have_count(3)
    assert "view=rows" in page.url


def test_a_video_opens_at_its_moment(page: Page, library: Any) -> None:
    page.goto(f"/?like={library.ids['night_1.jpg']}&in=videos")
    page.locator(".tile[data-name='clip_0.webm'] .frame").click()
    video = page.locator("dialog video")
    expect(video).to_be_visible()
    until(page, "document.querySelector('dialog video').currentTime >= 2")
    expect(page.locator("dialog dl")).to_contain_text("visual")
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_the_viewer_is_worked_by_keys(page: Page) -> None:
    page.goto("/?q=beach&in=images")
    names = tiles(page)
    page.locator(".tile .frame").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("dialog h2")).to_have_text(names[0])
    page.keyboard.press("ArrowRight")
    expect(page.locator("dialog h2")).to_have_text(names[1])
    page.keyboard.press("Escape")
    expect(page.locator(".tile .frame:focus")).to_have_count(1)
    assert page.evaluate("document.activeElement.closest('.tile').dataset.name") == names[1]


def test_a_sound_plays_from_where_its_waveform_is_clicked(page: Page, library: Any) -> None:
    page.goto(f"/item/{library.ids['sound_0.wav']}")
    until(page, "document.querySelector('audio').readyState >= 1")
    track = page.locator(".track")
    box = track.bounding_box()
    assert box
    track.click(position={"x": box["width"] * 0.5, "y": 10})
    until(page, "document.querySelector('audio').currentTime >= .45")
    until(page, "parseFloat(document.querySelector('.wave').style.getPropertyValue('--played')) >= 40")


def test_key_frames_are_pictures_that_jump(page: Page, library: Any) -> None:
    page.goto(f"/item/{library.ids['clip_1.webm']}")
    canvases = page.locator(".frames canvas")
    expect(canvases).to_have_count(2)
    opaque = "(canvas) => canvas.getContext('2d').getImageData(150, 100, 1, 1).data[3] === 255"
    until(page, f"[...document.querySelectorAll('.frames canvas')].every({opaque})")
    page.get_by_role("link", name="2.0 s", exact=True).click()
    until(page, "document.querySelector('video').currentTime >= 2")


def test_a_hostile_name_runs_nothing(page: Page) -> None:
    page.goto("/?q=rose&in=images")
    name = "<img src=x onerror=alert(1)>.jpg"
    tile = page.locator(".tile", has_text=name)
    expect(tile.locator(".name")).to_have_text(name)
    tile.locator(".frame").click()
    expect(page.locator("dialog h2")).to_have_text(name)
    tile_link = page.locator("dialog").get_by_text("More like this")
    tile_link.click()
    expect(page.locator(".example .name")).to_have_text(name)


def test_progress_is_live(page: Page, node: Any) -> None:
    node.ingest.known["1"] = JobProgress("1", JobState.RUNNING, "holiday", ("/media",), total=100)
    page.goto("/jobs")
    job = page.locator("[data-job='1']")
    expect(job.locator("[data-field=done]")).to_have_text("0")
    node.ingest.set("1", embedded=40, failed=2, skipped=1, rate=10.0, eta_seconds=5.7)
    expect(job.locator("[data-field=done]")).to_have_text("43")
    expect(job.locator("[data-field=failed]")).to_have_text("2")
    expect(job.locator("[data-field=eta]")).to_have_text("6 s")
    expect(job.locator("progress")).to_have_js_property("value", 43)
    node.ingest.set("1", state=JobState.DONE_WITH_FAILURES, embedded=97)
    expect(job.locator(".state")).to_have_text("done with failures")
    expect(job.get_by_text("See failures")).to_be_visible()


def test_what_a_queued_job_waits_for_is_live(page: Page, node: Any) -> None:
    node.ingest.known["1"] = JobProgress("1", JobState.QUEUED, "classifier", ())
    page.goto("/jobs")
    note = page.locator("[data-job='1'] .note")
    expect(note).to_be_hidden()
    for reason in ("It waits for job 7 ('photos') to end.", "It waits for job 8 ('<b>more</b>') to end."):
        node.ingest.set("1", message=reason)
        expect(note).to_have_text(reason)
        expect(note).to_be_visible()
    node.ingest.set("1", message="")
    expect(note).to_be_hidden()


def test_a_card_that_has_not_changed_keeps_its_focus(page: Page, node: Any) -> None:
    for name in ("1", "2"):
        node.ingest.known[name] = JobProgress(
            name, JobState.RUNNING, f"library {name}", ("/media",), created=float(name)
        )
    page.goto("/jobs")
    page.locator("[data-job='1']").get_by_role("button", name="Cancel").focus()
    node.ingest.set("2", state=JobState.DONE)
    expect(page.locator("[data-job='2'] .state")).to_have_text("done")
    expect(page.locator("#jobs > :last-child")).to_have_attribute("data-job", "2")  # finished ones come after the rest
    expect(page.locator("[data-job='1']").get_by_role("button", name="Cancel")).to_be_focused()


def test_every_page_tells_how_far_the_work_is(page: Page, node: Any) -> None:
    node.ingest.known["1"] = JobProgress("1", JobState.RUNNING, "holiday", ("/media",), total=200, embedded=85)
    page.goto("/")
    badge = page.locator("[data-jobs-badge]")
    expect(badge).to_have_text("42 %")
    node.ingest.known["2"] = JobProgress("2", JobState.QUEUED, "classifier", (), total=0)
    page.wait_for_timeout(3500)  # it is asked for every three seconds
    expect(badge).to_have_text("42 %")  # what waits tells nothing of how far the work is
    node.ingest.set("1", state=JobState.DONE, embedded=200)
    expect(badge).to_have_text("queued", timeout=10_000)
    node.ingest.set("2", state=JobState.DONE)
    expect(badge).to_be_hidden(timeout=10_000)


def test_an_empty_library_fills_by_itself(
    browser: Browser, serving: Any, make_node: Any, library: Any, tmp_path: Path
) -> None:
    empty = open_store(Settings(home=tmp_path / "empty"))
    node = make_node()
    node.store = empty
    node.ingest.known["1"] = JobProgress("1", JobState.RUNNING, "holiday", ("/media",), total=200)
    with serving(node) as address:
        page = browser.new_context(base_url=address).new_page()
        page.goto(address)
        expect(page.locator("#underway")).to_contain_text("0 of 200")
        node.store = library.store
        node.ingest.set("1", embedded=48)
        expect(page.locator(".tile").first).to_be_visible(timeout=10_000)
        page.close()
    empty.close()


def test_showing_more_keeps_the_place(page: Page, library: Any) -> None:
    page.goto(f"/?like={library.ids['beach_1.jpg']}&in=images&limit=4")
    expect(page.locator("#results .tile")).to_have_count(4)
    more = page.get_by_role("link", name="Show more")
    more.scroll_into_view_if_needed()
    page.evaluate("window.scrollBy(0, 1000)")
    before = page.evaluate("scrollY")
    assert before > 0
    more.click()
    expect(page.locator("#results .tile")).to_have_count(8)
    assert page.evaluate("scrollY") == before


def test_start_pause_resume_cancel(page: Page, node: Any, tmp_path: Path) -> None:
    page.goto("/jobs")
    page.get_by_label("Folder on this machine").fill(str(tmp_path))
    page.get_by_role("button", name="Add folder").click()
    for action, state in (("Pause", "paused"), ("Resume", "running"), ("Cancel", "cancelled")):
        page.get_by_role("button", name=action).click()
        expect(page.locator(".state")).to_have_text(state)
    assert node.ingest.progress("1").state is JobState.CANCELLED


def test_failures_are_tried_again(page: Page, node: Any) -> None:
    node.ingest.failed = [Failure("/media/a.jpg", "corrupt", "It ends too early.", 1, "media", "1")]
    page.goto("/failures")
    expect(page.locator("tbody")).to_contain_text("It ends too early.")
    page.get_by_role("button", name="Retry all").click()
    page.wait_for_url("**/jobs")
    expect(page.locator(".job .state")).to_have_text("running")


def test_no_page_is_wider_than_its_window(browser: Browser, address: str, library: Any, node: Any) -> None:
    long = "/a/very/long/path" * 8
    node.ingest.known["1"] = JobProgress("1", JobState.RUNNING, "holiday", (long,), total=100, message=f"Not {long}.")
    node.ingest.failed = [Failure("/media/" + "a" * 200 + ".jpg", "corrupt", "It ends. " * 30, 1, "media", "1")]
    beach, night = library.ids["beach_1.jpg"], library.ids["night_1.jpg"]
    paths = ["/", "/?q=rose", f"/?like={beach}&unlike={night}&view=rows&in=images&cameras=Nikon+F3", "/status"]
    paths += [f"/item/{library.ids['clip_0.webm']}", "/jobs", "/failures", "/duplicates", "/login", "/nothing"]
    context = browser.new_context(base_url=address)
    page = context.new_page()
    for path in paths:
        page.goto(path)
        for width in (1440, 820, 360, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def test_it_works_without_scripts(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/?in=images")
    page.get_by_label("Words").fill("beach")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"q=beach"))
    expect(page.locator(".tile").first).to_be_visible()
    page.set_input_files("#file", {"name": "sand.png", "mimeType": "image/png", "buffer": png((228, 198, 142))})
    page.get_by_role("button", name="Find what is like it").click()
    page.wait_for_url(re.compile(r"like=upload-"))
    expect(page.locator(".tile").first).to_contain_text("beach")
    context.close()


def test_a_dropped_file_that_no_worker_takes_is_answered_in_words(
    browser: Browser, address: str, drop: Drop, node: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def probe(path: str, name: str = "") -> Any:
        raise WorkerUnavailableError("No worker is listening to questions.", "Start one: `likewise worker`.")

    monkeypatch.setattr(node.encoder, "probe", probe, raising=False)
    context = browser.new_context(base_url=address)  # of its own: the console counts the answer's 503 as an error
    page = context.new_page()
    page.goto("/")
    drop(page, "evening.png", png((22, 26, 58)))
    expect(page.locator("#drop .busy")).to_have_text(
        "No worker is listening to questions. Start one: `likewise worker`."
    )
    expect(page.locator("#results")).to_have_attribute("aria-busy", "false")
    context.close()


def test_no_page_has_a_barrier_that_axe_knows(barriers: Any, node: Any, library: Any) -> None:
    node.ingest.known["1"] = JobProgress("1", JobState.RUNNING, "holiday", ("/media",), total=100, embedded=3)
    node.ingest.known["2"] = JobProgress("2", JobState.QUEUED, "photos", ("/photos",))
    node.ingest.failed = [Failure("/media/a.jpg", "corrupt", "It ends too early.", 1, "media", "1")]
    beach, night = library.ids["beach_1.jpg"], library.ids["night_1.jpg"]
    paths = ["/", "/?q=rose", f"/?like={beach}&unlike={night}&style=0&in=images", "/status", "/jobs", "/failures"]
    paths += [f"/item/{library.ids[name]}" for name in ("beach_1.jpg", "clip_0.webm", "sound_0.wav")]
    assert barriers([*paths, f"/?q=beach#view={beach}", "/duplicates", "/nothing"]) == []
