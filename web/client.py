"""Client of the JSON API for the command line.

It asks a remote server (``LIKEWISE_SERVER_URL``), the running server of this data directory, or a node that is opened
for one command.

All ways give the same answer: ``--json`` prints that of the API.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx

from search.errors import LikewiseError, SettingsError, StoreUnavailableError, UnreadableFileError, UsageError, error_of
from search.settings import Settings
from search.store.filters import Filter
from web.near import written
from web.running import Running, find_running, without_certificates

if TYPE_CHECKING:
    from ingest.node import Node

Json: TypeAlias = Any
"""Result of ``json.loads``."""

Params: TypeAlias = dict[str, Any]
"""Parameter name to text, number or list of texts."""

ANSWER_SECONDS = 600.0
"""The first upload after a start may wait for a model to load and a long video to be decoded."""


MOST_ON_A_PAGE = 500
"""Most items that a call of the API answers with at a time."""


class Client:
    """Sends requests to the API.

    Attributes:
        node: opened for this command; None when a running server answers.
        is_near: the server is on this machine, and may be polled often.
    """

    def __init__(self, http: httpx.Client, node: Node | None, *, is_near: bool = True) -> None:
        self._http, self.node, self.is_near = http, node, is_near

    def get(self, path: str, params: Params | None = None) -> Json:
        """
        Raises:
            LikewiseError: the error that the API answered, as the class of its code.
            StoreUnavailableError: there is no answer.
            UsageError: a text is not valid UTF-8.
        """
        return self._ask("GET", path, params=params)

    def list(self, path: str, limit: int, params: Params | None = None) -> Json:
        """Up to ``limit`` items of a call that answers a list, from as many pages as that takes.

        Raises:
            LikewiseError: as :meth:`get`.
        """
        found: Json = []
        asked: Params | None = dict(params or {})
        while asked is not None and len(found) < limit:
            asked["limit"] = min(limit - len(found), MOST_ON_A_PAGE)
            response = self._send("GET", path, params=asked)
            found += response.json()
            following = response.links.get("next")
            asked = None if following is None else dict(httpx.URL(following["url"]).params)
        return found

    def post(self, path: str, body: Params | None = None) -> Json:
        """
        Raises:
            LikewiseError: as :meth:`get`.
        """
        return self._ask("POST", path, json=body or {})

    def upload(self, path: str, file: Path, fields: Params) -> Json:
        """Post ``file`` with other parameters as a form.

        Raises:
            UnreadableFileError: the operating system would not give its bytes.
            LikewiseError: as :meth:`get`.
        """
        form = {name: _form_value(value) for name, value in fields.items()}
        try:
            with file.open("rb") as opened:
                return self._ask("POST", path, data=form, files={"file": (file.name, opened)})
        except OSError as error:
            raise UnreadableFileError(f"'{file}' cannot be read: {error.strerror}.") from None

    def _ask(self, method: str, path: str, **what: Any) -> Json:
        return self._send(method, path, **what).json()

    def _send(self, method: str, path: str, **what: Any) -> httpx.Response:
        try:
            response = self._http.request(method, f"/api/v1{path}", **what)
        except httpx.UnsupportedProtocol:
            raise SettingsError(
                f"'{self._http.base_url}' is no address of a server.", "LIKEWISE_SERVER_URL takes http://HOST:PORT."
            ) from None
        except httpx.HTTPError as error:
            raise StoreUnavailableError(
                f"The Likewise at {self._http.base_url} does not answer: {error}.",
                "Is it running? Its jobs go on when it is started again."
                if self.is_near
                else "Is it running, can this machine reach it, and is LIKEWISE_SERVER_URL right?",
            ) from None
        except UnicodeEncodeError:
            raise UsageError(
                "A name that was given is not valid UTF-8, as all that is stored must be.", "Rename it."
            ) from None
        if response.is_success:
            return response
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise SettingsError(
                f"The Likewise at {self._http.base_url} does not take this token.",
                "LIKEWISE_TOKEN has to be the one it was started with.",
            )
        raise _error_of(response)


@contextmanager
def connect(settings: Settings) -> Iterator[Client]:
    """A client of the remote server of the settings, else of the running server of this data directory, else of a node
    that is opened for the block.

    Raises:
        StoreError: the data directory cannot be opened, see ``Node.open``.
    """
    if settings.server_url is not None:
        with _connect_elsewhere(settings.server_url, settings) as client:
            yield client
        return
    running = find_running(settings.home)
    if running is None:
        with connect_inside(settings) as (client, _):
            yield client
        return
    with httpx.Client(
        base_url=running.url,
        headers=running.headers,
        timeout=ANSWER_SECONDS,
        trust_env=False,
        verify=without_certificates(),
    ) as http:
        yield Client(http, None)


@contextmanager
def _connect_elsewhere(address: str, settings: Settings) -> Iterator[Client]:
    token = settings.token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    try:
        http = httpx.Client(base_url=address.rstrip("/"), headers=headers, timeout=ANSWER_SECONDS)
    except httpx.InvalidURL as error:
        raise SettingsError(f"LIKEWISE_SERVER_URL={address!r} is no address: {error}.") from None
    with http:
        yield Client(http, None, is_near=False)


@contextmanager
def connect_inside(settings: Settings) -> Iterator[tuple[Client, Node]]:
    """A node that is opened for the block, and a client that asks it without a network.

    Raises:
        StoreError: as :func:`connect`.
    """
    from ingest.opening import open_node
    from web.app import create_app

    with open_node(settings) as node:
        inside = Running("http://127.0.0.1", os.getpid(), node.token)
        transport = httpx.WSGITransport(app=create_app(node))
        with httpx.Client(base_url=inside.url, headers=inside.headers, transport=transport) as http:
            yield Client(http, node), node


def filter_params(where: Filter) -> Params:
    """A filter as parameters of the API; conditions that are not set are left out."""
    default = Filter()
    given = {f.name: getattr(where, f.name) for f in fields(Filter)}
    return {
        name: written(value) if name == "near" else value.isoformat() if isinstance(value, datetime) else value
        for name, value in given.items()
        if value != getattr(default, name)
    }


def _form_value(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return [str(one) for one in value] if isinstance(value, list | tuple) else str(value)


def _error_of(response: httpx.Response) -> LikewiseError:
    try:
        said: Mapping[str, Any] = response.json()["error"]
        code, message, hint = str(said["code"]), str(said["message"]), str(said["hint"])
    except (ValueError, KeyError, TypeError):
        return LikewiseError(f"{response.request.url} answered {response.status_code} and no reason.")
    return error_of(code, message, hint)
