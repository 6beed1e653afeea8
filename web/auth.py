"""Access control: exposure, host, token, session and forms.

Threats: another machine on the network connects to an unprotected node (:func:`check_exposure`); a web page of another
site uses a visitor's browser, by DNS rebinding (the Host check) or by cross-site posts (the origin check and the form
token); another account of this machine asks (a token is needed on loopback too, and a cookie is good only for the
account that logged in: ``web.access.peer``); somebody guesses the token (``web.access.throttle``).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, g, redirect, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from werkzeug.wrappers import Response as AnyResponse

from ingest.home import TOKEN_FILE
from ingest.ledger.access import SESSION_SECONDS, Access, Login, Scope, digest_of
from search.errors import SettingsError
from search.settings import Settings
from web.access.caller import Caller, current_caller, set_caller
from web.access.peer import account_of
from web.access.throttle import Throttle
from web.bodies import awaited_body
from web.errors import Refusal, wants_json

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEALTH_ENDPOINTS = frozenset({"health.healthz", "health.readyz"})
OPEN_ENDPOINTS = HEALTH_ENDPOINTS | {"static", "login.page", "login.submit"}
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    )
)


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine can connect to ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def check_exposure(settings: Settings) -> None:
    """Refuse to listen on a public address without a token.

    Raises:
        SettingsError: ``host`` is not a loopback address and no token is set.
    """
    if not is_loopback(settings.host) and settings.token is None:
        raise SettingsError(
            f"LIKEWISE_HOST={settings.host} can be reached from other machines, but no token is set.",
            "Set LIKEWISE_TOKEN (or LIKEWISE_TOKEN_FILE), or listen on 127.0.0.1.",
        )


class Guard:
    """Checks before every request, and headers of every response."""

    def __init__(self, settings: Settings, own_token: str, access: Access, scopes: Mapping[str, Scope]) -> None:
        """
        Args:
            own_token: of the data directory (``ingest.home``); the command line of this machine sends it.
            access: tokens with a scope, sessions and login codes.
            scopes: what a caller of each endpoint needs. Of others, those that change nothing need ``read``, the rest
                ``ingest``.
        """
        self._settings, self._access, self._scopes = settings, access, scopes
        self._own_token = own_token
        self._token = settings.token.get_secret_value() if settings.token else None
        self._own_login = Login(digest_of(own_token), Scope.ADMIN)
        self._roots = {self._own_login.token}
        if self._token is not None:
            # People choose this one: scrypt makes it slow to try tokens on a digest that has been read somewhere.
            slow = hashlib.scrypt(self._token.encode(), salt=b"likewise token", n=1 << 14, r=8, p=1, dklen=32)
            self._set_login = Login(slow.hex(), Scope.ADMIN)
            self._roots.add(self._set_login.token)
        self._throttle = Throttle()

    def install(self, app: Flask) -> None:
        home = hashlib.sha256(str(self._settings.home).encode()).hexdigest()[:8]
        app.session_interface = _Sessions()
        app.config.update(
            SECRET_KEY=_session_key(self._token, self._own_token),
            SESSION_COOKIE_NAME=f"likewise-{home}",  # cookies know no ports, and two nodes may share a host
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Lax",
            PERMANENT_SESSION_LIFETIME=timedelta(seconds=SESSION_SECONDS),
            SESSION_REFRESH_EACH_REQUEST=False,  # a session ends at its time, whatever the cookie says
        )
        app.before_request(self._check)
        app.after_request(_add_headers)
        app.jinja_env.globals["form_token"] = form_token
        app.extensions["guard"] = self

    @property
    def token_file(self) -> Path | None:
        """File of the token that a person of this machine may enter with; None where a setting names the token."""
        return self._settings.home / TOKEN_FILE if self._token is None else None

    def is_inside(self) -> bool:
        """Whether the request in work is of a caller who may see pages, not on its way to the login."""
        return "caller" in g

    def may(self, scope: str) -> bool:
        """Whether the caller of the request in work has this scope."""
        return self.is_inside() and current_caller().scope.covers(Scope(scope))

    def log_in(self, token: str) -> bool:
        """Start a session if the token is right; whether it is.

        Raises:
            Refusal: 429, too many wrong ones came from this address.
        """
        login = self._login_of(token.strip())
        if login is None:
            return False
        self._begin(login)
        return True

    def log_in_by_code(self, code: str) -> bool:
        """Start a session if the code has not been used yet; whether it has not.

        Raises:
            Refusal: 403, another account of this machine sent it, which does not use it up; 429 as :meth:`log_in`.
        """
        account = self._account()
        if account not in (None, 0, os.getuid()):
            raise Refusal(
                403, "This address was made for another account of this machine.", "Log in with the token instead."
            )
        login = self._access.use_code(code, self._roots)
        if login is None:
            self._throttle.fail(request.remote_addr or "")
            return False
        self._begin(login)
        return True

    def log_out(self) -> None:
        """End the session of the request in work, wherever its cookie is sent from."""
        self._access.end_session(str(session.get("session", "")))
        session.clear()

    def _begin(self, login: Login) -> None:
        session.clear()
        session.permanent = True
        session["session"] = self._access.new_session(login)
        session["account"] = self._account()
        form_token()  # so that no page has to send another cookie

    def _check(self) -> AnyResponse | None:
        self._check_host()
        # Whatever token a probe sends. Neither asks the ledger, which may not answer just now.
        if request.endpoint in HEALTH_ENDPOINTS or request.endpoint == "static":
            return None
        caller = self._caller_by_token()
        by_token = caller is not None
        if caller is None:
            caller = self._caller_by_session()
        if request.method not in SAFE_METHODS and not by_token:
            _check_origin()
            if not request.path.startswith("/api/") or caller is not None:
                _check_form_token()
        if caller is not None:
            set_caller(caller)
        if request.endpoint in OPEN_ENDPOINTS:
            return None
        if caller is not None:
            self._check_scope(caller.scope)
            return None
        if wants_json() or request.method not in SAFE_METHODS:
            raise Refusal(401, "This server needs a token.", self._where_the_token_is())
        return redirect(url_for("login.page", next=request.full_path.rstrip("?")))

    def _check_scope(self, has: Scope) -> None:
        needed = self._scopes.get(
            request.endpoint or "", Scope.READ if request.method in SAFE_METHODS else Scope.INGEST
        )
        if not has.covers(needed):
            raise Refusal(
                403,
                f"This needs the scope '{needed}', but the token has only '{has}'.",
                "Ask whoever runs this server.",
            )

    def _where_the_token_is(self) -> str:
        where = "" if self.token_file is None else f" It is in the file '{self.token_file}'."
        return f"Send it as 'Authorization: Bearer …'.{where}"

    def _check_host(self) -> None:
        """Refuse other names in Host: with DNS rebinding, an attacker's name resolves to 127.0.0.1."""
        if not is_loopback(self._settings.host):
            return
        name = urlsplit(f"//{request.host}").hostname or ""
        if not is_loopback(name) and name != self._settings.host:
            raise Refusal(
                403, f"This server does not answer to the name '{name}'.", "Use http://127.0.0.1 or localhost."
            )

    def _caller_by_token(self) -> Caller | None:
        kind, _, given = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "bearer":
            return None
        login = self._login_of(given.strip())
        return None if login is None else Caller(login, at_command_line=login is self._own_login)

    def _caller_by_session(self) -> Caller | None:
        secret = session.get("session")
        if secret is None:
            return None
        if session.get("account") is not None and self._account() not in (None, session["account"]):
            return None  # the cookie of another account of this machine
        login = self._access.session(str(secret), self._roots)
        return None if login is None else Caller(login, at_command_line=False)

    def _login_of(self, given: str) -> Login | None:
        """What a token stands for.

        Raises:
            Refusal: 429, it is wrong, as too many from this address before.
        """
        if _same(given, self._own_token):
            return self._own_login
        if self._token is not None and _same(given, self._token):
            return self._set_login
        login = self._access.token(given)
        if login is None:
            self._throttle.fail(request.remote_addr or "")
        return login

    def _account(self) -> int | None:
        """The account that sent the request in work, where it came from this machine and no proxy is declared."""
        return None if self._settings.web_proxies else account_of(request.environ)


class _Sessions(SecureCookieSessionInterface):
    def get_cookie_secure(self, app: Flask) -> bool:
        """Browsers send the cookie over TLS alone, where that is in front."""
        return request.is_secure


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())


def _session_key(token: str | None, own_token: str) -> bytes:
    """Key that signs session cookies.

    It is the same in every process and on every machine with the token, so that a session is valid at all of them, and
    a new token ends all sessions. The signed cookie of the login page allows to try a token that people have chosen
    offline, which scrypt makes slow.
    """
    if token is None:
        return hashlib.sha256(b"likewise session " + own_token.encode()).digest()
    return hashlib.scrypt(token.encode(), salt=b"likewise session", n=1 << 14, r=8, p=1, dklen=32)


def form_token() -> str:
    """Secret in every form of this session, made when a page first needs it."""
    if "form_token" not in session:
        session["form_token"] = secrets.token_urlsafe(24)
    return str(session["form_token"])


def _check_origin() -> None:
    """Refuse requests of other sites, which browsers mark; other programs send no mark and have no session cookie."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    foreign = site not in {None, "same-origin", "none"} or (
        origin is not None and urlsplit(origin).netloc != request.host
    )
    if foreign:
        raise Refusal(403, "This request was sent from another site.", "Use the page of this server itself.")


def _check_form_token() -> None:
    given = request.headers.get("X-Form-Token", "")
    if not given:
        if awaited_body() is not None:
            return  # checked when the body is here, of which it is a part
        given = request.form.get("form_token", "")
    if not hmac.compare_digest(given.encode(), str(session.get("form_token", "")).encode()) or not given:
        raise Refusal(403, "The form is too old or came from elsewhere.", "Load the page again and repeat.")


def _add_headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    response.headers.setdefault("Cache-Control", "no-store" if response.is_json else "no-cache")
    return response
