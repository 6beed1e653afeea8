"""What a Qdrant server and its client raise, in the words of ``search.errors``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from qdrant_client.common.client_exceptions import ResourceExhaustedResponse
from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from search.errors import DiskFullError, LikewiseError, SpaceMismatchError, StoreError, StoreUnavailableError
from search.store.durable import says_disk_full
from search.store.schemas import no_collection

_TRY_LATER = frozenset({408, 425, 429, 502, 503, 504})


@contextmanager
def server_errors(collection: str, forget: Callable[[], None] | None = None) -> Iterator[None]:
    """Translate errors of the client; ``forget`` is called when the collection has vanished.

    Raises:
        StoreUnavailableError: no connection, a timeout, or a server that asks to try later.
        NotFoundError: the collection does not exist.
        SpaceMismatchError: a vector of the wrong dimension or name.
        DiskFullError, StoreError: as their names say.
    """
    try:
        yield
    except LikewiseError:
        raise
    except ResponseHandlingException as error:
        raise StoreUnavailableError(
            f"The Qdrant server cannot be reached: {error.source or type(error.source).__name__}.",
            "Check that it runs and that LIKEWISE_QDRANT_URL is its address.",
        ) from error
    except ResourceExhaustedResponse as error:
        raise StoreUnavailableError(
            f"The Qdrant server is overloaded: {error}.", f"Try again in {error.retry_after_s} s."
        ) from error
    except UnexpectedResponse as error:
        translated = _of_status(collection, error.status_code or 0, error.content.decode("utf-8", "replace"))
        if error.status_code == 404 and forget is not None:
            forget()
        raise translated from error
    except ValueError as error:
        # The in-memory double refuses with ValueError where a server answers 400 or 404.
        raise _of_status(collection, 404 if "not found" in str(error) else 400, str(error)) from error


def _of_status(collection: str, status: int, text: str) -> LikewiseError:
    if says_disk_full(text):
        return DiskFullError("The Qdrant server's disk is full.", "Free some space there; nothing stored was lost.")
    if status == 404 and "ollection" in text:
        return no_collection(collection)
    if status in (401, 403):
        return StoreError("The Qdrant server refuses us.", "Set LIKEWISE_QDRANT_API_KEY to a key that may write.")
    if status in _TRY_LATER:
        return StoreUnavailableError(f"The Qdrant server answered {status}; it may be starting or overloaded.")
    if status == 400 and ("dimension" in text or "vector name" in text):
        return SpaceMismatchError(f"Collection '{collection}' takes other vectors: {text}.")
    return StoreError(f"The Qdrant server answered {status} about collection '{collection}': {text[:300]}.")
