"""Photographers: who there is, who works alike, whose photo this is; labelling and training."""

from __future__ import annotations

from search.photographers.answers import PhotographerListed
from web.api.operation import Operation
from web.api.ports import Node


def list_photographers(node: Node) -> list[PhotographerListed]:
    """Everyone whose photos are known, those with most photos first."""
    return list(node.photographers.list())


OPERATIONS = (Operation("GET", "/photographers", list_photographers, list[PhotographerListed]),)
