"""What the command line says to people, it says in Chinese and in English."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from api.cli import main

FOLDER = Path(__file__).parents[2] / "api" / "cli"
SAID = ("UsageError", "BadParameter", "ClickException")
CHINESE, ENGLISH = re.compile(r"[\u4e00-\u9fff]"), re.compile(r"[A-Za-z]{2}")


def _words(call: ast.Call) -> str:
    """The literal text of an error; what is filled in comes from elsewhere."""
    text = call.args[0]
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.py")), ids=lambda file: file.stem)
def test_errors_are_said_in_both_languages(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SAID
        ):
            continue
        words = _words(node)
        assert bool(CHINESE.search(words)) == bool(ENGLISH.search(words)), f"line {node.lineno}: {words}"


def _commands(group: click.Group) -> Iterator[click.Command]:
    for command in group.commands.values():
        yield command
        if isinstance(command, click.Group):
            yield from _commands(command)


@pytest.mark.parametrize("command", list(_commands(main)), ids=lambda command: str(command.name))
def test_help_is_in_both_languages(command: click.Command) -> None:
    assert command.help and CHINESE.search(command.help) and ENGLISH.search(command.help)
