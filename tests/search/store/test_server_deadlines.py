"""A Qdrant server that does not answer, asked for requests of the web, which keep to deadlines and do not queue."""

from __future__ import annotations

import threading

import httpx
import pytest

from search.deadlines import deadline
from search.errors import StoreUnavailableError
from search.store.server.connection import Nodes


class FrozenServer:
    """Notes the timeouts of what it is asked, and answers once it has thawed."""

    def __init__(self):
        self.timeouts = []
        self.is_frozen = True

    def __call__(self, request):
        self.timeouts.append(request.extensions["timeout"])
        if self.is_frozen:
            from qdrant_client.http.exceptions import ResponseHandlingException

            raise ResponseHandlingException(httpx.ReadTimeout("timed out", request=request))
        return httpx.Response(200)


def ask(nodes, server):
    request = httpx.Request("GET", "http://one:6333/aliases", extensions={"timeout": {"read": 60}})
    return nodes(request, server)


def test_a_request_waits_no_longer_than_its_deadline():
    nodes, server = Nodes(["http://one:6333"]), FrozenServer()
    server.is_frozen = False
    with deadline(3):
        ask(nodes, server)
    ask(nodes, server)
    of_the_web, of_a_job = server.timeouts
    assert of_the_web["read"] <= 3
    assert of_the_web["connect"] <= 2
    assert of_a_job["read"] == 60


def test_while_it_is_frozen_one_request_at_a_time_asks():
    nodes, server = Nodes(["http://one:6333"]), FrozenServer()
    asking, go_on, ended = threading.Event(), threading.Event(), []

    def slow(request):
        asking.set()
        go_on.wait(30)
        return server(request)

    def first():
        with deadline(10):
            try:
                ask(nodes, slow)
            except Exception as error:
                ended.append(error)

    with deadline(10), pytest.raises(Exception, match="timed out"):
        ask(nodes, server)
    thread = threading.Thread(target=first)
    thread.start()
    asking.wait(30)
    with deadline(10), pytest.raises(StoreUnavailableError, match="does not answer"):
        ask(nodes, server)
    assert len(server.timeouts) == 1, "it was not asked"
    server.is_frozen = False
    ask(nodes, server)  # a job asks whatever requests found, and its answer lets all ask again
    with deadline(10):
        ask(nodes, server)
    go_on.set()
    thread.join()
    assert not ended
