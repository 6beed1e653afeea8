"""A component whose licence is unknown, or not permitted, is found; what is installed here has none."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from importlib.metadata import Distribution
from pathlib import Path

import cyclonedx.schema
import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from deploy.release import licences
from deploy.release.components import Component, ReleaseError, collect
from deploy.release.licences import LicenceTable
from deploy.release.sbom import LOCK, SPECIFICATION, document, licence_list, main

TABLE = LicenceTable(
    {
        "permitted": ["Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-3-Clause", "MIT"],
        "accepted": {"codec-*": {"licences": ["GPL-2.0-or-later"], "reason": "it is linked with one"}},
        "stated": {"silent": {"licence": "MIT", "reason": "it says nothing", "source": "its site"}},
        "bundled": {"drawing": {"source": "its site", "parts": {"a font": ["MIT", "drawing/fonts/*.ttf"]}}},
        "own": {"drawing": ["drawing/*.js"]},
    }
)


def package(
    folder: Path, name: str, metadata: str = "", files: Mapping[str, str] | None = None, requires: Sequence[str] = ()
) -> Distribution:
    """An installed package of version 1.0, as an installer would leave it."""
    info = f"{name}-1.0.dist-info"
    needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
    said = {
        f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n{metadata}{needs}",
        **(files or {}),
    }
    for path, text in said.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (folder / info / "RECORD").write_text("".join(f"{path},,\n" for path in said))
    return Distribution.at(folder / info)


@pytest.fixture(scope="module")
def installed() -> list[Component]:
    return collect(LicenceTable.read(), LOCK)


def test_everything_that_is_installed_may_be_shipped(installed: list[Component]) -> None:
    assert [problem for component in installed for problem in component.problems] == []
    assert {"flask", "numpy", "psycopg", "torch"} <= {component.name for component in installed}
    assert not {"pytest", "mypy", "pip-audit"} & {component.name for component in installed}


def test_rows_of_the_table_have_reasons() -> None:
    table = tomllib.loads(licences.TABLE.read_text("utf-8"))
    assert all(row["reason"] and row["source"] for row in table["stated"].values())
    assert all(row["reason"] for row in table["accepted"].values())
    assert all(row["source"] for row in table["bundled"].values())
    assert not any("AGPL" in licence for row in table["accepted"].values() for licence in row["licences"])
    assert not [name for name in table["permitted"] if name.startswith(("GPL", "AGPL")) and "WITH" not in name]


@pytest.mark.parametrize(
    ("metadata", "text", "licence"),
    [
        ("License-Expression: mit or apache-2.0\nLicense: Other\n", "", "MIT OR Apache-2.0"),
        ("License: Apache Software License\n", "", "Apache-2.0"),
        ("License: LicenseRef-Ours\n", "", "LicenseRef-Ours"),
        ("License: BSD\n", "Neither the\n   name of", "BSD-3-Clause"),
        ("License: BSD\n", "Redistribution", "BSD-2-Clause"),
        ("License: BSD\n", "", ""),
        ("License: All of\n  this text\nClassifier: License :: OSI Approved :: MIT License\n", "", "MIT"),
        ("License: UNKNOWN\n", "", ""),
        ("", "", ""),
    ],
)
def test_what_packages_say_of_themselves(tmp_path: Path, metadata: str, text: str, licence: str) -> None:
    files = {"some-1.0.dist-info/licenses/LICENSE.txt": text} if text else None
    assert TABLE.licence("some", package(tmp_path, "some", metadata, files)) == licence


@pytest.mark.parametrize(
    ("expression", "permitted"),
    [
        ("MIT", True),
        ("AGPL-3.0-only", False),
        ("MIT OR AGPL-3.0-only", True),
        ("MIT AND AGPL-3.0-only", False),
        ("MIT AND (AGPL-3.0-only OR Apache-2.0)", True),
        ("(MIT OR Apache-2.0) AND AGPL-3.0-only", False),
        ("AGPL-3.0-only OR MIT AND Apache-2.0", True),
        ("Apache-2.0 WITH LLVM-exception AND MIT", True),
        ("MIT WITH Something-else", False),
        ("GPL-2.0-or-later", False),
    ],
)
def test_a_licence_is_permitted_if_one_may_choose_it(expression: str, permitted: bool) -> None:
    assert TABLE.permits("some", expression) is permitted


def test_a_licence_is_accepted_for_the_named_components_only() -> None:
    assert TABLE.permits("codec-x", "GPL-2.0-or-later")
    assert not TABLE.permits("codec-x", "GPL-2.0-only")


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small one: likewise asks for `plain`, `drawing` and, as an extra, for `shady`, which asks for `nameless`."""
    crates = [
        {"name": "network", "version": "3", "licenses": [{"expression": "AGPL-3.0-only"}]},
        {
            "name": "fine",
            "version": "2",
            "licenses": [{"license": {"id": "MIT"}}],
            "purl": "pkg:cargo/fine@2?at=file:///x",
        },
        {"name": "tool", "version": "1", "scope": "excluded"},
    ]
    site = tmp_path / "site"
    package(site, "plain", "License-Expression: MIT\n")
    package(
        site, "drawing", "License-Expression: MIT\n",
        dict.fromkeys(("drawing/fonts/a.ttf", "drawing/fonts/a.otf", "drawing/own.js", "drawing.libs/libz-1.so.1"), ""),
    )  # fmt: skip
    sbom = {"shady-1.0.dist-info/sboms/rust.cdx.json": json.dumps({"components": crates})}
    package(site, "shady", "License: MIT\n", sbom, ["nameless"])
    package(site, "nameless")
    package(
        site, "likewise", "License-Expression: Apache-2.0\nProvides-Extra: more\n",
        requires=["plain>=1", "drawing", 'Shady; extra == "more"', 'absent; sys_platform == "no such"'],
    )  # fmt: skip
    monkeypatch.syspath_prepend(str(site))
    lock = tmp_path / "requirements.lock"
    lock.write_text("".join(f"{name}==1.0 \\\n" for name in ("plain", "drawing", "shady", "nameless")))
    return lock


def test_every_kind_of_problem_is_named(environment: Path) -> None:
    said = [problem for component in collect(TABLE, environment) for problem in component.problems]
    assert [problem.split(";")[0].split(", ")[0] for problem in said] == [
        "drawing brings drawing/fonts/a.otf",
        "drawing brings drawing.libs/libz-1.so.1",
        "nameless has no known licence",
        "network in shady is under AGPL-3.0-only",
    ]


def test_the_bill_says_what_is_optional_what_needs_what_and_no_address(environment: Path) -> None:
    bill = document(collect(TABLE, environment), environment, 86_400)
    assert bill["metadata"]["timestamp"] == "1970-01-02T00:00:00+00:00"
    assert {component["name"]: component["scope"] for component in bill["components"]} == {
        "drawing": "required", "nameless": "optional", "plain": "required", "shady": "optional",
    }  # fmt: skip
    assert bill["dependencies"][0] == {
        "ref": "pkg:pypi/likewise@1.0",
        "dependsOn": ["pkg:pypi/drawing@1.0", "pkg:pypi/plain@1.0", "pkg:pypi/shady@1.0"],
    }
    shady = bill["components"][-1]
    assert [part["name"] for part in shady["components"]] == ["network", "fine"]
    assert shady["components"][1]["purl"] == "pkg:cargo/fine@2"


def test_packages_of_weights_are_shipped_though_nothing_asks_for_them(installed: list[Component]) -> None:
    licences_of = {component.name: component.licence for component in installed}
    assert {name: licences_of[name] for name in ("aisfx", "resemblyzer", "silero-vad")} == {
        "aisfx": "CC-BY-4.0",
        "resemblyzer": "Apache-2.0",
        "silero-vad": "MIT",
    }
    root = next(component for component in installed if component.name == "likewise")
    assert {"aisfx", "resemblyzer", "silero-vad"} <= set(root.needs)
    assert not {"librosa", "onnxruntime"} & licences_of.keys()


def test_another_version_than_the_lock_pins_is_refused(environment: Path) -> None:
    environment.write_text(environment.read_text().replace("plain==1.0", "plain==1.1"))
    with pytest.raises(ReleaseError, match=r"plain 1\.0 .*make install"):
        collect(TABLE, environment)


def test_the_bill_is_valid_and_lists_what_packages_bring_along(
    installed: list[Component], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deploy.release.sbom.collect", lambda *_: installed)
    assert main([str(tmp_path)]) == 0
    bill, listed = sorted(tmp_path.iterdir())
    text = bill.read_text("utf-8")
    assert "://" not in text
    schemas = Path(cyclonedx.schema.__file__).with_name("_res")
    known = {
        name: Resource.from_contents(json.loads((schemas / file).read_text("utf-8")))
        for name, file in {
            "bom": f"bom-{SPECIFICATION}.SNAPSHOT.schema.json",
            "http://cyclonedx.org/schema/spdx.schema.json": "spdx.SNAPSHOT.schema.json",
            "http://cyclonedx.org/schema/jsf-0.82.schema.json": "jsf-0.82.SNAPSHOT.schema.json",
        }.items()
    }
    registry: Registry[object] = Registry().with_resources(known.items())
    Draft7Validator(known["bom"].contents, registry=registry).validate(json.loads(text))
    parts = {part["name"] for component in json.loads(text)["components"] for part in component.get("components", ())}
    assert {"x265", "plotly.js", "weights of EfficientNet-Lite0", "openssl-libs", "segment"} <= parts
    assert "    x264: GPL-2.0-or-later\n" in listed.read_text("utf-8")
    assert licence_list(installed) == listed.read_text("utf-8")
