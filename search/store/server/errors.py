"""Translates the errors of a Qdrant server and its client into ``search.errors``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import httpx
from pydantic import ValidationError
from qdrant_client.common.client_exceptions import QdrantException, ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from search.errors import (
    DiskFullError,
    LikewiseError,
    NotFoundError,
    SettingsError,
    SpaceMismatchError,
    StoreError,
    StoreUnavailableError,
)
from search.store.durable import says_disk_full
from search.store.schemas import no_collection

_INSUFFICIENT_STORAGE = 507
_TRY_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed. Qdrant answers 408 for its own timeouts, 503 for a shard that is
being recovered, and 500 for whatever one node could not get from another, which it calls transient itself.
Source: ``HttpError::status_code`` and ``CollectionError::is_transient`` in the server's code."""

_LONGEST = 300
"""Characters of a server's answer that are repeated."""


_PAGE = "limit"
"""What strict mode calls the number of hits or records that a request asks for."""

_EXCEEDED = re.compile(r'Limit exceeded (?P<size>\d+) > (?P<most>\d+)(?: for "?(?P<what>[^".]+)"?)?')
_TOO_LONG = "larger than allowed"
"""In a server's own refusal of a body, which has status 400. Source: actix-web's ``JsonPayloadError``."""


class TooLargeError(StoreError):
    """A request holds, or asks for, more than the server or what stands before it takes at once.

    Attributes:
        most: what it would take; None where that was not said.
        of_page: how many hits or records were asked for is what was too much.
    """

    def __init__(self, message: str, hint: str = "", most: int | None = None, of_page: bool = False) -> None:
        super().__init__(message, hint)
        self.most = most
        self.of_page = of_page


class PointGoneError(StoreUnavailableError):
    """An operation names a point that was deleted before it came; the rest of it may be tried again."""


@contextmanager
def server_errors(collection: str, forget: Callable[[], None] | None = None) -> Iterator[None]:
    """Translate errors of the client; ``forget`` is called when the collection has vanished.

    Raises:
        StoreUnavailableError: no connection, a timeout, or a server that asks to try later.
        PointGoneError: a point that is to be edited does not exist.
        NotFoundError: the collection does not exist.
        SpaceMismatchError: a vector of the wrong dimension or name.
        TooLargeError: more at once than is taken.
        DiskFullError, StoreError: as their names say.
    """
    try:
        yield
    except LikewiseError:
        raise
    except ResponseHandlingException as error:
        raise _of_transport(error.source) from error
    except (AssertionError, json.JSONDecodeError) as error:
        # The client asserts that an answer holds a result, and lets one through that is no JSON.
        raise _no_qdrant() from error
    except ResourceExhaustedResponse as error:
        raise StoreUnavailableError(
            f"The Qdrant server is overloaded: {error}.", f"Try again in {error.retry_after_s} s."
        ) from error
    except QdrantException as error:
        # A Retry-After that is a date, which the client does not read.
        raise StoreUnavailableError(f"The Qdrant server is overloaded: {error}.") from error
    except UnexpectedResponse as error:
        refusal = _of_status(collection, error.status_code or 0, _said(error.content), _retry_after(error))
        if isinstance(refusal, NotFoundError) and forget is not None:
            forget()
        raise refusal from error
    except ValueError as error:
        # The in-memory double refuses with ValueError where a server answers 400 or 404.
        refusal = _of_status(collection, 404 if "not found" in str(error) else 400, str(error))
        if isinstance(refusal, NotFoundError) and forget is not None:
            forget()
        raise refusal from error


def _of_transport(source: object) -> LikewiseError:
    if isinstance(source, ValidationError):
        return _no_qdrant()
    if isinstance(source, httpx.UnsupportedProtocol | httpx.InvalidURL):
        return SettingsError(f"LIKEWISE_QDRANT_URL is no address of a server: {source}.")
    if isinstance(source, httpx.TimeoutException):
        return StoreUnavailableError(f"The Qdrant server did not answer in time ({type(source).__name__}).")
    if "CERTIFICATE_VERIFY_FAILED" in str(source):
        return StoreError(
            f"The certificate of the Qdrant server is not trusted: {source}.",
            "Where it is of an authority of your own, name that one's certificate by LIKEWISE_QDRANT_CA_FILE.",
        )
    return StoreUnavailableError(
        f"The Qdrant server cannot be reached: {str(source) or type(source).__name__}.",
        "Check that it runs and that LIKEWISE_QDRANT_URL is its address, with its port unless that is 6333 (of https "
        "also 443).",
    )


def _no_qdrant() -> StoreError:
    return StoreError(
        "What answers at LIKEWISE_QDRANT_URL does not answer as a Qdrant server of a known version does.",
        "Check the address, and what stands between.",
    )


def _of_status(collection: str, status: int, text: str, retry_after: str = "") -> LikewiseError:
    if status == _INSUFFICIENT_STORAGE or says_disk_full(text):
        return DiskFullError(
            f"The Qdrant server has no room left: {text}.", "Free some space there; nothing stored was lost."
        )
    if status == httpx.codes.REQUEST_ENTITY_TOO_LARGE or (status == httpx.codes.BAD_REQUEST and _TOO_LONG in text):
        return TooLargeError(
            f"A request about collection '{collection}' is refused as too long ({status}): {text}.",
            "Allow longer ones where that is set: of a proxy before the Qdrant server (nginx: client_max_body_size), "
            "or of the server (service.max_request_size_mb). 32 MB are enough.",
        )
    exceeded = _EXCEEDED.search(text)
    if status == httpx.codes.BAD_REQUEST and exceeded:
        return TooLargeError(
            f"The Qdrant server allows less at once in collection '{collection}': {text}.",
            "Its operator sets this limit (strict mode).",
            int(exceeded["most"]),
            exceeded["what"] is not None and exceeded["what"].strip() == _PAGE,
        )
    if status == httpx.codes.NOT_FOUND and "No point with id" in text:
        return PointGoneError(f"The Qdrant server answered {status} about collection '{collection}': {text}.")
    if status == httpx.codes.NOT_FOUND and "ollection" in text:
        return no_collection(collection)
    if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        return StoreError(
            f"The Qdrant server refuses us: {text}.",
            "Set LIKEWISE_QDRANT_API_KEY to a key that may write, unless its operator has locked it.",
        )
    if status in _TRY_LATER:
        return StoreUnavailableError(
            f"The Qdrant server answered {status}, so it may be starting, recovering or overloaded: {text}.",
            f"Try again in {retry_after} s." if retry_after else "",
        )
    if status == httpx.codes.BAD_REQUEST and ("dimension" in text or "vector name" in text):
        return SpaceMismatchError(f"Collection '{collection}' takes other vectors: {text}.")
    return StoreError(f"The Qdrant server answered {status} about collection '{collection}': {text}.")


def _said(content: bytes) -> str:
    """The message of a server's answer; the whole of one that is not of Qdrant's form (a proxy's)."""
    text = content.decode("utf-8", "replace").strip()
    with suppress(ValueError, TypeError, KeyError):
        text = json.loads(text)["status"]["error"]
    return str(text)[:_LONGEST].rstrip(".") or "no reason given"


def _retry_after(error: UnexpectedResponse) -> str:
    return str(error.headers.get("Retry-After", "")) if error.headers else ""
