"""List, read and write objects in buckets by fsspec.

Every failure is an ``OSError`` with a readable reason. Only addresses of allowed schemes (``Settings.remote_schemes``)
and those in the operator's own settings are opened: otherwise everyone who may start an ingest could read files of this
machine by ``file://``, or send requests into its network by ``http://``. Each storage library finds credentials and
endpoints in its own places (``AWS_*``, say).
"""

from __future__ import annotations

import calendar
import errno
import random
import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, Any, TypeVar

from search import addresses
from search.errors import LikewiseError, UsageError

if TYPE_CHECKING:  # see workers/storage/files.py
    from search.settings import Settings

PACKAGE_OF = MappingProxyType({"s3": "s3fs", "gs": "gcsfs", "az": "adlfs", "abfs": "adlfs"})
INSTALL = MappingProxyType({"s3fs": "pip install 'likewise[s3]'"})
"""Command that installs a package which is an extra of Likewise; others are installed by their names."""

READ_BYTES = 4 * 2**20
"""Bytes of one request of a stream that is read to its end."""
SERVED_BYTES = 2**20
"""Bytes of one request of a stream of which only a part may be read."""

_OPTIONS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "s3": {
            "config_kwargs": {
                "connect_timeout": 10,
                "read_timeout": 20,
                "max_pool_connections": 64,
                "retries": {"total_max_attempts": 1},
            }
        }
    }
)
_MOST_BYTES = 2**63 - 1
_MOST_SECONDS = _MOST_BYTES // 10**9 - 1
"""Largest size and latest time that a database keeps, the time as nanoseconds."""

_LIBRARY_TRIES = 2
"""Attempts of the storage library itself. Its default of five, each of which may hang, would exceed any time limit;
longer retries are made by :meth:`Objects.with_retries`."""

FIRST_DELAY, LONGEST_DELAY = 0.25, 8.0
LOOK_SECONDS = 3.0
"""How long a quick request is retried on which a person may be waiting."""
_PASSING = re.compile(r"Connection|Timeout|HTTPClient|Payload|Disconnected")
"""Part of the names of the exceptions that the libraries' HTTP clients raise when there is no answer."""
_PASSING_NUMBERS = frozenset(
    getattr(errno, name)
    for name in (
        "EAGAIN", "EBUSY", "ECONNABORTED", "ECONNREFUSED", "ECONNRESET", "EHOSTUNREACH", "EIO", "ENETUNREACH", "EPIPE",
        "EREMOTEIO", "ETIMEDOUT",
    )
    if hasattr(errno, name)
)  # fmt: skip

T = TypeVar("T")


class UnreachableError(OSError):
    """There was no answer, or only a part of it; the same request may succeed later."""


class FileChangedError(OSError):
    """The bytes of the object have changed."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Listing entry of an object or folder.

    Attributes:
        mtime_ns: the second of its modification, and as nanoseconds a checksum of its ETag instead of the fraction,
            which listings round in different ways: bytes that are replaced within one second differ as well.
    """

    address: str
    size: int
    mtime_ns: int
    is_folder: bool = False


class Objects:
    """The buckets that this process may use. Thread-safe, and safe to take across a fork."""

    def __init__(self, settings: Settings) -> None:
        self._schemes = settings.remote_schemes
        self._places = tuple(filter(addresses.is_remote, (settings.shared_place, *settings.roots.values())))
        self._retry_seconds = settings.decode_timeout

    def check(self, address: str) -> None:
        """Check that the address may and can be opened.

        Raises:
            UsageError: addresses of this scheme are not allowed, or need a package that is not installed.
        """
        try:
            self._filesystem(address)
        except OSError as error:
            raise UsageError(f"'{address}' cannot be used: {error.strerror}.") from None

    def facts(self, address: str) -> Facts:
        """Size and modification time of an object or folder.

        Raises:
            FileNotFoundError: there is neither an object nor a folder.
            OSError: it is not accessible.
        """

        def ask() -> Facts:
            with _translated_errors(address):
                return _facts(address, self._filesystem(address).info(address))

        return self.with_retries(ask, LOOK_SECONDS)

    def listing(self, folder: str) -> list[Facts]:
        """Entries of a folder in order of address, none where it does not exist; retried for ``decode_timeout``.

        Raises:
            OSError: it cannot be listed.
        """

        def ask() -> list[Facts]:
            with _translated_errors(folder):
                scheme = addresses.scheme(folder)
                found = self._filesystem(folder).ls(folder, detail=True)
                return [_facts(f"{scheme}://{info['name'].lstrip('/')}", info) for info in found]

        try:
            entries = self.with_retries(ask, self._retry_seconds)
        except FileNotFoundError:
            if addresses.parent(folder) is None:
                raise  # a folder without objects is no folder, but a bucket is there or is not
            return []
        stem = folder + "/"
        return sorted((entry for entry in entries if entry.address.startswith(stem)), key=lambda entry: entry.address)

    @contextmanager
    def opened(self, address: str) -> Iterator[tuple[IO[bytes], Facts]]:
        """The object opened for sequential reading by ``READ_BYTES``, and its facts.

        All bytes are of one version of the object, or reading fails.

        Raises:
            OSError: it cannot be opened; also from the block, where it cannot be read.
        """
        with _translated_errors(address):
            file, facts = self._open(address, block_size=READ_BYTES, cache_type="none")
            with file:
                yield file, facts

    def stream(self, address: str) -> tuple[IO[bytes], Facts]:
        """As :meth:`opened`, but seekable, with a read-ahead of ``SERVED_BYTES``; the caller closes it."""
        with _translated_errors(address):
            return self._open(address, block_size=SERVED_BYTES, cache_type="readahead")

    def _open(self, address: str, **options: object) -> tuple[IO[bytes], Facts]:
        filesystem = self._filesystem(address)
        file = filesystem.open(address, "rb", **options)
        return file, _facts(address, getattr(file, "details", None) or filesystem.info(address))

    def head(self, address: str, count: int) -> bytes:
        """The first ``count`` bytes.

        Raises:
            OSError: it cannot be read.
        """
        with _translated_errors(address):
            head = self._filesystem(address).cat_file(address, start=0, end=count)
            return bytes(head)

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write objects of one bucket by their addresses, many at once, each atomically."""
        if contents:
            first = next(iter(contents))
            with _translated_errors(first):
                self._filesystem(first).pipe(dict(contents))

    def upload(self, path: str, address: str) -> None:
        with _translated_errors(address):
            self._filesystem(address).put_file(path, address)

    def read(self, address: str) -> bytes:
        """All bytes of a small object."""

        def ask() -> bytes:
            with _translated_errors(address):
                return bytes(self._filesystem(address).cat_file(address))

        return self.with_retries(ask, LOOK_SECONDS)

    def delete(self, address: str) -> None:
        """Delete an object if it exists."""
        try:
            with _translated_errors(address):
                self._filesystem(address).rm_file(address)
        except FileNotFoundError:
            pass

    def with_retries(self, call: Callable[[], T], seconds: float, stop: threading.Event | None = None) -> T:
        """The result of ``call()``, repeated with growing, jittered delays while there is no answer and time is left.

        Args:
            stop: when set, no further attempt is made.
        """
        ends, delay = time.monotonic() + seconds, FIRST_DELAY
        stop = stop or threading.Event()
        while True:
            try:
                return call()
            except UnreachableError:
                wait = delay * random.uniform(0.5, 1.0)
                if time.monotonic() + wait > ends or stop.wait(wait):
                    raise
                delay = min(2 * delay, LONGEST_DELAY)

    def _filesystem(self, address: str) -> Any:
        """File system of fsspec for the scheme, cached by fsspec; not kept here, because none survives a fork."""
        import fsspec  # some 50 ms, only where there are buckets

        scheme = addresses.scheme(address)
        if scheme not in self._schemes and not any(addresses.is_at_or_below(address, place) for place in self._places):
            allowed = ", ".join(f"{each}://" for each in self._schemes)
            raise OSError(
                errno.EPROTONOSUPPORT,
                f"{scheme}:// addresses are not allowed, only {allowed} (LIKEWISE_REMOTE_SCHEMES)",
            )
        try:
            filesystem = fsspec.filesystem(scheme, use_listings_cache=False, **_OPTIONS.get(scheme, {}))
        except ImportError:
            package = PACKAGE_OF.get(scheme, "an fsspec package")
            install = INSTALL.get(package, f"pip install {package}")
            raise OSError(
                errno.EPROTONOSUPPORT, f"{scheme}:// addresses need {package}, which is not installed ({install})"
            ) from None
        except ValueError as error:  # no such scheme, or adlfs without an account
            raise OSError(errno.EPROTONOSUPPORT, str(error).rstrip(".")) from error
        if hasattr(filesystem, "retries"):
            filesystem.retries = _LIBRARY_TRIES
        return filesystem


def _facts(address: str, info: Mapping[str, Any]) -> Facts:
    if info.get("type") == "directory":
        return Facts(address, 0, 0, is_folder=True)
    return Facts(address, _size(info), _seconds(info) * 10**9 + _version(info))


def _size(info: Mapping[str, Any]) -> int:
    """Bytes, bounded to what a database keeps; 0 where the store does not report them."""
    with suppress(ValueError, TypeError, OverflowError):
        return max(0, min(int(info.get("size") or 0), _MOST_BYTES))
    return 0


def _seconds(info: Mapping[str, Any]) -> int:
    """Modification time in whole seconds since the epoch, bounded to what a database keeps as nanoseconds; 0 when the
    store does not report it, or reports no time."""
    names = ("LastModified", "last_modified", "mtime", "updated", "created")
    value = next((info[name] for name in names if info.get(name)), None)
    with suppress(ValueError, TypeError, OverflowError):
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        seconds = calendar.timegm(value.utctimetuple()) if isinstance(value, datetime) else int(value or 0)
        return max(-_MOST_SECONDS, min(seconds, _MOST_SECONDS))
    return 0


def _version(info: Mapping[str, Any]) -> int:
    tag = str(info.get("ETag") or info.get("etag") or "").strip('"')
    return zlib.crc32(tag.encode()) % 10**9 if tag else 0


@contextmanager
def _translated_errors(address: str) -> Iterator[None]:
    """Raise every error of a storage library as an ``OSError`` with a number and a readable reason."""
    try:
        yield
    except (UnreachableError, FileChangedError, LikewiseError):
        raise  # of this module, or of the code in the block
    except FileNotFoundError as error:
        bucket = addresses.parent(address) is None or "bucket does not exist" in str(error)
        what = f"there is no bucket '{addresses.parts(address)[0]}'" if bucket else "there is no such object"
        raise FileNotFoundError(errno.ENOENT, what) from error
    except PermissionError as error:
        reason = "" if error.errno is None and str(error) in ("", "Forbidden") else f" ({_reason(error)})"
        raise PermissionError(errno.EACCES, f"access is denied{reason}") from error
    except OSError as error:
        if type(error).__name__ == "FileExpired":
            raise FileChangedError(errno.ESTALE, "it was replaced while it was read") from error
        if error.errno in _PASSING_NUMBERS or _is_passing(error):
            raise UnreachableError(errno.EIO, f"the store gives no answer ({_reason(error)})") from error
        raise OSError(error.errno or errno.EIO, _reason(error)) from error
    except Exception as error:  # the libraries' clients have own exceptions, not all of them installed
        if "Credential" in type(error).__name__:
            hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or what your store asks for, where Likewise runs"
            raise PermissionError(errno.EACCES, f"no credentials are found: {hint}") from error
        if _is_passing(error):
            raise UnreachableError(errno.EIO, f"the store gives no answer ({_reason(error)})") from error
        raise OSError(errno.EIO, f"{type(error).__name__}: {_reason(error)}") from error


def _is_passing(error: Exception) -> bool:
    return any(_PASSING.search(cls.__name__) for cls in type(error).__mro__)


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(text.split()).rstrip(".:")
