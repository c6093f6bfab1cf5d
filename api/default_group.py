"""A group of commands of which one is meant when none is named."""

from typing import Any

import click


class DefaultGroup(click.Group):
    """`hongbao evidence PAYMENT` is `hongbao evidence make PAYMENT`: ``default`` names the command."""

    def __init__(self, *args: Any, default: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.default = default

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asks_help = bool(args) and args[0] in ctx.help_option_names
        if not asks_help and (not args or args[0] not in self.commands):
            args = [self.default, *args]
        return super().parse_args(ctx, args)
