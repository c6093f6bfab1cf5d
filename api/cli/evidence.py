"""`hongbao evidence PAYMENT` and `hongbao evidence verify FILE`: one file for a dispute, checked anywhere."""

import os
import re
import sys
from pathlib import Path
from typing import cast
from uuid import UUID

import click

from api.default_group import DefaultGroup
from api.desk import as_staff
from api.evidence_facts import facts_told
from api.evidence_text import told, verdict
from api.report.texts import LANGUAGES, Language
from campaigns.domain.evidence import MAX_EVIDENCE_BYTES, Evidence, EvidenceError, encode
from campaigns.domain.evidence_check import EvidenceCheck, verify_evidence
from campaigns.domain.principal import Principal
from campaigns.runtime.settings import Settings
from campaigns.services.context import Context
from campaigns.services.evidence import make_evidence

EXIT_VIOLATED = 1
PRIVATE_MODE = 0o600
_PUBLISHED = re.compile(r"(?:[1-9][0-9]{0,9}:)?(?P<head>[0-9a-fA-F]{64})")


@click.group(cls=DefaultGroup, default="make")
def evidence() -> None:
    """Evidence of one payment: PAYMENT makes a file, `verify FILE` checks it. 单笔付款的证据文件。

    hongbao evidence PAYMENT --as LOGIN writes one file with the terms, the decision and its facts, every transfer and
    the seals over them. It holds personal data: give it to those who decide the dispute, and to nobody else.
    """


@evidence.command()
@click.argument("payment", type=click.UUID)
@click.option(
    "--as",
    "login",
    required=True,
    metavar="LOGIN",
    help="Who asks: a login with role auditor. 审计人员登录名。",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="File to write; - for standard output [evidence-PAYMENT.json]. 输出文件。",
)
def make(payment: UUID, login: str, out: Path | None) -> None:
    """Write the evidence of PAYMENT; it holds personal data. 生成证据文件（含个人资料）。"""
    if out is not None and not out.parent.is_dir():
        raise click.BadParameter(
            f"没有目录 {out.parent}。 There is no directory {out.parent}.", param_hint="--out"
        )

    async def step(ctx: Context, caller: Principal) -> Evidence:
        return await make_evidence(ctx, caller, payment)

    data = encode(as_staff(login, step))
    if out == Path("-"):
        sys.stdout.buffer.write(data)
        return
    file = out or Path(f"evidence-{payment}.json")
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_MODE)
    with os.fdopen(descriptor, "wb") as written:
        os.fchmod(descriptor, PRIVATE_MODE)  # also where the file was there before
        written.write(data)
    check = verify_evidence(data)
    click.echo(str(file))
    click.echo(f"block 区块 {check.block}  head 封存值 {check.head}")
    _tell_problems(check)
    if check.problems:
        raise SystemExit(EXIT_VIOLATED)


@evidence.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--head",
    metavar="[BLOCK:]HEX",
    help="The published head of the newest block in the file. 文件中最新区块已公布的封存值。",
)
@click.option("--language", type=click.Choice(LANGUAGES), help="zh or en [HONGBAO_LANGUAGE]. 语言。")
def verify(file: Path, head: str | None, language: str | None) -> None:
    """Check FILE without a database and without network. 校验证据文件（无需数据库与网络）。

    Ends with 0 when it is sound, with 1 when not; what is wrong is named.
    """
    spoken = cast(Language, language or Settings.from_env().language)
    published = _published(head)
    with file.open("rb") as opened:
        data = opened.read(MAX_EVIDENCE_BYTES + 1)
    check = verify_evidence(data, published)
    if not check.problems and check.evidence is not None:
        _show(check.evidence, spoken)
    _tell_problems(check)
    if check.head:
        click.echo(f"block 区块 {check.block}  head 封存值 {check.head}")
    click.echo(verdict(check, head is not None, spoken))
    if check.problems:
        raise SystemExit(EXIT_VIOLATED)


def _published(head: str | None) -> str | None:
    if head is None:
        return None
    found = _PUBLISHED.fullmatch(head)
    if found is None:
        raise click.BadParameter(
            "应为64位十六进制，前面可有 区块号: 。 It is 64 hexadecimal digits, or BLOCK:HEX as `hongbao seals` prints it.",
            param_hint="--head",
        )
    return found["head"]


def _show(found: Evidence, language: Language) -> None:
    try:
        pairs = told(found, language)
    except EvidenceError as error:
        raise click.ClickException(str(error)) from None
    for label, value in pairs:
        click.echo(f"{label}：{value}" if language == "zh" else f"{label}: {value}")
    for title, facts in facts_told(found, language):
        click.echo(title)
        for fact in facts:
            click.echo(f"  - {fact}")


def _tell_problems(check: EvidenceCheck) -> None:
    for problem in check.problems:
        click.echo(f"{problem.subject}: {problem.what}", err=True)
    for note in check.notes:
        click.echo(f"note 说明: {note}", err=True)


commands = (evidence,)
