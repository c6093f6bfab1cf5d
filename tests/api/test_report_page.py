"""The report for people: complete in itself, in step in both languages, served to staff alone, and seen by a browser."""

import base64
import json
import re
import subprocess
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import asyncpg
import msgspec
import pytest
from fontTools.ttLib import TTFont
from rich.console import Console

from api.report import fonts, render_page, show
from api.report.charts import PALETTE
from api.report.figures import lines
from api.report.pictures import STAGES, charts
from api.report.texts import LANGUAGES, STATES, TEXTS, Language, percent, text
from api.routes import reports
from campaigns.domain.money import format_yuan
from campaigns.domain.report import Report
from campaigns.domain.report_figures import FIGURES, TARGET_FIGURES
from campaigns.domain.states import CAMPAIGN
from campaigns.services.context import Context
from campaigns.services.reporting import report
from tests.skips import chromium
from tests.support.http import make_key, serve
from tests.support.payworld import PayWorld
from tests.support.report_sample import sample_report

MOST_PAGE_BYTES = 600_000
LEAST_PICTURE_BYTES = 150_000  # an empty page of that size has 16,000
CHROMIUM_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--enable-logging=stderr",
)  # fmt: skip


@pytest.fixture(scope="module")
def page() -> str:
    return render_page(sample_report())


class _Page(HTMLParser):
    """What a page would fetch, and its words by language."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.tags: set[str] = set()
        self.words: dict[str, list[str]] = {"zh": [], "en": []}
        self._language: list[str | None] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        found = dict(attrs)
        self.addresses += [
            value or "" for name, value in attrs if name in ("src", "href", "action", "data", "xlink:href")
        ]
        if tag == "span" or tag == "div":
            self._language.append(found.get("lang") if found.get("class") == "t" else None)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("span", "div"):
            self._language.pop()

    def handle_data(self, data: str) -> None:
        told = [language for language in self._language if language]
        if told:
            self.words[told[-1]].append(data)


def test_the_page_fetches_nothing_and_is_small(page: str) -> None:
    found = _Page(page)
    assert found.addresses == []
    assert not found.tags & {"script", "link", "iframe", "img", "object", "base"}
    without_font = re.sub(r'url\("data:font/woff2;base64,[A-Za-z0-9+/=]+"\)', "", page)
    assert "url(" not in without_font and "@import" not in without_font and "://" not in without_font
    assert len(page.encode()) < MOST_PAGE_BYTES


def test_every_text_stands_in_both_languages(page: str) -> None:
    found = _Page(page)
    spans = {language: len(re.findall(rf'class="t" lang="{language}"', page)) for language in LANGUAGES}
    assert spans["zh"] == spans["en"] > 100
    assert not re.search(r"[一-鿿]", "".join(found.words["en"]).replace("平阴", "").translate(_shops()))


def _shops() -> dict[int, None]:
    """Merchants have one name, in Chinese."""
    return {ord(character): None for character in "第超市"}


def test_texts_are_whole_in_both_languages() -> None:
    for known in (TEXTS, STATES):
        for name, found in known.items():
            assert found.zh and found.en and found.zh != found.en, name
            parts = [set(re.findall(r"{(\w+)}", words)) for words in (found.zh, found.en)]
            assert parts[0] == parts[1], name
            assert not re.search(r"[一-鿿]", found.en), name
    assert {*CAMPAIGN.values(), *(state for state, _ in CAMPAIGN)} == set(STATES)
    for language in LANGUAGES:
        assert all(text(f"target.{name}", language) for name in TARGET_FIGURES)
        assert all(text(name, language) for name in FIGURES)


def test_the_page_says_every_figure(page: str) -> None:
    sample = sample_report()
    spoken = re.sub(r"<[^>]+>", " ", page)
    for line in lines(sample):
        assert line.number in spoken and line.value in spoken, line.name
    for one in (*sample.places, *sample.scenarios, *sample.by_merchant):
        assert format_yuan(one.spent_fen) in spoken
    for refused in sample.refusals.by_code:
        assert refused.code in spoken and refused.sentence.zh in spoken
    for target in sample.targets:
        assert percent(target.found_bp) in spoken
    for funder in sample.funders:
        assert funder.name.en in spoken and format_yuan(funder.spent_fen) in spoken


def test_simulated_figures_are_marked_and_production_has_no_marks() -> None:
    demo, real = render_page(sample_report("demo")), render_page(sample_report("production"))
    assert demo.count('class="kind input"') > 10 and demo.count('class="kind outcome"') > 10
    assert text("simulated_note", "zh") in demo
    assert 'class="kind' not in real and text("simulated_note", "zh") not in real
    assert "模拟" not in re.sub(r"<style>.*?</style>", "", real, flags=re.S)


def test_names_from_a_campaign_file_are_text_and_never_markup() -> None:
    evil = '<img src=x onerror=alert(1)>"&'
    sample = sample_report()
    renamed = msgspec.structs.replace(
        sample,
        name=msgspec.structs.replace(sample.name, zh=evil, en=evil),
        places=(msgspec.structs.replace(sample.places[0], name=type(sample.name)(zh=evil, en=evil)),),
    )
    found = _Page(render_page(renamed))
    assert "img" not in found.tags and found.addresses == []


def test_the_font_holds_every_character_of_the_page(page: str, tmp_path: Path) -> None:
    encoded = re.search(r"data:font/woff2;base64,([A-Za-z0-9+/=]+)", page)
    assert encoded
    file = tmp_path / "font.woff2"
    file.write_bytes(base64.b64decode(encoded[1]))
    with TTFont(file) as font:
        held = set(font.getBestCmap())
        assert "SIL Open Font License" in str(font["name"].getDebugName(13))
    spoken = re.sub(r"<style>.*?</style>|<[^>]+>", "", page, flags=re.S)
    assert {ord(c) for c in spoken if not c.isspace()} <= held
    assert fonts.FAMILY in page


@pytest.mark.parametrize("language", LANGUAGES)
def test_charts_are_drawn_from_the_palette_and_name_themselves(language: Language) -> None:
    made = charts(sample_report(), language)
    assert set(made) == {"targets", "funnel", "days", "places", "scenarios", "refusals"}
    allowed = {*PALETTE.values(), "none", "transparent", "black"}
    for name, svg in made.items():
        assert set(re.findall(r'(?:fill|stroke)="([^"]+)"', svg)) <= allowed, name
        assert f'aria-label="{text(name, language)}"' in svg
        assert "<script" not in svg and "xmlns" not in svg
    assert all(text(f"funnel.{stage}", language) in made["funnel"] for stage in STAGES)


def test_an_empty_campaign_has_a_page_and_tables() -> None:
    sample = sample_report()
    nothing = msgspec.structs.replace(
        sample,
        days=(),
        places=(),
        scenarios=(),
        by_merchant=(),
        funders=(),
        refusals=msgspec.structs.replace(sample.refusals, by_code=(), refused_bp=None),
        funnel=msgspec.structs.replace(sample.funnel, registered=None, claimed_bp=None, spent_bp=None),
        spending=msgspec.structs.replace(sample.spending, own_per_yuan_fen=None),
        targets=tuple(msgspec.structs.replace(t, found_bp=None, reached=None) for t in sample.targets),
    )
    assert text("nothing", "en") in render_page(nothing, "en")
    show(nothing, "en", Console(file=StringIO(), width=100))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_terminal_says_every_figure(language: Language) -> None:
    sample, written = sample_report(), StringIO()
    show(sample, language, Console(file=written, width=160))
    for line in lines(sample):
        assert text(line.name, language) in written.getvalue()
        assert line.number in written.getvalue() and line.value in written.getvalue()
    assert text("input", language) in written.getvalue()


async def test_staff_read_the_report_and_others_do_not(ctx: Context, owner: asyncpg.Connection) -> None:
    world, other = await PayWorld(ctx).start(), await PayWorld(ctx).start()
    campaign_id = await world.campaign()
    await owner.execute("""UPDATE staff SET roles = '["auditor"]'""")
    staff = await make_key(owner, world.programme_id, "auditor", ["report.read"], world.author_id)
    till = await make_key(owner, world.programme_id, "channel", ["vouchers.read"])
    foreign = await make_key(owner, other.programme_id, "auditor", ["report.read"], other.author_id)
    path = f"/v1/campaigns/{campaign_id}/report"
    async with serve(ctx, reports.ROUTES) as served:

        async def get(address: str, key: str) -> tuple[int, str, str]:
            answer = await served.client.get(address, headers={"Authorization": f"Bearer {key}"})
            return answer.status_code, answer.headers["Content-Type"], answer.text

        status, kind, body = await get(path, staff)
        assert (status, kind) == (200, "application/json")
        found = msgspec.json.decode(body, type=Report)
        assert found == msgspec.structs.replace(await report(ctx, campaign_id), made_at=found.made_at)
        status, kind, body = await get(path + ".html", staff)
        assert (status, kind.split(";")[0]) == (200, "text/html")
        assert body.startswith("<!DOCTYPE html>") or "<!DOCTYPE html>" in body[:200]
        for address in (path, path + ".html"):
            assert (await get(address, till))[0] == 403
            status, _, body = await get(address, foreign)
            assert (status, json.loads(body)["code"]) == (404, "not_found")


@pytest.mark.browser
def test_a_browser_draws_the_page_whole_in_either_language(tmp_path: Path) -> None:
    """Nothing is refused by the page's own policy or looked for elsewhere, and the languages look different."""
    pictures = {language: _picture(language, tmp_path) for language in LANGUAGES}
    assert pictures["zh"] != pictures["en"]
    for picture in pictures.values():
        assert picture.startswith(b"\x89PNG") and len(picture) > LEAST_PICTURE_BYTES


def _picture(language: Language, folder: Path) -> bytes:
    browser = chromium()
    assert browser is not None
    file, picture = folder / f"{language}.html", folder / f"{language}.png"
    file.write_text(render_page(sample_report(), language), encoding="utf-8")
    done = subprocess.run(
        [
            browser, *CHROMIUM_FLAGS, f"--user-data-dir={folder / f'profile-{language}'}", f"--screenshot={picture}",
            "--window-size=1280,2600", file.as_uri(),
        ],
        capture_output=True,
        timeout=90,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2_000:]
    for complaint in (b"Refused to", b"Content Security Policy", b"ERR_"):
        assert complaint not in done.stderr, done.stderr[-2_000:]
    return picture.read_bytes()
