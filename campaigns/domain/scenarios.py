"""Scenarios: what is paid for, as the pilot programmes name it (data in campaigns/programmes/scenarios.yaml)."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Literal, NamedTuple

import yaml


class Scenario(NamedTuple):
    """Only a spendable ``purpose`` belongs into voucher terms; a ``place`` is a zone, a ``carrier`` a token."""

    id: str
    kind: Literal["purpose", "place", "issuing", "carrier"]
    spendable: bool
    zh: str
    en: str


def _read() -> dict[str, Scenario]:
    text = files("campaigns.programmes").joinpath("scenarios.yaml").read_text(encoding="utf-8")
    data = yaml.safe_load(text)
    assert data["schema"] == "hongbao/scenarios/1"
    return {row["id"]: Scenario(**row) for row in data["scenarios"]}


SCENARIOS: Mapping[str, Scenario] = _read()


def spendable_ids() -> tuple[str, ...]:
    """Ids that may stand under ``scenario`` and ``terms.scenarios``."""
    return tuple(s.id for s in SCENARIOS.values() if s.kind == "purpose" and s.spendable)


def scenario_name(scenario: str, language: str) -> str:
    """The name in ``zh`` or ``en``; the id itself when it is not one of ours."""
    found = SCENARIOS.get(scenario)
    if found is None:
        return scenario
    return found.zh if language == "zh" else found.en
