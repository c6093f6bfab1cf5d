"""Every command line of both READMEs is one that hongbao takes, and both show the same ones."""

import re
import shlex
from pathlib import Path

import click
import pytest

from api.cli import main
from api.default_group import DefaultGroup

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "README.zh.md")
_BLOCK = re.compile(r"```sh\n(.*?)```", re.DOTALL)


def lines(page: str) -> list[list[str]]:
    """The words of each `hongbao` line, without its comment and redirection."""
    found = []
    for block in _BLOCK.findall((ROOT / page).read_text(encoding="utf-8")):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:1] == ["hongbao"]:
                found.append(words[1 : words.index(">") if ">" in words else None])
    assert found
    return found


def command_of(words: list[str]) -> tuple[click.Command, list[str], str]:
    """The command a line names, its own arguments, and its full name."""
    command: click.Command = main
    name = "hongbao"
    while isinstance(command, click.Group):
        if isinstance(command, DefaultGroup) and not {*words[:1]} & set(command.commands):
            words = [command.default, *words]
        name = f"{name} {words[0]}"
        assert words[0] in command.commands, name
        command, words = command.commands[words[0]], words[1:]
    return command, words, name


@pytest.mark.parametrize("page", PAGES)
def test_each_line_is_a_command_with_all_it_needs(page: str) -> None:
    for words in lines(page):
        command, arguments, name = command_of(words)
        context = click.Context(command, info_name=name)
        given, left, _ = command.make_parser(context).parse_args(list(arguments))  # NoSuchOption names it
        assert not left, words
        missing = [one.name for one in command.params if one.required and given.get(one.name) is None]
        assert not missing, (words, missing)


def test_both_languages_show_the_same_commands() -> None:
    shown = [[command_of(words)[2] for words in lines(page)] for page in PAGES]
    assert shown[0] == shown[1]
