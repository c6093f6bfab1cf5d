"""docs/report.md names every figure in both languages with the kind that the code gives it."""

import re
from pathlib import Path

import pytest

from campaigns.domain.report import GOALS
from campaigns.domain.report_figures import FIGURES

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "report.md").read_text(encoding="utf-8")
_KINDS = {"en": ("input", "outcome"), "zh": ("模拟输入", "结果")}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_table_of_figures_is_that_of_the_code(language: str) -> None:
    english, _, chinese = _DOCUMENT.partition("# 活动成效报告")
    rows = re.findall(
        r"^\| `([a-z_.]+)` \| (.+?) \| .+ \| (\S+) \|$", english if language == "en" else chinese, re.M
    )
    simulated, outcome = _KINDS[language]
    assert rows == [
        (name, getattr(figure, language), simulated if figure.simulated else outcome)
        for name, figure in FIGURES.items()
    ]


def test_the_goals_are_those_of_the_code() -> None:
    for _, goal_bp, at_least in GOALS:
        assert f"{'at least' if at_least else 'below'} {goal_bp // 100}%" in _DOCUMENT
