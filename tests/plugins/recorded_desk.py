"""A picture desk that writes down what it is told to do, for tests of the pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ingest.ledger.credit_edits import CreditEdit, LabelEdit
from ingest.photographers.facts import FactsChange, FactsOfPhoto, FactsPreview
from ingest.photographers.label_preview import LabelPreview, NamedPhotos
from search.errors import NotFoundError
from search.media import Credit


@dataclass
class RecordedDesk:
    """Writes down what it is told to do, and undoes what it was told last."""

    named: list[tuple[str, str]]
    shown: dict[str, str] = field(default_factory=dict)
    edits: dict[str, CreditEdit] = field(default_factory=dict)
    shoots: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def rename(self, old: str, new: str) -> int:
        self.named.append((old, new))
        return 1

    def credit(self, names: Mapping[str, str]) -> CreditEdit:
        self.named += names.items()
        edit = CreditEdit(f"{len(self.edits):032x}", dict(names))
        self.edits[edit.edit] = edit
        return edit

    def edit(self, edit: str) -> CreditEdit:
        if edit not in self.edits:
            raise NotFoundError("There is no such edit to undo.")
        return self.edits[edit]

    def undo(self, edit: str) -> int:
        self.named.append(("undo", edit))
        return len(self.edits.pop(edit).credited)

    def preview_labels(self, options: Mapping[str, str]) -> LabelPreview:
        named = (NamedPhotos("<script>alert(1)</script>", 7, known=False), NamedPhotos("Ada", 3, known=True))
        return LabelPreview(named, 2, 9, 1, 4, {"lie in folders that name nobody": 5}, ())

    def label_edits(self) -> list[LabelEdit]:
        return [LabelEdit("12", Credit.FOLDER, 9, 0.0)]

    def displayed(self) -> Mapping[str, str]:
        return self.shown

    def name_shoot(self, ids: Collection[str], name: str) -> str:
        self.shoots.append((tuple(ids), name))
        return name

    def show_as(self, name: str, display: str) -> str:
        self.shown[name] = display
        return display

    def preview_facts(self, table: str, base: str = "", *, overwrite: bool = False) -> FactsPreview:
        before, after = (
            FactsOfPhoto(None, None, None, None),
            FactsOfPhoto("1942-06-15", "<script>alert(1)</script>", 35.5, -97.5),
        )
        change = FactsChange("0" * 36, "/photos/a.jpg", (2,), before, after)
        return FactsPreview((change,), 1, 2, 3, (f"Line 3 names no photo: {table[:5]}",), 1)
