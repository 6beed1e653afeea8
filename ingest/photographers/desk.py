"""What people do by hand, at once: credit photos and undo it, rename photographers, say how they are shown and what
shoots are called, and look at what a table of dates and places would change."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ingest.jobs.kinds import JobKind
from ingest.ledger.credit_edits import CreditEdit, CreditEdits, LabelEdit, label_edits
from ingest.ledger.credits import Credits
from ingest.ledger.database import Ledger
from ingest.ledger.display_names import displayed, store_display
from ingest.ledger.shoot_names import named_shoots, store_shoot_name
from ingest.photographers.facts import FactsPreview, preview_facts
from ingest.photographers.label_preview import LabelPreview, preview_labels
from search.photographers.photos.names import one_line
from search.store.base import Store

SHOWN_EDITS = 3
"""Jobs whose credits are offered to be undone."""

MOST_DISPLAY = 200
"""Characters of a name that is shown."""


class Desk:
    """Edits of one library's photographers. Thread-safe."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store, self._ledger = store, ledger
        self._credits = Credits(ledger, store)
        self._edits = CreditEdits(self._credits)

    def rename(self, old: str, new: str) -> int:
        """Rename a photographer, also in files that are ingested later; a name that exists already merges the two.

        Returns:
            The number of records that were checked.

        Raises:
            UsageError: the new name is not the name of a person.  NotFoundError: nobody is or was credited as ``old``.
        """
        return self._credits.rename(old, new)

    def credit(self, names: Mapping[str, str]) -> CreditEdit:
        """Credit records by hand, at once; this counts before every other source of credits.

        Args:
            names: id to photographer; empty says that nobody is known, whatever the file says.

        Raises:
            UsageError: a name is not the name of a person.  NotFoundError: there is no such record.
        """
        return self._edits.credit(names)

    def edit(self, edit: str) -> CreditEdit:
        """What was credited at once, where that can be undone.

        Raises:
            NotFoundError: it cannot.
        """
        return self._edits.find(edit)

    def undo(self, edit: str) -> int:
        """Undo what was credited at once, where nobody has credited by hand since; the number of records.

        Raises:
            NotFoundError: there is no such edit, or it was undone, or it is too old, or nothing of it is left.
        """
        return self._edits.undo(edit)

    def preview_labels(self, options: Mapping[str, str]) -> LabelPreview:
        """What a job that labels would change.

        Args:
            options: as the job takes them.

        Raises:
            UsageError: one is invalid, or the source has no preview.
            NotFoundError: no file at or below the path has been imported.
        """
        return preview_labels(self._store, self._ledger, JobKind.LABEL.parse(options))

    def label_edits(self) -> list[LabelEdit]:
        """The latest jobs whose credits can be undone."""
        with self._ledger.read() as connection:
            return label_edits(connection, SHOWN_EDITS)

    def displayed(self) -> Mapping[str, str]:
        """Name of a photographer to what people want shown, where they have said so."""
        with self._ledger.read() as connection:
            return displayed(connection)

    def show_as(self, name: str, display: str) -> str:
        """Show a photographer as ``display``; empty for what follows from the name. What is stored."""
        kept = one_line(display)[:MOST_DISPLAY].rstrip()
        with self._ledger.write() as connection:
            store_display(connection, name, kept)
            self._credits.count_edit(connection)
        return kept

    def shoot_names(self) -> Mapping[str, str]:
        """Id of a photo to the name that people have given its shoot."""
        with self._ledger.read() as connection:
            return named_shoots(connection)

    def name_shoot(self, ids: Collection[str], name: str) -> str:
        """Call the shoot of these photos so; empty for what follows from folder, place and date. What is stored."""
        kept = one_line(name)[:MOST_DISPLAY].rstrip()
        with self._ledger.write() as connection:
            store_shoot_name(connection, ids, kept)
            self._credits.count_edit(connection)
        return kept

    def preview_facts(self, table: str, base: str = "", *, overwrite: bool = False) -> FactsPreview:
        """What a table of dates and places would change.

        Raises:
            UsageError: it is no such table.
        """
        return preview_facts(self._store, self._ledger, table, base, overwrite=overwrite)
