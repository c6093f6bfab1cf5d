"""`hongbao campaign validate | show | schema | new`: campaign files on an office's own desk, without any engine."""

import json
import os
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.text import Text as Line

from campaigns.domain.definition.labels import place_label
from campaigns.domain.definition.load import Loaded, load
from campaigns.domain.definition.model import Definition
from campaigns.domain.definition.nodes import MAX_FILE_BYTES
from campaigns.domain.definition.problems import Problem
from campaigns.domain.definition.schema import json_schema
from campaigns.domain.definition.summary import summarize, summary_lines
from campaigns.domain.definition.templates import template_names, template_text
from campaigns.domain.terms.compile import compile_version
from campaigns.domain.terms.contract import Language, contract_text
from campaigns.domain.windows import parse_window, zone_of

EXIT_PROBLEMS = 1
LANGUAGES = ("zh", "en")
FIRST_VERSION = 1


def default_language() -> str:
    """Chinese where the caller's locale is Chinese, English elsewhere."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if locale.lower().startswith("zh") else "en"


_language = click.option(
    "--language",
    type=click.Choice(LANGUAGES),
    default=default_language,
    help="Language of the answer. 语言。",
)
_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON. 以 JSON 输出。")


@click.group()
def campaign() -> None:
    """Campaigns, from the file to the closed books. 活动。"""


@campaign.command()
@_file
@_language
@_json
def validate(file: str, language: str, as_json: bool) -> None:
    """Report every problem of FILE with its line, or what it will issue. 校验活动文件。

    Exit code 1 when there are problems.
    """
    loaded = _load(file)
    if as_json:
        click.echo(_to_json(file, loaded))
    elif loaded.definition is None:
        _print_problems(file, loaded.problems, language)
    else:
        _print_summary(loaded.definition, language)
    if loaded.definition is None:
        sys.exit(EXIT_PROBLEMS)


@campaign.command()
@_file
@_language
def show(file: str, language: Language) -> None:
    """Print what FILE will issue and its terms as a contract. 显示发放计划和使用规则。"""
    loaded = _load(file)
    if loaded.definition is None:
        _print_problems(file, loaded.problems, language)
        sys.exit(EXIT_PROBLEMS)
    _print_summary(loaded.definition, language)
    click.echo("")
    click.echo(_contract(loaded.definition, language), nl=False)


@campaign.command()
def schema() -> None:
    """Print the JSON Schema of a campaign file, for editors. 输出 JSON Schema。"""
    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))


@campaign.command()
@click.option(
    "--template",
    type=click.Choice(template_names()),
    default="pingyin-spend-and-save",
    show_default=True,
    help="Template to begin with. 模板。",
)
@click.argument("file", required=False, type=click.Path(dir_okay=False))
def new(template: str, file: str | None) -> None:
    """Write a template to FILE (or print it); an existing file is never overwritten. 从模板新建。"""
    text = template_text(template)
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        with Path(file).open("x", encoding="utf-8", newline="\n") as out:
            out.write(text)
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None
    click.echo(file)


def _load(file: str) -> Loaded:
    """Read at most one byte more than allowed, so that a huge file costs nothing."""
    try:
        with click.open_file(file, "rb") as source:
            return load(source.read(MAX_FILE_BYTES + 1))
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from None


def _contract(definition: Definition, language: Language) -> str:
    zone = zone_of(definition.time_zone)
    spending = definition.windows.spending
    compiled = compile_version(
        definition.code,
        FIRST_VERSION,
        definition.terms,
        definition.merchants,
        parse_window(spending.start, spending.end, zone),
        definition.time_zone,
    )
    return contract_text(compiled, language, place_label(definition, language))


def _print_problems(file: str, problems: tuple[Problem, ...], language: str) -> None:
    console = _console()
    for problem in problems:
        line = Line(f"{file}:{problem.line}:{problem.column}", style="bold")
        if problem.path:
            line.append(f"  {problem.path}", style="cyan")
        line.append(f"  {problem.say(language)}", style="not bold")
        line.append(f"  [{problem.code}]", style="dim")
        console.print(line)
    count = f"{len(problems)} 处问题" if language == "zh" else f"{len(problems)} problem(s)"
    console.print(Line(count, style="red"))


def _print_summary(definition: Definition, language: str) -> None:
    console = _console()
    first, *rest = summary_lines(definition, language)
    console.print(Line(first, style="bold green"))
    for line in rest:
        style = "" if line.startswith(" ") else "bold"
        console.print(Line(line, style=style))


def _to_json(file: str, loaded: Loaded) -> str:
    answer = {
        "file": file,
        "valid": loaded.definition is not None,
        "problems": [
            {
                "code": problem.code,
                "path": problem.path,
                "line": problem.line,
                "column": problem.column,
                "facts": dict(problem.facts),
                "zh": problem.say("zh"),
                "en": problem.say("en"),
            }
            for problem in loaded.problems
        ],
        "summary": summarize(loaded.definition) if loaded.definition else None,
    }
    return json.dumps(answer, ensure_ascii=False, indent=2)


def _console() -> Console:
    """Colours on a terminal, plain text into files and pipes; lines are never cut or wrapped by us."""
    return Console(highlight=False, soft_wrap=True)


commands = (campaign,)
