"""What an installed Likewise consists of: packages, what they depend on, and what each brings along of others.

Read from the metadata of the environment, which `make install` makes from requirements.lock. Development tools are not
among it, because nothing that Likewise asks for leads to them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from deploy.release.licences import IncludedPart, LicenceTable, declared, problems, spdx

ROOT = "likewise"

WEIGHTS = "requirements-weights.lock"

FOREIGN = re.compile(
    r"^[^/]+\.libs/"  # libraries that wheels bring along
    r"|/(_vendor|vendored|externals)/(?!__init__\.py)"  # copies of other projects
    r"|/bin/[^/.]+$|/lib[gi]omp"  # programs, OpenMP
    r"|/[^/]+\.(m?js|ttf|otf|afm|woff2?|pth|pt|onnx|safetensors|pem|jar|whl|exe|zip)(\.gz)?$"
)
"""Paths below site-packages that are likely to be somebody else's. For each, something has to say whose."""

LEFT_OUT = re.compile(r"^\.\./|/tests?/|\.(dist|egg)-info/|/__pycache__/")
"""Paths that do not count: scripts, tests, metadata, caches."""


class ReleaseError(Exception):
    """The environment is not what requirements.lock describes. Says what to do."""


@dataclass(frozen=True)
class Component:
    """An installed package. `licence` is an SPDX expression, empty if unknown; `needs` are names of components."""

    name: str
    version: str
    licence: str
    optional: bool
    """Only extras of Likewise ask for it."""
    needs: tuple[str, ...]
    parts: tuple[IncludedPart, ...]
    problems: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def collect(table: LicenceTable, lock: Path) -> list[Component]:
    """Likewise itself first, then everything that it asks for, with all extras, by name.

    Packages of which only weights are read are in a lock beside `lock` (:data:`WEIGHTS`); nothing asks for them, and
    they are installed without what they would need.

    Raises: ReleaseError if a package is missing, or is not in the version that the lock pins.
    """
    extras = set(_installed(ROOT).metadata.get_all("Provides-Extra") or ())
    required, everything = _closure(set()), _closure(extras)
    weights = dict(_pins(lock.with_name(WEIGHTS))) if lock.with_name(WEIGHTS).exists() else {}
    everything |= {name: set() for name in weights}
    everything[ROOT] |= weights.keys()
    pins = {*_pins(lock), *weights.items()}
    for name in everything.keys() - {ROOT}:
        if (name, version := _installed(name).version) not in pins:
            raise ReleaseError(f"{name} {version} is installed, and {lock.name} does not pin that: run `make install`.")
    names = sorted(everything, key=lambda name: (name != ROOT, name))
    return [_component(table, name, name not in required, everything[name]) for name in names]


def _pins(lock: Path) -> list[tuple[str, str]]:
    """Names and versions that a lock pins."""
    return re.findall(r"^([a-z0-9.-]+)==([^\s;\\]+)", lock.read_text("utf-8"), re.MULTILINE)


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError:
        raise ReleaseError(f"{name} is not installed: run `make install`.") from None


def _closure(extras: set[str]) -> dict[str, set[str]]:
    """Names of packages that Likewise with these extras needs here, each with the names that it needs itself."""
    needs: dict[str, set[str]] = {}
    seen: dict[str, set[str]] = {}
    waiting = [(ROOT, frozenset({"", *extras}))]
    while waiting:
        name, asked = waiting.pop()
        fresh = asked - seen.setdefault(name, set())
        seen[name] |= fresh
        found = needs.setdefault(name, set())
        if not fresh:
            continue
        for requirement in map(Requirement, _installed(name).requires or ()):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in fresh):
                needed = canonicalize_name(requirement.name)
                found.add(needed)
                waiting.append((needed, frozenset({"", *requirement.extras})))
    return needs


def _component(table: LicenceTable, name: str, optional: bool, needs: set[str]) -> Component:
    package = _installed(name)
    licence = table.licence(name, package)
    files = [str(file) for file in package.files or () if not LEFT_OUT.search(str(file))]
    parts = tuple(_parts(table, name, package, files))
    wrong = problems(table, name, licence, parts) + unexplained(table, name, files)
    return Component(name, package.version, licence, optional, tuple(sorted(needs)), parts, tuple(wrong))


def unexplained(table: LicenceTable, name: str, files: list[str]) -> list[str]:
    """Files that are likely to be somebody else's and that no row of licences.toml is about."""
    patterns = [pattern for bundle in table.bundles(name) for pattern in bundle.files]
    return [
        f"{name} brings {file}, and nothing says whose it is; add it to `bundled` or `own`."
        for file in files
        if FOREIGN.search(file)
        and not any(fnmatchcase(file, pattern) for pattern in patterns)
        and not table.is_own(name, file)
    ]


def _parts(table: LicenceTable, name: str, package: Distribution, files: list[str]) -> Iterator[IncludedPart]:
    """From SBOMs in the package (PEP 770), copies of packages with their metadata, and the table; none twice."""
    bundles = {bundle.name: bundle for bundle in table.bundles(name)}
    listed: dict[tuple[str, str], IncludedPart] = {}
    for part in (*_from_sboms(name, package), *_vendored(package)):
        stated = bundles[part.name].licence if not part.licence and part.name in bundles else part.licence
        listed.setdefault(
            (part.name, part.version), IncludedPart(part.name, part.version, stated, part.purl, part.scope)
        )
    yield from listed.values()
    known = {part.name for part in listed.values()}
    for bundle in bundles.values():
        here = not bundle.files or any(fnmatchcase(file, pattern) for file in files for pattern in bundle.files)
        if here and bundle.name not in known and (bundle.files or name == ROOT):
            yield IncludedPart(bundle.name, "", bundle.licence)


def _from_sboms(name: str, package: Distribution) -> Iterator[IncludedPart]:
    for file in package.files or ():
        if re.search(r"\.dist-info/sboms/[^/]+\.json$", str(file)):
            document = json.loads(Path(str(file.locate())).read_text("utf-8"))
            for component in document.get("components", ()):
                itself = canonicalize_name(component["name"]) == name
                if not itself and component.get("scope") != "excluded":
                    yield IncludedPart(
                        component["name"],
                        component.get("version") or "",
                        _said_by_sbom(component),
                        _public(component.get("purl", "")),
                        component.get("scope", ""),
                    )


def _said_by_sbom(component: dict[str, Any]) -> str:
    """Several licences hold together, since CycloneDX does not say that one may choose."""
    said = [
        row.get("expression") or row["license"].get("id") or row["license"].get("name", "")
        for row in component.get("licenses", ())
    ]
    return spdx(" AND ".join(f"({expression})" if len(said) > 1 else expression for expression in said)) if said else ""


def _public(purl: str) -> str:
    """A package URL without qualifiers, which hold folders and hosts of whoever built the package."""
    return re.split(r"[?#]", purl, maxsplit=1)[0]


def _vendored(package: Distribution) -> Iterator[IncludedPart]:
    for file in package.files or ():
        if re.search(r"/_vendor/[^/]+\.dist-info/METADATA$", str(file)):
            copy = Distribution.at(Path(str(file.locate())).parent)
            name = canonicalize_name(copy.metadata["Name"])
            yield IncludedPart(name, copy.version, declared(copy), f"pkg:pypi/{name}@{copy.version}")
