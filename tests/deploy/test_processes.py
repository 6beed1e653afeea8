"""Whatever deploy/ starts, this version of Likewise can be started so: commands, settings, queues, times."""

from __future__ import annotations

from collections.abc import Callable

import click

from search.settings import Settings, load_settings
from web.cli import COMMANDS, main
from web.processes import STOP_SECONDS
from web.server.limits import ServerLimits
from workers.cluster.app import HARD_SECONDS, QUEUES

from .conftest import Process

SECRETS = ("token", "qdrant_api_key", "database_url", "broker_url", "cluster_key")


def test_there_are_web_query_and_embedding_processes(processes: list[Process]) -> None:
    assert {process.name for process in processes} == {"web", "worker-query", "worker", "worker-gpu"}


def test_every_command_and_option_exists(processes: list[Process]) -> None:
    for process in processes:
        name, *arguments = process.arguments
        assert name in COMMANDS, process
        with click.Context(main) as context:
            command = main.get_command(context, name)
            assert command is not None
            command.make_context(name, list(arguments), parent=context)  # fails on an option that does not exist


def test_every_variable_is_a_setting_and_its_value_allowed(
    processes: list[Process], settings_of: Callable[[Process], dict[str, str]]
) -> None:
    for process in processes:
        variables = settings_of(process)
        names = {name.removeprefix("LIKEWISE_").removesuffix("_FILE").lower() for name in variables}
        assert names <= set(Settings.model_fields), process.name
        settings = load_settings(environ=variables)
        assert settings.store == "server", process.name
        assert settings.broker_url is not None, process.name
        assert settings.cluster_key is not None, process.name


def test_secrets_are_read_from_files(processes: list[Process]) -> None:
    secret = {f"LIKEWISE_{name.upper()}" for name in SECRETS}
    for process in processes:
        assert secret.isdisjoint(process.environment), process.name


def test_only_web_knows_the_ledger_and_the_password(
    processes: list[Process], settings_of: Callable[[Process], dict[str, str]]
) -> None:
    for process in processes:
        settings = load_settings(environ=settings_of(process))
        assert (settings.token is not None) == (process.name == "web"), process.name
        assert (settings.database_url is not None) == (process.name == "web"), process.name


def test_somebody_listens_on_every_queue_and_somebody_only_for_people_who_wait(processes: list[Process]) -> None:
    listened = {}
    for process in processes:
        if process.arguments[0] == "worker":
            listened[process.name] = process.arguments[process.arguments.index("--queues") + 1].split(",")
    assert listened["worker-query"] == ["query"]
    for name in ("worker", "worker-gpu"):
        assert {*listened[name], "query"} == set(QUEUES)
        assert "query" not in listened[name]


def test_a_worker_that_is_told_to_stop_may_finish_its_batch(processes: list[Process]) -> None:
    for process in processes:
        if process.arguments[0] == "worker":
            assert process.grace > float(process.environment["LIKEWISE_TASK_SECONDS"]) + HARD_SECONDS, process.name


def test_web_that_is_told_to_stop_may_answer_what_is_in_work(processes: list[Process]) -> None:
    needed = ServerLimits.of(Settings(), processes=1).drain_seconds + STOP_SECONDS
    web = [process for process in processes if process.name == "web"]
    assert len(web) == 3
    assert all(process.grace > needed for process in web)


def test_workers_are_asked_for_their_health_where_they_answer(processes: list[Process]) -> None:
    for process in processes:
        if process.arguments[0] == "worker":
            assert process.environment["LIKEWISE_METRICS_PORT"] == "9100", process.name
            assert "/metrics" in process.health, process.name
