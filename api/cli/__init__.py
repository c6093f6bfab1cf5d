"""The `hongbao` command: one module per area in this package, each exporting ``commands``.

``commands`` is a tuple of click commands and groups. Groups of one name from several modules are one group to
the user: `hongbao campaign validate` and `hongbao campaign publish` come from different files.
"""

import errno
from collections.abc import Iterable
from importlib import import_module
from pkgutil import iter_modules

import click

from campaigns.domain.codes import sentence
from campaigns.domain.errors import HongbaoError
from campaigns.runtime.engines import EngineError
from campaigns.runtime.settings import SettingsError
from campaigns.runtime.wiring import CannotStart

# What the one who types can mend: a wrong path, missing rights, a full disk.
FILE_TROUBLES = (
    errno.ENOENT, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EROFS, errno.ENOSPC, errno.EDQUOT,
)  # fmt: skip


class Main(click.Group):
    """The top group: says typed errors as one sentence instead of a traceback."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (EngineError, SettingsError) as error:
            raise click.ClickException(f"{error.text('zh')} {error.text('en')}") from None
        except CannotStart as error:
            raise click.ClickException(str(error)) from None
        except OSError as error:
            if error.errno not in FILE_TROUBLES:
                raise
            raise click.ClickException(f"{error.filename or 'stdout'}: {error.strerror}") from None
        except HongbaoError as error:
            spoken = " ".join(sentence(error.code, error.facts, language) for language in ("zh", "en"))
            raise click.ClickException(f"{spoken} [{error.code}]") from None


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hongbao", prog_name="hongbao")
def main() -> None:
    """Consumer red-packet and voucher campaigns. 消费红包与消费券活动。"""


def mount(group: click.Group, commands: Iterable[click.Command]) -> None:
    """Add commands to a group; a group that is there already takes in the other's commands."""
    for command in commands:
        assert command.name is not None, command
        there = group.commands.get(command.name)
        if isinstance(there, click.Group) and isinstance(command, click.Group):
            mount(there, command.commands.values())
        else:
            assert there is None, f"command {command.name} stands twice"
            group.add_command(command)


for _module in sorted(module.name for module in iter_modules(__path__)):
    mount(main, import_module(f"{__name__}.{_module}").commands)
