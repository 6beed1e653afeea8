"""Folds, orders, switches and pages of answers, in Chromium."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser


def tiles(page: Page) -> list[str]:
    return page.locator("#results .tile:visible").evaluate_all("found => found.map(tile => tile.dataset.name)")


def test_weaker_results_unfold_by_key_and_go_on_in_their_fold(page: Page, library: Any) -> None:
    page.goto(f"/?like={library.ids['forest_0.jpg']}&limit=20")
    summary = page.locator("details.weaker summary")
    expect(summary).to_have_text("10 weaker results")
    assert len(tiles(page)) == 10
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#results .tile:visible")).to_have_count(20)
    page.get_by_role("link", name="Show more").click()
    expect(page.locator("#results .tile:visible")).to_have_count(38)
    expect(summary).to_have_text("28 weaker results")


def test_the_viewer_passes_by_what_is_folded_and_tells_what_is_behind_a_hit(page: Page, library: Any) -> None:
    page.goto(f"/?like={library.ids['forest_0.jpg']}&in=images")
    shown = tiles(page)
    page.locator(".tile .frame").nth(len(shown) - 1).click()
    expect(page.locator("dialog h2")).to_have_text(shown[-1])
    expect(page.locator("dialog").get_by_role("button", name="Next")).to_be_disabled()
    facts = page.locator("dialog dl")
    expect(facts).to_contain_text("Very similar")
    expect(facts).to_contain_text("99 % likely the same label, when as many pairs are as are not")
    expect(facts).to_contain_text("of random pairs here")


def test_a_listing_is_ordered_turned_round_and_paged(page: Page) -> None:
    page.goto("/?in=images&limit=12")
    page.get_by_label("Order").select_option(label="Name")
    page.wait_for_url(re.compile("order=name"))
    expect(page.locator(".position")).to_have_text("1–32 of 32")
    page.get_by_role("link", name="A to Z").click()
    expect(page.get_by_role("link", name="Z to A")).to_be_visible()
    assert tiles(page)[0] == "rose_7.jpg"
    page.get_by_label("Photographer").select_option("Ada")  # a filter keeps order and direction
    expect(page.locator(".position")).to_have_text("1–16 of 16")
    assert "descending=true" in page.url
    assert tiles(page)[0] == "rose_7.jpg"


def test_the_switch_varies_the_results_and_back(page: Page, library: Any) -> None:
    page.goto(f"/?like={library.ids['forest_0.jpg']}&in=images")
    switch = page.get_by_label("Vary the results")
    expect(switch).not_to_be_checked()
    switch.check()
    page.wait_for_url(re.compile("diversity=0.5"))
    expect(switch).to_be_checked()
    switch.uncheck()
    page.wait_for_url(lambda url: "diversity" not in url)


def test_no_answer_is_wider_than_its_window(browser: Browser, address: str, library: Any) -> None:
    forest, sound = library.ids["forest_0.jpg"], library.ids["sound_0.wav"]
    paths = ["/?in=images&limit=12&order=name", f"/?like={forest}&weaker=true", f"/?like={sound}&view=rows&weaker=true"]
    paths += ["/?q=nights", f"/?like={forest}&q=xylophone", f"/?near=36,-5.6,1500&like={forest}"]
    paths += [f"/item/{library.ids['beach_0.jpg']}", f"/?like={forest}&limit=10&offset=10"]
    context = browser.new_context(base_url=address)
    page = context.new_page()
    for path in paths:
        page.goto(path)
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def test_the_viewer_has_an_address_and_back_closes_it(page: Page, library: Any) -> None:
    page.goto("/?q=beach&in=images")
    names = tiles(page)
    page.locator(".tile .frame").first.click()
    title = page.locator("dialog h2")
    for key, at in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2)):
        page.keyboard.press(key)
        expect(title).to_have_text(names[at])
    assert page.url.endswith(f"/?q=beach&in=images#view={library.ids[names[2]]}")
    shared = page.url
    page.go_back()
    expect(page.locator("dialog[open]")).to_have_count(0)
    assert page.url.endswith("/?q=beach&in=images")
    page.go_forward()
    expect(title).to_have_text(names[2])
    page.get_by_role("button", name="Next").click()  # the focus stays on what was pressed
    page.keyboard.press("Enter")
    expect(title).to_have_text(names[4])
    page.keyboard.press("Escape")
    page.wait_for_url("**/?q=beach&in=images")
    page.goto("about:blank")
    page.goto(shared)
    expect(title).to_have_text(names[2])
    page.locator("dialog").get_by_role("link", name="More like").click()
    expect(page.locator(".example")).to_have_count(1)
    page.go_back()
    expect(title).to_have_text(names[2])
    expect(page.locator(".example")).to_have_count(0)
    page.keyboard.press("Escape")  # a shared address has no page of results before it
    page.wait_for_url("**/?q=beach&in=images")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.goto(f"/?q=night#view={library.ids['rose_1.jpg']}")
    page.wait_for_url(f"**/item/{library.ids['rose_1.jpg']}")


def test_arrow_keys_work_after_a_video_was_clicked(page: Page) -> None:
    page.goto("/?in=videos&order=name")
    page.locator(".tile .frame").first.click()
    page.locator("dialog video").click()
    for name in ("clip_1.webm", "clip_2.webm"):
        page.keyboard.press("ArrowRight")
        expect(page.locator("dialog h2")).to_have_text(name)


def test_a_finger_swipes_through_the_viewer(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, viewport={"width": 390, "height": 800}, has_touch=True)
    page = context.new_page()
    page.goto("/?q=beach&in=images")
    names = tiles(page)
    page.locator(".tile .frame").first.tap()
    box = page.locator("dialog .show").bounding_box()
    assert box
    touch = context.new_cdp_session(page)
    middle = box["y"] + box["height"] / 2

    def swipe(start: float, end: float) -> None:
        for kind, x in (("touchStart", start), ("touchMove", (start + end) / 2), ("touchMove", end)):
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": middle}]})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    for start, end, at in ((300, 80, 1), (300, 80, 2), (80, 300, 1)):
        swipe(start, end)
        expect(page.locator("dialog h2")).to_have_text(names[at])
    context.close()


def test_a_typed_date_is_asked_for_once(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "taken_from" in request.url else None)
    page.goto("/?in=images")
    field = page.get_by_label("Taken from")
    field.focus()
    page.keyboard.type("01022015", delay=30)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.wait_for_url(re.compile("taken_from=2015"))
    assert len(asked) == 1
    field.fill("2016-01-02")  # as by the calendar, without keys
    page.wait_for_url(re.compile("taken_from=2016-01-02"))


def test_keys_reach_a_result_at_once_and_a_grid_is_one_stop(page: Page) -> None:
    page.goto("/?q=beach&in=images")
    expect(page.locator("[data-stop]")).to_have_count(1)
    for _ in range(2):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.className") == "skip":
            break
    page.keyboard.press("Enter")
    names = tiles(page)
    focused = "document.activeElement.closest('.tile')?.dataset.name"
    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate(focused):
            break
    assert page.evaluate(focused) == names[0]
    for key, name in (("ArrowRight", names[1]), ("End", names[-1]), ("ArrowLeft", names[-2]), ("Home", names[0])):
        page.keyboard.press(key)
        assert page.evaluate(focused) == name
    for _ in range(4):  # the frame and its three links
        assert page.evaluate(focused) == names[0]
        page.keyboard.press("Tab")
    assert page.evaluate(focused) is None
    named = "a.ariaLabel || a.innerText.trim() || a.querySelector('img[alt]')"
    unnamed = f"[...document.querySelectorAll('a')].filter(a => !({named}))"
    assert page.evaluate(f"{unnamed}.length") == 0


SHIFT = """
window.shifted = 0;
const add = (one) => (window.shifted += one.hadRecentInput ? 0 : one.value);
new PerformanceObserver((list) => list.getEntries().forEach(add)).observe({ type: "layout-shift", buffered: true });
"""


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_moves_while_a_page_loads(browser: Browser, address: str, library: Any, width: int) -> None:
    context = browser.new_context(base_url=address, viewport={"width": width, "height": 800})
    page = context.new_page()
    page.add_init_script(SHIFT)
    for path in (
        "/",
        "/?q=beach",
        f"/item/{library.ids['clip_0.webm']}",
        f"/item/{library.ids['sound_0.wav']}",
        f"/item/{library.ids['night_2.jpg']}",
        "/jobs",
    ):
        page.goto(path, wait_until="networkidle")
        assert page.evaluate("window.shifted") <= 0.05, path
    context.close()


def test_an_item_leads_to_its_neighbours_among_the_results_and_back(page: Page) -> None:
    page.goto("/?in=images&order=name")
    page.get_by_label("Photographer").select_option("Ada")
    page.wait_for_url(re.compile("photographers=Ada"))
    names = tiles(page)
    page.locator(".tile .frame").nth(1).click()
    page.get_by_role("link", name="All details").click()
    expect(page.locator("#neighbours [data-place]")).to_have_text(f"2 of {len(names)}")
    page.get_by_role("link", name="Next", exact=True).click()
    expect(page.locator("h1")).to_have_text(names[2])
    for name in (names[1], names[0]):
        page.get_by_role("link", name="Previous", exact=True).click()
        expect(page.locator("h1")).to_have_text(name)
    expect(page.get_by_role("link", name="Previous", exact=True)).to_have_count(0)
    page.get_by_role("link", name="Back to the results").click()
    assert tiles(page) == names


def test_previews_below_the_screen_wait_until_the_reader_moves(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, viewport={"width": 390, "height": 700})
    page = context.new_page()
    page.goto("/?in=images&view=grid", wait_until="networkidle")
    loaded = page.locator(".frame > img[src]")
    first = loaded.count()
    assert 4 <= first < 20  # of 32
    waiting = page.locator(".frame > img").last
    assert waiting.get_attribute("src") is None
    page.keyboard.press("End")
    expect(waiting).to_have_attribute("src", re.compile("/preview"))
    page.goto("/", wait_until="networkidle")
    assert loaded.count() < 16  # of 39 in three strips
    context.close()
