"""Configures logging: lines for people, or one JSON object a line.

What a thread is at work on is said once, by :func:`at_work`, and goes with every line that it logs meanwhile.
"""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from search.settings import Settings

_WORK: ContextVar[dict[str, str]] = ContextVar("likewise_work", default={})  # noqa: B039  # never changed in place

_CHATTY = ("waitress.queue", "httpx", "httpcore", "PIL", "sqlalchemy", "kombu", "amqp", "botocore", "aiobotocore")
"""Loggers whose warnings are not for an operator of Likewise."""


def configure_logging(settings: Settings, *, terse: bool = False) -> None:
    """Log to standard error in the form and from the severity that the settings ask for; may be called again.

    Args:
        terse: leave out what a person at the terminal is shown anyway, which programs and the curious still get.
    """
    level = settings.log_level
    if terse and (settings.log_format, level) == ("text", "info"):
        level = "warning"
    handler = _StandardError()
    handler.setFormatter(JsonFormatter() if settings.log_format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers = [*(other for other in root.handlers if not isinstance(other, _StandardError)), handler]
    root.setLevel(level.upper())
    logging.captureWarnings(settings.log_format == "json")
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)


class _StandardError(logging.Handler):
    """Writes to whatever standard error is just then, as ``click.echo`` does."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=sys.stderr, flush=True)
        except BrokenPipeError:
            pass  # the reader of the stream has gone
        except Exception:  # logging's own rule: a line that cannot be written breaks nothing
            self.handleError(record)


@contextmanager
def at_work(*, job: str = "", batch: str = "", item: str = "") -> Iterator[None]:
    """Name the job, batch and item of every line this thread logs in the block; what is empty stays as it was."""
    named = {name: value for name, value in (("job", job), ("batch", batch), ("item", item)) if value}
    token = _WORK.set(_WORK.get() | named)
    try:
        yield
    finally:
        _WORK.reset(token)


def _one_line(message: str) -> str:
    """A message with line breaks and control codes as escapes: the name of a file may hold them, and must not look like
    a line of its own."""
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in message)


class TextFormatter(logging.Formatter):
    """``12:30:05 WARNING message [job=… batch=…]``"""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s", datefmt="%T")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's own name
        work = " ".join(f"{name}={value}" for name, value in _WORK.get().items())
        line = super().formatMessage(record)
        return _one_line(f"{line} [{work}]" if work else line)


class JsonFormatter(logging.Formatter):
    """``{"time", "level", "logger", "message", "job", "batch", "item", "exception"}``, without what is not known."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_WORK.get(),
        }
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, ensure_ascii=False)
