"""API calls that note dates and places from a table, and say what that would change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ingest.jobs.kinds import JobKind
from ingest.jobs.progress import JobProgress
from ingest.ledger.access import Scope
from ingest.photographers.facts import FactsPreview
from search.errors import UsageError
from web.api.jobs import job
from web.api.operation import Operation
from web.api.params import NonEmpty
from web.api.ports import NodePort


@dataclass(frozen=True, slots=True)
class FactsTableText:
    """A table of dates and places.

    Attributes:
        table: CSV with a column ``path`` (a path, a folder, a pattern, or the name of a file that is there once) and
            some of ``taken``, ``place``, ``latitude`` and ``longitude``.
        base: folder that its paths start from.
        overwrite: it counts before what files say.
    """

    table: NonEmpty
    base: str = ""
    overwrite: bool = False


@dataclass(frozen=True, slots=True)
class NewFacts:
    """A table as in :class:`FactsTableText`, or ``forget``: all that tables have told of dates and places."""

    table: str = ""
    base: str = ""
    overwrite: bool = False
    forget: bool = False

    @property
    def options(self) -> dict[str, str]:
        """As the task ``facts`` takes them."""
        flags = {name: "1" if given else "" for name, given in (("overwrite", self.overwrite), ("forget", self.forget))}
        return {name: text for name, text in ({"table": self.table, "base": self.base} | flags).items() if text}


def preview_facts(node: NodePort, asked: FactsTableText) -> FactsPreview:
    """What a table of dates and places would change; nothing is written. Lines that cannot be used are named with their
    numbers."""
    return node.desk.preview_facts(asked.table, asked.base, overwrite=asked.overwrite)


def note_facts(node: NodePort, new: NewFacts) -> JobProgress:
    """Note when and where photos were taken, by a table; the answer is the job that does it. What files say stays, but
    with 'overwrite'; 'forget' takes back all that tables have told."""
    if bool(new.table) == new.forget:
        raise UsageError("It takes a table, or forgets what tables told.", "Give a 'table', or 'forget' alone.")
    return node.ingest.progress(node.start_task(JobKind.FACTS, new.options))


_STARTED: dict[str, Any] = {"answer": JobProgress, "status": 202, "errors": (400, 404, 503, 507), "answer_of_job": job}

OPERATIONS = (
    Operation(
        "POST",
        "/photographers/facts/preview",
        preview_facts,
        FactsPreview,
        scope=Scope.READ,
        takes=(FactsTableText,),
        long_text=True,
        errors=(400, 503),
    ),
    Operation(
        "POST",
        "/photographers/facts",
        note_facts,
        scope=Scope.INGEST,
        takes=(NewFacts,),
        long_text=True,
        **_STARTED,
    ),
)
