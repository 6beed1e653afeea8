"""Connections to PostgreSQL that keep to the deadline of the request, also while the server is frozen.

The server's own timeouts end what it works on; they do nothing where it does not run, or its machine is gone without
having closed the connection. So the wait for its answer is limited here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event

from search.deadlines import CONNECT_SECONDS, CircuitBreaker, has_deadline, within_deadline

if TYPE_CHECKING:
    import psycopg

CONNECT_ATTEMPT_SECONDS = 10
"""How long connecting may take outside of a request."""

ANSWER_SECONDS = 600.0
"""How long an answer may take outside of a request; a frozen server never gives one."""

STATEMENT_SECONDS, LOCK_SECONDS = 300, 30
"""After which the server ends a statement, or the wait for a lock."""

OPTIONS = f"-c statement_timeout={STATEMENT_SECONDS}s -c lock_timeout={LOCK_SECONDS}s"


def connection_class(breaker: CircuitBreaker) -> type[psycopg.Connection[Any]]:
    """The class of the connections; it tells ``breaker`` whether the server answers."""
    import psycopg

    class DeadlineConnection(psycopg.Connection[Any]):
        """Waits for an answer of the server until the deadline; then it is closed, as the answer may still come."""

        def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
            limit = within_deadline(ANSWER_SECONDS if timeout is None else timeout)
            try:
                result = super().wait(gen, interval, limit)
            except psycopg.Error as error:
                if error.sqlstate is not None:
                    breaker.answered()
                    raise
                self.pgconn.finish()
                breaker.unanswered()
                raise psycopg.OperationalError(f"it has not answered: {error}") from error
            breaker.answered()
            return result

    return DeadlineConnection


def keep_deadlines(engine: Engine, breaker: CircuitBreaker) -> None:
    """Let an engine, which uses psycopg, connect within the deadline of the request, and wait no longer for answers."""
    kind = connection_class(breaker)

    def connect(_dialect: Any, _record: Any, arguments: Any, parameters: dict[str, Any]) -> Any:
        import psycopg

        seconds = CONNECT_SECONDS if has_deadline() else CONNECT_ATTEMPT_SECONDS  # libpq takes no fewer than two
        options = " ".join(filter(None, [OPTIONS, str(parameters.get("options", ""))]))
        try:
            return kind.connect(*arguments, **parameters | {"connect_timeout": int(seconds), "options": options})
        except psycopg.OperationalError as error:
            if error.sqlstate is None:
                breaker.unanswered()
            raise

    event.listen(engine, "do_connect", connect)
