"""Signatures of all messages that go through the broker. Whoever reaches Redis can write into it, and is not trusted.

A message is sealed: its text, until when it holds, and an HMAC-SHA-256 over both, over what kind of message it is and
whom it is for. So a message that somebody wrote, changed, or took from another task, queue or name is refused. The key
is ``Settings.cluster_key``; coordinators and workers have the same one.

Messages are signed, not secret: whoever reads Redis reads paths, vectors and facts of files.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from search.errors import MessageRefusedError, SettingsError
from search.settings import LEAST_KEY, Settings

Json: TypeAlias = dict[str, Any]

MESSAGE_VERSION = 2
"""Version of the layout of all messages, and of their seals. Messages of version 1 (Likewise 0.1.0) are not signed."""

KEY_FILE = "cluster.key"
"""File of the data directory with the key of a cluster on one machine that was given none."""

MAKE_KEY = "python3 -c 'import secrets; print(secrets.token_hex(32))'"

_LATEST = 2**53
_LENGTH = 8


class MessageExpiredError(MessageRefusedError):
    """The message holds no longer."""


@dataclass(frozen=True, slots=True)
class Seals:
    """Seals messages, and opens those that were sealed with the same key."""

    key: bytes

    def seal(self, content: str, *address: str, seconds: float | None = None) -> Json:
        """The message as a JSON object.

        Args:
            address: the kind of message, then whom it is for; the reader has to name the same.
            seconds: how long it holds; None for ever.
        """
        until = 0 if seconds is None else int((time.time() + seconds) * 1000)
        signature = self._signature(content, until, address)
        return {"version": MESSAGE_VERSION, "until": until, "content": content, "signature": signature}

    def open(self, sealed: object, *address: str) -> str:
        """The text of a message.

        Args:
            address: as it was sealed for.

        Raises:
            MessageExpiredError: it held until a time that has passed on this machine's clock.
            MessageRefusedError: it is not sealed, or with another key, or for another address, or has been changed.
        """
        kind = address[0]
        if not isinstance(sealed, dict) or "signature" not in sealed:
            raise MessageRefusedError(
                f"A message ({kind}) is not signed: an older version of Likewise wrote it, or somebody who can write "
                "into Redis.",
                "Update Likewise on every machine of the cluster, and see that nobody else reaches Redis.",
            )
        content, until, signature = (sealed.get(name) for name in ("content", "until", "signature"))
        if sealed.get("version") != MESSAGE_VERSION:
            raise MessageRefusedError(
                f"A message ({kind}) has layout {str(sealed.get('version'))[:20]}, and this version of Likewise reads "
                f"layout {MESSAGE_VERSION}.",
                "Coordinators and workers need the same version of Likewise.",
            )
        if not isinstance(content, str) or type(until) is not int or not 0 <= until < _LATEST:
            raise MessageRefusedError(f"A message ({kind}) has a seal that is none.")
        if not isinstance(signature, str) or not signature.isascii():
            raise MessageRefusedError(f"A message ({kind}) has a signature that is none.")
        if not hmac.compare_digest(signature, self._signature(content, until, address)):
            raise MessageRefusedError(
                f"A message ({kind}) is signed with another key, or has been changed, or was meant for something else.",
                "Give coordinators and workers the same LIKEWISE_CLUSTER_KEY. If they have it, somebody who should not "
                "writes into Redis.",
            )
        if until and time.time() * 1000 > until:
            raise MessageExpiredError(
                f"A message ({kind}) holds no longer.", "If it is new, set the clocks of the machines."
            )
        return content

    def _signature(self, content: str, until: int, address: tuple[str, ...]) -> str:
        """Hex digits. Each part is preceded by its length, so that no two messages have the same bytes."""
        code = hmac.new(self.key, digestmod="sha256")
        for part in (str(MESSAGE_VERSION), *address, str(until), content):
            data = part.encode("utf-8", "surrogatepass")
            code.update(len(data).to_bytes(_LENGTH, "big"))
            code.update(data)
        return code.hexdigest()


def cluster_key(settings: Settings) -> bytes:
    """The key that messages are signed with.

    Where the settings name none and the broker is on this machine, it is a random one in the data directory, made at
    the first start: coordinators and workers of one machine have the same data directory.

    Raises:
        SettingsError: none is set, and the broker is elsewhere; or the file cannot be read or made.
    """
    if settings.cluster_key is not None:
        return settings.cluster_key.get_secret_value().encode()
    assert settings.broker_url is not None
    if not is_on_this_machine(settings.broker_url.get_secret_value()):
        raise SettingsError(
            "No key is set to sign the messages of the cluster with, and the broker is on another machine.",
            f"Make one ({MAKE_KEY}) and set LIKEWISE_CLUSTER_KEY to it, or LIKEWISE_CLUSTER_KEY_FILE to a file that "
            "holds it, here and on every worker.",
        )
    return _kept_key(settings.home / KEY_FILE)


def is_on_this_machine(address: str) -> bool:
    """Whether a broker's address is a socket or a loopback address."""
    if ";" in address:  # several brokers, one of which may be elsewhere
        return False
    parts = urlsplit(address)
    host = parts.hostname
    if parts.scheme == "redis+socket" or host is None or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _kept_key(path: Path) -> bytes:
    """The key in a file, which is made if there is none; of several processes that do so at once, one makes it."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        key = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The key of the cluster in {path} cannot be read or made: {error}.",
            "Set LIKEWISE_CLUSTER_KEY, here and on every worker.",
        ) from error
    if len(key) < LEAST_KEY:
        raise SettingsError(f"{path} holds no key.", "Delete it; the next start makes another.")
    return key.encode()


def _make(path: Path) -> None:
    own = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(f"{secrets.token_hex(32)}\n")
        with suppress(FileExistsError):
            path.hardlink_to(own)
    finally:
        own.unlink()
