"""Answers a request by the application, or refuses it in the form of all errors."""

from __future__ import annotations

import json
from typing import Any

from waitress.task import ErrorTask, Task, WSGITask

from web.access.peer import CONNECTION
from web.api.problem import CONTENT_TYPE, problem
from web.bodies import AWAITED, AwaitedBody
from web.server.deadlines import RECEIVED
from web.server.requests import PermissionRequest, Refused, no_room, too_large


class RequestTask(WSGITask):  # type: ignore[misc]  # waitress has no types
    """Has the application answer a request."""

    def start(self) -> None:
        super().start()
        self.get_environment().update({RECEIVED: self.request.received_at, CONNECTION: self.channel.known})
        if self.channel.server.is_stopping:
            self.set_close_on_finish()


class PermissionTask(WSGITask):  # type: ignore[misc]
    """Asks the application whether the body of a request may be received; it answers by refusing, or not at all."""

    def __init__(self, channel: Any, request: PermissionRequest) -> None:
        super().__init__(channel, request)
        self._awaited = AwaitedBody()

    def start(self) -> None:
        super().start()
        self.get_environment()[AWAITED] = self._awaited
        self.set_close_on_finish()

    def finish(self) -> None:
        limit = self._awaited.limit
        if limit is None:
            self.channel.has_unread = True
            super().finish()
        elif self.request.request.permit(limit, self.channel.server.bodies):
            self.close_on_finish = False
        else:
            write_refusal(self, no_room())


class RefusalTask(ErrorTask):  # type: ignore[misc]
    """Refuses a request that the application does not get."""

    def execute(self) -> None:
        error = self.request.error
        if not isinstance(error, Refused):  # one of waitress
            if error.code == 413:
                error = too_large(self.channel.server.limits.largest_upload)
            else:
                code = "usage" if error.code < 500 else "error"
                error = Refused(error.code, error.reason, code, f"{error.reason}: {error.body}.")
        write_refusal(self, error)


def write_refusal(task: Task, refused: Refused) -> None:
    """Answer as all errors are, and end the connection."""
    body = json.dumps(problem(refused.status, refused.code, refused.message, refused.hint)).encode()
    task.version = "1.1"  # whatever could be read of the request
    task.status = f"{refused.status} {refused.reason}"
    task.response_headers = [("Content-Type", CONTENT_TYPE), ("Connection", "close"), *refused.headers.items()]
    task.content_length = len(body)
    task.close_on_finish = True
    task.channel.has_unread = True
    task.complete = True
    task.write(body)
