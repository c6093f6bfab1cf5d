"""`hongbao merchant import | list`: merchants by the table, all of its lines or none."""

import csv
import sys
from pathlib import Path

import click
import msgspec

from api.desk import acting, as_staff, show, telling
from campaigns.domain.csv_text import FIRST_DATA_LINE
from campaigns.domain.merchant_csv import HEADS, read_csv
from campaigns.services.merchant_import import ImportedTerminal, ImportMerchants, ImportRow, import_merchants
from campaigns.services.merchants import list_merchants
from campaigns.services.paging import MOST_LIMIT, PageQuery
from campaigns.services.problems import LineProblem, lines_invalid

KEY_FILE_MODE = 0o600
_KEY_COLUMNS = ("merchant", "store", "terminal", "terminal_id", "store_code", "key")


@click.group()
def merchant() -> None:
    """Merchants, stores and tills. 商户、门店和终端。"""


@merchant.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--keys",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="New file for store codes and the keys of new tills, readable by you alone. 门店码与新终端密钥文件。",
)
@acting
def import_file(file: Path, keys: Path, login: str) -> None:
    """Add or change the merchants of the CSV FILE (UTF-8 or GB18030). 导入商户表。"""
    with telling():
        table = read_csv(file.read_bytes())
        if table.problems:
            raise lines_invalid("import_invalid", [LineProblem(*problem) for problem in table.problems])
    try:
        rows = msgspec.convert(table.rows, tuple[ImportRow, ...])
    except msgspec.ValidationError as error:
        raise click.ClickException(f"{file}: {error}") from None
    command = ImportMerchants(rows=rows, first_line=FIRST_DATA_LINE)
    try:
        keys.touch(mode=KEY_FILE_MODE, exist_ok=False)
    except FileExistsError:
        raise click.ClickException(
            f"{keys} 已存在，请换一个文件名。 {keys} is there already: name a new file."
        ) from None
    try:
        answer = as_staff(login, lambda ctx, caller: import_merchants(ctx, caller, None, command))
    except BaseException:
        keys.unlink()
        raise
    _write_keys(keys, answer.terminals)
    show({"merchants": answer.merchants, "stores": answer.stores, "terminals": len(answer.terminals)})


def _write_keys(path: Path, terminals: tuple[ImportedTerminal, ...]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_KEY_COLUMNS)
        writer.writerows([getattr(item, name) or "" for name in _KEY_COLUMNS] for item in terminals)


@merchant.command()
def template() -> None:
    """Print the head of the table, in Chinese and English. 打印表头。"""
    writer = csv.writer(sys.stdout)
    writer.writerow(HEADS.values())
    writer.writerow(HEADS)


@merchant.command(name="list")
@acting
def list_all(login: str) -> None:
    """Print the first merchants of the programme. 列出商户。"""
    query = PageQuery(limit=MOST_LIMIT)
    show(as_staff(login, lambda ctx, caller: list_merchants(ctx, caller, query)))


commands = (merchant,)
