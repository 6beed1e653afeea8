"""``likewise doctor``: list settings with their origins, and check that everything needed works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from web.checks.result import Check


@click.command("doctor", short_help="Check settings, models, store and disk; says what to do.")
@common
def command(call: Call) -> int:
    """List every setting with where it was set, and check versions, data directory, store, ledger, broker, workers,
    device and model weights. Ends with status 1 when a check fails."""
    from search.settings import Settings, setting_origins
    from web.checks.result import Health
    from web.checks.run import run_checks

    settings = call.settings()
    origins = setting_origins({"home": call.home})
    values = {
        name: {"value": _plain(getattr(settings, name)), "from": origins.get(name, "default")}
        for name in Settings.model_fields
    }
    checks = list(run_checks(settings))
    call.answer({"settings": values, "checks": checks}, lambda console: _show(values, checks, console))
    return 1 if any(check.health is Health.FAILED for check in checks) else 0


def _plain(value: object) -> object:
    """Value of a setting for JSON: secrets are masked, paths are text."""
    if value is None or isinstance(value, bool | int | float | str | dict):
        return value
    return list(value) if isinstance(value, tuple) else str(value)


def _as_text(value: object) -> str:
    """Value of a setting as its variable takes it."""
    if isinstance(value, list):
        return ",".join(map(str, value))
    if isinstance(value, dict):
        return ",".join(f"{remote}={local}" for remote, local in value.items())
    return "" if value is None else str(value)


def _show(values: Mapping[str, Mapping[str, object]], checks: list[Check], console: Console) -> None:
    from rich.table import Table

    table = Table("setting", "value", "from", box=None, pad_edge=False)
    for name, setting in values.items():
        table.add_row(name, _as_text(setting["value"]), str(setting["from"]))
    console.print(table)
    console.print()
    for check in checks:
        console.print(f"{check.health.value:<8} {check.name}: {check.detail}")
        if check.hint:
            console.print(f"         {check.hint}")
