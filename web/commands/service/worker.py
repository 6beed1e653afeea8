"""``likewise worker``: embed for the jobs and questions of a cluster."""

from __future__ import annotations

import click

from web.commands.context import Call, common


@click.command("worker", short_help="Embed for the jobs and questions of a cluster.")
@click.option(
    "--queues",
    metavar="NAME,…",
    help="Take tasks from these alone: query, embed.images, embed.videos, embed.audio.  [default: all]",
)
@click.option("--device", help="auto, cpu, or one CUDA device as cuda:0.  [default: auto]")
@common
def command(call: Call, queues: str | None, device: str | None) -> int:
    """Take batches and questions from the Redis at LIKEWISE_BROKER_URL and embed them, until told to end.

    Start one for each GPU, with its --device; it decodes in processes of its own, LIKEWISE_DECODE_WORKERS of them.
    Questions come before batches, and a worker with --queues query has time for nothing else. Files must be where the
    jobs' paths say, or where LIKEWISE_ROOTS says that this machine sees them.

    SIGTERM and Ctrl-C let the batch in work come to its end, which may take minutes; a second one gives it back to its
    queue at once. With --json one object is printed when the worker listens.
    """
    from workers.cluster.app import QUEUES
    from workers.worker.process import run_worker

    chosen = QUEUES if queues is None else tuple(name.strip() for name in queues.split(",") if name.strip())
    settings = call.settings(device=device)
    return run_worker(
        settings,
        chosen,
        on_ready=lambda listener: call.answer(
            listener, lambda console: console.print(f"Listening to {', '.join(listener.queues)}; Ctrl-C ends it.")
        ),
    )
