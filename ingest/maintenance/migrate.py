"""Job task ``migrate``: copy the store to another one and compare every point.

The target ``http://…`` is a Qdrant server, ``edge`` the embedded store of this data directory, and ``edge:DIR`` that of
another. The source stays as it is; people change the settings afterwards to use the copy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ingest.jobs.kinds import MigrateOptions
from ingest.jobs.tasks import TaskRun
from ingest.ledger.database import Ledger
from ingest.maintenance.places import check_migration_place
from ingest.maintenance.upkeep import bring_up_to_date
from search.errors import DiskFullError, StoreError, StoreLockedError, StoreUnavailableError, UsageError
from search.settings import Settings, parsed_address
from search.store import open_store
from search.store.base import Store
from search.store.durable import check_space
from search.transfer import Copy, estimate

EDGE = "edge"
KEPT = "What is copied is kept; the same command goes on from there."
"""Message of a job that was stopped."""

ROOM = 3
"""Points need this many times their size in an embedded store while they are indexed."""


class Migrate:
    """The task ``migrate``."""

    def __init__(self, settings: Settings, store: Store, ledger: Ledger) -> None:
        self._settings, self._store, self._ledger = settings, store, ledger

    def check(self, options: MigrateOptions) -> str:
        """Check that the target can be opened and is empty; the job's title.

        Raises:
            UsageError: it names no store, one that cannot be opened, the store in use, or one with records of its own.
            StoreUnavailableError, StoreLockedError: the target does not answer, or is in use.
            DiskFullError: the target's disk has too little room.
        """
        with self._opened(options.to) as target:
            Copy(self._store, target, place_of(self._settings)).check()
        return options.to

    def run(self, options: MigrateOptions, job: TaskRun) -> str:
        """Copy and compare, or continue to.

        Raises:
            StoreError, UsageError: as :meth:`check`; or a point differs.
            NotAllowedError: the settings do not name the target any more.
        """
        to = options.to
        check_migration_place(self._settings, to)
        with self._opened(to) as target:
            copy = Copy(self._store, target, place_of(self._settings))
            copy.check()
            # Now, so that no payload is upgraded while it is copied.
            bring_up_to_date(self._store, self._ledger, goes_on=job.goes_on)
            if not job.goes_on():
                return KEPT
            collections = sorted(self._store.collections())
            job.begin(2 * copy.points())  # each is written, and each is compared
            for collection in collections:
                for steps in (copy.copy(collection), copy.compare(collection)):
                    for done in steps:
                        job.count(done=done)
                        if not job.goes_on():
                            return KEPT
            for collection in collections:
                copy.finish(collection)
            for collection in collections:
                target.optimise(collection)
            return self._summary(to, copy)

    @contextmanager
    def _opened(self, to: str) -> Iterator[Store]:
        settings = target_settings(self._settings, to)
        if place_of(settings) == place_of(self._settings) or _shared_nodes(settings, self._settings):
            raise UsageError(f"'{to}' is the store in use already.", "Name another one.")
        try:
            target = open_store(settings)
        except (StoreLockedError, StoreUnavailableError, DiskFullError):
            raise
        except StoreError as error:
            raise UsageError(f"'{to}' cannot be opened: {error.message}", "Name another store.") from error
        try:
            if settings.store == EDGE and not target.collections():
                wanted = sum(estimate(self._store, name) for name in self._store.collections())
                check_space(settings.home, ROOM * wanted)
            yield target
        finally:
            target.close()

    def _summary(self, to: str, copy: Copy) -> str:
        repaired = f" ({copy.repaired:,} were sent twice)" if copy.repaired else ""
        wanted = ", ".join(f"{name}={value}" for name, value in settings_after(self._settings, to).items())
        return (
            f"{copy.points():,} records are there, each compared{repaired}. "
            f"To use them: stop Likewise, set {wanted}, and start it again. What is taken in before that is not there."
        )


def target_settings(settings: Settings, to: str) -> Settings:
    """Settings that open the target store.

    Raises:
        UsageError: ``to`` names no store.
    """
    kind, _, folder = to.partition(":")
    if kind == EDGE:
        home = Path(folder) if folder else settings.home
        if not home.is_absolute():
            raise UsageError(f"'{folder}' is not an absolute path.", "Name it from the root on, as edge:/mnt/likewise.")
        return settings.model_copy(update={"store": EDGE, "home": home})
    addresses = [parsed_address(part.strip(), ("http", "https")) for part in to.split(",")]
    if any(address is None or not address.hostname for address in addresses):
        raise UsageError(
            f"'{to}' names no store.",
            "Name a Qdrant server (http://host:6333), the embedded store of this data directory (edge), or that of "
            "another (edge:/path).",
        )
    if any(address is not None and (address.username or address.password) for address in addresses):
        raise UsageError("The address holds a password.", "Give the server's key as LIKEWISE_QDRANT_API_KEY.")
    target = settings.model_copy(update={"store": "server", "qdrant_url": to})
    if settings.qdrant_urls and not _nodes(target) <= _nodes(settings):
        # The key belongs to the configured server and must not be sent to another address; ports are that server's too.
        return target.model_copy(update={"qdrant_api_key": None, "qdrant_grpc": "off"})
    if "," in settings.qdrant_grpc:  # a port for each of the addresses, of which the target names some
        return target.model_copy(update={"qdrant_grpc": "off"})
    return target


def place_of(settings: Settings) -> str:
    """A canonical name of the store that these settings open."""
    if settings.store == EDGE:
        return f"{EDGE}:{settings.home.resolve()}"
    return f"{','.join(url.rstrip('/') for url in settings.qdrant_urls)} {settings.qdrant_prefix}".strip()


def _nodes(settings: Settings) -> frozenset[str]:
    """The addresses of a Qdrant server's nodes, each in one spelling."""
    return frozenset(url.rstrip("/") for url in settings.qdrant_urls)


def _shared_nodes(one: Settings, other: Settings) -> frozenset[str]:
    """Nodes of one cluster, by whichever of which each of the two opens it."""
    both = one.store == other.store == "server"
    return _nodes(one) & _nodes(other) if both else frozenset()


def settings_after(settings: Settings, to: str) -> dict[str, str]:
    """Environment variables to change in order to use the target; ledger and previews stay where they are."""
    wanted = target_settings(settings, to)
    if wanted.store == "server":
        return {"LIKEWISE_STORE": "server", "LIKEWISE_QDRANT_URL": str(wanted.qdrant_url)}
    after = {"LIKEWISE_STORE": EDGE}
    if wanted.home != settings.home:
        after["LIKEWISE_HOME"] = str(wanted.home)
        if settings.database_url is None:
            after["LIKEWISE_DATABASE_URL"] = settings.ledger_url
        after["LIKEWISE_SHARED"] = settings.shared_place
    return after
