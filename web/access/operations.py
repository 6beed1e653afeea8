"""API calls that make, list and revoke tokens, and make addresses that log a browser in."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.ledger.access import Login, Scope, TokenListed, digest_of
from web.access.caller import current_caller
from web.api.operation import Operation
from web.api.params import NonEmpty
from web.api.ports import NodePort


@dataclass(frozen=True, slots=True)
class NewToken:
    """Whom a token is for, and what it allows.

    Attributes:
        name: of the program or person; no other token has it.
    """

    name: NonEmpty
    scope: Scope


@dataclass(frozen=True, slots=True)
class MadeToken:
    """A token, which is shown this once; only its digest is kept."""

    name: str
    scope: Scope
    token: str


@dataclass(frozen=True, slots=True)
class Revocation:
    """Name of the token to revoke."""

    name: NonEmpty


@dataclass(frozen=True, slots=True)
class LoginPath:
    """``path`` on this node logs the first browser in that opens it, within a day."""

    path: str


def list_tokens(node: NodePort) -> list[TokenListed]:
    """Names and scopes of the tokens that have been made. The token of the data directory and that of the settings are
    not among them."""
    return node.access.tokens()


def make_token(node: NodePort, new: NewToken) -> MadeToken:
    """Make a token for a program or a person."""
    return MadeToken(new.name, new.scope, node.access.add_token(new.name, new.scope))


def revoke_token(node: NodePort, revocation: Revocation) -> list[TokenListed]:
    """Revoke a token, and end all sessions that were begun with it; the answer is what is left."""
    node.access.revoke(revocation.name)
    return node.access.tokens()


def make_login(node: NodePort) -> LoginPath:
    """Make an address that logs a browser in once, with the scope of the caller's own token."""
    return LoginPath(_path(node, current_caller().login))


def login_address(node: NodePort, url: str) -> str:
    """Address of the page at ``url`` that logs one browser in, as the account that Likewise runs as."""
    return url + _path(node, Login(digest_of(node.token), Scope.ADMIN))


def _path(node: NodePort, login: Login) -> str:
    return f"/login?code={node.access.new_code(login)}"


OPERATIONS = (
    Operation("GET", "/tokens", list_tokens, list[TokenListed], scope=Scope.ADMIN, errors=(503,)),
    Operation(
        "POST", "/tokens", make_token, MadeToken, scope=Scope.ADMIN, takes=(NewToken,), status=201, errors=(400, 503)
    ),
    Operation(
        "POST",
        "/tokens/revoke",
        revoke_token,
        list[TokenListed],
        scope=Scope.ADMIN,
        takes=(Revocation,),
        errors=(400, 404, 503),
    ),
    Operation("POST", "/logins", make_login, LoginPath, scope=Scope.ADMIN, status=201, errors=(503,)),
)
