"""Tables of the ledger, for SQLite and PostgreSQL.

Paths compare byte by byte on both (in PostgreSQL by the collation "C"), so that all files below a folder are one range
of an index.
"""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    and_,
    false,
    or_,
)

SCHEMA_VERSION = "8"
"""Version of this layout, in table ``meta``, checked on every open; ``ingest.ledger.upgrade`` upgrades older ones."""


class FileState(StrEnum):
    """State of a path.

    ``embedded``: its content has a record that lists this path. ``missing``: it was the record's last path and no
    longer exists; the record is hidden until the path is found again or the grace period ends.
    """

    EMBEDDED = "embedded"
    SKIPPED = "skipped"
    FAILED = "failed"
    MISSING = "missing"


class Action(StrEnum):
    """What a job has planned for a path: read its bytes, update its record without reading, or mark it as gone.

    ``left_out``: the file may still be there, but scans leave its folder out (``ingest.scan.system_files``). It is
    marked as if it were gone, and no sign of a drive that is not mounted.
    """

    READ = "read"
    RENEW = "renew"
    GONE = "gone"
    LEFT_OUT = "left_out"


PathText = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

libraries = Table(
    "libraries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
)

roots = Table(
    "roots",
    metadata,
    Column("path", PathText, primary_key=True),
    Column("library", ForeignKey("libraries.id"), nullable=False),
)
"""Folders and single files that people have ingested by name. A nested one keeps its own library and is always scanned,
whatever the ignore rules of the folders above say."""

files = Table(
    "files",
    metadata,
    Column("path", PathText, primary_key=True),
    Column("folder", PathText, nullable=False),
    Column("library", ForeignKey("libraries.id"), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    # Ledgers of layout 3 had neither of these two.
    Column("ctime_ns", BigInteger),
    Column("sidecars", Text, nullable=False, server_default=""),
    Column("sha256", String(64)),
    Column("media_id", String(36)),
    Column("kind", String(8)),
    Column("state", String(16), nullable=False),
    Column("code", String(32), nullable=False, default=""),
    Column("detail", Text, nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("job", Integer, nullable=False),
    Column("missing_since", Float),
    Index("files_folder", "folder"),
    Index("files_sha256", "sha256"),
    Index("files_media_id", "media_id"),
    Index("files_state", "state", "path"),
    sqlite_with_rowid=False,
)
"""One row per path. A folder that cannot be read has a row with ``folder`` equal to ``path``. ``ctime_ns`` is when the
file or its metadata changed, in nanoseconds since the epoch; null where that is not known. ``sidecars`` are those
beside the file (``ingest.scan.sidecars``), empty where there are none."""

# Few files have sidecars; which record has some is asked at the end of every job.
Index(
    "files_sidecars",
    files.c.media_id,
    files.c.path,
    sqlite_where=files.c.sidecars != "",
    postgresql_where=files.c.sidecars != "",
)

sidecars_read = Table(
    "sidecars_read",
    metadata,
    Column("media_id", String(36), primary_key=True),
    Column("sidecars", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""The sidecars that the facts of a record were read with; no row of a record that was made without any."""

unsettled = Table(
    "unsettled",
    metadata,
    Column("media_id", String(36), primary_key=True),
    Column("job", Integer, primary_key=True),
)
"""Records that may be in the store without any file: a job is about to write or replace them. They are swept when a job
ends, except those that another unfinished job lists as well, as it may still write them."""

planned = Table(
    "planned",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("job", Integer, nullable=False),
    Column("action", String(8), nullable=False),
    Column("path", PathText, nullable=False),
    Column("folder", PathText, nullable=False),
    Column("library", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("ctime_ns", BigInteger),
    Column("sidecars", Text, nullable=False, server_default=""),
    Column("kind", String(8)),
    Index("planned_job", "job", "action", "seq"),
    Index("planned_path", "path"),
)
"""Plans of running jobs, stored so that they take no memory; deleted when the job ends."""

COUNTERS = ("total", "embedded", "duplicate", "unchanged", "moved", "missing", "skipped", "failed")

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("state", String(24), nullable=False),
    Column("library", Text, nullable=False),
    Column("roots", Text, nullable=False),
    Column("confirm_missing", Boolean, nullable=False),
    Column("retry_failed", Boolean, nullable=False),
    Column("message", Text, nullable=False, default=""),
    Column("created", Float, nullable=False),
    Column("seconds", Float, nullable=False, default=0.0),
    Column("rate", Float, nullable=False, default=0.0),
    Column("eta_seconds", Float),
    *(Column(name, Integer, nullable=False, default=0) for name in COUNTERS),
    # Jobs of layout 1 had no task: all of them were of the kind "ingest".
    Column("task", String(24), nullable=False, server_default="ingest"),
    Column("options", Text, nullable=False, server_default="{}"),
    Column("priority", String(8), nullable=False, server_default="normal"),
    Column("wanted", String(8), nullable=False, server_default=""),
    Column("owner", String(96), nullable=False, server_default=""),
    Column("heartbeat", Float),
    Column("bulk", Boolean, nullable=False, server_default=false()),
    sqlite_autoincrement=True,
)
"""One row per job. ``task`` is its kind (``ingest.jobs.kinds``) and ``options`` a JSON object of texts
(``ingest.jobs.options``). ``wanted`` is what people have asked of the job and its coordinator has still to do
(``ingest.jobs.leases.JobCommand``). ``owner`` and ``heartbeat`` are its lease: which coordinator runs it, and when that
was last seen alive. ``bulk``: the store's indexing is held back until it ends."""

credited = Table(
    "credits",
    metadata,
    Column("media_id", String(36), primary_key=True),
    Column("source", String(8), primary_key=True),
    Column("name", Text, nullable=False),
    Column("first", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,
)
"""The photographer of a record, by each source that a person has applied (``search.media.Credit``);
what the file itself says is in the record. An empty name: the photographer is unknown. ``first``: this source counts
before the others, whatever the usual order. Rows stay when a record is deleted, as it may come back."""

renames = Table(
    "renames",
    metadata,
    Column("old", PathText, primary_key=True),
    Column("new", PathText, nullable=False),
    sqlite_with_rowid=False,
)
"""Renamed photographers: credits to ``old`` go by ``new``. No ``new`` is itself an ``old``."""

credit_edits = Table(
    "credit_edits",
    metadata,
    Column("edit", String(32), primary_key=True),
    Column("media_id", String(36), primary_key=True),
    Column("created", Float, nullable=False),
    Column("given", Text, nullable=False),
    Column("before", Text, nullable=False),
    Index("credit_edits_created", "created"),
    Index("credit_edits_media", "media_id"),
    sqlite_with_rowid=False,
)
"""Credits by hand that can be undone (``ingest.ledger.credit_edits``). ``given``: the name; empty for nobody known.
``before``: what the sources said of the record, a JSON list of [source, name, first]. Ledgers of layout 6 had neither
this table nor the three below."""

display_names = Table(
    "display_names",
    metadata,
    Column("name", PathText, primary_key=True),
    Column("display", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""How photographers are shown, by the name that they are credited by, where people have said so."""

shoot_names = Table(
    "shoot_names",
    metadata,
    Column("media_id", String(36), primary_key=True),
    Column("name", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""What people call the shoot of a photo. Rows stay when a record is deleted."""

told_facts = Table(
    "told_facts",
    metadata,
    Column("media_id", String(36), primary_key=True),
    Column("fact", String(16), primary_key=True),
    Column("value", Text, nullable=False),
    Column("first", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,
)
"""Facts of records that people have told by a table (``ingest.ledger.told_facts``): ``taken_at``, ``place`` or
``location``; ``value`` is JSON. ``first``: it counts before what the file says. Rows stay when a record is deleted."""

overlaps = Table(
    "overlaps",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("one", String(36), nullable=False),
    Column("other", String(36), nullable=False),
    Column("start", Float, nullable=False),
    Column("other_start", Float, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("flipped", Boolean, nullable=False),
    Column("heard", Boolean, nullable=False),
    Index("overlaps_one", "one"),
    Index("overlaps_other", "other"),
)
"""Spans of films and sounds that are in others (``search.similar.reuse.overlaps``), as the last job has found them."""

compared = Table(
    "compared",
    metadata,
    Column("media_id", String(36), primary_key=True),
    Column("decoding", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""Contents that were compared with all others for ``overlaps``, as a revision decoded them. Ledgers of layout 7 had
neither table."""

access = Table(
    "access",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("name", Text, nullable=False, server_default=""),
    Column("scope", String(8), nullable=False),
    Column("parent", String(64), nullable=False, server_default=""),
    Column("created", Float, nullable=False),
    Column("expires", Float),
    Index("access_parent", "parent"),
    sqlite_with_rowid=False,
)
"""Tokens, sessions and login codes (``ingest.ledger.access``), by digest alone. ``parent`` is the digest of the token
that a session or code was begun with. Never part of a backup. Ledgers of layout 4 had no such table."""

request_keys = Table(
    "request_keys",
    metadata,
    Column("caller", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request", String(64), nullable=False),
    Column("claim", String(32), nullable=False),
    Column("claimed", Float, nullable=False),
    Column("created", Float, nullable=False),
    Column("job", Integer),
    Column("status", Integer),
    Column("answer", Text),
    Index("request_keys_created", "created"),
    sqlite_with_rowid=False,
)
"""Idempotency keys of requests that start jobs (``ingest.ledger.request_keys``). ``caller`` is the digest of the token,
``request`` that of what was asked. ``claim`` is the attempt that may start the job, made at ``claimed``; ``job`` is
written together with the job, ``status`` and ``answer`` afterwards. Never part of a backup. Ledgers of layout 5 had no
such table."""


def below(column: ColumnElement[str], folder: str) -> ColumnElement[bool]:
    """Condition: ``column`` is a path below ``folder``. A range: LIKE would need escapes and not use the index."""
    stem = folder.rstrip("/")
    return and_(column > stem + "/", column < stem + chr(ord("/") + 1))


def at_or_below(column: ColumnElement[str], folder: str) -> ColumnElement[bool]:
    """Condition: ``column`` is ``folder`` or a path below it."""
    return or_(column == folder, below(column, folder))
