"""Tokens with a scope, sessions and login codes, of which only digests are kept.

All of them are secrets of 256 bits made here, so a plain SHA-256 digest cannot be turned back by guessing. Processes
and machines that share a ledger share them: what one revokes is gone for all.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select

from ingest.ledger.database import Ledger
from ingest.ledger.tables import access
from search.errors import NotFoundError, UsageError

TOKEN_PREFIX = "likewise-"  # noqa: S105
"""Every token made here begins with it: another text is no such token, without asking the ledger."""

SESSION_SECONDS = 30 * 86_400.0
CODE_SECONDS = 86_400.0
HELD_SECONDS = 2.0
"""How long a session is taken for valid without asking the ledger again: a page of pictures sends dozens of requests.
So long one may still be answered that another process has ended; what this process ends has ended."""
_MOST_HELD = 1000
_TOKEN, _SESSION, _CODE = "token", "session", "code"


class Scope(StrEnum):
    """What a caller may do; each may do what those before it may."""

    READ = "read"
    INGEST = "ingest"
    ADMIN = "admin"

    def covers(self, other: Scope) -> bool:
        order = list(Scope)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class Login:
    """What a token, session or code stands for.

    Attributes:
        token: digest of the token, or of the one that the session or code was begun with.
    """

    token: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class TokenListed:
    """A token as it is listed. ``created`` is in seconds since the epoch."""

    name: str
    scope: Scope
    created: float


def digest_of(secret: str) -> str:
    """64 hex digits by which a secret is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Access:
    """Tokens, sessions and login codes in a ledger. Thread-safe.

    Raises:
        LedgerError: the ledger does not answer (any method).
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._held: dict[tuple[str, frozenset[str]], tuple[float, Login]] = {}

    def add_token(self, name: str, scope: Scope) -> str:
        """A new token; it is shown this once.

        Raises:
            UsageError: there is a token of that name, or the name is empty.
        """
        if not name.strip():
            raise UsageError("A token needs a name.", "Name the program or person that will use it.")
        token = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with self._ledger.write() as connection:
            if connection.execute(select(access.c.name).where(_is_token_named(name))).first():
                raise UsageError(f"There is a token '{name}' already.", "Revoke it first, or choose another name.")
            self._insert(connection, token, _TOKEN, Login("", scope), name=name)
        return token

    def tokens(self) -> list[TokenListed]:
        """All tokens, in order of their names."""
        query = select(access.c.name, access.c.scope, access.c.created).where(access.c.kind == _TOKEN)
        with self._ledger.read() as connection:
            rows = connection.execute(query.order_by(access.c.name)).all()
        return [TokenListed(row.name, Scope(row.scope), row.created) for row in rows]

    def revoke(self, name: str) -> None:
        """Delete a token, and end the sessions that were begun with it.

        Raises:
            NotFoundError: there is no token of that name.
        """
        with self._ledger.write() as connection:
            digest = connection.execute(select(access.c.digest).where(_is_token_named(name))).scalar()
            if digest is None:
                raise NotFoundError(f"There is no token '{name}'.", "`likewise token list` names them.")
            connection.execute(delete(access).where((access.c.digest == digest) | (access.c.parent == digest)))
        self._held = {}

    def token(self, given: str) -> Login | None:
        """What a token made by :meth:`add_token` stands for; None for any other text."""
        if not given.startswith(TOKEN_PREFIX):
            return None
        digest = digest_of(given)
        with self._ledger.read() as connection:
            query = select(access.c.scope).where(access.c.digest == digest, access.c.kind == _TOKEN)
            scope = connection.execute(query).scalar()
        return None if scope is None else Login(digest, Scope(scope))

    def new_session(self, login: Login) -> str:
        """The secret of a new session, which lasts ``SESSION_SECONDS``."""
        return self._new(_SESSION, login, SESSION_SECONDS)

    def new_code(self, login: Login) -> str:
        """A code with which a browser logs in once, within ``CODE_SECONDS``."""
        return self._new(_CODE, login, CODE_SECONDS)

    def session(self, secret: str, roots: Collection[str]) -> Login | None:
        """What a session stands for; None where it has ended. Asked anew after :data:`HELD_SECONDS`.

        Args:
            roots: digests of the tokens that are not in the ledger, but in a setting or a file.
        """
        key, held, now = (digest_of(secret), frozenset(roots)), self._held, time.monotonic()
        if (known := held.get(key)) is not None and known[0] > now:
            return known[1]
        with self._ledger.read() as connection:
            login = self._find(connection, secret, _SESSION, roots)
        if login is not None:
            if len(held) >= _MOST_HELD:
                held.clear()
            held[key] = now + HELD_SECONDS, login  # into what is not asked any more, where one ended meanwhile
        return login

    def end_session(self, secret: str) -> None:
        """End a session; does nothing where it has ended."""
        with self._ledger.write() as connection:
            connection.execute(delete(access).where(access.c.digest == digest_of(secret), access.c.kind == _SESSION))
        self._held = {}

    def use_code(self, code: str, roots: Collection[str]) -> Login | None:
        """What a code stands for, the first time; afterwards, and for any other text, None."""
        with self._ledger.write() as connection:
            login = self._find(connection, code, _CODE, roots)
            if login is not None:
                connection.execute(delete(access).where(access.c.digest == digest_of(code)))
            return login

    def _new(self, kind: str, login: Login, seconds: float) -> str:
        secret = secrets.token_urlsafe(32)
        with self._ledger.write() as connection:
            now = self._ledger.now(connection)
            connection.execute(delete(access).where(access.c.expires <= now))
            self._insert(connection, secret, kind, login, seconds=seconds)
        return secret

    def _insert(
        self,
        connection: Connection,
        secret: str,
        kind: str,
        login: Login,
        *,
        name: str = "",
        seconds: float | None = None,
    ) -> None:
        now = self._ledger.now(connection)
        row = {
            "digest": digest_of(secret),
            "kind": kind,
            "name": name,
            "scope": login.scope.value,
            "parent": login.token,
            "created": now,
            "expires": None if seconds is None else now + seconds,
        }
        connection.execute(insert(access).values(row))

    def _find(self, connection: Connection, secret: str, kind: str, roots: Collection[str]) -> Login | None:
        query = select(access.c.scope, access.c.parent).where(
            access.c.digest == digest_of(secret), access.c.kind == kind, access.c.expires > self._ledger.now(connection)
        )
        row = connection.execute(query).first()
        if row is None:
            return None
        if row.parent not in roots:
            of_token = select(access.c.digest).where(access.c.digest == row.parent, access.c.kind == _TOKEN)
            if connection.execute(of_token).first() is None:
                return None
        return Login(row.parent, Scope(row.scope))


def _is_token_named(name: str) -> ColumnElement[bool]:
    return and_(access.c.kind == _TOKEN, access.c.name == name)
