"""The last tables of a demonstration: where the time went, and its figures."""

from rich.console import Console
from rich.table import Table

from api.demo.figures import Figures
from api.demo.texts import STAGES, Language, say
from campaigns.domain.money import format_yuan

FIGURES = (
    ("entries", "报名", "Entries"),
    ("winners", "中签", "Winners"),
    ("accepted", "领取", "Packets accepted"),
    ("attempts", "支付尝试", "Attempts to pay"),
    ("payments", "经 HTTP 扣款", "Captures over HTTP"),
    ("payments_per_second", "每秒扣款（支付阶段）", "Captures a second (payment stage)"),
    ("requests_per_second", "每秒请求（支付阶段）", "Requests a second (payment stage)"),
    ("refused", "被拒", "Refused"),
    ("peak_mb", "内存峰值（MB，全部进程）", "Peak memory (MB, all processes)"),
    ("acknowledgements", "逐一核对的回执", "Acknowledgements checked"),
    ("violations", "不符", "Violations"),
)


def show_figures(figures: Figures, language: Language, console: Console) -> None:
    """Print them."""
    zh = language == "zh"
    times = Table(title=say("where_time", language), title_justify="left")
    times.add_column(say("stage", language))
    times.add_column(say("seconds", language), justify="right")
    for name, seconds in figures.seconds_by_stage.items():
        times.add_row(getattr(STAGES[name], language), f"{seconds:.1f}")
    times.add_row("合计" if zh else "In all", f"{figures.seconds_total:.1f}", style="bold")
    console.print(times)
    table = Table(title=say("figures", language), title_justify="left", show_header=False)
    table.add_column()
    table.add_column(justify="right")
    for name, text_zh, text_en in FIGURES:
        value = getattr(figures, name)
        table.add_row(text_zh if zh else text_en, f"{value:,}")
    table.add_row("净支出" if zh else "Spent, net of refunds", format_yuan(figures.spent_fen))
    console.print(table)
