"""`hongbao demo`: watch a whole campaign, with simulated residents and a real server."""

from pathlib import Path
from typing import cast

import click

from api.demo.behaviour import names
from api.demo.folder import Folder, NotOurs
from api.demo.run import Choices, run_demo
from api.demo.scale import LEAST_SCALE, WHOLE
from api.demo.texts import Language
from campaigns.runtime.settings import Settings

HOME = Path("var/demo")


@click.command(name="demo")
@click.argument("name", type=click.Choice(names()), default="pingyin")
@click.option(
    "--exit", "exit_at_end", is_flag=True, help="End after the report; nothing is left running. 结束后退出。"
)
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write the figures into FILE. 结果写入文件。",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Chance of this run [1]. 随机种子。")
@click.option(
    "--data-dir", type=click.Path(file_okay=False, path_type=Path), help="[var/demo/NAME] 数据目录。"
)
@click.option(
    "--fresh", is_flag=True, help="Delete the demonstration in the data directory first. 重新开始。"
)
@click.option("--language", type=click.Choice(["zh", "en"]), help="[HONGBAO_LANGUAGE] 语言。")
@click.option(
    "--processes", type=click.IntRange(1, 64), help="Server processes [HONGBAO_SERVER_PROCESSES]. 进程数。"
)
@click.option(
    "--progress-json", is_flag=True, help="One JSON line per step, with process ids. 以 JSON 显示进度。"
)
@click.option(
    "--scale", type=click.FloatRange(LEAST_SCALE, WHOLE), default=WHOLE,
    help="A smaller campaign of the same shape, for tests. 缩小规模。",
)  # fmt: skip
def demo(
    name: str,
    exit_at_end: bool,
    json_file: Path | None,
    seed: int | None,
    data_dir: Path | None,
    fresh: bool,
    language: str | None,
    processes: int | None,
    progress_json: bool,
    scale: float,
) -> None:
    """Watch a campaign from its file to its report. 演示：一个活动从编制到报告。

    Real engines, real server, simulated residents. A run that was killed goes on when started again.
    """
    settings = Settings.from_env()
    place = (data_dir or HOME / name).absolute()
    choices = Choices(
        name=name, data_dir=place, seed=seed, scale=scale,
        processes=processes or settings.server_processes,
        language=cast(Language, language or settings.language),
        exit_at_end=exit_at_end, progress_json=progress_json, json_file=json_file,
    )  # fmt: skip
    try:
        if fresh:
            Folder(place).remove()
        code = run_demo(choices)
    except NotOurs as error:
        raise click.ClickException(str(error)) from None
    raise SystemExit(code)


commands = (demo,)
