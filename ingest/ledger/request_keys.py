"""Idempotency keys: a request that starts a job and is sent again is answered as the first time.

A key belongs to its caller and stands for one request. Before the job is started, the key is claimed in a transaction
of its own; the job's number is written to it in the transaction that makes the job (:func:`note_job`), and the answer
afterwards. So of two requests at the same time one starts the job, and whenever a process is killed, the key either
names the job or can be claimed anew.

Source: IETF draft-ietf-httpapi-idempotency-key-header.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from ingest.ledger.database import Ledger
from ingest.ledger.tables import request_keys
from search.errors import KeyInUseError, KeyReusedError, LikewiseError

log = logging.getLogger(__name__)

KEPT_SECONDS = 86_400.0
"""How long a key is remembered."""

CLAIM_SECONDS = 30.0
"""How long a request may take to start its job, before one that is sent again may take its place. One that takes longer
than that, and is overtaken, starts none."""

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to start the job of a key."""

    caller: str
    key: str
    secret: str


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What came of the first request.

    Attributes:
        job: id of the job that it started; None where there was nothing to do.
        status, answer: of HTTP, and the JSON; None where the process ended before it answered.
    """

    job: str | None
    status: int | None
    answer: str | None


_claimed: ContextVar[Claim | None] = ContextVar("claimed", default=None)
"""The claim of the request in work in this thread."""


class RequestKeys:
    """The idempotency keys in a ledger. Thread-safe.

    Raises:
        LedgerError: the ledger does not answer (any method).
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def claim(self, caller: str, key: str, request: str) -> Claim | KeptAnswer:
        """Claim a key for a request, unless it has been answered before. Keys that are too old are deleted.

        Args:
            caller: 64 hex digits that name who asks.
            key: at most ``LONGEST_KEY`` ASCII characters.
            request: 64 hex digits over all that is asked.

        Raises:
            KeyReusedError: the key came with another request.
            KeyInUseError: the request that came first is in work.
        """
        mine = Claim(caller, key, secrets.token_hex(16))
        with self._ledger.write() as connection:
            now = self._ledger.now(connection)
            connection.execute(delete(request_keys).where(request_keys.c.created <= now - KEPT_SECONDS))
            row = connection.execute(select(request_keys).where(_is_key(caller, key))).first()
            if row is None:
                values = {"caller": caller, "key": key, "request": request, "created": now}
                connection.execute(insert(request_keys).values(claim=mine.secret, claimed=now, **values))
                return mine
            if row.request != request:
                raise KeyReusedError(
                    "This idempotency key came with another request before.", "Use a new key for every new request."
                )
            if row.job is not None or row.status is not None:
                return KeptAnswer(None if row.job is None else str(row.job), row.status, row.answer)
            if now < row.claimed + CLAIM_SECONDS:
                raise _in_use()
            taken = update(request_keys).where(_is_key(caller, key)).values(claim=mine.secret, claimed=now)
            connection.execute(taken)
            return mine

    @contextmanager
    def starting(self, claim: Claim) -> Iterator[None]:
        """A block in which this thread starts the job of a claim. Where it raises and has started none, the key is free
        again."""
        token = _claimed.set(claim)
        try:
            yield
        except BaseException:
            with suppress(LikewiseError), self._ledger.write() as connection:
                unused = and_(_is_claim(claim), request_keys.c.job.is_(None))
                connection.execute(delete(request_keys).where(unused))
            raise
        finally:
            _claimed.reset(token)

    def keep(self, claim: Claim, status: int, answer: str) -> None:
        """Keep the answer to the request of a claim; only logs where that is not possible."""
        try:
            with self._ledger.write() as connection:
                kept = update(request_keys).where(_is_claim(claim)).values(status=status, answer=answer)
                connection.execute(kept)
        except LikewiseError as error:
            log.warning("The answer to a request with an idempotency key is not kept: %s", error)


def note_job(connection: Connection, job: str) -> None:
    """Write a new job to the key with which it was asked for, if any, in the transaction that makes it.

    Raises:
        KeyInUseError: another request with the key has overtaken this one; the job is not to be made.
    """
    claim = _claimed.get()
    if claim is None:
        return
    noted = connection.execute(update(request_keys).where(_is_claim(claim)).values(job=int(job)))
    if not noted.rowcount:
        raise _in_use()


def _is_key(caller: str, key: str) -> ColumnElement[bool]:
    return and_(request_keys.c.caller == caller, request_keys.c.key == key)


def _is_claim(claim: Claim) -> ColumnElement[bool]:
    return and_(_is_key(claim.caller, claim.key), request_keys.c.claim == claim.secret)


def _in_use() -> KeyInUseError:
    return KeyInUseError(
        "The first request with this idempotency key is still in work.", "Send it again in a moment, with the same key."
    )
