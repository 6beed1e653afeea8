"""What a line of the log says, for people and for programs."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator

import pytest

from search.logs import at_work, configure_logging
from search.settings import Settings

log = logging.getLogger("tests.logs")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    logging.captureWarnings(False)
    root.setLevel(level)
    root.handlers[:] = handlers


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().err.splitlines()


def test_json_lines_hold_what_a_program_needs(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="json"))
    with at_work(job="7"), at_work(batch="b1", item="/m/é.jpg"):
        log.warning("%d of %d\nfailed", 1, 2)
    (line,) = lines(capsys)
    told = json.loads(line)
    assert told.pop("time").endswith("+00:00")
    assert told == {
        "level": "warning",
        "logger": "tests.logs",
        "message": "1 of 2\nfailed",
        "job": "7",
        "batch": "b1",
        "item": "/m/é.jpg",
    }


def test_an_exception_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_format="json"))
    try:
        raise ValueError("odd")
    except ValueError:
        log.exception("It broke.")
    (line,) = lines(capsys)
    assert "ValueError: odd" in json.loads(line)["exception"]


def test_text_lines_name_the_work_they_belong_to(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    log.info("before")
    with at_work(job="7"):
        log.info("during")
    log.info("after")
    before, during, after = lines(capsys)
    assert before.endswith("INFO before")
    assert during.endswith("INFO during [job=7]")
    assert after.endswith("INFO after")


def test_threads_do_not_see_each_others_work(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    with at_work(job="7"):
        other = threading.Thread(target=lambda: log.info("elsewhere"))
        other.start()
        other.join()
    assert lines(capsys)[0].endswith("INFO elsewhere")


def test_the_level_of_the_settings_holds(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings(log_level="error"))
    log.warning("not this")
    log.error("but this")
    assert [line.split()[-1] for line in lines(capsys)] == ["this"]


def test_at_a_terminal_only_warnings_are_told_unless_more_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    for settings in (Settings(), Settings(log_level="debug"), Settings(log_format="json")):
        configure_logging(settings, terse=True)
        log.info("of no matter")
    debug, program = lines(capsys)
    assert debug.endswith("INFO of no matter")
    assert json.loads(program)["message"] == "of no matter"


def test_configured_twice_nothing_is_told_twice(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    configure_logging(Settings())
    log.info("once")
    assert len(lines(capsys)) == 1


def test_a_name_with_line_breaks_makes_no_lines_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Settings())
    with at_work(item="/m/new\nline.jpg"):
        log.warning("%s is left out.", "/m/a\r\n12:00:00 ERROR all is lost\x1b[2J\u2028é.jpg")
    (line,) = lines(capsys)
    assert line.endswith(r"/m/a\r\n12:00:00 ERROR all is lost\x1b[2J\u2028é.jpg is left out. [item=/m/new\nline.jpg]")
