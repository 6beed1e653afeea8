"""Access control: exposure, host, token, session and forms.

Threats: another machine on the network connects to an unprotected node (:func:`check_exposure`); a web page of another
site uses a visitor's browser, by DNS rebinding (the Host check) or by cross-site posts (the origin check and the form
token); somebody guesses the token (:class:`Throttle`).
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import time
from collections import deque
from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Flask, Response, redirect, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from search.errors import SettingsError
from search.settings import Settings
from web.errors import Refusal, wants_json

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_ENDPOINTS = frozenset({"static", "login.page", "login.submit", "health.healthz", "health.readyz"})
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


class Throttle:
    """At most ``limit`` failures per address in any ``window`` seconds; further attempts are refused unchecked."""

    def __init__(self, limit: int = 10, window: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._window, self._clock = limit, window, clock
        self._failures: dict[str, deque[float]] = {}

    def check(self, address: str) -> None:
        """Refuse an address with too many recent failures.

        Raises:
            Refusal: 429, this address has failed too often.
        """
        recent = self._recent(address)
        if len(recent) >= self._limit:
            raise Refusal(429, "Too many wrong tokens from this address.", f"Wait {self._window:.0f} seconds.")

    def fail(self, address: str) -> None:
        if len(self._failures) > 10_000:  # a flood from many addresses must not fill the memory
            self._failures.clear()
        recent = self._recent(address)
        recent.append(self._clock())
        self._failures[address] = recent

    def _recent(self, address: str) -> deque[float]:
        recent = self._failures.get(address, deque())
        while recent and recent[0] <= self._clock() - self._window:
            recent.popleft()
        return recent


class Guard:
    """Checks before every request, and headers of every response."""

    def __init__(self, settings: Settings, own_token: str) -> None:
        """
        Args:
            own_token: accepted from the command line on this machine instead of ``settings.token``; the same in all
                processes that serve one address.
        """
        self._settings = settings
        self._token = settings.token.get_secret_value() if settings.token else None
        self._own_token = own_token
        self._throttle = Throttle()

    def install(self, app: Flask) -> None:
        home = hashlib.sha256(str(self._settings.home).encode()).hexdigest()[:8]
        app.config.update(
            SECRET_KEY=_session_key(self._token, self._own_token),
            SESSION_COOKIE_NAME=f"likewise-{home}",  # cookies know no ports, and two nodes may share a host
            SESSION_COOKIE_HTTPONLY=True,
            SESSION_COOKIE_SAMESITE="Lax",
        )
        app.before_request(self._check)
        app.after_request(_add_headers)
        app.jinja_env.globals["form_token"] = form_token
        app.extensions["guard"] = self

    @property
    def needs_login(self) -> bool:
        return self._token is not None

    def log_in(self, token: str) -> bool:
        """Start a session if the token is right; whether it is."""
        if not self._is_known(token):
            return False
        session.clear()
        session["logged_in"] = True
        return True

    def log_out(self) -> None:
        session.clear()

    def _check(self) -> AnyResponse | None:
        self._check_host()
        bearer = request.headers.get("Authorization", "")
        authorized = bearer.startswith("Bearer ") and self._is_known(bearer.removeprefix("Bearer "))
        if request.method not in SAFE_METHODS and not authorized:
            _check_origin()
            if not request.path.startswith("/api/") or "logged_in" in session:
                _check_form_token()
        if authorized or not self.needs_login or request.endpoint in OPEN_ENDPOINTS or session.get("logged_in"):
            return None
        if wants_json() or request.method not in SAFE_METHODS:
            raise Refusal(401, "This node needs a token.", "Send it as 'Authorization: Bearer …'.")
        return redirect(url_for("login.page", next=request.full_path.rstrip("?")))

    def _check_host(self) -> None:
        """Refuse other names in Host: with DNS rebinding, an attacker's name resolves to 127.0.0.1."""
        if not is_loopback(self._settings.host):
            return
        name = urlsplit(f"//{request.host}").hostname or ""
        if not is_loopback(name) and name != self._settings.host:
            raise Refusal(403, f"This node does not answer to the name '{name}'.", "Use http://127.0.0.1 or localhost.")

    def _is_known(self, given: str) -> bool:
        address = request.remote_addr or ""
        self._throttle.check(address)
        if any(
            hmac.compare_digest(given.encode(), token.encode()) for token in (self._own_token, self._token) if token
        ):
            return True
        self._throttle.fail(address)
        return False


def _session_key(token: str | None, own_token: str) -> bytes:
    """Key that signs session cookies.

    It is the same in every process and on every machine with the token, so that a session is valid at all of them, and
    a new token ends all sessions. Without a token there is no login, and sessions end with the server. The signed
    cookie of the login page allows to try tokens offline, which scrypt makes slow.
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
        raise Refusal(403, "This request was sent from another site.", "Use the page of this node itself.")


def _check_form_token() -> None:
    given = request.headers.get("X-Form-Token") or request.form.get("form_token", "")
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
