"""Type of command-line arguments that name a folder or file by its path or its bucket address."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class PathOrAddress(click.ParamType[str]):
    """Converts to the absolute path or the address, as text; it need not exist."""

    name = "path"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from search import addresses
        from search.errors import UsageError

        try:
            return addresses.absolute(value)
        except UsageError as error:
            self.fail(str(error), param, ctx)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]
