"""The dashboard in Chromium, clicked through wide and narrow."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from ingest.jobs.progress import JobState
from search.errors import SpaceMismatchError
from search.photographers.photos.names import photographer_id

pytestmark = pytest.mark.browser

Drop = Callable[[Page, str, bytes], None]
SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def evening() -> bytes:
    data = io.BytesIO()
    Image.new("RGB", (60, 40), (22, 26, 58)).save(data, "PNG")
    return data.getvalue()


def _check_width(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


@pytest.mark.parametrize("width", [1440, 390])
def test_a_way_through_the_dashboard(page: Page, drop: Drop, evening: bytes, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/")
    page.get_by_role("link", name="Photographers", exact=True).click()
    page.get_by_role("textbox", name="Name", exact=True).fill("grace")
    page.get_by_role("button", name="Show").click()
    page.get_by_role("link", name="Grace", exact=True).click()
    expect(page.locator("h1")).to_have_text("Grace")
    expect(page.get_by_role("heading", name="How the work has changed")).to_be_visible()
    page.locator("article.alike", has_text="Editing style").get_by_role("link", name="Jack Delano").click()
    expect(page.locator("h1")).to_have_text("Jack Delano")

    page.get_by_role("link", name="Identify").click()
    expect(page.locator(".scripted #predict")).to_be_visible()
    drop(page, "evening.png", evening)
    page.wait_for_url(re.compile(r"like=upload-"))
    expect(page.locator(".verdict .big")).to_have_text("Ada")
    expect(page.locator("figure.asked img")).to_be_visible()  # the dropped picture itself
    expect(page.get_by_role("heading", name="What it shows")).to_be_visible()
    page.reload()
    expect(page.locator("figure.asked figcaption")).to_have_text("evening.png")

    page.get_by_role("link", name="Map", exact=True).click()
    spot = page.locator(f"[href='/photographers/{photographer_id('Grace')}'].spot")
    settled = spot.get_attribute("transform")
    expect(page.get_by_text("move it sideways")).to_be_visible(visible=width == 390)
    page.get_by_role("button", name="Play").click()
    expect(spot).not_to_have_attribute("transform", settled or "")
    expect(page.locator("[data-play]")).to_have_text("Play")  # it has come to its end
    expect(spot).to_have_attribute("transform", settled or "")

    page.get_by_role("link", name="Accuracy").click()
    expect(page.locator("h1")).to_have_text("Accuracy")


def test_settling_is_worked_by_keys_and_stops(page: Page) -> None:
    page.goto("/photographers/map")
    slider = page.locator("[data-frame]")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator("[data-step]")).to_have_text("0")
    spots = page.locator("[data-path]").evaluate_all("all => all.map(spot => spot.getAttribute('transform'))")
    assert len(set(spots)) == 1  # all vectors begin in one place
    page.keyboard.press("ArrowRight")
    expect(page.locator("[data-step]")).to_have_text("200")
    expect(slider).to_have_attribute("aria-valuetext", "step 200")
    button = page.get_by_role("button", name="Play")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Enter")
    expect(page.locator("[data-play]")).to_have_attribute("aria-pressed", "false")


def test_who_would_rather_not_see_things_move_gets_one_picture_a_frame(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, reduced_motion="reduce")
    page = context.new_page()
    page.goto("/photographers/map")
    frames = page.evaluate(
        """async () => {
            const spot = document.querySelector("[data-path]");
            const places = spot.dataset.path.split(" ");
            const allowed = new Set(places.map((place) => `translate(${place.replace(",", " ")})`));
            const seen = new Set();
            new MutationObserver(() => seen.add(spot.getAttribute("transform"))).observe(spot, { attributes: true });
            document.querySelector("[data-play]").click();
            await new Promise((resolve) => setTimeout(resolve, 1800));
            return { seen: seen.size, between: [...seen].filter((place) => !allowed.has(place)) };
        }"""
    )
    assert frames["seen"] >= 2
    assert frames["between"] == []
    context.close()


def test_a_hostile_name_is_clicked_through(page: Page, node: Any) -> None:
    page.goto("/photographers")
    page.get_by_role("link", name=SCRIPT, exact=True).click()
    expect(page.locator("h1")).to_have_text(SCRIPT)
    page.locator("article.alike").first.get_by_role("link", name="../../x").click()
    expect(page.locator("h1")).to_have_text("../../x")
    page.go_back()
    page.locator("select[name=into]").select_option(label="../../x (16)")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator("h1")).to_have_text(f"Merge {SCRIPT} with ../../x?")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator("h1")).to_have_text("../../x")
    page.get_by_role("button", name="It is by ../../x").click()
    expect(page.locator("h1")).to_have_text("../../x")
    assert node.named[0] == (SCRIPT, "../../x")
    assert node.named[1][1] == "../../x"
    page.goto("/photographers/map")
    page.locator(".spot", has_text=SCRIPT[:12]).click()
    expect(page.locator("h1")).to_have_text(SCRIPT)


def test_labelling_and_training_start_jobs_that_the_page_follows(page: Page, desk: Any, node: Any) -> None:
    names, desk.names, desk.trained = desk.names, [], False
    page.goto("/photographers")
    page.get_by_role("button", name="Make groups").click()
    expect(page.locator("[data-work]")).to_contain_text("Noting who took what")
    node.ingest.set("1", message="Half of it.")
    expect(page.locator("[data-says]")).to_have_text("Half of it.")
    desk.names = names
    node.ingest.set("1", state=JobState.DONE)
    expect(page.locator(".people")).to_be_visible()  # by itself
    page.get_by_role("button", name="Train").click()
    expect(page.locator("[data-work]")).to_contain_text("Training the classifier")
    assert node.tasks == [("label", {"from": "kmeans", "groups": "30"}), ("train_photographers", {"seed": "0"})]


def test_a_file_that_is_no_photo_is_refused_in_place(page: Page, drop: Drop) -> None:
    page.goto("/photographers/predict")
    drop(page, "notes.txt", b"hello")
    expect(page.locator("#predict .busy")).to_contain_text("'notes.txt' is not a picture, video or sound")
    expect(page.locator("#predict .busy")).not_to_contain_text("search page")  # the way out of a page of its own
    assert page.url.endswith("/predict")


def test_a_long_path_in_a_refusal_does_not_widen_the_page(page: Page, desk: Any, library: Any) -> None:
    def refuse(*_: object) -> None:
        raise SpaceMismatchError(f"The classifier in '{'/classifier' * 12}' was written by another version.")

    desk.predict = refuse
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"/photographers/predict?like={library.ids['night_1.jpg']}")
    expect(page.get_by_text("/classifier/classifier")).to_be_visible()
    _check_width(page, 390)


def test_it_works_without_scripts(browser: Browser, address: str, evening: bytes) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/photographers/predict")
    page.set_input_files("#file", {"name": "evening.png", "mimeType": "image/png", "buffer": evening})
    page.get_by_role("button", name="Identify", exact=True).click()
    expect(page.locator(".verdict .big")).to_have_text("Ada")
    page.get_by_role("link", name="Map", exact=True).click()
    expect(page.locator(".spot").first).to_be_visible()
    expect(page.locator("[data-player]")).to_be_hidden()
    context.close()


def test_no_page_is_wider_than_its_window(browser: Browser, address: str, desk: Any, library: Any) -> None:
    context = browser.new_context(base_url=address)
    page = context.new_page()
    paths = ["/photographers", "/photographers/map", "/photographers/report", "/photographers/predict"]
    paths += [f"/photographers/predict?like={library.ids['night_1.jpg']}"]
    paths += [f"/photographers/{photographer_id(name)}" for name in desk.names]
    paths += [f"/photographers/{photographer_id('Ada')}/compare?with={photographer_id('Grace')}"]
    for path in paths:
        page.goto(path)
        for width in (1440, 820, 360, 320):
            page.set_viewport_size({"width": width, "height": 800})
            _check_width(page, width)
    context.close()


def test_a_photo_is_developed_like_somebody(page: Page, library: Any) -> None:
    page.goto(f"/item/{library.ids['night_1.jpg']}")
    page.get_by_role("link", name="Develop it like").first.click()
    page.get_by_role("combobox", name="Photographer").select_option(photographer_id("Grace"))
    page.get_by_role("button", name="Show").click()
    expect(page.locator("[data-words]")).to_contain_text("Half a stop brighter")
    after = page.locator(".after img")
    expect(after).to_have_js_property("complete", True)
    assert after.evaluate("one => one.naturalWidth") > 0
    page.get_by_label("Before and after").fill("20")
    assert "20%" in after.evaluate("one => getComputedStyle(one).clipPath")
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        _check_width(page, width)
    page.get_by_label("Strength").fill("0.5")
    page.get_by_label("Strength").dispatch_event("change")
    expect(page.locator("[data-words]")).to_contain_text("A quarter of a stop brighter")
    assert "strength=0.5" in (after.get_attribute("src") or "")


def test_no_page_of_the_dashboard_has_a_barrier_that_axe_knows(barriers: Any, library: Any) -> None:
    grace, ada, photo = photographer_id("Grace"), photographer_id("Ada"), library.ids["night_1.jpg"]
    one = [f"/{grace}", f"/{ada}/compare?with={grace}", f"/predict?like={photo}", f"/develop?like={photo}"]
    assert barriers([f"/photographers{path}" for path in ("", *one, "/map", "/report")]) == []
