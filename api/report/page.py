"""The report as one HTML page: no script, no network, in both languages, for screens, phones and paper."""

from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from api.report import fonts
from api.report.charts import FONT_SIZE, PALETTE, PHONE_SCALE
from api.report.figures import lines
from api.report.pictures import charts
from api.report.texts import LANGUAGES, Language, percent, text
from campaigns.domain.money import format_yuan
from campaigns.domain.report import REST, Report
from campaigns.domain.windows import local_end_text, local_text, zone_of

_FONT_HERE: Final = "FONT-OF-THE-PAGE"


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"yuan": format_yuan, "percent": percent, "number": lambda value: f"{value:,}"}
    return environment


def render_page(report: Report, language: Language = "zh") -> str:
    """The whole page; ``language`` is the one it opens in, the other is a click away.

    Draws a dozen charts and cuts a font: seconds of work at first, so call it off the event loop.
    """
    zone = zone_of(report.time_zone)

    def when(at: datetime) -> str:
        return local_text(at, zone)

    page = (
        _templates()
        .get_template("report.html.j2")
        .render(
            report=report,
            language=language,
            languages=LANGUAGES,
            charts={
                each: {name: Markup(svg) for name, svg in charts(report, each).items()} for each in LANGUAGES
            },
            lines=lines(report),
            text=text,
            when=when,
            window=(when(report.spending_start), local_end_text(report.spending_end, zone)),
            simulated="input" in report.kinds.values(),
            palette=PALETTE,
            phone_text=FONT_SIZE * PHONE_SCALE,
            rest=REST,
            font_family=fonts.FAMILY,
            font_here=_FONT_HERE,
        )
    )
    return page.replace(_FONT_HERE, fonts.data_uri(page), 1)
