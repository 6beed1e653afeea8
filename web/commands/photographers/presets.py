"""``likewise photographers presets``: how well style is told apart where the truth is known."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from web.commands.context import Call, common

if TYPE_CHECKING:
    from rich.console import Console

    from search.evaluation.statistics import Estimate
    from workers.photographers.benchmark.options import PresetOptions
    from workers.photographers.benchmark.results import BenchmarkCheck, Level, PresetBenchmark

LEVELS = ("low", "medium", "high")


@click.command("presets", short_help="Measure on invented photographers, on any folder of photos.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--photos", type=click.IntRange(min=1), help="Base photos a seed.  [default: 170]")
@click.option("--presets", type=click.IntRange(min=1), help="Invented photographers.  [default: 30]")
@click.option("--seeds", type=click.IntRange(min=1), help="How often all is drawn anew.  [default: 5]")
@click.option(
    "--jitter",
    type=click.Choice([*LEVELS, "all"]),
    default="medium",
    show_default=True,
    help="How much the photos of one photographer differ.",
)
@click.option("--quick", is_flag=True, help="One seed of few photos: whether it runs, not a figure to quote.")
@common
def command(
    call: Call, folder: Path, photos: int | None, presets: int | None, seeds: int | None, jitter: str, quick: bool
) -> None:
    """Invent photographers, develop the photos of DIR by their presets and measure who is told apart by what.

    Every preset is a way of developing: exposure, white balance, contrast, saturation, split toning, vignette, grain.
    Photographers are learnt from some of the photos and asked about on others; where DIR has folders, no folder is on
    both sides. Photos are only read, and nothing enters the library. Half an hour on two idle cores, less with --quick.

    Exits with 0 whatever is reached: it is a measurement.
    """
    from workers.photographers.benchmark.benchmark import measure

    options = _options(photos, presets, seeds, jitter, quick)
    found = measure(folder, options, call.settings(), call.say)
    call.answer(found, lambda console: show(found, console))


def _options(photos: int | None, presets: int | None, seeds: int | None, jitter: str, quick: bool) -> PresetOptions:
    from dataclasses import replace

    from workers.photographers.benchmark.options import QUICK, PresetOptions

    given = {"photos": photos, "presets": presets, "seeds": seeds}
    levels = LEVELS if jitter == "all" else (jitter,)
    return replace(
        QUICK if quick else PresetOptions(),
        jitter=levels,
        **{name: value for name, value in given.items() if value is not None},
    )


def show(found: PresetBenchmark, console: Console) -> None:
    """The table of every level, with what is to be reached, and the controls below it."""
    of = f"of {found.subjects} subjects" if found.subjects else "split singly"
    console.print(
        f"{found.presets} invented photographers, {found.gallery} photos learnt from and {found.question} asked about "
        f"{of}, {found.seeds} seeds. Chance is {found.chance:.1%}. In brackets: 95 % interval over seeds and photos."
    )
    for line in (*found.models, *found.notes):
        console.print(line)
    for level in found.levels:
        console.print()
        _show_level(level, console)


def _show_level(level: Level, console: Console) -> None:
    from rich.table import Table

    console.print(f"Jitter {level.name} ({level.jitter} of the deviation between presets)")
    rows = Table("", "one photo", "target", "ten photos", "target", "", box=None, pad_edge=False)
    for row in level.rows:
        reached = {True: "reached", False: "missed", None: ""}[row.reached]
        marks = f"{reached} ({row.note})" if row.note else reached
        rows.add_row(row.words, _share(row.one), _least(row.target_one), _share(row.ten), _least(row.target_ten), marks)
    console.print(rows)
    console.print(f"Best of style less the pooled vector, one photo: {_share(level.margin)}")
    console.print()
    checks = Table("control", "measured", "bound", "", box=None, pad_edge=False)
    for one in level.checks:
        checks.add_row(one.words, "" if one.value is None else _share(one.value), _bound(one), _verdict(one))
    console.print(checks)


def _share(value: Estimate) -> str:
    interval = f" [{value.low:.3f}, {value.high:.3f}]" if value.low < value.high else ""
    return f"{value.value:.3f}{interval}"


def _least(target: float | None) -> str:
    return "" if target is None else f"{target:.2f}"


def _bound(one: BenchmarkCheck) -> str:
    if one.low is not None and one.high is not None:
        return f"{one.low:.3f} to {one.high:.3f}"
    if one.low is not None:
        return f"at least {one.low:g}"
    return "" if one.high is None else f"at most {one.high:g}"


def _verdict(one: BenchmarkCheck) -> str:
    """``ok``, ``FAILED`` or nothing where there is no bound, with what a reader must know."""
    bounded = one.low is not None or one.high is not None
    word = {True: "ok" if bounded else "", False: "FAILED", None: "not measured"}[one.passed]
    return f"{word} ({one.note})" if one.note and word else word or one.note
