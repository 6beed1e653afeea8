"""`make audit`: a finding fails, an allowed one passes until its day, and no answer is never taken for a good one."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deploy.release.audit import (
    ALLOWED,
    BROKEN,
    FAILED,
    MOST_DAYS,
    PASSED,
    UNREACHABLE,
    Allowed,
    ServiceAway,
    judge,
    main,
    read_allowed,
)


def today() -> datetime.date:
    """When it is asked for, since a run may go past midnight."""
    return datetime.datetime.now(datetime.UTC).date()


VULNERABILITY = {
    "id": "GHSA-aaaa-bbbb-cccc",
    "aliases": ["CVE-2026-0001"],
    "summary": "Reads what it should not",
    "affected": [
        {
            "package": {"name": "frail", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1.1"}]}],
        }
    ],
}


FOUND = {"id": "CVE-2026-0001", "fix_versions": [], "aliases": [], "description": ""}
"""As pip-audit reports one."""


class Osv(BaseHTTPRequestHandler):
    """Answers as OSV does, by names: `frail` has a vulnerability, asked for `broken` the service fails."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["package"]["name"]
        body = json.dumps({"vulns": [VULNERABILITY]} if asked == "frail" else {}).encode()
        self.send_response(500 if asked == "broken" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def osv() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
        server.shutdown()


def entry(until: datetime.date, reason: str = "Likewise does not call it.", package: str = "frail") -> str:
    return f'[[allowed]]\nid = "CVE-2026-0001"\npackage = "{package}"\nuntil = {until}\nreason = "{reason}"\n'


def audit(tmp_path: Path, url: str, allowed: str = "", name: str = "frail") -> int:
    """With pip-audit itself, of a lock that pins `name` and something sound."""
    lock, entries = tmp_path / "requirements.lock", tmp_path / "audit-allowed.toml"
    lock.write_text("".join(f"{pin} --hash=sha256:{'0' * 64}\n" for pin in ("sound==2.0", f"{name}==1.0")))
    entries.write_text(allowed)
    return main(["--lock", str(lock), "--allowed", str(entries), "--osv-url", url])


def test_a_finding_fails(osv: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(tmp_path, osv) == FAILED
    said = capsys.readouterr().err
    assert re.search(r"frail 1\.0: .*GHSA-aaaa-bbbb-cccc.* \(corrected in 1\.1\)", said)


def test_an_allowed_finding_passes_up_to_its_last_day(
    osv: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(tmp_path, osv, entry(today())) == PASSED
    assert "Likewise does not call it." in capsys.readouterr().out


@pytest.mark.parametrize("days", [-1, MOST_DAYS + 1], ids=["expired", "for too long"])
def test_the_date_of_an_entry_counts_without_asking_anybody(
    tmp_path: Path, days: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(tmp_path, "http://127.0.0.1:1", entry(today() + datetime.timedelta(days))) == FAILED
    assert "CVE-2026-0001" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("list_", "names"), [(entry(today(), reason=""), "reason"), ('[[allowed]]\nid = "A"', "until"), ("[[", "audit-all")]
)
def test_an_entry_says_everything(tmp_path: Path, list_: str, names: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit(tmp_path, "http://127.0.0.1:1", list_) == BROKEN
    assert names in capsys.readouterr().err


@pytest.mark.parametrize("name", ["frail", "broken"])
def test_a_service_that_does_not_answer_has_a_status_of_its_own(
    osv: str, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(tmp_path, osv if name == "broken" else "http://127.0.0.1:1/", name=name) == UNREACHABLE
    said = capsys.readouterr()
    assert "NOT AUDITED" in said.err
    assert "Audited" not in said.out


def test_pip_audit_failing_for_another_reason_is_not_taken_for_a_missing_network(
    osv: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(tmp_path, osv, name="two words") == BROKEN
    assert "could not be made" in capsys.readouterr().err


def test_skipped_components_are_not_taken_for_sound_ones() -> None:
    """pip-audit exits with 0 and says `No known vulnerabilities found` where the service knows no component at all."""
    report = {"dependencies": [{"name": "sound", "version": "2.0", "vulns": []}, {"name": "x", "skip_reason": "404"}]}
    with pytest.raises(ServiceAway, match="1 of 2 components: x"):
        judge(report, [])
    report["dependencies"].append({"name": "Fra.il", "version": "1.0", "vulns": [FOUND]})
    assert judge(report, []) == ["Not allowed: fra-il 1.0: CVE-2026-0001 (no version corrects it). "]


def test_an_entry_allows_one_component_only() -> None:
    report = {"dependencies": [{"name": "frail", "version": "1.0", "vulns": [FOUND]}]}
    allowed = Allowed("CVE-2026-0001", "frail", today(), "It is not called.")
    assert judge(report, [allowed]) == []
    assert len(judge(report, [replace(allowed, package="sound")])) == 1


def test_the_list_in_the_tree_can_be_read() -> None:
    assert all(re.fullmatch(r"(GHSA|CVE|PYSEC|OSV)-[\w-]+", entry.id) for entry in read_allowed(ALLOWED))
