"""What the properties of calls of the picture desk mean, with an example: predictions of many photos, credits by hand,
display names, dates and places from a table; see ``property_docs``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_ID = "3c375b09-a29a-5a72-8fff-09bb5f09d7af"
_EDIT = "6c1f0a52c1f04f2f9a5f0f6f3b0c9d1e"
_FACTS = {"taken_at": "1942-06-15", "place": "Oklahoma City", "latitude": 35.47, "longitude": -97.52}
_TABLE = "path,taken,place,latitude,longitude\nharbour/*.jpg,1942-06-15,Oklahoma City,35.47,-97.52\n"

DESK: Mapping[str, tuple[str, Any]] = {
    "display_name": ("What people read for the photographer", "Alfred T. Palmer"),
    "Displaying.display_name": ("What people are to read; empty for what follows from the name", "Alfred T. Palmer"),
    "PredictingMany.like": ("Ids of stored photos", [_ID]),
    "PredictingMany.folder": ("A folder: all pictures of the library at or below it are asked about", "/mnt/photos"),
    "PredictedExample.file": ("Path of the photo, or the name of an upload", "/mnt/photos/a.jpg"),
    "PredictedExample.id": ("Id of the stored photo; empty of an upload", _ID),
    "PredictedExample.credited": ("Who is credited with it; null for nobody", "alfred_t_palmer"),
    "PredictedExample.error": ("Why there is no prediction; null where there is one", None),
    "PredictedExample.thumbnail": ("Address of its preview; null without one", f"/media/{_ID}/preview"),
    "prediction": ("Whose photo it is; null where that could not be asked", None),
    "PredictedMany.photos": ("The photos, each with its prediction", []),
    "PredictedMany.set": ("The verdict on all of them together; null for fewer than two", None),
    "PredictedMany.total": ("How many were meant; the first 200 are answered", 12),
    "edit": ("By which a credit by hand is undone", _EDIT),
    "CreditEdit.credited": ("Id of each photo to its photographer now; empty for nobody known", {_ID: "Ada"}),
    "Crediting.credits": ("Who took which photos", [{"id": _ID, "photographer": "alfred_t_palmer"}]),
    "PhotoCredit.photographer": ("Who took it; empty: nobody is known, whatever the file says", "alfred_t_palmer"),
    "Undone.records": ("Number of photos that were changed", 3),
    "FactsTableText.table": ("CSV with a column path and some of taken, place, latitude and longitude", _TABLE),
    "NewFacts.table": ("CSV with a column path and some of taken, place, latitude and longitude", _TABLE),
    "FactsTableText.overwrite": ("The table counts before what files say", False),
    "NewFacts.overwrite": ("The table counts before what files say", False),
    "forget": ("No table: what tables have told of dates and places is forgotten", False),
    "FactsPreview.changes": ("Photos that would change, the first 500 in order of their paths", []),
    "changed": ("Number of photos that would change", 12),
    "same": ("Number of photos of which all is so already", 3),
    "kept": ("Number of photos whose file says otherwise, which stays", 1),
    "wrong": ("Sentences about lines that cannot be used, the first 500", ["Line 7: it names no photo."]),
    "wrong_lines": ("Number of lines that cannot be used", 1),
    "FactsChange.lines": ("Numbers of the lines that mean it", [2]),
    "FactsChange.before": ("What is known of it now", dict.fromkeys(_FACTS)),
    "FactsChange.after": ("What would be known of it", _FACTS),
    "FactsOfPhoto.place": ("Name of the place; null where nobody has entered one", "Oklahoma City"),
    "MediaRecord.place": ("Name of the place, where people have entered one", "Oklahoma City"),
    "other": ("The second photographer, by id or name", "aa2d75a0e4e54791"),
    "one": ("The first photographer", {}),
    "Comparison.other": ("The second photographer", {}),
    "ComparedTrait.one": ("Median of the first, with its 95 % interval", {}),
    "ComparedTrait.other": ("Median of the second, with its 95 % interval", {}),
    "difference": ("Of the medians, the first minus the second, with its 95 % interval", {}),
    "Estimate.value": ("Value of the figure, in its unit", 14.2),
    "low": ("Lower end of the 95 % interval", 12.0),
    "high": ("Upper end of the 95 % interval", 16.0),
    "n": ("Number of photos it was measured on", 30),
    "ComparedTrait.effect": ("The difference in robust deviations of the second's photos", 1.4),
    "ComparedTrait.words": ("How the first differs from the second", "darker shadows"),
    "certain": ("The interval of the difference excludes 0", True),
    "Comparison.traits": ("Features of the picture, those that tell the two apart most first", []),
    "Comparison.similarity": ("By style and subject, the share of pairs that are less alike", {"style": 0.93}),
    "Comparison.pairs": ("By style and subject, the nearest photos, the first's beside the second's", {"style": []}),
    "taken_for": ("Whom the classifier takes photos of the two for; empty where it does not know both", []),
    "as_one": ("How many were taken for the first of the two", 30),
    "as_other": ("How many were taken for the second of the two", 4),
    "as_others": ("How many were taken for anybody else", 2),
    "EvidenceFile.name": ("Name for the file", "evidence-20261130T120000Z.html"),
    "html": ("The file: one HTML page that holds its pictures and loads nothing", "<!doctype html>…"),
    "MediaRecord.own": (
        "What the file says of time and place, where people have entered otherwise",
        {"taken_at": "2019-01-01"},
    ),
}
"""Rows by ``Type.name`` or ``name``."""
