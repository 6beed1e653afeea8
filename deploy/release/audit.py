"""`make audit`: is there a known vulnerability in what requirements.lock pins?

pip-audit asks OSV. Its exit status alone does not say what happened: 1 is a finding as well as a network that is not
there, and with PyPI as the service, components that nobody could look up count as free of findings. What counts here is
its report: one that lacks a component is no answer.

Exit status: 0 no finding, or only allowed ones (audit-allowed.toml); 1 a finding that is not allowed, or an entry of
that list that has expired; 2 pip-audit or the list is at fault; 3 the vulnerability service could not be asked.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as checked_dataclass

HERE = Path(__file__).parent
LOCK = HERE.parents[1] / "requirements.lock"
ALLOWED = HERE / "audit-allowed.toml"

PASSED, FAILED, BROKEN, UNREACHABLE = 0, 1, 2, 3
MOST_DAYS = 180
"""How far ahead an entry's date may be, so that each is looked at twice a year."""

NO_SERVICE = re.compile(r"requests\.exceptions|ConnectionError|ServiceError|Max retries|network may be blocking")
"""What pip-audit writes when the service does not answer; Source: its _service modules, which raise these."""


class AuditError(Exception):
    """pip-audit, or the list of what is allowed, is at fault. Says what and why."""


class ServiceAway(Exception):
    """The vulnerability service gave no answer, or none for some components."""


@checked_dataclass(frozen=True, config=ConfigDict(extra="forbid", str_min_length=1))
class Allowed:
    """An entry of audit-allowed.toml; `until` is the last day on which it holds."""

    id: str
    package: str
    until: datetime.date
    reason: str


@dataclass(frozen=True)
class Vulnerability:
    package: str
    version: str
    ids: tuple[str, ...]
    """The id and its aliases."""
    fixed_in: tuple[str, ...]
    description: str

    def __str__(self) -> str:
        fixed = f"corrected in {', '.join(self.fixed_in)}" if self.fixed_in else "no version corrects it"
        return f"{self.package} {self.version}: {', '.join(self.ids)} ({fixed}). {self.description[:300]}"


def read_allowed(path: Path) -> list[Allowed]:
    """Raises: AuditError if an entry lacks something or says something else."""
    try:
        return TypeAdapter(list[Allowed]).validate_python(tomllib.loads(path.read_text("utf-8")).get("allowed", []))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise AuditError(f"{path.name} cannot be used: {error}") from error


def out_of_date(entries: Sequence[Allowed], today: datetime.date) -> list[str]:
    """What is wrong with the dates of entries, a sentence each. Needs no network."""
    far = today + datetime.timedelta(days=MOST_DAYS)
    return [
        f"{entry.package}: {entry.id} was allowed until {entry.until}. Update the component, or renew the entry."
        for entry in entries
        if entry.until < today
    ] + [
        f"{entry.package}: {entry.id} is allowed until {entry.until}; {MOST_DAYS} days ahead, {far}, is the most."
        for entry in entries
        if entry.until > far
    ]


def ask(lock: Path, osv_url: str | None) -> dict[str, Any]:
    """pip-audit's report on a lock file with hashes.

    Raises: ServiceAway if the service did not answer; AuditError if pip-audit failed for another reason.
    """
    command = [sys.executable, "-m", "pip_audit", "--requirement", str(lock), "--disable-pip", "--require-hashes"]
    command += ["--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off"]
    command += ["--osv-url", osv_url] if osv_url else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)
    except json.JSONDecodeError:
        said = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}, no output"]
        raise (ServiceAway if NO_SERVICE.search(done.stderr) else AuditError)(said[0]) from None
    if not isinstance(report, dict) or not isinstance(report.get("dependencies"), list):
        raise AuditError(f"pip-audit's report has another form: {done.stdout[:200]}")
    return report


def findings(report: Mapping[str, Any]) -> list[Vulnerability]:
    return [
        Vulnerability(
            canonicalize_name(component["name"]),
            component["version"],
            (found["id"], *found.get("aliases", ())),
            tuple(found.get("fix_versions", ())),
            " ".join(found.get("description", "").split()),
        )
        for component in report["dependencies"]
        for found in component.get("vulns", ())
    ]


def allowed_by(finding: Vulnerability, entries: Sequence[Allowed]) -> Allowed | None:
    for entry in entries:
        if canonicalize_name(entry.package) == finding.package and entry.id in finding.ids:
            return entry
    return None


def judge(report: Mapping[str, Any], entries: Sequence[Allowed]) -> list[str]:
    """The findings that nothing allows, a sentence each; prints the allowed ones and entries that nothing needs.

    Raises: ServiceAway if there is no such finding but components that pip-audit skipped, or nothing else.
    """
    found = findings(report)
    allowing = {finding: entry for finding in found if (entry := allowed_by(finding, entries))}
    for finding, entry in allowing.items():
        print(f"Allowed until {entry.until}: {finding}\n  {entry.reason}")
    bad = [f"Not allowed: {finding}" for finding in found if finding not in allowing]
    components = report["dependencies"]
    skipped = sorted(component["name"] for component in components if "skip_reason" in component)
    if not bad and (skipped or not components):
        raise ServiceAway(f"no answer for {len(skipped)} of {len(components)} components: {', '.join(skipped)[:300]}")
    for entry in entries:
        if entry not in allowing.values():
            print(f"Not found any more: {entry.package}, {entry.id}. Remove it from {ALLOWED.name}.")
    return bad


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.release.audit", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--lock", type=Path, default=LOCK, help="what is audited (requirements.lock)")
    parser.add_argument("--allowed", type=Path, default=ALLOWED, help="what is allowed for a time (audit-allowed.toml)")
    parser.add_argument("--osv-url", help="an OSV service to ask instead of the public one")
    given = parser.parse_args(arguments)
    try:
        entries = read_allowed(given.allowed)
        bad = out_of_date(entries, datetime.datetime.now(datetime.UTC).date())
        if not bad:
            report = ask(given.lock, given.osv_url)
            bad = judge(report, entries)
    except ServiceAway as reason:
        print(f"NOT AUDITED: the vulnerability service could not be asked ({reason}).", file=sys.stderr)
        print("Nothing is known of vulnerabilities in this version; run `make audit` with a network.", file=sys.stderr)
        return UNREACHABLE
    except AuditError as reason:
        print(f"The audit could not be made: {reason}", file=sys.stderr)
        return BROKEN
    if bad:
        print("\n".join(bad), file=sys.stderr)
        return FAILED
    print(f"Audited: {len(report['dependencies'])} components of {given.lock.name}, no finding that is not allowed.")
    return PASSED


if __name__ == "__main__":
    sys.exit(main())
