"""Which licence a component is under, by what its package says and licences.toml, and whether that one is permitted."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

TABLE = Path(__file__).with_name("licences.toml")

SPDX_OF = {
    "3-clause bsd license": "BSD-3-Clause",
    "apache 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "mit license": "MIT",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "new bsd": "BSD-3-Clause",
    "nvidia proprietary software": "LicenseRef-NVIDIA-Proprietary",
    "python software foundation license": "PSF-2.0",
    "zpl 2.1": "ZPL-2.1",
}
"""Names that packages give their licence instead of SPDX's, in small letters."""

SOME_BSD = {"bsd", "bsd license"}
"""Names of two licences; the text says which."""

THIRD_CLAUSE = "neither the name"
"""Words that BSD-3-Clause has and BSD-2-Clause has not."""


@dataclass(frozen=True)
class IncludedPart:
    """Something of others inside a package. `licence` is an SPDX expression, empty if nothing says it."""

    name: str
    version: str
    licence: str
    purl: str = ""
    scope: str = ""
    """CycloneDX's: `required`, `optional` or nothing."""


@dataclass(frozen=True)
class Bundle:
    """A row of `bundled`: a part of a package with its files, as patterns of paths below site-packages."""

    name: str
    licence: str
    files: tuple[str, ...]


class LicenceTable:
    """licences.toml, or another table of its form."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._permitted = frozenset(table["permitted"])
        self._stated = table.get("stated", {})
        self._accepted = table.get("accepted", {})
        self._bundled = table.get("bundled", {})
        self._own = table.get("own", {})

    @classmethod
    def read(cls, path: Path = TABLE) -> LicenceTable:
        return cls(tomllib.loads(path.read_text("utf-8")))

    def licence(self, package: str, distribution: Distribution) -> str:
        """An SPDX expression; empty if neither the table nor the package says which."""
        if package in self._stated:
            return str(self._stated[package]["licence"])
        return declared(distribution)

    def bundles(self, package: str) -> list[Bundle]:
        parts = self._bundled.get(package, {}).get("parts", {})
        return [Bundle(name, licence, tuple(files)) for name, (licence, *files) in parts.items()]

    def is_own(self, package: str, file: str) -> bool:
        return any(fnmatchcase(file, pattern) for pattern in self._own.get(package, ()))

    def permits(self, package: str, expression: str) -> bool:
        accepted = {
            licence
            for pattern, row in self._accepted.items()
            if fnmatchcase(package, pattern)
            for licence in row["licences"]
        }
        return _holds(expression, self._permitted | accepted)


def spdx(text: str) -> str:
    """The expression in SPDX's spelling; empty if it is none."""
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return ""


def declared(distribution: Distribution) -> str:
    """What a package says of itself, as an SPDX expression; empty if it says nothing that is one."""

    def values(field: str) -> list[str]:
        return distribution.metadata.get_all(field) or []

    for expression in values("License-Expression"):
        return spdx(expression)
    classifiers = [value.rsplit(" :: ", 1)[-1] for value in values("Classifier") if value.startswith("License ::")]
    said = [*values("License"), *classifiers]
    for name in map(str.strip, said):
        found = SPDX_OF.get(name.lower()) or spdx(name)
        if name.lower() in SOME_BSD and (text := " ".join(texts(distribution))):
            found = "BSD-3-Clause" if THIRD_CLAUSE in " ".join(text.lower().split()) else "BSD-2-Clause"
        if found:
            return found
    return ""


def texts(distribution: Distribution) -> Iterator[str]:
    """The licence files that a package brings."""
    for file in distribution.files or ():
        if re.search(r"\.dist-info/(.*/)?LICEN[CS]E[^/]*$", str(file), re.IGNORECASE):
            yield Path(str(file.locate())).read_text("utf-8", "replace")


def _holds(expression: str, permitted: frozenset[str]) -> bool:
    """Whether somebody who has only these licences may take the offer: one side of OR, both of AND."""
    words = re.findall(r"[()]|[^\s()]+", expression)

    def either() -> bool:
        held = both()
        while words and words[0] == "OR":
            words.pop(0)
            held |= both()
        return held

    def both() -> bool:
        held = one()
        while words and words[0] == "AND":
            words.pop(0)
            held &= one()
        return held

    def one() -> bool:
        word = words.pop(0)
        if word == "(":
            held = either()
            words.pop(0)
            return held
        if words and words[0] == "WITH":
            word = f"{word} WITH {words[1]}"
            del words[:2]
        return word in permitted

    return either()


def problems(table: LicenceTable, package: str, licence: str, parts: Sequence[IncludedPart]) -> list[str]:
    """What keeps a package from being shipped, a sentence each: an unknown licence, or one that is not permitted."""
    found = []
    for name, expression in ((package, licence), *((f"{part.name} in {package}", part.licence) for part in parts)):
        if not expression:
            found.append(f"{name} has no known licence; look it up, and state it in {TABLE.name}.")
        elif not table.permits(package, expression):
            found.append(f"{name} is under {expression}, which {TABLE.name} neither permits nor accepts for it.")
    return found
