"""What ``likewise doctor`` warns of about a Qdrant server that answers."""

from __future__ import annotations

from typing import NamedTuple

from qdrant_client.http.exceptions import ResponseHandlingException, UnexpectedResponse

from search.settings import Settings
from search.store.server.connection import make_breaker
from search.store.server.grpc_nodes import GrpcNodes, NotReachedError, grpc_addresses


class ServerWarning(NamedTuple):
    """What is wrong, and what to do about it."""

    message: str
    hint: str


def warning_of(settings: Settings) -> ServerWarning | None:
    """The first thing to warn of; None for nothing.

    Raises:
        SettingsError: the ports or certificates that the settings name are none.
    """
    if (url := settings.qdrant_key_in_the_open) is not None:
        hint = "Use https, or nothing where nobody else reaches that network."
        return ServerWarning(f"its key is sent to {url} without encryption", hint)
    key = settings.qdrant_api_key
    for address in grpc_addresses(settings):
        nodes = GrpcNodes([address], key.get_secret_value() if key else None, make_breaker())
        try:
            nodes.check()
        except (NotReachedError, UnexpectedResponse, ResponseHandlingException) as error:
            return ServerWarning(
                f"not reached by gRPC ({str(error) or address.target})",
                "It is asked by REST instead. Open that port, name another by LIKEWISE_QDRANT_GRPC, or set it to off.",
            )
        finally:
            nodes.close()
    return None
