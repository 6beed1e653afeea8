"""Who asks: with which scope, and whether it is this machine's own command line."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, has_request_context

from ingest.ledger.access import Login, Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent the request in work.

    Attributes:
        login: the token it sent, or with which its session began.
        at_command_line: it sent the token of the data directory itself, as this machine's command line does, and is no
            page. Whoever can read that token is the account that Likewise runs as, and reaches what that reaches.
    """

    login: Login
    at_command_line: bool

    @property
    def scope(self) -> Scope:
        return self.login.scope


COMMAND_LINE = Caller(Login("", Scope.ADMIN), at_command_line=True)


def set_caller(caller: Caller) -> None:
    g.caller = caller


def current_caller() -> Caller:
    """The caller of the request in work; the command line where there is no request, as in ``likewise up PATH``."""
    if not has_request_context():
        return COMMAND_LINE
    caller: Caller = g.caller
    return caller
