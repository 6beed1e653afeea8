"""``likewise photographers train``: train the classifier, or the photographer space."""

from __future__ import annotations

import click

from web.commands.context import Call, common, one_line


@click.command("train", short_help="Learn to tell photographers apart.")
@click.option("--joint", is_flag=True, help="Train the map of photographers instead of the classifier.")
@click.option("--seconds", type=click.FloatRange(0), help="With --joint: time for the training.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of everything that is drawn.")
@common
def command(call: Call, joint: bool, seconds: float | None, seed: int) -> int:
    """Learn from the photos that are credited to someone.

    The model replaces the one in use once it is whole. It is trained in a process of its own, or by a worker that
    listens to the queue train, and measured on photos that it has not learnt from: `likewise photographers report`.
    """
    from web.client import connect
    from web.commands.job_progress import follow

    new = {"kind": "joint" if joint else "classifier", "seconds": seconds, "seed": seed}
    with connect(call.settings()) as client:
        ended = follow(client, client.post("/photographers/train", new)["id"])
    call.answer(ended.to_json(), lambda console: console.print(one_line(ended.message)))
    return 1 if ended.failed else 0
