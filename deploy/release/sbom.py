"""`make sbom`: a bill of materials in CycloneDX's JSON and a list of licences, of Likewise and everything it installs.

It describes the environment that requirements.lock makes on this platform; others lack packages or have other wheels.
It is the same for the same environment: the time comes from SOURCE_DATE_EPOCH, or is left out. It holds no address of
a registry, and none of the folders in which packages were built.

Exit status: 0 written; 1 something is shipped whose licence is unknown or not permitted, which is said; 2 the
environment is not what requirements.lock describes.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import json
import os
import platform
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deploy.release.components import Component, ReleaseError, collect
from deploy.release.licences import IncludedPart, LicenceTable

REPOSITORY = Path(__file__).resolve().parents[2]
LOCK = REPOSITORY / "requirements.lock"
SPECIFICATION = "1.6"
NAMESPACE = uuid.UUID("6f0c3a52-8f0e-4f5b-9a55-0b2f3f1c7d11")
"""Of serial numbers: one follows from what the bill says."""


def document(components: Sequence[Component], lock: Path, epoch: int | None) -> dict[str, Any]:
    """The bill; `components` begin with Likewise, `epoch` is its time in seconds since 1970."""
    root, *others = components
    metadata: dict[str, Any] = {
        "component": _component(root) | {"type": "application"},
        "tools": {"components": [{"type": "application", "name": "deploy.release.sbom", "version": root.version}]},
        "properties": [
            {"name": "likewise:platform", "value": f"{platform.system()} {platform.machine()}".lower()},
            {"name": "likewise:python", "value": platform.python_version()},
            {"name": "likewise:requirements.lock:sha256", "value": hashlib.sha256(lock.read_bytes()).hexdigest()},
        ],
    }
    if epoch is not None:
        metadata["timestamp"] = datetime.datetime.fromtimestamp(epoch, datetime.UTC).isoformat()
    said = {
        "metadata": metadata,
        "components": [_component(component) for component in others],
        "dependencies": [
            {"ref": component.purl, "dependsOn": [other.purl for other in components if other.name in component.needs]}
            for component in components
        ],
    }
    serial = uuid.uuid5(NAMESPACE, json.dumps(said, sort_keys=True)).urn
    return {"bomFormat": "CycloneDX", "specVersion": SPECIFICATION, "serialNumber": serial, "version": 1} | said


def _component(component: Component) -> dict[str, Any]:
    found = {
        "type": "library",
        "bom-ref": component.purl,
        "name": component.name,
        "version": component.version,
        "purl": component.purl,
        "scope": "optional" if component.optional else "required",
        "licenses": _licences(component.licence),
    }
    return found | ({"components": [_part(part) for part in component.parts]} if component.parts else {})


def _part(part: IncludedPart) -> dict[str, Any]:
    said = {"version": part.version, "purl": part.purl, "scope": part.scope}
    return (
        {"type": "library", "name": part.name}
        | {key: value for key, value in said.items() if value}
        | {"licenses": _licences(part.licence)}
    )


def _licences(expression: str) -> list[dict[str, str]]:
    return [{"expression": expression}] if expression else []


def licence_list(components: Sequence[Component]) -> str:
    """A line each, what a package brings along of others indented below it."""
    lines = [
        "What Likewise installs here, and what packages bring along of others: name, version, licence (SPDX).",
        "The texts lie with the packages, in *.dist-info. What is said by hand, and why: deploy/release/licences.toml.",
        "",
    ]
    for component in components:
        lines.append(f"{component.name} {component.version}: {component.licence or 'UNKNOWN'}")
        lines += [
            f"    {' '.join(filter(None, (part.name, part.version)))}: {part.licence or 'UNKNOWN'}"
            for part in sorted(component.parts, key=lambda part: (part.name.lower(), part.version))
        ]
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.release.sbom", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=REPOSITORY / "dist", help="where to write (dist)")
    given = parser.parse_args(arguments)
    try:
        components = collect(LicenceTable.read(), LOCK)
    except ReleaseError as reason:
        print(reason, file=sys.stderr)
        return 2
    wrong = [problem for component in components for problem in component.problems]
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    bill = document(components, LOCK, int(epoch) if epoch else None)
    stem = f"{components[0].name}-{components[0].version}"
    given.folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        (f"{stem}.cdx.json", json.dumps(bill, indent=1) + "\n"),
        (f"{stem}.licences.txt", licence_list(components)),
    ):
        (given.folder / name).write_text(text, "utf-8")
        print(f"{hashlib.sha256(text.encode()).hexdigest()}  {given.folder.name}/{name}")
    parts = sum(len(component.parts) for component in components)
    print(f"{len(components)} packages, and {parts} parts of others in them.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
